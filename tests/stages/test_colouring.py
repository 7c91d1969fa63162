"""Invented colours: lightness stays the photo's own, nothing is green or purple, what is not known stays grey."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import make_face

from tronie.arrays import Image
from tronie.color import LUMA
from tronie.geometry import Similarity
from tronie.head.model import HeadModel
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.colouring import HAIR, LIPS_HUE, SKIN, coloured, with_hues
from tronie.stages.enhance.restoration import COLOURED
from tronie.types import Photo


@given(st.floats(0, 255), st.sampled_from([SKIN, HAIR, LIPS_HUE, (0.0, 0.0)]))
def test_lightness_is_kept_and_hues_are_warm(light: float, hue: tuple[float, float]) -> None:
    grey, hues = np.full((1, 1), light, np.float32), np.full((1, 1, 2), hue, np.float32)
    rgb = with_hues(grey, hues)[0, 0].astype(float)
    assert abs(rgb @ LUMA - light) < 4
    assert rgb[0] >= rgb[1] >= rgb[2]


def grey_photo() -> Image:
    y, x = np.mgrid[:240, :320]
    return np.repeat((60 + (x + y) % 120).astype(np.uint8)[..., None], 3, axis=-1)


@pytest.fixture
def shares() -> Segmentation:
    """A face in the middle, hair above it, all else background."""
    found = np.zeros((len(SEGMENTS), 64, 64), np.uint8)
    found[0] = 255
    for name, rows in (("hair", slice(12, 24)), ("face", slice(24, 50))):
        found[:, rows, 18:46] = 0
        found[SEGMENTS.index(name), rows, 18:46] = 255
    return Segmentation(found, Similarity(3.75, 0, 40, 0))


@pytest.mark.parametrize("factor", [1, 2])
def test_faces_get_colours_and_the_rest_stays_grey(tiny_head: HeadModel, shares: Segmentation, factor: int) -> None:
    photo = grey_photo()
    face = replace(make_face(tiny_head), segmentation=shares)
    large = photo.repeat(factor, axis=0).repeat(factor, axis=1)
    made = coloured(large, Photo(photo), [face])
    assert made.image.shape == large.shape
    assert made.parts.shape == large.shape[:2]
    assert np.abs(made.image @ LUMA - large[..., 0]).max() < 4
    spread = np.ptp(made.image.astype(int), axis=-1)
    skin = made.parts == COLOURED.index("skin")
    assert skin.mean() > 0.05
    assert spread[skin].mean() > 15
    assert spread[made.parts == COLOURED.index("hair")].mean() > 5
    assert spread[:, : 30 * factor].max() <= 14
    red, green, blue = np.moveaxis(made.image.astype(int), -1, 0)
    assert (red >= green - 2).all(), "nothing is green"
    assert (green >= blue - 2).all(), "nothing is purple"


def test_without_a_face_nothing_is_known() -> None:
    photo = grey_photo()
    made = coloured(photo, Photo(photo), [])
    assert not made.parts.any()
    assert np.ptp(made.image.astype(int), axis=-1).max() <= 14
