"""What came of a job's uploads, told from the files in the folder of its result."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from tronie.pipelines.outcome import Outcome
from tronie.runtime.json_text import parsed
from tronie.service.stored import FaceReport, PhotoReport, Report, ResultFile, Upload

CLIP = "clip.json"
LARGEST = 20_000_000
"""Bytes of a record that is read."""
DAMAGED = "What was written of this face cannot be read."
_FACE = TypeAdapter(FaceReport)


def report_of(folder: Path, uploads: Sequence[Upload], outcomes: Sequence[Outcome]) -> Report:
    """Of each upload what became of it, in their order, and every file with its size and checksum."""
    files = tuple(_files(folder))
    names = [file.name for file in files]
    photos = [
        photo_report(folder, names, place, upload, outcome)
        for place, (upload, outcome) in enumerate(zip(uploads, outcomes, strict=True))
    ]
    return Report(tuple(photos), files)


def photo_report(folder: Path, names: Sequence[str], place: int, upload: Upload, outcome: Outcome) -> PhotoReport:
    """`names` are those of all files of the result."""
    name = outcome.folder.name
    # Of the photo as a whole: sheet.jpg; with the output `flat` also files beside its folder.
    own = {each.removeprefix(f"{name}/"): each for each in names if each.startswith(f"{name}/")}
    beside = {each: each for each in names if "/" not in each and each.startswith(f"{name}_face-")}
    faces = tuple(_faces(outcome.folder, own))
    lost = len(outcome.unmeasured)
    unmeasured = f"{'1 face was' if lost == 1 else f'{lost} faces were'} seen that could not be measured"
    return PhotoReport(
        upload=place,
        status=outcome.status,
        reason=None if outcome.reason is None else public(outcome.reason, folder, upload),
        notes=tuple(public(note, folder, upload) for note in (*outcome.notes, *((unmeasured,) if lost else ()))),
        seconds=round(outcome.seconds, 2),
        width=upload.width,
        height=upload.height,
        faces=faces,
        files={short: each for short, each in own.items() if "/" not in short} | beside,
    )


def public(text: str, folder: Path, upload: Upload) -> str:
    """A sentence without paths of this machine, with the name that the file has for its owner."""
    for path in (f"{folder}{os.sep}", str(folder)):
        text = text.replace(path, "")
    text = text.replace(upload.file, upload.name)
    for advice in ("; use --overwrite", "; --debug", " (--timeout", " (--memory", ", or allow more with"):
        before, found, _ = text.partition(advice)
        text = f"{before.rstrip('.')}." if found else text
    return text


def _faces(folder: Path, own: Mapping[str, str]) -> list[FaceReport]:
    """Of a photo's faces or a clip's people, by number."""
    faces = []
    people = _people(folder, own)
    found = sorted({short.split("/")[0] for short in own if short.startswith("face-")}, key=_number)
    for place in found:
        index, written = _number(place), f"{place}/face.json"
        files = {short.partition("/")[2]: each for short, each in own.items() if short.startswith(f"{place}/")}
        record = _read(folder / written) if written in own else {}
        person = people.get(index)
        told = {"index": index, "error": record.get("error"), "warnings": record.get("warnings", ()), "files": files}
        if person is None:
            told |= {"box": record.get("box"), "score": record.get("score")}
        else:
            told |= {"box": None, "error": told["error"] or person.get("error")}
        try:
            faces.append(_FACE.validate_python(told))
        except ValidationError:
            faces.append(FaceReport(index, None, error=DAMAGED, files=files))
    return faces


def _people(folder: Path, own: Mapping[str, str]) -> dict[int, Mapping[str, Any]]:
    """What a clip's record says of each person."""
    people = _read(folder / CLIP).get("people") if CLIP in own else None
    listed = [one for one in people if isinstance(one, dict)] if isinstance(people, list) else []
    return {one["index"]: one for one in listed if isinstance(one.get("index"), int)}


def _number(place: str) -> int:
    number = place.removeprefix("face-")
    return int(number) if number.isdecimal() else 0


def _read(path: Path) -> dict[str, Any]:
    with suppress(OSError, ValueError):
        value = parsed(path.read_bytes()) if path.stat().st_size <= LARGEST else None
        if isinstance(value, dict):
            return value
    return {}


def _files(folder: Path) -> list[ResultFile]:
    """All ordinary files, by name."""
    found = []
    for above, folders, files in os.walk(folder):
        folders.sort()
        for name in files:
            path = Path(above, name)
            if not stat.S_ISREG(path.lstat().st_mode):  # a pipe would be waited for
                continue
            with path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
                size = stream.seek(0, os.SEEK_END)
            found.append(ResultFile(path.relative_to(folder).as_posix(), size, digest))
    return sorted(found, key=lambda file: file.name)
