"""A smooth tongue in the helper's place."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.head.mpfb import Body
from training.head.surface_patch import Patch, interpolating, outward, ring_grid
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel

AROUND = 12
STATIONS = 14


def build_tongue(body: Body) -> Patch:
    """Rings along a bent spine; ring vertex 0 is the middle of the back, AROUND / 2 that of the underside."""
    helper = body.vertices[body.vertex_groups["helper-tongue"]]
    low, high = helper[:, 2].min(), helper[:, 2].max()
    s = 1 - (1 - np.linspace(0, 1, STATIONS)) ** 1.35  # denser towards the tip
    z = low + 4 + (high - low - 5.5) * s
    top, bottom, width = (_smooth(s, row) for row in zip(*(_section(helper, at) for at in z), strict=True))
    top = bottom + 0.78 * (top - bottom)  # lower than the helper, which nearly fills the opened mouth
    round_off = np.sqrt(np.clip(1 - np.clip((s - 0.62) / 0.4, 0, None) ** 2.4, 0, 1))
    width = 0.93 * width * np.maximum(round_off, 0.3)
    middle, half = (top + bottom) / 2, np.maximum((top - bottom) / 2, 2.6) * np.maximum(round_off, 0.5)
    turn = 2 * np.pi * np.arange(AROUND) / AROUND
    across = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.8
    up = np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.9
    groove = np.exp(-((across / 0.16) ** 2)) * (up > 0)
    depth = 1.1 * np.sin(np.pi * np.clip(s, 0, 0.97)) ** 0.8
    x = width[:, None] * across
    y = middle[:, None] + half[:, None] * np.where(up > 0, up, 0.85 * up) - depth[:, None] * groove
    rings = np.stack([x, y, np.broadcast_to(z[:, None], x.shape)], axis=-1).reshape(-1, 3)
    tip = np.array([[0.0, middle[-1] - 0.3, z[-1] + 1.6]])
    target = np.concatenate([rings, tip])
    target[:, 0][np.isclose(target[:, 0], 0)] = 0.0

    grid = ring_grid(STATIONS, AROUND)
    end = (STATIONS - 1) * AROUND
    k = np.arange(0, AROUND, 2)
    cap = np.stack([np.full(len(k), len(rings)), end + k, end + k + 1, end + (k + 2) % AROUND], axis=1)
    quads = np.concatenate([grid, cap])

    # The chart is the skin of the tongue unrolled, cut along the middle of the underside; the root is at the top.
    loop = rings.reshape(STATIONS, AROUND, 3)
    half_loop = np.cumsum(np.linalg.norm(np.diff(loop[:, : AROUND // 2 + 1], axis=1), axis=2), axis=1)
    half_loop = np.concatenate([np.zeros((STATIONS, 1)), half_loop], axis=1)
    u = np.concatenate([-half_loop[:, :0:-1], half_loop], axis=1)
    columns = AROUND + 1
    v = np.concatenate([[0], np.cumsum(np.hypot(np.diff(z), np.diff(middle)))])
    uv = np.stack([u, np.broadcast_to(v[:, None], u.shape)], axis=-1).reshape(-1, 2)
    # A face between ring vertices a and a + 1 lies between columns; -u side holds the second half of the ring.
    a = np.tile(np.arange(AROUND), STATIONS - 1)
    r = np.repeat(np.arange(STATIONS - 1), AROUND)
    c = (a + AROUND // 2) % AROUND
    grid_uv = np.stack([r * columns + c, r * columns + c + 1, (r + 1) * columns + c + 1, (r + 1) * columns + c], axis=1)
    ck = (k + AROUND // 2) % AROUND
    base = (STATIONS - 1) * columns
    tip_rows = len(uv) + np.arange(len(k))
    tip_uv = np.stack([uv[base + ck + 1, 0] * 0.9, np.full(len(k), v[-1] + 2.5)], axis=1)
    cap_uv = np.stack([tip_rows, base + ck, base + ck + 1, base + ck + 2], axis=1)
    uv = np.concatenate([uv, tip_uv])

    mirror = np.concatenate(
        [(np.arange(STATIONS)[:, None] * AROUND + (-np.arange(AROUND)) % AROUND).ravel(), [len(rings)]]
    )
    control = interpolating(target, quads, 2)
    control[:AROUND] = target[:AROUND]  # the open root stays where it is
    control = (control + control[mirror] * [-1, 1, 1]) / 2
    return outward(
        Patch(
            vertices=control,
            quads=quads,
            material=np.full(len(quads), "tongue"),
            chart=np.zeros(len(quads), int),
            corner_uv=uv,
            quad_uv=np.concatenate([grid_uv, cap_uv]),
            colour=tongue_colours(uv, np.abs(u).max(), v[-1]),
            mirror=mirror,
        )
    )


def _section(helper: np.ndarray, z: float) -> tuple[float, float, float]:
    """Top, bottom and half width of the helper around a station."""
    near = helper[np.abs(helper[:, 2] - z) < 7]
    return near[:, 1].max(), near[:, 1].min(), near[:, 0].max()


def _smooth(s: np.ndarray, values: np.ndarray) -> np.ndarray:
    return np.polynomial.Polynomial.fit(s, np.asarray(values), 4)(s)


def tongue_colours(uv: np.ndarray, half: float, length: float) -> np.ndarray:
    """Pink, redder below and at the edges, paler and drier in the middle of the back, darker groove and root."""
    side, along = np.abs(uv[:, 0]) / half, np.clip(uv[:, 1] / length, 0, 1)
    top = np.clip(1 - (side / 0.5) ** 2, 0, 1)[:, None]
    colour = np.array([172, 84, 84]) * (1 - top) + np.array([198, 120, 114]) * top
    colour = colour - 22 * np.exp(-((side / 0.06) ** 2))[:, None]
    root = np.array([0.5, 0.33, 0.34])
    return np.round(colour * (root + (1 - root) * np.clip(along / 0.6, 0, 1)[:, None])).astype(np.uint8)


JAW = 0.2
"""Of jawOpen, with which a tongue put out passes over teeth and lip."""


def passing(model: HeadModel) -> HeadModel:
    """tongueOut with the mouth open as far as the tongue needs; it went through the lower lip."""
    units = model.expression.copy()
    tongue, jaw = (ARKIT_UNITS.index(unit) for unit in ("tongueOut", "jawOpen"))
    units[tongue] += np.float32(JAW) * units[jaw]
    return replace(model, expression=units)
