"""On which device a net runs, and that it runs on the processor where that does not work. The runtime's part is played:
a card is there that computes like the processor, or does not load, or fails at its work."""

from __future__ import annotations

import logging
import os
import pickle
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.errors import InputError
from tronie.export.fingerprint import fingerprint, scope
from tronie.pipelines.model_usage import on_devices
from tronie.pipelines.photo import Pipeline
from tronie.runtime import devices, inference, net_speeds, weights
from tronie.runtime.devices import DEVICES, SMALL, choose
from tronie.runtime.inference import Session
from tronie.runtime.job import Job
from tronie.runtime.net_speeds import NetSpeed
from tronie.settings import Settings
from tronie.stages.segment import SegmentNet
from tronie.types import Detection, Face, Landmarks, Photo, UsedModel

CUDA, OPENVINO, COREML = (DEVICES[name] for name in ("cuda", "openvino", "coreml"))
POINTS = np.random.default_rng(0).uniform(0, 256, (3, 146, 2))


class Card:
    """The runtime as a package for graphics cards: `loads` and `runs` say how the card behaves."""

    def __init__(self, provider: str, loads: Callable[[], bool], runs: Callable[[], None]) -> None:
        import onnxruntime

        self.real, self.provider, self.loads, self.runs = onnxruntime, provider, loads, runs
        self.opened: list[tuple[str, dict[str, str]]] = []
        self.rows: list[int] = []
        self.busy = threading.Lock()
        self.SessionOptions = onnxruntime.SessionOptions
        self.__version__ = "played"

    def get_available_providers(self) -> list[str]:
        return [self.provider, "CPUExecutionProvider"]

    def set_default_logger_severity(self, level: int) -> None:
        pass

    def InferenceSession(self, path: str, options: Any, **given: Any) -> Any:
        (provider,) = given["providers"]
        self.opened.append((provider, given["provider_options"][0]))
        session = self.real.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        return session if provider == "CPUExecutionProvider" or not self.loads() else OnCard(self, session)


class OnCard:
    def __init__(self, card: Card, session: Any) -> None:
        self.card, self.session = card, session

    def __getattr__(self, name: str) -> Any:
        return getattr(self.session, name)

    def get_providers(self) -> list[str]:
        return [self.card.provider, "CPUExecutionProvider"]

    def run(self, names: list[str], arrays: dict[str, Any]) -> Any:
        assert self.card.busy.acquire(blocking=False), "two runs at a time"
        try:
            self.card.runs()
            self.card.rows.append(len(next(iter(arrays.values()))))
            return self.session.run(names, arrays)
        finally:
            self.card.busy.release()


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """A process that has not tried anything, of a user who has measured nothing."""
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(devices, "_lost", set())
    monkeypatch.setattr(devices, "_untold", [])
    caches = (inference.available, inference.machine, net_speeds.kept)
    forget = (*(cache.cache_clear for cache in caches), inference.placed.clear)
    for one in forget:
        one()
    yield
    for one in forget:
        one()


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Card]:
    def played(
        device: str = "cuda", loads: Callable[[], bool] = lambda: True, runs: Callable[[], None] = lambda: None
    ) -> Card:
        made = Card(DEVICES[device].provider, loads, runs)
        monkeypatch.setattr(inference, "onnxruntime", lambda: made)
        inference.available.cache_clear()
        inference.machine.cache_clear()
        return made

    return played


def net(name: str, device: str, **more: Any) -> Session:
    return Session(weights.path(name), 1, device=device, **more)


def fail() -> None:
    raise RuntimeError("out of memory on the card")


def test_the_processor_computes_where_nothing_else_is_there() -> None:
    session = net("blendshapes", "auto")
    assert session.run({"points": POINTS})["scores"].shape == (3, 52)
    assert (session.place, devices.untold()) == ("cpu", [])


@pytest.mark.parametrize(
    ("asked", "name", "here", "wanted"),
    [
        ("cpu", "segment", [CUDA], None),
        ("auto", "segment", [], None),
        ("auto", "segment", [CUDA, OPENVINO], CUDA),
        ("auto", "blendshapes", [CUDA], None),  # it is done before the card has its input
        ("auto", "segment", [OPENVINO], None),  # whether that is faster is not known before it was measured
        ("auto", "segment", [COREML], None),
        ("cuda", "blendshapes", [CUDA], CUDA),
        ("coreml", "segment", [COREML], COREML),
    ],
)
def test_what_is_chosen_before_anything_was_measured(asked: str, name: str, here: list[Any], wanted: Any) -> None:
    assert choose(asked, weights.path(name), here, {}) is wanted


def test_small_nets_are_nets() -> None:
    assert set(weights.WEIGHTS) >= SMALL


@pytest.mark.parametrize(("card_takes", "wanted"), [(1.0, OPENVINO), (9.0, None), (20.0, None)])
def test_a_measurement_decides_if_it_is_clear(card_takes: float, wanted: Any) -> None:
    file = weights.path("segment")
    speed = NetSpeed(file.stat().st_size, {"cpu": 10.0, "openvino": card_takes})
    assert choose("auto", file, [OPENVINO], {"segment": speed}) is wanted
    other = NetSpeed(speed.bytes + 1, speed.milliseconds)
    assert choose("auto", file, [OPENVINO], {"segment": other}) is None  # of a net that was another one


def test_what_was_measured_is_kept_for_this_machine_and_runtime_alone() -> None:
    speeds = {"segment": NetSpeed(7, {"cpu": 10.0, "cuda": 2.5})}
    assert net_speeds.kept("this") == {}
    net_speeds.keep("this", speeds)
    assert net_speeds.kept("this") == speeds
    assert net_speeds.kept("another") == {}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"machine": "this"}', '{"machine": "this", "nets": [1]}'])
def test_figures_that_are_damaged_are_none(text: str) -> None:
    net_speeds.keep("this", {})
    (weights.home() / "devices.json").write_text(text)
    net_speeds.kept.cache_clear()
    assert net_speeds.kept("this") == {}


def test_quantised_nets_stay_on_the_processor(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    node = onnx.helper.make_node("DynamicQuantizeLinear", ["x"], ["y", "scale", "zero"])
    given = onnx.helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [None, 3])
    made = onnx.helper.make_tensor_value_info("y", onnx.TensorProto.UINT8, [None, 3])
    onnx.save(onnx.helper.make_model(onnx.helper.make_graph([node], "net", [given], [made])), tmp_path / "net.onnx")
    assert choose("cuda", tmp_path / "net.onnx", [CUDA], {}) is None


def test_a_card_gives_what_the_processor_gives(card: Callable[..., Card]) -> None:
    expected = net("blendshapes", "cpu").run({"points": POINTS})["scores"]
    played = card()
    session = net("blendshapes", "cuda", split=True)
    assert np.array_equal(session.run({"points": POINTS})["scores"], expected)
    assert (session.place, played.rows) == ("cuda", [3])  # all rows in one run
    assert played.opened[0][1]["use_tf32"] == "0"
    again = pickle.loads(pickle.dumps(session))
    assert (again.device, again.split) == ("cuda", True)
    model = UsedModel("blendshapes", "Apache-2.0", True)
    assert [m.device for m in on_devices((model, UsedModel("head", "CC0-1.0", True)), "cuda")] == ["cuda", None]


def test_a_device_gets_one_run_at_a_time(card: Callable[..., Card]) -> None:
    played = card()
    sessions = [net("face_doubts", "cuda"), net("blendshapes", "cuda")]
    early, late = np.zeros((2, 32, 32, 32)), np.zeros((2, 128, 8, 8))
    inputs = [{"early": early, "late": late}, {"points": POINTS}]
    threads = [
        threading.Thread(target=lambda k=k: [sessions[k].run(inputs[k]) for _ in range(5)]) for k in (0, 1, 0, 1)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(played.rows) == 20


def test_rows_go_one_by_one_where_a_net_is_compiled_for_one_size(card: Callable[..., Card]) -> None:
    expected = net("blendshapes", "cpu").run({"points": POINTS[:1]})["scores"]
    played = card("coreml")
    session = net("blendshapes", "coreml", split=True)
    scores = session.run({"points": POINTS})["scores"]
    assert played.rows == [1, 1, 1]
    assert np.allclose(scores[:1], expected, atol=1e-5)
    varying = net("centerface", "coreml")
    varying.load()
    assert (varying.place, devices.untold()) == ("cpu", [])


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_a_card_that_does_not_load_is_told_of_once_and_not_tried_again(
    card: Callable[..., Card], asked: str, caplog: pytest.LogCaptureFixture
) -> None:
    played = card(loads=lambda: False)
    caplog.set_level(logging.WARNING, "tronie")
    for name in ("segment", "face_shape"):
        session = net(name, asked)
        session.load()
        assert session.place == "cpu"
    assert [provider for provider, _ in played.opened].count(CUDA.provider) == len(CUDA.options(1))
    (text,) = devices.untold()
    assert text.startswith("cuda cannot be used as it should (its libraries or drivers do not load)")
    assert devices.untold() == []
    assert len(caplog.records) == 1


def test_a_card_that_fails_at_its_work_loses_the_net(card: Callable[..., Card]) -> None:
    expected = net("blendshapes", "cpu").run({"points": POINTS})["scores"]
    played = card(runs=fail)
    session = net("blendshapes", "cuda")
    assert np.array_equal(session.run({"points": POINTS})["scores"], expected)
    assert np.array_equal(session.run({"points": POINTS})["scores"], expected)
    assert session.place == "cpu"
    assert played.rows == []
    assert ["out of memory on the card" in text for text in devices.untold()] == [True]
    other = net("face_doubts", "cuda")  # it may be small enough
    other.load()
    assert other.place == "cuda"


def test_a_mistake_of_the_caller_stays_one(card: Callable[..., Card]) -> None:
    card()
    with pytest.raises(Exception, match=r"(?i)invalid|dimension|rank"):
        net("blendshapes", "cuda").run({"points": np.zeros((1, 2, 3, 4))})


def test_what_is_asked_for_and_not_there_is_refused_with_what_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inference, "available", lambda: ())
    with pytest.raises(InputError, match=r"cuda: that takes .*onnxruntime-gpu.*devices\.md"):
        Pipeline(Settings.model_validate({"compute": {"device": "cuda"}}))
    for name in ("auto", "cpu"):
        Pipeline(Settings.model_validate({"compute": {"device": name}}))


def test_pipelines_share_no_nets_across_devices() -> None:
    pipeline = Pipeline()
    net = pipeline.net
    assert pipeline.with_settings(only="mesh").net is net
    assert pipeline.with_settings(compute={"device": "cpu"}).net is not net


def test_another_device_makes_no_other_result() -> None:
    mine, its = Settings(), Settings.model_validate({"compute": {"device": "cpu"}})
    assert fingerprint(mine) == fingerprint(its)
    for moves in (False, True):
        assert scope(mine, moves=moves, no_face=False) == scope(its, moves=moves, no_face=False)


@pytest.mark.parametrize("name", ["blendshapes", "face_doubts", "recognizer", "face_shape", "segment"])
def test_rows_of_a_batch_are_what_they_are_alone(name: str) -> None:
    session = net(name, "cpu")
    rng = np.random.default_rng(1)
    inputs = {key: rng.uniform(0, 1, (2, *shape[1:])) for key, shape in session.shapes.items()}
    alone = [session.run({key: value[k : k + 1] for key, value in inputs.items()}) for k in range(2)]
    for key, together in session.run(inputs).items():
        single = np.concatenate([one[key] for one in alone])
        assert np.abs(together - single).max() <= 1e-5 * max(1, np.abs(single).max()), key


def test_threads_are_for_rows_of_their_own() -> None:
    many = Session(weights.path("segment"), 0, split=True)
    assert (many.sharing, net("segment", "cpu", split=True).sharing) == (os.cpu_count(), 1)


def test_the_doctor_tells_what_nets_take_and_auto_goes_by_it(
    card: Callable[..., Card], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tronie.cli import doctor, nets

    monkeypatch.setattr(nets, "NETS", ("blendshapes", "face_doubts"))
    monkeypatch.setattr(
        nets, "milliseconds", lambda name, place: 1.0 if (name, place) == ("blendshapes", "cuda") else 2.0
    )
    monkeypatch.setattr(doctor, "load_by_core", lambda: 0.0)
    card()
    on_cpu, on_card = doctor._nets()
    assert on_cpu.text == "blendshapes 2.0, face_doubts 2.0 ms a face; --device auto has face_doubts there"
    assert on_card.text == "blendshapes 1.0, face_doubts 2.0 ms a face; --device auto has blendshapes there"
    assert on_card.figures == {"blendshapes": 1.0, "face_doubts": 2.0}
    session = net("blendshapes", "auto")
    session.load()
    assert session.place == "cuda"


@pytest.mark.parametrize(
    ("there", "said"),
    [
        (["onnxruntime"], []),
        (["onnxruntime-gpu"], []),
        (["onnxruntime", "onnxruntime-gpu"], ["pip uninstall -y onnxruntime onnxruntime-gpu"]),
        ([], ["pip install onnxruntime"]),
    ],
)
def test_one_package_of_the_runtime_is_enough_and_two_are_too_many(
    there: list[str], said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from importlib import metadata

    from tronie.cli import doctor

    def version(name: str) -> str:
        if ("opencv-" in name and "headless" not in name) or (name.startswith("onnxruntime") and name not in there):
            raise metadata.PackageNotFoundError(name)
        return "1"

    monkeypatch.setattr(metadata, "version", version)
    hints = [check.hint for check in doctor._packages() if check.state != "good" and check.name != "OpenCV"]
    assert [hint[: hint.find(", then")] if ", then" in hint else hint for hint in hints] == [
        f"What came last counts. Keep one: {one}" if "uninstall" in one else one for one in said
    ]


def test_the_doctor_measures_and_says_what_does_not_load(
    card: Callable[..., Card], monkeypatch: pytest.MonkeyPatch
) -> None:
    from tronie.cli import doctor, nets

    monkeypatch.setattr(nets, "NETS", ("face_doubts",))
    monkeypatch.setattr(doctor, "load_by_core", lambda: 9.0)
    card(loads=lambda: False)
    busy, on_cpu, on_card = doctor._nets()
    assert "not gone by" in busy.text
    assert on_cpu.figures["face_doubts"] > 0
    assert (on_card.state, on_card.text) == ("warn", "no net runs there")
    assert "onnxruntime-gpu" in on_card.hint
    assert not (weights.home() / "devices.json").exists()


def test_faces_that_are_segmented_together_are_as_they_are_alone() -> None:
    rng = np.random.default_rng(2)
    photo = rng.integers(0, 255, (120, 160, 3), dtype=np.uint8)
    faces = [
        Landmarks(rng.uniform(30 + 20 * k, 90 + 20 * k, (478, 3)), np.zeros(52), 1.0, embedding=None) for k in range(3)
    ]
    alone, together = SegmentNet(1), SegmentNet(2)
    assert (alone.together, together.together) == (1, 2)
    for one, other in zip(alone.segment(photo, faces), together.segment(photo, faces), strict=True):
        assert np.array_equal(one.shares, other.shares)


def test_a_photos_faces_are_segmented_in_groups_and_in_their_order(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Groups:
        together = 2

        def segment(self, image: Any, faces: list[Any]) -> list[Any]:
            asked.append(len(faces))
            if asked[-1] == 1:
                raise ValueError("one of them cannot be")
            return [f"of {one}" for one in faces]

    pipeline = Pipeline()
    monkeypatch.setattr(pipeline, "_segmenter", Groups())
    found = Detection((0, 0, 9, 9), np.zeros((5, 2)), 1.0)
    faces = [Face(k, found, landmarks=k if k != 2 else None) for k in range(1, 7)]  # type: ignore[arg-type]
    photo = Photo(np.zeros((9, 9, 3), np.uint8))
    done = list(pipeline._segmented(photo, iter(faces), Job()))
    assert [face.index for face in done] == [1, 2, 3, 4, 5, 6]
    assert asked == [1, 2, 2]
    assert [face.segmentation for face in done] == [None, None, "of 3", "of 4", "of 5", "of 6"]
    assert next(pipeline._segmented(photo, iter(faces[:1]), Job())).segmentation is None
