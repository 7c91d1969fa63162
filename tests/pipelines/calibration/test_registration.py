"""Closest points against trying everything."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.pipelines.calibration.registration import closest_on_surface, closest_on_triangles, nearest


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_no_point_of_a_triangle_is_nearer(seed: int) -> None:
    rng = np.random.default_rng(seed)
    p, a, b, c = rng.normal(size=(4, 1, 3)) * rng.uniform(0.1, 3, (4, 1, 1))
    w = closest_on_triangles(p, a, b, c)
    assert np.allclose(w.sum(axis=1), 1)
    assert (w > -1e-9).all()
    found = np.linalg.norm((w[0] @ np.stack([a[0], b[0], c[0]])) - p[0])
    grid = np.array([(i, j, 20 - i - j) for i in range(21) for j in range(21 - i)]) / 20
    assert found <= np.linalg.norm(grid @ np.stack([a[0], b[0], c[0]]) - p[0], axis=1).min() + 1e-9


def test_nearest_is_what_sorting_finds() -> None:
    rng = np.random.default_rng(0)
    points, targets = rng.normal(size=(50, 3)), rng.normal(size=(200, 3))
    distance = np.linalg.norm(points[:, None] - targets, axis=2)
    assert np.array_equal(nearest(points, targets, 7), np.argsort(distance, axis=1)[:, :7])


def test_points_of_a_surface_are_found_on_it(tiny_head) -> None:  # type: ignore[no-untyped-def]
    level = tiny_head.level(1)
    v = level.apply(tiny_head.mean).astype(float)
    skin = level.triangles[level.triangle_part == 0]
    rng = np.random.default_rng(1)
    bary = rng.dirichlet(np.ones(3), 40)
    points = np.einsum("nc,nck->nk", bary, v[skin[rng.integers(len(skin), size=40)]])
    triangle, weight, distance = closest_on_surface(points, v, skin)
    assert distance.max() < 1e-6
    assert np.allclose(np.einsum("nc,nck->nk", weight, v[skin[triangle]]), points, atol=1e-6)
