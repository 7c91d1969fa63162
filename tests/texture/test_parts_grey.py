"""A grey photo gets grey eyes, teeth and tongue."""

import numpy as np
from synthetic import tiny_head

from tronie.head.model import PARTS, default_head
from tronie.texture.parts import INNER_LIPS, colourful, part_colours, toned
from tronie.types import Landmarks, Photo


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


def _lips(inside: tuple[int, int, int]) -> tuple[Photo, Landmarks]:
    """A skin-coloured picture with parted lips that show one colour."""
    image = np.full((200, 200, 3), (190, 140, 120), np.uint8)
    points = np.full((478, 3), 20.0)
    turn = np.linspace(0, 2 * np.pi, len(INNER_LIPS), endpoint=False)
    points[list(INNER_LIPS), :2] = np.stack([100 - 40 * np.cos(turn), 100 - 12 * np.sin(turn)], axis=1)
    y, x = np.mgrid[:200, :200] + 0.5
    image[((x - 100) / 40) ** 2 + ((y - 100) / 12) ** 2 < 1] = inside
    return Photo(image), Landmarks(points, np.zeros(52), 1.0)


def test_teeth_have_the_photo_s_colour_and_darken_to_the_back() -> None:
    model, skin = default_head(), np.array([190.0, 140.0, 120.0])
    mesh = model.level(1)
    rows = mesh.triangle_part == PARTS.index("teeth_upper")
    uv, depth = mesh.triangle_uv[rows].ravel(), mesh.apply(model.mean)[mesh.triangles[rows].ravel(), 2]
    white, dark = (part_colours(model, 1, skin, *_lips(c))[uv] for c in ((215, 205, 180), (40, 15, 14)))
    front, back = depth > depth.max() - 4, depth < depth.max() - 30
    shown = np.quantile(white[front], 0.8, axis=0)
    np.testing.assert_allclose(shown, (215, 205, 180), rtol=0.12)
    assert np.quantile(white[back].mean(axis=1), 0.8) < 0.5 * shown.mean()
    assert np.quantile(dark[front].mean(axis=1), 0.8) < 0.5 * shown.mean()  # a dark open mouth
