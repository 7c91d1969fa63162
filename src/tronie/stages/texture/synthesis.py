"""Texture synthesis for what no photo shows: strands where hair grows, the mottling of skin. Fixed for a head model."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.runtime.kept import kept

HAIRLINE = (
    (12, 67), (-6, 61), (-20, 47), (-29, 30), (-36, 10), (-40, -12), (-52, -16), (-54, 6), (-62, 15), (-80, 18),
    (-95, 10), (-101, -15), (-104, -42), (-112, -62), (-136, -72), (-250, -72), (-250, 250), (60, 250), (34, 76),
)  # fmt: skip
"""Corners z, y of the part of the mean head's side view where hair grows, mm from the eyes: forehead, temple,
sideburn, round the ear, nape."""
SOFT_MM = 9.0
"""Over which the hair thins out at its border."""
RAGGED_MM = 6.0
"""How far single strands reach across it."""
WHORL = np.array([0.0, 0.80, -0.60])
"""Direction from the skull's middle to the crown, from which hair runs in all directions."""
MIDDLE = np.array([0.0, 20.0, -80.0])
TILE, TILE_OF = 256, 2048
"""Side of the skin's pattern, which repeats, texels of an atlas of the second number's side."""


FINEST = 1024
"""Side of the patterns as drawn; larger ones are enlarged, strands are no finer than that."""


@dataclass(frozen=True, eq=False)
class Grain:
    """Patterns over the atlas."""

    cover: Image
    """(S, S) 0..255: how much of a texel hair covers on a person with a full head of hair."""
    strand: NDArray[np.int8]
    """(S, S) -127..127: the lightness of the hair there."""
    mottle: NDArray[np.int8]
    """(T, T) -127..127: the lightness of skin, as coarse on the head at every size of the atlas."""
    roughness: float
    """The deviation of the pattern, before a coarser atlas takes from it."""


def hairline_distance(points: Array) -> Array:
    """(N,) mm inside (positive) or outside (negative) the hairline for points (N, 3) of the mean head."""
    side = np.asarray(points, dtype=np.float64)[:, [2, 1]]
    a = np.array(HAIRLINE, dtype=np.float64)
    b = np.roll(a, -1, axis=0)
    distance, inside = np.full(len(side), np.inf), np.zeros(len(side), dtype=bool)
    for p, q in zip(a, b, strict=True):
        d, r = q - p, side - p
        t = np.clip((r @ d) / (d @ d), 0, 1)
        z, y = r[:, 0] - t * d[0], r[:, 1] - t * d[1]
        distance = np.minimum(distance, np.sqrt(z * z + y * y))
        crosses = (p[1] > side[:, 1]) != (q[1] > side[:, 1])
        if d[1] != 0:
            inside ^= crosses & (r[:, 0] < d[0] * r[:, 1] / d[1])
    return np.where(inside, distance, -distance)


@lru_cache(maxsize=2)
@kept
def grain(model: HeadModel, level: int, size: int) -> Grain:
    """Drawn once per model, level and size."""
    import cv2

    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    skin = mesh.triangle_part == 0
    distance = hairline_distance(mean)
    near = distance > -SOFT_MM - RAGGED_MM
    pick = skin & near[mesh.triangles].any(axis=1)
    side = min(size, FINEST)
    place = np.zeros((len(mesh.uv), 4), np.float32)
    place[mesh.triangle_uv[pick], :3] = mean[mesh.triangles[pick]]
    place[mesh.triangle_uv[pick], 3] = distance[mesh.triangles[pick]]
    flat = np.concatenate([mesh.uv * side, np.ones((len(mesh.uv), 1))], axis=1)
    buffers = rasterize(flat, mesh.triangle_uv[pick], side, side, cull=False)
    hit = buffers.triangle >= 0
    cover, strand = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    if hit.any():
        at = interpolate(buffers, mesh.triangle_uv[pick], place)[hit]
        value = _strands(at[:, :3])
        cover[hit] = 255 * smoothstep((at[:, 3] + RAGGED_MM * value) / SOFT_MM + 0.5, 0, 1)
        strand[hit] = 127 * value
        # Enlarging must not thin the hair along the atlas's seams.
        nearest = _nearest(hit)
        cover, strand = cover.ravel()[nearest], strand.ravel()[nearest]
    big = [np.round(cv2.resize(x, (size, size), interpolation=cv2.INTER_LINEAR)) for x in (cover, strand)]
    return Grain(big[0].astype(np.uint8), big[1].astype(np.int8), _tile(size), float(_mottle().std()))


def _nearest(known: NDArray[np.bool_]) -> NDArray[np.int64]:
    """(H, W) flat number of the nearest known pixel within 3, else the pixel itself."""
    import cv2

    distance, labels = cv2.distanceTransformWithLabels(
        (~known).astype(np.uint8), cv2.DIST_L2, 3, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = np.flatnonzero(known.ravel())
    source = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    source[labels.ravel()[inside]] = inside
    own = np.arange(known.size).reshape(known.shape)
    return np.where(distance <= 3, source[labels], own)


def _strands(points: Array) -> Array:
    """(N,) -1..1: noise drawn out along the meridians from the crown, at three widths."""
    d = points - MIDDLE.astype(np.float32)
    d /= np.maximum(np.linalg.norm(d, axis=1, keepdims=True), 1e-6)
    x_axis = np.array([1.0, 0.0, 0.0])
    y_axis = np.cross(WHORL, x_axis)
    along = d @ WHORL.astype(np.float32)
    polar = np.arccos(np.clip(along, -1, 1)) / np.pi
    # A slow twist keeps the strands from running dead straight.
    turn = (np.arctan2(d @ y_axis.astype(np.float32), d @ x_axis.astype(np.float32)) + np.pi) / (2 * np.pi)
    turn = turn + 0.03 * np.sin(9 * polar) * np.sin(2 * np.pi * 2 * turn)
    rng = np.random.default_rng(5)
    total = np.zeros(len(points), np.float32)
    for rows, columns, weight in ((14, 150, 0.8), (30, 420, 0.8), (44, 900, 0.7)):
        table = rng.standard_normal((rows, columns)).astype(np.float32)
        # Fewer strands fit round the crown.
        fit = np.clip(np.sin(np.pi * polar) * columns / 150, 0, 1) if columns > 400 else np.ones_like(polar)
        total += weight * fit * _periodic(table, polar * (rows - 1), turn * columns)
    return np.asarray(np.tanh(0.7 * total), dtype=np.float32)


def _periodic(table: Array, row: Array, column: Array) -> Array:
    """Bilinear samples of a table that repeats from right to left."""
    rows, columns = table.shape
    i = np.clip(row.astype(np.int32), 0, rows - 2)
    j = np.floor(column).astype(np.int32)
    fi, fj = row - i, column - j
    a, b = j % columns, (j + 1) % columns
    top = table[i, a] + (table[i, b] - table[i, a]) * fj
    low = table[i + 1, a] + (table[i + 1, b] - table[i + 1, a]) * fj
    return np.asarray(top + (low - top) * fi, dtype=np.float32)


def _mottle() -> NDArray[np.int8]:
    """Noise at several scales that repeats in both directions."""
    rng = np.random.default_rng(3)
    wave = np.fft.fft2(rng.standard_normal((TILE, TILE)))
    f = np.hypot(*np.meshgrid(np.fft.fftfreq(TILE), np.fft.fftfreq(TILE), indexing="ij")) * TILE
    noise = np.fft.ifft2(wave * np.where(f > 2, 1 / np.maximum(f, 6) ** 0.9, 0)).real
    return np.asarray(np.round(127 * np.tanh(0.6 * noise / noise.std())), dtype=np.int8)


def _tile(size: int) -> NDArray[np.int8]:
    """The pattern for an atlas of `size`."""
    import cv2

    side = max(TILE * size // TILE_OF, 8)
    if side == TILE:
        return _mottle()
    pattern = np.tile(_mottle().astype(np.float32), (3, 3))  # so that it still repeats after filtering
    method = cv2.INTER_AREA if side < TILE else cv2.INTER_CUBIC
    middle = cv2.resize(pattern, (3 * side, 3 * side), interpolation=method)[side : 2 * side, side : 2 * side]
    return np.asarray(np.clip(np.round(middle), -127, 127), dtype=np.int8)


@lru_cache(maxsize=2)
def mottle_map(size: int) -> Array:
    """(size, size) float32 of deviation 1: the pattern of skin over an atlas, the same in the mirror, as coarse on the
    skin at every size."""
    import cv2

    repeats = TILE_OF // TILE
    half = np.tile(_mottle().astype(np.float32), (repeats, repeats // 2))
    whole = np.concatenate([half, half[:, ::-1]], axis=1)
    out = cv2.resize(whole, (size, size), interpolation=cv2.INTER_AREA if size < TILE_OF else cv2.INTER_LINEAR)
    return np.asarray(out / max(float(whole.std()), 1e-6), dtype=np.float32)
