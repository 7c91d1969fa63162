"""The head alone before grey: framing, mask, fading neck."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.geometry import transform
from tronie.head.model import PARTS, Head, HeadModel
from tronie.settings import PortraitSettings
from tronie.stages.portrait import backdrop, frontal, mouth_light, portrait_camera, soft_rim
from tronie.stages.portrait.camera import STYLES
from tronie.types import PROVENANCE, Texture


def plain_texture(model: HeadModel) -> Texture:
    return Texture(
        np.full((64, 64, 3), (180, 140, 120), np.uint8), np.full((64, 64), PROVENANCE.index("seen"), np.uint8)
    )


@pytest.mark.parametrize("size", [256, 512])
def test_sizes_masks_and_symmetry(tiny_head: HeadModel, size: int) -> None:
    v = tiny_head.level(1).apply(tiny_head.mean)
    open_mouth = tiny_head.level(1).apply(tiny_head.shape(expression=np.eye(52)[17]))
    result = frontal(Head(tiny_head, 1, open_mouth, v), plain_texture(tiny_head), PortraitSettings(size=size))
    assert result.neutral is not None
    assert result.neutral_mask is not None
    for picture in (result.image, result.neutral):
        assert picture.shape == (size, size, 3)
    for mask in (result.mask, result.neutral_mask):
        assert mask.shape == (size, size)
        assert set(np.unique(mask)) == {0, PROVENANCE.index("seen")}
    assert (result.image != result.neutral).any()
    # A symmetric head in even light from the front: nearly symmetric pictures, exactly symmetric masks but for edges.
    assert (result.neutral_mask != result.neutral_mask[:, ::-1]).mean() < 0.005
    corner = result.image[:8, :8].astype(int)
    assert np.abs(corner - backdrop(size)[:8, :8]).max() == 0


def test_framing(tiny_head: HeadModel) -> None:
    v = tiny_head.level(1).apply(tiny_head.mean)
    size = 512
    camera, pose = portrait_camera(Head(tiny_head, 1, v, v), size)
    at = camera.project(transform(pose, v.astype(np.float64)))
    eyes = np.isin(
        np.arange(len(v)), tiny_head.level(1).triangles[tiny_head.level(1).triangle_part == PARTS.index("eye_left")]
    )
    assert at[eyes, 1].mean() == pytest.approx(STYLES["square"].eye_line * size, abs=2)
    assert at[:, 1].min() > 0.04 * size  # the crown fits
    assert at[:, 0].min() > 0
    assert at[:, 0].max() < size
    np.testing.assert_allclose(at[:, 0].min() + at[:, 0].max(), size, atol=0.5)


def test_the_neck_fades_into_the_background(tiny_head: HeadModel) -> None:
    v = tiny_head.level(1).apply(tiny_head.mean)
    head = Head(tiny_head, 1, v, v)
    size = 512
    camera, pose = portrait_camera(head, size)
    result = frontal(head, plain_texture(tiny_head), PortraitSettings(size=size))
    low = camera.project(transform(pose, v.astype(np.float64)))[:, 1].max()
    row = int(low) - 2
    if row < size:
        assert np.abs(result.image[row].astype(int) - backdrop(size)[row]).max() < 40
    jump = np.abs(np.diff(result.image[int(0.8 * size) :, size // 2].astype(int), axis=0)).max()
    assert jump < 25


def test_the_backdrop_has_no_bands() -> None:
    tone = backdrop(256).astype(float)
    assert tone.min() > 150
    assert np.abs(np.diff(tone.mean(-1), axis=0)).max() <= 3


def test_hair_has_a_soft_outline_and_the_face_none(tiny_head: HeadModel) -> None:
    mesh = tiny_head.level(1)
    vertices = mesh.apply(tiny_head.mean)
    head = Head(tiny_head, 1, vertices, vertices)
    pose = portrait_camera(head, 256)[1]
    opacity = soft_rim(vertices, head, pose, 0.3)
    assert opacity.min() >= 0
    assert opacity.max() <= 1
    high = (vertices[:, 1] > 60) & (np.abs(vertices[:, 0]) > 0.93 * np.abs(vertices[vertices[:, 1] > 60, 0]).max())
    assert opacity[high].min() < 0.7
    inner = mesh.matrix @ tiny_head.inner_face.astype(np.float32) > 0.99
    assert opacity[inner].min() == 1


def test_a_slit_between_the_lips_is_darker_than_an_open_mouth(tiny_head: HeadModel) -> None:
    mesh = tiny_head.level(1)
    rest = mesh.apply(tiny_head.mean)
    jaw = tiny_head.expression_names.index("jawOpen")
    wide = mesh.apply(tiny_head.mean + tiny_head.expression[jaw])
    closed, opened = (mouth_light(v, Head(tiny_head, 1, v, rest)) for v in (rest, wide))
    assert (closed <= opened).all()
    skin = np.unique(mesh.triangles[mesh.triangle_part == 0])
    assert closed[skin].min() == 1
