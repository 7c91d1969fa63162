"""A clip that was followed, read back from its folder: its people, their course, their heads in its frames."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.errors import InputError
from tronie.runtime.json_text import parsed
from tronie.service.messages import Track, Tracked

if TYPE_CHECKING:
    from tronie.geometry import Camera
    from tronie.pipelines.video.posed_head import PosableHead
    from tronie.render.overlay import Region
    from tronie.settings import VideoSettings
    from tronie.types import Fit

UNREADABLE = (OSError, ValueError, LookupError, TypeError, AttributeError, OverflowError, csv.Error)
"""What a folder that is no clip's, or a damaged one, raises."""
RAW = "raw_"
"""Before the columns of units as they were fitted."""


def followed(folder: Path, path: Path) -> Tracked | None:
    """The people of a clip's finished folder; None where it is none of that clip."""
    try:
        record = _record(folder)
        if Path(record["video"]["source"]).resolve() != path.resolve():
            return None
        first = int(record["video"].get("first", 0))
        people = tuple(_track(folder / f"face-{int(person['index'])}", person, first) for person in record["people"])
        edits = tuple((str(what), int(a), int(b)) for what, a, b in record.get("by_hand", ()))
        return Tracked(folder, people, tuple(record["video"]["notes"]), edits)
    except UNREADABLE:
        return None


def same_part(folder: Path, video: VideoSettings) -> VideoSettings:
    """The settings with the part of a clip that its finished folder is of."""
    try:
        told = _record(folder)["video"]
        first, count, fps = int(told.get("first", 0)), int(told["frames"]), float(told["fps"])
    except UNREADABLE:
        return video
    start = (first - 0.5) / fps if first else None
    return video.model_copy(update={"start": start, "seconds": (count - 0.5) / fps})


def _record(folder: Path) -> Any:
    return parsed((folder / "clip.json").read_bytes())


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "frames.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _numbers(rows: list[dict[str, str]], *wanted: str) -> Array:
    numbers = np.array([[float(row[name] or "nan") for name in wanted] for row in rows])
    with np.errstate(over="ignore"):  # of files that somebody has changed
        return numbers.astype(np.float32)


def _units(rows: list[dict[str, str]]) -> tuple[str, ...]:
    columns = list(rows[0])
    return tuple(name for name in columns[columns.index("gaze_right_pitch") + 1 :] if not name.startswith(RAW))


def _fitted(rows: list[dict[str, str]], unit: str) -> str:
    """The column that says what was fitted: the head over its frame is of that."""
    return RAW + unit if RAW + unit in rows[0] else unit


def _track(folder: Path, person: dict[str, object], first: int) -> Track:
    rows = _rows(folder)
    names = _units(rows)
    error = person.get("error")
    return Track(
        int(str(person["index"])),
        folder,
        tuple(row["state"] for row in rows),
        _numbers(rows, "box_x0", "box_y0", "box_x1", "box_y1"),
        _numbers(rows, "yaw", "pitch"),
        names,
        _numbers(rows, *names),
        np.nan_to_num(_numbers(rows, "confidence")[:, 0]),
        (str(error),) if error else (),
        first,
    )


@dataclass(frozen=True, eq=False)
class ClipHead:
    """A person's head as it stands in the clip's frames."""

    posable: PosableHead
    camera: Camera
    first: int
    """The clip's frame that the first row is of."""
    poses: Array
    """(T, 4, 4) head to camera, NaN where the person is absent."""
    weights: Array
    """(T, K) by the head's own units."""

    @classmethod
    def read(cls, folder: Path) -> ClipHead:
        """Of a person's folder. Raises InputError."""
        from tronie.geometry import Camera, rigid, rotation_from_euler
        from tronie.io.saved_head import load_head
        from tronie.pipelines.video.posed_head import PosableHead

        head = load_head(folder).head
        try:
            record, rows = _record(folder.parent), _rows(folder)
            lens = record["camera"]
            camera = Camera(lens["focal"], tuple(lens["center"]), tuple(lens["size"]), lens["aspect"])
            first = int(record["video"].get("first", 0))
            turns, places = _numbers(rows, "yaw", "pitch", "roll"), _numbers(rows, "x_mm", "y_mm", "z_mm")
            units = _units(rows)
            weights = _numbers(rows, *(_fitted(rows, unit) for unit in units))
        except UNREADABLE as error:
            raise InputError(f"{folder} does not tell how the head moves.") from error
        if head is None:
            raise InputError(f"{folder} holds a head of another model.")
        at = [units.index(name) for name in head.model.expression_names]
        poses = np.array([rigid(rotation_from_euler(*turn), place) for turn, place in zip(turns, places, strict=True)])
        return cls(PosableHead.of(head), camera, first, poses, np.nan_to_num(weights[:, at]))

    def picture(self, image: Image, frame: int, size: int, *, wires: bool = False) -> Image | None:
        """(size, size, 3): the head's part of a frame of the clip, with its mesh over it; None where it is not."""
        from tronie.render.overlay import WIRE, cut_out, paint, wire_mask
        from tronie.types import Fit

        row = frame - self.first
        if not 0 <= row < len(self.poses) or np.isnan(self.poses[row]).any():
            return None
        head, nothing = self.posable.posed(self.weights[row]), np.zeros((0, 3))
        fit = Fit(nothing[:, 0], {}, self.poses[row], self.camera, nothing, diagnostics={})
        region = _around(head.vertices, fit)
        picture = cut_out(image, region, size)
        if wires:
            paint(picture, wire_mask(head, fit, region, size), WIRE, 0.6)
        return picture


def _around(vertices: Array, fit: Fit) -> Region:
    """The square around a head."""
    from tronie.render.overlay import Region, project

    points = project(vertices[::37], fit)
    low, high = points.min(axis=0), points.max(axis=0)
    return Region.around((low + high) / 2, 1.2 * float((high - low).max()))
