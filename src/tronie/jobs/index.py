"""A table of all faces of a folder of outputs, a row each, out of what stands in their face.json: for those who sort
and choose among many. Photos of parts of a job that are still at work are in it as far as these are."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from tronie.errors import OutputError
from tronie.jobs.manifest import Manifest
from tronie.jobs.place import FILE, Place
from tronie.runtime.atomic_files import new_file, write_file
from tronie.settings import Settings

FORMATS = (".csv", ".parquet")
BATCH = 4096
"""Rows that are held at once."""
COLUMNS: dict[str, type] = {
    "photo": str,
    "folder": str,
    "face": int,
    "width": int,
    "height": int,
    "x0": float,
    "y0": float,
    "x1": float,
    "y1": float,
    "score": float,
    "presence": float,
    "yaw": float,
    "pitch": float,
    "roll": float,
    "shape_sigma_mm": float,
    "seen": float,
    "enhanced": float,
    "hair": str,
    "engine": str,
    "head": str,
    "warnings": str,
    "error": str,
}
"""Name of a column -> what it holds; a cell may be empty."""


def face_row(record: dict[str, Any], source: str, folder: str) -> dict[str, Any]:
    """The row of one face.json. `source` is the photo's path, `folder` the face's, below that of all outputs. What is
    missing stays empty."""
    photo, fit = _branch(record, "photo"), _branch(record, "fit")
    pose, box = _branch(fit, "pose"), record.get("box")
    corners = box if isinstance(box, list) and len(box) == 4 else [None] * 4
    codes = record.get("warning_codes")
    found = {
        "photo": source,
        "folder": folder,
        "face": record.get("index"),
        "width": photo.get("width"),
        "height": photo.get("height"),
        **dict(zip(("x0", "y0", "x1", "y1"), corners, strict=True)),
        "score": record.get("score"),
        "presence": _branch(record, "landmarks").get("presence"),
        **{angle: pose.get(angle) for angle in ("yaw", "pitch", "roll")},
        "shape_sigma_mm": _branch(fit, "diagnostics").get("shape_sigma_mm"),
        "seen": _branch(record, "provenance").get("seen"),
        "enhanced": _branch(record, "enhancement").get("blend"),
        "hair": _branch(record, "hair").get("kind"),
        "engine": record.get("engine"),
        "head": _branch(record, "model").get("name"),
        "warnings": " ".join(map(str, codes)) if isinstance(codes, list) else None,
        "error": record.get("error"),
    }
    return {name: _cell(found[name], kind) for name, kind in COLUMNS.items()}


def rows(out: Place) -> Iterator[dict[str, Any]]:
    """All faces of a folder of outputs, photo by photo. Raises OutputError if it is none."""
    if not out.store and not out.work.is_dir():
        raise OutputError(f"Cannot read {out.address}: no such folder.")
    known = Manifest.open(out, Settings(), only_look=True).known()
    if not len(known):
        raise OutputError(f"There is no {FILE} in {out.address} that knows of photos.")
    for record in known.values():
        if record.status == "ok":
            yield from _of_photo(out, record.source, record.name)


def _of_photo(out: Place, source: str, name: str) -> Iterator[dict[str, Any]]:
    for number, text in out.faces(name):
        with suppress(ValueError, RecursionError):
            record = json.loads(text)
            if isinstance(record, dict):
                yield face_row(record, source, f"{name}/face-{number}")


def write_index(out: Place, file: Path, *, overwrite: bool = True) -> int:
    """Write the table of all faces, as CSV or Parquet by the file's ending; how many there are. Raises OutputError."""
    if file.suffix.lower() == ".parquet":
        return _write_parquet(out, file, overwrite)
    count = 0

    def text() -> Iterator[bytes]:
        nonlocal count
        yield (",".join(COLUMNS) + "\n").encode()
        for batch in _batches(out):
            count += len(batch)
            stream = io.StringIO(newline="")
            csv.DictWriter(stream, list(COLUMNS), lineterminator="\n").writerows(batch)
            yield stream.getvalue().encode("utf-8", errors="replace")

    write_file(file, text(), overwrite=overwrite)
    return count


def _write_parquet(out: Place, file: Path, overwrite: bool) -> int:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise OutputError(f"Cannot write {file}: Parquet needs pip install 'tronie[parquet]'; .csv does not.") from None
    kinds = {str: pyarrow.string(), int: pyarrow.int64(), float: pyarrow.float64()}
    schema = pyarrow.schema([(name, kinds[kind]) for name, kind in COLUMNS.items()])
    count = 0
    with new_file(file, overwrite=overwrite) as temporary, pyarrow.parquet.ParquetWriter(temporary, schema) as writer:
        for batch in _batches(out):
            count += len(batch)
            writer.write_table(pyarrow.Table.from_pylist(batch, schema=schema))
    return count


def _batches(out: Place) -> Iterator[list[dict[str, Any]]]:
    every = rows(out)
    while batch := list(islice(every, BATCH)):
        yield batch


def _branch(record: dict[str, Any], name: str) -> dict[str, Any]:
    found = record.get(name)
    return found if isinstance(found, dict) else {}


def _cell(value: Any, kind: type) -> Any:
    """The value if it is of its column's kind."""
    if kind is float and isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    if kind is str and isinstance(value, str):
        return value.encode("utf-8", errors="replace").decode()
    return value if kind is int and type(value) is int and abs(value) < 1 << 62 else None
