"""A run into a folder of outputs: what it believes of the manifest, what it finds left over, who else is there."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from fake_job import FakePipeline, bind, job, manifest

from tronie import cli
from tronie.cli.run import How, run_photos
from tronie.errors import OutputError
from tronie.io.inputs import stamp
from tronie.io.listing import Listing
from tronie.io.video import is_clip
from tronie.io.video.clip import named_clip
from tronie.jobs.manifest import Manifest
from tronie.jobs.plan import make_plan
from tronie.pipelines.outcome import Outcome, Task
from tronie.pipelines.photo import Ahead, Each
from tronie.runtime import process_ids as process
from tronie.runtime.atomic_files import PREFIX, scratch, sweep
from tronie.runtime.folder_lock import FILE, locked
from tronie.runtime.job import Job
from tronie.settings import Settings
from tronie.types import Result

posix = pytest.mark.skipif(os.name == "nt", reason="signals, links")


def forge(out: Path, change: Callable[[list[dict[str, object]]], None]) -> None:
    """A manifest as nobody's run would write it."""
    data = json.loads((out / "manifest.json").read_text())
    change(data["inputs"])
    (out / "manifest.json").write_text(json.dumps(data))


def everything(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


# What a manifest says


NAMES = [
    "../victim",
    "..",
    ".",
    "",
    "deep/../../victim",
    "a/../../victim",
    "..\\victim",
    "C:\\victim",
    ".hidden",
    "con",
    "manifest.json",
    "Manifest.JSON",
    "nul.txt",
    "x" * 300,
    "a\0b",
    "victim.",
    "a\u202eb",
    "{victim}",
]


@pytest.mark.parametrize("status", ["pending", "error", "ok"])
@pytest.mark.parametrize("name", NAMES)
def test_no_name_in_a_manifest_leads_out_of_the_folder(photos, tmp_path, capsys, name, status) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    folder = photos("a.jpg")
    assert job(folder, out=out) == 0
    shutil.rmtree(out / "a")
    victim.mkdir()
    (victim / "face-1").mkdir()
    (victim / "face-1" / "face.json").write_text("somebody's")
    before = everything(victim)
    name = name.format(victim=victim)
    forge(out, lambda inputs: inputs[0].update(name=name, status=status))
    forged = (out / "manifest.json").read_bytes()
    arguments = ["run", str(folder), "-o", str(out)]
    assert cli.execute(arguments) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "--overwrite" in said
    assert everything(victim) == before
    assert everything(out) == {"manifest.json": forged}


def test_two_photos_are_never_given_one_folder(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "b.jpg")
    assert job(folder, out=out) == 0
    forge(out, lambda inputs: inputs[1].update(name="A", status="pending"))
    assert cli.execute(["run", str(folder), "-o", str(out)]) == 1
    assert "two photos" in capsys.readouterr().err


def test_what_is_no_path_in_a_manifest_is_one_sentence(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg")
    assert job(folder, out=out) == 0
    forge(out, lambda inputs: inputs[0].update(source="a\0b"))
    assert cli.execute(["run", str(folder), "-o", str(out)]) == 1
    said = capsys.readouterr().err
    assert "Something went wrong" not in said
    assert "--overwrite" in said


def test_a_folder_that_is_not_of_our_making_is_kept_whatever_the_manifest_says(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg")
    assert job(folder, out=out) == 0
    shutil.rmtree(out / "a")
    (out / "a").mkdir()
    (out / "a" / "letter.txt").write_text("mine")
    forge(out, lambda inputs: inputs[0].update(status="pending"))
    assert job(folder, out=out) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (out / "a" / "letter.txt").read_text() == "mine"


@pytest.mark.parametrize("person", [{"index": "1/../../../victim/face-1"}, {}, None, "1", {"index": None}])
def test_no_number_in_a_clips_record_leads_out_of_its_folder(tmp_path: Path, person: object) -> None:
    from tronie.service.clip_tasks import followed

    clip, video = tmp_path / "clip", tmp_path / "clip.mp4"
    for place in (clip / "face-1", tmp_path / "victim" / "face-1"):
        place.mkdir(parents=True)
    (tmp_path / "victim" / "face-1" / "frames.csv").write_text("frame,state,gaze_right_pitch\n1,seen,0\n")
    (clip / "clip.json").write_text(json.dumps({"video": {"source": str(video), "notes": []}, "people": [person]}))
    assert followed(clip, video) is None


@posix
@pytest.mark.parametrize("overwrite", [False, True])
def test_a_link_in_the_place_of_outputs_is_never_followed(photos, tmp_path, overwrite) -> None:
    out, victim = tmp_path / "out", tmp_path / "victim"
    folder = photos("a.jpg")
    assert job(folder, out=out) == 0
    (out / "a").rename(victim)
    (out / "a").symlink_to(victim)
    before = everything(victim)
    forge(out, lambda inputs: inputs[0].update(status="pending"))
    assert job(folder, out=out, overwrite=overwrite) == (0 if overwrite else 1)
    assert everything(victim) == before
    assert (out / "a").is_symlink() is not overwrite


# A photo that is replaced while it is worked on


@dataclass(frozen=True)
class Restless:
    """Somebody replaces the photo the first `times` times that it is looked at."""

    log: Path
    times: int

    def __call__(self, job: Job) -> Callable[[Task], Outcome]:
        return bind(Replacing(self.log, self.times))


@dataclass(frozen=True)
class Replacing(FakePipeline):
    log: Path
    times: int

    def run(
        self, photo: str | Path, /, *, each: Each | None = None, ahead: Ahead | None = None, job: Job | None = None
    ) -> Result:
        seen = Path(photo).read_bytes()
        with self.log.open("ab") as log:
            log.write(seen + b"\n")
        count = len(self.log.read_bytes().splitlines())
        if count <= self.times:
            Path(photo).write_bytes(b"version" * (count + 1))
        return super().run(photo, each=each, job=job)


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_photo_that_is_replaced_meanwhile_is_done_again(photos, tmp_path, overwrite) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    folder = photos("a.jpg")
    assert run_photos([str(folder)], out, Settings(), How(start=Restless(log, 1), overwrite=overwrite, workers=1)) == 0
    seen = log.read_bytes().splitlines()
    assert seen[-1] == (folder / "a.jpg").read_bytes()
    assert len(seen) == 2
    record = manifest(out)["a.jpg"]
    assert (record["status"], (record["size"], record["modified"])) == ("ok", stamp(folder / "a.jpg"))


def test_a_photo_that_does_not_come_to_rest_is_no_result(photos, tmp_path, capsys) -> None:
    out, log = tmp_path / "out", tmp_path / "log"
    folder = photos("a.jpg", "b.jpg")
    photo = folder / "a.jpg"
    assert run_photos([str(photo)], out, Settings(), How(start=Restless(log, 2), workers=1)) == 1
    assert "changed while it was worked on" in capsys.readouterr().err
    assert manifest(out)["a.jpg"]["status"] == "error"
    assert run_photos([str(photo)], out, Settings(), How(start=Restless(log, 0), workers=1)) == 0
    assert log.read_bytes().splitlines()[-1] == photo.read_bytes()
    assert manifest(out)["a.jpg"]["status"] == "ok"


def test_a_photo_that_is_replaced_after_it_was_done_is_not_taken_for_done(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "empty.jpg")
    assert job(folder, out=out) == 0
    (folder / "a.jpg").write_bytes(b"another")
    (folder / "empty.jpg").write_bytes(b"another")
    assert job(folder, out=out) == 1
    assert capsys.readouterr().err.count("another version") == 2


def test_the_stamp_of_many_pictures_is_that_of_each(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(b"x")
        os.utime(tmp_path / f"{number}.png", ns=(0, 1000 * number))
    for source in (tmp_path, tmp_path / "%d.png", tmp_path / "*.png"):
        assert stamp(source) == (3, 2000)
    os.utime(tmp_path / "0.png", ns=(0, 9000))
    assert stamp(tmp_path / "%d.png") == (3, 9000)
    assert stamp(tmp_path / "none") == stamp("camera:0@x") == stamp("a\0b") == (None, None)


@posix
def test_a_link_that_is_set_elsewhere_meanwhile_costs_no_other(photos, tmp_path) -> None:
    folder = photos("a.jpg", "b.jpg")
    link = tmp_path / "now.jpg"
    link.symlink_to(folder / "a.jpg")
    opened = Manifest.open(tmp_path, Settings())
    (_,) = make_plan(Listing.of([link]), opened).tasks
    link.unlink()
    link.symlink_to(folder / "b.jpg")
    opened.finish(Outcome(str(link), tmp_path / "now", "ok"))
    assert [record.status for record in opened.records.values()] == ["ok"]


# Planning


def test_planning_opens_no_photo(photos, tmp_path, monkeypatch) -> None:
    from tronie.io.video import image_sequence

    def opened(path: Path) -> bool:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(image_sequence, "_open", opened)
    monkeypatch.setattr(image_sequence, "moves", opened)
    folder = photos("a.gif", "b.webp", "c.apng", "d.mp4", "e.jpg")
    opened = Manifest.open(tmp_path / "out", Settings())
    plan = make_plan(Listing.of(sorted(folder.iterdir())), opened, is_clip=named_clip)
    assert [task.clip for task in plan.tasks] == [False, False, False, True, False]
    assert not plan.problems


@pytest.mark.parametrize("error", [OSError, SyntaxError, ValueError, EOFError, IndexError, MemoryError, RecursionError])
def test_whether_a_picture_moves_is_asked_without_risk(photos, monkeypatch, error) -> None:
    from tronie.io.video import image_sequence

    def damaged(path: Path) -> bool:
        raise error("as decoders do")

    monkeypatch.setattr(image_sequence, "moves", damaged)
    assert not is_clip(photos("a.gif") / "a.gif")


@posix
def test_a_manifest_that_is_no_file_is_not_waited_for(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    out.mkdir()
    os.mkfifo(out / "manifest.json")
    assert cli.execute(["run", str(photos("a.jpg")), "-o", str(out)]) == 1
    assert "not an ordinary file" in capsys.readouterr().err


# Two runs at once


HOLD = """
import sys, time
from pathlib import Path
from tronie.runtime.folder_lock import locked
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    time.sleep(60)
"""


@posix
def test_a_second_run_into_a_folder_is_told_so_and_the_lock_dies_with_its_process(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    out.mkdir()
    first = subprocess.Popen([sys.executable, "-c", HOLD, str(out)], stdout=subprocess.PIPE, text=True)
    assert first.stdout is not None
    assert first.stdout.readline() == "locked\n"
    arguments = ["run", str(photos("a.jpg")), "-o", str(out)]
    assert cli.execute(arguments) == 1
    said = capsys.readouterr().err
    assert len(said.splitlines()) == 1
    assert "Another run is writing into" in said
    assert not (out / "manifest.json").exists()
    first.send_signal(signal.SIGKILL)
    first.wait()
    assert job(photos("a.jpg"), out=out) == 0
    assert sorted(path.name for path in out.iterdir()) == ["a", "manifest.json"]


def test_a_lock_locks_once_and_leaves_nothing(tmp_path: Path) -> None:
    for _ in range(2):
        with locked(tmp_path):
            with pytest.raises(OutputError, match="Another run"), locked(tmp_path):
                pytest.fail("two are in")
            with pytest.raises(OutputError, match="Another run"), locked(tmp_path):
                pytest.fail("the first refusal took the lock away")
        assert not list(tmp_path.iterdir())


@posix
def test_a_lock_is_no_way_to_another_file(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("x")
    (tmp_path / FILE).symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError), locked(tmp_path):
        pytest.fail("a link was followed")
    assert (tmp_path / "precious").read_text() == "x"


# What killed runs leave


@posix
@pytest.mark.skipif(sys.platform != "linux", reason="zombies are looked up in /proc")
def test_what_a_zombie_or_another_process_of_the_same_number_left_is_swept(tmp_path: Path) -> None:
    zombie = subprocess.Popen(
        [sys.executable, "-c", "print(flush=True); input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert zombie.stdout is not None
    zombie.stdout.readline()
    born = process.born(zombie.pid)
    assert born
    living = tmp_path / f"{PREFIX}{zombie.pid}.{born}-0-abc.part"
    living.mkdir()
    reused = tmp_path / f"{PREFIX}{os.getpid()}.{born - 1}-0-abc.part"
    reused.mkdir()
    (tmp_path / f"{PREFIX}{zombie.pid}-0-abc.part").mkdir()  # as older versions named them
    assert sweep(tmp_path) == 2
    assert list(tmp_path.iterdir()) == [living]
    zombie.kill()
    os.waitid(os.P_PID, zombie.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and nobody has asked what became of it
    assert process.born(zombie.pid) == 0
    assert sweep(tmp_path) == 1
    zombie.wait()


def test_our_own_temporary_files_are_kept(tmp_path: Path) -> None:
    with scratch(tmp_path) as work:
        assert sweep(tmp_path) == 0
        assert work.is_dir()
    assert not list(tmp_path.iterdir())
    assert process.born(os.getpid()) == process.born(os.getpid()) != 0


@posix
def test_a_killed_process_leaves_nothing_in_the_temporary_folder_for_long(tmp_path, monkeypatch) -> None:
    code = "import os, signal\nfrom tronie.runtime.atomic_files import scratch\n"
    code += "with scratch() as work:\n    (work / 'x').touch()\n    os.kill(os.getpid(), signal.SIGKILL)"
    subprocess.run([sys.executable, "-c", code], env=os.environ | {"TMPDIR": str(tmp_path)}, check=False)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    with scratch() as work:
        assert list(tmp_path.iterdir()) == [work]
        assert os.name == "nt" or work.stat().st_mode & 0o777 == 0o700


def test_a_record_without_a_folder_is_nothing_left_over(tmp_path: Path) -> None:
    opened = Manifest.open(tmp_path, Settings())
    opened.claim(Listing.of([tmp_path / "a.jpg"]))
    (record,) = opened.records.values()
    assert not opened.left_over(record)
    (tmp_path / "a").mkdir()
    assert opened.left_over(record)
