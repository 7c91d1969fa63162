"""Who is bald, and what is skin: from segmentations of made-up people, and from colours where there is none."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.arrays import Array
from tronie.geometry import Similarity
from tronie.head.model import HeadModel
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.inpaint import _grown
from tronie.stages.texture.mesh_filters import MeshGraph
from tronie.stages.texture.segment import Matter, PhotoSamples, judge, shares_at
from tronie.stages.texture.skin_model import Colours
from tronie.stages.texture.visibility import Visibility
from tronie.types import Photo

SKIN = np.array([195.0, 145.0, 122.0], dtype=np.float32)
SIDE, MM = 128, 3.0
"""Of the segmentation, whose pixel is so large; the head's front view lies in its middle."""


def pixels_of(points: Array) -> Array:
    """(N, 2) pixels of the front view."""
    return np.asarray(np.column_stack([points[:, 0], -points[:, 1]]) / MM + SIDE / 2)


def person(model: HeadModel, crown: Array | tuple[float, float, float], segments: Array | None = None) -> Matter:
    """Judged from the front; `segments` (SIDE, SIDE) are indices into SEGMENTS, `crown` the scalp's colour."""
    facts, level = surface_facts(model, 1), model.level(1)
    points = level.apply(model.mean)
    count, pixels = len(model.mean), pixels_of(points)
    colour = np.where((facts.scalp > 0.5)[:, None], np.asarray(crown, np.float32), SKIN).astype(np.float32)
    # A picture in which everything above the hairline has the crown's colour.
    rows = (SIDE / 2 - np.arange(SIDE) - 0.5) * MM > 60
    image = np.where(rows[:, None, None], np.asarray(crown), SKIN).astype(np.uint8)
    facing = np.where((points[:, 2] > -60) & facts.skin, 1.0, 0.0).astype(np.float32)
    one = np.ones(len(points), np.float32)
    view = Visibility(points, pixels, points, facing, one, one, (0, 0, SIDE, SIDE), MM)
    found = None
    if segments is not None:
        shares = (np.arange(len(SEGMENTS))[:, None, None] == segments) * np.uint8(255)
        found = Segmentation(shares.astype(np.uint8), Similarity(1, 0, 0, 0))
    picture = Photo(np.broadcast_to(image, (SIDE, SIDE, 3)).copy())
    samples = PhotoSamples(picture, view, Colours.of(colour), Colours.of(colour), np.zeros(count), found)
    return judge(samples, model, facts, level.matrix)


def drawn(hair_above: float, sides_only: bool = False) -> Array:
    """A face with hair above so many mm, or on both sides of it only."""
    y = (SIDE / 2 - np.arange(SIDE)[:, None] - 0.5) * MM
    x = np.abs((np.arange(SIDE)[None] + 0.5 - SIDE / 2) * MM)
    hair = (y > hair_above) & ((x > 38) if sides_only else (x > -1))
    return np.where(hair, SEGMENTS.index("hair"), SEGMENTS.index("face"))


def grown(model: HeadModel, matter: Matter) -> Array:
    facts = surface_facts(model, 1)
    return _grown(MeshGraph(facts.control_start, facts.control_edges, facts.steps), model, facts, matter)


@pytest.mark.parametrize("crown", [(40, 32, 28), (150, 150, 150), (205, 200, 195), (195, 145, 122)])
def test_what_is_hair_in_the_mask_is_hair_whatever_its_colour(
    tiny_head: HeadModel, crown: tuple[float, float, float]
) -> None:
    matter = person(tiny_head, crown, drawn(50))
    hair = grown(tiny_head, matter)
    facts = surface_facts(tiny_head, 1)
    assert np.quantile(hair[facts.scalp > 0.9], 0.1) > 0.9
    np.testing.assert_allclose(matter.locks, np.round(crown), atol=1)


@pytest.mark.parametrize("crown", [(40, 32, 28), (215, 168, 146), (238, 196, 178)])
def test_a_head_without_hair_in_the_mask_is_bald_whatever_shines_on_it(
    tiny_head: HeadModel, crown: tuple[float, float, float]
) -> None:
    assert not grown(tiny_head, person(tiny_head, crown, drawn(1e3))).any()


def test_a_bald_crown_keeps_the_hair_at_its_sides(tiny_head: HeadModel) -> None:
    hair = grown(tiny_head, person(tiny_head, SKIN, drawn(0, sides_only=True)))
    facts = surface_facts(tiny_head, 1)
    top = (tiny_head.mean[:, 1] > 100) & (np.abs(tiny_head.mean[:, 0]) < 15)
    assert hair[top].mean() < 0.2
    assert hair[facts.fringe & (np.abs(tiny_head.mean[:, 0]) > 50)].mean() > 0.7


def test_under_a_covering_there_most_likely_is_hair(tiny_head: HeadModel) -> None:
    segments = drawn(1e3)
    segments[: SIDE // 2 - 4] = SEGMENTS.index("covering")
    matter = person(tiny_head, (20, 60, 160), segments)
    assert grown(tiny_head, matter)[surface_facts(tiny_head, 1).scalp > 0.9].min() > 0.9
    assert matter.locks[2] < 150  # not the covering's colour
    assert matter.hidden[tiny_head.mean[:, 1].argmax()] == 1


@pytest.mark.parametrize("crown", [(40, 32, 28), (95, 70, 52), (150, 150, 150)])
def test_without_a_mask_what_is_unlike_skin_is_hair(tiny_head: HeadModel, crown: tuple[float, float, float]) -> None:
    matter = person(tiny_head, crown)
    assert grown(tiny_head, matter).max() > 0.9
    assert np.abs(matter.locks - crown).max() < 2


def test_without_a_mask_skin_is_skin(tiny_head: HeadModel) -> None:
    assert not grown(tiny_head, person(tiny_head, (195, 145, 122))).any()


def test_shares_are_looked_up_where_the_photo_has_them() -> None:
    shares = np.zeros((len(SEGMENTS), 8, 8), np.uint8)
    shares[0, :, :4], shares[1, :, 4:] = 255, 255
    place = Similarity(2.0, 0.0, 10.0, 30.0)
    found = Segmentation(shares, place)
    points = place.apply([[1.0, 4.0], [7.0, 4.0], [4.0, 4.0], [50.0, 4.0]])
    ground, hair = shares_at(found, points, ("background",), ("hair",))
    np.testing.assert_allclose(ground, [1, 0, 0.5, 0], atol=0.02)
    np.testing.assert_allclose(hair, [0, 1, 0.5, 1], atol=0.02)
