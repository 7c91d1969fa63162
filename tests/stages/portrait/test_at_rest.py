"""What of an eye a photo does not show, no portrait at rest shows by drawing lids and lashes apart."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.arrays import Array
from tronie.geometry import Camera
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import Head, default_head
from tronie.stages.fit.map_fit import expression_vector
from tronie.stages.portrait.stage import LIDS, OPEN_MM, WIDER, eyes_narrowed
from tronie.types import Fit

NOTHING: Array = np.zeros((1, 3), np.float32)


def squinting(**units: float) -> tuple[Head, Fit]:
    model = default_head()
    mesh, rest = model.level(1), model.level(1).apply(model.mean)
    weights = expression_vector(units, ARKIT_UNITS)
    head = Head(model, 1, rest + mesh.apply(np.tensordot(weights, model.expression, axes=1)), rest)
    camera, modes = Camera(900.0, (100.0, 100.0), (200, 200)), np.zeros((len(model.smooth_modes), 3))
    return head, Fit(
        np.zeros(1), {**dict.fromkeys(ARKIT_UNITS, 0.0), **units}, np.eye(4), camera, modes, diagnostics={}
    )


def opened(head: Head, vertices: Array, side: str) -> float:
    upper, lower = head.points478(vertices)[list(LIDS[side]), 1]
    return float(upper - lower)


@pytest.mark.parametrize("blink", [0.3, 0.5, 0.8, 1.0])
def test_eyes_at_rest_are_hardly_wider_than_in_the_photo(blink: float) -> None:
    head, fit = squinting(eyeBlinkLeft=blink, eyeSquintLeft=0.3, eyeBlinkRight=0.05, mouthSmileLeft=0.5)
    rest = head.neutral + eyes_narrowed(head, fit, NOTHING)
    photo = opened(head, head.vertices, "Left")
    assert opened(head, rest, "Left") <= max(WIDER * photo, 0.0) + 0.4
    assert opened(head, rest, "Left") >= photo - 0.1
    # The other eye is wide open, and stays so; the mouth has nothing to do with it.
    assert opened(head, rest, "Right") == pytest.approx(opened(head, head.neutral, "Right"), abs=0.2)
    assert np.allclose(
        head.points478(rest)[[13, 14, 61, 291]], head.points478(head.neutral)[[13, 14, 61, 291]], atol=0.2
    )


def test_open_eyes_are_left_alone() -> None:
    head, fit = squinting(eyeBlinkLeft=0.05, eyeBlinkRight=0.05)
    assert not eyes_narrowed(head, fit, NOTHING).any()


def test_painted_eyes_are_as_wide_as_usual() -> None:
    head, fit = squinting(eyeBlinkLeft=0.9, eyeBlinkRight=0.9)
    rest = head.neutral + eyes_narrowed(head, fit, NOTHING, painted=True)
    for side in LIDS:
        assert opened(head, rest, side) == pytest.approx(min(OPEN_MM, opened(head, head.neutral, side)), abs=0.5)
