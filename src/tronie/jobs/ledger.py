"""A manifest on disk, read and written record by record: of each photo of a million only its line is held."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Iterable, Iterator, MutableMapping
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from tronie.export.records import InputRecord, ManifestRecord, dump, to_json
from tronie.io.paths import fold, is_address, is_safe

START, END = b'  "inputs": [\n', re.compile(rb"  \],?\n")
"""The lines around the records, as they are written here."""
LONGEST_HEAD = 1000
"""Lines of a manifest that are no records."""
EMPTY = b'"inputs": []'
NAME = re.compile(rb'"name": "((?:[^"\\]|\\.)*)"')
SOURCE = re.compile(rb'"source": "((?:[^"\\]|\\.)*)"')


class Records(MutableMapping[str, InputRecord]):
    """The records of photos by what finds them. A record is kept as the line that it is in the file, which takes a
    tenth of the memory."""

    def __init__(self) -> None:
        self._lines: dict[str, bytes] = {}

    def __getitem__(self, key: str) -> InputRecord:
        return InputRecord.model_validate_json(self._lines[key])

    def __setitem__(self, key: str, record: InputRecord) -> None:
        self._lines[key] = line(record)

    def __delitem__(self, key: str) -> None:
        del self._lines[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lines)

    def __len__(self) -> int:
        return len(self._lines)

    def __contains__(self, key: object) -> bool:
        return key in self._lines

    def put(self, key: str, text: bytes) -> None:
        """A record that is a line already."""
        self._lines[key] = text

    def take(self, others: Records) -> None:
        """Add those of a part of the job, which are the newer ones; of two that name one folder the newer one stays. In
        the order of the photos' paths, for the parts may end in any."""
        names = {_fold(text): key for key, text in others._lines.items()}
        for key, text in list(self._lines.items()):
            if names.get(_fold(text), key) != key:
                del self._lines[key]
        self._lines.update(others._lines)
        self._lines = dict(sorted(self._lines.items(), key=lambda item: _parts(item[1])))

    def keep(self, keys: Iterable[str]) -> None:
        """Only these."""
        self._lines = {key: self._lines[key] for key in keys if key in self._lines}

    def without(self, names: Collection[str]) -> None:
        """Only those whose folders have none of these names, folded."""
        self._lines = {key: text for key, text in self._lines.items() if _fold(text) not in names}

    def names(self) -> set[str]:
        """The names of all folders, folded."""
        return {_fold(text) for text in self._lines.values()}

    def lines(self) -> Iterable[bytes]:
        return self._lines.values()


def line(record: InputRecord) -> bytes:
    return dump(record.model_dump(mode="python", warnings=False), 0).encode("utf-8", errors="replace")


def _text(found: re.Match[bytes] | None) -> str:
    return "" if found is None else str(json.loads(f'"{found[1].decode()}"'))


def _fold(text: bytes) -> str:
    """The folded name in a line that was written here."""
    return fold(_text(NAME.search(text)))


def _parts(text: bytes) -> tuple[str, ...]:
    return Path(_text(SOURCE.search(text))).parts


def written(head: ManifestRecord, lines: Iterable[bytes]) -> Iterator[bytes]:
    """A manifest without inputs, and their lines, as the text that `to_json` makes of the whole."""
    before, _, after = to_json(head).partition(EMPTY)
    yield before + EMPTY[:-1]
    mark = b"\n    "
    for text in lines:
        yield mark + text
        mark = b",\n    "
    yield (b"]" if mark == b"\n    " else b"\n  ]") + after


def read(path: Path) -> Records:
    """The records of a manifest, by the identity of their photos. It is a file like any other: OSError where it cannot
    be read, ValueError with a clause where it is no manifest, or where a name in it is none that this program gives:
    folders of these names are replaced."""
    if not path.is_file():  # a pipe would be waited for
        raise ValueError("it is not an ordinary file")
    records, names, places = Records(), set[str](), _Places()
    for text in _inputs(path):
        record = InputRecord.model_validate_json(text)
        if not is_safe(record.name):
            raise ValueError(f"it gives {record.name[:80]!r} as the name of a folder")
        folded = fold(record.name)
        if folded in names:
            raise ValueError(f"it gives two photos the folder {record.name}")
        if "\0" in record.source:
            raise ValueError("it gives a photo a path that is none")
        names.add(folded)
        key = places.identity(record.source)
        if _text(NAME.search(text)) == record.name and _text(SOURCE.search(text)) == record.source:
            records.put(key, text)  # as it was written here
        else:
            records[key] = record
    return records


def reason(error: Exception) -> str:
    """Why `read` could not read, as a clause."""
    if isinstance(error, OSError):
        return error.strerror or str(error)
    return "it is no manifest of this version of tronie" if isinstance(error, ValidationError) else str(error)


def _inputs(path: Path) -> Iterator[bytes]:
    """The records of a manifest as JSON. One that was written here is read line by line, any other whole."""
    with open(path, "rb") as file:
        around = _around(file)
        file.seek(0)
        if around is None:
            yield from map(line, ManifestRecord.model_validate_json(file.read()).inputs)
            return
        ManifestRecord.model_validate_json(around)
        inside = False
        for text in file:
            if inside and END.fullmatch(text):
                return
            if inside:
                yield text.strip().removesuffix(b",")
            inside = inside or text == START


def _around(file: IO[bytes]) -> bytes | None:
    """A manifest without its records; None where a line each is not how it is written."""
    kept, inside = [], False
    for text in file:
        inside = inside and END.fullmatch(text) is None
        if not inside:
            kept.append(text)
        elif not text.startswith(b"    {") or len(kept) > LONGEST_HEAD:
            return None
        inside = inside or text == START
    return b"".join(kept) if START in kept and len(kept) <= LONGEST_HEAD else None


class _Places:
    """Identities of many paths, of which few folders are asked for twice."""

    def __init__(self) -> None:
        self._folders: dict[str, str] = {}

    def identity(self, source: str) -> str:
        if is_address(source):
            return source
        folder, name = os.path.split(source)
        if name in ("", os.curdir, os.pardir) or os.path.islink(source):
            return os.path.normcase(os.path.realpath(source))
        if folder not in self._folders:
            self._folders[folder] = os.path.realpath(folder)
        return os.path.normcase(os.path.join(self._folders[folder], name))
