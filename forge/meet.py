"""Eyes and lids, teeth and lips of a finished head made to meet: in every unit, in common pairs, for many people.

    python forge/meet.py head.npz --out head.npz

What `lids.py` and `lips.py` do for the mean head at rest and in each unit, is not enough for others: eyes of another
size, lids that slide along a sphere while units are straight, two units at once. Here a head that is written already
is patched, so that its calibration stays valid: the skin that is seen at rest hardly moves.

1. The arches come forward to right behind the lips, whose lining makes room (it is not seen).
2. Lips meet at rest in every person: what a component parts them by is taken out of it.
3. Smooth fields on skin and lining, for rest and for every unit, move what cuts into an eyeball or a tooth out of it,
   and the folds behind the lids into the eyeball. They are asked for by the worst of a number of people and pairs.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import scipy.sparse as sp
from check_anatomy import PAIRS, people, rings, signed_distance, zones
from eyes import Eyeball, gaze_axis, surface_distance
from matrices import csr
from patch import FLIP
from scipy.sparse.linalg import factorized
from scipy.spatial import cKDTree

from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel, sphere_center
from tronie.head.subdivide import triangulate

FORWARD = 4.0
"""mm by which the front teeth come forward; the last molars stay."""
PASSES = ((24, 1000), (72, 2000), (72, 3000))
"""Numbers of people who ask, one pass after the other, and their seeds; others than those of `check_anatomy.py`."""
ROUNDS = 6


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
    parted = model.identity[:, up, 1] - (1 - share) * model.identity[:, low[:, 0], 1] - share * model.identity[
        :, low[:, 1], 1]  # fmt: skip
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


@dataclass(frozen=True)
class Field:
    """Smooth displacements of some control vertices, asked for at points of level 1."""

    rows: np.ndarray
    """(n,) control vertices that may move."""
    points: sp.csr_array
    """(N, n): their displacement -> that of the points."""
    smooth: sp.csr_array
    """(n, n) price of a field."""

    def solve(self, asked: np.ndarray, weight: np.ndarray, price: float = 1.0) -> np.ndarray:
        """(n, 3) for displacements asked (N, 3) of the points with a weight (N,)."""
        held = sp.diags_array(weight)
        system = sp.csc_array(price * self.smooth + self.points.T @ held @ self.points)
        solve = factorized(system)
        right = self.points.T @ (held @ asked)
        return np.stack([solve(np.ascontiguousarray(right[:, k])) for k in range(3)], axis=1)


def averages(points: np.ndarray, count: int) -> sp.csr_array:
    """(N, count): the mean of three vertices each, of an edge where the last is said twice (`check_anatomy.places`)."""
    weight = np.full(points.shape, 1 / 3)
    twice = points[:, 1] == points[:, 2]
    weight[twice] = [0.5, 0.25, 0.25]
    index = (np.repeat(np.arange(len(points)), 3), points.ravel())
    return sp.csr_array(sp.coo_array((weight.ravel(), index), shape=(len(points), count)))


def make_field(model: HeadModel, rows: np.ndarray, places: np.ndarray, price: np.ndarray, stiff: float) -> Field:
    """`price` (n,) of moving each of `rows` at all, beside that of bending (`stiff`)."""
    mesh = model.level(1)
    matrix = averages(places, mesh.matrix.shape[0]) @ csr(mesh.matrix)
    triangles, _ = triangulate(model.quads)
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    adjacency = sp.csr_array((np.ones(len(pairs)), pairs.T), shape=(len(model.mean),) * 2)
    degree = sp.diags_array(1 / np.maximum(adjacency.sum(axis=1), 1))
    # Neighbours that may not move count as standing still.
    laplacian = (sp.eye_array(len(model.mean)) - degree @ adjacency).tocsr()[rows][:, rows]
    smooth = stiff * (laplacian.T @ laplacian) + sp.diags_array(price)
    return Field(rows, sp.csr_array(matrix[:, rows]), sp.csr_array(smooth))


def control_rings(model: HeadModel, part: str, seam: np.ndarray, count: int) -> np.ndarray:
    """(C,) edges from the control vertices `seam` within a part; `count` beyond."""
    triangles, owner = triangulate(model.quads)
    return rings(triangles[model.part[owner] == PARTS.index(part)], seam, count, len(model.mean))


def control_seam(model: HeadModel) -> np.ndarray:
    """Control vertices where the skin turns into the lining of sockets and mouth."""
    return np.intersect1d(model.vertices_of("skin"), model.vertices_of("mouth"))


def persons(model: HeadModel, count: int, seed: int) -> list[np.ndarray]:
    """The mean, random people, and either way two deviations of each of the first few components."""
    k = len(model.identity)
    return people(model, count, seed) + [s * np.eye(k)[i] for i in range(6) for s in (-2.0, 2.0)]


@dataclass(frozen=True)
class Lack:
    """What a state of a person wants of the points: mm (N,) along directions (N, 3)."""

    amount: np.ndarray
    way: np.ndarray


CLEAR, SUNK = 0.0, -0.15
"""mm: the least distance of the lids' skin from the eyeball, the greatest of the fold behind it, wanted."""
ALLOWED = 0.12
"""mm less than CLEAR is let pass."""


def turned(units: tuple[str, ...]) -> np.ndarray:
    """(3, 3) of the left eye: as units add up, not quite a rotation where there are two."""
    return np.asarray(np.eye(3) + sum((gaze_axis(u, "Left") - np.eye(3) for u in units), np.zeros((3, 3))))


class Lids:
    """The left eye's lids against its eyeball, described by its sphere, its cornea and its turn."""

    haste = 1.0
    """How much of what a round finds lacking is asked for in addition."""

    def __init__(self, model: HeadModel) -> None:
        zone = next(z for z in zones(model) if z.name == "eye_left")
        self.model = model
        places = np.concatenate([zone.points, np.repeat(zone.fold[:, None], 3, axis=1)])
        self.fold = np.arange(len(places)) >= len(zone.points)
        mesh = model.level(1)
        self.average = sp.csr_array(averages(places, mesh.matrix.shape[0]) @ csr(mesh.matrix))
        v = model.mean
        seam = control_seam(model)
        seam = seam[(v[seam, 1] > -25) & (v[seam, 0] > 0)]
        out, bag = control_rings(model, "skin", seam, 8), control_rings(model, "mouth", seam, 3)
        rows = np.flatnonzero((out < 8) | (bag < 3))
        self.field = make_field(model, rows, places, np.full(len(rows), 1e-3), 0.3)
        self.weight = np.where(self.fold, 0.3, 1.0)
        skin = mesh.triangles[mesh.triangle_part == PARTS.index("skin")]
        far = rings(skin, zone.fold, 12, mesh.matrix.shape[0])
        self.away = np.append(far[zone.points].max(axis=1), np.zeros(len(zone.fold), int))
        self.ball = model.vertices_of("eye_left")
        # Control vertices lie outside of their surface: centre and radius are those of level 1.
        shown = mesh.apply(v)[np.unique(zone.solid)].astype(float)
        self.centre = sphere_center(shown)
        rear = shown[shown[:, 2] <= np.median(shown[:, 2])]
        self.eye = Eyeball(np.zeros(3), float(np.linalg.norm(rear - self.centre, axis=1).mean()))
        self.local = v[self.ball] - self.centre
        self.twin: np.ndarray | None = None

    def at_rest(self) -> tuple[np.ndarray, np.ndarray]:
        """Distances (N,) of the mean head's points and outward directions (N, 3)."""
        p = self.average @ self.model.mean.astype(float) - self.centre
        return surface_distance(p, self.eye), p / np.linalg.norm(p, axis=1, keepdims=True)

    def lack(self, a: np.ndarray, state: tuple[str, ...], moved: np.ndarray) -> Lack:
        """`moved` (C, 3): the control's displacement beside the identity's."""
        ball = self.local + np.tensordot(a, self.model.identity[:, self.ball], axes=1)
        scale = float((ball * self.local).sum() / (self.local**2).sum())  # grows and moves, stays a sphere
        shift = (ball - scale * self.local).mean(axis=0)
        p = (self.average @ (self.model.shape(a) + moved) - self.centre - shift) / scale
        d = surface_distance(np.linalg.solve(turned(state), p.T).T, self.eye) * scale
        amount = np.where(self.fold, np.minimum(SUNK - d, 0), np.where(d < CLEAR - ALLOWED, CLEAR - d, 0))
        return Lack(amount, p / np.linalg.norm(p, axis=1, keepdims=True))


TEETH_CLEAR, TEETH_ALLOWED = 0.2, 0.1


class Lips:
    """Both lips and what lines them against both arches."""

    haste = 2.0  # smoothness holds back thick lips

    def __init__(self, model: HeadModel) -> None:
        self.model = model
        upper, lower = (next(z for z in zones(model) if z.name == n) for n in ("teeth_upper", "teeth_lower"))
        # Vertices are enough, with a little more room.
        places = upper.points[(upper.points[:, 0] == upper.points[:, 1]) & (upper.points[:, 1] == upper.points[:, 2])]
        mesh = model.level(1)
        self.matrix = csr(mesh.matrix)
        used = np.unique(np.concatenate([places[:, 0], upper.solid.ravel(), lower.solid.ravel()]))
        self.used = self.matrix[used]
        where = np.full(self.matrix.shape[0], -1)
        where[used] = np.arange(len(used))
        self.places, self.solids = where[places[:, 0]], (where[upper.solid], where[lower.solid])
        v = model.mean
        seam = control_seam(model)
        seam = seam[v[seam, 1] < -25]
        out, bag = control_rings(model, "skin", seam, 11), control_rings(model, "mouth", seam, 7)
        rows = np.flatnonzero((out < 11) | (bag < 7))
        self.visible = out[rows] < 11
        self.price = np.where(self.visible, 0.05, 1e-3)
        self.field = make_field(model, rows, places, self.price, 0.3)
        self.still = make_field(model, rows, places, np.where(self.visible & (out[rows] > 0), 3.0, 1e-3), 0.3)
        self.weight = np.ones(len(places))
        at = mesh.apply(model.mean)[places[:, 0]]
        self.twin = cKDTree(at).query(at * FLIP)[1]

    def lack(self, a: np.ndarray, state: tuple[str, ...], moved: np.ndarray) -> Lack:
        v = self.used @ (self.model.shape(a) + moved)
        p = v[self.places]
        out = p * [1, 0, 1] - [0, 0, v[self.solids[0], 2].min()]
        out /= np.linalg.norm(out, axis=1, keepdims=True)
        amount, way = np.zeros(len(p)), np.zeros_like(p)
        for solid in self.solids:
            d, w = signed_distance(p, v, solid, near=10)
            # Deep in the gum the nearest way out may lead to the tongue's side: there the way is forwards.
            slant = np.einsum("ij,ij->i", w, out)
            w = np.where((slant < 0.3)[:, None], out, w)
            short = np.where(d < TEETH_CLEAR - TEETH_ALLOWED, np.minimum(TEETH_CLEAR - d, 3.0), 0)
            more = short > amount
            amount[more], way[more] = short[more], w[more]
        return Lack(amount, way)


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


def mirrored_unit(unit: str) -> str:
    return unit.replace("Left", "\0").replace("Right", "Left").replace("\0", "Right")


def press(
    what: Lids | Lips,
    states: list[tuple[str, ...]],
    group: list[np.ndarray],
    rounds: int,
    base: np.ndarray,
    field: Field,
    price: float = 1.0,
) -> dict[str, np.ndarray]:
    """By unit ("" is rest) the field (n, 3) that the states ask for, beside the displacement `base` (C, 3)."""
    units = what.model.expression
    names = sorted({u for s in states for u in s}) or [""]
    count = len(what.weight)
    asked = {u: np.zeros((count, 3)) for u in names}
    fields = {u: np.zeros((len(field.rows), 3)) for u in names}
    idle = [np.abs(what.lack(a, (), base).amount) if states != [()] else np.zeros(count) for a in group]
    fine: set[tuple[str, ...]] = set()
    for turn in range(rounds):
        need = {u: np.zeros((count, 3)) for u in names}
        worst, where = 0.0, "none"
        # States that were fine are looked at again half way only.
        fine = set() if turn == rounds // 2 else fine
        for state in [s for s in states if s not in fine]:
            moved = base.copy()
            for u in state:
                moved += units[ARKIT_UNITS.index(u)]
            for u in state or ("",):
                moved[field.rows] += fields[u]
            most = 0.0
            for a, before in zip(group, idle, strict=True):
                lack = what.lack(a, state, moved)
                # What is wrong at rest already is not the units' to mend.
                extra = np.clip(np.abs(lack.amount) - before, 0, None) / max(len(state), 1)
                most = max(most, float(extra.max()))
                push = (np.sign(lack.amount) * extra)[:, None] * lack.way
                for u in state or ("",):
                    greater = extra > np.linalg.norm(need[u], axis=1)
                    need[u][greater] = push[greater]
            if most > worst:
                worst, where = most, "+".join(state) or "rest"
            if most == 0:
                fine.add(state)
        print(f"  round {turn + 1}: worst lack {worst:.2f} mm in {where}, {len(states) - len(fine)} states", flush=True)
        if what.twin is not None:
            need = {u: _greater(need[u], need.get(mirrored_unit(u), need[u])[what.twin] * FLIP) for u in names}
        for u in names:
            asked[u] += what.haste * need[u]
            held = np.linalg.norm(asked[u], axis=1) > 1e-6
            if held.any():
                fields[u] = field.solve(asked[u], what.weight * held, price)
    return fields


def _greater(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where((np.linalg.norm(a, axis=1) >= np.linalg.norm(b, axis=1))[:, None], a, b)


LEAST = 0.01
"""mm: less is not written."""


def patched(model: HeadModel, rows: np.ndarray, rest: np.ndarray, fields: dict[str, np.ndarray]) -> HeadModel:
    mean, expression = model.mean.astype(float), model.expression.astype(float)
    mean[rows] += rest
    for unit, field in fields.items():
        expression[ARKIT_UNITS.index(unit), rows] += np.where(np.abs(field) < LEAST, 0, field)
    return replace(model, mean=mean.astype(np.float32), expression=expression.astype(np.float32))


def concerned(model: HeadModel, rows: np.ndarray) -> list[str]:
    """Units that move some of the control vertices `rows`."""
    return [u for i, u in enumerate(ARKIT_UNITS) if np.abs(model.expression[i, rows]).max() > 0.02]


def combined(units: list[str]) -> list[tuple[str, ...]]:
    """Each unit alone, then what of the common pairs concerns them."""
    both = [*PAIRS, *(tuple(mirrored_unit(u) for u in pair) for pair in PAIRS)]
    pairs = dict.fromkeys(tuple(u for u in pair if u in units) for pair in both)
    return [(u,) for u in units] + [p for p in pairs if len(p) > 1]


HOLD = np.array([0.05, 0.05, 0.01, 0.3])
"""How firmly an eyeball keeps its place (x, y, z) and size in a component, against following the lids."""
LID_EDGE = 4
"""Rings of level 1 from the fold that an eyeball follows."""
NEAR = 1.5
"""mm: so near to the eyeball the lids keep their distance in every component."""


def seat_components(model: HeadModel) -> HeadModel:
    """In each component the eyeballs follow the lids' edges, and the lids take up the rest.

    `lids.seat` did this before the components were written in the span of smooth fields, which left 0.25 mm of
    standard deviation between edge and eyeball.
    """
    lids = Lids(model)
    distance, ray = lids.at_rest()
    edge = (lids.away <= LID_EDGE) & ~lids.fold
    near = lids.fold | (distance < NEAR)
    basis = np.c_[ray, np.ones(len(ray))][edge]
    system = np.concatenate([basis, np.diag(HOLD) * np.sqrt(len(basis))])
    local = lids.local / lids.eye.radius
    identity = model.identity.astype(float)
    rows, other = lids.field.rows, model.mirror[lids.field.rows]
    ball, other_ball = lids.ball, model.mirror[lids.ball]
    for side, flip in ((0, np.ones(3)), (1, FLIP)):
        here, eye = (rows, ball) if side == 0 else (other, other_ball)
        for mode in identity:
            left = np.zeros_like(mode)
            left[rows], left[ball] = mode[here] * flip, mode[eye] * flip
            size = float((left[ball] * local).sum() / (local**2).sum())
            shift = (left[ball] - size * local).mean(axis=0)
            moved = (ray * (lids.average @ left)).sum(axis=1)
            slack = moved[edge] - basis @ np.append(shift, size)
            x = np.linalg.lstsq(system, np.append(slack, np.zeros(4)), rcond=None)[0] + np.append(shift, size)
            mode[eye] = (x[:3] + x[3] * local) * flip
            lack = (np.c_[ray, np.ones(len(ray))] @ x - moved)[:, None] * ray
            mode[here] += lids.field.solve(lack, near * lids.weight) * flip
    return replace(model, identity=identity.astype(np.float32))


def seat_lids(model: HeadModel, count: int, seed: int, rounds: int = ROUNDS) -> HeadModel:
    """Fields that keep the left eye's lids on it for many people; the right eye's mirror them."""
    lids = Lids(model)
    rows, group = lids.field.rows, persons(model, count, seed)
    units = [u for u in concerned(model, rows) if not u.endswith("Right")]
    zero = np.zeros((len(model.mean), 3))
    rest = press(lids, [()], group, rounds, zero, lids.field, 3.0)[""]
    zero[rows] = rest
    fields = press(lids, combined(units), group, rounds, zero, lids.field)
    right = {mirrored_unit(u): f * FLIP for u, f in fields.items()}
    return patched(patched(model, rows, rest, fields), model.mirror[rows], rest * FLIP, right)


def clear_teeth(model: HeadModel, count: int, seed: int, rounds: int = ROUNDS) -> HeadModel:
    """Fields that keep lips and their lining off the teeth and gums for many people."""
    lips = Lips(model)
    rows, group = lips.field.rows, persons(model, count, seed)[::2]
    lower = model.vertices_of("teeth_lower")
    units = concerned(model, np.concatenate([rows, lower]))
    zero = np.zeros((len(model.mean), 3))
    rest = press(lips, [()], group, rounds, zero, lips.still)[""]
    zero[rows] = rest
    return patched(model, rows, rest, press(lips, combined(units), group, rounds, zero, lips.field))


STEP = 1 / 256
"""mm to which the components are rounded on what is hidden or small; random digits would fill the file."""


def symmetric(model: HeadModel) -> HeadModel:
    """The mean head and the units of both sides made exact mirror images; people who ask are not quite."""
    partner = [ARKIT_UNITS.index(mirrored_unit(u)) for u in ARKIT_UNITS]
    units = (model.expression + model.expression[partner][:, model.mirror] * FLIP) / 2
    mean = (model.mean + model.mean[model.mirror] * FLIP) / 2
    return replace(model, mean=mean.astype(np.float32), expression=units.astype(np.float32))


def rounded(model: HeadModel) -> HeadModel:
    identity = model.identity.copy()
    hidden = np.setdiff1d(np.arange(len(model.mean)), model.vertices_of("skin"))
    identity[:, hidden] = np.round(identity[:, hidden] / STEP) * STEP
    return replace(model, identity=identity)


def met(old: HeadModel) -> HeadModel:
    """All of it; for a head that was not patched before."""
    model, apart = slit_shut(slim_gums(teeth_forward(old)))
    model, parted = lips_meet(model)
    print(f"the lips' inner edges were {apart:.2f} mm apart at rest")
    model, before, after = arches_follow(model)
    print(f"lining against arches: {before:.2f} mm, now {after:.2f} (standard deviations)")
    print(f"components parted the lips by {parted:.2f} mm (standard deviation)")
    model = seat_components(model)
    for count, seed in PASSES:
        model = once_more(model, count, seed)
    return rounded(model)


def once_more(model: HeadModel, count: int, seed: int) -> HeadModel:
    """One pass for `count` people, and for either end of the first components."""
    print(f"lips and teeth, {count} people", flush=True)
    model = clear_teeth(model, count, seed)
    print("lids and eyes")
    return symmetric(seat_lids(model, count, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    old = HeadModel.load(options.head)
    model = met(old)
    model.save(options.out)
    level = old.level(1)
    skin = level.triangles[level.triangle_part == 0]
    v = level.apply(old.mean)[skin]
    area = np.linalg.norm(np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]), axis=1)
    inner = old.inner_face[np.asarray(csr(level.matrix).argmax(axis=1)).ravel()[skin]].all(axis=1)
    for name, move in (
        ("mean head", (model.mean - old.mean)[None]), ("random person", model.identity - old.identity),
    ):  # fmt: skip
        each = np.sqrt((level.apply(move) ** 2).sum(axis=(0, 2)))  # RMS over people for the components
        points = np.sqrt((level.points478(level.apply(move)) ** 2).sum(axis=(0, 2)))
        face = np.average(each[skin].mean(axis=1)[inner], weights=area[inner])
        print(f"{name}: inner face moved by {face:.3f} mm on average, its 478 points by {points.mean():.3f}")
    print(f"{options.out}: {options.out.stat().st_size} bytes, it was {options.head.stat().st_size}")


if __name__ == "__main__":
    main()
