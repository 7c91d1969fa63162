"""Joints are where the head turns, weights sum to one, and posing them does what the units do."""

from __future__ import annotations

import numpy as np
import pytest
from samples import make_head

from tronie.geometry import rotation_matrix
from tronie.head.model import Head, HeadModel, default_head
from tronie.head.skeleton import Skeleton, rig, skeleton, skinning_weights
from tronie.head.surface import Same


def posed(points: np.ndarray, bones: Skeleton, follow: np.ndarray, turns: dict[str, list[float]]) -> np.ndarray:
    """Linear blend skinning: `turns` are rotation vectors in degrees of joints in their parents."""
    world = []
    for name, parent, at in zip(bones.names, bones.parents, bones.positions, strict=True):
        local = np.eye(4)
        local[:3, :3] = rotation_matrix(np.radians(turns.get(name, [0, 0, 0])))
        local[:3, 3] = at - (bones.positions[parent] if parent >= 0 else 0)
        world.append(local if parent < 0 else world[parent] @ local)
    out = np.zeros(points.shape)
    for joint, matrix in enumerate(world):
        moved = (points - bones.positions[joint]) @ matrix[:3, :3].T + matrix[:3, 3]
        out += follow[:, joint, None] * moved
    return out


@pytest.fixture(scope="module")
def whole() -> Head:
    model = default_head()
    mesh = model.level(1)
    rng = np.random.default_rng(5)
    person = mesh.apply(model.shape(rng.normal(size=100)))
    return Head(model, 1, person, person)


def test_the_default_head_has_all_joints_in_their_places(whole: Head) -> None:
    bones = skeleton(whole)
    assert bones.names == ("neck", "head", "jaw", "eye_left", "eye_right")
    assert bones.parents == (-1, 0, 1, 1, 1)
    at = dict(zip(bones.names, bones.positions, strict=True))
    assert np.abs(at["eye_left"] - [31, 0, 0]).max() < 6
    assert np.abs(at["eye_right"] - [-31, 0, 0]).max() < 6
    assert at["neck"][1] < at["head"][1] - 60
    assert whole.neutral[:, 1].min() < at["neck"][1]
    assert -140 < at["head"][2] < -50
    assert at["jaw"][1] < -20
    assert abs(at["jaw"][0]) < 3
    follow = skinning_weights(Same(whole.model), 1)
    assert np.allclose(follow.sum(axis=1), 1, atol=1e-5)
    assert follow.min() > -1e-6
    assert np.allclose(posed(whole.neutral, bones, follow, {}), whole.neutral, atol=1e-3)


def test_eyes_turn_in_their_sockets(whole: Head) -> None:
    """As the units do, and the ball stays on itself."""
    model = whole.model
    bones, follow = skeleton(whole), skinning_weights(Same(model), 1)
    turned = posed(whole.neutral, bones, follow, {"eye_left": [0, 20, 0]})
    ball = np.unique(model.level(1).quads[model.level(1).part == 1])
    others = np.setdiff1d(np.arange(len(turned)), ball)
    assert np.allclose(turned[others], whole.neutral[others], atol=1e-3)
    center = bones.positions[bones.names.index("eye_left")]
    before, now = (np.linalg.norm(p[ball] - center, axis=1) for p in (whole.neutral, turned))
    assert np.allclose(before, now, atol=1e-3)
    unit = model.level(1).apply(model.expression[model.expression_names.index("eyeLookOutLeft")])
    turned = posed(whole.neutral, bones, follow, {"eye_left": [0, 23.3, 0]})
    assert np.abs((turned - whole.neutral - unit)[ball]).max() < 0.8


def test_the_jaw_opens_as_the_unit_does(whole: Head) -> None:
    model = whole.model
    bones, follow = rig(model).skeleton, skinning_weights(Same(model), 1)
    mean = model.level(1).apply(model.mean)
    unit = model.level(1).apply(model.expression[model.expression_names.index("jawOpen")])
    assert 15 < rig(model).jaw_degrees < 30
    opened = posed(mean, bones, follow, {"jaw": [rig(model).jaw_degrees, 0, 0]}) - mean
    left = np.linalg.norm(opened - unit, axis=1)
    assert np.sqrt((left**2).mean()) < 0.25 * np.sqrt((unit**2).sum(axis=1).mean())
    teeth = np.unique(model.level(1).quads[model.level(1).part == 4])
    assert left[teeth].max() < 1.2  # the arch keeps a little behind the lip, which no stiff jaw does


def test_the_neck_is_soft_and_the_face_is_not_in_it(whole: Head) -> None:
    model = whole.model
    follow, mesh = skinning_weights(Same(model), 1), model.level(1)
    neck = follow[:, 0]
    mean = mesh.apply(model.mean)
    assert neck[mean[:, 1] < mean[:, 1].min() + 5].min() > 0.9
    assert neck[mesh.embedding68[0].ravel()].max() < 0.05
    edges = np.abs(np.diff(neck[mesh.triangles[:, [0, 1]]], axis=1))
    assert edges.max() < 0.25


def test_other_heads_get_what_they_have(tiny_head: HeadModel) -> None:
    bones = skeleton(make_head(tiny_head))
    assert bones.names[-2:] == ("eye_left", "eye_right")
    follow = skinning_weights(Same(tiny_head), 1)
    assert np.allclose(follow.sum(axis=1), 1, atol=1e-5)
    y, x = np.mgrid[60:-80:7j, -70:70:9j]
    mean = np.stack([x, y, 40 - (x / 12) ** 2 - (y / 14) ** 2], axis=-1).reshape(-1, 3).astype(np.float32)
    i, j = (a.ravel() for a in np.mgrid[:6, :8])
    quads = np.stack([i * 9 + j, (i + 1) * 9 + j, (i + 1) * 9 + j + 1, i * 9 + j + 1], axis=1).astype(np.int32)
    marks = {
        f"{n}.{k}": (np.arange(3 * n, dtype=np.int32).reshape(n, 3) % 63, np.full((n, 3), 1 / 3))
        for n in (68, 478)
        for k in (0, 1, 2)
    }
    mask = HeadModel(
        "mask",
        "none",
        mean,
        np.zeros((1, 63, 3), np.float32),
        np.zeros((0, 63, 3), np.float32),
        quads,
        quads,
        mean[:, :2] / 200 + 0.5,
        np.zeros(48, np.uint8),
        np.arange(63, dtype=np.int32),
        np.ones(63, bool),
        np.ones((1, 63), np.float32),
        np.zeros(1),
        marks,
        expression_names=(),
    )
    person = mask.level(1).apply(mask.mean)
    assert mask.is_mask
    assert skeleton(Head(mask, 1, person, person)).names == ("head",)
