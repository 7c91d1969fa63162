"""Lids that lie on the eyeballs: at rest, in every unit, and for every person.

Everything is solved for a left eye; the right one is handled as the left one of the mirrored head. Corrections are
smooth fields along the rays from the eyeball's centre, zero a few rings away from the lids.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import factorized

from training.head.anatomy import Parts
from training.head.eyes import Eyeball, LidRings, gaze_axis, lid_rings, neighbours, surface_distance
from training.head.mpfb import Body
from training.head.scipy_sparse import csr
from training.head.skin_mesh import Skin
from training.head.surface_patch import FLIP
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.subdivide import catmull_clark

REACH = 6
"""Rings of skin around the opening that may move."""
MARGIN = (0.08, 0.40)
"""mm, least and greatest distance of the lids' rear edge from the eyeball."""
THICKNESS = 0.45
"""mm, least distance of the lids' outside from the eyeball where it is as thick at rest."""
TUCK = -0.6
"""mm, the fold behind the lids' rear edge stays at least this far inside."""
STIFFNESS = 0.5
"""Weight of the correction's smoothness against the distances."""


@dataclass(frozen=True)
class LidSystem:
    rings: LidRings
    region: np.ndarray
    """(n,) skin vertices that may move."""
    laplacian: sp.csr_array
    """(n, n) graph Laplacian with the surroundings held at zero."""
    step: sp.csr_array
    """One subdivision step of the skin, (N, S)."""
    outside: np.ndarray
    """Rows of `step` on the lids' outside."""
    mirror: np.ndarray
    """(S,)."""


def lid_system(body: Body, skin: Skin) -> LidSystem:
    rings = lid_rings(body, skin, REACH)
    count = len(skin.source)
    adjacent = neighbours(skin.quads, count)
    bag, seen = rings.tuck, {*rings.tuck, *rings.margin}
    inner = []
    for _ in range(2):
        bag = np.unique([n for v in bag for n in adjacent[v] if n not in seen])
        seen |= set(bag)
        inner.append(bag)
    region = np.unique(np.concatenate([rings.tuck, rings.margin, *rings.outer, *inner]))
    place = {v: i for i, v in enumerate(region)}
    rows, cols, vals = [], [], []
    for v, i in place.items():
        near = adjacent[v]
        rows += [i] + [i] * sum(n in place for n in near)
        cols += [i] + [place[n] for n in near if n in place]
        vals += [1.0] + [-1 / len(near)] * sum(n in place for n in near)
    n = len(region)
    step, _ = catmull_clark(skin.quads.astype(np.int32), count)
    outer = np.unique(np.concatenate(rings.outer[:-1]))
    # A subdivided point belongs to the outside when most of its weight does.
    mask = np.zeros(count)
    mask[outer] = 1
    outside = np.flatnonzero(step @ mask > 0.7)
    where = np.full(len(body.vertices), -1)
    where[skin.source] = np.arange(count)
    laplacian = sp.csr_array(sp.coo_array((vals, (rows, cols)), shape=(n, n)))
    return LidSystem(rings, region, laplacian, csr(step), outside, where[body.mirror[skin.source]])


def _left(system: LidSystem, v: np.ndarray, eye: Eyeball, axis: np.ndarray, thick: np.ndarray) -> np.ndarray:
    """(S, 3) displacement that seats the left lids of skin `v` on the eyeball. `thick` (N,): wanted distances."""
    rings, region = system.rings, system.region
    ray = v[region] - eye.centre
    ray /= np.linalg.norm(ray, axis=1, keepdims=True)
    place = np.full(len(v), -1)
    place[region] = np.arange(len(region))
    smooth = STIFFNESS * (system.laplacian.T @ system.laplacian) + 1e-3 * sp.eye_array(len(region))
    moved, amount = v.copy(), np.zeros(len(region))
    local = system.step[system.outside][:, region]
    held: np.ndarray = np.zeros(len(system.outside), dtype=bool)  # once pushed, a point keeps being asked for
    asked = np.zeros(len(system.outside))
    for _ in range(8):
        margin = surface_distance(moved[rings.margin], eye, axis)
        want = np.clip(margin, *MARGIN) - margin + amount[place[rings.margin]]
        tuck = surface_distance(moved[rings.tuck], eye, axis)
        sink = np.minimum(tuck, TUCK) - tuck + amount[place[rings.tuck]]
        fine = surface_distance((system.step[system.outside] @ moved), eye, axis)
        lack = thick - fine
        held |= lack > 0
        asked = np.where(held, asked + np.clip(lack, -0.2, None) * (held), 0)
        asked = np.maximum(asked, 0)
        w = sp.diags_array(held.astype(float))
        pick = _selector(place[rings.margin], len(region))
        fold = _selector(place[rings.tuck], len(region))
        system_matrix = smooth + 4 * pick.T @ pick + 0.3 * fold.T @ fold + local.T @ w @ local
        right = 4 * pick.T @ want + 0.3 * fold.T @ sink + local.T @ (w @ asked)
        amount = factorized(sp.csc_array(system_matrix))(right)
        moved = v.copy()
        moved[region] += amount[:, None] * ray
    return moved - v


def _selector(rows: np.ndarray, count: int) -> sp.csr_array:
    return sp.csr_array((np.ones(len(rows)), (np.arange(len(rows)), rows)), shape=(len(rows), count))


def _both(
    system: LidSystem, v: np.ndarray, parts: Parts, turns: dict[str, np.ndarray], thick: np.ndarray
) -> np.ndarray:
    """Both sides. `turns`: the eyes' rotations by side."""
    forward = np.array([0.0, 0.0, 1.0])
    left = _left(system, v, parts.eyes[0], turns["Left"] @ forward, thick)
    turned = (turns["Right"] @ forward) * FLIP
    other = _left(system, v[system.mirror] * FLIP, parts.eyes[1].reflected(), turned, thick)
    return left + other[system.mirror] * FLIP


STILL = {"Left": np.eye(3), "Right": np.eye(3)}


def settle(body: Body, skin: Skin, parts: Parts, system: LidSystem | None = None) -> np.ndarray:
    """(S, 3) mm to add to the skin at rest so that the lids lie on the eyeballs without gap or overlap."""
    system = system or lid_system(body, skin)
    v = body.vertices[skin.source]
    rest = surface_distance(system.step[system.outside] @ v, parts.eyes[0])
    return _both(system, v, parts, STILL, np.clip(rest, 0.2, THICKNESS))


def lid_correctives(
    body: Body, skin: Skin, parts: Parts, rest: np.ndarray | None = None, system: LidSystem | None = None
) -> np.ndarray:
    """(52, S, 3) mm to add to the skin's units so that the lids stay on the eyeballs in each unit at full weight.

    `rest` is what `settle` gave (computed when missing); it must be part of the head's rest shape.
    """
    system = system or lid_system(body, skin)
    rest = settle(body, skin, parts, system) if rest is None else rest
    v = body.vertices[skin.source] + rest
    base = surface_distance(system.step[system.outside] @ v, parts.eyes[0])
    thick = np.clip(base, 0.1, THICKNESS)
    near = np.concatenate([system.region, system.mirror[system.region]])
    idle = _both(system, v, parts, STILL, thick)  # what the solver would still like to do at rest
    out = np.zeros((len(ARKIT_UNITS), len(skin.source), 3))
    for i, unit in enumerate(ARKIT_UNITS):
        d = body.target(body.units / f"{unit}.target")[skin.source]
        meet = np.zeros_like(d)
        if unit == "eyeBlinkLeft":
            meet = meeting(system, v, d)
        elif unit == "eyeBlinkRight":
            meet = meeting(system, v[system.mirror] * FLIP, d[system.mirror] * FLIP)
            meet = meet[system.mirror] * FLIP
        turns = {side: gaze_axis(unit, side) for side in ("Left", "Right")}
        if np.abs(d[near]).max() < 0.02 and all(np.allclose(t, np.eye(3)) for t in turns.values()):
            continue
        out[i] = meet + _both(system, v + d + meet, parts, turns, thick) - idle
    return out


LAP = 0.6
"""mm by which the closed upper lid's rear edge passes the lower one's."""


def meeting(system: LidSystem, v: np.ndarray, d: np.ndarray) -> np.ndarray:
    """(S, 3) to add to the left blink `d` so that the upper lid stops at the lower one.

    The unit was drawn for a wider opening; on the mean adult its upper lid runs some 3 mm over the lower.
    """
    margin = system.rings.margin
    upper = margin[d[margin, 1] < -1.0]
    lower = margin[d[margin, 1] > -1.0]
    lower = lower[np.argsort(v[lower, 0])]
    goal = np.interp(v[upper, 0], v[lower, 0], (v + d)[lower, 1]) - LAP
    factor = np.clip((goal - v[upper, 1]) / d[upper, 1], 0.3, 1.15)
    order = np.argsort(v[upper, 0])
    k = np.arange(len(order))
    # Near the corners, where little moves, the factor of the lid's main part decides.
    near = np.exp(-(((k[:, None] - k) / 1.8) ** 2)) * d[upper[order], 1] ** 2
    x = v[upper[order], 0]
    share = np.interp(v[:, 0], x, near @ factor[order] / near.sum(axis=1))
    share *= 1 - 0.3 * np.clip((v[:, 0] - x[-1] + 2.5) / 2.5, 0, 1)  # else the outer corner sags
    above = np.clip((-d[:, 1] - 0.2) / 0.8, 0, 1)  # the lower lid keeps its small motion
    return (above * (share - 1))[:, None] * d


HOLD = np.array([4.0, 4.0, 0.7, 2.0])
"""How firmly an eye goes sideways and up with the opening of its lids, forward with the skin around it, and keeps its
size, against the fit to the lids' rear edge. The latter alone lets eyes look out from under the upper lid."""


def seat(parts: Parts, body: Body, skin: Skin, displacement: np.ndarray, system: LidSystem | None = None) -> np.ndarray:
    """Identity displacements (..., S + P, 3) of skin and parts -> the same with eyes and lids matched; linear.

    Each eyeball is moved and scaled (it stays a sphere) to meet its lids' rear edge as well as possible, held in the
    middle of their opening (`HOLD`); then the lids take up the rest, so that their distance to the eyeball stays the
    same.
    """
    system = system or lid_system(body, skin)
    count = len(skin.source)
    out = np.array(displacement, dtype=float)
    flat = out.reshape(-1, *out.shape[-2:])
    v = body.vertices[skin.source]
    place = np.full(count, -1)
    place[system.region] = np.arange(len(system.region))
    pins = np.concatenate([system.rings.margin, system.rings.tuck])
    pick = _selector(place[pins], len(system.region))
    normal = STIFFNESS * (system.laplacian.T @ system.laplacian) + 1e-3 * sp.eye_array(len(system.region))
    spread = factorized(sp.csc_array(normal + 4 * pick.T @ pick))
    for side, name in ((0, "eye_left"), (1, "eye_right")):
        eye, rows = parts.eyes[side], parts.rows(name) + count
        back = np.arange(count) if side == 0 else system.mirror
        margin, region, pin = back[system.rings.margin], back[system.region], back[pins]
        ray = v - eye.centre
        ray /= np.linalg.norm(ray, axis=1, keepdims=True)
        basis = np.vstack([np.c_[ray[margin], np.ones(len(margin))], np.diag(HOLD)])
        solve = np.linalg.pinv(basis)
        local = (parts.vertices[rows - count] - eye.centre) / eye.radius
        for d in flat:
            opening = d[margin].mean(axis=0)
            carried = np.array([opening[0], opening[1], d[rows, 2].mean(), 0.0])
            x = solve @ np.concatenate([(ray[margin] * d[margin]).sum(axis=1), HOLD * carried])
            d[rows] = x[:3] + x[3] * local
            lack = ray[pin] @ x[:3] + x[3] - (ray[pin] * d[pin]).sum(axis=1)
            d[region] += spread(4 * (pick.T @ lack))[:, None] * ray[region]
    return out
