"""From what a user typed (files, folders, patterns) to a list of photos, each once."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from glob import glob, has_magic
from pathlib import Path

from tronie.io.listing import Listing, RefusedInput, list_files
from tronie.io.paths import typed


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the arguments of a run stand for."""

    paths: tuple[Path, ...]
    """The photos in the order of the arguments, those of a folder or pattern sorted; no file twice."""
    problems: tuple[RefusedInput, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)
    """How many files of a folder or pattern were left out because their kind is not read, by their ending."""


def find_inputs(
    arguments: Sequence[str | os.PathLike[str]],
    suffixes: Collection[str],
    *,
    recursive: bool = False,
    exclude: str | os.PathLike[str] | None = None,
    sequences: bool = False,
) -> Inputs:
    """The same as `list_inputs`, as values."""
    found = list_inputs(arguments, suffixes, recursive=recursive, exclude=exclude, sequences=sequences)
    return Inputs(tuple(map(Path, found.files.values())), tuple(found.problems), found.left_out)


def list_inputs(
    arguments: Sequence[str | os.PathLike[str]],
    suffixes: Collection[str],
    *,
    recursive: bool = False,
    exclude: str | os.PathLike[str] | None = None,
    sequences: bool = False,
    part: Callable[[str], bool] = lambda place: True,
) -> Listing:
    """Expand files, folders and glob patterns as `list_files` does; `shot/%04d.png` stands for the numbered pictures of
    one video, with `sequences` every folder and pattern does."""
    return list_files(
        arguments,
        suffixes,
        recursive=recursive,
        exclude=exclude,
        sequence=lambda argument: _sequence(argument, sequences),
        part=part,
    )


Stamp = tuple[int | None, int | None]
"""Bytes and time of change (ns) of a file, of many their sum and the latest; None, None where there is none."""


def stamp(path: str | os.PathLike[str]) -> Stamp:
    """What tells one version of a source from another: of a file, of the pictures of a folder or pattern."""
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode):
            return status.st_size, status.st_mtime_ns
    except (OSError, ValueError):
        pass
    with suppress(OSError, ValueError):
        if found := [os.stat(one) for one in numbered_pictures(os.fspath(path))]:
            return sum(one.st_size for one in found), max(one.st_mtime_ns for one in found)
    return None, None


LARGEST_READ = 1 << 26
"""Bytes of a file that is read to tell its content from another's; of larger ones size and time have to do."""


def content(path: str | os.PathLike[str]) -> str | None:
    """What a file holds, as a short text; None of what is large or no file."""
    try:
        status = os.stat(path)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST_READ:
            return None
        with open(path, "rb") as file:
            return hashlib.blake2b(file.read(LARGEST_READ), digest_size=16).hexdigest()
    except (OSError, ValueError):
        return None


def _sequence(argument: str, wanted: bool) -> tuple[list[Path], str | None] | None:
    """The argument as one path that stands for many pictures; None if it is none."""
    path = typed(argument)
    try:
        pattern = "%" in path.name and not os.path.lexists(path)
        if not pattern and not (wanted and (path.is_dir() or (has_magic(argument) and not os.path.lexists(path)))):
            return None
        return ([path], None) if numbered_pictures(str(path)) else ([], "no picture is there")
    except OSError as error:  # a name that is too long, a folder that may not be entered
        return [], error.strerror or str(error)
    except ValueError:  # a null character
        return [], "is not a path"


FRAME_NUMBER = re.compile(r"%0?(\d*)d")


def numbered_pictures(source: str) -> list[Path]:
    """The pictures of a folder, of a glob pattern or of a pattern with %d, in their order."""
    path = Path(source)
    if path.is_dir():
        from tronie.io.kinds import IMAGE_SUFFIXES

        found = [p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")]
    elif "%" in path.name:
        parts = [re.escape(text) for text in FRAME_NUMBER.split(path.name)[::2]]
        wanted = re.compile(r"\d+".join(parts))
        there = path.parent.iterdir() if path.parent.is_dir() else iter(())
        found = [p for p in there if wanted.fullmatch(p.name)]
    else:
        found = [Path(p) for p in glob(source)] if has_magic(source) else []
    return sorted(found, key=lambda p: [int(t) if t.isdigit() else t.lower() for t in re.split(r"(\d+)", p.name)])
