"""Fusing pictures of the tiny head: each side from the photo that sees it, in one light, and nothing from nowhere."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import Head, HeadModel
from tronie.pipelines.person.files import source_picture
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import TextureSettings
from tronie.stages.texture.bake import Baked, baked
from tronie.stages.texture.fuse import Fused, fuse, texture_shares, view_weights, weighted_median
from tronie.types import PROVENANCE, Fit, Photo

SIZE = 512
SEEN = PROVENANCE.index("seen")


def texture(model: HeadModel) -> Image:
    """Skin whose hue goes from ear to ear, so that a mirrored side cannot pass for a seen one."""
    mesh = model.level(1)
    points = np.column_stack([mesh.uv * SIZE, np.ones(len(mesh.uv))])
    at_uv = np.zeros((len(mesh.uv), 3), np.float32)
    at_uv[mesh.triangle_uv] = mesh.apply(model.mean)[mesh.triangles]
    place = interpolate(rasterize(points, mesh.triangle_uv, SIZE, SIZE, cull=False), mesh.triangle_uv, at_uv)
    light = 1 + 0.15 * np.tanh(place[..., :1] / 30) + 0.05 * np.sin(place[..., 1:2] / 15)
    return np.clip(np.array([190.0, 145.0, 120.0]) * light, 0, 255).astype(np.uint8)


def shot(model: HeadModel, yaw: float, light: tuple[float, float, float] = (1, 1, 1)) -> tuple[Photo, Baked]:
    vertices = model.level(1).apply(model.mean)
    pose = rigid(rotation_from_euler(yaw, 0, 0), [0, 0, 1000.0])
    camera = Camera(900.0, (150.0, 150.0), (300, 300))
    fit = Fit(np.zeros(5), {}, pose, camera, np.zeros((10, 3)), diagnostics={})
    head = Head(model, 1, vertices, vertices)
    picture = render_head(
        vertices, model.level(1), texture(model), camera, pose, background=(30, 90, 200), shading=UNLIT
    )
    photo = Photo(np.clip(picture * np.array(light), 0, 255).astype(np.uint8))
    return photo, baked(photo, head, fit, None, TextureSettings(size=SIZE))


def fused(model: HeadModel, *shots: tuple[Photo, Baked]) -> Fused:
    sights = [view_weights(made, model, 0.05) for _, made in shots]
    textures = [made.texture for _, made in shots]
    return fuse(textures[0], iter(textures[1:]), texture_shares(sights, model, 1), model, 1)


def error(model: HeadModel, made: Image, where: np.ndarray) -> float:
    return float(np.abs(made.astype(float) - texture(model)).mean(axis=2)[where].mean())


def skin(made: Baked) -> np.ndarray:
    return np.asarray((made.texture.provenance > 0) & (made.texture.provenance != PROVENANCE.index("synthetic")))


def test_one_photo_alone_is_its_own_texture(tiny_head: HeadModel) -> None:
    one = shot(tiny_head, 20)
    alone = fused(tiny_head, one)
    assert np.array_equal(alone.texture.image, one[1].texture.image)
    assert np.array_equal(alone.texture.provenance, one[1].texture.provenance)
    assert alone.parts == (1.0,)


@pytest.mark.parametrize("light", [(1, 1, 1), (0.75, 0.8, 0.9)])
def test_both_sides_come_from_the_photo_that_sees_them(tiny_head: HeadModel, light: tuple[float, float, float]) -> None:
    left, right = shot(tiny_head, -35), shot(tiny_head, 35, light)
    both = fused(tiny_head, left, right)
    alone = left[1].texture
    more = (both.texture.provenance == SEEN) & (alone.provenance != SEEN)
    assert more.sum() > 0.1 * (alone.provenance == SEEN).sum()
    assert error(tiny_head, both.texture.image, more) < 0.6 * error(tiny_head, alone.image, more)
    assert (both.source[more] == 2).mean() > 0.9
    assert min(both.parts) > 0.15
    assert sum(both.parts) == pytest.approx(1)
    # What the first photo alone has seen stays as it was, but for where the other has more to say.
    first = both.source == 1
    assert error(tiny_head, both.texture.image, first) < error(tiny_head, alone.image, first) + 1.5


def test_no_seam_where_one_photo_ends_and_the_other_begins(tiny_head: HeadModel) -> None:
    """In other light: the steps between neighbouring texels across the border are no larger than elsewhere."""
    both = fused(tiny_head, shot(tiny_head, -35), shot(tiny_head, 35, (0.7, 0.75, 0.8)))
    grey, source = both.texture.image.astype(float).mean(axis=2), both.source
    step = np.abs(np.diff(grey, axis=1))
    inside = (source[:, 1:] > 0) & (source[:, :-1] > 0)
    border = inside & (source[:, 1:] != source[:, :-1])
    assert border.sum() > 50
    assert step[border].mean() < step[inside & ~border].mean() + 1.5


def test_what_nobody_sees_is_the_first_ones_own(tiny_head: HeadModel) -> None:
    one, other = shot(tiny_head, 0), shot(tiny_head, 15)
    both = fused(tiny_head, one, other)
    unseen = skin(one[1]) & (one[1].texture.provenance != SEEN) & (other[1].texture.provenance != SEEN)
    off = np.abs(both.texture.image.astype(int) - one[1].texture.image).max(axis=2)
    assert unseen.sum() > 1000
    assert (off[unseen] == 0).mean() > 0.98  # gutters copy their neighbours
    assert (both.texture.provenance[unseen] != SEEN).all()


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=9))
def test_the_median_of_equal_weights_is_the_median(values: list[float]) -> None:
    column = np.array(values)[:, None]
    low, high = np.sort(values)[(len(values) - 1) // 2], np.sort(values)[len(values) // 2]
    assert low - 1e-9 <= weighted_median(column, np.ones(len(values)))[0] <= high + 1e-9


def test_a_heavy_value_is_the_median() -> None:
    assert weighted_median(np.array([[1.0], [2.0], [9.0]]), np.array([1.0, 1.0, 5.0]))[0] == 9


def test_photos_have_colours_of_their_own() -> None:
    picture = source_picture(np.arange(13, dtype=np.uint8)[None])
    assert len({tuple(c) for c in picture[0].tolist()}) == 13
    assert picture[0, 0].tolist() == [255, 255, 255]
