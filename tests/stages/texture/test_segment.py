"""Who is bald: rules over colours, on made-up people."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.segment import hair_of
from tronie.stages.texture.skin_model import Colours

SKIN = np.array([195.0, 145.0, 122.0], dtype=np.float32)


def judge(model: HeadModel, crown: tuple[float, float, float], busy: float = 0.0) -> tuple[NDArray[np.float32], float]:
    facts = surface_facts(model, 1)
    count = len(model.mean)
    colour = np.where((facts.scalp > 0.5)[:, None], np.array(crown, np.float32), SKIN)
    skinlike = (np.abs(np.log(colour / SKIN)).sum(axis=1) < 0.3).astype(np.float32)
    hair, _, full = hair_of(
        Colours.of(colour), np.ones(count), np.ones(count), skinlike, SKIN, np.full(count, busy), facts
    )
    return np.asarray(hair, dtype=np.float32), full


@pytest.mark.parametrize("crown", [(40, 32, 28), (95, 70, 52), (15, 14, 16), (150, 150, 150), (205, 200, 195)])
def test_dark_brown_and_grey_hair_is_hair(tiny_head: HeadModel, crown: tuple[float, float, float]) -> None:
    hair, full = judge(tiny_head, crown)
    assert full > 0.9
    assert abs(np.log((hair.mean() + 12) / (np.mean(crown) + 12))) < 0.2


@pytest.mark.parametrize("crown", [(195, 145, 122), (215, 168, 146), (238, 196, 178), (150, 100, 76)])
def test_skin_in_light_glare_and_shade_is_bald(tiny_head: HeadModel, crown: tuple[float, float, float]) -> None:
    hair, full = judge(tiny_head, crown)
    assert full == 0.0
    assert np.allclose(hair, SKIN)


def test_a_busy_crown_of_another_colour_is_hair(tiny_head: HeadModel) -> None:
    assert judge(tiny_head, (160, 122, 78), busy=0.08)[1] > 0.9


def test_a_scarf_gets_a_natural_colour(tiny_head: HeadModel) -> None:
    red, green, blue = judge(tiny_head, (20, 60, 160), busy=0.08)[0]
    assert red >= green >= blue
