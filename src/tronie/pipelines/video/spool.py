"""What was seen, on disk while a clip is read, so that its length does not matter: a row for each face and frame."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from tronie.head.arkit import ARKIT_UNITS
from tronie.pipelines.video.observation import Seen
from tronie.types import DOUBTS, Landmarks

ROW = np.dtype([
    ("frame", "<i4"), ("track", "<i4"), ("time", "<f8"), ("points", "<f4", (478, 3)),
    ("scores", "<f4", (len(ARKIT_UNITS),)), ("features", "<f4", (256,)), ("doubts", "<f4", (len(DOUBTS),)),
    ("presence", "<f4"), ("box", "<f4", (4,)), ("confidence", "<f4"), ("overlap", "<f4"),
])  # fmt: skip
"""7 kB: a minute of two people at 30 frames a second is 25 MB."""


class Spool:
    """Rows appended to a file, and read back by their numbers."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: IO[bytes] = path.open("w+b")
        self.of_track: dict[int, list[int]] = {}
        """Row numbers by track, in order of time."""
        self._count = 0

    def add(self, seen: Seen) -> None:
        row = np.zeros((), ROW)
        row["frame"], row["track"], row["time"] = seen.frame, seen.track, seen.time
        row["points"], row["scores"] = seen.landmarks.points, seen.landmarks.scores
        row["presence"], row["box"] = seen.landmarks.presence, seen.box
        row["features"] = np.nan if seen.landmarks.features is None else seen.landmarks.features
        row["doubts"] = np.nan if seen.landmarks.doubts is None else seen.landmarks.doubts
        row["confidence"], row["overlap"] = seen.confidence, seen.overlap
        self._file.write(row.tobytes())
        self.of_track.setdefault(seen.track, []).append(self._count)
        self._count += 1

    def rows(self) -> NDArray[Any]:
        """All rows, mapped from disk: what is not looked at is not in memory."""
        self._file.flush()
        if not self._count:
            return np.zeros(0, ROW)
        return np.memmap(self._path, dtype=ROW, mode="r", shape=(self._count,))

    def numbers(self, tracks: Sequence[int]) -> NDArray[np.int64]:
        """Row numbers of some tracks, in order of time."""
        return np.sort(np.array([n for track in tracks for n in self.of_track.get(track, ())], dtype=np.int64))

    def close(self) -> None:
        self._file.close()


def landmarks_of(row: Any) -> Landmarks:
    """The net's answer in a row."""
    features = None if np.isnan(row["features"][0]) else row["features"].astype(np.float64)
    doubts = None if np.isnan(row["doubts"][0]) else row["doubts"].astype(np.float64)
    return Landmarks(
        row["points"].astype(np.float64), row["scores"].astype(np.float64), float(row["presence"]), features, doubts
    )
