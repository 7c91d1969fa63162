"""The commands that README.md and docs/ show are commands: their programs are there and take just these arguments."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest
import typer
from commands_shown import OUTSIDE, PAGES, PROGRAMS, SHOWN
from places import ROOT

from tronie.cli.app import app
from tronie.cli.options import PLACES, settings_from
from tronie.importers import KINDS
from tronie.importers.heads import families

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
TOP: Any = typer.main.get_command(app)
BROUGHT = {"sparnet-hd", "flame-2023", "ict-facekit"}
"""Models that a user has brought along and that are not here."""


def shown(*programs: str) -> Any:
    """The commands of these programs, each once, as parameters of a test."""
    found = {tuple(words): page for page, words in SHOWN if words[0] in programs}
    return pytest.mark.parametrize(
        "words", [pytest.param(list(words), id=f"{page.name}: {' '.join(words)}"[:90]) for words, page in found.items()]
    )


def test_there_is_something_to_look_at() -> None:
    assert len(SHOWN) > 120
    assert sum(words[0] == "tronie" for _, words in SHOWN) > 80
    with pytest.raises(Exception, match="No such option"):
        parsed(["tronie", "run", "photo.jpg", "--no-such-option"])
    with pytest.raises(Exception, match="should be"):
        settings_of(["tronie", "run", "photo.jpg", "--crop", "round"])


def test_every_program_is_known() -> None:
    assert not {words[0] for _, words in SHOWN} - PROGRAMS - OUTSIDE


def parsed(words: list[str]) -> tuple[Any, dict[str, Any]]:
    """The command that these words are for, and its parameters; an exception is what a user would get."""
    command, rest = TOP, [word for word in words[1:] if word != "--debug"]  # that one may stand anywhere
    while rest and rest[0] in getattr(command, "commands", {}):
        command = command.commands[rest.pop(0)]
    if hasattr(command, "commands"):  # options of groups do something as soon as they are read
        known = {name for param in command.params for name in (*param.opts, *param.secondary_opts)}
        assert set(rest) <= known
        return command, {}
    return command, command.make_context(words[0], rest).params


def settings_of(words: list[str]) -> None:
    """Ask for the settings that the options stand for, if it is a command that has some."""
    command, params = parsed(words)
    if command.name in ("run", "person"):
        for name in ("enhance", "head"):
            params[name] = None if params.get(name) in BROUGHT else params.get(name)
        asked = {name: value for name, value in params.items() if name in PLACES or isinstance(value, bool | str)}
        settings_from(asked)


@shown("tronie")
def test_tronie_takes_it(words: list[str]) -> None:
    settings_of(words)
    if words[1:3] == ["models", "import"]:
        assert words[3] in {*KINDS, *families()}


@shown("python", "python3")
def test_python_finds_what_it_runs(words: list[str]) -> None:
    if words[1] == "-m":
        if words[2] in ("venv", "pytest"):
            return
        place = ROOT.joinpath("src" if words[2].startswith("tronie") else "", *words[2].split("."))
        sources = list(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]
    else:
        sources = [ROOT / words[1]]
    text = "".join(source.read_text(encoding="utf-8") for source in sources)
    assert text
    if words[1] not in ("main.py", "qt_image.py"):  # which take all options of `tronie run`
        options = [word.split("=")[0] for word in words[2:] if re.match(r"--\w", word)]
        assert not [option for option in options if f'"{option}"' not in text]


@shown("pip")
def test_pip_installs_extras_that_there_are(words: list[str]) -> None:
    named = [part for word in words for part in re.findall(r"^(?:tronie|\.)\[([\w,]+)\]", word)]  # others' are theirs
    extras = [name for part in named for name in part.split(",")]
    assert set(extras) <= set(PROJECT["optional-dependencies"])


@shown("pytest", "nox", "ruff")
def test_tools_are_given_what_there_is(words: list[str]) -> None:
    assert all((ROOT / word).exists() for word in words if word.startswith("tests/"))
    if "-s" in words:
        session = words[words.index("-s") + 1].split("-")[0]
        assert f"\ndef {session}(" in (ROOT / "noxfile.py").read_text(encoding="utf-8")


def test_settings_in_toml_can_be_read() -> None:
    texts = [page.read_text(encoding="utf-8") for page in PAGES]
    blocks = [block for text in texts for block in re.findall(r"^```toml\n(.*?)^```", text, re.MULTILINE | re.DOTALL)]
    assert blocks
    assert all(tomllib.loads(block) for block in blocks)
