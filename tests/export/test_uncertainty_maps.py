"""Maps of uncertainty and provenance: their numbers, their colours, their files."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from samples import make_face, make_result

from tronie.export.uncertainty_maps import OVERLAY, SIDE, colored, maps, sigma_texels, vertex_sigma, with_scale
from tronie.export.writer import save
from tronie.head.model import HeadModel
from tronie.io.encode import PROVENANCE_COLORS
from tronie.render.renderer import UNCERTAIN_MM, heat_srgb
from tronie.types import Face, Result


@pytest.fixture
def face(tiny_head: HeadModel) -> Face:
    face = make_face(tiny_head)
    assert face.fit is not None
    return replace(face, fit=replace(face.fit, sigma_mm=np.linspace(0.5, 7, len(tiny_head.mean))))


PHOTO = np.full((240, 320, 3), 128, np.uint8)


def test_texels_hold_their_vertices_values(face: Face) -> None:
    head, fit = face.head, face.fit
    assert head is not None
    assert fit is not None
    assert fit.sigma_mm is not None
    sigma = vertex_sigma(head, fit.sigma_mm)
    assert len(sigma) == len(head.vertices)
    assert (vertex_sigma(head, sigma) == sigma).all()
    texels = sigma_texels(head, sigma, 256)
    mesh = head.model.level(head.level)
    middle = mesh.uv[mesh.triangle_uv].mean(axis=1)
    at = (middle * 256).astype(int)
    found = texels[at[:, 1], at[:, 0]] / 1000
    expected = sigma[mesh.triangles].mean(axis=1)
    large = np.ptp(sigma[mesh.triangles], axis=1) < 0.3  # a texel's centre is not the triangle's
    assert np.abs(found - expected)[large].max() < 0.2
    assert (texels == 0).any()


def test_even_uncertainty_is_even(face: Face) -> None:
    assert face.head is not None
    texels = sigma_texels(face.head, np.full(len(face.head.vertices), 2.5, np.float32), 128)
    assert set(np.unique(texels)) == {0, 2500}
    shown = colored(texels)
    expected = heat_srgb()[round(2500 / 1000 / UNCERTAIN_MM * 255)]
    assert (shown[texels > 0] == expected).all()
    assert (with_scale(shown)[:128] == shown).all()


def test_over_the_photo(face: Face) -> None:
    found = maps(PHOTO, face)
    assert found.sigma is not None
    assert found.sigma.shape == (SIDE, SIDE)
    for picture in (found.uncertainty, found.provenance):
        assert picture is not None
        assert picture.shape[1] == OVERLAY < picture.shape[0]
        changed = np.abs(picture[:OVERLAY].astype(int) - 128).max(axis=-1) > 20
        assert 0.1 < changed.mean() < 0.9
    assert found.provenance is not None
    # The middle of the face has one of the colours, mixed with the photo.
    pixel = found.provenance[OVERLAY // 2, OVERLAY // 2].astype(float)
    mixed = [128 + 0.58 * (np.array(c) - 128) for c in PROVENANCE_COLORS.values()]
    assert min(np.abs(pixel - c).max() for c in mixed) < 4


def test_what_is_missing_is_left_out(tiny_head: HeadModel) -> None:
    bare = make_face(tiny_head, texture=False)
    assert maps(PHOTO, bare).provenance is None
    assert maps(PHOTO, bare).sigma is None
    assert maps(PHOTO, replace(bare, head=None)).uncertainty is None


def test_files(face: Face, tiny_head: HeadModel, tmp_path: Path) -> None:
    result: Result = replace(make_result(tiny_head), faces=(face,))
    save(result, tmp_path, outputs={"ply", "maps"})
    place = tmp_path / "someone" / "face-1"
    names = {"sigma.png", "sigma_color.png", "uncertainty.jpg", "provenance.jpg"}
    assert {p.name for p in place.iterdir()} == names | {"head.ply", "face.json"}
    with Image.open(place / "sigma.png") as image:
        assert "micrometres" in image.text["Comment"]
        read = np.asarray(image)
    found = maps(result.photo.image, face)
    assert found.sigma is not None
    assert read.dtype == np.uint16
    assert (read == found.sigma).all()
