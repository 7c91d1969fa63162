"""Lids: what a photo of an open eye puts on them is not believed, a shut eye's lid is."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.lids import lids_of
from tronie.head.model import Head, default_head
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import TextureSettings
from tronie.stages.texture.bake import Baked
from tronie.stages.texture.bake import baked as bake_photo
from tronie.stages.texture.fuse import fuse, texture_shares, view_weights
from tronie.stages.texture.lids import distance_to, upper_lids
from tronie.stages.texture.random_skin import random_texture
from tronie.types import PROVENANCE, Fit, Landmarks, Photo, Texture

MODEL = default_head()
SEEN = PROVENANCE.index("seen")


def baked(blink: float, green: bool = False) -> tuple[Texture, Image]:
    """The texture of a drawn head whose eyes are shut by `blink`, and the one that it was drawn with: an invented skin,
    with green eyes and edges of lids if `green`."""
    made, image = looked_at(blink, green)
    return made.texture, image


def looked_at(blink: float, green: bool = False, light: float = 1.0) -> tuple[Baked, Image]:
    """The same in other light, with what was found out on the way."""
    weights = np.zeros(len(ARKIT_UNITS), np.float32)
    weights[[ARKIT_UNITS.index(f"eyeBlink{side}") for side in ("Left", "Right")]] = blink
    head = Head(MODEL, 1, MODEL.level(1).apply(MODEL.shape(expression=weights)), MODEL.level(1).apply(MODEL.mean))
    pose = rigid(rotation_from_euler(0, 0, 0), [0, -10, 620])
    camera = Camera(700.0, (200.0, 240.0), (400, 480))
    size = 512
    image = random_texture(np.random.default_rng(4), size)
    if green:
        image[lid_texels(size, -2.5, 1.6 - 0.6 * blink) | eye_texels(size)] = (0, 255, 0)
    picture = render_head(head.vertices, MODEL.level(1), image, camera, pose, background=(90, 120, 140), shading=UNLIT)
    fit = Fit(np.zeros(len(MODEL.identity)), {}, pose, camera, np.zeros((len(MODEL.smooth_modes), 3)), diagnostics={})
    points = camera.project(transform(pose, head.points478(head.vertices)))
    marks = Landmarks(np.column_stack([points, np.zeros(len(points))]), np.zeros(52), 1.0)
    photo = Photo((picture * light).astype(np.uint8))
    return bake_photo(photo, head, fit, marks, TextureSettings(size=size)), image


def drawn_field(size: int, values: np.ndarray, part: int) -> np.ndarray:
    mesh = MODEL.level(1)
    pick = mesh.triangle_part == part
    flat = np.column_stack([mesh.uv * size, np.ones(len(mesh.uv))]).astype(np.float32)
    buffers = rasterize(flat, mesh.triangle_uv[pick], size, size, cull=False)
    field = interpolate(buffers, mesh.triangles[pick], values.astype(np.float32)[:, None])[..., 0]
    return np.where(buffers.triangle >= 0, field, np.nan)


def lid_texels(size: int, first: float, last: float) -> np.ndarray:
    from tronie.head.lids import ring_field

    lids = lids_of(MODEL)
    assert lids is not None
    out = drawn_field(size, ring_field(MODEL, 1)[0], 0) - lids[0].root
    with np.errstate(invalid="ignore"):
        return (out > first) & (out < last)


def upper_texels(size: int) -> np.ndarray:
    from tronie.head.lids import ring_field

    with np.errstate(invalid="ignore"):
        return drawn_field(size, ring_field(MODEL, 1)[1], 0) > 0.9


def eye_texels(size: int) -> np.ndarray:
    return ~np.isnan(drawn_field(size, np.zeros(len(MODEL.level(1).apply(MODEL.mean))), 1)) | ~np.isnan(
        drawn_field(size, np.zeros(len(MODEL.level(1).apply(MODEL.mean))), 2)
    )


def test_an_open_eye_leaves_the_upper_lid_to_be_filled_in() -> None:
    made, _ = baked(0.0)
    lid = lid_texels(512, 0.0, 5.0) & upper_texels(512)
    assert lid.sum() > 200
    assert (made.provenance[lid] != SEEN).mean() > 0.99


def test_a_shut_eye_shows_it() -> None:
    made, drawn = baked(1.0)
    lid = lid_texels(512, 2.5, 5.0) & upper_texels(512)
    assert (made.provenance[lid] == SEEN).mean() > 0.55
    shown = lid & (made.provenance == SEEN)
    assert np.abs(made.image[shown].astype(float) - drawn[shown]).mean() < 12


def test_a_shut_eye_lends_its_lid_to_an_open_one_in_its_light_and_nothing_else() -> None:
    (first, drawn), (shut, _) = looked_at(0.0), looked_at(1.0, light=0.75)
    sights = [view_weights(first, MODEL, 0.05), view_weights(shut, MODEL, 0.05, lids=True, alone=True)]
    made = fuse(first.texture, iter([shut.texture]), texture_shares(sights, MODEL, 1), MODEL, 1).texture
    lid = lid_texels(512, 2.5, 4.5) & upper_texels(512)
    off = [np.abs(image[lid].astype(float) - drawn[lid]).mean() for image in (first.texture.image, made.image)]
    assert off[1] < 0.75 * off[0], off
    count, skin = len(MODEL.mean), shut.recipe.skin
    lids = upper_lids(MODEL, np.ones(count), np.tile(skin, (count, 1)), skin)
    assert lids.max() > 0.9
    assert upper_lids(MODEL, np.zeros(count), np.tile(skin, (count, 1)), skin).max() == 0
    assert upper_lids(MODEL, np.ones(count), np.tile(skin * [0.7, 1.1, 1], (count, 1)), skin).max() == 0
    changed = (made.image != first.texture.image).any(axis=2)
    drawn_skin = ~np.isnan(drawn_field(512, np.zeros(len(MODEL.level(1).apply(MODEL.mean))), 0))
    assert not (changed & drawn_skin & ~lid_texels(512, -9.0, 9.0)).any()


@pytest.mark.parametrize("blink", [0.0, 0.4, 1.0])
def test_nothing_of_the_eye_or_the_lids_edge_gets_onto_skin(blink: float) -> None:
    made, _ = baked(blink, green=True)
    skin = lid_texels(512, -0.5, 9.0)
    red, tint, _ = made.image[skin].astype(float).T
    assert (tint > red + 20).mean() < 0.002


def test_distances_are_those_to_a_square() -> None:
    square = np.array([[0.0, 0], [4, 0], [4, 4], [0, 4]])
    points = np.array([[2.0, 2], [2, -3], [7, 8], [3.5, 2]])
    np.testing.assert_allclose(distance_to(square, points), [-2, 3, 5, -0.5])
