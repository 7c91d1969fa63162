"""What a shell looks like: the photo where it shows it, its colours and strands carried on elsewhere; where it ends."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.stages.hair.kernels import PER_COLUMN, PER_ROW, fine_light, finish, look_up
from tronie.stages.hair.ring import closed, relaxed
from tronie.stages.hair.scaffold import COLUMNS
from tronie.stages.hair.surface import Surface, View
from tronie.stages.texture.segment import ramp

WIDTH = COLUMNS * PER_COLUMN
FALLBACK = np.array([70.0, 55.0, 45.0])
"""Where no photo shows a colour."""
TILES = ((12, 6), (8, 6), (5, 5), (3, 4))
"""Rows and columns of cells of the patches that strands are carried on with; the first that the photo has."""
PATCHES = 24
"""At most so many different ones."""
TALL = 320
"""Texels after which the pattern begins again."""
COARSE = 31
"""Texels over which light is even for it."""
SOLID = 0.85
"""Share of a patch that must be well seen."""
STRANGE = np.array([0.12, 0.16])
"""Logarithms of red and blue by green within which hues differ in hair."""
STRONGEST = 0.15
"""Deviation of the pattern at most: a flash's glints are no strands."""
CLOTH = np.float32(0.35)
"""Share of its folds' contrast that cloth has where it is not seen."""
SPECK = 7
"""Texels: what is narrower and stands alone is a slip."""
PLAIN = 0.16
"""Contrast of strands where no patch is found, in the logarithm."""
RAGGED = 0.12
"""By which strands move the border that no photo shows."""


def paint(surface: Surface, rows: int) -> Image:
    """RGBA (H, W, 4) over the first `rows` rows of a surface's rays."""
    height = PER_ROW * (rows - 1)
    colour = np.zeros((height, WIDTH, 3), np.float32)
    shown, share, sure = (np.zeros((height, WIDTH), np.float32) for _ in range(3))
    for view in surface.views:
        crop, place = fine_part(view, rows)
        on_canvas = view.cutout.from_photo.apply(view.pixels[:rows])
        packed = np.concatenate([place, on_canvas, np.stack([view.seen, view.square], axis=-1)[:rows]], axis=-1)
        look_up(
            np.ascontiguousarray(packed, np.float32),
            crop,
            view.cutout.share,
            view.cutout.solid,
            colour,
            shown,
            share,
            sure,
        )
    if surface.grows:
        likely(colour, shown)
    slow = slow_colours(colour, shown)
    strand = strands(height)
    detail = carried_on(colour, shown, slow, surface.grows)
    if not surface.grows:
        strand = np.zeros_like(strand)
    if detail is None:
        detail = np.float32(PLAIN / 64) * strand
    out = np.empty((height, WIDTH, 4), np.uint8)
    cover = np.ascontiguousarray(surface.cover[:rows], np.float32)
    finish(colour, shown, share, sure, slow, detail, strand, np.float32(RAGGED / 64), cover, out)
    out[..., 3] = without_specks(out[..., 3])
    return out


def without_specks(alpha: Image) -> Image:
    """(H, W) without islands narrower than SPECK texels."""
    import cv2

    kept = cv2.morphologyEx((alpha > 127).astype(np.uint8), cv2.MORPH_OPEN, np.ones((SPECK, SPECK), np.uint8))
    near = cv2.dilate(np.asarray(kept), np.ones((2 * SPECK + 1, 2 * SPECK + 1), np.uint8))
    return np.asarray(alpha * np.asarray(near), dtype=np.uint8)


def fine_part(view: View, rows: int) -> tuple[Image, Array]:
    """The part of the photo that the surface lies in, no finer than its texels, and where its rays are in there."""
    import cv2

    image, pixels = view.cutout.photo.image, view.pixels[:rows]
    height, width = image.shape[:2]
    used = pixels[view.seen[:rows] > 0]
    if not len(used):
        return np.full((2, 2, 3), 128, np.uint8), np.zeros_like(pixels)
    x0, y0 = np.clip(np.floor(used.min(axis=0)) - 2, 0, [width - 2, height - 2]).astype(int)
    x1, y1 = np.clip(np.ceil(used.max(axis=0)) + 3, [x0 + 2, y0 + 2], [width, height]).astype(int)
    step = np.linalg.norm(np.diff(pixels, axis=0), axis=-1)[view.seen[1:rows] > 0.5] / PER_ROW
    scale = min(1.0, 1.2 / max(float(np.median(step)), 1e-6)) if len(step) else 1.0
    part = image[y0:y1, x0:x1]
    if scale < 0.8:
        size = max(round((x1 - x0) * scale), 2), max(round((y1 - y0) * scale), 2)
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    factor = np.array([part.shape[1] / (x1 - x0), part.shape[0] / (y1 - y0)])
    return np.ascontiguousarray(part), (pixels - [x0, y0]) * factor


def likely(colour: Array, shown: Array) -> None:
    """Take from both what has another hue than the most: leaves, walls and clothes seen between strands."""
    import cv2

    size = (COLUMNS, shown.shape[0] // PER_ROW)
    weight = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA))
    mean = np.asarray(cv2.resize(colour, size, interpolation=cv2.INTER_AREA)) / np.maximum(weight, 1e-6)[..., None]
    some = weight > 0.3
    if not some.any():
        return
    hue = np.log(mean[..., [0, 2]] + 12) - np.log(mean[..., 1:2] + 12)
    middle = np.median(hue[some], axis=0)
    width = np.maximum(2.5 * np.median(np.abs(hue[some] - middle), axis=0), STRANGE)
    strange = np.sqrt((((hue - middle) / width) ** 2).sum(-1))
    factor = (1 - smoothstep(strange, 1.0, 1.8)).astype(np.float32)
    wide = np.asarray(cv2.resize(factor, shown.shape[::-1], interpolation=cv2.INTER_LINEAR))
    shown *= wide
    colour *= wide[..., None]


def slow_colours(colour: Array, shown: Array) -> Array:
    """(R - 1, C, 3) the mean colour of each cell, spread over those that no photo shows; some of the other side."""
    import cv2

    size = (COLUMNS, shown.shape[0] // PER_ROW)
    weight = np.asarray(cv2.resize(shown, size, interpolation=cv2.INTER_AREA), np.float64)
    total = np.asarray(cv2.resize(colour, size, interpolation=cv2.INTER_AREA), np.float64)
    mean = total / np.maximum(weight, 1e-6)[..., None]
    usual = np.median(mean[weight > 0.3], axis=0) if (weight > 0.3).any() else FALLBACK
    other = 0.05 * weight[:, ::-1]
    both = weight + other
    value = (total + other[..., None] * mean[:, ::-1]) / np.maximum(both, 1e-9)[..., None]
    return relaxed(closed(value), closed(4 * both), usual, 0.02)[:, :-1].astype(np.float32)


def carried_on(colour: Array, shown: Array, slow: Array, hair: bool) -> Array | None:
    """(TALL, W) float32 the fine pattern of what the photo shows, in the logarithm, carried on by patches from it that
    are blended so that its contrast stays (after Heitz and Neyret 2018); None where too little is seen. Of `hair` the
    patches are turned so that strands run down; cloth has folds in all directions."""
    import cv2

    height = shown.shape[0]
    cells = np.asarray(cv2.resize(shown, (COLUMNS, height // PER_ROW), interpolation=cv2.INTER_AREA))
    for tall, wide in TILES:
        solid = np.asarray(cv2.boxFilter(cells, -1, (wide, tall), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT))
        solid[:3] = 0  # drawn together about the pole
        corners = np.argwhere(solid > SOLID)
        if len(corners) >= 4:
            break
    else:
        return None
    rng = np.random.default_rng(7)
    h, w = tall * PER_ROW, wide * PER_COLUMN
    chosen = corners[rng.permutation(len(corners))[:PATCHES]]
    top, bottom = int(chosen[:, 0].min()) * PER_ROW, (int(chosen[:, 0].max()) + tall) * PER_ROW
    light = np.empty((bottom - top, WIDTH), np.float32)
    fine_light(colour, shown, slow, top, light)
    light = np.clip(light - np.asarray(cv2.blur(light, (COARSE, COARSE))), -0.5, 0.5)
    window = np.outer(np.hanning(h + 2)[1:-1], np.hanning(w + 2)[1:-1]).astype(np.float32)
    patches, straight = [], []
    for row, column in chosen:
        i, j = row * PER_ROW - top, column * PER_COLUMN
        turn, coherent = grain_of(light[i : i + h, j : j + w]) if hair else (0.0, 0.0)
        matrix = cv2.getRotationMatrix2D((j + w / 2, i + h / 2), turn, 1.0)
        matrix[:, 2] -= [j, i]
        patch, here = (cv2.warpAffine(x, matrix, (w, h), flags=cv2.INTER_LINEAR) for x in (light, shown[top:bottom]))
        weight = window * np.clip(2 * here - 1, 0, 1)
        patches.append((patch * weight, weight**2))
        straight.append(coherent)
    if not hair:  # the calmer half, without bands and borders
        patches.sort(key=lambda pair: float(np.abs(pair[0]).sum() / pair[1].sum()))
        patches = patches[: (len(patches) + 1) // 2]
    pattern = tiled(patches, rng)
    spread = max(float(pattern.std()), 1e-6)
    pattern *= np.float32(min(1.0, STRONGEST / spread))
    if not hair:
        return np.ascontiguousarray(CLOTH * pattern)
    # Where strands run side by side they are longer than a patch.
    share = float(np.clip(2 * (np.mean(straight) - 0.15), 0.15, 0.9))
    share = max(share, 0.95 * ramp(spread, 0.8 * STRONGEST, 1.2 * STRONGEST))
    long = np.float32(np.sqrt(share) * float(pattern.std()) / 64)
    return np.ascontiguousarray(np.float32(np.sqrt(1 - share)) * pattern + long * strands(len(pattern)))


def tiled(patches: list[tuple[Array, Array]], rng: np.random.Generator) -> Array:
    """(TALL, WIDTH) patches and the squares of their weights, (h, w) each, laid over each other at random; both ends
    meet, and so do top and bottom."""
    h, w = patches[0][0].shape
    total, power = np.zeros((TALL + h, WIDTH + w), np.float32), np.full((TALL + h, WIDTH + w), 1e-4, np.float32)
    for i in range(0, TALL, h // 2):
        for j in range(0, WIDTH, w // 2):
            y, x = i + int(rng.integers(0, h // 4)), j + int(rng.integers(0, w // 4))
            y, x = min(y, TALL), min(x, WIDTH)
            patch, square = patches[int(rng.integers(len(patches)))]
            if rng.random() < 0.5:
                patch, square = patch[:, ::-1], square[:, ::-1]
            total[y : y + h, x : x + w] += patch
            power[y : y + h, x : x + w] += square
    for table in (total, power):
        table[:, :w] += table[:, WIDTH:]
        table[:h] += table[TALL:]
    return (total / np.sqrt(power))[:TALL, :WIDTH]


def grain_of(light: Array) -> tuple[float, float]:
    """Degrees by which a patch (h, w) is to be turned for its strands to run down, and how much they run side by side,
    0..1: from the structure tensor's eigenvectors (Bigun and Granlund 1987)."""
    y, x = np.gradient(light)
    xx, yy, xy = float((x * x).mean()), float((y * y).mean()), float((x * y).mean())
    angle = 0.5 * np.degrees(np.arctan2(2 * xy, xx - yy))  # of the steepest change, 0 where strands run down
    return float(angle), float(np.hypot(xx - yy, 2 * xy) / max(xx + yy, 1e-9))


@lru_cache(maxsize=2)
def strands(height: int) -> NDArray[np.int8]:
    """(height, WIDTH) int8, deviation 64: noise drawn out along the columns; both ends meet, top and bottom too."""
    import cv2

    rng = np.random.default_rng(11)
    total = np.zeros((height, WIDTH), np.float32)
    for across, along, weight in ((0.8, 30.0, 0.7), (3.0, 50.0, 0.7), (9.0, 60.0, 0.4)):
        # Drawn small along the strands, and enlarged.
        short = max(int(height / along * 3), 4)
        noise = np.pad(rng.standard_normal((short, WIDTH)).astype(np.float32), ((2, 2), (32, 32)), mode="wrap")
        soft: Array = np.asarray(cv2.GaussianBlur(noise, (0, 0), sigmaX=across, sigmaY=0.6), dtype=np.float32)[
            :, 32:-32
        ]
        tall = round(height * (short + 4) / short)
        full = np.asarray(cv2.resize(soft, (WIDTH, tall), interpolation=cv2.INTER_CUBIC))
        full = full[(tall - height) // 2 :][:height]
        total += weight * full / float(full.std())
    return np.asarray(np.clip(64 * total / total.std(), -127, 127), dtype=np.int8)
