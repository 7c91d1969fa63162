"""Eyeballs: those that would come through a shut lid go back, all others stay where they are."""

from __future__ import annotations

import numpy as np
from samples import make_head

from tronie.head.model import Head, HeadModel, default_head
from tronie.stages.fit.eyeballs import FURTHEST_MM, behind_lids

MODEL = default_head()


def head_with(forward: float) -> Head:
    """The mean head with its left eyeball moved out."""
    mesh = MODEL.level(1)
    vertices = mesh.apply(MODEL.mean)
    vertices[np.unique(mesh.triangles[mesh.triangle_part == 1]), 2] += forward
    return Head(MODEL, 1, vertices, vertices)


def test_the_mean_heads_eyes_stay() -> None:
    head = head_with(0.0)
    assert behind_lids(head) is head


def test_an_eye_that_is_too_far_out_goes_back_alone() -> None:
    head = head_with(2.4)
    moved = behind_lids(head)
    off = moved.neutral - head.neutral
    mesh = MODEL.level(1)
    eye = np.unique(mesh.triangles[mesh.triangle_part == 1])
    assert (off[eye, 2] < -0.2).all()
    assert (off[eye, 2] >= -FURTHEST_MM - 1e-5).all()
    off[eye] = 0
    assert not off.any()
    np.testing.assert_allclose(moved.vertices, moved.neutral)


def test_a_head_without_lids_stays(tiny_head: HeadModel) -> None:
    head = make_head(tiny_head)
    assert behind_lids(head) is head
