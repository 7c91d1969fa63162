"""Laws of the subdivision map."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.head.subdivide import catmull_clark, corner_counts, triangulate

CUBE = np.array([[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]], dtype=np.int32)
CORNERS = np.array([[x, y, z] for z in (0, 1) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))], dtype=float)


def grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """A flat n x n grid of unit quads: vertices (., 3), quads."""
    y, x = np.mgrid[: n + 1, : n + 1]
    v = np.stack([x.ravel(), y.ravel(), np.zeros(x.size)], axis=1).astype(float)
    i = (np.arange(n)[:, None] * (n + 1) + np.arange(n)).ravel()
    return v, np.stack([i, i + 1, i + n + 2, i + n + 1], axis=1).astype(np.int32)


def test_cube_follows_the_published_rules() -> None:
    matrix, quads = catmull_clark(CUBE, 8)
    v = matrix @ CORNERS
    assert v.shape == (8 + 12 + 6, 3)
    assert quads.shape == (24, 4)
    # corner of valence 3: (Q + 2 R + 0 S) / 3 with Q the mean face point, R the mean edge midpoint
    q = np.array([[0.5, 0.5, 0.0], [0.5, 0.0, 0.5], [0.0, 0.5, 0.5]]).mean(axis=0)
    r = np.array([[0.5, 0, 0], [0, 0.5, 0], [0, 0, 0.5]]).mean(axis=0)
    assert np.allclose(v[0], (q + 2 * r) / 3)
    assert np.allclose(v[-6:], [CORNERS[f].mean(axis=0) for f in CUBE])


def test_rows_sum_to_one_so_that_shifts_commute() -> None:
    for vertices, faces in ((CORNERS, CUBE), grid(4)):
        matrix, _ = catmull_clark(faces, len(vertices))
        assert np.allclose(matrix @ np.ones(matrix.shape[1]), 1)


@given(st.floats(-3, 3), st.floats(-3, 3))
@settings(max_examples=20, deadline=None)
def test_affine_maps_commute_with_subdivision(a: float, b: float) -> None:
    vertices, faces = grid(3)
    matrix, _ = catmull_clark(faces, len(vertices))
    linear = np.array([[1, a, 0], [b, 1, 0], [a, b, 1.0]])
    assert np.allclose(matrix @ (vertices @ linear), (matrix @ vertices) @ linear)


def test_a_flat_grid_keeps_its_inside_and_its_straight_sides() -> None:
    vertices, faces = grid(4)
    matrix, _ = catmull_clark(faces, len(vertices))
    v = matrix @ vertices
    inner = (vertices[:, :2] > 0).all(axis=1) & (vertices[:, :2] < 4).all(axis=1)
    assert np.allclose(v[: len(vertices)][inner], vertices[inner])
    left = (vertices[:, 0] == 0) & (vertices[:, 1] > 0) & (vertices[:, 1] < 4)  # corners get rounded
    assert np.allclose(v[: len(vertices)][left][:, 0], 0)


def test_winding_is_kept() -> None:
    vertices, faces = grid(3)
    matrix, quads = catmull_clark(faces, len(vertices))
    v = (matrix @ vertices)[quads]
    assert (np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0])[:, 2] > 0).all()


def test_triangles_become_three_quads_in_corner_order() -> None:
    faces = np.array([[0, 1, 2, -1], [2, 1, 3, 4]], dtype=np.int32)
    matrix, quads = catmull_clark(faces, 5)
    assert len(quads) == 7
    assert (quads >= 0).all()
    assert (quads[:, 0] == [0, 1, 2, 2, 1, 3, 4]).all()
    assert np.repeat([10, 20], corner_counts(faces)).tolist() == [10] * 3 + [20] * 4
    assert np.allclose(matrix @ np.ones(matrix.shape[1]), 1)


def test_triangulate_splits_quads_and_names_their_owner() -> None:
    triangles, owner = triangulate(np.array([[0, 1, 2, -1], [2, 1, 3, 4]]))
    assert triangles.tolist() == [[0, 1, 2], [2, 1, 3], [2, 3, 4]]
    assert owner.tolist() == [0, 1, 1]


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_closed_mesh_stays_closed(steps: int) -> None:
    faces, count = CUBE, 8
    for _ in range(steps):
        matrix, faces = catmull_clark(faces, count)
        count = matrix.shape[0]
    edges = np.sort(np.concatenate([faces[:, [i, (i + 1) % 4]] for i in range(4)]), axis=1)
    _, uses = np.unique(edges, axis=0, return_counts=True)
    assert (uses == 2).all()
    assert count - len(uses) + len(faces) == 2  # Euler
