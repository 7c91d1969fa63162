"""Roughness lies where the face has it, for everybody; hair and brows are where the texture shows them."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.head.materials import LOOKS
from tronie.head.model import PARTS, HeadModel, default_head
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.surface_map import SIDE, surface_map

SKIN = (196, 148, 122)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return default_head()


def rough(model: HeadModel, texture: Image | None = None) -> NDArray[np.float64]:
    found = surface_map(model, 1, texture)
    assert found is not None
    return found[..., 1] / 255


def at(model: HeadModel, picture: NDArray[np.float64], landmarks: tuple[int, ...]) -> NDArray[np.float64]:
    """The picture's values on MediaPipe's landmarks."""
    mesh = model.level(1)
    index, weight = mesh.embedding478
    uv = np.zeros((mesh.matrix.shape[0], 2))
    skin = mesh.triangle_part == 0
    uv[mesh.triangles[skin]] = mesh.uv[mesh.triangle_uv[skin]]
    j, i = (np.einsum("nck,nc->nk", uv[index], weight)[list(landmarks)] * SIDE).astype(int).T
    return picture[i, j]


def test_regions_are_as_rough_as_they_should_be(model: HeadModel) -> None:
    bare = rough(model)
    for lip in (at(model, bare, (37, 267, 84, 314)), at(model, bare, (0, 17))):
        assert np.all((lip > 0.33) & (lip < 0.47))
    cheeks = at(model, bare, (50, 280, 117, 346, 234, 454))
    assert np.all((cheeks >= 0.5) & (cheeks <= 0.6))
    oily = at(model, bare, (151, 4, 5, 195, 199))
    assert np.all((oily >= 0.43) & (oily < cheeks.min()))


def test_both_sides_are_alike(model: HeadModel) -> None:
    found = surface_map(model, 1, bare=True)
    assert found is not None
    assert np.abs(found.astype(int) - found[:, ::-1]).max(axis=2).mean() < 0.5
    assert np.array_equal(found[..., 1], found[:, ::-1, 1])
    assert not found[..., 2].any()  # nothing is metal


def test_teeth_and_tongue_are_wetter_than_skin(model: HeadModel) -> None:
    bare, mesh = rough(model), model.level(1)
    for part in ("teeth_upper", "teeth_lower", "tongue", "eye_left"):
        rows = mesh.triangle_uv[mesh.triangle_part == PARTS.index(part)]
        j, i = (mesh.uv[rows].mean(axis=1) * SIDE).astype(int).T
        assert np.median(bare[i, j]) < 0.4


def test_hair_and_brows_are_rough_where_they_are_seen(model: HeadModel) -> None:
    size = 1024
    plain = np.full((size, size, 3), SKIN, np.uint8)
    assert np.abs(rough(model, plain) - rough(model)).max() < 0.01
    mesh, facts = model.level(1), surface_facts(model, 1)
    skin = mesh.triangle_part == 0
    hairy = np.zeros(len(mesh.uv), bool)
    hairy[mesh.triangle_uv[skin]] = (mesh.apply(facts.hairy[:, None].astype(np.float32))[:, 0] > 0.98)[
        mesh.triangles[skin]
    ]
    j, i = (mesh.uv[hairy] * SIDE).astype(int).clip(0, SIDE - 1).T
    for dark in ((30, 24, 20), (120, 118, 116)):  # black hair, grey hair
        painted = np.full((size, size, 3), dark, np.uint8)
        painted[size // 3 :] = SKIN  # but not the face
        high = i < SIDE // 4
        assert np.median(rough(model, painted)[i[high], j[high]]) > 0.75
    assert np.median(rough(model, plain)[i, j]) < 0.6  # a bald head is as smooth as skin


def test_hollows_are_dark_where_the_colours_have_no_light(model: HeadModel) -> None:
    lit, bare = (surface_map(model, 1, bare=kind) for kind in (False, True))
    assert lit is not None
    assert bare is not None
    assert (bare[..., 0] <= lit[..., 0]).all()
    corners = at(model, bare[..., 0] / 255.0, (133, 362))  # of the eyes, by the nose
    open_skin = at(model, bare[..., 0] / 255.0, (151, 4, 50, 280))
    assert corners.max() < open_skin.min()
    assert open_skin.min() > 0.75
    # Everything but skin is as open as before.
    mesh = model.level(1)
    rows = mesh.triangle_uv[mesh.triangle_part > 0]
    j, i = (mesh.uv[rows].mean(axis=1) * SIDE).astype(int).T
    assert np.mean(bare[i, j, 0] == lit[i, j, 0]) > 0.99
    assert np.all(at(model, lit[..., 0] / 255.0, (151, 4, 50, 280, 133, 362)) == 1)


def test_a_head_of_which_nothing_is_known_has_none(tiny_head: HeadModel) -> None:
    found = surface_map(tiny_head, 1)
    if not len(tiny_head.level(1).embedding478[0]) and not (tiny_head.part >= PARTS.index("teeth_upper")).any():
        assert found is None
    else:
        assert found is not None
        assert abs(np.median(found[..., 1]) / 255 - LOOKS["skin"].roughness) < 0.05
