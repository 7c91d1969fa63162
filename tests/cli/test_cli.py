"""The command line: exit codes, streams, options, resuming and stopping. The pipeline is a stand-in."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from typing import get_args

import pytest
import typer
from fake_job import FakePipeline, job, made, manifest
from places import TESTS

import tronie
from tronie import cli
from tronie.cli import options
from tronie.cli.options import PLACES, settings_from
from tronie.cli.say import duration
from tronie.errors import sentence
from tronie.export.fingerprint import fingerprint
from tronie.io.listing import Listing
from tronie.jobs.manifest import Manifest
from tronie.outputs import USUAL, Only, in_order
from tronie.pipelines.outcome import Task
from tronie.pipelines.photo_task import do_photo
from tronie.runtime.atomic_files import new_folder
from tronie.settings import Settings

# Exit codes, streams, manifest


def test_a_good_job_says_one_line_for_each_photo_on_stdout(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert job(photos("a.jpg", "empty.jpg"), out=out) == 0
    said = capsys.readouterr()
    assert said.err == ""
    lines = said.out.splitlines()
    assert "a.jpg  1 face  " in lines[0]
    assert "empty.jpg  no face" in lines[1]
    assert "2 photos done, 1 face, 1 without a face" in lines[2]
    assert {name: r["status"] for name, r in manifest(out).items()} == {"a.jpg": "ok", "empty.jpg": "no_face"}


def test_bad_photos_cost_one_line_on_stderr_and_the_rest_goes_on(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "bad.jpg", "bug.jpg", "half.jpg")
    assert job(folder, tmp_path / "none.jpg", out=out) == 0
    said = capsys.readouterr()
    errors = said.err.splitlines()
    assert len(errors) == 4
    assert "none.jpg: no such file or folder" in errors[0]
    assert "bad.jpg is not a picture." in errors[1]
    assert "Something went wrong inside tronie (a mistake of ours)" in errors[2]
    assert "ValueError" not in said.err
    assert "half.jpg: face 2: The fit went wrong." in errors[3]
    assert "Traceback" not in said.err
    records = manifest(out)
    assert records["bad.jpg"]["status"] == "error"
    assert "not a picture" in str(records["bad.jpg"]["reason"])
    assert records["half.jpg"]["warnings"] == ["face 2: The fit went wrong."]
    assert records["half.jpg"]["faces"] == 1
    assert "2 photos done" in said.out
    assert "3 failed" in said.out


def test_warnings_are_told_as_sentences_and_written_as_codes(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    assert job(photos("a.jpg", "doubtful.jpg"), out=out) == 0
    said = capsys.readouterr()
    lines = said.out.splitlines()
    at = next(k for k, line in enumerate(lines) if "doubtful.jpg  2 faces" in line)
    assert lines[at + 1] == "    face 2: small: 0 pixels between the eyes"
    assert lines[at + 7] == "    and 3 warnings more, in manifest.json"
    assert lines[-1] == "Faces with warnings: small 1, turned 1"
    records = manifest(out)
    assert records["a.jpg"]["warned"] == {}
    assert records["doubtful.jpg"]["warned"] == {"small": [2], "turned": [2]}
    assert records["doubtful.jpg"]["warnings"][-1] == "face 2: turned by 62 degrees"
    assert json.loads((out / "doubtful" / "face-2" / "face.json").read_text())["warning_codes"][-1] == "turned"


def test_a_manifest_of_an_earlier_version_is_read(photos, tmp_path) -> None:
    out, folder = tmp_path / "out", photos("a.jpg")
    assert job(folder, out=out) == 0
    path = out / "manifest.json"
    data = json.loads(path.read_text())
    del data["inputs"][0]["warned"]
    path.write_text(json.dumps(data))
    before = made(out)
    assert job(folder, out=out) == 0
    assert made(out) == before


def test_an_argument_that_cannot_be_used_is_told_by_its_name(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    assert job("in", out=tmp_path / "out") == 1
    assert capsys.readouterr().err.startswith("in: no photo in this folder")


def test_nothing_worked_is_1(photos, tmp_path) -> None:
    assert job(photos("bad.jpg"), out=tmp_path / "out") == 1
    assert job(tmp_path / "none.jpg", out=tmp_path / "out2") == 1
    assert not (tmp_path / "out2").exists()


def test_a_photo_without_a_face_has_worked(photos, tmp_path) -> None:
    assert job(photos("empty.jpg"), out=tmp_path / "out") == 0


def test_an_output_that_cannot_be_written_is_one_line(photos, tmp_path, capsys) -> None:
    (tmp_path / "out").write_text("a file")
    assert cli.execute(["run", str(photos("a.jpg")), "-o", str(tmp_path / "out")]) == 1
    said = capsys.readouterr()
    assert len(said.err.splitlines()) == 1
    assert str(tmp_path / "out") in said.err


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["run"],
        ["run", "a.jpg", "--nope"],
        ["nope"],
        ["run", "a.jpg", "--only", "hair"],
        ["run", "a.jpg", "--outputs", "hair"],
        ["run", "a.jpg", "--detector", "eyes"],
        ["run", "a.jpg", "--enhance", "wishes"],
        ["run", "a.jpg", "--enhance-limit", "0"],
        ["run", "a.jpg", "--min-face", "0"],
        ["run", "a.jpg", "--min-score", "1.5"],
        ["run", "a.jpg", "--subdivide", "3"],
        ["run", "a.jpg", "--texture-size", "big"],
        ["run", "a.jpg", "-q", "-v"],
        ["run", "a.jpg", "--workers", "-1"],
    ],
)
def test_wrong_usage_is_2_and_writes_nothing(arguments, tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.execute(arguments) == 2
    assert "Traceback" not in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_quiet_tells_problems_only(photos, tmp_path, capsys) -> None:
    job(photos("a.jpg", "bad.jpg"), out=tmp_path / "out", detail="quiet")
    said = capsys.readouterr()
    assert said.out == ""
    assert len(said.err.splitlines()) == 1


def test_verbose_tells_the_stages(photos, tmp_path, capsys) -> None:
    job(photos("a.jpg"), out=tmp_path / "out", detail="verbose")
    assert "detect 0.100, fit 0.010" in capsys.readouterr().out


def test_json_is_a_line_for_each_photo_and_a_summary(photos, tmp_path, capsys) -> None:
    job(photos("a.jpg", "bad.jpg"), tmp_path / "none.jpg", out=tmp_path / "out", as_json=True)
    said = capsys.readouterr()
    records = [json.loads(line) for line in said.out.splitlines()]
    assert [r.get("status") for r in records] == ["error", "ok", "error", None]
    assert records[-1]["summary"] == {"ok": 1, "no_face": 0, "failed": 2, "skipped": 0, "faces": 1}
    assert said.err == ""


def test_what_is_left_out_is_told_once_and_written_down(photos, tmp_path, capsys) -> None:
    folder, out = photos("one.png"), tmp_path / "out"
    for name in ("a.svg", "b.psd", "c.psd", "d.txt"):
        (folder / name).write_bytes(b"something")
    assert job(folder, out=out) == 0
    told = "3 files were left out, of kinds that are not read: 2 .psd (layers: export as PNG or TIFF), 1 .svg ("
    assert sum(line.startswith(told) for line in capsys.readouterr().err.splitlines()) == 1
    assert json.loads((out / "manifest.json").read_text())["left_out"] == {".psd": 2, ".svg": 1}
    assert job(folder, out=tmp_path / "again", as_json=True) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["left_out"] == {".psd": 2, ".svg": 1}


def test_equal_names_do_not_collide(photos, tmp_path) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "a.png")
    assert job(folder, out=out) == 0
    assert len(made(out)) == 2


# Resuming


def test_a_second_run_skips_what_is_done(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "bad.jpg", "empty.jpg")
    job(folder, out=out)
    before = made(out)
    capsys.readouterr()
    photos("b.jpg")
    assert job(folder, out=out) == 0
    assert "2 done before" in capsys.readouterr().out
    after = made(out)
    assert after["a"] == before["a"]
    assert "b" in after
    assert job(folder, out=out, overwrite=True) == 0
    assert made(out)["a"] != before["a"]


def test_the_same_photo_by_another_path_is_the_same(photos, tmp_path, monkeypatch) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg")
    monkeypatch.chdir(tmp_path)
    job("photos/a.jpg", out=out)
    before = made(out)
    monkeypatch.chdir(folder)
    assert job("a.jpg", out=out) == 0
    assert made(out) == before
    folder.rename(tmp_path / "moved")
    assert job(tmp_path / "moved" / "a.jpg", out=out) == 0
    assert made(out) == before


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere file names are always Unicode")
def test_a_name_that_is_no_unicode_is_a_name_too(photos, tmp_path) -> None:
    out = tmp_path / "out"
    (photos() / os.fsdecode(b"caf\xe9.jpg")).write_bytes(b"x")
    assert job(photos(), out=out) == 0
    before = made(out)
    assert len(before) == 1
    assert job(photos(), out=out) == 0
    assert made(out) == before


def test_other_settings_or_a_changed_photo_need_overwrite(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg")
    job(folder, out=out)
    before = made(out)
    capsys.readouterr()
    assert job(folder, out=out, settings=Settings(only="mesh")) == 1
    said = capsys.readouterr().err
    assert "other settings" in said
    assert "--overwrite" in said
    (folder / "a.jpg").write_bytes(b"another picture")
    assert job(folder, out=out) == 1
    assert "another version of this photo" in capsys.readouterr().err
    assert made(out) == before
    assert job(folder, out=out, overwrite=True) == 0
    assert made(out) != before


def test_outputs_of_somebody_else_are_not_touched(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    (out / "a").mkdir(parents=True)
    (out / "a" / "mine.txt").write_text("mine")
    folder = photos("a.jpg")
    for _ in range(2):
        assert job(folder, out=out) == 1
        assert "not from this job" in capsys.readouterr().err
    assert (out / "a" / "mine.txt").read_text() == "mine"
    assert job(photos("b.jpg"), out=out) == 0


def test_a_manifest_of_somebody_else_is_not_touched(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "manifest.json").write_text("{}")
    arguments = ["run", str(photos("a.jpg")), "-o", str(out)]
    assert cli.execute(arguments) == 1
    assert "--overwrite" in capsys.readouterr().err
    assert (out / "manifest.json").read_text() == "{}"


def test_a_job_that_was_killed_knows_its_own_outputs(photos, tmp_path) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "b.jpg")
    opened = Manifest.open(out, Settings())
    opened.claim(Listing.of(sorted(folder.iterdir())))
    opened.write()
    with new_folder(out / "a") as temporary:  # finished, but the manifest does not know yet
        (temporary / "face-1").mkdir()
        (temporary / "face-1" / "face.json").touch()
        (temporary / "old").touch()
    assert job(folder, out=out) == 0
    assert set(made(out)) == {"a", "b"}
    assert not (out / "a" / "old").exists()
    assert {r["status"] for r in manifest(out).values()} == {"ok"}


def test_outputs_that_were_deleted_are_made_again(photos, tmp_path) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg")
    job(folder, out=out)
    shutil.rmtree(out / "a")
    assert job(folder, out=out) == 0
    assert set(made(out)) == {"a"}


def test_the_fingerprint_is_that_of_the_settings() -> None:
    assert fingerprint(Settings()) == fingerprint(Settings.model_validate({}))
    assert fingerprint(Settings()) != fingerprint(Settings(only="mesh"))
    assert fingerprint(Settings(outputs=("ply", "glb"))) == fingerprint(Settings(outputs=("glb", "ply", "glb")))
    one, other = {"min_face": 30, "max_faces": 2}, {"max_faces": 2.0, "min_face": 30.0}
    assert fingerprint(settings_from(one)) == fingerprint(settings_from(dict(reversed(other.items()))))


# Processes


@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_a_crashed_worker_loses_only_its_photo(photos, tmp_path, capsys) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "b.jpg", "kill.jpg", "c.jpg", "d.jpg", "bad.jpg")
    assert job(folder, out=out, workers=2) == 0
    statuses = {name: r["status"] for name, r in manifest(out).items()}
    assert statuses == dict.fromkeys(("a.jpg", "b.jpg", "c.jpg", "d.jpg"), "ok") | {
        "kill.jpg": "error",
        "bad.jpg": "error",
    }
    assert "lack of memory" in capsys.readouterr().err
    assert set(made(out)) == {"a", "b", "c", "d"}


SCRIPT = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # scripts start their background jobs with it ignored
from pathlib import Path
sys.path.insert(0, {tests!r})
from fake_job import Fake
from tronie.cli.run import How, run_photos
from tronie.settings import Settings
if __name__ == "__main__":
    sys.exit(run_photos([{folder!r}], Path({out!r}), Settings(), How(workers={workers}, start=Fake())))
"""


@pytest.mark.skipif(os.name == "nt", reason="signals")
@pytest.mark.parametrize("workers", [1, 2])
def test_interrupted_jobs_keep_what_is_done_and_go_on(photos, tmp_path, workers) -> None:
    out = tmp_path / "out"
    folder = photos("a.jpg", "b.jpg", *[f"wait{i}.jpg" for i in range(6)])
    script = tmp_path / "job.py"
    script.write_text(SCRIPT.format(tests=str(TESTS), folder=str(folder), out=str(out), workers=workers))
    process = subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stderr is not None
    lines = [process.stdout.readline() for _ in range(2)]  # of those that do not wait for us
    process.send_signal(signal.SIGINT)
    assert "Stopping when" in process.stderr.readline()
    (folder / "go").touch()
    rest, errors = process.communicate()
    said = "".join(lines) + rest
    assert process.returncode == 130, errors
    assert "To go on" in errors
    assert "Traceback" not in errors
    records = manifest(out)
    done = {name for name, r in records.items() if r["status"] == "ok"}
    assert 2 <= len(done) <= 2 + workers
    assert len(said.splitlines()) == len(done) + 1
    assert {f"{name}.jpg" for name in made(out)} == done
    assert {r["status"] for name, r in records.items() if name not in done} == {"pending"}
    before = made(out)
    assert job(folder, out=out) == 0
    after = made(out)
    assert len(after) == 8
    assert before.items() <= after.items()


# Options and small things


def test_every_option_of_the_tree_reaches_its_place() -> None:
    settings = settings_from(
        {
            "detector": "mtcnn",
            "min_face": 30.0,
            "max_faces": 2,
            "min_score": 0.7,
            "subdivide": 2,
            "focal": 900.0,
            "texture_size": "512",  # words and numbers come as text
            "hair": "scalp",
            "glasses": "keep",
            "frontal_size": "256",
            "only": "texture",
            "quiet": True,
            "enhance": "always",
            "enhance_limit": 40.0,
            "reference": False,
            "enhanced_photo": True,
        }
    )
    assert settings.detect.model_dump() == {"detector": "mtcnn", "min_face": 30, "max_faces": 2, "min_score": 0.7}
    small = {"mode": "always", "limit": 40, "faces": "small", "look": "vivid", "reference": False}
    assert settings.enhance.model_dump() == small
    assert settings.hair.model_dump() == {"mode": "scalp", "glasses": "keep", "lashes": "auto"}
    assert settings.outputs == in_order((*USUAL, "enhanced_photo"))
    assert (settings.head.subdivide, settings.fit.focal) == (2, 900)
    assert (settings.texture.size, settings.portrait.size, settings.only) == (512, 256, "texture")


def test_outputs_are_chosen_by_name() -> None:
    assert settings_from({"outputs": "portrait, overlay-film,glb"}).outputs == ("glb", "portrait", "overlay_film")
    assert settings_from({"overlay": False, "lod": True}).outputs == in_order({*USUAL, "lod"} - {"overlay"})
    assert settings_from({"outputs": "glb", "portrait": True}).outputs == ("glb", "portrait")
    assert settings_from({"only": "mesh", "lod": True}).wanted >= {"glb", "lod"}
    assert options.complete_outputs("glb,alb") == ["glb,albedo"]
    wrong: dict[str, object]
    for wrong in (
        {"outputs": "glb,hair"}, {"outputs": ","}, {"outputs": "glb", "only": "mesh"}, {"outputs": "glb", "glb": False},
    ):  # fmt: skip
        with pytest.raises(typer.BadParameter, match="--outputs"):
            settings_from(wrong)


def test_no_option_means_the_defaults_of_the_tree() -> None:
    assert settings_from(dict.fromkeys(PLACES)) == Settings()


def test_a_net_is_a_way_to_enhance() -> None:
    assert settings_from({"enhance": "tronie"}).enhance.mode == "tronie"


def test_help_lists_the_options_with_their_choices(capsys) -> None:
    assert cli.execute(["run", "--help"]) == 0
    assert cli.execute(["person", "--help"]) == 0
    assert cli.execute(["restore", "--help"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    for parameter in PLACES:
        assert "--" + parameter.replace("_", "-") in text
    assert "|".join(get_args(Only)) in text


@pytest.mark.parametrize("arguments", [["--version"], ["-V"]])
def test_version(arguments, capsys) -> None:
    assert cli.execute(arguments) == 0
    assert capsys.readouterr().out == f"tronie {tronie.__version__}\n"


def test_importing_and_asking_the_version_load_nothing_heavy() -> None:
    code = (
        "import sys, tronie, tronie.cli; tronie.cli.execute(['--version']);"
        "print([m for m in ('numpy', 'cv2', 'typer', 'rich', 'pydantic', 'numba', 'scipy') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[1] == "[]"


def test_who_only_deals_out_work_starts_neither_kernels_nor_decoders(tmp_path) -> None:
    code = (
        "import sys, tronie.cli; tronie.cli.execute(sys.argv[1:]);"
        "print([m for m in ('cv2', 'numba', 'onnxruntime', 'scipy') if m in sys.modules])"
    )
    (tmp_path / "a.jpg").touch()
    command = [sys.executable, "-c", code, "run", str(tmp_path), "-o", str(tmp_path / "out"), "--dry-run"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert said.splitlines()[-1] == "[]"


def test_every_public_name_can_be_had() -> None:
    for name in tronie.__all__:
        assert getattr(tronie, name) is not None
    assert set(tronie.__all__) <= set(dir(tronie))
    with pytest.raises(AttributeError, match="nothing_like_it"):
        tronie.nothing_like_it  # noqa: B018


def test_models_are_listed_with_licences(capsys) -> None:
    assert cli.execute(["models"]) == 0
    said = capsys.readouterr().out
    assert "centerface" in said
    assert "MIT" in said
    assert cli.execute(["models", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert all(row["licence"] for row in rows)


def test_doctor_without_the_self_test(capsys) -> None:
    assert cli.execute(["doctor", "--no-self-test", "--json"]) in (0, 1)
    report = json.loads(capsys.readouterr().out)
    assert {"system", "packages", "processor"} <= {check["name"] for check in report["checks"]}


def test_a_task_never_raises(tmp_path) -> None:
    (tmp_path / "out").write_text("in the way")
    outcome = do_photo(FakePipeline(), Task("a.jpg", tmp_path / "out", "a"))
    assert outcome.status == "error"
    assert outcome.reason


def test_explanations_are_one_line() -> None:
    for error in (MemoryError(), OSError(28, "No space left on device", "x"), OSError("odd"), KeyError("a\nb")):
        assert len(sentence(error).splitlines()) == 1


def test_what_reading_left_out_is_told_once_in_each_place(photos, tmp_path, capsys) -> None:
    folder, out = photos("noted.gif"), tmp_path / "out"
    assert job(folder, out=out) == 0
    assert capsys.readouterr().err.splitlines() == [f"{folder / 'noted.gif'}: only the first of 2 frames was used"]
    assert manifest(out)["noted.gif"]["warnings"] == ["only the first of 2 frames was used"]
    job(folder, out=out, overwrite=True, as_json=True)
    assert "only the first" in json.loads(capsys.readouterr().out.splitlines()[0])["warnings"][0]


def test_durations() -> None:
    assert [duration(s) for s in (0.04, 61, 3700)] == ["0.0 s", "1 min 1 s", "1 h 1 min"]


def test_debug_writes_where_an_error_came_from_into_a_file(photos, tmp_path, monkeypatch, capfd) -> None:
    """Of worker processes too; to the terminal goes the sentence."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRONIE_DEBUG", "")
    folder = photos("bug.jpg", "a.jpg")
    script = tmp_path / "job.py"
    script.write_text(DEBUGGED.format(tests=str(TESTS), folder=str(folder), out=str(tmp_path / "out")))
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, cwd=tmp_path)
    assert "Traceback" not in done.stderr
    text = (tmp_path / "tronie-debug.log").read_text()
    assert "Traceback" in text
    assert "ValueError: a mistake" in text


DEBUGGED = """
import os, sys
os.environ["TRONIE_DEBUG"] = "1"
from pathlib import Path
sys.path.insert(0, {tests!r})
from fake_job import Fake
from tronie.cli.run import How, run_photos
from tronie.runtime import logs
from tronie.settings import Settings
if __name__ == "__main__":
    logs.start()
    sys.exit(run_photos([{folder!r}], Path({out!r}), Settings(), How(workers=2, start=Fake())))
"""
