"""Lids as rings of vertices: lines around each eye, in both in the same order, nowhere where there are none."""

from __future__ import annotations

import numpy as np

from tronie.head.lids import RINGS, lids_of, ring_field
from tronie.head.model import HeadModel, default_head

MODEL = default_head()


def test_rings_lie_around_each_other_and_columns_go_outwards() -> None:
    both = lids_of(MODEL)
    assert both is not None
    for side, lids in enumerate(both):
        away = MODEL.mean[lids.rings] - MODEL.eye_centers[side]
        across = np.linalg.norm(away[..., :2], axis=-1)
        assert (np.diff(across[lids.root :], axis=0) > -1.0).all()
        assert len(np.unique(lids.rings)) == lids.rings.size
        edge = MODEL.mean[lids.rings[lids.root]]
        assert edge[lids.upper, 1].mean() > edge[lids.lower, 1].mean() + 4
        assert abs(edge[0, 0]) < abs(edge[lids.outer, 0]) - 20


def test_the_right_eye_mirrors_the_left_one() -> None:
    left, right = lids_of(MODEL) or (None, None)
    assert left is not None
    assert right is not None
    np.testing.assert_array_equal(MODEL.mirror[left.rings], right.rings)
    assert (left.root, left.outer) == (right.root, right.outer)


def test_fields_are_whole_numbers_on_the_rings_and_end_with_them() -> None:
    (ring, upper), (lids, _) = ring_field(MODEL, 0), lids_of(MODEL) or (None, None)
    assert lids is not None
    np.testing.assert_array_equal(ring[lids.rings[:, 3]], np.arange(len(lids.rings)))
    assert (upper[lids.rings[:, lids.lower]] == 0).all()
    assert ring[MODEL.mean[:, 1] < -40].min() == RINGS


def test_a_head_without_such_rings_has_no_lids(tiny_head: HeadModel) -> None:
    assert lids_of(tiny_head) is None
