"""Where the landmarks lie is found again from where they are seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tronie.geometry import rotation_from_euler, rotation_matrix
from tronie.head.model import default_head
from tronie.pipelines.calibration.landmark_embedding import (
    ObservedHead,
    at_all_levels,
    carried,
    mirror_indices,
    triangulated,
    view_camera,
    view_pose,
)
from tronie.pipelines.calibration.registration import in_our_texture, moved, rigid_motion


@pytest.mark.slow
def test_points_are_found_where_they_were_seen() -> None:
    model = default_head()
    level = model.level(1)
    rng = np.random.default_rng(0)
    seen = []
    for yaw in (-35, -15, 0, 15, 35):
        v = level.apply(model.shape(rng.normal(size=100) * 0.5))
        pose = view_pose(rotation_from_euler(yaw, rng.uniform(-10, 10), 0))
        points = view_camera().project(level.points478(v) @ pose[:3, :3].T + pose[:3, 3])
        seen.append(ObservedHead(v, pose, points + rng.normal(0, 0.2, points.shape)))
    index, weight = triangulated(level.triangles, level.triangle_part, seen)
    mean = level.apply(model.mean)
    found = np.einsum("nck,nc->nk", mean[index], weight)
    assert np.median(np.linalg.norm(found - level.points478(mean), axis=1)) < 0.6


@pytest.mark.slow
def test_embeddings_of_all_levels_agree() -> None:
    model = default_head()
    points = model.level(1).points478(model.level(1).apply(model.mean)).astype(float)
    again = at_all_levels(replace(model, embeddings={}), points)
    for k in again.levels:
        level = again.level(k)
        off = np.linalg.norm(level.points478(level.apply(model.mean)) - points, axis=1)
        assert np.median(off) < 0.3
    assert np.array_equal(mirror_indices(points)[mirror_indices(points)], np.arange(478))


def test_a_head_that_was_moved_is_moved_back() -> None:
    ours = default_head()
    turn, shift = rotation_matrix([0.06, -0.03, 0.02]), np.array([1.0, -2.0, 3.0])
    away = replace(
        ours,
        mean=(ours.mean @ turn.T + shift).astype(np.float32),
        identity=ours.identity @ turn.T.astype(np.float32),
        expression=ours.expression @ turn.T.astype(np.float32),
    )
    back = moved(away, ours)
    assert np.linalg.norm(back.mean - ours.mean, axis=1).max() < 0.3
    found, _ = rigid_motion(away, ours)
    assert np.allclose(found @ turn, np.eye(3), atol=2e-3)
    assert np.abs(back.expression - ours.expression).max() < 0.1


def test_our_own_texture_lies_on_our_own_head_where_it_was() -> None:
    ours = default_head()
    placed = in_our_texture(carried(ours, ours), ours)
    uv = np.zeros((len(ours.mean), 2), np.float32)
    uv[ours.quads] = ours.uv[ours.quad_uv]
    off = np.linalg.norm(placed.uv - uv, axis=1)[ours.vertices_of("skin")]
    assert np.quantile(off, 0.95) < 0.01  # but for the seams, where a vertex has two places
