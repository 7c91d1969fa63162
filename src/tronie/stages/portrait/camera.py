"""The portrait's camera: how far, how high, and what of the person it takes in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, Similarity, rigid
from tronie.head.model import Head
from tronie.settings import PortraitSettings
from tronie.stages.enhance.region import COARSE_MM

Crop = Literal["square", "passport", "head"]

HEIGHTS = (512, 1024)
"""Of the portrait where nobody chooses: for what has pixels of COARSE_MM and more, and for what has finer ones."""
DISTANCE_MM = 1400.0
"""From the eyes to the camera: near enough to look like a meeting, far enough not to swell the nose."""
PIVOT_MM = np.array([0.0, -40.0, -80.0])
"""About where a head turns on its neck: what the picture around the head is held by."""
BORDER = 0.012
"""Share of the portrait's half that stays between it and the photo's border, where it can: the warp looks further."""


@dataclass(frozen=True, slots=True)
class Style:
    """How a portrait is cut."""

    aspect: float
    """Width by height."""
    eye_line: float
    """Height of the eyes, share of the picture's from above."""
    crown: float
    """Least room above the head, likewise."""
    span_mm: float
    """What the height of the picture holds at the eyes, for an average head."""
    nearer: float
    """Least share of that which it may hold where the photo has no more."""


STYLES: dict[Crop, Style] = {
    "square": Style(1.0, 0.44, 0.06, 300.0, 0.88),
    # 35 x 45 mm, with 32 to 36 mm from chin to crown (ICAO Doc 9303, part 3): 76 % of the height here, at most 80 %.
    "passport": Style(35 / 45, 0.47, 0.07, 300.0, 0.95),
    "head": Style(0.8, 0.48, 0.03, 250.0, 0.92),
}
LOWER = (0.0, -0.02, 0.02, -0.04, 0.04, -0.06, -0.08, -0.1)
"""By how much of the height the eyes may lie elsewhere for it."""


def height_of(settings: PortraitSettings, pixel_mm: float = 0.0) -> int:
    """Pixels of the portrait of a face that has one per `pixel_mm`. The lower one's are 0.6 mm: two thirds of the
    coarse pixel that they are to show. What is to be printed is high."""
    if settings.size != "auto":
        return settings.size
    return HEIGHTS[pixel_mm < COARSE_MM or settings.crop == "passport"]


def framed(head: Head, size: int, crop: Crop, photo_camera: Camera, head_to_photo: Array) -> tuple[Camera, Array]:
    """As `portrait_camera`, nearer as far as need be to stay inside a photo of `photo_camera`."""
    style = STYLES[crop]
    width, height = photo_camera.size
    measured = extent(head)
    best, most, lowest, widest = _camera(measured, style, size), 0.0, 0.0, -np.inf
    for lower in LOWER:
        camera, pose = _camera(measured, style, size, 1.0, lower)
        (x, y), _ = eyes_at(camera, pose)
        corners = np.array([[u, v] for u in (0, camera.size[0]) for v in (0, camera.size[1])], dtype=float)
        to_photo = on_canvas(camera, pose, photo_camera, head_to_photo)
        middle, out = to_photo.apply(np.array([[x, y]])), to_photo.apply(corners)
        way = out - middle
        room = np.where(way > 0, [width, height] - middle, middle) - BORDER * np.abs(way).max()
        all_of_it = float((room / np.maximum(np.abs(way), 1e-9)).min())
        share = float(np.clip(all_of_it, style.nearer, 1))
        # Nearer, the crown would touch the upper edge: as good with the eyes further down is better.
        roomier = share < 1 and lower > lowest and all_of_it > widest - 0.004
        if share > most + 0.004 or roomier:
            best, most = _camera(measured, style, size, share, lower), share
            lowest, widest = lower, all_of_it
        if most == 1:
            break
    return best


def portrait_camera(
    head: Head, size: int, crop: Crop = "square", share: float = 1.0, lower: float = 0.0
) -> tuple[Camera, Array]:
    """Camera of a portrait `size` pixels high and the head-to-camera pose (4, 4); the same for every expression.

    The scale is that of an average head unless this one would not fit, so that sizes can be compared. The camera looks
    along the head's own axis, at the height of the picture's middle, as any picture is taken to be made: with the eyes
    above the middle it stands a little lower than they. It holds only a `share` of what it would, with the eyes by
    `lower`, a share of the height, further down.
    """
    return _camera(extent(head), STYLES[crop], size, share, lower)


def extent(head: Head) -> tuple[float, float, float]:
    """Of a head, mm: how high its crown lies, how far before the eyes, and half its width."""
    skin = head.neutral
    top = float(skin[:, 1].max())
    return top, float(np.median(skin[skin[:, 1] > top - 20, 2])), float(np.abs(skin[:, 0]).max())


def _camera(
    head: tuple[float, float, float], style: Style, size: int, share: float = 1.0, lower: float = 0.0
) -> tuple[Camera, Array]:
    """See `portrait_camera`; `head` is its `extent`."""
    top, depth, wide = head
    eye_line = style.eye_line + lower
    # Perspective: the crown lies behind the eyes and looks a little smaller.
    high = (style.eye_line - style.crown) / (top * DISTANCE_MM / (DISTANCE_MM - depth))
    per_mm = min(1 / style.span_mm, high, 0.46 * style.aspect / wide) / share
    width = 2 * round(size * style.aspect / 2)
    camera = Camera(per_mm * size * DISTANCE_MM, (width / 2, size / 2), (width, size))
    return camera, rigid(HEAD_TO_CAMERA_AXES, [0.0, (eye_line - 0.5) / per_mm, DISTANCE_MM])


def eyes_at(camera: Camera, pose: Array) -> tuple[tuple[float, float], float]:
    """Pixels of the point midway between the eyes, and pixels per mm there."""
    x, y, z = pose[:3, 3].tolist()
    per_mm = camera.focal / z
    return (camera.center[0] + per_mm * x, camera.center[1] + per_mm * y), per_mm


def on_canvas(camera: Camera, pose: Array, photo_camera: Camera, head_to_photo: Array) -> Similarity:
    """Portrait pixels -> photo pixels for what does not turn: held at PIVOT_MM, as large there, the head upright."""
    ends = []
    for c, m in ((camera, pose), (photo_camera, head_to_photo)):
        p = PIVOT_MM @ m[:3, :3].T + m[:3, 3]
        scale = c.focal / p[2]
        up = m[:3, :3] @ [0.0, 1.0, 0.0]
        # How the head's upward axis at the pivot moves on the picture, perspective included.
        x, y = up[:2] - p[:2] / p[2] * up[2]
        ends.append((c.project(p), scale, complex(x, y)))
    (here, scale_here, up_here), (there, scale_there, up_there) = ends
    turn = up_there / up_here
    # Looked at from above or below the axis says little; a head on its side is turned upright all the same.
    factor = scale_there / scale_here / max(abs(turn), 1e-9)
    a, b = turn.real * factor, turn.imag * factor
    x, y = there - np.array([a * here[0] - b * here[1], b * here[0] + a * here[1]])
    return Similarity(a, b, float(x), float(y))


@lru_cache(maxsize=4)
def backdrop(size: int, width: int | None = None) -> Image:
    """(N, W, 3), square by default: light grey, a little brighter behind the head, without bands."""
    wide = size if width is None else width
    y, x = (np.mgrid[:size, :wide] + 0.5) / size
    r = np.hypot(x - 0.5 * wide / size, (y - 0.45) * 0.9)
    tone = 232 - 44 * np.clip(r / 0.75, 0, 1) ** 1.6
    # Dither, the same on every call: the gradient has fewer grey levels than the picture has rows.
    tone = tone + np.random.default_rng(0).uniform(-0.5, 0.5, (size, wide))
    return np.asarray(np.clip(tone[..., None] + [-0.5, 0.0, 1.5] + 0.5, 0, 255), dtype=np.uint8)
