"""Tangents stand on the normals, run along u, and are what a normal map means by x and y."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import make_head

from tronie.geometry import rotation_matrix
from tronie.head.model import HeadModel
from tronie.head.surface import Piece, pieces, quad_vertex_normals
from tronie.head.tangents import tangents

SQUARE = Piece(
    "skin",
    np.arange(4, dtype=np.int32),
    np.array([[0.2, 0.8], [0.7, 0.8], [0.7, 0.3], [0.2, 0.3]], np.float32),
    np.array([[0, 1, 2], [0, 2, 3]], np.int32),
)
"""A square that the atlas shows upright: u to the right, v down."""
CORNERS = np.array([[-1, -1, 0], [1, -1, 0], [1, 1, 0], [-1, 1, 0]], float)
UP = np.array([[0.0, 0.0, 1.0]] * 4)


def test_a_square_before_the_viewer() -> None:
    found = tangents(CORNERS, SQUARE, UP)
    assert np.allclose(found, [1, 0, 0, 1])
    assert np.allclose(found[:, 3:] * np.cross(UP, found[:, :3]), [0, 1, 0])  # up in the picture


def test_a_mirrored_chart() -> None:
    mirrored = replace(SQUARE, uv=np.ascontiguousarray(SQUARE.uv * [-1, 1] + [1, 0], dtype=np.float32))
    found = tangents(CORNERS, mirrored, UP)
    assert np.allclose(found, [-1, 0, 0, -1])
    assert np.allclose(found[:, 3:] * np.cross(UP, found[:, :3]), [0, 1, 0])


@given(st.tuples(*[st.floats(-2, 2)] * 3), st.floats(0.1, 100))
def test_turn_with_the_mesh_whatever_its_size(turn: tuple[float, float, float], size: float) -> None:
    rotation = rotation_matrix(turn)
    found = tangents(size * CORNERS @ rotation.T, SQUARE, UP @ rotation.T)
    assert np.allclose(found[:, :3], rotation[:, 0], atol=1e-5)


@pytest.mark.parametrize("level", [0, 1])
def test_of_a_head(tiny_head: HeadModel, level: int) -> None:
    head = make_head(tiny_head, level)
    normals = quad_vertex_normals(head.neutral, tiny_head.level(level).quads)
    for piece in pieces(tiny_head, level):
        found = tangents(head.neutral, piece, normals)
        assert found.shape == (len(piece.vertex), 4)
        assert np.allclose(np.linalg.norm(found[:, :3], axis=1), 1, atol=1e-5)
        assert np.abs((found[:, :3] * normals[piece.vertex]).sum(axis=1)).max() < 1e-5
        assert set(np.unique(found[:, 3])) <= {-1.0, 1.0}
        # Going along the tangent by a little is going along u: the triangles' own gradients agree on the average.
        p, uv = head.neutral[piece.vertex[piece.triangles]].astype(float), piece.uv[piece.triangles].astype(float)
        e, d = p[:, 1:] - p[:, :1], uv[:, 1:] - uv[:, :1]
        area = d[:, 0, 0] * d[:, 1, 1] - d[:, 1, 0] * d[:, 0, 1]
        good = np.abs(area) > 1e-9
        along = (d[good, 1, 1:] * e[good, 0] - d[good, 0, 1:] * e[good, 1]) / area[good, None]
        along /= np.linalg.norm(along, axis=1, keepdims=True)
        agree = (along[:, None] * found[piece.triangles[good], :3]).sum(axis=-1)
        assert np.median(agree) > 0.9


def test_of_nothing() -> None:
    flat = replace(SQUARE, uv=np.zeros((4, 2), np.float32))
    found = tangents(CORNERS, flat, UP)
    assert np.allclose(np.linalg.norm(found[:, :3], axis=1), 1)
    assert np.allclose(found[:, 2], 0)
