"""The files behind the arguments of a run, walked in order. There may be a million: of each only its path is held."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from fnmatch import fnmatch, fnmatchcase
from glob import glob, has_magic
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tronie.errors import InputError
from tronie.io.kinds import LIVE, counted, kind_of
from tronie.io.live_photos import FILM, belongs_to_photo
from tronie.io.paths import identity, is_address, leads_nowhere, typed
from tronie.io.store import Item, Store, Version


@dataclass(frozen=True, slots=True)
class RefusedInput:
    """One argument that cannot be used."""

    source: str
    """As the user typed it."""
    reason: str
    """One clause that follows the name, without a full stop."""


class FoundFile(NamedTuple):
    """A file as it is met."""

    path: str
    """As the user would write it."""
    key: str
    """Its identity: the same by whatever path it is met."""
    place: str
    """Its path below the argument that it was found by, with `/`: the same on every machine that has the folder."""
    version: Version | None = None
    """Of what lies in a store."""


@dataclass(slots=True)
class Listing:
    """What the arguments of a run stand for."""

    files: dict[str, str] = field(default_factory=dict)
    """Identity -> path: in the order of the arguments, those of a folder or pattern sorted; no file twice."""
    elsewhere: set[str] = field(default_factory=set)
    """Identities of those files that another part of a divided job does."""
    problems: list[RefusedInput] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    """How many files of a folder or pattern were left out because their kind is not read, by their ending."""
    versions: dict[str, Version] = field(default_factory=dict)
    """Identity -> version, of files in a store, which tells that with their names."""

    @classmethod
    def of(cls, paths: Iterable[str | os.PathLike[str]]) -> Listing:
        """These files, whatever they are."""
        listing = cls()
        for path in paths:
            listing.files.setdefault(identity(path), os.fspath(path))
        return listing

    @property
    def own(self) -> int:
        """How many files are to be done here."""
        return len(self.files) - len(self.elsewhere)


def list_files(
    arguments: Sequence[str | os.PathLike[str]],
    suffixes: Collection[str],
    *,
    recursive: bool = False,
    exclude: str | os.PathLike[str] | None = None,
    sequence: Callable[[str], tuple[list[Path], str | None] | None] = lambda argument: None,
    part: Callable[[str], bool] = lambda place: True,
) -> Listing:
    """Expand files, folders and glob patterns; no file is opened but films that may belong to a photo beside them.

    A file that is named is taken whatever its suffix (the reader says if it is no photo); folders and patterns
    give only files whose suffix is in `suffixes` (lower case, with the dot). `exclude` is a folder, or a place in a
    store, to leave out: the outputs may lie below the inputs. A path that exists is never taken for a pattern, so
    `a[1].jpg` works. `sequence` says of an argument whether it is one path that stands for many pictures. `part` says
    of a file's place whether it is done here.
    """
    found = _Search(frozenset(suffixes), recursive, None if exclude is None else identity(exclude))
    listing = Listing()
    for argument in arguments:
        before, reason = len(found.problems), ""
        try:
            pictures = None if is_address(os.fspath(argument)) else sequence(os.fspath(argument))
            some: Iterable[FoundFile]
            if pictures is not None:
                some, why = [FoundFile(str(p), identity(p), p.name) for p in pictures[0]], pictures[1]
                reason = why or ""
            else:
                some = found.expand(os.fspath(argument))
            for path, key, place, version in some:
                if key not in listing.files:
                    listing.files[key] = key if path == key else path
                    if version is not None:
                        listing.versions[key] = version
                    if not part(place):
                        listing.elsewhere.add(key)
        except _Nothing as nothing:
            reason = str(nothing)
        except InputError as error:
            reason = str(error).removesuffix(".")
        if reason:
            listing.problems.append(RefusedInput(str(argument), reason))
        del found.problems[before:]
    listing.left_out = dict(counted(name for key, name in found.left.items() if key not in listing.files))
    if live := len(found.live - listing.files.keys()):
        listing.left_out[LIVE] = live
    return listing


class _Nothing(Exception):
    """An argument stands for no file; why, as a clause."""


@dataclass(slots=True)
class _Search:
    suffixes: frozenset[str]
    recursive: bool
    exclude: str | None
    """The identity of a folder to leave out."""
    problems: list[OSError] = field(default_factory=list)
    """Folders that could not be read."""
    left: dict[str, str] = field(default_factory=dict)
    """Identity -> name of files that were not taken."""
    live: set[str] = field(default_factory=set)
    """Identities of films that were not taken because they belong to a photo."""

    def expand(self, argument: str) -> Iterator[FoundFile]:
        """The files behind one argument. Raises _Nothing where there are none."""
        if "\0" in argument:  # some Pythons say that there is no such file, and break down at a pattern
            raise _Nothing("is not a path")
        if is_address(argument):
            yield from self.stored(argument)
            return
        path = typed(argument)
        try:
            if path.is_dir():
                yield from self.folder(path)
                return
            if path.exists():
                yield FoundFile(str(path), identity(path), path.name)
                return
        except OSError as error:  # a name that is too long, a folder above that may not be entered
            raise _Nothing(error.strerror or str(error)) from None
        except ValueError:  # a null character
            raise _Nothing("is not a path") from None
        if not has_magic(argument) or os.path.lexists(path):
            raise _Nothing(leads_nowhere(path) or "no such file or folder")
        yield from self.pattern(argument, path)

    def pattern(self, argument: str, path: Path) -> Iterator[FoundFile]:
        # `*.jfif` asks for that suffix itself; `photos/*` does not ask for the notes lying there.
        wanted = path.suffix.lower()
        named, any_found = bool(wanted) and not has_magic(wanted), False
        base = Path(*path.parts[: next(k for k, part in enumerate(path.parts) if has_magic(part))])
        matches = sorted(glob(str(path), recursive=True))
        every = set(matches)
        for match in map(Path, matches):
            key = identity(match)
            if self.excluded(key):
                continue
            if belongs_to_photo(str(match), every):
                self.live.add(key)
                continue
            place = _place(match, base)
            if match.is_dir():
                if not named and "**" not in argument:
                    for file in self.walk(str(match), key, place):
                        any_found = True
                        yield file
            elif match.suffix.lower() in self.suffixes or (named and fnmatch(match.suffix.lower(), wanted)):
                any_found = True
                yield FoundFile(str(match), key, place)
            else:
                self.left[key] = match.name
        if not any_found:
            raise _Nothing("no photo matches")

    def folder(self, path: Path) -> Iterator[FoundFile]:
        before, any_found = len(self.problems), False
        for file in self.walk(str(path), identity(path), ""):
            any_found = True
            yield file
        if any_found:
            return
        if problems := self.problems[before:]:
            raise _Nothing(problems[0].strerror or "cannot be read")
        raise _Nothing(
            "no photo in this folder" + ("" if self.recursive else " (--recursive looks into its folders too)")
        )

    def stored(self, address: str) -> Iterator[FoundFile]:
        """The objects behind an address: one, those of a folder, or those that match a pattern. Raises InputError."""
        store = Store.at(address)
        if (version := store.version()) is not None:
            yield FoundFile(store.url, store.url, PurePosixPath(store.root).name, version)
            return
        pattern, base = "", store
        if has_magic(store.root) and next(store.items(), None) is None:
            parts = store.root.split("/")
            first = next(k for k, part in enumerate(parts) if has_magic(part))
            base, pattern = Store(store.fs, "/".join(parts[:first])), "/".join(parts[first:])
        found = [item for item in base.items() if self._wanted(item, base, pattern)]
        if not found:
            base.must_be_there()
            more = "" if self.recursive or pattern else " (--recursive looks into its folders too)"
            raise _Nothing("no photo matches" if pattern else f"no photo in this folder{more}")
        for item in sorted(found, key=lambda one: one.name.split("/")):
            url = base.below(item.name)
            yield FoundFile(url, url, item.name, item.version)

    def _wanted(self, item: Item, base: Store, pattern: str) -> bool:
        name = item.name.rpartition("/")[2]
        if name.startswith(".") or self.excluded(url := base.below(item.name), "/"):
            return False
        if pattern:
            if not _matches(item.name, pattern):
                return False
        elif "/" in item.name and not self.recursive:
            return False
        ending = os.path.splitext(name)[1].lower()
        if ending in self.suffixes or (pattern and ending and pattern.endswith(ending)):
            return True
        if kind_of(name) is not None:
            self.left[url] = name
        return False

    def walk(self, top: str, real: str, place: str) -> Iterator[FoundFile]:
        """The files of a folder whose identity is `real`, in the order of their paths' parts: its own and those of its
        folders come as they stand between each other, so that nothing has to be sorted but single folders."""
        stack = [self._entries("" if top == os.curdir else top, real, place)]
        while stack:
            for item in stack[-1]:
                if isinstance(item, FoundFile):
                    yield item
                else:
                    stack.append(self._entries(*item))
                    break
            else:
                stack.pop()

    def _entries(self, top: str, real: str, place: str) -> Iterator[FoundFile | tuple[str, str, str]]:
        """The files and folders directly in a folder, by name."""
        names: list[str] = []
        folders: set[str] = set()
        links: set[str] = set()
        try:
            with os.scandir(top or os.curdir) as entries:
                for entry in entries:
                    # Hidden files too: macOS puts a `._a.jpg` that is no picture beside each `a.jpg` on foreign disks.
                    if entry.name.startswith("."):
                        continue
                    if _is(entry.is_dir):
                        if not self.recursive or _is(entry.is_symlink):
                            continue
                        folders.add(entry.name)
                    elif _is(entry.is_symlink):
                        links.add(entry.name)
                    names.append(entry.name)
        except OSError as error:
            self.problems.append(error)
            return
        names.sort(key=os.path.normcase)
        films = any(name.lower().endswith(FILM) for name in names)
        beside = {os.path.join(top, name) for name in names} if films else frozenset()
        for name in names:
            path, below = os.path.join(top, name), f"{place}/{name}" if place else name
            # Only a link's way has to be asked for: of all else in here the folder's is known.
            key = identity(path) if name in links else os.path.normcase(os.path.join(real, name))
            if name in folders:
                if not self.excluded(key):
                    yield path, key, below
            elif os.path.splitext(name)[1].lower() in self.suffixes:
                if belongs_to_photo(path, beside):
                    self.live.add(key)
                else:
                    yield FoundFile(path, key, below)
            elif kind_of(name) is not None:
                self.left[key] = name

    def excluded(self, key: str, sep: str = os.sep) -> bool:
        return self.exclude is not None and (key == self.exclude or key.startswith(self.exclude.rstrip(sep) + sep))


def _matches(name: str, pattern: str) -> bool:
    """Whether a name with `/` is that of a pattern, whose `**` stands for any folders."""
    parts, wanted = name.split("/"), pattern.split("/")
    if "**" in wanted:
        at = wanted.index("**")
        rest = "/".join(wanted[at + 1 :]) or "*"
        head = wanted[:at]
        return all(map(fnmatchcase, parts[:at], head)) and any(
            _matches("/".join(parts[k:]), rest) for k in range(at, len(parts))
        )
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def _is(asked: Callable[[], bool]) -> bool:
    with suppress(OSError):
        return asked()
    return False


def _place(path: Path, base: Path) -> str:
    try:
        return path.relative_to(base).as_posix()
    except ValueError:
        return path.as_posix()
