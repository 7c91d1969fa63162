"""Glasses: painted round the eyes of a drawn skin they are found, wrinkles and marks are not taken for them."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import Head, default_head
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import TextureSettings
from tronie.stages.texture import bake
from tronie.stages.texture.glasses import best_path, front
from tronie.stages.texture.random_skin import random_texture
from tronie.types import Fit, Photo, Texture

MODEL = default_head()


def with_line(texture: Image, kind: str) -> Image:
    """A texture with a frame of glasses, with wrinkles round the eyes, or with moles."""
    import cv2

    mesh, size = MODEL.level(1), len(texture)
    mean = mesh.apply(MODEL.mean)
    grid = front(MODEL, 1)
    ahead = np.flatnonzero(grid.ahead & (mean[:, 2] > -30))
    place = np.zeros((len(mean), 2))
    place[mesh.triangles.ravel()] = mesh.uv[mesh.triangle_uv.ravel()]
    out = texture.copy()

    def draw(points: Array, width: float, colour: tuple[int, int, int]) -> None:
        nearest = [ahead[np.argmin(((mean[ahead, :2] - p) ** 2).sum(axis=1))] for p in points]
        at = np.round(place[nearest] * size).astype(int)
        for a, b in pairwise(at):
            if np.abs(a - b).max() < 0.06 * size:
                cv2.line(out, tuple(map(int, a)), tuple(map(int, b)), colour, max(1, round(width * size / 330)))

    turn = np.linspace(0, 2 * np.pi, 90)
    for side in (1, -1):
        centre = np.array([32.0 * side, -4.0])
        ring = np.stack([np.cos(turn), 0.8 * np.sin(turn)], axis=1)
        if kind == "glasses":
            draw(centre + 23 * ring, 2.5, (25, 22, 20))
        elif kind == "wrinkles":
            for r in (19, 22, 25, 28):
                below = ring[50:88] * (1 + 0.02 * np.sin(9 * turn[50:88]))[:, None]
                draw(centre + r * below, 1.0, (120, 75, 60))
        else:
            draw(centre + np.array([[0, -24], [0.5, -24]]), 4.0, (70, 40, 30))
    if kind == "glasses":
        draw(np.column_stack([np.linspace(-9, 9, 30), np.full(30, 2.0)]), 2.5, (25, 22, 20))
    return out


def baked(kind: str) -> tuple[Texture, Image, Image]:
    """The texture made of a picture of an invented face, what it was drawn with, and that without lines."""
    plain = random_texture(np.random.default_rng(5), 1024)
    drawn = plain if kind == "plain" else with_line(plain, kind)
    vertices = MODEL.level(1).apply(MODEL.mean)
    pose, camera = rigid(rotation_from_euler(4, 0, 0), [0, 20, 1000.0]), Camera(1500.0, (220.0, 220.0), (440, 440))
    photo = Photo(render_head(vertices, MODEL.level(1), drawn, camera, pose, background=(90, 120, 140), shading=UNLIT))
    count = len(MODEL.smooth_modes)
    fit = Fit(np.zeros(len(MODEL.identity)), {}, pose, camera, np.zeros((count, 3)), diagnostics={})
    return bake(photo, Head(MODEL, 1, vertices, vertices), fit, settings=TextureSettings(size=1024)), drawn, plain


@pytest.mark.parametrize("kind", ["plain", "wrinkles", "moles"])
def test_what_is_skin_stays(kind: str) -> None:
    texture, drawn, plain = baked(kind)
    lines = np.abs(drawn.astype(int) - plain).max(axis=-1) > 15
    middle = np.zeros_like(lines)
    middle[480:720, 330:694] = True
    where = (lines if kind != "plain" else middle) & middle & (texture.provenance == 1)
    assert where.sum() > 30
    assert np.abs(texture.image.astype(int) - drawn)[where].mean() < 22
    if kind == "plain":
        assert (texture.provenance == 1)[middle].mean() > 0.6


def test_a_frame_of_glasses_is_no_skin() -> None:
    texture, drawn, plain = baked("glasses")
    frame = np.abs(drawn.astype(int) - plain).max(axis=-1) > 40
    assert frame.sum() > 1000
    before = (drawn.astype(float) - plain)[frame].mean()
    after = (texture.image.astype(float) - plain)[frame].mean()
    assert abs(after) < 0.3 * abs(before)


def test_the_best_path_is_the_best_of_all() -> None:
    rng = np.random.default_rng(0)
    score = rng.random((5, 4))
    paths = np.array(np.meshgrid(*[range(4)] * 5)).reshape(5, -1).T
    paths = paths[(np.abs(np.diff(paths, axis=1)) <= 1).all(axis=1)]
    best = max(score[np.arange(5), p].sum() for p in paths)
    assert score[np.arange(5), best_path(score)].sum() == pytest.approx(best)
