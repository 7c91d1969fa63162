"""A person's motion as files: Live Link Face, BVH, frames.csv (and .parquet), and the animation of head.glb."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from importlib.util import find_spec
from typing import Any

import numpy as np

from tronie.arrays import Array
from tronie.export.gltf_document import GltfAnimation
from tronie.export.mocap import bvh, even_poses, even_times, live_link_csv, table_csv, timecode, zxy_degrees
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, euler_degrees
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.pipelines.video.motion import ABSENT, Motion
from tronie.pipelines.video.own_range import OwnRange

STATES = ("absent", "seen", "bridged")
COLUMNS: tuple[str, ...] = (
    "frame", "time", "timecode", "state", "confidence", "box_x0", "box_y0", "box_x1", "box_y1", "yaw", "pitch", "roll",
    "x_mm", "y_mm", "z_mm", "gaze_left_yaw", "gaze_left_pitch", "gaze_right_yaw", "gaze_right_pitch", *ARKIT_UNITS,
    *(f"raw_{unit}" for unit in ARKIT_UNITS),
)  # fmt: skip
"""Of frames.csv. Boxes in pixels; angles in degrees as in face.json (yaw to the image's right, pitch up, roll
counter-clockwise); x, y, z of the head's origin in camera axes; gaze to the subject's left and up; units from the
person's own rest to his own range, and as they were fitted."""


def course(motion: Motion, own: OwnRange, camera: Camera, name: str) -> GltfAnimation:
    """For head.glb: in a viewer's axes, the camera at the origin."""
    rotation = HEAD_TO_CAMERA_AXES.T @ motion.head_to_camera[:, :3, :3]
    place = motion.head_to_camera[:, :3, 3] @ HEAD_TO_CAMERA_AXES
    return GltfAnimation(motion.time, rotation, place, own.applied(motion.expression), camera, name)


def files(motion: Motion, own: OwnRange, model: HeadModel, fps: float) -> dict[str, Iterable[bytes]]:
    """Name -> contents."""
    units, raw = arkit(own.applied(motion.expression), model), arkit(motion.expression, model)
    rotation = HEAD_TO_CAMERA_AXES.T @ motion.head_to_camera[:, :3, :3]
    position = motion.head_to_camera[:, :3, 3] @ HEAD_TO_CAMERA_AXES
    place, turns = even_poses(motion.time, even_times(motion.time, fps), position, rotation)
    angles = np.array([euler_degrees(m[:3, :3]) for m in motion.head_to_camera])
    out: dict[str, Iterable[bytes]] = {
        "livelink.csv": live_link_csv(motion.time, units, angles, motion.gaze),
        "head.bvh": bvh(fps, place, zxy_degrees(turns)),
        "frames.csv": table_csv(COLUMNS, rows(motion, units, raw, angles, fps)),
    }
    if find_spec("pyarrow") is not None:
        out["frames.parquet"] = _parquet(motion, units, raw, angles, fps)
    return out


def arkit(expression: Array, model: HeadModel) -> Array:
    """(T, 52) in ARKit's order; 0 where a model lacks a unit."""
    at = {name: k for k, name in enumerate(model.expression_names)}
    out = np.zeros((len(expression), len(ARKIT_UNITS)))
    for k, name in enumerate(ARKIT_UNITS):
        if name in at:
            out[:, k] = expression[:, at[name]]
    return out


def rows(motion: Motion, units: Array, raw: Array, angles: Array, fps: float) -> Iterator[list[Any]]:
    """Of frames.csv: numbers as long as they mean something; cells of a frame without the person are empty."""
    for k, time in enumerate(motion.time.tolist()):
        head: list[Any] = [k, round(time, 5), timecode(time, fps), STATES[motion.state[k]]]
        if motion.state[k] == ABSENT:
            yield [*head, 0.0, *[None] * (len(COLUMNS) - len(head) - 1)]
            continue
        box = [None] * 4 if np.isnan(motion.box[k]).any() else np.round(motion.box[k], 2).tolist()
        yield [
            *head,
            round(float(motion.confidence[k]), 3),
            *box,
            *np.round(angles[k], 3).tolist(),
            *np.round(motion.head_to_camera[k, :3, 3], 2).tolist(),
            *np.round(motion.gaze[k].ravel(), 2).tolist(),
            *np.round(units[k], 4).tolist(),
            *np.round(raw[k], 4).tolist(),
        ]


def _parquet(motion: Motion, units: Array, raw: Array, angles: Array, fps: float) -> Iterator[bytes]:
    import io

    import pyarrow
    import pyarrow.parquet

    kinds = {"frame": pyarrow.int32(), "timecode": pyarrow.string(), "state": pyarrow.string()}
    columns = zip(COLUMNS, zip(*rows(motion, units, raw, angles, fps), strict=True), strict=True)
    table = pyarrow.table({n: pyarrow.array(values, kinds.get(n, pyarrow.float64())) for n, values in columns})
    stream = io.BytesIO()
    pyarrow.parquet.write_table(table, stream)
    yield stream.getvalue()
