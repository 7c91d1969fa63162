"""Pictures of heads whose true frontal picture is known: reconstructions of frontal photos, rendered from the side."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import Head
from tronie.raster.shading import UNLIT, render_head
from tronie.types import Face

SIDE, FOCAL, DISTANCE = 768, 1800.0, 1100.0
MIDDLE = np.array([0.0, -22.0, -62.0])
FRONTAL = 7.0
"""Degrees of yaw and 10 of pitch: photos turned less than this give known heads."""
YAWS = (0, 15, 25, 35, 45, 55, 70)
WALL = (150, 156, 160)


def is_frontal(face: Face) -> bool:
    assert face.fit is not None
    d = face.fit.diagnostics
    return abs(d["yaw"]) < FRONTAL and abs(d["pitch"]) < FRONTAL + 3


def picture(face: Face, yaw: float, pitch: float = 0.0) -> Image:
    """(768, 768, 3): the face's head with its texture before a wall, turned."""
    head: Head | None = face.head
    assert head is not None
    camera = Camera(FOCAL, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    rotation = rotation_from_euler(yaw, pitch, 0)
    pose = rigid(rotation, np.array([0, 0, DISTANCE]) - rotation @ MIDDLE)
    level = head.model.level(head.level)
    return render_head(head.vertices, level, face.texture, camera, pose, background=WALL, shading=UNLIT)


def turns(index: int, yaws: tuple[int, ...] = YAWS) -> Iterator[float]:
    """The yaws, to one side and the other by turns."""
    for k, yaw in enumerate(yaws):
        yield float(yaw if (index + k) % 2 else -yaw)
