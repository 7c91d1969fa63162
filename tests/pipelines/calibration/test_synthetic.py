"""Laws of the random pictures: expressions, light, what is around the head, and that the net finds what is drawn."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.geometry import rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import default_head
from tronie.pipelines.calibration.backgrounds import before, behind, random_background
from tronie.pipelines.calibration.expressions import random_expression
from tronie.pipelines.calibration.lights import random_light
from tronie.pipelines.calibration.wear import degraded


@pytest.mark.parametrize("seed", range(20))
def test_expressions_are_possible(seed: int) -> None:
    e = dict(zip(ARKIT_UNITS, random_expression(np.random.default_rng(seed)), strict=True))
    assert all(0 <= value <= 1 for value in e.values())
    assert e["mouthClose"] <= e["jawOpen"]
    for side in ("Left", "Right"):
        assert min(e["eyeLookUp" + side], e["eyeLookDown" + side]) == 0
        assert min(e["eyeBlink" + side], e["eyeWide" + side]) == 0


@pytest.mark.parametrize("seed", range(12))
def test_light_is_light(seed: int) -> None:
    model = default_head()
    level = model.level(0)
    pose = rigid(rotation_from_euler(20, 5, 0), np.array([0, 0, 600.0]))
    light = random_light(model.mean, level.triangles, pose, np.random.default_rng(seed))
    assert light.shape == (len(model.mean),)
    assert np.isfinite(light).all()
    assert (light > 0).all()
    assert 0.05 < light[model.inner_face].mean() < 4


@pytest.mark.parametrize("seed", range(6))
def test_props_leave_pictures(seed: int) -> None:
    rng = np.random.default_rng(seed)
    points = default_head().level(1).points478(default_head().level(1).apply(default_head().mean))
    points = points[:, :2] * [1, -1] + [144, 110]
    image = behind(random_background(288, [np.full((64, 64, 3), 90, np.uint8)], rng), points, rng)
    image = degraded(before(image, points, rng), rng)
    assert image.shape == (288, 288, 3)
    assert image.dtype == np.uint8
