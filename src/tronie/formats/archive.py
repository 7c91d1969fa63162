"""Zip archives that a user brings along, and folders in their place: sizes are checked before anything is unpacked."""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice, pairwise
from pathlib import Path, PurePosixPath
from typing import IO, Any

from tronie.formats.safety import PIECE, WHOLE, Budget, Refused, plain_size, reading, refusals

TEXT_LIMIT = 8_000_000
"""Bytes of one text in an archive or folder. ICT-FaceKit's have 2.6 MB."""
LIST_LIMIT = 2_000_000
"""Bytes of an archive's list of its files, some hundred for each. A checkpoint of a thousand tensors has 0.1 MB."""
MOST_FILES = 100_000
"""In a folder and the folders in it."""


class _Bounded:
    """An open file that gives out no more at once than the list of an archive's files may have."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(LIST_LIMIT + 1 if size < 0 else min(size, LIST_LIMIT + 1))
        if len(data) > LIST_LIMIT:
            raise Refused("it is damaged or holds too many files")
        return data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def opened(stream: IO[bytes]) -> Iterator[zipfile.ZipFile]:
    """The archive in an open file. Raises Refused for one that nobody makes who means well: files of the same name or
    over each other, paths that lead out of its folder, passwords."""
    bounded: Any = _Bounded(stream)
    with zipfile.ZipFile(bounded) as archive:
        found = archive.infolist()
        if len({info.filename for info in found}) < len(found):
            raise Refused("it holds two files of the same name")
        for info in found:
            path = PurePosixPath(info.filename.replace("\\", "/"))
            if path.is_absolute() or ".." in path.parts or ":" in "".join(path.parts[:1]):
                raise Refused("it holds a path that leads out of its own folder")
            if info.flag_bits & 1:
                raise Refused("it is encrypted")
        places = sorted((info.header_offset, info.compress_size) for info in found)
        if any(at + size > following for (at, size), (following, _) in pairwise(places)):
            raise Refused("its files lie over each other")
        yield archive


def content(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: Budget) -> bytearray:
    """A file of an archive, unpacked to exactly the size that the archive tells."""
    # Others do not let themselves be unpacked piece by piece.
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("it is packed in an unusual way")
    budget.step()
    budget.take(info.file_size)
    out = bytearray(info.file_size)
    at = 0
    with archive.open(info) as stream:
        while piece := stream.read(PIECE):
            out[at : at + len(piece)] = piece
            at += len(piece)
            budget.check_time()
    if at != len(out):
        raise Refused(f"it is damaged: its {info.filename[:80]} is longer or shorter than it says")
    return out


@dataclass(slots=True)
class Texts:
    """The files of a folder or zip archive, read one by one as they are asked for."""

    files: dict[str, Path | zipfile.ZipInfo]
    """By their names without folders."""
    archive: zipfile.ZipFile | None
    budget: Budget

    def __contains__(self, name: str) -> bool:
        return name in self.files

    def __getitem__(self, name: str) -> bytes:
        file = self.files[name]
        size = plain_size(file) if isinstance(file, Path) else file.file_size
        if size > TEXT_LIMIT:
            raise Refused(f"its {name[:80]} is larger than it may be")
        if isinstance(file, Path):
            self.budget.take(size)
            return file.read_bytes()
        assert self.archive is not None
        return bytes(content(self.archive, file, self.budget))


@contextmanager
def texts(place: Path, suffixes: Collection[str]) -> Iterator[Texts]:
    """The files with one of `suffixes` in a folder or zip archive and the folders in it. Raises WeightsError."""
    what = "a folder or zip archive"
    if place.is_dir():
        with refusals(place, what):
            every = list(islice(place.rglob("*"), MOST_FILES + 1))
            if len(every) > MOST_FILES:
                raise Refused("it holds too many files")
            yield Texts({f.name: f for f in sorted(every) if f.suffix in suffixes and f.is_file()}, None, Budget(WHOLE))
        return
    with reading(place, what) as budget, place.open("rb") as stream, opened(stream) as archive:
        chosen = [i for i in archive.infolist() if not i.is_dir() and PurePosixPath(i.filename).suffix in suffixes]
        yield Texts({PurePosixPath(i.filename).name: i for i in chosen}, archive, budget)
