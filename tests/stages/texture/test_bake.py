"""Baking the tiny head from pictures of itself: what is seen comes back, what is hidden is mirrored or filled."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import Head, HeadModel
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import TextureSettings
from tronie.stages.texture import bake
from tronie.types import PROVENANCE, Fit, Photo

SIZE = 512
SMALL = TextureSettings(size=512)


def make(
    model: HeadModel, yaw: float, focal: float = 900.0, center: tuple[float, float] = (150.0, 150.0)
) -> tuple[Head, Fit]:
    """The mean head 1 m from the camera."""
    vertices = model.level(1).apply(model.mean)
    pose = rigid(rotation_from_euler(yaw, 0, 0), [0, 0, 1000.0])
    nothing: Mapping[str, float] = {}
    fit = Fit(np.zeros(5), nothing, pose, Camera(focal, center, (300, 300)), np.zeros((10, 3)), nothing)
    return Head(model, 1, vertices, vertices), fit


def painted(model: HeadModel) -> Image:
    """A texture that varies slowly over the skin, in skin-like hues, other on the left than on the right."""
    mesh = model.level(1)
    mean = mesh.apply(model.mean)
    points = np.column_stack([mesh.uv * SIZE, np.ones(len(mesh.uv))])
    at_uv = np.zeros((len(mesh.uv), 3), np.float32)
    at_uv[mesh.triangle_uv] = mean[mesh.triangles]
    place = interpolate(rasterize(points, mesh.triangle_uv, SIZE, SIZE, cull=False), mesh.triangle_uv, at_uv)
    x, y, _ = np.moveaxis(place, -1, 0)
    light = 1 + 0.1 * np.sin(y / 25) + 0.1 * np.tanh(x / 8)
    out = np.array([190.0, 145.0, 120.0]) * light[..., None]
    out[np.hypot(x - 40, y + 30) < 9] *= 0.6  # a mark on the left cheek
    return np.clip(out, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def original(tiny_head: HeadModel) -> Image:
    return painted(tiny_head)


def photograph(model: HeadModel, head: Head, fit: Fit, texture: Image) -> Photo:
    picture = render_head(
        head.vertices, model.level(1), texture, fit.camera, fit.head_to_camera, background=(30, 90, 200), shading=UNLIT
    )
    return Photo(picture)


def skin_error(model: HeadModel, baked: Image, original: Image, where: NDArray[np.bool_]) -> float:
    return float(np.abs(baked.astype(int) - original.astype(int))[where].mean())


def test_what_is_seen_comes_back(tiny_head: HeadModel, original: Image) -> None:
    head, fit = make(tiny_head, 0)
    texture = bake(photograph(tiny_head, head, fit, original), head, fit, settings=SMALL)
    seen = texture.provenance == PROVENANCE.index("seen")
    assert 0.1 < seen.mean() < 0.6
    assert skin_error(tiny_head, texture.image, original, seen) < 3.0
    # Nothing blue of the background anywhere on the skin.
    skin = (texture.provenance >= 1) & (texture.provenance <= 3)
    red, _, blue = np.moveaxis(texture.image.astype(int), -1, 0)
    assert (blue - red)[skin].max() < 0


def test_the_hidden_side_is_mirrored_in_its_own_light(tiny_head: HeadModel, original: Image) -> None:
    head, fit = make(tiny_head, 30)  # turned to the subject's left: the right cheek is seen
    texture = bake(photograph(tiny_head, head, fit, original), head, fit, settings=SMALL)
    mirrored = texture.provenance == PROVENANCE.index("mirrored")
    assert mirrored.mean() > 0.05
    columns = np.nonzero(mirrored)[1] + 0.5
    assert (columns > SIZE / 2).mean() > 0.95
    unmarked = mirrored & (np.abs(original.astype(int) - original[:, ::-1].astype(int)).max(-1) < 60)
    plain = skin_error(tiny_head, original[:, ::-1], original, unmarked)
    assert skin_error(tiny_head, texture.image, original, unmarked) < 0.65 * plain
    other = bake(photograph(tiny_head, *make(tiny_head, -30), original), *make(tiny_head, -30), settings=SMALL)
    columns = np.nonzero(other.provenance == PROVENANCE.index("mirrored"))[1] + 0.5
    assert (columns < SIZE / 2).mean() > 0.95


def test_a_mirrored_photo_gives_the_mirrored_texture(tiny_head: HeadModel, original: Image) -> None:
    """The tiny head's atlas is symmetric, so baking commutes with the reflection."""
    head, fit = make(tiny_head, 30)
    photo = photograph(tiny_head, head, fit, original)
    flipped_head, flipped_fit = make(tiny_head, -30)
    flipped = Photo(np.ascontiguousarray(photo.image[:, ::-1]))
    a = bake(photo, head, fit, settings=SMALL)
    b = bake(flipped, flipped_head, flipped_fit, settings=SMALL)
    skin = (a.provenance >= 1) & (a.provenance <= 3)
    inner = skin & skin[:, ::-1]
    difference = np.abs(a.image.astype(int) - b.image[:, ::-1].astype(int))[inner]
    assert difference.mean() < 1.5
    assert (a.provenance == b.provenance[:, ::-1])[inner].mean() > 0.97


def test_every_texel_has_a_provenance_and_a_colour(tiny_head: HeadModel, original: Image) -> None:
    head, fit = make(tiny_head, 0)
    texture = bake(photograph(tiny_head, head, fit, original), head, fit, settings=SMALL)
    mesh = tiny_head.level(1)
    points = np.column_stack([mesh.uv * SIZE, np.ones(len(mesh.uv))])
    buffers = rasterize(points, mesh.triangle_uv, SIZE, SIZE, cull=False)
    inside = buffers.triangle >= 0
    assert np.array_equal(texture.provenance > 0, inside)
    part = np.where(inside, mesh.triangle_part[buffers.triangle], 0)
    assert np.array_equal(texture.provenance == PROVENANCE.index("synthetic"), part > 0)
    assert (texture.image.max(-1) > 0).all()
    left, right = texture.image[part == 1].mean(0), texture.image[part == 2].mean(0)
    np.testing.assert_allclose(left, right, atol=2)


@pytest.mark.parametrize("center", [(150.0, 320.0), (-60.0, 150.0), (150.0, -400.0)])
def test_heads_at_or_beyond_the_border_are_finished(tiny_head: HeadModel, center: tuple[float, float]) -> None:
    head, fit = make(tiny_head, 0, center=center)
    photo = Photo(np.full((300, 300, 3), 150, np.uint8))
    texture = bake(photo, head, fit, settings=SMALL)
    assert (texture.image.max(-1) > 0).all()
    assert (texture.provenance == PROVENANCE.index("filled")).any()


def test_a_small_face_and_a_grey_photo(tiny_head: HeadModel) -> None:
    head, fit = make(tiny_head, 10, focal=120.0)
    noise = np.random.default_rng(0).integers(0, 255, (300, 300, 1), dtype=np.uint8).repeat(3, axis=2)
    assert bake(Photo(noise), head, fit, settings=SMALL).image.shape == (512, 512, 3)


def test_the_same_photo_gives_the_same_bytes(tiny_head: HeadModel, original: Image) -> None:
    head, fit = make(tiny_head, 20)
    photo = photograph(tiny_head, head, fit, original)
    a, b = (bake(photo, head, fit, settings=SMALL) for _ in range(2))
    assert np.array_equal(a.image, b.image)
    assert np.array_equal(a.provenance, b.provenance)


@pytest.mark.parametrize("threads", [2, 3, 7])
def test_threads_do_not_change_a_byte(tiny_head: HeadModel, original: Image, threads: int) -> None:
    head, fit = make(tiny_head, 20)
    photo = photograph(tiny_head, head, fit, original)
    one, many = (bake(photo, head, fit, settings=SMALL, threads=n) for n in (1, threads))
    assert np.array_equal(one.image, many.image)
    assert np.array_equal(one.provenance, many.provenance)
