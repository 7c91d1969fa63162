"""load_head gives back the head that a head.glb was made from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from samples import SMILE, make_head

from tronie.errors import InputError
from tronie.export.gltf import glb
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel, default_head
from tronie.io.encode import jpeg
from tronie.io.saved_head import load_head

ROUNDED_MM = 0.02
"""Moves below that are left out of the file."""


@pytest.mark.parametrize("level", [0, 1])
def test_our_own_head_comes_back_vertex_for_vertex(tmp_path: Path, level: int) -> None:
    head, white = make_head(default_head(), level), np.full((8, 8, 3), 255, np.uint8)
    (tmp_path / "head.glb").write_bytes(b"".join(glb(head, SMILE, jpeg(white, 90))))
    for place in (tmp_path, tmp_path / "head.glb", str(tmp_path)):
        read = load_head(place)
        assert read.head is not None
        assert (read.head.model.name, read.head.level) == (head.model.name, level)
        assert read.units == ARKIT_UNITS
        np.testing.assert_allclose(read.vertices, head.neutral, atol=1e-3)
        np.testing.assert_allclose(read.posed(), head.vertices, atol=ROUNDED_MM)
        np.testing.assert_array_equal(read.posed({}), read.vertices)
        assert {unit: weight for unit, weight in read.expression.items() if weight} == pytest.approx(SMILE)
        assert read.texture is not None
        assert (read.texture == white).all()


def test_a_head_of_another_model_is_a_mesh_without_seams(tiny_head: HeadModel, tmp_path: Path) -> None:
    head = make_head(tiny_head)
    (tmp_path / "any.glb").write_bytes(b"".join(glb(head, SMILE)))
    read = load_head(tmp_path / "any.glb")
    assert read.head is None
    assert read.texture is None
    assert len(read.triangle_uv) == len(read.triangle_material) == len(read.triangles)
    assert read.triangle_uv.max() < len(read.uv)
    assert len(read.vertices) < len(read.uv)
    both = [np.sort(corners.reshape(-1, 3), axis=0) for corners in (read.posed()[read.triangles], _corners(head))]
    np.testing.assert_allclose(*both, atol=ROUNDED_MM)


def _corners(head):
    return head.vertices[head.triangles]


def test_what_cannot_be_is_said_in_a_sentence(tiny_head: HeadModel, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no head\.glb"):
        load_head(tmp_path)
    (tmp_path / "head.glb").write_bytes(b"".join(glb(make_head(tiny_head), SMILE)))
    with pytest.raises(ValueError, match="no unit wink"):
        load_head(tmp_path).posed({"wink": 1.0})
