"""Lips closed at rest in everybody, the dental arches right behind them: first step of `resolve_intersections.py`.

The arches come forward, their gums are slimmed, the lips' inner edges brought together, in the mean head and in every
component; then arches and tongue follow the lips.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from training.head.intersections import control_rings, control_seam
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel
from tronie.head.subdivide import triangulate

FORWARD = 4.0
"""mm by which the front teeth come forward; the last molars stay."""


def affine(source: np.ndarray, values: np.ndarray) -> np.ndarray:
    """(4, k) least-squares affine map from points (n, 3) to values (n, k)."""
    return np.asarray(np.linalg.lstsq(np.c_[source, np.ones(len(source))], values, rcond=None)[0])


def teeth_forward(model: HeadModel, forward: float = FORWARD) -> HeadModel:
    """Both arches stretched along z. They move as affine functions of place, so their motions stay exact."""
    mean = model.mean.astype(float)
    identity, expression = model.identity.copy(), model.expression.copy()
    for name in ("teeth_upper", "teeth_lower"):
        rows = model.vertices_of(name)
        old = mean[rows]
        back, front = old[:, 2].min(), old[:, 2].max()
        share = (old[:, 2] - back) / (front - back)
        new = old + np.outer(forward * share, [0.0, 0.0, 1.0])
        for basis in (identity, expression):
            for field in basis:
                if np.abs(field[rows]).max() > 1e-4:
                    field[rows] += (np.c_[new - old, np.zeros(len(old))] @ affine(old, field[rows])).astype(np.float32)
        mean[rows] = new
    return replace(model, mean=mean.astype(np.float32), identity=identity, expression=expression)


CROWN, GUM_ROWS = 33, 8
"""Control vertices of a crown, and of each column of the gum (see `teeth.py`); an arch has 14 crowns."""
FLANGE = {0: (2.5, -2.2), 1: (1.5, -1.0), 2: (0.0, -0.4)}
"""By row of the gum, from its root: mm towards the biting edge and outwards. Never seen, it stood in the lips."""


def slim_gums(model: HeadModel) -> HeadModel:
    """The gums' outer flanges thinner and shorter, in the mean head; they move as before."""
    mean = model.mean.astype(float)
    for name, down in (("teeth_upper", -1.0), ("teeth_lower", 1.0)):
        rows = model.vertices_of(name)[14 * CROWN :].reshape(-1, GUM_ROWS)
        out = (mean[rows[:, 3]] - mean[rows[:, 6]]) * [1.0, 0.0, 1.0]
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        for row, (rise, outwards) in FLANGE.items():
            mean[rows[:, row]] += outwards * out + [0.0, down * rise, 0.0]
    return replace(model, mean=mean.astype(np.float32))


def lip_pairs(model: HeadModel) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vertices of the upper lip's edge (n,), two of the lower's (n, 2) that it meets, and the second's weight (n,)."""
    triangles, owner = triangulate(model.quads)
    part = model.part[owner]
    seam = np.intersect1d(np.unique(triangles[part == 0]), np.unique(triangles[part == PARTS.index("mouth")]))
    v = model.mean.astype(float)
    seam = seam[v[seam, 1] < -25]
    drop = model.expression[ARKIT_UNITS.index("jawOpen"), seam, 1]
    far = np.abs(v[seam, 0]).max()
    corner = drop[np.abs(v[seam, 0]) > far - 0.5].mean()
    lower = drop < np.interp(np.abs(v[seam, 0]), [0, far], [drop.min() / 2, corner])
    up, low = seam[~lower], seam[lower]
    low = low[np.argsort(v[low, 0])]
    at = np.interp(v[up, 0], v[low, 0], np.arange(len(low)))
    first = np.clip(np.floor(at).astype(int), 0, len(low) - 2)
    return up, np.stack([low[first], low[first + 1]], axis=1), at - first


EDGE_SKIN, EDGE_LINING = (1.0, 0.1), (1.0, 0.7, 0.3)
"""By ring of control vertices around the lips' inner edges, how much of their way to each other the others follow."""
LAP = 0.3
"""mm by which the edges pass each other."""


def slit_shut(model: HeadModel) -> tuple[HeadModel, float]:
    """The lips' inner edges brought together in the mean head, and how far apart they were, mm.

    The lips touch further outside, but not quite: behind a hair's breadth the edges stood 2 mm apart, and teeth shone
    through.
    """
    up, low, share = lip_pairs(model)
    v = model.mean.astype(float)
    order = np.argsort(v[up, 0])
    up, low, share = up[order], low[order], share[order]
    apart = v[up, 1] - (1 - share) * v[low[:, 0], 1] - share * v[low[:, 1], 1]
    width = np.abs(v[up, 0]).max()
    way = np.maximum(apart + LAP, 0) / 2 * np.clip((width - 1 - np.abs(v[up, 0])) / 4, 0, 1)
    mean = v.copy()
    seam = np.union1d(up, low)
    for part, follow in (("skin", EDGE_SKIN), ("mouth", EDGE_LINING)):
        for rows, sign in ((up, -1.0), (np.setdiff1d(seam, up), 1.0)):
            ring = control_rings(model, part, rows, len(follow))
            # At the corners the rings of one lip reach the other's.
            near = (ring < len(follow)) & ~np.isin(np.arange(len(v)), np.setdiff1d(seam, rows))
            if part == "mouth":
                near[seam] = False  # moved with the skin
            moved = np.flatnonzero(near)
            mean[moved, 1] += sign * np.array(follow)[ring[moved]] * np.interp(v[moved, 0], v[up, 0], way)
    return replace(model, mean=mean.astype(np.float32)), float(np.median(apart))


LIP_FADE = 5.0
"""mm above and below the slit over which its closing dies out."""


def lips_meet(model: HeadModel) -> tuple[HeadModel, float]:
    """Components that leave the lips closed, and the standard deviation mm that they parted them by."""
    up, low, share = lip_pairs(model)
    v = model.mean.astype(float)
    order = np.argsort(v[up, 0])
    up, low, share = up[order], low[order], share[order]
    parted = (
        model.identity[:, up, 1]
        - (1 - share) * model.identity[:, low[:, 0], 1]
        - share * model.identity[:, low[:, 1], 1]
    )
    skin = np.union1d(model.vertices_of("skin"), model.vertices_of("mouth"))
    p = v[skin]
    line = np.interp(p[:, 0], v[up, 0], v[up, 1])
    depth = v[up, 2].min()
    reach = np.exp(-(((p[:, 1] - line) / LIP_FADE) ** 2)) * np.clip((p[:, 2] - depth + 10) / 8, 0, 1)
    width = np.abs(v[up, 0]).max()
    reach *= np.clip((width + 1.5 - np.abs(p[:, 0])) / 2.5, 0, 1)
    edge = np.isin(skin, low)
    edge_up = np.isin(skin, up)
    drop = model.expression[ARKIT_UNITS.index("jawOpen"), skin, 1]
    limit = np.interp(
        np.abs(p[:, 0]), [0, width], [model.expression[ARKIT_UNITS.index("jawOpen"), low[:, 0], 1].min() / 2, -2.0]
    )
    side = np.where((drop < limit) | edge, 1.0, -1.0)
    side[edge_up] = -1.0
    amount = np.array([np.interp(p[:, 0], v[up, 0], row) for row in parted]) / 2
    identity = model.identity.copy()
    identity[:, skin, 1] += (amount * side * reach).astype(np.float32)
    return replace(model, identity=identity), float(np.sqrt((parted**2).sum(axis=0)).mean())


BESIDE = 0.3
"""Weight of the molars' own motion in a component against that of the lips, which the arches follow."""
LINING_SHARE = (0.0, 0.5, 0.9, 1.0, 1.0, 0.9, 0.6, 0.3)
"""By ring of control vertices behind the lips' edge, how much of its motion against the arches the lining gives up."""


def arches_follow(model: HeadModel) -> tuple[HeadModel, float, float]:
    """Both arches and the tongue move with the lips, in each component by one affine map, so that the bite stays.

    Also the standard deviation, mm, of the lining's motion along the arches' outward direction against the arches',
    before and after.
    """
    v = model.mean.astype(float)
    seam = control_seam(model)
    seam = seam[v[seam, 1] < -25]
    lips = np.flatnonzero(control_rings(model, "mouth", seam, 5) < 5)
    teeth = np.concatenate([model.vertices_of(n) for n in ("teeth_upper", "teeth_lower")])
    molars = teeth[v[teeth, 2] < v[teeth, 2].min() + 14]
    inside = np.concatenate([teeth, model.vertices_of("tongue")])
    middle = v[lips].mean(axis=0)

    def basis(rows: np.ndarray) -> np.ndarray:
        return np.c_[np.ones(len(rows)), (v[rows] - middle) / 20]

    weight = np.append(np.ones(len(lips)), np.full(len(molars), BESIDE))[:, None]
    solve = np.linalg.pinv(basis(np.append(lips, molars)) * weight)
    identity = model.identity.astype(float)
    out = (v[lips] - [0, 0, v[teeth, 2].min()]) * [1, 0, 1]
    out /= np.linalg.norm(out, axis=1, keepdims=True)
    before, after = np.zeros(len(lips)), np.zeros(len(lips))
    # What an affine map cannot follow, the lining does, behind the lips' edge.
    deep = control_rings(model, "mouth", seam, len(LINING_SHARE))
    lining = np.flatnonzero(deep < len(LINING_SHARE))
    yields = np.array(LINING_SHARE)[deep[lining]]
    away = (v[lining] - [0, 0, v[teeth, 2].min()]) * [1, 0, 1]
    away /= np.linalg.norm(away, axis=1, keepdims=True)
    for mode in identity:
        old = basis(lips) @ np.linalg.lstsq(basis(teeth), mode[teeth], rcond=None)[0]
        map_ = solve @ (mode[np.append(lips, molars)] * weight)
        mode[inside] = basis(inside) @ map_
        before += ((mode[lips] - old) * out).sum(axis=1) ** 2
        rest = ((mode[lining] - basis(lining) @ map_) * away).sum(axis=1)
        mode[lining] -= (yields * rest)[:, None] * away
        after += ((mode[lips] - basis(lips) @ map_) * out).sum(axis=1) ** 2
    found = replace(model, identity=identity.astype(np.float32))
    return found, float(np.sqrt(before).mean()), float(np.sqrt(after).mean())
