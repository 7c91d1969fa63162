"""Motion as tables that other programs read: Live Link Face's CSV, BVH, and a table with everything."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from tronie.arrays import Array
from tronie.geometry import rotation_matrix, rotation_vector
from tronie.head.arkit import ARKIT_UNITS

_MOVED = {"jawLeft": "jawRight", "jawRight": "jawLeft", "mouthLeft": "mouthRight", "mouthRight": "mouthLeft"}
LIVE_LINK_UNITS: tuple[str, ...] = tuple(_MOVED.get(name, name) for name in ARKIT_UNITS)
"""The 52 units in the order of Live Link Face's columns: ARKit's, but jawRight and mouthRight come before the left."""
LIVE_LINK_TURNS = tuple(
    f"{part}{turn}" for part in ("Head", "LeftEye", "RightEye") for turn in ("Yaw", "Pitch", "Roll")
)
LIVE_LINK_COLUMNS: tuple[str, ...] = (
    "Timecode",
    "BlendShapeCount",
    *(name[0].upper() + name[1:] for name in LIVE_LINK_UNITS),
    *LIVE_LINK_TURNS,
)
ROWS = 256
"""Of a table that are made into text at a time."""


def timecode(seconds: float, fps: float) -> str:
    """HH:MM:SS:FF.mmm, FF counting frames of `fps` within the second, mmm thousandths of a frame."""
    rate = max(round(fps), 1)
    thousandths = round(seconds * rate * 1000)
    frames, part = divmod(thousandths, 1000)
    whole, frame = divmod(frames, rate)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}:{frame:02d}.{part:03d}"


def live_link_rate(times: Array) -> int:
    """Frames a second that the timecodes of a recording count: 60 or 30.

    The file does not name its rate. Unreal takes it for 60 where any frame field is above 30, else for 30 (before
    5.3: always for 60), and reads the field with its fraction, so that every row keeps its own time at any rate of the
    video. Only where no row lies in the second half of a second, as in a clip of half a second, is it 30.
    """
    fields = np.round(np.asarray(times, dtype=np.float64) * 60_000) % 60_000
    return 60 if (fields >= 31_000).any() else 30  # 31, should somebody look at the whole frames alone


def live_link_turns(head: Array, gaze: Array) -> Array:
    """(T, 3) yaw, pitch, roll of heads as `geometry.euler_degrees` and (T, 2, 2) gaze of both eyes, to the subject's
    left and up, all in degrees -> (T, 9) radians as the app has them, in the order of LIVE_LINK_TURNS.

    The app counts heads and eyes in opposite ways: a head's yaw to the subject's left and its pitch up, an eye's yaw to
    the right and its pitch down. In a recording of somebody who keeps his eyes on the phone while his head moves, its
    numbers for the two go up and down together.
    """
    eyes = np.stack([-gaze[:, :, 0], -gaze[:, :, 1], np.zeros(gaze.shape[:2])], axis=2).reshape(len(head), -1)
    return np.asarray(np.radians(np.concatenate([head, eyes], axis=1)))


def live_link_csv(times: Array, weights: Array, head: Array, gaze: Array) -> Iterator[bytes]:
    """As the app Live Link Face records: a row for each frame, angles in radians.

    `weights` (T, 52) in ARKit's order; `head` (T, 3) degrees as `geometry.euler_degrees`; `gaze` (T, 2, 2) degrees of
    the left and the right eye: to the subject's left, and up.
    """
    order = [ARKIT_UNITS.index(name) for name in LIVE_LINK_UNITS]
    rate = live_link_rate(times)
    numbers = np.concatenate([weights[:, order], live_link_turns(head, gaze)], axis=1)
    return _table(
        LIVE_LINK_COLUMNS,
        (
            [timecode(t, rate), len(order) + len(LIVE_LINK_TURNS), *(f"{x:.8f}" for x in row)]
            for t, row in zip(times.tolist(), numbers.tolist(), strict=True)
        ),
    )


def bvh(fps: float, positions: Array, angles: Array) -> Iterator[bytes]:
    """The head as one joint, for a skeleton's head or neck, at constant steps of time. `positions` (T, 3) mm from the
    camera, x right, y up, z to the viewer; written in centimetres. `angles` (T, 3) degrees about z, x, y: turned first
    about y, then x, then z."""
    lines = [
        "HIERARCHY",
        "ROOT head",
        "{",
        "\tOFFSET 0.0 0.0 0.0",
        "\tCHANNELS 6 Xposition Yposition Zposition Zrotation Xrotation Yrotation",
        "\tEnd Site",
        "\t{",
        "\t\tOFFSET 0.0 10.0 0.0",
        "\t}",
        "}",
        "MOTION",
        f"Frames: {len(positions)}",
        f"Frame Time: {1 / fps:.8f}",
    ]
    yield ("\n".join(lines) + "\n").encode()
    rows = np.concatenate([positions * 0.1, angles], axis=1)
    for start in range(0, len(rows), ROWS):
        block = (" ".join(f"{x:.5f}" for x in row) for row in rows[start : start + ROWS].tolist())
        yield ("\n".join(block) + "\n").encode()


def even_times(times: Array, fps: float) -> Array:
    """(N,) seconds, 1/fps apart, as far as `times` (T,) reach."""
    return np.arange(int(times[-1] * fps + 0.5) + 1) / fps


def even_poses(times: Array, even: Array, positions: Array, rotations: Array) -> tuple[Array, Array]:
    """(T, 3) and (T, 3, 3) at growing `times` (T,) -> (N, 3) and (N, 3, 3) at `even` times (N,): on the straight line
    and on the shortest turn between the frames before and after."""
    place = np.array([np.interp(even, times, p) for p in positions.T]).T
    if len(times) < 2:
        return place, np.repeat(rotations[:1], len(even), axis=0)
    after = np.clip(np.searchsorted(times, even), 1, len(times) - 1)
    share = np.clip((even - times[after - 1]) / (times[after] - times[after - 1]), 0, 1)
    turns = np.array(
        [
            a @ rotation_matrix(s * rotation_vector(a.T @ b))
            for a, b, s in zip(rotations[after - 1], rotations[after], share, strict=True)
        ]
    )
    return place, turns


def zxy_degrees(rotations: Array) -> Array:
    """(T, 3, 3) -> (T, 3) angles about z, x, y with R = Rz Rx Ry."""
    r = np.asarray(rotations, dtype=np.float64)
    x = np.arcsin(np.clip(r[:, 2, 1], -1, 1))
    y = np.arctan2(-r[:, 2, 0], r[:, 2, 2])
    z = np.arctan2(-r[:, 0, 1], r[:, 1, 1])
    return np.asarray(np.degrees(np.stack([np.unwrap(z), x, np.unwrap(y)], axis=1)))


def table_csv(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    """Any table; numbers should be rounded already, None is an empty cell."""
    return _table(columns, rows)


def _table(columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[bytes]:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % ROWS == 0:
            yield text.getvalue().encode()
            text.seek(0)
            text.truncate()
    yield text.getvalue().encode()
