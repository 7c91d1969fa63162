"""How long a smile's upper teeth are: read from a drawn mouth, given to a head."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, Head, default_head
from tronie.stages.fit.teeth import CHEEKS, COLUMNS, front_teeth, teeth_drop, teeth_end, with_teeth
from tronie.types import Landmarks, Photo

SKIN, TOOTH, LIP, DARK = (200, 150, 130), (225, 215, 195), (170, 80, 80), (40, 15, 15)


def mouth(end: float, gap: float = 40.0, below: tuple[int, int, int] = DARK) -> tuple[np.ndarray, np.ndarray]:
    """A picture of parted lips with teeth down to `end` of the gap, and the landmarks in it."""
    image = np.empty((200, 200, 3), np.uint8)
    image[:] = SKIN
    points = np.full((478, 3), 20.0)
    for k, x in zip(CHEEKS, (20, 180, 30, 170), strict=True):
        points[k, :2] = x, 60
    top = 90
    image[top - 12 : round(top + gap) + 12, 50:150] = LIP
    image[top : round(top + gap), 50:150] = below
    image[top : round(top + end * gap), 50:150] = TOOTH
    image[top : round(top + end * gap), 99:100] = DARK  # between two teeth
    for (up, low), x in zip(COLUMNS, (80.0, 100.0, 120.0), strict=True):
        points[up, :2], points[low, :2] = (x, top), (x, top + gap)
    return image, points


@pytest.mark.parametrize("end", [0.4, 0.6, 0.8, 1.0])
def test_the_end_of_the_teeth_is_found(end: float) -> None:
    assert teeth_end(*mouth(end)) == pytest.approx(end, abs=0.05)


def test_teeth_that_touch_the_lower_lip_reach_it() -> None:
    assert teeth_end(*mouth(0.7, below=LIP)) == 1.0


def test_no_teeth_or_closed_lips_say_nothing() -> None:
    assert teeth_end(*mouth(0.0)) is None
    assert teeth_end(*mouth(0.8, gap=5.0)) is None


def smile() -> Head:
    model = default_head()
    mesh = model.level(1)
    rest = mesh.apply(model.mean)
    units = [ARKIT_UNITS.index(u) for u in ("mouthSmileLeft", "mouthSmileRight")]
    move = mesh.apply(model.expression[units]).sum(axis=0) + 0.25 * mesh.apply(
        model.expression[ARKIT_UNITS.index("jawOpen")]
    )
    return Head(model, 1, rest + move, rest)


def test_teeth_grow_to_where_the_photo_shows_their_edge() -> None:
    head = smile()
    image, points = mouth(0.9)
    wanted = teeth_drop(head, 0.9)
    assert wanted > 0.5
    longer = with_teeth(head, Photo(image), Landmarks(points, np.zeros(52), 1.0))
    assert teeth_drop(longer, teeth_end(image, points) or 0.0) == pytest.approx(0.0, abs=1e-3)
    moved = longer.vertices - head.vertices
    np.testing.assert_allclose(moved, longer.neutral - head.neutral, atol=1e-4)  # units stay as they are
    mesh = head.model.level(1)
    upper = np.unique(mesh.triangles[mesh.triangle_part == PARTS.index("teeth_upper")])
    others = np.setdiff1d(np.arange(len(moved)), upper)
    assert np.abs(moved[others]).max() == 0
    share = front_teeth(head.model, 1)[upper]
    assert share.max() == 1
    edge, gum = moved[upper, 1].min(), moved[upper[head.neutral[upper, 1].argmax()], 1]
    assert edge < 2 * gum <= 0  # longer, not only lower


def test_without_teeth_in_the_photo_the_head_stays_as_it_is() -> None:
    head = smile()
    image, points = mouth(0.0)
    assert with_teeth(head, Photo(image), Landmarks(points, np.zeros(52), 1.0)) is head
