"""Results as the records of face.json, manifest.json and person.json; docs/schemas is generated from them.

`python -m tronie.export.records FOLDER` writes the JSON schemas.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any, cast

import numpy as np
from pydantic import TypeAdapter

from tronie.export.events import EVENTS
from tronie.export.schemas import (
    FORMAT,
    BustRecord,
    CameraRecord,
    ClipRecord,
    Deep3DRecord,
    DetailRecord,
    EnhancementRecord,
    FaceRecord,
    FitRecord,
    FoldsRecord,
    FrontalRecord,
    HairRecord,
    InputRecord,
    LandmarksRecord,
    LightRecord,
    ManifestRecord,
    ModelRecord,
    PersonPhotoRecord,
    PersonRecord,
    PhotoRecord,
    PortraitRecord,
    PoseRecord,
    Record,
    RestoredRecord,
    SpreadRecord,
    UnmeasuredRecord,
    UsedRecord,
)
from tronie.geometry import Camera, euler_degrees
from tronie.head.arkit import ARKIT_UNITS
from tronie.types import PROVENANCE, Enhanced, Face, Photo, Portrait, Unmeasured, UsedModel
from tronie.version import __version__

# Records as JSON: numbers as long as they mean something, lines that can be read.


def rounded(values: Any, decimals: int) -> Any:
    """Nested lists of floats; what is not finite becomes 0, because JSON has no word for it."""
    array = np.nan_to_num(np.asarray(values, dtype=np.float64), nan=0.0, posinf=0.0, neginf=0.0)
    return (np.round(array, decimals) + 0.0).tolist()  # + 0.0 turns -0.0 into 0.0


def to_json(record: Record) -> bytes:
    """Readable and small: two levels of indent, then each value on one line."""
    text = dump(record.model_dump(mode="python", warnings=False)) + "\n"
    return text.encode("utf-8", errors="replace")


def dump(value: Any, levels: int = 2, indent: str = "") -> str:
    """JSON text whose first `levels` levels of objects, and lists of objects, are spread over lines."""
    inner = indent + "  "
    if levels > 0 and isinstance(value, dict) and value:
        rows = [
            f"{inner}{json.dumps(str(k), ensure_ascii=False)}: {dump(v, levels - 1, inner)}" for k, v in value.items()
        ]
        return "{\n" + ",\n".join(rows) + f"\n{indent}}}"
    if levels > 0 and isinstance(value, (list, tuple)) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join(inner + dump(v, 0) for v in value) + f"\n{indent}]"
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def as_text(path: str) -> str:
    """A path as text that can be written: bytes that are no UTF-8 become question marks."""
    return path.encode("utf-8", errors="replace").decode()


__all__ = [
    "FORMAT", "SCHEMAS", "CameraRecord", "FaceRecord", "InputRecord", "ManifestRecord", "PersonPhotoRecord",
    "PersonRecord", "Record", "RestoredRecord", "SpreadRecord", "enhancement_record", "face_record", "photo_record",
    "portrait_record", "rounded", "schema", "shares", "to_json", "unmeasured_records", "used_records",
    "write_schemas",
]  # fmt: skip

SCHEMAS: dict[str, TypeAdapter[Any]] = {
    "face": TypeAdapter(FaceRecord),
    "manifest": TypeAdapter(ManifestRecord),
    "person": TypeAdapter(PersonRecord),
    "clip": TypeAdapter(ClipRecord),
    "restored": TypeAdapter(RestoredRecord),
    "events": EVENTS,
}
"""Of all files, and of the lines of `--json events`, by name."""


def face_record(photo: Photo, face: Face, name: str, files: list[str]) -> FaceRecord:
    """All that is known of a face, in numbers as long as they mean something (0.01 px, 0.01 degrees, ...)."""
    detection = face.detection
    landmarks = fit = model = enhancement = None
    if face.landmarks is not None:
        landmarks = LandmarksRecord.model_construct(
            presence=round(float(face.landmarks.presence), 4),
            points=rounded(face.landmarks.points, 2),
            scores=dict(zip(ARKIT_UNITS, rounded(face.landmarks.scores, 4), strict=True)),
            pins={row: rounded(place, 2) for row, place in face.landmarks.pins.items()},
        )
    if face.enhanced is not None:
        enhancement = enhancement_record(face.enhanced)
    if face.fit is not None:
        fit = FitRecord.model_construct(
            identity=rounded(face.fit.identity, 4),
            expression={
                unit: round(float(face.fit.expression.get(unit, 0)), 4) for unit in ARKIT_UNITS if face.fit.expression
            },
            pose=_pose(face.fit.head_to_camera),
            head_to_camera=rounded(face.fit.head_to_camera, 6),
            camera=_camera(face.fit.camera),
            diagnostics={key: round(float(value), 5) for key, value in face.fit.diagnostics.items()},
        )
    light = detail = None
    if face.detail is not None:
        d = face.detail
        detail = DetailRecord(
            side=len(d.normals), texel_mm=round(d.texel_mm, 3), noise=round(d.noise, 4), amount=round(d.amount, 4)
        )
    folds = None
    if face.folds is not None:
        deepest = max(-float(face.folds.out.min()), 0.0)
        folds = FoldsRecord(lined=round(face.folds.lined, 3), deepest_mm=round(deepest, 2))
    if face.albedo is not None:
        a = face.albedo
        light = LightRecord.model_construct(
            coefficients=rounded(a.light.coefficients, 5),
            white=rounded(a.white, 4),
            skin=rounded(a.skin, 1),
            shadowed=round(a.shadowed, 4),
            monochrome=a.monochrome,
        )
    hair = None
    if face.hair is not None:
        h = face.hair
        hair = HairRecord.model_construct(
            kind=cast("Any", h.kind),
            certainty=round(float(h.certainty), 3),
            fullness=round(float(h.fullness), 3),
            color=rounded(h.color, 1),
        )
    if face.head is not None:
        head = face.head
        model = ModelRecord(
            name=head.model.name,
            licence=head.model.licence,
            level=head.level,
            vertices=len(head.vertices),
            triangles=len(head.triangles),
        )
    return FaceRecord.model_construct(
        tronie=__version__,
        photo=photo_record(photo, name),
        index=face.index,
        box=rounded(detection.box, 2),
        score=round(float(detection.score), 4),
        points5=rounded(detection.points, 2),
        landmarks=landmarks,
        points68=None if face.points68 is None else rounded(face.points68, 2),
        enhancement=enhancement,
        fit=fit,
        deep3d=_deep3d(face),
        model=model,
        engine=face.engine,
        models=used_records(face.models),
        provenance=None if face.texture is None else shares(face.texture.provenance),
        texture_size=None if face.texture is None else len(face.texture.image),
        hair=hair,
        shells={shell.name: len(shell.triangles) for shell in face.shells},
        bust=None
        if face.bust is None
        else BustRecord(width_mm=round(face.bust.width_mm, 1), seen=round(face.bust.seen, 4)),
        light=light,
        frontal=None if face.portrait is None else _frontal(face.portrait),
        detail=detail,
        folds=folds,
        files=files,
        warnings=[caution.text for caution in face.warnings],
        warning_codes=[caution.code for caution in face.warnings],
        error=face.error,
        timings={key: round(float(value), 4) for key, value in face.timings.items()},
    )


def enhancement_record(e: Enhanced) -> EnhancementRecord:
    """What super-resolution made of a face."""
    return EnhancementRecord.model_construct(
        name=e.name,
        side=len(e.before),
        factor=round(e.factor, 3),
        crop_to_photo=rounded(e.to_photo.matrix, 5),
        blend=round(e.blend, 3),
        agreement=round(e.agreement, 2),
        structure=round(e.structure, 4),
        shift=round(e.shift, 4),
        identity=None if e.identity is None else round(e.identity, 4),
        note=e.note,
        look=e.look,
        doubt=None if e.doubt is None else round(float(e.doubt.mean()), 2),
        references=[] if e.borrowed is None else [as_text(source) for source in e.borrowed.photos],
        lent=None if e.borrowed is None else round(float(e.borrowed.share.mean()) / 255, 4),
    )


def photo_record(photo: Photo, name: str) -> PhotoRecord:
    """`name` is the folder of its results."""
    return PhotoRecord(
        source=as_text(photo.source),
        name=name,
        width=photo.image.shape[1],
        height=photo.image.shape[0],
        scale=round(photo.scale, 4),
        notes=list(photo.notes),
    )


def unmeasured_records(unmeasured: Iterable[Unmeasured]) -> list[UnmeasuredRecord]:
    return [
        UnmeasuredRecord.model_construct(
            box=rounded(one.detection.box, 2), score=round(float(one.detection.score), 4), reason=one.reason
        )
        for one in unmeasured
    ]


def used_records(models: Iterable[UsedModel]) -> list[UsedRecord]:
    return [UsedRecord.model_construct(**asdict(model)) for model in models]


def _deep3d(face: Face) -> Deep3DRecord | None:
    if face.engine_result is None:
        return None
    from tronie.stages.deep3d.reconstruct import Deep3DResult

    found = face.engine_result
    if not isinstance(found, Deep3DResult):
        return None
    return Deep3DRecord.model_construct(
        coefficients=rounded(found.coefficients.values, 5),
        pose=_pose(found.head_to_camera),
        head_to_camera=rounded(found.head_to_camera, 6),
        camera=_camera(found.camera),
        vertices=len(found.vertices),
        sources=list(found.sources),
    )


def _pose(head_to_camera: Any) -> PoseRecord:
    yaw, pitch, roll = euler_degrees(np.asarray(head_to_camera)[:3, :3])
    return PoseRecord(yaw=round(yaw, 2), pitch=round(pitch, 2), roll=round(roll, 2))


def _camera(camera: Camera) -> CameraRecord:
    return CameraRecord.model_construct(
        focal=round(float(camera.focal), 2),
        aspect=round(float(camera.aspect), 7),
        center=rounded(camera.center, 2),
        size=(int(camera.size[0]), int(camera.size[1])),
    )


def shares(provenance: Any) -> dict[str, float]:
    """Share of each kind of texel among those that some part of the head uses."""
    import cv2

    kinds = len(PROVENANCE)
    counts = cv2.calcHist([np.ascontiguousarray(provenance)], [0], None, [kinds], [0, kinds]).ravel()[1:]
    total = max(float(counts.sum()), 1.0)
    every = dict(zip(PROVENANCE[1:], counts, strict=True))
    return {name: round(float(n) / total, 4) for name, n in every.items() if name not in ("around", "extended")}


def portrait_record(mask: Any) -> PortraitRecord:
    """Of a portrait's mask (H, W) of indices into PROVENANCE."""
    import cv2

    kinds = len(PROVENANCE)
    counts = cv2.calcHist([np.ascontiguousarray(mask)], [0], None, [kinds], [0, kinds]).ravel()
    n = {name: float(count) for name, count in zip(PROVENANCE, counts, strict=True)}
    parts = {
        "seen": n["seen"] + n["enhanced"],
        "mirrored": n["mirrored"],
        "invented": n["filled"] + n["statistical"] + n["synthetic"],
    }
    head, all_of_it = max(sum(parts.values()), 1.0), float(mask.size)
    shares_of_head = {name: round(count / head, 4) for name, count in parts.items()}
    return PortraitRecord(
        **shares_of_head, around=round(n["around"] / all_of_it, 4), extended=round(n["extended"] / all_of_it, 4)
    )


def _frontal(frontal: Portrait) -> FrontalRecord:
    neutral = None if frontal.neutral_mask is None else portrait_record(frontal.neutral_mask)
    distance = None if frontal.identity is None else round(frontal.identity, 4)
    height, width = frontal.mask.shape
    return FrontalRecord(
        size=(width, height), portrait=portrait_record(frontal.mask), neutral=neutral, identity=distance
    )


def schema(name: str) -> str:
    """The JSON schema of a name in SCHEMAS as text."""
    body = SCHEMAS[name].json_schema(mode="serialization")
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **body}, indent=2) + "\n"


def write_schemas(folder: Path) -> None:
    for name in SCHEMAS:
        (folder / f"{name}.schema.json").write_text(schema(name), encoding="utf-8")


if __name__ == "__main__":
    import sys

    write_schemas(Path(sys.argv[1]))
