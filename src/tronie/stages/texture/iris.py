"""What a photo shows of a person's eyes: the iris's rings of colour, the sclera, where light is mirrored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.stages.texture.white_balance import Tint, tint_of, toned
from tronie.types import Landmarks, Photo

BROWN = np.array([86.0, 60.0, 44.0], dtype=np.float32)
"""The commonest iris, where a photo does not tell."""
LID_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
LID_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
"""MediaPipe's landmarks around the subject's right and left eye opening: outer corner, lower lid, inner corner,
upper lid."""
RING = (0.46, 0.62, 0.8)
"""Radii, of the iris's, at which its colour is measured and painted; within 0.09 each."""
CATCHLIGHT = (-0.3, 0.34)
"""Where the light is mirrored if the photo does not tell: a window at the picture's upper left, in both eyes alike."""


@dataclass(frozen=True, slots=True)
class EyeLook:
    """What one photo says of a person's eyes, sRGB 0..255."""

    iris: Array
    """(3,) on the whole, or (3, 3) at the radii RING, from the pupil outwards."""
    sclera: Array
    """(3,)."""
    light: tuple[float, float] = CATCHLIGHT
    """Middle of the catchlight from the pupil's: to the picture's right and up, of the iris's radius."""
    glint: float | None = None
    """Its brightness, sRGB 0..255; None for the usual."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One eye in the photo."""

    weight: float = 0.0
    """0..1, how far it is believed."""
    iris: Array | None = None
    """(3, 3) at RING."""
    sclera: Array | None = None
    light: tuple[float, float, float] | None = None
    """x to the right, y up, of the iris's radius, and brightness 0..255."""


def eye_look(photo: Photo, landmarks: Landmarks | None, skin: Array, tint: Tint | None = None) -> EyeLook:
    """Iris, sclera and catchlight from the photo; where it is too small, closed or unclear, the commonest in the face's
    light."""
    light = float(np.clip(skin.mean() / 150.0, 0.4, 1.2))
    usual_white = np.minimum(skin.max() * np.array([1.08, 1.04, 1.02], np.float32), [222, 216, 212])
    found = (
        []
        if landmarks is None
        else [
            seen
            for seen in (
                _measure(photo.image, landmarks.points, lid, first)
                for lid, first in ((LID_RIGHT, 468), (LID_LEFT, 473))
            )
            if seen.weight > 0
        ]
    )
    weight = min(sum(s.weight for s in found), 1.0)
    iris = np.broadcast_to(BROWN * light, (3, 3))
    irises = [s for s in found if s.iris is not None]
    if irises:
        measured = np.average(np.array([s.iris for s in irises]), axis=0, weights=[s.weight for s in irises])
        iris = iris + weight * (measured - iris)
    white = usual_white
    whites = [s for s in found if s.sclera is not None]
    if whites:
        measured = np.average(np.array([s.sclera for s in whites]), axis=0, weights=[s.weight for s in whites])
        # Lids, lashes and corners redden and darken what is measured: some way to grey, within reason.
        measured = 0.6 * measured + 0.4 * measured.mean()
        white = np.clip(0.35 * usual_white + 0.65 * measured, 0.6 * usual_white, 1.1 * usual_white)
    if landmarks is not None and weight < 1:
        dim = _dimness(photo.image, landmarks.points, iris.mean(axis=0), white)
        iris, white = (c * (dim + weight * (1 - dim)) for c in (iris, white))
    lights = [s.light for s in found if s.light is not None]
    tint = tint or tint_of(skin, photo, landmarks)
    colours = toned(np.clip(iris, 10, 200), tint), toned(np.clip(white, 30, 228), tint)
    if not lights:
        return EyeLook(*colours)
    x, y, glint = (float(value) for value in np.mean(lights, axis=0))
    return EyeLook(*colours, (x, y), glint)


def _dimness(image: Image, points: Array, iris: Array, white: Array) -> float:
    """How dark the lighter eye of a small face is against painted eyes, 0.4..1: eyes deep in shade do not glow."""
    lights = []
    for first in (468, 473):
        x, y = (int(c) for c in np.nan_to_num(points[first, :2]))
        reach = max(
            1, round(float(np.linalg.norm(points[first + 1 : first + 5, :2] - points[first, :2], axis=1).mean()))
        )
        patch = image[max(y - reach, 0) : y + reach + 1, max(x - 2 * reach, 0) : x + 2 * reach + 1]
        lights += [float(patch.mean())] if patch.size else []
    usual = 0.5 * float(iris.mean() + 0.85 * white.mean())
    return float(np.clip(max(lights, default=usual) / max(usual, 1.0), 0.4, 1.0))


def _measure(image: Image, points: Array, lid: tuple[int, ...], first: int) -> _Seen:
    """What one eye shows."""
    import cv2

    centre = points[first, :2]
    radius = float(np.linalg.norm(points[first + 1 : first + 5, :2] - centre, axis=1).mean())
    if not np.isfinite(centre).all() or radius < 2.0:
        return _Seen()
    reach = int(np.ceil(3 * radius)) + 2
    x0, y0 = int(centre[0]) - reach, int(centre[1]) - reach
    x1, y1 = x0 + 2 * reach, y0 + 2 * reach
    if x0 < 0 or y0 < 0 or x1 > image.shape[1] or y1 > image.shape[0]:
        return _Seen()
    crop = image[y0:y1, x0:x1].astype(np.float32)
    opening = np.zeros(crop.shape[:2], np.uint8)
    # Half a pixel: fillPoly's coordinates are whole at pixel centres.
    cv2.fillPoly(opening, [np.round(points[list(lid), :2] - [x0 + 0.5, y0 + 0.5]).astype(np.int32)], 1)
    yy, xx = np.mgrid[y0:y1, x0:x1] + 0.5
    dx, dy = (xx - centre[0]) / radius, (yy - centre[1]) / radius
    r = np.hypot(dx, dy)
    # The upper lid shades and its lashes cover the top of the iris.
    clear = (opening > 0) & (r > 0.37) & (r < 0.89) & (dy > -0.45)
    if np.count_nonzero(clear) < 12:
        return _Seen()
    whole = _typical(crop[clear])
    rings = [crop[clear & (np.abs(r - at) < 0.09)] for at in RING]
    iris = np.stack([0.3 * whole + 0.7 * _typical(ring) if len(ring) >= 4 else whole for ring in rings])
    outside = crop[(opening > 0) & (r > 1.25)]
    sclera = None
    if len(outside) >= 12:
        brightness = outside.sum(axis=1)
        sclera = np.median(outside[brightness >= np.quantile(brightness, 0.7)], axis=0)
    light = _catchlight(crop.mean(axis=2), (opening > 0) & (r < 0.85), dx, dy, float(whole.mean()), radius)
    return _Seen(float(np.clip((radius - 2.0) / 3.0, 0.0, 1.0)), iris.astype(np.float32), sclera, light)


def _typical(values: Array) -> Array:
    """(3,) of the middling of some pixels (n, 3): neither lashes and pupil nor what is mirrored."""
    total = values.sum(axis=1)
    low, high = np.quantile(total, [0.3, 0.85])
    return np.asarray(np.median(values[(total >= low) & (total <= high)], axis=0))


def _catchlight(
    bright: Array, iris: NDArray[np.bool_], dx: Array, dy: Array, usual: float, radius: float
) -> tuple[float, float, float] | None:
    """Where the iris mirrors the light, and how brightly: the lightest spot, if it stands out."""
    import cv2

    if radius < 5 or not iris.any():
        return None
    soft = cv2.blur(bright, (3, 3)) if radius >= 7 else bright
    peak = float(soft[iris].max())
    if peak < max(usual + 45, 1.7 * usual):
        return None
    k = np.flatnonzero(iris & (soft >= peak))[0]
    x, y = dx.ravel()[k], dy.ravel()[k]
    spot = iris & (np.hypot(dx - x, dy - y) < 0.35) & (soft > 0.5 * (peak + usual))
    weight = soft[spot] - usual
    x, y = (float((d[spot] * weight).sum() / weight.sum()) for d in (dx, dy))
    scale = min(1.0, 0.6 / max(float(np.hypot(x, y)), 1e-6))
    return x * scale, -y * scale, min(float(bright[spot].max()), 252.0)
