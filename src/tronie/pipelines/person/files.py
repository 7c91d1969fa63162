"""A person as files: head, texture, portrait, sheet and person.json in one folder, whole or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tronie.export.fingerprint import fingerprint, text
from tronie.export.records import (
    PersonPhotoRecord,
    PersonRecord,
    SpreadRecord,
    face_record,
    rounded,
    to_json,
    used_records,
)
from tronie.export.writer import save_face
from tronie.io import encode
from tronie.pipelines.multiview import Shot
from tronie.pipelines.person.reconstruct import Many
from tronie.pipelines.person.sheets import person_sheet, source_picture
from tronie.runtime.atomic_files import new_folder, write_file
from tronie.settings import Settings
from tronie.version import __version__

FILE = "person.json"


def save_person(many: Many, folder: Path, name: str, settings: Settings, *, overwrite: bool = False) -> Path:
    """Write `folder` and return it. Raises OutputError; what is there is replaced with `overwrite` only."""
    with new_folder(folder, overwrite=overwrite) as work:
        main = many.shots[many.main]
        files = save_face(main.load(), many.face, work, name, settings.export, settings.wanted)
        if many.fused is not None and "sources" in settings.wanted:
            write_file(work / "photos.png", encode.png(source_picture(many.fused.source)))
            files.append("photos.png")
        if "sheet" in settings.wanted:
            write_file(work / "sheet.jpg", encode.jpeg(person_sheet(many, name), 90))
            files.append("sheet.jpg")
        write_file(work / FILE, to_json(person_record(many, name, settings, files)))
    return folder


def done_before(folder: Path, shots: Sequence[Shot], settings: Settings) -> bool:
    """Whether `folder` holds the same photos' person, made with the same settings."""
    try:
        known: Any = json.loads((folder / FILE).read_text(encoding="utf-8"))
        photos = [(p["source"], p["face"], p["size"], p["modified"]) for p in known["photos"]]
        return bool(known["settings"] == fingerprint(settings) and photos == [_key(shot) for shot in shots])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _key(shot: Shot) -> tuple[str, int, int | None, int | None]:
    source = shot.photo.source
    return (text(source), shot.face.index, *shot.stamp)


def person_record(many: Many, name: str, settings: Settings, files: list[str]) -> PersonRecord:
    person, photos = many.joint.person, []
    model = None
    for k, shot in enumerate(many.shots):
        known = face_record(shot.photo, shot.face, name, [])
        model = known.model
        assert known.fit is not None
        source, face, size, modified = _key(shot)
        number = many.painted.index(k) + 1 if k in many.painted else None
        photos.append(PersonPhotoRecord.model_construct(
            source=source, size=size, modified=modified, face=face, box=known.box, main=k == many.main,
            weight=round(many.weights[k], 4),
            texture=None if number is None or many.fused is None else round(many.fused.parts[number - 1], 4),
            number=number, fit=known.fit, warnings=known.warnings, warning_codes=known.warning_codes,
        ))  # fmt: skip
    assert model is not None
    return PersonRecord.model_construct(
        tronie=__version__, name=name, settings=fingerprint(settings), identity=rounded(person.identity, 4),
        size=round(person.growth, 4), effective=round(person.effective, 2), sigma_mm=round(many.curve[-1][1], 3),
        spread=[
            SpreadRecord(photos=k, sigma_mm=round(sigma, 3), effective=round(effective, 2))
            for k, sigma, effective in many.curve
        ],
        photos=photos, model=model, models=used_records(many.face.models), files=files,
    )  # fmt: skip
