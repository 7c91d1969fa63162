"""Cutting a drawn person out: opacity is the true one, no background stays at the edge, neighbours go."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.arrays import Array, Image
from tronie.stages.portrait.matte import blurred, cut_out, guessed_person, laid_over, matte

SIDE, CELLS, CELL_MM = 512, 128, 1.6
NEAR, FAR = np.array([120.0, 70.0, 40.0]), np.array([90.0, 130.0, 190.0])


def ragged(offset: tuple[float, float] = (0, 0), radius: float = 0.28) -> Array:
    """(SIDE, SIDE) opacity of a disc with a wavy, soft edge."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE - 0.5
    x, y = x - offset[0], y - offset[1]
    wave = 0.006 * np.sin(40 * np.arctan2(y, x))
    return np.asarray(np.clip((radius + wave - np.hypot(x, y)) / 0.012 + 0.5, 0, 1))


def coarse(alpha: Array, soft: float = 1.0) -> Array:
    import cv2

    small = cv2.resize(alpha, (CELLS, CELLS), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small, (0, 0), soft), np.float32)


def picture_of(alpha: Array) -> Image:
    noise = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 1))
    return np.clip(FAR + alpha[..., None] * (NEAR - FAR) + noise + 0.5, 0, 255).astype(np.uint8)


def test_the_edge_is_as_soft_as_it_is_in_the_photo() -> None:
    alpha = ragged()
    likely = coarse(alpha, 1.5)
    made = matte(picture_of(alpha), likely, likely, CELL_MM)
    edge = (alpha > 0.02) & (alpha < 0.98)
    assert np.abs(made.person - alpha)[edge].mean() < 0.1
    assert np.abs(made.person - alpha)[~edge].mean() < 0.005


def test_nothing_of_the_background_comes_along() -> None:
    alpha = ragged()
    likely = coarse(alpha)
    picture = picture_of(alpha)
    alone = cut_out(picture, matte(picture, likely, likely, CELL_MM))
    there = alone[..., 3] > 40
    # Bluer than the person anywhere would be the wall.
    assert np.abs(alone[there][:, :3] - NEAR).mean() < 6
    assert np.quantile(alone[there][:, 2], 0.99) < NEAR[2] + 40
    assert (alone[..., 3] == 0).mean() > 0.6
    again = laid_over(alone, np.broadcast_to(FAR, picture.shape).astype(np.uint8))
    assert np.abs(again.astype(int) - picture).mean() < 3.5


def test_a_neighbour_is_not_cut_out_too() -> None:
    both = np.maximum(ragged(), ragged((0.42, 0.3), 0.12))
    likely, head = coarse(both), coarse(ragged())
    made = matte(picture_of(both), likely, head, CELL_MM)
    assert made.person[SIDE // 2, SIDE // 2] > 0.99
    assert made.person[int(0.8 * SIDE), int(0.92 * SIDE)] < 0.01


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_all_or_nothing_is_no_trouble(share: float) -> None:
    picture = picture_of(ragged())
    made = matte(picture, np.full((CELLS, CELLS), share, np.float32), np.zeros((CELLS, CELLS)), CELL_MM)
    assert np.abs(made.person - share).max() < 0.01
    assert cut_out(picture, made).shape == (SIDE, SIDE, 4)


def test_what_is_near_stays_sharp() -> None:
    alpha = ragged()
    picture = picture_of(alpha)
    out = blurred(picture, alpha.astype(np.float32), 12.0)
    inside, outside = alpha == 1, alpha == 0
    assert np.abs(out.astype(int) - picture)[inside].max() <= 1
    assert out[outside].astype(float).std(axis=0).max() < 0.7 * picture[outside].astype(float).std(axis=0).max()


def test_without_a_segmentation_there_are_shoulders_below_a_head() -> None:
    y, x = np.mgrid[:CELLS, :CELLS] + 0.5
    head = ((np.hypot((x - 64) / 42, (y - 50) / 55)) < 1).astype(np.float32)
    person = guessed_person(head, (64.0, 48.0), 1.8)
    assert person[head > 0].min() > 0.99
    assert person[-1].sum() > 1.5 * person[-25].sum()
    assert person[2, 2] == 0
