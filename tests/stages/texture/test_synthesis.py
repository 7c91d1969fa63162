"""Strands and mottling: where hair grows, and that the patterns keep their average."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.model import HeadModel
from tronie.stages.texture.synthesis import HAIRLINE, TILE, TILE_OF, grain, hairline_distance


def side_view(z: float, y: float) -> float:
    return float(hairline_distance(np.array([[0.0, y, z]]))[0])


def test_hair_grows_on_crown_temple_and_nape_only() -> None:
    assert side_view(-80, 110) > 30
    assert side_view(-48, 5) > 0  # sideburn
    assert side_view(-120, -40) > 0
    for z, y in ((15, 30), (10, -60), (-75, -20), (-60, -90), (-130, -100)):  # brow, mouth, ear, neck, below the nape
        assert side_view(z, y) < 0


def test_the_distance_is_zero_on_the_line_and_grows_by_a_millimetre_a_millimetre() -> None:
    a, b = np.array(HAIRLINE[2], float), np.array(HAIRLINE[3], float)
    middle, along = (a + b) / 2, (b - a) / np.linalg.norm(b - a)
    across = np.array([-along[1], along[0]])
    assert abs(side_view(*middle)) < 1e-9
    for step in (-2.0, 2.0):
        assert abs(abs(side_view(*(middle + step * across))) - 2.0) < 1e-6
    assert side_view(*(middle + across)) * side_view(*(middle - across)) < 0


@pytest.mark.parametrize("size", [256, 512])
def test_patterns_are_in_range_and_keep_the_average(tiny_head: HeadModel, size: int) -> None:
    patterns = grain(tiny_head, 1, size)
    assert patterns.cover.shape == patterns.strand.shape == (size, size)
    assert patterns.mottle.shape == (TILE * size // TILE_OF,) * 2
    assert patterns.cover.max() == 255
    assert patterns.cover.min() == 0
    inside = patterns.cover > 250
    assert abs(patterns.strand[inside].mean()) < 20
    assert patterns.strand[inside].std() > 15
    assert abs(patterns.mottle.mean()) < 2


def test_cover_does_not_reach_the_face(tiny_head: HeadModel) -> None:
    patterns = grain(tiny_head, 1, 512)
    mesh = tiny_head.level(1)
    inner = mesh.matrix @ tiny_head.inner_face.astype(np.float32) > 0.99
    rows = inner[mesh.triangles].all(axis=1) & (mesh.triangle_part == 0)
    low = mesh.apply(tiny_head.mean)[mesh.triangles[rows]][:, 0, 1] < 20
    x, y = (mesh.uv[mesh.triangle_uv[rows][low][:, 0]].T * 511).astype(int)
    assert patterns.cover[y, x].mean() < 3
