"""How much room is lacking between lids and eyeball, lips and teeth, and the smooth fields that make it.

`Lids` and `Lips` tell for a person and a set of units by how much their points are to move and where to (`Lack`);
a `Field` answers with displacements of the control vertices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import factorized
from scipy.spatial import cKDTree

from training.head.eyes import Eyeball, gaze_axis, surface_distance
from training.head.intersections import control_rings, control_seam, people, rings, signed_distance, zones
from training.head.scipy_sparse import csr
from training.head.surface_patch import FLIP
from tronie.head.model import PARTS, HeadModel, sphere_center
from tronie.head.subdivide import triangulate


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
    """(N, count): the mean of three vertices each, of an edge where the last is said twice (`intersections.places`)."""
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
