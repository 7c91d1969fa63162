"""Files, modules and options that the documentation names are there; so are modules that docstrings point to."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import typer
from places import DOCS, ROOT

import tronie
from tronie.cli.app import app
from tronie.outputs import OUTPUTS

SRC = ROOT / "src"
PACKAGE = SRC / "tronie"
SCRIPTS = [
    *sorted((ROOT / "benchmarks").rglob("*.py")),
    *sorted((ROOT / "training").rglob("*.py")),
    *sorted(DOCS.rglob("*.py")),
    PACKAGE / "export" / "tronie_blender_import.py",
    ROOT / "main.py",
]
"""Programs with options of their own."""
PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("training", "examples")),
]
OTHER_PROGRAMS = {"--check", "--no-NAME"}
"""Options of ruff; and what stands for many."""
NOT_MODULES = {"tronie.heads"}
"""The group of entry points for families of heads."""
FOLDERS = {"src", "tests", "docs", "training", "benchmarks", "fuzz", "examples"} | {p.name for p in PACKAGE.iterdir()}
PLACEHOLDER = re.compile(r"[A-Z]{2,}")
"""`stages/NAME`, `PHOTO/sheet.jpg`."""
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
CODE = re.compile(r"`([^`\n]+)`")
OPTION = re.compile(r"(?<![\w-])--[a-z][A-Za-z0-9_-]*")
DOTTED = re.compile(r"\btronie(?:\.[A-Za-z_]\w*)+")

pages = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def said(page: Path) -> list[str]:
    """What stands in backticks."""
    return CODE.findall(BLOCK.sub("", page.read_text(encoding="utf-8")))


# Files


@cache
def names_of_files() -> set[str]:
    folders = [ROOT / name for name in ("src", "tests", "docs", "training", "benchmarks", "fuzz")]
    files = [*ROOT.glob("*.py"), *(path for folder in folders for path in folder.rglob("*.py"))]
    return {path.name for path in files}


def is_file(name: str) -> bool:
    """Whether `name` is a file or folder of the repository, said from its root or from the package's; a file of Python
    may be named without its folder."""
    if "/" not in name:
        return name in names_of_files()
    return any((root / path).exists() for root in (ROOT, SRC, PACKAGE) for path in (name, f"{name}.py"))


def files_said(page: Path) -> Iterator[str]:
    for code in said(page):
        if re.fullmatch(r"[\w.-]+(/[\w.-]+)*/?", code) and not PLACEHOLDER.search(code):
            first, *more = code.split("/")
            if code.endswith(".py") or (more and first in FOLDERS):
                yield code


@pages
def test_files_are_there(page: Path) -> None:
    assert not [name for name in files_said(page) if not is_file(name)]


@pages
def test_links_lead_to_files(page: Path) -> None:
    links = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert not [link for link in links if not (page.parent / link).exists()]


# Modules, functions, classes


@cache
def names_in(module: Path) -> set[str]:
    """What a module defines or imports at its top level."""
    names: set[str] = set()
    for node in ast.parse(module.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names.update(one.id for target in targets for one in ast.walk(target) if isinstance(one, ast.Name))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update(alias.asname or alias.name for alias in node.names)
    return names


def is_name(dotted: str) -> bool:
    """Whether `dotted` is a module of the package or something in one; of a class's members nothing is asked."""
    here, rest = PACKAGE, dotted.split(".")[1:]
    while rest and (here / rest[0]).is_dir():
        here /= rest.pop(0)
    if rest and (here / f"{rest[0]}.py").is_file():
        return len(rest) == 1 or rest[1] in names_in(here / f"{rest[0]}.py")
    return not rest or rest[0] in (tronie.__all__ if here == PACKAGE else names_in(here / "__init__.py"))


@pages
def test_modules_and_what_is_in_them_are_there(page: Path) -> None:
    names = {name for code in said(page) for name in DOTTED.findall(code)} - NOT_MODULES
    assert not [name for name in sorted(names) if not is_name(name)]


def test_docstrings_point_to_what_is_there() -> None:
    wrong = []
    for path in (*PACKAGE.rglob("*.py"), *SCRIPTS):
        for code in CODE.findall(path.read_text(encoding="utf-8")):
            names = set(DOTTED.findall(code)) - NOT_MODULES if code.startswith("tronie.") else ()
            wrong += [(path.relative_to(ROOT).as_posix(), name) for name in names if not is_name(name)]
    assert not wrong


# Options


COMMANDS: Any = typer.main.get_command(app)


def options_of(command: Any) -> set[str]:
    return {name for one in command.params for name in (*one.opts, *one.secondary_opts)} | {"--help"}


def all_options(command: Any) -> set[str]:
    below = (all_options(one) for one in getattr(command, "commands", {}).values())
    return options_of(command).union(*below)


def has_option(option: str, options: set[str]) -> bool:
    """`--no-overlay` leaves the output `overlay` out."""
    return option in options or option.removeprefix("--no-").replace("-", "_") in OUTPUTS


@cache
def options_of_scripts() -> set[str]:
    """All that look like options in texts of programs beside `tronie`."""
    return {name for path in SCRIPTS for name in re.findall(r'"(--[\w-]+)"', path.read_text(encoding="utf-8"))}


@pages
def test_options_are_there(page: Path) -> None:
    known = all_options(COMMANDS) | options_of_scripts() | OTHER_PROGRAMS
    options = {name for code in said(page) for name in OPTION.findall(code)}
    assert not [name for name in sorted(options) if not has_option(name, known)]


def test_there_is_something_to_look_at() -> None:
    assert sum(len(list(files_said(page))) for page in PAGES) > 80
    assert not is_file("stages/no_such.py")
    assert not is_name("tronie.stages.no_such")
    assert not is_name("tronie.types.NoSuchNoun")
