"""Photos done by actors: none is lost or done twice, whatever becomes of the actors."""

from __future__ import annotations

import importlib.util
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from fake_job import Fake, contents, job, made, manifest
from places import TESTS

from tronie import cli
from tronie.errors import Cancelled, TronieError
from tronie.jobs import ray_connection
from tronie.jobs.cluster import Actor, Common, Refusal, in_actors
from tronie.jobs.ray_connection import card_share
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.child_process import WorkerError
from tronie.runtime.job import Job

needs_ray = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="needs the extra ray")
Photos = Callable[..., Path]


# A stand-in for Ray: actors live in this process, and answer in the order in which they are asked.


class RayError(Exception):
    pass


class FakeRay:
    """Actors whose work is `work`: an exception of it is what becomes of the actor."""

    def __init__(self, work: Callable[[Task], Any], ready: Callable[[], Any] = lambda: None) -> None:
        self.work, self.begin = work, ready
        self.exceptions = SimpleNamespace(RayError=RayError)
        self.open: list[str] = []
        self.most, self.begun, self.killed = 0, 0, 0
        self.drained: list[Any] = []

    def remote(self, kind: type) -> Any:
        return SimpleNamespace(options=lambda **_: SimpleNamespace(remote=self._actor))

    def _actor(self, start: Any, common: Common) -> Any:
        self.begun += 1
        names = {"ready": lambda: self.begin(), "do": self.work, "drain": lambda: None, "end": lambda: None}
        actor = SimpleNamespace()
        for name, function in names.items():
            setattr(actor, name, SimpleNamespace(remote=self._asked(name, function, actor)))
        return actor

    def _asked(self, name: str, function: Any, actor: Any) -> Callable[..., Any]:
        def ask(*arguments: Any) -> Any:
            if name == "do":
                self.open.append(arguments[0].source)
                self.most = max(self.most, len(self.open))
            if name == "drain":
                self.drained.append(actor)
            return Ref(name, lambda: function(*arguments))

        return ask

    def wait(self, refs: list[Any], num_returns: int = 1, timeout: float | None = None) -> tuple[list[Any], list[Any]]:
        return refs[:num_returns], refs[num_returns:]

    def get(self, ref: Any) -> Any:
        if ref.name == "do":
            self.open.pop(0)
        return ref.answer()

    def kill(self, actor: Any) -> None:
        self.killed += 1


class Ref:
    def __init__(self, name: str, answer: Callable[[], Any]) -> None:
        self.name, self.answer = name, answer


def tasks(out: Path, count: int) -> list[Task]:
    return [Task(f"{k}.jpg", out, str(k)) for k in range(count)]


def fine(task: Task) -> Outcome:
    return Outcome(task.source, task.folder, "ok")


def done(ray: FakeRay, given: list[Task], out: Path, workers: int = 3, job: Job | None = None) -> list[Outcome]:
    return list(in_actors(ray, given, Fake(), str(out / "sign"), workers=workers, job=job or Job()))


def test_every_photo_is_done_once_and_few_are_under_way(tmp_path: Path) -> None:
    drawn: list[str] = []

    def lazily() -> Iterator[Task]:
        for task in tasks(tmp_path, 50):
            drawn.append(task.source)
            assert len(drawn) - len(outcomes) <= 4  # three in hand and the one that is given
            yield task

    outcomes: list[Outcome] = []
    ray = FakeRay(fine)
    outcomes.extend(in_actors(ray, lazily(), Fake(), str(tmp_path / "sign"), workers=3, job=Job()))
    assert sorted(o.source for o in outcomes) == sorted(f"{k}.jpg" for k in range(50))
    assert ray.most == ray.begun == ray.killed == 3


def test_a_lost_actor_costs_its_photo_a_second_attempt_that_may_overwrite(tmp_path: Path) -> None:
    attempts: list[Task] = []
    (tmp_path / "4").mkdir()

    def work(task: Task) -> Outcome:
        attempts.append(task)
        if task.source in ("2.jpg", "4.jpg") and [a.source for a in attempts].count(task.source) == 1:
            raise RayError("The node died.")
        return fine(task)

    ray = FakeRay(work)
    outcomes = done(ray, tasks(tmp_path, 6), tmp_path)
    assert sorted((o.source, o.status) for o in outcomes) == [(f"{k}.jpg", "ok") for k in range(6)]
    again = {task.source: task.overwrite for task in attempts[::-1] if task.source in ("2.jpg", "4.jpg")}
    assert [a.overwrite for a in attempts if a.source == "2.jpg"] == [False, True]
    assert [a.overwrite for a in attempts if a.source == "4.jpg"] == [False, False]  # somebody else's
    assert len(again) == 2
    assert ray.killed == ray.begun


@pytest.mark.parametrize("workers", [1, 3])
def test_a_photo_that_costs_two_actors_fails_alone(workers: int, tmp_path: Path) -> None:
    def work(task: Task) -> Outcome:
        if task.source in ("1.jpg", "4.jpg"):
            raise RayError("The actor died.\nMore of it")
        return fine(task)

    outcomes = {o.source: o for o in done(FakeRay(work), tasks(tmp_path, 5), tmp_path, workers)}
    assert [outcomes[f"{k}.jpg"].trouble for k in range(5)] == [None, "crashed", None, None, "crashed"]
    assert outcomes["1.jpg"].reason == (
        "Not finished: the machine or the process that did it was lost, twice (The actor died)."
    )


def test_what_concerns_every_photo_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(WorkerError, match="not here"):
        done(FakeRay(fine, lambda: Refusal("It is not here.")), tasks(tmp_path, 5), tmp_path)
    with pytest.raises(WorkerError, match="no net"):
        done(FakeRay(lambda task: Refusal("There is no net.")), tasks(tmp_path, 5), tmp_path)

    def broken() -> None:
        raise RayError("No module named 'tronie'")

    with pytest.raises(WorkerError, match="do not start: No module named 'tronie'"):
        done(FakeRay(fine, broken), tasks(tmp_path, 5), tmp_path)


def test_draining_finishes_what_is_in_hand_and_cancelling_does_not(tmp_path: Path) -> None:
    drain = Job()
    ray, outcomes = FakeRay(fine), []
    for outcome in in_actors(ray, tasks(tmp_path, 20), Fake(), str(tmp_path / "sign"), workers=3, job=drain):
        outcomes.append(outcome)
        if len(outcomes) == 4:
            drain.drain()
    assert 4 <= len(outcomes) <= 7
    assert ray.open == []
    assert ray.drained
    cancel = Job()
    ray = FakeRay(fine)
    answers = in_actors(ray, tasks(tmp_path, 20), Fake(), str(tmp_path / "sign"), workers=3, job=cancel)
    assert next(answers).status == "ok"
    cancel.cancel()
    with pytest.raises(Cancelled):
        list(answers)
    assert ray.killed == ray.begun == 3
    cancel.drain()
    assert done(FakeRay(fine), tasks(tmp_path, 2), tmp_path, job=cancel) == []


# What an actor does, without Ray


def test_an_actor_survives_what_its_process_does_not(photos: Photos, tmp_path: Path) -> None:
    folder, out = photos("a.jpg", "kill.jpg", "b.jpg"), tmp_path / "out"
    out.mkdir()
    actor = Actor(Fake(), Common(os.getcwd(), str(out), str(folder / "a.jpg")))
    assert actor.ready() is None
    try:
        outcomes = [actor.do(Task(str(folder / f"{name}.jpg"), out, name)) for name in ("a", "kill", "b")]
    finally:
        actor.end()
    assert [o.status for o in outcomes if isinstance(o, Outcome)] == ["ok", "error", "ok"]
    assert isinstance(outcomes[1], Outcome)
    assert outcomes[1].trouble == "crashed"
    assert sorted(os.listdir(out)) == ["a", "b"]
    assert actor.do(Task(str(folder / "a.jpg"), out, "c")) is None  # it has ended


def test_an_actor_says_what_its_machine_lacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # it goes there by itself too
    there, gone = str(tmp_path), str(tmp_path / "gone")
    for common, word in (
        (Common(gone, "sign", there), "share"),
        (Common(there, gone, there), there),
        (Common(there, there, gone), gone),
        (Common(there, there, there, "0.0.1"), "0.0.1"),
    ):
        refusal = Actor(Fake(), common).ready()
        assert refusal is not None
        assert word in refusal.reason
        assert refusal.reason.startswith("The cluster's machine ")
    assert Actor(Fake(), Common(gone, there, there)).ready() is None


# The command


def test_without_ray_a_sentence_says_what_to_install(
    photos: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(ray_connection.importlib.util, "find_spec", lambda name: None)
    out = tmp_path / "out"
    assert cli.execute(["run", str(photos("a.jpg")), "-o", str(out), "--cluster", "local"]) != 0
    assert "tronie[ray]" in capsys.readouterr().err
    assert not out.exists()
    assert cli.execute(["run", "--camera", "0", "-o", str(out), "--cluster", "local"]) == 2


def test_an_address_where_nobody_is_is_one_sentence(
    photos: Photos, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def init(**_: object) -> None:
        raise ConnectionError("nobody answers")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init))  # type: ignore[arg-type]
    monkeypatch.setattr(ray_connection.importlib.util, "find_spec", lambda name: True)
    with pytest.raises(TronieError, match=r"no Ray cluster to work on at 127\.0\.0\.1:9"):
        job(photos("a.jpg"), out=tmp_path / "out", cluster="127.0.0.1:9")
    assert list(manifest(tmp_path / "out")) == ["a.jpg"]  # to go on with


def test_nobody_is_waited_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray_connection, "CONNECTING", 0.2)
    waiting = threading.Event()
    fake = SimpleNamespace(init=lambda **_: waiting.wait(20))
    monkeypatch.setitem(sys.modules, "ray", fake)  # type: ignore[arg-type]
    monkeypatch.setattr(ray_connection.importlib.util, "find_spec", lambda name: True)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with (
            pytest.raises(TronieError, match=r"did not answer within 0.2 s"),
            ray_connection.connected(f"127.0.0.1:{port}"),
        ):
            pass
    with pytest.raises(TronieError, match="no Ray cluster to work on"), ray_connection.connected(f"127.0.0.1:{port}"):
        pass
    waiting.set()


def test_graphics_cards_are_shared_by_the_cores_beside_them() -> None:
    def nodes(*machines: tuple[int, int]) -> list[dict[str, Any]]:
        return [{"Alive": True, "Resources": {"CPU": float(c), "GPU": float(g)}} for c, g in machines]

    assert card_share(nodes((8, 1), (16, 4)), "auto") == 0.125
    assert card_share(nodes((2, 4)), "cuda") == 1.0
    assert card_share(nodes((8, 1), (8, 0)), "auto") == 0.0  # those without one work too
    assert card_share(nodes((8, 1), (8, 0)), "cuda") == 0.125
    assert card_share(nodes((8, 1), (0, 0)), "auto") == 0.125  # a head that does not work
    assert card_share(nodes((8, 1)), "cpu") == card_share(nodes((8, 0)), "cuda") == 0.0
    for cores, cards in ((3, 1), (7, 2), (48, 8)):
        assert card_share(nodes((cores, cards)), "auto") * cores <= cards


# With Ray


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ray's workers find modules as a new process does; on a busy machine they take their time."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(TESTS), *sys.path]))
    monkeypatch.setenv("RAY_raylet_start_wait_time_s", "120")
    monkeypatch.setenv("RAY_worker_niceness", "0")
    monkeypatch.setenv("RAY_health_check_timeout_ms", "60000")
    monkeypatch.setenv("RAY_health_check_failure_threshold", "20")


@pytest.mark.slow
@needs_ray
@pytest.mark.usefixtures("importable")
def test_a_local_cluster_leaves_what_one_process_leaves(photos: Photos, tmp_path: Path) -> None:
    names = ("a.jpg", "bad.jpg", "bug.jpg", "c.jpg", "empty.jpg", "half.jpg", "kill.jpg")
    folder, one, many = photos(*names), tmp_path / "one", tmp_path / "many"
    job(folder, out=one, workers=2)
    assert job(folder, out=many, cluster="local", workers=2) == 0
    found, expected = contents(many), contents(one)
    assert {k: v for k, v in found.items() if "manifest" not in k} == {
        k: v for k, v in expected.items() if "manifest" not in k
    }
    status = {name: record["status"] for name, record in manifest(one).items()}
    assert {name: record["status"] for name, record in manifest(many).items()} == status
    before = made(many)
    (folder / "kill.jpg").rename(folder / "d.jpg")
    assert job(folder, out=many, cluster="local", workers=2) == 0
    assert {name: when for name, when in made(many).items() if name in before} == before


@pytest.mark.slow
@needs_ray
@pytest.mark.usefixtures("importable")
@pytest.mark.skipif(os.name == "nt", reason="Ray's cluster of several nodes")
def test_a_lost_node_costs_nothing_that_is_done(photos: Photos, tmp_path: Path) -> None:
    from ray.cluster_utils import Cluster

    folder, out = photos(*(f"slow-{k:02}.jpg" for k in range(40))), tmp_path / "out"
    nodes = Cluster(initialize_head=True, head_node_args={"num_cpus": 0})
    try:
        first, _ = nodes.add_node(num_cpus=1), nodes.add_node(num_cpus=1)
        code = (
            "import sys; from fake_job import job; from pathlib import Path;"
            "sys.exit(job(sys.argv[1], out=Path(sys.argv[2]), cluster=sys.argv[3]))"
        )
        process = subprocess.Popen([sys.executable, "-c", code, str(folder), str(out), nodes.address])
        while len(list(out.glob("slow-*"))) < 5 and process.poll() is None:
            time.sleep(0.05)
        nodes.remove_node(first, allow_graceful=False)
        assert process.wait(120) == 0
    finally:
        nodes.shutdown()
    assert {record["status"] for record in manifest(out).values()} == {"ok"}
    assert len(manifest(out)) == len(made(out)) == 40


@pytest.mark.slow
@needs_ray
@pytest.mark.usefixtures("importable")
@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_run_on_a_cluster(number: int, photos: Photos, tmp_path: Path) -> None:
    folder, out = photos(*(f"slow-{k:02}.jpg" for k in range(200))), tmp_path / "out"
    code = (
        "import sys; from fake_job import job; from pathlib import Path;"
        "sys.exit(job(sys.argv[1], out=Path(sys.argv[2]), cluster='local', workers=2))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(folder), str(out)],
        start_new_session=True,
        stderr=subprocess.PIPE,
        text=True,
    )
    while len(list(out.glob("slow-*"))) < 5 and process.poll() is None:
        time.sleep(0.05)
    os.killpg(process.pid, number)
    said = process.communicate(timeout=60)[1]
    assert process.returncode == 128 + number, said
    counts = [record["status"] for record in manifest(out).values()]
    assert counts.count("error") == 0
    assert 5 <= counts.count("ok") == len(made(out)) < 200
    assert "Stopped with" in said
