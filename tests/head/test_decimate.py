"""Collapses keep what they promise: vertices, seams, borders, orientation; flat surfaces lose nothing."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.head import decimate as module
from tronie.head.decimate import decimate


def sheet(n: int, seam: bool, height: float = 0.0, seed: int = 0) -> tuple[np.ndarray, ...]:
    """A square of n x n quads, with random hills; the texture's seam runs across its middle, along y."""
    y, x = np.mgrid[: n + 1, : n + 1].astype(float)
    z = np.random.default_rng(seed).normal(0, height, x.shape) if height else np.zeros_like(x)
    place = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    i, j = (a.ravel() for a in np.mgrid[:n, :n])
    at = i * (n + 1) + j
    triangles = np.concatenate([np.stack([at, at + 1, at + n + 2], 1), np.stack([at, at + n + 2, at + n + 1], 1)])
    vertex, uv = np.arange(len(place)), place[:, :2] / (3 * n)
    if seam:
        middle = n // 2
        right = place[triangles, 0].mean(axis=1) > middle
        twins = np.flatnonzero(place[:, 0] == middle)
        number = np.arange(len(place))
        number[twins] = len(place) + np.arange(len(twins))
        triangles[right] = number[triangles[right]]
        vertex = np.concatenate([vertex, twins])
        uv = np.concatenate([uv, uv[twins] + [0.5, 0]])
        uv[: len(place)][place[:, 0] > middle] += [0.5, 0]
    return place, uv, vertex.astype(np.int32), triangles.astype(np.int32)


def area(points: np.ndarray) -> np.ndarray:
    return 0.5 * np.cross(points[:, 1] - points[:, 0], points[:, 2] - points[:, 0])


def run(n: int, seam: bool, height: float, seed: int, *targets: int) -> tuple[tuple[np.ndarray, ...], list[np.ndarray]]:
    place, uv, vertex, triangles = sheet(n, seam, height, seed)
    x = np.concatenate([place[vertex], 10 * uv], axis=1)
    return (place, uv, vertex, triangles), decimate(x, uv, vertex, triangles, np.ones(len(triangles)), targets)


def edges(vertex: np.ndarray, triangles: np.ndarray) -> Counter[tuple[int, int]]:
    v = vertex[triangles]
    return Counter(tuple(sorted(pair)) for t in v.tolist() for pair in zip(t, t[1:] + t[:1], strict=True))


@pytest.mark.parametrize("seam", [False, True])
def test_a_flat_sheet_gets_as_few_as_it_needs(seam: bool) -> None:
    fewest = 4 if seam else 2
    (place, _, vertex, _), (left,) = run(8, seam, 0.0, 0, fewest)
    assert len(left) == fewest
    areas = area(place[vertex[left]])
    assert np.isclose(areas[:, 2].sum(), 64)
    assert (areas[:, 2] > 0).all()


@settings(max_examples=15, deadline=None)
@given(st.integers(4, 9), st.booleans(), st.floats(0.01, 0.4), st.integers(0, 99))
def test_what_is_left_is_still_such_a_surface(n: int, seam: bool, height: float, seed: int) -> None:
    (place, uv, vertex, triangles), kept = run(n, seam, height, seed, n * n, n * n // 2)
    before = edges(vertex, triangles)
    rim = {v for edge, uses in before.items() if uses == 1 for v in edge}
    for left, target in zip(kept, (n * n, n * n // 2), strict=True):
        assert len(left) <= max(target, 10)
        now = edges(vertex, left)
        assert set(now.values()) <= {1, 2}
        assert len(set(vertex[left].ravel().tolist())) - len(now) + len(left) == 1  # Euler: a disk is still one
        assert {v for edge, uses in now.items() if uses == 1 for v in edge} <= rim
        flat = place[vertex[left]].copy()
        flat[..., 2] = 0
        assert n * n * 0.6 < area(flat)[:, 2].sum() <= n * n + 1e-9  # nothing lies over the old border
        chart = np.concatenate([uv[left], np.zeros((*left.shape, 1))], axis=2)
        assert (area(chart)[:, 2] > 0).all()
        # Of a seam, both sides have the same vertices: each edge inside has two triangles, above.
        if seam:
            right = uv[left][..., 0] >= 0.5
            assert (right.all(axis=1) | ~right.any(axis=1)).all()


def test_the_quadric_is_the_squared_distance_from_the_triangles_plane() -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=(3, 6))
    q = module.quadrics(x, np.array([[0, 1, 2]], np.int32), np.arange(3, dtype=np.int32), np.zeros(1))
    assert not q.any()
    out = np.zeros((3, 6 * 7 // 2 + 7))
    axes, _ = np.linalg.qr(np.stack([x[1] - x[0], x[2] - x[0]], axis=1))
    module._add(out, np.array([[0]]), x[:1], axes.T[None], np.array([2.0]))
    for p in rng.normal(size=(5, 6)):
        d = p - x[0]
        d = d - axes @ (axes.T @ d)
        assert np.isclose(module.error(out[0], p), 2 * (d @ d))
    assert np.allclose([module.error(out[0], p) for p in x], 0, atol=1e-9)


def test_a_bump_stays_longer_than_the_plain() -> None:
    place, uv, vertex, triangles = sheet(12, False)
    place[:, 2] = np.where(np.hypot(place[:, 0] - 6, place[:, 1] - 6) < 1.5, 3.0, 0.0)
    x = np.concatenate([place, 0 * uv], axis=1)
    (left,) = decimate(x, uv, vertex, triangles, np.ones(len(triangles)), [60])
    used = np.unique(left)
    corners = [5 * 13 + 5, 5 * 13 + 7, 7 * 13 + 5, 7 * 13 + 7]
    assert (place[corners, 2] == 3).all()
    assert set(corners) <= set(used.tolist())
    assert len(used) < 60
