"""Surfaces with holes: seen where alpha is, from both sides, behind nothing nearer; edges as soft as alpha."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tronie.raster.cutouts import Cutout, bled, draw_cut, hide_covered, level_of, pyramid, seen_triangles

SQUARE = np.array([[0, 0, 1], [0, 64, 1], [64, 64, 1], [64, 0, 1]], np.float32)
TRIANGLES = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
UV = np.array([[0, 0], [0, 1], [1, 1], [1, 0]], np.float32)


def left_half(size: int = 64) -> np.ndarray:
    image = np.zeros((size, size, 4), np.uint8)
    image[:, : size // 2] = (200, 100, 50, 255)
    image[:, size // 2 :] = (0, 255, 0, 0)
    return image


def drawn(image: np.ndarray, samples: int = 1, near: float = 0.0, flip: bool = False) -> np.ndarray:
    nearness = np.full((64, 64), near, np.float32)
    triangles = TRIANGLES[:, ::-1].copy() if flip else TRIANGLES
    return draw_cut(SQUARE, Cutout.of(triangles, UV, image), nearness, samples) >= 0


@pytest.mark.parametrize("flip", [False, True])
def test_it_is_there_where_alpha_is_from_both_sides(flip: bool) -> None:
    there = drawn(left_half(), flip=flip)
    assert there[:, :32].all()
    assert not there[:, 32:].any()


def test_what_is_nearer_hides_it() -> None:
    assert not drawn(left_half(), near=2.0).any()
    assert drawn(left_half(), near=0.5).any()


@pytest.mark.parametrize("alpha", [70, 100, 128, 160, 190])
def test_samples_share_out_what_is_half_there(alpha: int) -> None:
    image = np.full((64, 64, 4), alpha, np.uint8)
    share = drawn(image, samples=4).mean()
    assert share == pytest.approx(np.clip((alpha - 64) / 128, 0, 1), abs=1 / 16)
    assert drawn(image).all() == (alpha >= 128)


def test_clear_texels_get_the_colours_beside_them_and_mixing_brings_in_no_other() -> None:
    image = bled(left_half(256))
    assert np.array_equal(image[..., 3], left_half(256)[..., 3])
    assert (np.abs(image[..., :3].astype(int) - [200, 100, 50]) <= 1).all()
    texels, levels = pyramid(image)
    assert (np.abs(level_of(texels, levels, 99).astype(int) - [200, 100, 50]) <= 1).all()
    assert np.array_equal(level_of(texels, levels, 0), image[..., :3])
    nothing = np.zeros((8, 8, 4), np.uint8)
    assert np.array_equal(bled(nothing), nothing)


def test_triangles_of_which_nothing_is_there_are_found() -> None:
    upper = np.zeros((64, 64, 4), np.uint8)
    upper[:20, 40:, 3] = 255
    assert seen_triangles(TRIANGLES, UV, upper).tolist() == [False, True]


def test_looking_up_is_left_out_where_it_would_find_nothing_new() -> None:
    rng = np.random.default_rng(0)
    uv = rng.uniform(0, 1, (300, 2)).astype(np.float32)
    points = np.column_stack([uv * 64, rng.uniform(1, 2, 300)]).astype(np.float32)
    corners = rng.integers(0, 300, (60, 1)) + np.zeros((1, 3), int)
    near = np.argsort(np.linalg.norm(uv[:, None] - uv[None], axis=-1), axis=1)[:, 1:3]
    corners[:, 1:] = near[corners[:, 0]]
    cutout = Cutout.of(corners.astype(np.int32), uv, left_half(256))
    assert set(cutout.kind.tolist()) == {0, 1, 2}
    slow = replace(cutout, kind=np.zeros_like(cutout.kind))
    pictures = [draw_cut(points, which, np.zeros((64, 64), np.float32), 2) for which in (cutout, slow)]
    assert np.array_equal(*pictures)


def test_only_pixels_that_are_covered_as_a_whole_are_hidden() -> None:
    over = np.full((4, 6), -1, np.int32)
    over[:2, :4] = 7
    over[2, 2] = 1
    ids = np.arange(24, dtype=np.int32).reshape(4, 6)
    left = ids.copy()
    hide_covered(left, over, 2)
    assert (left[:2, :4] == -1).all()
    assert np.array_equal(left[2:], ids[2:])
    assert np.array_equal(left[:, 4:], ids[:, 4:])
