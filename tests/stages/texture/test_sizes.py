"""Textures of every size and of layouts that are not ours: no hole within an island, and gutters round each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler
from tronie.head.model import Head, HeadModel
from tronie.raster.rasterizer import rasterize
from tronie.settings import PortraitSettings, TextureSettings
from tronie.stages.enhance.region import finest_mm
from tronie.stages.portrait.camera import height_of
from tronie.stages.texture import bake
from tronie.stages.texture.atlas import gutters
from tronie.stages.texture.bake import side_of
from tronie.types import PROVENANCE, Enhanced, Fit, Photo


def relaid(model: HeadModel, layout: str) -> HeadModel:
    """The same head on another atlas: `tiles` puts left and right into squares of their own, one of them smaller and
    turned, as families of several tiles do; `charts` gives each face its own, as an unwrapped scan may have."""
    corners = np.where(model.quad_uv < 0, model.quad_uv[:, :1], model.quad_uv)
    uv = model.uv[corners].astype(np.float64)
    if layout == "tiles":
        left = uv[..., 0].mean(axis=1) < 0.5
        turned = uv[..., ::-1] * [0.48, 0.96] + [0.51, 0.02]
        uv = np.where(left[:, None, None], uv * [0.96, 0.48] + [0.02, 0.51], turned * [0.9, 0.5])
    else:
        side = int(np.ceil(np.sqrt(len(uv))))
        square = np.array([[0, 0], [0, 1], [1, 1], [1, 0]]) * 0.7 + 0.15
        cell = np.stack([np.arange(len(uv)) % side, np.arange(len(uv)) // side], axis=1)
        uv = (square + cell[:, None]) / side
    numbers = np.where(model.quad_uv < 0, -1, np.arange(4 * len(uv)).reshape(-1, 4))
    return replace(model, uv=uv.reshape(-1, 2).astype(np.float32), quad_uv=numbers.astype(np.int32))


@pytest.mark.parametrize(
    ("layout", "size"),
    [
        ("own", 512),
        ("own", 1024),
        pytest.param("own", 4096, marks=pytest.mark.slow),
        ("tiles", 512),
        ("tiles", 1024),
        ("charts", 1024),
    ],
)
def test_no_texel_of_an_island_is_left_out_and_gutters_go_on(tiny_head: HeadModel, layout: str, size: int) -> None:
    model = tiny_head if layout == "own" else relaid(tiny_head, layout)
    mesh = model.level(1)
    vertices = mesh.apply(model.mean)
    nothing: Mapping[str, float] = {}
    pose = rigid(rotation_from_euler(25, 5, 0), [0, 0, 1000.0])
    fit = Fit(np.zeros(5), nothing, pose, Camera(900.0, (150.0, 150.0), (300, 300)), np.zeros((10, 3)), nothing)
    photo = Photo(np.random.default_rng(0).integers(90, 200, (300, 300, 3), dtype=np.uint8))
    settings = TextureSettings.model_validate({"size": size})
    texture = bake(photo, Head(model, 1, vertices, vertices), fit, settings=settings)
    points = np.column_stack([mesh.uv * size, np.ones(len(mesh.uv))])
    inside = rasterize(points, mesh.triangle_uv, size, size, cull=False).triangle >= 0
    assert texture.image.shape == (size, size, 3)
    assert (texture.provenance[inside] > 0).all()
    if layout == "own":
        assert np.array_equal(texture.provenance > 0, inside)
    assert (texture.provenance == PROVENANCE.index("seen")).sum() > 0.02 * inside.sum()
    flat = texture.image.reshape(-1, 3)
    target, source = gutters(model, 1, size)
    assert np.array_equal(flat[target], flat[source])
    # Every texel that touches an island is an island's or a gutter's.
    touched = np.zeros_like(inside)
    touched[1:] |= inside[:-1]
    touched[:-1] |= inside[1:]
    touched[:, 1:] |= inside[:, :-1]
    touched[:, :-1] |= inside[:, 1:]
    assert np.isin(np.flatnonzero(touched & ~inside), target).all()


def test_sizes_agree_when_shrunk(tiny_head: HeadModel) -> None:
    """What 2048 shows, averaged over blocks, is what 512 shows, but for the finest grain and the islands' borders."""
    import cv2

    mesh = tiny_head.level(1)
    vertices = mesh.apply(tiny_head.mean)
    nothing: Mapping[str, float] = {}
    pose = rigid(rotation_from_euler(0, 0, 0), [0, 0, 1000.0])
    fit = Fit(np.zeros(5), nothing, pose, Camera(900.0, (150.0, 150.0), (300, 300)), np.zeros((10, 3)), nothing)
    smooth = cv2.GaussianBlur(np.random.default_rng(1).integers(0, 255, (300, 300, 3), dtype=np.uint8), (0, 0), 9)
    head, photo = Head(tiny_head, 1, vertices, vertices), Photo(np.asarray(smooth, np.uint8))
    large, small = (bake(photo, head, fit, settings=TextureSettings.model_validate({"size": s})) for s in (2048, 512))
    shrunk = cv2.resize(large.image, (512, 512), interpolation=cv2.INTER_AREA)
    same = cv2.erode((small.provenance == PROVENANCE.index("seen")).astype(np.uint8), np.ones((5, 5))) > 0
    assert np.abs(shrunk.astype(int) - small.image)[same].mean() < 1.5


@pytest.mark.parametrize("pixel_mm", [0.05, 0.8, 0.9, 5.0])
def test_sizes_that_nobody_chooses_are_as_fine_as_the_face(pixel_mm: float) -> None:
    """Texels and pixels are finer than what they show, of a face that has few and of one that has many; numbers that
    somebody chooses are obeyed."""
    side, height = side_of(TextureSettings(), pixel_mm), height_of(PortraitSettings(), pixel_mm)
    assert 0.14 * 2048 / side < max(pixel_mm / 2, 0.15)
    assert 0.3 * 1024 / height < max(pixel_mm, 0.31)
    assert (side, height) == ((1024, 512) if pixel_mm > 0.85 else (2048, 1024))
    assert height_of(PortraitSettings(crop="passport"), pixel_mm) == 1024
    assert side_of(TextureSettings(size=4096), pixel_mm) == 4096
    assert height_of(PortraitSettings(size=256), pixel_mm) == 256


def test_what_super_resolution_adds_counts() -> None:
    """A photo's pixel of 2 mm, enlarged three times, is one of 0.67 mm; refused, it stays what it is."""
    camera = Camera(500.0, (50.0, 50.0), (100, 100))
    pose = np.eye(4)
    pose[2, 3] = 1000.0
    fit = Fit(np.zeros(0), {}, pose, camera, np.zeros((0, 3)), diagnostics={})
    picture = np.zeros((8, 8, 3), np.uint8)
    enhanced = Enhanced(picture, picture, Similarity(1 / 3, 0, 0, 0), "net", 3.0, 1.0, 30.0, 0.9, 0.0)
    assert finest_mm(fit, None) == pytest.approx(2.0)
    assert finest_mm(fit, enhanced) == pytest.approx(2 / 3)
    assert finest_mm(fit, replace(enhanced, blend=0.0)) == pytest.approx(2.0)
