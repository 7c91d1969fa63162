"""What clip.json holds."""

from __future__ import annotations

from pydantic import Field

from tronie.export.records import FORMAT, CameraRecord, Record, rounded
from tronie.geometry import Camera
from tronie.io.video.clip import ClipInfo
from tronie.pipelines.video.motion import BRIDGED, SEEN
from tronie.pipelines.video.solve import Person
from tronie.types import Face
from tronie.version import __version__


class VideoRecord(Record):
    source: str = Field(description="The path as it was given, or `camera:0`.")
    width: int = Field(description="Pixels, after turning upright.")
    height: int
    frames: int = Field(description="How many were read.")
    fps: float = Field(description="Frames per second, on average.")
    seconds: float = Field(description="Time of the last frame; the first one's is 0.")
    rotation: int = Field(description="Degrees clockwise by which the stored pictures were turned.")
    codec: str
    reader: str = Field(description="What decoded it: `PyAV`, `OpenCV` or `Pillow`.")
    cuts: list[int] = Field(description="Frames that begin a new shot.")
    notes: list[str] = Field([], description="What reading met: a file that breaks off, a rate that varies, ...")


class PersonRecord(Record):
    index: int = Field(description="Of the folder face-N; in the order of appearance.")
    spans: list[tuple[int, int]] = Field(description="First and last frame of every uninterrupted stay.")
    seen: int = Field(description="Frames in which the face was seen.")
    bridged: int = Field(description="Frames in which it was hidden for a moment, and told from before and after.")
    tracks: int = Field(description="Of how many pieces its course was put together.")
    best: list[int] = Field(description="Frames that texture and identity come from, best first.")
    looks: int = Field(description="How many frames were asked who it is.")
    confidence: list[float] = Field(description="0..1 of every frame of the video; 0 where it is not seen.")
    files: list[str] = Field(description="In its folder.")
    error: str | None = None


class ClipRecord(Record):
    """clip.json: a video and the people in it."""

    format: int = FORMAT
    tronie: str
    name: str
    video: VideoRecord
    camera: CameraRecord
    people: list[PersonRecord]
    films: list[str] = Field([], description="Beside the people's folders.")


def person_record(person: Person, face: Face, tracks: int, files: list[str]) -> PersonRecord:
    motion = person.motion
    return PersonRecord(
        index=person.number, spans=motion.spans, seen=int((motion.state == SEEN).sum()),
        bridged=int((motion.state == BRIDGED).sum()), tracks=tracks, best=[shot.frame for shot in person.shots],
        looks=person.looks, confidence=rounded(motion.confidence, 2), files=files, error=face.error,
    )  # fmt: skip


def clip_record(
    name: str, info: ClipInfo, times: list[float], cuts: list[int], notes: tuple[str, ...], camera: Camera,
    people: list[PersonRecord], films: list[str],
) -> ClipRecord:  # fmt: skip
    video = VideoRecord(
        source=info.source.encode("utf-8", errors="replace").decode(), width=info.size[0], height=info.size[1],
        frames=len(times), fps=round(info.fps, 4), seconds=round(times[-1], 4) if times else 0.0,
        rotation=info.rotation, codec=info.codec, reader=info.reader, cuts=cuts, notes=list(notes),
    )  # fmt: skip
    lens = CameraRecord(
        focal=round(camera.focal, 2), aspect=round(camera.aspect, 7), center=rounded(camera.center, 2),
        size=camera.size,
    )  # fmt: skip
    return ClipRecord(tronie=__version__, name=name, video=video, camera=lens, people=people, films=films)
