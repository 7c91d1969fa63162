"""A job in parts: no photo is done twice or by nobody, and what parts leave is what one run leaves."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from fake_job import contents, job, made
from hypothesis import given
from hypothesis import strategies as st
from places import TESTS

from tronie import cli
from tronie.errors import OutputError
from tronie.io.inputs import list_inputs
from tronie.io.paths import distinct
from tronie.jobs.manifest import Manifest
from tronie.jobs.place import Folder
from tronie.jobs.shards import Shard, at_work, ledgers
from tronie.runtime.atomic_files import PREFIX, sweep
from tronie.runtime.folder_lock import gate, is_locked, locked
from tronie.runtime.process_ids import here, mark
from tronie.settings import Settings

SUFFIXES = frozenset({".jpg"})
posix = pytest.mark.skipif(os.name == "nt", reason="signals")


# What a part is


@given(st.text(), st.integers(1, 40))
def test_every_place_is_of_one_part(place: str, count: int) -> None:
    parts = [Shard.parse(f"{index}/{count}") for index in range(1, count + 1)]
    assert sum(part.holds(place) for part in parts) == 1
    assert Shard.parse(f"0/{count}") == parts[-1]


def test_the_part_of_a_place_stays_the_same() -> None:
    """A job that was begun with an earlier release goes on with this one."""
    assert [next(k for k in range(1, 8) if Shard(k, 7).holds(p)) for p in ("a.jpg", "b/c.jpg", "ä.jpg")] == GIVEN
    assert Shard(3, 7).holds("a\u0308.jpg") == Shard(3, 7).holds("ä.jpg")  # macOS writes names apart


GIVEN = [7, 4, 7]


@pytest.mark.parametrize("text", ["", "3", "4/3", "-1/3", "1/0", "0/0", "a/b", "1/3/5", "1.0/3", "١/٣"])
def test_what_is_no_part_is_wrong_usage(text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=r"should be|divides"):
        Shard.parse(text)
    assert cli.execute(["run", str(tmp_path), "--shard", text, "-o", str(tmp_path / "out")]) == 2
    assert "--shard" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_parts_do_not_hang_on_where_the_folder_lies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for root in ("one", "two/deep"):
        for name in ("a.jpg", "b.jpg", "in/c.jpg", "in/a.jpg"):
            path = tmp_path / root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
    monkeypatch.chdir(tmp_path / "one")

    def part(*arguments: str, shard: Shard) -> list[str]:
        found = list_inputs(arguments, SUFFIXES, recursive=True, part=shard.holds)
        return [Path(key).name for key in found.files if key not in found.elsewhere]

    for shard in (Shard(1, 3), Shard(2, 3), Shard(3, 3)):
        known = part(str(tmp_path / "one"), shard=shard)
        assert known == part(str(tmp_path / "two" / "deep"), shard=shard) == part(".", shard=shard)
        assert sorted(known) == sorted(part(str(tmp_path / "two" / "deep" / "*"), shard=shard))


# Names


@given(
    st.lists(st.sampled_from(["a", "A", "a-2", "A-2", "a-2-2", "b", "a-3"]), max_size=9),
    st.randoms(use_true_random=False),
)
def test_names_are_the_same_in_whatever_order_parts_give_them(wanted: list[str], draw: random.Random) -> None:
    whole = distinct(dict(enumerate(wanted)))
    given: dict[int, str] = {}
    keys = list(range(len(wanted)))
    while keys:
        some = draw.sample(keys, draw.randint(1, len(keys)))
        fresh = {key: wanted[key] for key in range(len(wanted)) if key not in given}
        names = distinct(fresh, given.values())
        given |= {key: names[key] for key in some}
        keys = [key for key in keys if key not in some]
    assert given == whole


# Several runs


def tree(folder: Path) -> Path:
    """Photos of which many have one name."""
    for name in ("a.jpg", "b/a.jpg", "c/a.jpg", "c/empty.jpg", "c/d/a-2.jpg", "e/f.jpg", "e/bad.jpg", "g.jpg"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return folder


def test_parts_one_after_the_other_leave_what_one_run_leaves(tmp_path: Path) -> None:
    photos = tree(tmp_path / "photos")
    job(photos, out=tmp_path / "whole", recursive=True)
    for index in (2, 3, 1):
        job(photos, out=tmp_path / "parts", recursive=True, shard=Shard(index, 3))
    assert contents(tmp_path / "parts") == contents(tmp_path / "whole")
    before = made(tmp_path / "parts")
    assert job(photos, out=tmp_path / "parts", recursive=True) == 0  # the bad one is tried again, nothing else
    assert made(tmp_path / "parts") == before


def test_parts_of_another_division_go_on_with_what_is_done(tmp_path: Path) -> None:
    photos, out = tree(tmp_path / "photos"), tmp_path / "out"
    job(photos, out=out, recursive=True, shard=Shard(1, 2))
    before = made(out)
    for index in (1, 2, 3):
        job(photos, out=out, recursive=True, shard=Shard(index, 3))
    after = made(out)
    assert before.items() <= after.items()
    assert len(after) == 6


SCRIPT = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from fake_job import Fake
from tronie.cli.run import How, run_photos
from tronie.jobs.shards import Shard
from tronie.settings import Settings
if __name__ == "__main__":
    part = Shard.parse(sys.argv[3])
    how = How(workers=1, start=Fake(), detail="quiet", shard=part)
    sys.exit(run_photos([sys.argv[1]], Path(sys.argv[2]), Settings(), how))
"""


@posix
def test_parts_at_once_one_of_them_killed_leave_what_one_run_leaves(tmp_path: Path) -> None:
    photos, out = tmp_path / "photos", tmp_path / "out"
    photos.mkdir()
    for number in range(8):
        (photos / f"wait{number}.jpg").write_bytes(b"x")
    script = tmp_path / "job.py"
    script.write_text(SCRIPT.format(tests=str(TESTS)))

    def begin(part: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, str(script), str(photos), str(out), part])

    both = [begin("1/2"), begin("2/2")]
    while len(at_work_and_planned(out)) < 2:
        assert all(one.poll() is None for one in both)
    assert [str(shard) for shard in at_work(Folder(out))] == ["1/2", "2/2"]
    with pytest.raises(OutputError, match="shard 1/2 is writing"):
        job(photos, out=out)
    with pytest.raises(OutputError, match="divides the photos otherwise"):
        job(photos, out=out, shard=Shard(1, 3))
    with pytest.raises(OutputError, match="Another run of shard 2/2"):
        job(photos, out=out, shard=Shard(2, 2))
    both[0].kill()
    both[0].wait()
    (photos / "go").touch()
    assert both[1].wait() == 0
    assert [str(shard) for shard in at_work(Folder(out))] == []
    assert job(photos, out=out, shard=Shard(1, 2)) == 0
    assert not ledgers(Folder(out))
    job(photos, out=tmp_path / "whole")
    assert contents(out) == contents(tmp_path / "whole")


def at_work_and_planned(out: Path) -> list[Shard]:
    return [shard for shard in ledgers(Folder(out)) if shard in at_work(Folder(out))]


def test_what_a_killed_part_had_noted_is_not_lost(tmp_path: Path) -> None:
    photos, out = tree(tmp_path / "photos"), tmp_path / "out"
    listing = list_inputs([photos], SUFFIXES, recursive=True, part=Shard(1, 2).holds)
    begun = Manifest.open(out, Settings(), shard=Shard(1, 2))
    begun.claim(listing)
    begun.write()
    assert [str(shard) for shard in ledgers(Folder(out))] == ["1/2"]
    job(photos, out=out, recursive=True, shard=Shard(2, 2))
    records = manifest_by_source(out)
    assert sum(r["status"] == "pending" for r in records.values()) == len(begun.records)
    assert not ledgers(Folder(out))
    assert len(records) == 8


def manifest_by_source(out: Path) -> dict[str, dict[str, object]]:
    return {record["source"]: record for record in json.loads((out / "manifest.json").read_text())["inputs"]}


def test_moved_photos_are_known_again_by_their_part(tmp_path: Path) -> None:
    photos, out = tree(tmp_path / "photos"), tmp_path / "out"
    job(photos, out=out, recursive=True)
    before = made(out)
    photos.rename(tmp_path / "moved")
    for index in (1, 2):
        job(tmp_path / "moved", out=out, recursive=True, shard=Shard(index, 2))
    assert made(out) == before
    assert len(manifest_by_source(out)) == 8


# Locks, and what other machines write


def test_a_gate_lets_one_through_at_a_time_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tronie.runtime.folder_lock.PATIENCE", 0.1)
    with gate(tmp_path, "gate"):
        assert is_locked(tmp_path, "gate")
        with pytest.raises(OutputError, match="ten minutes"), gate(tmp_path, "gate"):
            pytest.fail("two are in")
    assert not is_locked(tmp_path, "gate")
    (tmp_path / "gate").touch()  # of a machine that lost its power
    with gate(tmp_path, "gate"), locked(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_heads_of_persons_are_not_made_between_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tronie.pipelines.person import job as person

    (tmp_path / "a.jpg").touch()
    monkeypatch.setattr(person, "find_faces", lambda *_: [SimpleNamespace(shots=[1])])
    monkeypatch.setattr(person, "grouped", lambda *_: pytest.fail("it went on"))
    with locked(tmp_path, Shard(2, 3).lock), pytest.raises(OutputError, match=r"A run of shard 2/3 is writing"):
        person.make_people([tmp_path / "a.jpg"], tmp_path, Settings())


def test_what_another_machine_writes_is_left_alone_for_a_day(tmp_path: Path) -> None:
    number, born = mark().split(".")
    other = tmp_path / f"{PREFIX}{number}.{int(born) + 1}-0123456789ab-0-abc.part"
    own = tmp_path / f"{PREFIX}{number}.{int(born) + 1}-{here()}-0-abc.part"
    other.mkdir()
    own.mkdir()
    assert sweep(tmp_path) == 1
    assert list(tmp_path.iterdir()) == [other]
    os.utime(other, (0, 0))
    assert sweep(tmp_path) == 1
