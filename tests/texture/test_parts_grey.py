"""A grey photo gets grey eyes, teeth and tongue."""

import numpy as np
from synthetic import tiny_head

from tronie.texture.parts import colourful, part_colours, toned


def test_parts_take_no_colour_from_a_grey_photo() -> None:
    grey = part_colours(tiny_head(), 1, np.full(3, 150.0))
    assert np.ptp(grey, axis=1).max() < 1e-3
    pink = part_colours(tiny_head(), 1, np.array([190.0, 140.0, 120.0]))
    assert np.ptp(pink, axis=1).max() > 5


def test_toning_keeps_the_brightness() -> None:
    colours = np.random.default_rng(0).uniform(0, 255, (50, 3))
    for skin in (np.full(3, 90.0), np.array([120.0, 118.0, 115.0]), np.array([200.0, 150.0, 130.0])):
        assert np.allclose(toned(colours, skin).mean(axis=1), colours.mean(axis=1), atol=1e-3)
    assert colourful(np.full(3, 90.0)) == 0
    assert np.allclose(toned(colours, np.array([200.0, 150.0, 130.0])), colours, atol=1e-3)
