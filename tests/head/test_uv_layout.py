"""Laws of texture layouts in one square."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tronie.arrays import Array
from tronie.head.model import default_head
from tronie.head.morphable import Morphable
from tronie.head.uv_layout import MARGIN, cells, cylinder, one_square


def grid(tile: int, n: int = 12) -> tuple[Array, Array]:
    """A tile filled with n x n quads."""
    y, x = np.mgrid[: n + 1, : n + 1]
    uv = np.stack([x.ravel() / n + tile, y.ravel() / n], axis=1)
    i = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    return uv, np.stack([i, i + n + 1, i + n + 2, i + 1], axis=1)


def boxes(uv: Array, face_uv: Array, groups: list[slice]) -> list[tuple[float, float, float, float]]:
    corners = [uv[face_uv[g]].reshape(-1, 2) for g in groups]
    return [(*c.min(axis=0), *c.max(axis=0)) for c in corners]


def apart(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    return a[2] <= b[0] + 1e-6 or b[2] <= a[0] + 1e-6 or a[3] <= b[1] + 1e-6 or b[3] <= a[1] + 1e-6


def test_tiles_and_materials_get_places_of_their_own() -> None:
    """Skin fills two tiles; both eyes use the first tile again, and the same rows as each other."""
    (uv0, f0), (uv1, f1) = grid(0), grid(1, 10)
    eyes, fe = grid(0, 8)
    uv = np.concatenate([uv0, uv1, eyes])
    at = len(uv0), len(uv0) + len(uv1)
    faces = np.concatenate([f0, f1 + at[0], fe + at[1], fe + at[1]]).astype(np.int32)
    part = np.repeat([0, 0, 1, 2], [len(f0), len(f1), len(fe), len(fe)]).astype(np.uint8)
    out, face_uv = one_square(uv, faces, part)
    ends = np.cumsum([0, len(f0), len(f1), len(fe), len(fe)])
    found = boxes(out, face_uv, [slice(a, b) for a, b in pairwise(ends)])
    assert all(apart(a, b) for k, a in enumerate(found) for b in found[:k])
    assert out.min() >= 0
    assert out.max() <= 1
    sides = [b[2] - b[0] for b in found]
    assert sides[0] > 0.6  # the most skin has the most room
    # Every chart keeps its shape: the map is a similarity.
    for k, (x0, y0, x1, y1) in enumerate(found):
        assert x1 - x0 == pytest.approx(y1 - y0, abs=1e-6), k


def test_one_tile_of_parts_beside_each_other_stays_as_it_is() -> None:
    uv, faces = grid(0)
    part = (uv[faces].mean(axis=1)[:, 0] > 0.5).astype(np.uint8)
    out, face_uv = one_square(uv, faces.astype(np.int32), part)
    assert np.allclose(out[face_uv], uv[faces], atol=1e-6)


def test_triangles_stay_triangles() -> None:
    uv, faces = grid(3)
    faces = np.column_stack([faces[:, :3], np.full(len(faces), -1)]).astype(np.int32)
    _, face_uv = one_square(uv, faces, np.zeros(len(faces), np.uint8))
    assert np.array_equal(face_uv < 0, faces < 0)


@pytest.mark.parametrize("count", range(1, 12))
def test_cells_do_not_meet(count: int) -> None:
    found = [(x, y, x + w, y + h) for x, y, w, h in cells(count)]
    assert len(found) == count
    assert all(apart(a, b) for k, a in enumerate(found) for b in found[:k])
    assert max(b[2] for b in found) <= 1 + 1e-9
    assert max(b[3] for b in found) <= 1 + 1e-9
    assert MARGIN < 0.05


def test_a_head_without_a_layout_is_rolled_out() -> None:
    h = default_head()
    nothing = np.zeros((0, *h.mean.shape), np.float32)
    uv, face_uv = cylinder(Morphable("x", "x", True, h.mean, nothing, nothing, h.quads, h.part))
    assert uv.min() >= 0
    assert uv.max() <= 1
    assert ((face_uv < 0) == (h.quads < 0)).all()
