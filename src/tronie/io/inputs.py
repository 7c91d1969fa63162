"""From what a user typed (files, folders, patterns) to a list of photos, each once."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch
from glob import glob, has_magic
from pathlib import Path

from tronie.io.kinds import counted, kind_of
from tronie.io.paths import identity, leads_nowhere, typed


@dataclass(frozen=True, slots=True)
class RefusedInput:
    """One argument that cannot be used."""

    source: str
    """As the user typed it."""
    reason: str
    """One clause that follows the name, without a full stop."""


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
    exclude: Path | None = None,
    sequences: bool = False,
) -> Inputs:
    """Expand files, folders and glob patterns.

    A file that is named is taken whatever its suffix (the reader says if it is no photo); folders and patterns
    give only files whose suffix is in `suffixes` (lower case, with the dot). `exclude` is a folder to leave out:
    the outputs may lie below the inputs. A path that exists is never taken for a pattern, so `a[1].jpg` works.
    `shot/%04d.png` stands for the numbered pictures of one video, with `sequences` every folder and pattern does.
    """
    paths: list[Path] = []
    problems: list[RefusedInput] = []
    seen: set[str] = set()
    left: dict[str, str] = {}
    for argument in arguments:
        found, reason = _sequence(os.fspath(argument), sequences) or _expand(
            os.fspath(argument), suffixes, recursive, exclude, left
        )
        if reason:
            problems.append(RefusedInput(str(argument), reason))
        for path in found:
            if (key := identity(path)) not in seen:
                seen.add(key)
                paths.append(path)
    missed = counted(name for key, name in left.items() if key not in seen)
    return Inputs(tuple(paths), tuple(problems), dict(missed))


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


def _expand(
    argument: str, suffixes: Collection[str], recursive: bool, exclude: Path | None, left: dict[str, str]
) -> tuple[list[Path], str | None]:
    """The photos behind one argument, or why there are none. `left` takes the identities and names of other files."""
    path = typed(argument)
    try:
        if path.is_dir():
            return _in_folder(path, suffixes, recursive, exclude, left)
        if path.exists():
            return [path], None
    except OSError as error:  # a name that is too long, a folder above that may not be entered
        return [], error.strerror or str(error)
    except ValueError:  # a null character
        return [], "is not a path"
    if not has_magic(argument) or os.path.lexists(path):
        return [], leads_nowhere(path) or "no such file or folder"
    matches = [Path(match) for match in sorted(glob(str(path), recursive=True))]
    # `*.jfif` asks for that suffix itself; `photos/*` does not ask for the notes lying there.
    wanted = path.suffix.lower()
    named = bool(wanted) and not has_magic(wanted)
    found: list[Path] = []
    for match in matches:
        if _below(match, exclude):
            continue
        if match.is_dir():
            if not named and "**" not in argument:
                found.extend(_in_folder(match, suffixes, recursive, exclude, left)[0])
        elif match.suffix.lower() in suffixes or (named and fnmatch(match.suffix.lower(), wanted)):
            found.append(match)
        else:
            left[identity(match)] = match.name
    return found, None if found else "no photo matches"


def _in_folder(
    folder: Path, suffixes: Collection[str], recursive: bool, exclude: Path | None, left: dict[str, str]
) -> tuple[list[Path], str | None]:
    problems: list[OSError] = []
    found = sorted(_walk(folder, suffixes, recursive, exclude, problems, left))
    if found:
        return found, None
    if problems:
        return [], problems[0].strerror or "cannot be read"
    return [], "no photo in this folder" + ("" if recursive else " (--recursive looks into its folders too)")


def _walk(
    folder: Path,
    suffixes: Collection[str],
    recursive: bool,
    exclude: Path | None,
    problems: list[OSError],
    left: dict[str, str],
) -> Iterator[Path]:
    for top, folders, names in os.walk(folder, onerror=problems.append):
        # Hidden files are left out: macOS puts a `._a.jpg` that is no picture beside each `a.jpg` on foreign disks.
        for name in names:
            if name.startswith("."):
                continue
            if os.path.splitext(name)[1].lower() in suffixes:
                yield Path(top, name)
            elif kind_of(name) is not None:
                left[identity(Path(top, name))] = name
        folders[:] = [
            name for name in folders if recursive and not name.startswith(".") and not _below(Path(top, name), exclude)
        ]


def _below(path: Path, folder: Path | None) -> bool:
    if folder is None:
        return False
    inner, outer = identity(path), identity(folder)
    return inner == outer or inner.startswith(outer.rstrip(os.sep) + os.sep)


FRAME_NUMBER = re.compile(r"%0?(\d*)d")


def numbered_pictures(source: str) -> list[Path]:
    """The pictures of a folder, of a glob pattern or of a pattern with %d, in their order."""
    path = Path(source)
    if path.is_dir():
        from tronie.io.images import IMAGE_SUFFIXES  # brings the decoders, which who only deals out work does without

        found = [p for p in path.iterdir() if p.suffix.lower() in IMAGE_SUFFIXES and not p.name.startswith(".")]
    elif "%" in path.name:
        parts = [re.escape(text) for text in FRAME_NUMBER.split(path.name)[::2]]
        wanted = re.compile(r"\d+".join(parts))
        there = path.parent.iterdir() if path.parent.is_dir() else iter(())
        found = [p for p in there if wanted.fullmatch(p.name)]
    else:
        found = [Path(p) for p in glob(source)] if has_magic(source) else []
    return sorted(found, key=lambda p: [int(t) if t.isdigit() else t.lower() for t in re.split(r"(\d+)", p.name)])
