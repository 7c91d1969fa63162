"""Fixed facts of a head: the mirror is an involution of the mesh, gutters repeat the nearest border."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import gutters, part_of_vertices, surface_facts


@pytest.mark.parametrize("level", [0, 1, 2])
def test_mirror_reflects_the_mean(tiny_head: HeadModel, level: int) -> None:
    mirror = surface_facts(tiny_head, level).mirror
    mean = tiny_head.level(level).apply(tiny_head.mean)
    assert np.array_equal(mirror[mirror], np.arange(len(mean)))
    np.testing.assert_allclose(mean[mirror], mean * [-1, 1, 1], atol=1e-3)


def test_regions(tiny_head: HeadModel) -> None:
    facts = surface_facts(tiny_head, 0)
    y, z = tiny_head.mean[:, 1], tiny_head.mean[:, 2]
    skin = part_of_vertices(tiny_head, 0) == 0
    assert facts.scalp[skin & (y > 110)].min() == 1
    assert facts.scalp[tiny_head.inner_face].max() < 0.5
    assert facts.neck[skin & (y < -92) & (z < -60)].min() > 0.5
    assert facts.neck[tiny_head.inner_face].max() < 0.1
    # The sheets behind the mouth are hidden, the nose is not.
    nose = np.argmax(np.where(skin, z, -1e9))
    assert facts.openness[nose] > 0.9
    assert facts.openness[part_of_vertices(tiny_head, 0) == 6].max() < 0.3


def test_gutters_repeat_the_nearest_island_texel(tiny_head: HeadModel) -> None:
    size = 256
    target, source = gutters(tiny_head, 1, size)
    assert len(target) == len(np.unique(target)) > 100
    assert not np.isin(target, source).any()
    ty, tx = np.divmod(target, size)
    sy, sx = np.divmod(source, size)
    # Two texels at this size; the distance transform's 5 x 5 mask is a few per cent off.
    assert np.hypot(ty - sy, tx - sx).max() <= 2.3
