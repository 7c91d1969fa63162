"""A person as files: head, texture, portrait, sheet and person.json in one folder, whole or not at all; and the picture
of who is who."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.export.contact_sheet import (
    ACCENT,
    FAINT,
    INK,
    PAPER,
    SOFT_COSINE,
    Text,
    portrait_view,
    view_height,
    with_texts,
)
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
from tronie.head.surface import reduced
from tronie.io import encode
from tronie.pipelines.model_usage import on_devices
from tronie.pipelines.person import restore
from tronie.pipelines.person.reconstruct import PersonResult
from tronie.pipelines.shot import Shot
from tronie.raster.shading import render_head
from tronie.render.overlay import cut_out, face_region, overlay
from tronie.render.shells import rim
from tronie.runtime.atomic_files import new_folder, write_file
from tronie.runtime.json_text import parsed
from tronie.settings import Settings
from tronie.stages.portrait import backdrop, mouth_light
from tronie.version import __version__

FILE = "person.json"
LARGE, GAP, FONT = 320, 14, 17
COLUMNS = 5
"""Of large pictures; the photos' tiles get smaller as they get more."""
YAWS = (0.0, -60.0, 60.0)
LONGEST = 8000
HUES = (
    (214, 70, 62), (70, 160, 82), (66, 112, 208), (222, 176, 52), (158, 84, 190), (64, 180, 190), (226, 126, 52),
    (128, 140, 60), (206, 104, 150), (96, 96, 104), (150, 110, 80), (120, 190, 140),
)  # fmt: skip
"""Of the photos in photos.png, in the order of their numbers."""


def save_person(
    result: PersonResult, folder: Path, name: str, settings: Settings | None = None, *, overwrite: bool = False
) -> Path:
    """Write `folder` and return it. `settings` say which outputs, by default those that the person was made with.
    Raises OutputError; what is there is replaced with `overwrite` only."""
    settings = settings or result.settings
    with new_folder(folder, overwrite=overwrite) as work:
        main = result.shots[result.main]
        files = save_face(main.load(), result.face, work, name, settings.export, settings.wanted)
        if result.fused is not None and "sources" in settings.wanted:
            write_file(work / "photos.png", encode.png(source_picture(result.fused.source)))
            files.append("photos.png")
        for file, data in restore.files(result.shots, settings.wanted):
            write_file(work / file, data)
            files.append(file)
        if "sheet" in settings.wanted:
            write_file(work / "sheet.jpg", encode.jpeg(person_sheet(result, name), 90))
            files.append("sheet.jpg")
        write_file(work / FILE, to_json(person_record(result, name, settings, files)))
    return folder


def done_before(folder: Path, shots: Sequence[Shot], settings: Settings) -> bool:
    """Whether `folder` holds the same photos' person, made with the same settings."""
    try:
        known = parsed((folder / FILE).read_bytes())
        photos = [(p["source"], p["face"], p["size"], p["modified"]) for p in known["photos"]]
        return bool(known["settings"] == fingerprint(settings) and photos == [_key(shot) for shot in shots])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _key(shot: Shot) -> tuple[str, int, int | None, int | None]:
    source = shot.photo.source
    return (text(source), shot.face.index, *shot.stamp)


def person_record(result: PersonResult, name: str, settings: Settings, files: list[str]) -> PersonRecord:
    person, photos = result.joint.person, []
    model = None
    for k, shot in enumerate(result.shots):
        known = face_record(shot.photo, shot.face, name, [])
        model = known.model
        assert known.fit is not None
        source, face, size, modified = _key(shot)
        number = result.painted.index(k) + 1 if k in result.painted else None
        photos.append(
            PersonPhotoRecord.model_construct(
                source=source,
                size=size,
                modified=modified,
                face=face,
                box=known.box,
                main=k == result.main,
                weight=round(result.weights[k], 4),
                texture=None if number is None or result.fused is None else round(result.fused.parts[number - 1], 4),
                number=number,
                enhancement=known.enhancement,
                fit=known.fit,
                warnings=known.warnings,
                warning_codes=known.warning_codes,
            )
        )
    assert model is not None
    used = dict.fromkeys(one for face in (result.face, *(shot.face for shot in result.shots)) for one in face.models)
    return PersonRecord.model_construct(
        tronie=__version__,
        name=name,
        settings=fingerprint(settings),
        identity=rounded(person.identity, 4),
        size=round(person.growth, 4),
        effective=round(person.effective, 2),
        sigma_mm=round(result.curve[-1][1], 3),
        spread=[
            SpreadRecord(photos=k, sigma_mm=round(sigma, 3), effective=round(effective, 2))
            for k, sigma, effective in result.curve
        ],
        photos=photos,
        model=model,
        models=used_records(on_devices(tuple(used), settings.compute.device)),
        files=files,
    )


def source_picture(source: Image) -> Image:
    """(S, S) numbers of photos, from 1 -> (S, S, 3) colours; white where there is none."""
    colours = np.array([(255, 255, 255), *(HUES[k % len(HUES)] for k in range(255))], np.uint8)
    return colours[source]


def person_sheet(result: PersonResult, name: str) -> Image:
    """The head from the front and the sides and where its texture is from; then every photo with the fit drawn over."""
    face, shots = result.face, result.shots
    assert face.head is not None
    mesh = face.head.model.level(face.head.level)
    worn = None if face.texture is None else reduced(face.texture.image, 768)
    top: list[tuple[str, Image]] = []
    if face.portrait is not None:
        top.append(("portrait", _fit_in(face.portrait.image, LARGE)))
    for title, yaw in zip(("front", "left side", "right side"), YAWS, strict=True):
        top.append((title, _view(result, mesh, worn, yaw)))
    if result.fused is not None:
        step = max(len(result.fused.source) // 768, 1)
        top.append(("from which photo", _view(result, mesh, source_picture(result.fused.source[::step, ::step]), 0.0)))
    width = 3 * GAP + COLUMNS * (LARGE + GAP)
    tile, pairs = _tile(len(shots), width)
    rows = -(-len(shots) // pairs)
    head = 3 * GAP + 2 * FONT
    start = head + FONT + LARGE + 4 * GAP
    canvas = np.full((min(start + rows * (tile + FONT + 2 * GAP) + GAP, LONGEST), width, 3), PAPER, np.uint8)
    person = result.joint.person
    said = f"{len(shots)} photos   ·   worth {person.effective:.1f}   ·   spread {result.curve[-1][1]:.2f} mm"
    if len(result.curve) > 1:
        said += f" (one photo: {result.curve[0][1]:.2f})"
    texts = [
        Text(2 * GAP, GAP, f"person {name}" if name.isdecimal() else name, 26, INK, width / 2),
        Text(width - 2 * GAP, GAP + 8, said, FONT, FAINT, None, "ra"),
    ]
    for k, (title, picture) in enumerate(top):
        x = 2 * GAP + k * (LARGE + GAP)
        canvas[head + FONT : head + FONT + LARGE, x : x + LARGE] = picture
        texts.append(Text(x, head - 6, title, FONT - 3, FAINT, LARGE))
    for k, shot in enumerate(shots):
        x, y = 2 * GAP + k % pairs * (2 * tile + 2 * GAP), start + k // pairs * (tile + FONT + 2 * GAP)
        if y + tile + FONT > len(canvas):
            break
        image, region = shot.load().image, face_region(shot.face)
        found = shot.face.enhanced
        restored = found is not None and found.accepted
        seen = _fit_in(found.after, tile) if found is not None and restored else cut_out(image, region, tile)
        canvas[y : y + tile, x : x + tile] = seen
        canvas[y : y + tile, x + tile + 2 : x + 2 * tile + 2] = _fit_in(overlay(image, shot.face, 512), tile)
        number = result.painted.index(k) if k in result.painted else None
        if number is not None:
            canvas[y + tile : y + tile + 5, x : x + 2 * tile + 2] = HUES[number % len(HUES)]
        fit = shot.face.fit
        assert fit is not None
        label = f"{Path(shot.photo.source).name}   yaw {fit.diagnostics['yaw']:+.0f}   says {result.weights[k]:.1f}"
        label += "   restored" if restored else ""
        color = ACCENT if k == result.main else FAINT
        texts.append(Text(x, y + tile + 7, label, FONT - 3, color, 2 * tile))
    return with_texts(canvas, texts)


def people_sheet(people: Mapping[str, Sequence[Shot]], left: Sequence[Shot]) -> Image:
    """A row (or more) of faces for each person; at the end those of nobody."""
    groups = [*people.items(), *([("-", left)] if left else [])]
    tile, per_row = 112, 10
    width = 2 * GAP + per_row * (tile + GAP // 2)
    height, places = GAP, []
    for name, shots in groups:
        places.append((height, name, shots))
        height += 2 * FONT + -(-len(shots) // per_row) * (tile + FONT + GAP // 2) + GAP
    canvas = np.full((min(max(height, 64), LONGEST), width, 3), PAPER, np.uint8)
    texts = []
    for y0, name, shots in places:
        title = "nobody's" if name == "-" else f"person {name}"
        texts.append(Text(GAP, y0, f"{title}   ·   {len(shots)}", FONT, FAINT if name == "-" else INK))
        for k, shot in enumerate(shots):
            x = GAP + k % per_row * (tile + GAP // 2)
            y = y0 + 2 * FONT - 6 + k // per_row * (tile + FONT + GAP // 2)
            if y + tile + FONT > len(canvas):
                break
            canvas[y : y + tile, x : x + tile] = cut_out(shot.load().image, face_region(shot.face), tile)
            label = f"{shot.face.index}  {Path(shot.photo.source).name}"
            texts.append(Text(x, y + tile + 2, label, 12, FAINT, tile))
    return with_texts(canvas, texts)


def _tile(count: int, width: int) -> tuple[int, int]:
    """Side of a tile and how many pairs lie in a row."""
    for pairs in (3, 4, 5, 7, 9):
        if count <= pairs * 4:
            break
    return (width - 2 * GAP) // pairs // 2 - GAP, pairs


def _view(result: PersonResult, mesh: Any, texture: NDArray[np.uint8] | None, yaw: float) -> Image:
    head = result.face.head
    assert head is not None
    camera, pose = portrait_view(LARGE, yaw, view_height(result.face))
    return render_head(
        head.vertices,
        mesh,
        texture,
        camera,
        pose,
        background=backdrop(LARGE),
        opacity=rim(head.vertices, head, pose, result.face.shells, cosine=SOFT_COSINE),
        occlusion=mouth_light(head.vertices, head),
        shells=result.face.posed_shells,
    )


def _fit_in(image: Image, size: int) -> Image:
    """The middle square of a picture at another size."""
    import cv2

    height, width = image.shape[:2]
    side = min(height, width)
    y, x = (height - side) // 2, (width - side) // 2
    square = image[y : y + side, x : x + side]
    return np.asarray(cv2.resize(square, (size, size), interpolation=cv2.INTER_AREA), np.uint8)
