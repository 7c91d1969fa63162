"""Known heads in known light: the light is found, and what is left is the albedo."""

from __future__ import annotations

import numpy as np
import pytest
from lit import SIZE, SKIN, picture, relative_error, sun, uniform

from tronie.arrays import Image
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.head.model import HeadModel
from tronie.stages.lighting.albedo import delight
from tronie.stages.lighting.shading_estimate import estimate_shading
from tronie.stages.lighting.sky import SKY, transfer
from tronie.stages.texture.white_balance import skin_albedo
from tronie.types import Texture

SUNS = [(0.0, 0.3, 1.0), (1.0, 0.3, 0.5), (-1.0, 0.4, 0.3), (0.3, 1.0, 0.5)]


def unevenness(image: Image, where: np.ndarray) -> float:
    """Standard deviation of the logarithm of the luminance."""
    return float(np.log(srgb_to_linear(image[where]) @ LUMINANCE + 1e-3).std())


@pytest.mark.parametrize("direction", SUNS)
def test_the_light_is_found_and_taken_away(tiny_head: HeadModel, direction: tuple[float, float, float]) -> None:
    light = sun(direction)
    texture, head, fit, seen = picture(tiny_head, light)
    found = delight(texture, head, estimate_shading(texture, head, fit))
    assert relative_error(found.light, light, head) < 0.12
    assert unevenness(found.image, seen) < 0.3 * unevenness(texture.image, seen)
    assert found.image.shape == texture.image.shape
    assert not found.monochrome
    # Albedo times light is the photo: no brightness got lost on the way.
    assert np.allclose(found.skin, linear_to_srgb(SKIN), atol=25)
    assert np.isclose(found.white[1], 1)


def test_even_light_changes_nothing_but_the_balance(tiny_head: HeadModel) -> None:
    texture, head, fit, seen = picture(tiny_head, uniform())
    found = delight(texture, head, estimate_shading(texture, head, fit))
    assert unevenness(found.image, seen) < 0.08  # it takes folds for darker than `shade` does
    assert found.shadowed < 0.02


def test_marks_are_kept(tiny_head: HeadModel) -> None:
    """A mole of a few millimetres under side light is as dark against its surroundings as it was."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    texture, head, fit, seen = picture(tiny_head, sun((1.0, 0.3, 0.6)))
    i, j = np.argwhere(seen)[len(np.argwhere(seen)) // 2]
    mole = np.hypot(x - j, y - i) < 2
    texture, head, fit, seen = picture(tiny_head, sun((1.0, 0.3, 0.6)), np.where(mole, 0.4, 1.0)[..., None])
    found = srgb_to_linear(delight(texture, head, estimate_shading(texture, head, fit)).image) @ LUMINANCE
    around = seen & (np.hypot(x - j, y - i) < 8) & (np.hypot(x - j, y - i) > 4)
    assert np.isclose(found[mole & seen].mean() / found[around].mean(), 0.4, atol=0.08)


def test_a_shadow_on_one_side_goes(tiny_head: HeadModel) -> None:
    """A soft shadow over half a cheek, which no sky explains, is found by comparison with the other cheek."""
    y, x = (np.mgrid[:SIZE, :SIZE] + 0.5) / SIZE
    texture, head, fit, seen = picture(tiny_head, uniform())
    rows = np.argwhere(seen)
    low, high = rows.min(axis=0) / SIZE, rows.max(axis=0) / SIZE
    centre = low + (high - low) * [0.5, 0.72]
    apart = np.hypot(x - centre[1], y - centre[0])
    shadow = 1 - 0.6 / (1 + np.exp((apart - 0.07) / 0.01))
    texture, head, fit, seen = picture(tiny_head, uniform(), shadow[..., None])
    found = delight(texture, head, estimate_shading(texture, head, fit))
    assert found.shadowed > 0.01
    inside = seen & (shadow < 0.45)
    change = []
    for image in (texture.image, found.image):
        light = srgb_to_linear(image) @ LUMINANCE
        change.append(light[inside].mean() / np.median(light[seen]))
    assert change[0] < 0.5
    assert change[1] > 0.75


def test_grey_stays_grey(tiny_head: HeadModel) -> None:
    texture, head, fit, _ = picture(tiny_head, sun((1.0, 0.3, 0.5)))
    grey = np.repeat(texture.image[..., 1:2], 3, axis=2)
    texture = Texture(grey, texture.provenance)
    found = delight(texture, head, estimate_shading(texture, head, fit))
    assert found.monochrome
    assert np.ptp(found.image.astype(int), axis=2).max() <= 1


def test_open_surfaces_get_all_of_a_uniform_sky(tiny_head: HeadModel) -> None:
    _, head, _, _ = picture(tiny_head, uniform())
    arriving = transfer(head, head.vertices)
    assert arriving.shape == (len(head.vertices), SKY)
    total = arriving.sum(axis=1)[tiny_head.level(1).triangles[tiny_head.level(1).triangle_part == 0]]
    assert np.isclose(np.quantile(total, 0.9), 1, atol=0.05)
    assert total.max() < 1.1


def test_what_is_odd_is_the_lights() -> None:
    plain = np.array([0.5, 0.28, 0.19])
    green = skin_albedo(plain * [0.7, 1.2, 0.7])
    usual = skin_albedo(plain)
    assert np.abs(np.log(green / usual) - np.log(green / usual).mean()).max() < 0.3 * np.log(1.2 / 0.7)
    # The brighter a face, the lighter its skin, but not by as much.
    assert 1 < skin_albedo(2 * plain)[1] / usual[1] < 2
    assert np.ptp(skin_albedo(plain, monochrome=True)) == 0
