"""Models that a user imported: in the user's model store each is a file (a net as ONNX, a face model as npz) and,
beside it, a record of what it is."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path

from tronie.errors import OutputError
from tronie.runtime.atomic_files import make_folder, sweep, write_file
from tronie.runtime.json_text import parsed
from tronie.runtime.weights import digest, store

SUFFIXES = (".onnx", ".npz")
"""Of the models' files."""


@dataclass(frozen=True, slots=True)
class Imported:
    """The record of one model."""

    name: str
    kind: str
    """What it is for and how it was read: a key of `KINDS`."""
    purpose: str
    licence: str
    commercial_use: bool
    origin: str
    source: str
    """Name of the file it was imported from; signs that no text can hold are spelled out."""
    source_sha256: str
    side: int
    """Side of the pictures that go in, pixels; 0 where none do."""
    date: str
    """Of the import, ISO 8601, UTC."""
    bytes: int
    """Size of the model's file."""
    suffix: str = ".onnx"
    """Of the model's file: one of SUFFIXES."""

    @property
    def path(self) -> Path:
        """The model's file."""
        return store() / f"{self.name}{self.suffix}"

    @property
    def record(self) -> Path:
        return store() / f"{self.name}.json"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a user should know of a kind of model before getting it."""

    name: str
    """Of the kind: `tronie models import NAME FILE`."""
    what: str
    licence: str
    ask: str
    """Where the files are given away."""
    files: tuple[str, ...]
    """What they are called."""
    commercial_use: bool = False


def imported() -> dict[str, Imported]:
    """What the store holds, by name. Broken records and those whose model is missing or half replaced are left out."""
    found: dict[str, Imported] = {}
    for file in sorted(store().glob("*.json")):
        with suppress(OSError, ValueError, TypeError):
            values = parsed(file.read_bytes())
            one = Imported(**{field.name: values[field.name] for field in fields(Imported) if field.name in values})
            if one.record == file and one.suffix in SUFFIXES and one.path.stat().st_size == one.bytes:
                found[one.name] = one
    return found


def new_record(
    name: str,
    kind: str,
    source: Path,
    *,
    purpose: str,
    licence: str,
    commercial_use: bool,
    origin: str,
    side: int = 0,
    suffix: str = ".onnx",
) -> Imported:
    """The record of a model that is being imported now from file `source`."""
    return Imported(
        name,
        kind,
        purpose,
        licence,
        commercial_use,
        origin,
        _printable(source.name),
        digest(source),
        side,
        datetime.now(UTC).isoformat(timespec="seconds"),
        0,
        suffix,
    )


def _printable(name: str) -> str:
    """File names may hold bytes that are no text in any coding: such a record could not be written."""
    return name.encode(errors="backslashreplace").decode()


def check_free(name: str, overwrite: bool) -> None:
    """OutputError if a model of that name is in the store and may not be replaced."""
    if not overwrite and (there := imported().get(name)):
        raise OutputError(f"{name} has been imported already, from {there.source}; use --overwrite to replace it.")


def keep(record: Imported, data: bytes) -> Imported:
    """Put a model's file and its record into the store, in the place of older ones; the complete record."""
    make_folder(store())
    sweep(store())  # what an import that was killed left behind may have hundreds of megabytes
    record = Imported(**(asdict(record) | {"bytes": len(data)}))
    # The record comes last: should the process die in between, the model counts as not imported.
    with suppress(OSError):
        record.record.unlink()
    write_file(record.path, data)
    write_file(record.record, (json.dumps(asdict(record), indent=2, ensure_ascii=False) + "\n").encode())
    return record
