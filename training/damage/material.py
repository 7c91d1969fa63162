"""Pictures to learn from: photos in the state in which they have come down to us, most of them damaged.

What is no damage and looks like it is painted *into* the picture, before it is blurred and gets its grain: writing,
stripes, wires, frames, strands. Damage comes on top, as sharp as the scan is.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from training.damage.marks import clouds, damaged, drawn, path
from training.superres.degrade import grained, halftone, jpeg, noisy, soft_lens, tinted, to_bytes
from tronie.io.images import read_photo

SIDE = 384
"""Of a painted picture, pixels."""
WHOLE = 0.35
"""Share of pictures without damage."""


def photos(paths: Iterable[Path]) -> list[np.ndarray]:
    """RGB uint8."""
    return [read_photo(path).image for path in paths]


def scene(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: a part of a photo, larger or smaller, maybe mirrored or turned by 90 degrees."""
    scale = np.exp(rng.uniform(np.log(0.35), np.log(1.6)))
    scale *= max(0.55 * SIDE / (scale * min(image.shape[:2])), 1)  # a small photo is not made smaller still
    how = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_AREA
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=how)
    below, beside = (max(SIDE - side, 0) for side in image.shape[:2])
    image = cv2.copyMakeBorder(image, 0, below, 0, beside, cv2.BORDER_REFLECT)
    y, x = (rng.integers(0, side - SIDE + 1) for side in image.shape[:2])
    image = image[y : y + SIDE, x : x + SIDE]
    if rng.random() < 0.15:
        image = np.rot90(image, rng.integers(1, 4))
    return np.ascontiguousarray(image[:, ::-1] if rng.random() < 0.5 else image)


def _writing(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    mask = np.zeros(x.shape[:2], np.uint8)
    for _ in range(rng.integers(1, 7)):
        text = "".join(chr(c) for c in rng.integers(33, 123, rng.integers(2, 14)))
        place = (rng.uniform(-0.1, 0.9, 2) * SIDE).astype(int).tolist()
        cv2.putText(
            mask, text, place, int(rng.integers(0, 8)), rng.uniform(0.4, 2), 255, int(rng.integers(1, 4)), cv2.LINE_AA
        )
    return mask.astype(np.float32) / 255


def _stripes(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    y, z = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    pattern = np.zeros((SIDE, SIDE), np.float32)
    for _ in range(rng.integers(1, 3)):
        angle, pitch = rng.uniform(0, np.pi), rng.uniform(6, 40)
        wave = (y * np.sin(angle) + z * np.cos(angle) + 3 * clouds((SIDE, SIDE), rng, 60)) * 2 * np.pi / pitch
        pattern = np.maximum(pattern, np.clip((np.cos(wave) - rng.uniform(0.2, 0.95)) * 8, 0, 1))
    part = cv2.GaussianBlur((clouds((SIDE, SIDE), rng, 100) > rng.uniform(-0.8, 0.8)).astype(np.float32), (0, 0), 1)
    return pattern * part


def _frames(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Bars, wires and window frames: from one side of the picture to the other, in pairs and grids."""
    lines = []
    upright = rng.normal(0, 0.06)
    for across in (0, 1):
        for at in np.cumsum(rng.uniform(15, 160, rng.integers(1, 7))):
            ends = np.array([[-9.0, at], [SIDE + 9.0, at + rng.normal(0, 4)]])
            ends = ends[:, ::-1] if across else ends
            lines.append(ends + upright * (ends[:, ::-1] * [1, -1]))
        if rng.random() < 0.5:
            break
    return drawn(x.shape[:2], lines, int(rng.integers(1, 7)))


def _strands(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Hair: many curves side by side."""
    lead = path(x.shape[:2], rng, rng.uniform(60, 400), rng.uniform(0.02, 0.2), 0)
    spread = rng.uniform(2, 25)
    growing = np.linspace(rng.uniform(0, 1), 1, len(lead))[:, None]
    lines = [lead + growing * rng.normal(0, spread, 2) for _ in range(rng.integers(5, 60))]
    return drawn(x.shape[:2], lines, int(rng.integers(1, 3))) * rng.uniform(0.4, 1)


def _glints(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Beads, buttons, leaves in the sun: soft spots in rows and crowds."""
    mask = np.zeros(x.shape[:2], np.uint8)
    row = path(x.shape[:2], rng, rng.uniform(60, 300), 0.1, rng.choice([0.0, 8.0]))[:: int(rng.integers(2, 6))]
    size = rng.uniform(1, 6)
    for place in row:
        cv2.circle(mask, (place * 16).astype(int).tolist(), int(size * 16), 255, -1, cv2.LINE_AA, 4)
    return mask.astype(np.float32) / 255


OWN = {_writing: 0.05, _stripes: 0.08, _frames: 0.04, _strands: 0.06, _glints: 0.03}
"""What a picture may show that is no damage, and how often it is painted into it."""


def content(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE, 3) float32 grey levels: an undamaged photo, in the state of an old or a new one."""
    x = scene(image, rng).astype(np.float32)
    for paint, often in OWN.items():
        if rng.random() < often:
            cover = paint(x, rng)[..., None]
            own = x[tuple(rng.integers(0, SIDE, 2))]  # mostly in a colour that the picture has
            colour = own if rng.random() < 0.75 else np.clip(rng.uniform(0, 255) + rng.normal(0, 20, 3), 0, 255)
            x = x + cover * (colour.astype(np.float32) - x)
    blur = rng.choice([0, rng.uniform(0.3, 1.0), rng.uniform(1, 2.5)], p=[0.25, 0.5, 0.25])
    if blur:
        x = cv2.GaussianBlur(x, (0, 0), blur, borderType=cv2.BORDER_REFLECT)
    if rng.random() < 0.1:
        x = soft_lens(x, rng, 4)
    x = tinted(to_bytes(x), rng) if rng.random() < 0.8 else x
    if rng.random() < 0.35:
        grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
        tint = np.array([1.0, rng.uniform(0.85, 1), rng.uniform(0.6, 1)], np.float32)
        x = grey[..., None] * (tint if rng.random() < 0.6 else np.ones(3, np.float32))
    kind = rng.random()
    if kind < 0.4:
        x = grained(x, rng)
    elif kind < 0.6:
        x = noisy(x, rng)
    elif kind < 0.63:
        x = halftone(x, rng)
    return np.clip(x, 0, 255).astype(np.float32)


def scanned(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) uint8: what a scanner and a file make of it."""
    if rng.random() < 0.6:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.3:
        x = x + rng.normal(0, rng.uniform(1, 5), x.shape).astype(np.float32)
    if rng.random() < 0.15:
        x = x + (x - cv2.GaussianBlur(x, (0, 0), 1.2)) * np.float32(rng.uniform(0.3, 1))
    seen = to_bytes(x)
    return jpeg(seen, int(rng.uniform(40, 96)), int(rng.integers(0, 3))) if rng.random() < 0.7 else seen


def picture(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A photo -> (SIDE, SIDE, 3) uint8 to be looked at, and (SIDE, SIDE) float32 how far each pixel is lost."""
    x = content(image, rng)
    lost = np.zeros((SIDE, SIDE), np.float32)
    if rng.random() >= WHOLE:
        x, lost = damaged(x, rng)
    return scanned(x, rng), lost
