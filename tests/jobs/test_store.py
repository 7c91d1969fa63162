"""Photos and outputs in a store: what a run leaves there is what it leaves in a folder, whatever is met on the way."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from fake_job import Fake, contents, job, timeless

from tronie import cli
from tronie.cli.run import How, run_photos
from tronie.errors import InputError, OutputError
from tronie.io.inputs import list_inputs
from tronie.io.store import Store, asked
from tronie.jobs import bucket
from tronie.jobs.away import Away
from tronie.jobs.bucket import Bucket, place
from tronie.jobs.shards import Shard
from tronie.pipelines.outcome import Task
from tronie.runtime.job import Job
from tronie.settings import Settings

memory = pytest.importorskip("fsspec.implementations.memory", reason="needs fsspec")
Photos = Callable[..., Path]
NAMES = ("a.jpg", "bad.jpg", "bug.jpg", "c.jpg", "empty.jpg", "half.jpg", "A.jpg", "sub/a.jpg")


@pytest.fixture
def fs(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    found = memory.MemoryFileSystem()
    found.store.clear()
    found.pseudo_dirs[:] = [""]
    monkeypatch.setattr(bucket, "BEAT", 0.05)
    monkeypatch.setattr(bucket, "SETTLING", 0.0)
    yield found
    found.store.clear()


def put(fs: Any, *names: str, top: str = "/photos") -> str:
    for name in names:
        fs.pipe_file(f"{top}/{name}", b"x" + name.encode())
    return f"memory:/{top}"


def kept(fs: Any, top: str = "/out") -> dict[str, Any]:
    """Everything below a place, without what runs put beside it."""
    found = {}
    for path in sorted(fs.find(top)):
        name, data = path.removeprefix(f"{top}/"), fs.cat_file(path)
        if not name.startswith(".tronie/"):
            found[name] = timeless(json.loads(data)) if name.endswith(".json") else data
    return found


def run(*photos: str, out: str = "memory://out", **how: Any) -> int:
    return run_photos(list(photos), out, Settings(), How(start=Fake(), **{"workers": 1, **how}))


def statuses(fs: Any) -> dict[str, str]:
    records = json.loads(fs.cat_file("/out/manifest.json"))["inputs"]
    return {record["source"].removeprefix("memory:///photos/"): record["status"] for record in records}


def test_a_store_gets_what_a_folder_gets(fs: Any, photos: Photos, tmp_path: Path) -> None:
    local = photos(*(name for name in NAMES if "/" not in name))
    job(local, out=tmp_path / "out")
    there = put(fs, *(name for name in NAMES if "/" not in name))
    assert run(there) == 0
    found, expected = kept(fs), contents(tmp_path / "out")
    files = {name: data for name, data in expected.items() if data is not None and name != "manifest.json"}
    assert set(found) == {*files, "manifest.json"}
    for name, data in files.items():
        if isinstance(data, dict):
            data["photo"]["source"] = f"memory:///photos/{data['photo']['name']}.jpg".replace("-2", "")
        assert found[name] == data, name
    mine, theirs = found["manifest.json"]["inputs"], expected["manifest.json"]["inputs"]
    for one, other in zip(mine, theirs, strict=True):
        for field in ("name", "status", "trouble", "faces", "warnings", "size", "settings", "depends"):
            assert one[field] == other[field], (one["name"], field)
    assert "tronie-" not in json.dumps(found["manifest.json"])  # of a temporary folder
    assert not fs.find("/out/.tronie")


def test_photos_of_a_store_go_to_a_folder_and_the_other_way(fs: Any, photos: Photos, tmp_path: Path) -> None:
    assert run(put(fs, "a.jpg", "b.jpg"), out=str(tmp_path / "out")) == 0
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["a", "b", "manifest.json"]
    assert run(str(photos("c.jpg"))) == 0
    assert sorted(statuses(fs).values()) == ["ok"]
    assert "c/face-1/face.json" in kept(fs)


def test_a_rerun_does_what_is_new_or_changed_and_nothing_else(fs: Any, capsys: pytest.CaptureFixture[str]) -> None:
    there = put(fs, "a.jpg", "b.jpg")
    assert run(there) == 0
    before = fs.info("/out/a/face-1/face.json")["created"]
    put(fs, "c.jpg")
    time.sleep(0.01)
    fs.pipe_file("/photos/b.jpg", b"another one")
    assert run(there, dry=True) == 0
    assert "1 photo to do, 1 done before, 1 not touched" in capsys.readouterr().out
    assert run(there) == 0
    assert "from another version of this photo" in capsys.readouterr().err
    assert run(there, update=True) == 0
    assert fs.info("/out/a/face-1/face.json")["created"] == before
    assert run(there, overwrite=True) == 0
    assert fs.info("/out/a/face-1/face.json")["created"] > before
    assert set(statuses(fs).values()) == {"ok"}


def test_what_is_below_is_asked_for(fs: Any) -> None:
    there = put(fs, *NAMES, "notes.txt", ".hidden.jpg", "sub/deep/d.jpg", "x[1].jpg")
    put(fs, "old.jpg", top="/photos/out")

    def found(address: str, **how: Any) -> list[str]:
        listing = list_inputs([address], {".jpg"}, exclude="memory:///photos/out", **how)
        assert set(listing.versions) == set(listing.files)
        assert not listing.problems
        return [path.removeprefix("memory:///photos/") for path in listing.files]

    flat = sorted([*(name for name in NAMES if "/" not in name), "x[1].jpg"])
    assert found(there) == flat
    assert found(there, recursive=True) == sorted([*flat, "sub/a.jpg", "sub/deep/d.jpg"])
    assert found(f"{there}/sub") == ["sub/a.jpg"]
    assert found(f"{there}/x[1].jpg") == ["x[1].jpg"]
    assert found(f"{there}/?.jpg") == ["A.jpg", "a.jpg", "c.jpg"]
    assert found(f"{there}/**/?.jpg") == ["A.jpg", "a.jpg", "c.jpg", "sub/a.jpg", "sub/deep/d.jpg"]
    listing = list_inputs([f"{there}/none", f"{there}/q*.jpg", f"{there}/sub/deep", "nosuch://x/y"], {".png"})
    assert [problem.reason for problem in listing.problems] == [
        "Cannot reach memory:///photos/none: there is no such bucket or object",
        "no photo matches",
        "no photo in this folder (--recursive looks into its folders too)",
        "nosuch://x/y is no address of a store that is known",
    ]


HOSTILE = ("../../up.jpg", "..jpg", "a\x01\x1b[31m.jpg", "con.jpg", "\u202egpj.jpg", "l" * 300 + ".jpg", "a b?#%20.jpg")


def test_names_of_others_stay_names(fs: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    for name in HOSTILE:
        fs.store[f"/photos/{name}"] = memory.MemoryFile(fs, f"/photos/{name}", b"x")
    paths = [f"memory:///photos/{name}" for name in HOSTILE]
    seen: list[str] = []

    class Looking:
        def __call__(self, job: Job) -> Callable[[Task], Any]:
            work = Fake()(job)

            def do(task: Task) -> Any:
                seen.append(task.local)
                assert Path(task.local).resolve().is_relative_to((tmp_path / "tmp").resolve())
                assert Path(task.local).is_file()
                return work(task)

            return do

    run_photos(paths, "memory://out", Settings(), How(start=Looking(), workers=1))
    assert len(seen) >= len(HOSTILE) - 1
    assert {path.name for path in tmp_path.iterdir()} == {"tmp"}
    assert not list((tmp_path / "tmp").iterdir())
    assert all(path.startswith(("/out/", "/photos/")) for path in fs.store)
    assert not [path for path in fs.store if path.startswith("/out/") and ".." in path]


def test_half_a_result_is_done_again_and_one_of_others_is_not(fs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(fs, "a.jpg", "b.jpg")
    put(fs, "notes.txt", top="/out/b")
    real, left = Store.put_files, [1]

    def broken(self: Store, files: Any) -> None:
        if any("face.json" in name for name in files) and left:
            left.pop()
            raise InputError("Cannot reach it: nobody answers there.")
        real(self, files)

    monkeypatch.setattr(Store, "put_files", broken)
    run(there)
    assert statuses(fs)["a.jpg"] == "error"
    assert "a/.unfinished" in kept(fs)
    assert "a/face-1/face.json" not in kept(fs)
    assert run(there) == 0
    assert "a/face-1/face.json" in kept(fs)
    assert "a/.unfinished" not in kept(fs)
    assert kept(fs)["b/notes.txt"] == b"xnotes.txt"
    assert list(statuses(fs)) == ["a.jpg"]


def test_a_photo_is_not_fetched_that_is_too_large_or_changes(fs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(fs, "a.jpg")
    real = Store.version
    task = Task("memory:///photos/a.jpg", Path("none"), "a", store="memory:///out")
    work = Away(Fake())(Job())
    assert work(task).status == "ok"
    monkeypatch.setattr(Store, "version", lambda self, name="": real(self, name)._replace(size=10**12))
    assert "at most 1.5 GB are read" in str(work(task).reason)
    monkeypatch.setattr(Store, "version", lambda self, name="": real(self, name)._replace(size=1))
    assert "changed while it was fetched" in str(work(task).reason)
    monkeypatch.setattr(Store, "version", real)
    assert work(Task(f"{there}/none.jpg", Path("none"), "n", store="memory:///out")).trouble == "unreadable"


def test_parts_leave_what_the_whole_leaves(fs: Any) -> None:
    there = put(fs, *NAMES)
    run(there, recursive=True)
    whole = kept(fs)
    fs.rm("/out", recursive=True)
    for index in (1, 2, 3):
        run(there, recursive=True, shard=Shard(index, 3))
    parts = kept(fs)
    assert set(parts) == set(whole)
    order = {record["source"]: record for record in parts["manifest.json"]["inputs"]}
    assert order == {record["source"]: record for record in whole["manifest.json"]["inputs"]}


def test_two_runs_keep_out_of_each_others_way(fs: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    there = put(fs, "a.jpg")
    with place("memory://out") as first, first.locked():
        time.sleep(0.1)
        with pytest.raises(OutputError, match="Another run is writing into memory:///out"):
            run(there)
    assert run(there) == 0
    # One whose process is gone, here or elsewhere
    for host, age in ((bucket.here(), 0.0), ("elsewhere", 100.0)):
        told = {"token": "x", "host": host, "process": "1.1", "machine": "other"}
        fs.pipe_file("/out/.tronie/.tronie-lock", json.dumps(told).encode())
        fs.store["/out/.tronie/.tronie-lock"].created = fs.created("/out/.tronie/.tronie-lock") - age_of(age)
        assert run(there) == 0
    assert not fs.find("/out/.tronie")


def age_of(seconds: float) -> Any:
    from datetime import timedelta

    return timedelta(seconds=seconds)


def test_who_lost_his_lease_writes_nothing_more(fs: Any, tmp_path: Path) -> None:
    mine = Bucket("memory://out", tmp_path)
    with mine.locked():
        mine.write("manifest.json", [b"mine"])
        fs.pipe_file("/out/.tronie/.tronie-lock", b'{"token": "of another"}')
        time.sleep(0.3)
        with pytest.raises(OutputError, match="could not renew its lease"):
            mine.write("manifest.json", [b"not any more"])
    assert fs.cat_file("/out/manifest.json") == b"mine"
    assert fs.cat_file("/out/.tronie/.tronie-lock") == b'{"token": "of another"}'


def test_of_many_who_want_a_lease_one_gets_it(fs: Any, tmp_path: Path) -> None:
    with ExitStack() as held:
        held.enter_context(Bucket("memory://out", tmp_path).locked())
        others = [Bucket("memory://out", tmp_path) for _ in range(2)]
        for other in others:
            with pytest.raises(OutputError), other.locked():
                pass
    with others[0].locked():
        pass


def test_the_table_of_faces_is_written_here(fs: Any, tmp_path: Path) -> None:
    assert run(put(fs, "a.jpg", "half.jpg", "doubtful.jpg")) == 0
    assert cli.execute(["index", "memory://out"]) == 2
    assert cli.execute(["index", "memory://out", "-o", str(tmp_path / "faces.csv")]) == 0
    assert len((tmp_path / "faces.csv").read_text().splitlines()) == 1 + 5


def test_what_goes_wrong_in_a_store_is_one_sentence() -> None:
    class NoCredentialsError(Exception):
        pass

    for error, words in (
        (NoCredentialsError("x"), "no credentials in the environment"),
        (PermissionError("Forbidden"), "access is denied"),
        (FileNotFoundError("The specified bucket does not exist"), "no such bucket or object"),
        (ValueError("odd\nthings."), "odd things"),
    ):
        with pytest.raises(InputError, match=words) as found, asked("s3://bucket/photos"):
            raise error
        assert str(found.value).startswith("Cannot reach s3://bucket/photos: ")
        assert "\n" not in str(found.value)


def test_without_what_reaches_it_a_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "fsspec.core", None)
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    assert cli.execute(["run", "s3://bucket/a.jpg", "-o", "s3://bucket/out"]) == 1
    assert "tronie[cloud]" in stream.getvalue()
