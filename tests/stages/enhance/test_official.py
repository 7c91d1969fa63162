"""From a published checkpoint to an enhancer: the ONNX file answers as PyTorch does; others are refused."""

from __future__ import annotations

import json
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import vectors

from tronie import cli
from tronie.errors import OutputError, WeightsError
from tronie.importers import sparnet_architecture as sparnet
from tronie.importers.sparnet import import_sparnet
from tronie.importers.sparnet_architecture import ARCHITECTURES, Architecture, find_state, recognise, shapes
from tronie.runtime.inference import Session
from tronie.runtime.model_store import imported
from tronie.stages.enhance import make_enhancer
from tronie.stages.enhance.published import imported_names

SMALL = Architecture(side=64, coarsest=16, narrowest=8, widest=24, depth=1)


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Numbers of a small net that passes for the published one of 128 pixels."""
    monkeypatch.setitem(sparnet.ARCHITECTURES, "sparnet-16", SMALL)
    return vectors.filled(shapes(SMALL))


def _save(file: Path, content: Any, modern: bool = True) -> Path:
    torch = pytest.importorskip("torch")

    def tensors(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tensors(inner) for key, inner in value.items()}
        return torch.tensor(value) if isinstance(value, np.ndarray) else value

    torch.save(tensors(content), file, _use_new_zipfile_serialization=modern)
    return file


def _compare(plan: Architecture, folder: Path) -> float:
    """Relative L2 between the ONNX file (0..1) and PyTorch's net (-1..1), two pictures in one call."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("onnx")
    from training.superres.sparnet import SPARNet
    from tronie.importers.sparnet_onnx import onnx_bytes

    numbers = vectors.filled(shapes(plan))
    (folder / "net.onnx").write_bytes(onnx_bytes(numbers, plan))
    one = vectors.picture(plan.side)
    both = np.concatenate([one, one[:, ::-1, ::-1] * 0.7])
    mine = Session(folder / "net.onnx", 1).run({"image": (both + 1) / 2})["restored"]
    net = SPARNet(plan).eval()
    net.load_state_dict({name: torch.tensor(value) for name, value in numbers.items()})
    with torch.no_grad():
        theirs = net(torch.tensor(both)).numpy()
    assert mine.shape == both.shape
    return vectors.distance(mine * 2 - 1, theirs)


@pytest.mark.parametrize(
    "plan",
    [
        SMALL,
        replace(SMALL, each_channel=True),
        replace(SMALL, instance_norm=True, spectral=True),
        replace(SMALL, coarsest=8, instance_norm=True, spectral=True, each_channel=True),
        ARCHITECTURES["sparnet-16"],
        ARCHITECTURES["sparnet-light"],
        pytest.param(replace(ARCHITECTURES["sparnet-hd"], side=128, coarsest=8), marks=pytest.mark.slow),
    ],
    ids=["batch", "3d", "spectral", "spectral 3d", "sparnet-16", "sparnet-light", "sparnet-hd at 128"],
)
def test_the_onnx_file_answers_as_pytorch(plan: Architecture, tmp_path: Path) -> None:
    # Asked for: 1e-4. Measured: 1e-6 and less for the small ones, 4e-6 for the large net.
    assert _compare(plan, tmp_path) < 2e-5


def test_instance_norm_of_half_black_pictures(tmp_path: Path) -> None:
    """Long sums of one number after the other: 5e-5 off where they are added up without care."""
    pytest.importorskip("onnx")
    from tronie.importers.sparnet_onnx import _Graph

    rng = np.random.default_rng(0)
    state = {"n.weight": rng.normal(1, 0.2, 8).astype(np.float32), "n.bias": rng.normal(0, 0.2, 8).astype(np.float32)}
    graph = _Graph(state, ARCHITECTURES["sparnet-hd"])
    graph.node("Identity", [graph.norm("n", "image")], "restored")
    (tmp_path / "norm.onnx").write_bytes(graph.finished(("image", (8, 512, 512)), ("restored", (8, 512, 512))))
    x = rng.normal(0, 0.2, (1, 8, 512, 512)).astype(np.float32)
    x[..., 200:] = rng.uniform(0.5, 1.5, (8, 1, 1))
    mine = Session(tmp_path / "norm.onnx", 1).run({"image": x})["restored"]
    exact = x.astype(np.float64)
    exact = (exact - exact.mean((2, 3), keepdims=True)) / np.sqrt(exact.var((2, 3), keepdims=True) + 1e-5)
    exact = exact * state["n.weight"][:, None, None] + state["n.bias"][:, None, None]
    assert vectors.distance(mine, exact) < 2e-6


@pytest.mark.slow
def test_the_large_net_at_full_size(tmp_path: Path) -> None:
    assert _compare(ARCHITECTURES["sparnet-hd"], tmp_path) < 1e-4


@pytest.mark.skipif(not vectors.there(), reason="needs the recorded answers in ../shared/vectors")
@pytest.mark.parametrize("name", ["sparnet-16", "sparnet-light"])
def test_an_imported_net_answers_as_recorded(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    record = import_sparnet(_save(tmp_path / "net.pth", vectors.filled(shapes(ARCHITECTURES[name])), modern=False))
    assert record.name == name
    out = Session(record.path, 1).run({"image": (vectors.picture(128) + 1) / 2})["restored"] * 2 - 1
    assert vectors.distance(out[:, :, ::4, ::4], vectors.answers(name)["output_strided4"]) < 1e-5


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_published_net_that_is_not_here_says_how_to_get_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(WeightsError) as info:
        make_enhancer(name)
    for part in (name, "SPARNet", "github.com/chaofengc/Face-SPARNet", "CC BY-NC-SA", "models import sparnet FILE"):
        assert part in str(info.value)
    assert cli.execute(["run", str(tmp_path), str(tmp_path / "out"), "--enhance", name]) == 2
    assert "models import sparnet FILE" in " ".join(capsys.readouterr().err.replace("│", " ").split())
    with pytest.raises(WeightsError, match="no enhancer called nobody"):
        make_enhancer("nobody")


def test_imported_and_used(small: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    assert imported_names() == ()
    file = _save(tmp_path / "net.pth", small)
    record = import_sparnet(file)
    assert imported_names() == ("sparnet-16",)
    assert imported() == {"sparnet-16": record}
    assert record.path.is_file()
    assert (record.side, record.kind, record.commercial_use, record.source) == (64, "sparnet", False, "net.pth")
    assert record.licence.startswith("CC BY-NC-SA 4.0")
    assert json.loads(record.record.read_text())["source_sha256"] == record.source_sha256

    enhancer = make_enhancer("sparnet-16", 1)
    assert (enhancer.name, enhancer.side) == ("sparnet-16", 64)
    faces = np.random.default_rng(0).integers(0, 256, (3, 64, 64, 3), dtype=np.uint8)
    restored = enhancer.restore(faces).faithful
    assert restored.dtype == np.uint8
    assert restored.shape == faces.shape
    np.testing.assert_array_equal(enhancer.restore(faces[1:2])[0], restored[1])
    assert pickle.loads(pickle.dumps(enhancer)).restore(faces[:1]).shape == (1, 64, 64, 3)

    with pytest.raises(OutputError, match="--overwrite"):
        import_sparnet(file)
    import_sparnet(file, overwrite=True)
    assert sorted(p.name for p in record.path.parent.iterdir()) == ["sparnet-16.json", "sparnet-16.onnx"]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_published_net_is_recognised(name: str) -> None:
    numbers = {key: np.broadcast_to(np.float32(1), shape) for key, shape in shapes(ARCHITECTURES[name]).items()}
    assert recognise(numbers) == name
    assert recognise({k: v for k, v in numbers.items() if not k.endswith("num_batches_tracked")}) == name
    numbers.pop("encoder.1.conv1.norm.norm.bias")
    with pytest.raises(ValueError, match="none of"):
        recognise(numbers)


def test_numbers_are_found_inside_other_dicts() -> None:
    numbers = {"encoder.0.conv2d.bias": np.zeros(3), "out_conv.conv2d.bias": np.ones(3)}
    named = {"module." + key: value for key, value in numbers.items()}
    assert find_state(named).keys() == numbers.keys()
    assert find_state({"epoch": 3, "optimizer": {"state": {}}, "net": {"state_dict": named}}).keys() == numbers.keys()
    assert find_state({"encoder.0.conv2d.bias": "text"}) == {}
    assert find_state([numbers]) == {}
    assert find_state({1: {"a": 2}}) == {}


def test_wrapped_checkpoints_are_imported(small: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    wrapped = {"epoch": 20, "state_dict": {"module." + key: value for key, value in small.items()}}
    assert import_sparnet(_save(tmp_path / "net.pth", wrapped)).name == "sparnet-16"


@pytest.mark.parametrize("change", ["nan", "variance", "missing", "more", "shape", "integers", "other"])
def test_others_are_refused(change: str, small: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    name = "encoder.1.conv1.norm.norm.running_var"
    if change == "nan":
        small["out_conv.conv2d.weight"][0, 0, 0, 0] = np.nan
    elif change == "variance":
        small[name] = -small[name]
    elif change == "missing":
        del small[name]
    elif change == "more":
        small["res_layers.9.conv1.conv2d.weight"] = small["encoder.1.conv1.conv2d.weight"]
    elif change == "shape":
        small[name] = small[name][:-1]
    elif change == "integers":
        small[name] = small[name].astype(np.int64)
    file = _save(tmp_path / "net.pth", {"w": np.ones(3)} if change == "other" else small)
    with pytest.raises(WeightsError, match=r"^Cannot import .*net.pth: .*\.$"):
        import_sparnet(file)
    assert imported() == {}


def test_spectral_norm_of_zero_is_refused(tmp_path: Path) -> None:
    plan = replace(SMALL, spectral=True)
    numbers = vectors.filled(shapes(plan))
    numbers["out_conv.conv2d.weight_u"] *= 0
    with pytest.raises(ValueError, match="damaged"):
        sparnet.kernel(numbers, "out_conv")


def test_a_store_with_rubbish_in_it(small: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    record = import_sparnet(_save(tmp_path / "net.pth", small))
    store = record.path.parent
    for name, text in {"a": "", "b": "[]", "c": "{}", "d": '{"name": "../d"}', "e": record.record.read_text()}.items():
        (store / f"{name}.json").write_text(text)
    assert imported_names() == ("sparnet-16",)
    record.path.write_bytes(b"cut")
    assert imported_names() == ()
    with pytest.raises(WeightsError, match="tronie models import"):
        make_enhancer("sparnet-16")


def test_without_onnx_a_sentence_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(WeightsError, match=r"tronie\[models\]"):
        import_sparnet(tmp_path / "net.pth")


def test_the_commands(small: dict[str, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnx")
    file = str(_save(tmp_path / "net.pth", small))
    assert cli.execute(["models", "import", "sparnet", file]) == 0
    said = capsys.readouterr().out
    assert "CC BY-NC-SA 4.0" in said
    assert "no commercial use" in said
    assert "--enhance sparnet-16" in said
    assert cli.execute(["models", "import", "sparnet", file]) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert cli.execute(["models", "import", "sparnet", file, "--overwrite"]) == 0
    capsys.readouterr()
    assert cli.execute(["models"]) == 0
    line = next(line for line in capsys.readouterr().out.splitlines() if line.startswith("sparnet-16"))
    assert "CC BY-NC-SA 4.0" in line
    assert "not allowed" in line
    assert cli.execute(["models", "--json"]) == 0
    row = next(row for row in json.loads(capsys.readouterr().out) if row["name"] == "sparnet-16")
    assert (row["name"], row["commercial_use"], row["installed"]) == ("sparnet-16", False, True)
    for arguments in (["sparnet", str(tmp_path / "none.pth")], ["nothing", file]):
        assert cli.execute(["models", "import", *arguments]) == 1
        said = capsys.readouterr().err
        assert said.startswith("tronie: ")
        assert said.count("\n") == 1
