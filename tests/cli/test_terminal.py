"""What reaches the terminal: sentences, and nothing that steers it, whatever files are called and whoever listens."""

from __future__ import annotations

import ast
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from fake_job import job, manifest
from hypothesis import given
from hypothesis import strategies as st
from places import TESTS

import tronie.cli
from tronie import cli
from tronie.cli.say import hushed, plain, say, say_json
from tronie.cli.show import Show

CLI = Path(tronie.cli.__file__).parent
posix = pytest.mark.skipif(os.name == "nt", reason="names and streams as they are elsewhere")
STEER = "\x1b]0;owned\x07\x1b[31m\r\n\x9b2J\u202e\u2066\x00"


def steers(text: str) -> bool:
    return any(not (c.isprintable() or c == "\n") for c in text)


@given(st.text(st.characters()))
def test_a_line_is_one_line_and_cannot_steer(text: str) -> None:
    assert not set(plain(text)) & {chr(c) for c in (*range(32), *range(127, 160), *range(0x202A, 0x202F))}
    assert len(plain(text).splitlines()) <= 1
    assert plain(plain(text)) == plain(text)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_json_says_the_same_however_it_is_escaped(text: str) -> None:
    for indent in (None, 2):
        out = io.StringIO()
        say_json({"source": text}, indent=indent, stream=out)
        assert json.loads(out.getvalue()) == {"source": text}
        assert not {"\x1b", "\x9b", "\u202e", "\x7f"} & set(out.getvalue())


def test_readable_names_stay_readable() -> None:
    for text in ("Zoë à la plage.jpg", "日本 写真.png", "сфінкс", "a\\b [red]x[/red]", "👩‍👧"):
        assert plain(text) == text
    assert plain("a\x1b[2J\nb\u202e") == "a\\x1b[2J\\x0ab\\u202e"


def test_everything_is_said_through_one_function() -> None:
    for file in CLI.glob("*.py"):
        for node in ast.walk(ast.parse(file.read_bytes())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                assert file.name == "say.py", f"{file.name}:{node.lineno} prints"


@posix
@pytest.mark.parametrize("as_json", [False, True])
def test_names_of_files_cannot_steer_the_terminal(photos, tmp_path, capsys, as_json) -> None:
    name = STEER.replace("\x00", "")
    folder = photos(f"a{name}.jpg", f"bad{name}.jpg", f"half{name}.jpg", f"noted{name}.jpg", f"[red]{name}.jpg")
    job(folder, folder / f"none{name}.jpg", out=tmp_path / "out", as_json=as_json, detail="verbose")
    job(folder, out=tmp_path / "out" / "x", as_json=as_json, overwrite=True)
    said = capsys.readouterr()
    assert not steers(said.out + said.err)
    assert as_json or "[red]" in said.out
    assert len(manifest(tmp_path / "out")) == 5


@posix
@pytest.mark.parametrize("command", ["run", "person", "render", "models import sparnet", "nope"])
def test_no_command_repeats_what_steers(tmp_path, monkeypatch, capsys, command) -> None:
    monkeypatch.chdir(tmp_path)
    given = STEER.replace("\x00", "")
    (tmp_path / f"{given}.jpg").write_bytes(b"no photo")
    for argument in (f"{given}.jpg", f"none{given}.jpg", f"--{given}", f"-{given}"):
        cli.execute([*command.split(), argument])
        said = capsys.readouterr()
        assert not steers(said.out + said.err), repr(said)


class Gone(io.StringIO):
    """A stream whose reader has left."""

    def write(self, text: str) -> int:
        raise BrokenPipeError


def test_a_run_goes_on_when_nobody_listens_any_more() -> None:
    for stream in (Gone(), None):
        say("something", stream=stream)
    show = Show(1, out=Gone(), err=Gone())
    with show:
        show.problem("a", "wrong")
        show.note("so")
        show.summary(1.0, "out")


STREAMS = """
import sys
sys.path.insert(0, {tests!r})
from fake_job import Fake
from pathlib import Path
from tronie.cli.say import mend_streams
from tronie.cli.run import How, run_photos
from tronie.settings import Settings
if __name__ == "__main__":
    mend_streams()
    sys.exit(run_photos([sys.argv[1]], Path(sys.argv[2]), Settings(), How(workers=1, start=Fake())))
"""


SINGLE = ("2>&-", ">&-", ">/dev/full")


@posix
@pytest.mark.parametrize(
    "closed", ["<&- >&- 2>&-", "2>/dev/full", "2>&1 | true", *(pytest.param(s, marks=pytest.mark.slow) for s in SINGLE)]
)
def test_a_run_without_its_streams_does_its_work(photos, tmp_path, closed) -> None:
    script, out = tmp_path / "job.py", tmp_path / "out"
    script.write_text(STREAMS.format(tests=str(TESTS)))
    folder = photos("a.jpg", "bad.jpg", "b.jpg")
    line = f'"{sys.executable}" "{script}" "{folder}" "{out}" {closed}'
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {line}"], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception ignored" not in done.stderr
    assert {r["status"] for r in manifest(out).values()} == {"ok", "error"}


@posix
def test_libraries_are_hushed_and_we_are_not() -> None:
    code = (
        "import os, sys\nfrom tronie.cli.say import hushed, say\n"
        "with hushed():\n    os.write(2, b'libpng')\n    say('ours', problem=True)\n"
        "os.write(2, b'after')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "ours\nafter"
    with hushed():
        say("in tests stderr is somebody else's", problem=True)


@posix
def test_links_that_lead_nowhere_are_told_as_such(tmp_path, capsys) -> None:
    (tmp_path / "loop.jpg").symlink_to("loop.jpg")
    (tmp_path / "loop.mp4").symlink_to("loop.mp4")
    (tmp_path / "gone.jpg").symlink_to("nothing.jpg")
    from tronie.errors import InputError
    from tronie.io.images import read_photo
    from tronie.io.video import is_clip, open_clip

    for name, reason in (("loop.jpg", "leads back to itself"), ("gone.jpg", "nothing.jpg, which is not there")):
        assert not is_clip(tmp_path / name)
        with pytest.raises(InputError, match=reason):
            read_photo(tmp_path / name)
        assert job(tmp_path / name, out=tmp_path / "out") == 1
        assert reason in capsys.readouterr().err
    with pytest.raises(InputError, match="leads back to itself"):
        open_clip(tmp_path / "loop.mp4")
