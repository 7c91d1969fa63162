"""The fast rasteriser equals a slow reference, covers shared edges once and interpolates in perspective."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from tronie.head.model import HeadModel
from tronie.raster.rasterizer import SUBPIXEL, interpolate, rasterize


def reference(points: NDArray[Any], triangles: NDArray[Any], height: int, width: int, cull: bool) -> Any:
    """One triangle at a time over the whole picture, with integers; the definition of what is wanted."""
    ids = np.full((height, width), -1, dtype=np.int32)
    depth = np.full((height, width), np.inf)
    barycentric = np.zeros((height, width, 3))
    y, x = np.mgrid[:height, :width] * SUBPIXEL + SUBPIXEL // 2
    for t, corners in enumerate(triangles):
        p = points[corners].astype(np.float32)
        if not (p[:, 2] > 0).all():
            continue
        q = np.floor(p[:, :2].astype(np.float64) * SUBPIXEL + 0.5).astype(np.int64)
        edges, covered = [], np.ones((height, width), dtype=bool)
        area = int((q[1, 0] - q[0, 0]) * (q[2, 1] - q[0, 1]) - (q[1, 1] - q[0, 1]) * (q[2, 0] - q[0, 0]))
        if area == 0 or (cull and area > 0):
            continue
        sign = 1 if area > 0 else -1
        for k in range(3):
            s, e = q[(k + 1) % 3], q[(k + 2) % 3]
            value = sign * ((e[0] - s[0]) * (y - s[1]) - (e[1] - s[1]) * (x - s[0]))
            dx, dy = sign * (e - s)
            covered &= (value > 0) | ((value == 0) & bool(dy < 0 or (dy == 0 and dx > 0)))
            edges.append(value)
        w = np.stack(edges, axis=-1) / abs(area) / p[:, 2].astype(np.float64)
        total = w.sum(-1)
        z = np.where(covered, 1 / np.where(covered, total, 1), np.inf)
        nearer = covered & (np.float32(1) / z.astype(np.float32) > (np.float32(1) / depth.astype(np.float32)))
        ids[nearer], depth[nearer] = t, z[nearer]
        barycentric[nearer] = (w / np.where(covered, total, 1)[..., None])[nearer]
    return ids, barycentric, depth


@pytest.mark.parametrize("cull", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_equals_the_slow_reference(seed: int, cull: bool) -> None:
    rng = np.random.default_rng(seed)
    points = np.column_stack([rng.uniform(-10, 50, (40, 2)), rng.uniform(5, 50, 40)]).astype(np.float32)
    points[::7, :2] = np.round(points[::7, :2]) + 0.5  # corners on pixel centres
    points[3, 2] = -1
    triangles = rng.integers(0, 40, (60, 3)).astype(np.int32)
    got = rasterize(points, triangles, 36, 41, cull)
    ids, barycentric, depth = reference(points, triangles, 36, 41, cull)
    np.testing.assert_allclose(got.depth, depth, rtol=2e-5)
    # Where two triangles meet in depth rounding may choose either.
    same = got.triangle == ids
    assert same.mean() > 0.99
    assert np.array_equal(got.triangle >= 0, ids >= 0)
    np.testing.assert_allclose(got.barycentric[same], barycentric[same], atol=2e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6), st.booleans())
def test_a_fan_covers_its_square_exactly_once(seed: int, on_grid: bool) -> None:
    """However a square is cut from an inner point, each pixel centre falls into one piece."""
    rng = np.random.default_rng(seed)
    inner = rng.uniform(2, 14, 2)
    if on_grid:
        inner = np.floor(inner) + 0.5
    rim = np.array([[0.5, 0.5], [0.5, 15.5], [15.5, 15.5], [15.5, 0.5]])
    points = np.column_stack([np.vstack([inner, rim]), np.ones(5)])
    count = np.zeros((17, 17), dtype=int)
    for k in range(4):
        piece = rasterize(points, [[0, 1 + k, 1 + (k + 1) % 4]], 17, 17)
        count += piece.triangle >= 0
    expected = np.zeros((17, 17), dtype=int)
    expected[:15, :15] = 1
    assert np.array_equal(count, expected)


def test_interpolation_is_right_in_perspective(tiny_head: HeadModel) -> None:
    """Interpolated camera positions project back onto the pixel centres they were taken at."""
    level = tiny_head.level(0)
    camera = level.apply(tiny_head.mean) * [1, -1, -1] + [0, 0, 400]
    screen = np.column_stack([camera[:, :2] / camera[:, 2:] * 150 + 40, camera[:, 2]])
    buffers = rasterize(screen, level.triangles, 80, 80)
    hit = buffers.triangle >= 0
    assert 0.1 < hit.mean() < 0.9
    at = interpolate(buffers, level.triangles, camera)[hit]
    ij = np.argwhere(hit)
    np.testing.assert_allclose(at[:, :2] / at[:, 2:] * 150 + 40, ij[:, ::-1] + 0.5, atol=2e-3)
    np.testing.assert_allclose(at[:, 2], buffers.depth[hit], rtol=1e-5)


def test_culling_shows_only_outsides(tiny_head: HeadModel) -> None:
    """From the front, with culling, no skin of the back of the head is drawn through the neck or anywhere."""
    level = tiny_head.level(1)
    v = level.apply(tiny_head.mean)
    screen = np.column_stack([v[:, 0] + 100, 130 - v[:, 1], 500 - v[:, 2]])
    seen = rasterize(screen, level.triangles, 260, 200).triangle
    corners = v[level.triangles[np.unique(seen[seen >= 0])]]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    assert (normal[:, 2] > 0).all()


def test_far_and_invalid_triangles_are_dropped() -> None:
    points = np.array([[0, 0, 1], [1e9, 0, 1], [0, 1e9, 1], [np.nan, 0, 1], [0, np.inf, 1], [5, 5, 0]])
    got = rasterize(points, [[0, 1, 2], [0, 3, 4], [0, 1, 5]], 8, 8, cull=False)
    assert (got.triangle == -1).all()
    assert np.isinf(got.depth).all()
    assert (got.barycentric == 0).all()
