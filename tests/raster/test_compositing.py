"""Looking pictures up: the same for one place and for more than OpenCV takes at once."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal

from tronie.raster.compositing import sampled

SHORT = 32_767
"""OpenCV takes no list of places that long."""


@pytest.mark.parametrize("count", [0, 1, 1023, 1025, SHORT - 1, SHORT, SHORT + 1, 53_490, 200_000])
@pytest.mark.parametrize(("channels", "kind"), [(3, np.uint8), (6, np.float32)])
def test_any_number_of_places(count: int, channels: int, kind: type) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (40, 60, channels)).astype(kind)
    places = rng.uniform(-5, 70, (count, 2))
    found = sampled(image, places)
    assert found.shape == (count, channels)
    assert found.dtype == kind
    for k in {0, count // 2, count - 1} if count else set():
        assert_array_equal(found[k], sampled(image, places[k : k + 1])[0])


def test_between_pixels_and_beyond_the_border() -> None:
    y, x = np.mgrid[:40, :60].astype(np.float32) + 0.5
    image = np.stack([x, y, x + y], axis=2)
    places = np.random.default_rng(1).uniform([0.5, 0.5], [59.5, 39.5], (40_000, 2))
    # OpenCV knows 32 steps between two pixels.
    assert_allclose(sampled(image, places)[:, :2], places, atol=1 / 32)
    outside = np.array([[-100, 10], [1e9, 10], [30, -1e30], [30, np.inf], [np.nan, np.nan]])
    expected = [[0.5, 10], [59.5, 10], [30, 0.5], [30, 39.5], [0.5, 0.5]]
    assert_allclose(sampled(image, outside)[:, :2], expected, atol=1 / 32)
