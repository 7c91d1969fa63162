"""What clip.json holds."""

from __future__ import annotations

from tronie.export.records import CameraRecord, rounded
from tronie.export.schemas import ClipPersonRecord, ClipRecord, VideoRecord
from tronie.geometry import Camera
from tronie.head.model import HeadModel
from tronie.pipelines.video.collect import Collected
from tronie.pipelines.video.motion import BRIDGED, SEEN
from tronie.pipelines.video.solve import ClipPerson
from tronie.types import Face
from tronie.version import __version__


def person_record(person: ClipPerson, model: HeadModel, face: Face, tracks: int, files: list[str]) -> ClipPersonRecord:
    motion, own, names = person.motion, person.own, model.expression_names
    return ClipPersonRecord(
        index=person.number,
        spans=motion.spans,
        seen=int((motion.state == SEEN).sum()),
        bridged=int((motion.state == BRIDGED).sum()),
        tracks=tracks,
        best=[shot.frame for shot in person.shots],
        looks=person.looks,
        confidence=rounded(motion.confidence, 2),
        rest={name: round(float(value), 4) for name, value in zip(names, own.rest, strict=True) if value},
        span={name: round(float(value), 4) for name, value in zip(names, own.span, strict=True) if value != 1},
        files=files,
        error=face.error,
    )


def clip_record(
    name: str,
    found: Collected,
    notes: tuple[str, ...],
    camera: Camera,
    people: list[ClipPersonRecord],
    films: list[str],
) -> ClipRecord:
    info, times = found.info, found.times
    video = VideoRecord(
        source=info.source.encode("utf-8", errors="replace").decode(),
        width=info.size[0],
        height=info.size[1],
        frames=len(times),
        fps=round(info.fps, 4),
        seconds=round(times[-1], 4) if times else 0.0,
        rotation=info.rotation,
        codec=info.codec,
        reader=info.reader,
        cuts=found.cuts,
        first=found.first,
        notes=list(notes),
    )
    lens = CameraRecord(
        focal=round(camera.focal, 2),
        aspect=round(camera.aspect, 7),
        center=rounded(camera.center, 2),
        size=camera.size,
    )
    return ClipRecord(
        tronie=__version__, name=name, video=video, camera=lens, people=people, films=films, by_hand=list(found.by_hand)
    )
