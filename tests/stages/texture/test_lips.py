"""Lips: their inner edges are made of the lip outside of them, never of the teeth or the dark that a photo shows."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, Head, default_head
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import TextureSettings
from tronie.stages.texture import bake
from tronie.stages.texture.lips import REACH_MM, from_lining, lip_skin
from tronie.stages.texture.random_skin import random_texture
from tronie.types import Fit, Landmarks, Photo

MODEL, SIZE = default_head(), 512
SMILE = ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight")


def depth() -> Array:
    """(SIZE, SIZE) mm from the mouth's lining, of skin; nan elsewhere."""
    mesh = MODEL.level(1)
    pick = mesh.triangle_part == 0
    flat = np.column_stack([mesh.uv * SIZE, np.ones(len(mesh.uv))]).astype(np.float32)
    buffers = rasterize(flat, mesh.triangle_uv[pick], SIZE, SIZE, cull=False)
    field = interpolate(buffers, mesh.triangles[pick], np.asarray(mesh.matrix @ from_lining(MODEL, 1))[:, None])[..., 0]
    return np.where(buffers.triangle >= 0, field, np.nan)


def baked(mouth: tuple[int, int, int], slip: float, grey: bool = False) -> tuple[Image, Image, Array]:
    """The texture of a drawn smile whose teeth, tongue and mouth have one colour, with landmarks and head that lie
    `slip` pixels too low; the one that it was drawn with, and its lips' colour."""
    mesh = MODEL.level(1)
    weights = np.array([0.6 * (name in SMILE) + 0.06 * (name == "jawOpen") for name in ARKIT_UNITS], np.float32)
    head = Head(MODEL, 1, mesh.apply(MODEL.shape(expression=weights)), mesh.apply(MODEL.mean))
    camera, pose = Camera(1400.0, (320.0, 300.0), (640, 720)), rigid(rotation_from_euler(0, 0, 0), [0, 0, 900])
    image = random_texture(np.random.default_rng(4), SIZE)
    lips = depth()
    image[lips < 6] = lip = np.median(image[(lips > 7) & (lips < 8.9)], axis=0) * [1.0, 0.8, 0.82]
    inside = mesh.triangle_part >= PARTS.index("teeth_upper")
    flat = np.column_stack([mesh.uv * SIZE, np.ones(len(mesh.uv))]).astype(np.float32)
    image[rasterize(flat, mesh.triangle_uv[inside], SIZE, SIZE, cull=False).triangle >= 0] = mouth
    if grey:
        image[:] = image.mean(axis=-1, keepdims=True).astype(np.uint8)
    picture = render_head(head.vertices, mesh, image, camera, pose, background=(90, 120, 140), shading=UNLIT)
    picture = np.roll(picture, -round(slip), axis=0)
    if grey:
        picture[:] = picture.mean(axis=-1, keepdims=True).astype(np.uint8)
    fit = Fit(np.zeros(len(MODEL.identity)), {}, pose, camera, np.zeros((len(MODEL.smooth_modes), 3)), diagnostics={})
    points = camera.project(transform(pose, head.points478(head.vertices)))
    marks = Landmarks(np.column_stack([points, np.zeros(len(points))]), np.zeros(52), 1.0)
    return bake(Photo(picture), head, fit, marks, TextureSettings(size=SIZE)).image, image, lip


@pytest.mark.parametrize("mouth", [(235, 228, 210), (15, 8, 8)], ids=["teeth", "dark"])
@pytest.mark.parametrize("slip", [0.0, 1.0])
def test_neither_teeth_nor_the_dark_get_onto_the_lips(mouth: tuple[int, int, int], slip: float) -> None:
    made, drawn, lip = baked(mouth, slip)
    lips = depth() < 4.0
    off = np.abs(made[lips].astype(float) - drawn[lips]).mean(axis=-1)
    assert np.median(off) < 22  # moist, but a lip
    towards = np.array(mouth, float) - lip
    share = (made[lips].astype(float) - drawn[lips]) @ towards / (towards @ towards)
    assert np.quantile(share, 0.98) < 0.4


def test_lips_of_a_grey_photo_are_grey() -> None:
    made, *_ = baked((235, 228, 210), 0.0, grey=True)
    assert np.ptp(made[depth() < 6].astype(int), axis=-1).max() <= 3


def test_a_head_without_lips_is_left_alone() -> None:
    assert from_lining(MODEL, 1)[MODEL.mean[:, 1] > 0].min() == REACH_MM
    bare = replace(MODEL, part=np.minimum(MODEL.part, 2))
    assert from_lining(bare, 0).min() == REACH_MM
    rest = bare.level(0).apply(bare.mean)
    view: Any = None  # is not looked at
    assert lip_skin(Head(bare, 0, rest, rest), view, None) is None
