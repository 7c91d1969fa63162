"""Pictures of a head: normals, light, smooth edges, provenance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import make_shell

from tronie.geometry import HEAD_TO_CAMERA_AXES, Camera, rigid
from tronie.head.model import HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.shading import CLAY, STUDIO, UNLIT, minified, render_head, render_layers, studio_light
from tronie.shells import Shell
from tronie.types import Texture

CAMERA = Camera(700.0, (100.0, 90.0), (200, 180))
POSE = rigid(HEAD_TO_CAMERA_AXES, [0, 0, 1000.0])


def test_normals_of_a_sphere() -> None:
    import trimesh

    ball = trimesh.creation.icosphere(subdivisions=3)
    normals = triangle_vertex_normals(ball.vertices, ball.faces)
    np.testing.assert_allclose(normals, ball.vertices, atol=0.02)


def test_unlit_returns_the_textures_colours(tiny_head: HeadModel) -> None:
    level, v = tiny_head.level(1), tiny_head.level(1).apply(tiny_head.mean)
    flat = np.full((64, 64, 3), (150, 90, 200), np.uint8)
    picture, mask = render_layers(v, level, flat, CAMERA, POSE, background=(10, 20, 30), shading=UNLIT)
    assert picture.shape == (180, 200, 3)
    assert (np.abs(picture[90, 100].astype(int) - (150, 90, 200)) <= 1).all()
    assert (picture[0, 0] == (10, 20, 30)).all()
    assert not mask.any()
    # Every pixel is a mixture of the head's colour and the background's.
    inner = np.abs(picture.astype(int) - (150, 90, 200)).max(-1) <= 1
    outer = (picture == np.array((10, 20, 30), np.uint8)).all(-1)
    edge = ~inner & ~outer
    assert 0 < edge.sum() < 0.1 * inner.sum()


def test_edges_are_smooth(tiny_head: HeadModel) -> None:
    """Coverage of the edge pixels adds up to the outline's area found at four times the resolution."""
    level, v = tiny_head.level(1), tiny_head.level(1).apply(tiny_head.mean)
    white, black = np.full((2, 2, 3), 255, np.uint8), (0, 0, 0)
    coarse = render_head(v, level, white, CAMERA, POSE, background=black, shading=UNLIT)[..., 0] / 255
    fine_camera = Camera(2800.0, (400.0, 360.0), (800, 720))
    fine = render_head(v, level, white, fine_camera, POSE, background=black, shading=UNLIT)[..., 0] / 255
    linear = np.where(coarse <= 0.04045, coarse / 12.92, ((coarse + 0.055) / 1.055) ** 2.4)
    assert linear.sum() == pytest.approx((fine > 0.5).sum() / 16, rel=0.003)


def test_provenance_opacity_and_occlusion(tiny_head: HeadModel) -> None:
    level, v = tiny_head.level(0), tiny_head.mean
    provenance = np.full((64, 64), 1, np.uint8)
    provenance[:, 32:] = 2
    texture = Texture(np.full((64, 64, 3), 120, np.uint8), provenance)
    picture, mask = render_layers(v, level, texture, CAMERA, POSE, shading=UNLIT)
    assert set(np.unique(mask)) == {0, 1, 2}
    assert mask[110, 85] == 1  # the subject's right is at the image's left
    assert mask[110, 115] == 2
    gone = render_head(v, level, texture, CAMERA, POSE, opacity=np.zeros(len(v)), background=(1, 2, 3))
    assert (gone == (1, 2, 3)).all()
    dark = render_head(v, level, texture, CAMERA, POSE, shading=UNLIT, occlusion=np.full(len(v), 0.5))
    assert dark[110, 85, 0] < picture[110, 85, 0]


def test_light_comes_from_its_side(tiny_head: HeadModel) -> None:
    left, right = np.array([[-0.8, 0, -0.6]]), np.array([[0.8, 0, -0.6]])
    for shading in (CLAY, STUDIO):
        assert studio_light(left, shading)[0] > studio_light(right, shading)[0]
    assert studio_light(left, UNLIT)[0] == 1
    clay = render_head(tiny_head.mean, tiny_head.level(0), None, CAMERA, POSE)
    assert clay.std() > 5


def test_minified_keeps_the_mean() -> None:
    image = np.random.default_rng(0).integers(0, 255, (256, 256, 3), dtype=np.uint8)
    small = minified(image, 4.1)
    assert small.shape == (64, 64, 3)
    assert abs(small.mean() - image.mean()) < 1
    assert minified(image, 1.1) is image


def test_a_shell_is_drawn_where_it_is_there_and_leaves_the_rest(tiny_head: HeadModel) -> None:
    level = tiny_head.level(0)
    shell = make_shell(cells=1)

    def picture(*shells: Shell) -> np.ndarray:
        worn = np.full((64, 64, 3), 200, np.uint8)
        return render_head(tiny_head.mean, level, worn, CAMERA, POSE, shading=UNLIT, shells=shells).astype(int)

    bare, full, holes = picture(), picture(shell), picture(make_shell(cells=4))
    brown = np.abs(full - [90, 60, 40]).max(axis=-1) <= 1
    assert brown.sum() > 2000
    assert 0.05 < (np.abs(holes - bare).max(axis=-1) == 0)[brown].mean() < 0.5
    assert not (holes[..., 1] > holes[..., 0] + 10).any()
    clear = replace(shell, image=shell.image * np.array([1, 1, 1, 0], np.uint8))
    assert np.array_equal(picture(clear), bare)
