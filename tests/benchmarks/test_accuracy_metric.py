"""Laws of the benchmark's metric: what is the same has no distance, what is moved measures the same, ..."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from benchmarks.accuracy.metric import Similarity3, Surface, compare, distances, umeyama
from benchmarks.accuracy.spread import auc, within_between

IDENTITY = Similarity3(1.0, np.eye(3), np.zeros(3))


def bumpy_face(n=61, seed=0, bump=4.0):
    """A curved sheet of about a face's size (mm): vertices, triangles, and nine landmarks' rows."""
    x, y = np.meshgrid(np.linspace(-60, 60, n), np.linspace(-70, 70, n))
    rng = np.random.default_rng(seed)
    z = 45 - (x**2 + 0.8 * y**2) / 110 + 22 * np.exp(-((x**2 + y**2) / 260))
    for _ in range(8):
        cx, cy, h = rng.uniform(-45, 45), rng.uniform(-50, 50), rng.normal() * bump
        z = z + h * np.exp(-((x - cx) ** 2 + (y - cy) ** 2) / 300)
    v = np.column_stack([x.ravel(), y.ravel(), z.ravel()])
    i = np.arange(n * n).reshape(n, n)
    a, b, c, d = i[:-1, :-1].ravel(), i[:-1, 1:].ravel(), i[1:, 1:].ravel(), i[1:, :-1].ravel()
    triangles = np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])
    at = np.array([8, n // 2, n - 9])
    return v, triangles, i[np.ix_(at, at)].ravel()


def inside(v):
    return (np.abs(v[:, 0]) < 45) & (np.abs(v[:, 1]) < 55)


def sphere(radius, steps=60):
    u, w = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * steps, endpoint=False), np.linspace(0.05, np.pi - 0.05, steps))
    v = radius * np.column_stack([(np.cos(u) * np.sin(w)).ravel(), (np.sin(u) * np.sin(w)).ravel(), np.cos(w).ravel()])
    i = np.arange(2 * steps * steps).reshape(steps, 2 * steps)
    right = np.roll(i, -1, axis=1)
    a, b, c, d = i[:-1].ravel(), i[1:].ravel(), right[1:].ravel(), right[:-1].ravel()
    return v, np.concatenate([np.column_stack([a, b, c]), np.column_stack([a, c, d])])


def brute_force(points, corners, steps=60):
    """Distances by sampling every triangle densely."""
    u, v = np.meshgrid(np.linspace(0, 1, steps), np.linspace(0, 1, steps))
    keep = u + v <= 1 + 1e-12
    w = np.column_stack([1 - u[keep] - v[keep], u[keep], v[keep]])
    samples = np.einsum("sc,tck->tsk", w, corners).reshape(-1, 3)
    return np.linalg.norm(points[:, None] - samples[None], axis=2).min(axis=1)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_closest_point_is_that_of_dense_sampling(seed):
    rng = np.random.default_rng(seed)
    corners = rng.normal(size=(3, 3, 3)) * rng.uniform(0.1, 3, (3, 1, 1))
    points = rng.normal(size=(20, 3)) * 2
    surface = Surface.of(corners.reshape(-1, 3), np.arange(9).reshape(3, 3))
    spot, triangle, distance = surface.closest(points)
    sampled = brute_force(points, corners)
    assert (distance <= sampled + 1e-9).all()
    np.testing.assert_allclose(distance, sampled, atol=0.15)
    np.testing.assert_allclose(np.linalg.norm(spot - points, axis=1), distance)
    # the spot lies in its triangle: its weights are a partition of one
    for s, t in zip(spot, triangle, strict=True):
        weights = np.linalg.lstsq(np.vstack([corners[t].T, np.ones(3)]), np.append(s, 1), rcond=None)[0]
        assert weights.min() > -1e-6
        np.testing.assert_allclose(weights @ corners[t], s, atol=1e-6)


def test_a_triangle_without_area_is_a_line():
    surface = Surface.of(np.array([[0, 0, 0], [1, 0, 0], [2, 0, 0.0]]), np.array([[0, 1, 2]]))
    _, _, distance = surface.closest(np.array([[1.5, 1, 0], [3, 0, 0], [-1.0, 0, 0]]))
    np.testing.assert_allclose(distance, [1, 1, 1])


def test_the_same_head_has_no_error():
    v, triangles, marks = bumpy_face()
    result = compare(v[inside(v)], Surface.of(v, triangles), landmarks=v[marks], true_landmarks=v[marks])
    assert result.mean < 1e-6
    assert result.motion.scale == pytest.approx(1, abs=1e-6)


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10_000), st.floats(0.2, 5.0))
def test_error_does_not_depend_on_where_the_prediction_stands_nor_on_its_size(seed, size):
    true, triangles, marks = bumpy_face(seed=1)
    said, _, _ = bumpy_face(seed=2)
    here = compare(true[inside(true)], Surface.of(said, triangles), landmarks=said[marks], true_landmarks=true[marks])
    rng = np.random.default_rng(seed)
    turn = Rotation.random(random_state=seed).as_matrix()
    there = size * said @ turn.T + rng.normal(size=3) * 300
    again = compare(
        true[inside(true)], Surface.of(there, triangles), landmarks=there[marks], true_landmarks=true[marks]
    )
    assert here.mean > 0.3
    assert again.mean == pytest.approx(here.mean, abs=1e-3)
    assert again.motion.scale * size == pytest.approx(here.motion.scale, rel=1e-3)


def test_a_motion_is_recovered_from_poor_landmarks():
    v, triangles, marks = bumpy_face(seed=3)
    turn = Rotation.from_euler("xyz", [20, -30, 10], degrees=True).as_matrix()
    moved = 0.9 * v @ turn.T + [5, 6, 700]
    poor = v[marks] + np.random.default_rng(0).normal(size=(9, 3)) * 2.5
    result = compare(v[inside(v)], Surface.of(moved, triangles), landmarks=moved[marks], true_landmarks=poor)
    assert result.mean < 0.02
    np.testing.assert_allclose(result.motion.rotation, turn.T, atol=2e-3)


def test_a_surface_further_out_is_as_far_as_it_is():
    true, triangles = sphere(80.0)
    said, _ = sphere(82.0)
    gap = distances(true, Surface.of(said, triangles), IDENTITY)
    np.testing.assert_allclose(gap, 2, atol=0.12)  # flat triangles lie inside the sphere
    some = slice(0, None, 97)
    rigid = compare(true, Surface.of(said, triangles), landmarks=said[some], true_landmarks=true[some], scale=False)
    assert rigid.mean == pytest.approx(2, abs=0.1)
    scaled = compare(true, Surface.of(said, triangles), landmarks=said[some], true_landmarks=true[some])
    assert scaled.mean < 0.06
    assert scaled.motion.scale == pytest.approx(80 / 82, rel=1e-3)


def test_a_bump_costs_what_it_moves():
    """A dent of known mean depth in a small place: alignment cannot hide it, and hides nothing else."""
    v, triangles, marks = bumpy_face(n=81)
    dent = np.exp(-((v[:, 0] - 20) ** 2 + (v[:, 1] + 15) ** 2) / 60)
    said = v.copy()
    said[:, 2] -= 3 * dent
    keep = inside(v)
    rows = np.linalg.norm(said - v, axis=1)[keep]
    result = compare(v[keep], Surface.of(said, triangles), landmarks=said[marks], true_landmarks=v[marks])
    assert 0.5 * rows.mean() < result.mean < 1.3 * rows.mean()


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_umeyama_recovers_a_similarity(seed):
    rng = np.random.default_rng(seed)
    p = rng.normal(size=(12, 3))
    turn, shift, size = Rotation.random(random_state=seed).as_matrix(), rng.normal(size=3), rng.uniform(0.1, 9)
    found = umeyama(p, size * p @ turn.T + shift)
    np.testing.assert_allclose(found.rotation, turn, atol=1e-8)
    assert found.scale == pytest.approx(size)
    np.testing.assert_allclose(found.undo(found.apply(p)), p, atol=1e-9)
    assert umeyama(p, size * p @ turn.T + shift, scale=False).scale == 1


def test_spread_within_and_between():
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(200), 5)
    values = rng.normal(size=(200, 30))[person] + 0.3 * rng.normal(size=(1000, 30))
    assert within_between(values, person) == pytest.approx(0.3, abs=0.02)
    assert np.isnan(within_between(values[::5], person[::5]))  # one photo each says nothing
    assert np.isnan(within_between(np.zeros((1000, 2)), person))


def test_auc_is_how_often_ones_own_are_nearer():
    group = np.array([0, 0, 1, 1])
    line = np.array([[0.0], [1.0], [10.0], [11.0]])
    assert auc(line, group) == 1
    assert auc(line[[0, 2, 1, 3]], group) == pytest.approx(0.25)  # 10 apart; others 1, 1, 9, 11
    assert np.isnan(auc(line, np.arange(4)))
    assert np.isnan(auc(np.zeros((4, 1)), group))
    rng = np.random.default_rng(1)
    values, person = rng.normal(size=(40, 3)), np.repeat(np.arange(10), 4)
    apart = np.linalg.norm(values[:, None] - values[None], axis=2)
    pairs = [(i, j) for i in range(40) for j in range(i)]
    near = [apart[p] for p in pairs if person[p[0]] == person[p[1]]]
    far = [apart[p] for p in pairs if person[p[0]] != person[p[1]]]
    assert auc(values, person) == pytest.approx(np.mean([n < f for n in near for f in far]), abs=1e-9)
