"""Irises tell how large a head is, a little, and only where they show."""

import numpy as np
import pytest
from synthetic import tiny_head

from tronie.head.model import default_head
from tronie.stages.fit.scale import (
    IRIS_BIAS,
    IRIS_MM,
    IRIS_SIGMA,
    LARGEST_YAW,
    LEAST_PIXELS,
    MOST_BLINK,
    childlike,
    growth_direction,
    iris_diameter,
    iris_growth,
    iris_mm,
    weighed,
)


def eyes(pixels: float) -> np.ndarray:
    points = np.zeros((478, 3))
    for centre, x in ((468, 100.0), (473, 200.0)):
        points[centre : centre + 5, :2] = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]) * pixels / 2 + [x, 50]
    return points


def test_the_diameter_is_that_of_the_rings() -> None:
    assert iris_diameter(eyes(14.0)) == pytest.approx(14)


def test_the_usual_iris_asks_for_nothing() -> None:
    scale = 2.0
    assert iris_growth(eyes(IRIS_MM * scale * np.exp(IRIS_BIAS)), scale, 0, 0) == pytest.approx(0, abs=2e-3)


def test_the_usual_iris_measures_what_it_is() -> None:
    scale = 2.0
    assert iris_mm(eyes(IRIS_MM * scale * np.exp(IRIS_BIAS)), 1 / scale) == pytest.approx(IRIS_MM)


def test_wide_irises_ask_for_a_smaller_head_and_never_for_a_giant() -> None:
    assert iris_growth(eyes(28), 2.0, 0, 0) < 0 < iris_growth(eyes(22), 2.0, 0, 0)
    assert abs(iris_growth(eyes(9), 2.0, 0, 0)) < 0.06
    assert abs(iris_growth(eyes(200), 2.0, 0, 0)) < 0.4


def test_irises_of_adults_hardly_move_their_heads_and_those_of_small_children_do() -> None:
    for asked in (-0.06, -0.03, 0.0, 0.05, 0.1):
        assert abs(weighed(asked, IRIS_SIGMA)) < 0.025
        assert childlike(asked) < 0.2
    for asked in (-0.18, -0.22, -0.28):  # the iris of an adult on a face a fifth smaller
        assert weighed(asked, IRIS_SIGMA) == pytest.approx(asked, abs=0.06)
        assert childlike(asked) > 0.7


def test_the_wider_the_irises_the_smaller_the_head() -> None:
    grown = [weighed(asked, IRIS_SIGMA) for asked in np.linspace(-0.35, 0.24, 60)]
    assert (np.diff(grown) > 0).all()


def test_turned_small_and_closed_eyes_are_not_asked() -> None:
    assert iris_growth(eyes(22), 2.0, LARGEST_YAW + 1, 0) == 0
    assert iris_growth(eyes(LEAST_PIXELS - 1), 2.0, 0, 0) == 0
    assert iris_growth(eyes(22), 2.0, 0, MOST_BLINK + 0.01) == 0


@pytest.mark.parametrize("tiny", [True, False])
def test_growing_is_a_person_of_the_model(tiny: bool) -> None:
    model = tiny_head() if tiny else default_head()
    direction = growth_direction(model)
    assert direction.shape == (len(model.identity),)
    assert np.isfinite(direction).all()
    if not tiny:
        inner = model.inner_face
        grown = model.shape(0.04 * direction)[inner] - model.mean[inner]
        wanted = 0.04 * (model.mean[inner] - model.mean[inner].mean(axis=0))
        left = grown - grown.mean(axis=0) - wanted
        assert np.sqrt((left**2).sum(axis=1).mean()) < 0.2 * np.sqrt((wanted**2).sum(axis=1).mean())
