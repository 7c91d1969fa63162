"""How deep eyes and lids, teeth and lips cut into each other, measured on the level-1 mesh.

    python -m training.head.intersections [head.npz] [--people 20]

Every one of the 52 units at full weight, and common pairs, on the mean head and on random people (one standard
deviation in each component, seed 5). Distances are exact: to the nearest point of the other part's triangles, signed by
its normal; of lids and lips the level-1 vertices, the middles of their edges and of their triangles are asked.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from scipy.spatial import cKDTree

from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel, default_head
from tronie.head.subdivide import triangulate
from tronie.runtime.jit import jit

PAIRS = (
    ("jawOpen", "mouthSmileLeft", "mouthSmileRight"), ("jawOpen", "mouthFunnel"), ("jawOpen", "mouthPucker"),
    ("mouthSmileLeft", "mouthSmileRight"),
    ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    ("jawOpen", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight"),
    ("mouthFrownLeft", "mouthFrownRight"), ("jawOpen", "mouthClose"), ("mouthStretchLeft", "mouthStretchRight"),
    ("mouthRollUpper", "mouthRollLower"), ("mouthPressLeft", "mouthPressRight"), ("cheekPuff", "mouthPucker"),
    ("jawOpen", "tongueOut"), ("jawForward", "jawOpen"),
    ("eyeBlinkLeft", "eyeBlinkRight"), ("eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight"),
    ("eyeBlinkLeft", "eyeBlinkRight", "eyeLookUpLeft", "eyeLookUpRight"),
    ("eyeBlinkLeft", "eyeBlinkRight", "eyeLookOutLeft", "eyeLookInRight"),
    ("eyeLookUpLeft", "eyeLookUpRight", "eyeLookOutLeft", "eyeLookInRight"),
    ("eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookOutRight"),
    ("eyeWideLeft", "eyeWideRight", "eyeLookUpLeft", "eyeLookUpRight"),
    ("eyeWideLeft", "eyeWideRight", "browInnerUp"),
    ("eyeSquintLeft", "eyeSquintRight", "cheekSquintLeft", "cheekSquintRight"),
    ("eyeSquintLeft", "eyeSquintRight", "mouthSmileLeft", "mouthSmileRight"),
    ("eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight", "cheekSquintLeft", "cheekSquintRight"),
    ("browDownLeft", "browDownRight", "eyeSquintLeft", "eyeSquintRight"),
)  # fmt: skip
SEED = 5


@jit
def _nearest(points: Any, triangles: Any, normals: Any, index: Any, out: Any, way: Any) -> None:
    """Signed distance (n,) and direction (n, 3) from each point's candidate triangles (Ericson 2005, 5.1.5)."""
    for i in range(points.shape[0]):
        p = points[i]
        best = np.inf
        total = np.zeros(3)
        offset = np.zeros(3)
        for k in range(index.shape[1]):
            t = index[i, k]
            if t >= triangles.shape[0]:
                break
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ab, ac, ap = b - a, c - a, p - a
            d1, d2 = np.dot(ab, ap), np.dot(ac, ap)
            bp, cp = p - b, p - c
            d3, d4, d5, d6 = np.dot(ab, bp), np.dot(ac, bp), np.dot(ab, cp), np.dot(ac, cp)
            va, vb, vc = d3 * d6 - d5 * d4, d5 * d2 - d1 * d6, d1 * d4 - d3 * d2
            if d1 <= 0 and d2 <= 0:
                q = a
            elif d3 >= 0 and d4 <= d3:
                q = b
            elif d6 >= 0 and d5 <= d6:
                q = c
            elif vc <= 0 and d1 >= 0 and d3 <= 0:
                q = a + ab * (d1 / (d1 - d3))
            elif vb <= 0 and d2 >= 0 and d6 <= 0:
                q = a + ac * (d2 / (d2 - d6))
            elif va <= 0 and d4 - d3 >= 0 and d5 - d6 >= 0:
                q = b + (c - b) * ((d4 - d3) / ((d4 - d3) + (d5 - d6)))
            else:
                f = 1.0 / (va + vb + vc)
                q = a + ab * (vb * f) + ac * (vc * f)
            r = p - q
            d = np.sqrt(np.dot(r, r))
            # At an edge or corner several triangles are equally near: the sum of their normals decides.
            if d < best - 1e-6:
                total[:] = normals[t]
                offset[:] = r
            elif d < best + 1e-6:
                total += normals[t]
            best = min(best, d)
        if not np.isfinite(best):
            continue
        inside = np.dot(offset, total) < 0
        out[i] = -best if inside else best
        if best > 1e-3:
            way[i] = offset / (-best if inside else best)
        else:
            way[i] = total / max(np.sqrt(np.dot(total, total)), 1e-9)


def signed_distance(
    points: np.ndarray, v: np.ndarray, triangles: np.ndarray, reach: float = 3.0, near: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (n,) mm of points from a closed surface, negative inside, `reach` where it is further than that, and
    the direction (n, 3) in which it grows. Of the triangles, the `near` whose middles are nearest are tried."""
    t = v[triangles].astype(float)
    middle = t.mean(axis=1)
    # No triangle's corner is further from its middle than this.
    size = float(np.linalg.norm(t - middle[:, None], axis=2).max())
    tree = cKDTree(middle)
    out, way = np.full(len(points), reach), np.zeros((len(points), 3))
    first, _ = tree.query(points, distance_upper_bound=reach + size)
    rows = np.flatnonzero(np.isfinite(first))
    if len(rows):
        _, index = tree.query(points[rows], k=min(near, len(t)))
        normal = np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0])
        normal /= np.maximum(np.linalg.norm(normal, axis=1, keepdims=True), 1e-12)
        distance, direction = np.full(len(rows), reach), np.zeros((len(rows), 3))
        _nearest(points[rows].astype(float), t, normal, index, distance, direction)
        out[rows], way[rows] = np.clip(distance, -np.inf, reach), direction
    return out, way


@dataclass(frozen=True)
class Zone:
    """A part of the skin at level 1 and the closed surface that it must not cut into."""

    name: str
    points: np.ndarray
    """(N, 3) vertices of the triangle, edge (the last twice) or vertex (thrice) whose middle is asked."""
    solid: np.ndarray
    """(O, 3) triangles of the other part, closed."""
    fold: np.ndarray
    """Vertices of the fold behind a lid's rear edge, which must lie inside the eyeball; empty for the lips."""
    margin: np.ndarray
    """Vertices of the lid's rear edge."""


def rings(triangles: np.ndarray, start: np.ndarray, count: int, size: int) -> np.ndarray:
    """(size,) int: how many edges a vertex is away from `start`; `count` where it is further."""
    pairs = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    out = np.full(size, count)
    out[start] = 0
    for k in range(1, count):
        near = np.zeros(size, bool)
        at = out == k - 1
        near[pairs[at[pairs[:, 0]], 1]] = True
        near[pairs[at[pairs[:, 1]], 0]] = True
        out[near & (out == count)] = k
    return out


def control_rings(model: HeadModel, part: str, seam: np.ndarray, count: int) -> np.ndarray:
    """(C,) edges from the control vertices `seam` within a part; `count` beyond."""
    triangles, owner = triangulate(model.quads)
    return rings(triangles[model.part[owner] == PARTS.index(part)], seam, count, len(model.mean))


def control_seam(model: HeadModel) -> np.ndarray:
    """Control vertices where the skin turns into the lining of sockets and mouth."""
    return np.intersect1d(model.vertices_of("skin"), model.vertices_of("mouth"))


MARGIN_RING = 2
"""The lids' rear edge, in level-1 edges from the fold behind it."""
LID_RINGS, LIP_RINGS, LINING_RINGS = 12, 16, 7
"""So far from the folds, in edges, the skin of lids and lips and the lining of the lips are asked."""


def places(triangles: np.ndarray) -> np.ndarray:
    """(N, 3): vertices, middles of edges and of triangles, as three vertices each whose mean is meant."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.sort(edges, axis=1), axis=0)
    corners = np.unique(triangles)
    return np.concatenate([np.repeat(corners[:, None], 3, axis=1), np.c_[edges, edges[:, 1]], triangles])


def middles(v: np.ndarray, points: np.ndarray) -> np.ndarray:
    """(N, 3) mm of `places`."""
    twice = points[:, 1] == points[:, 2]
    single = twice & (points[:, 0] == points[:, 1])
    a, b, c = (v[points[:, k]] for k in range(3))
    return np.where(single[:, None], a, np.where(twice[:, None], (a + b) / 2, (a + b + c) / 3))


def border(triangles: np.ndarray) -> list[list[int]]:
    """The loops of open edges, each in the direction of its triangles."""
    edges = {(int(a), int(b)) for t in triangles for a, b in zip(t, np.roll(t, -1), strict=True)}
    follows = {a: b for a, b in edges if (b, a) not in edges}
    loops, seen = [], set()
    for a in follows:
        if a in seen:
            continue
        loop = [a]
        while follows[loop[-1]] != a:
            loop.append(follows[loop[-1]])
        seen |= set(loop)
        loops.append(loop)
    return loops


def closed(triangles: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Crowns and gum with their roots shut: short loops by a fan, the gum's by a ladder from front to rear."""
    extra = []
    for loop in border(triangles):
        n = len(loop)
        if n < 40:
            extra += [(loop[0], loop[i + 1], loop[i]) for i in range(1, n - 1)]
            continue
        # The two ends of the band lie furthest to the sides; there the ladder begins and ends.
        x = v[loop, 0]
        first, last = (
            int(np.argmin(np.abs(np.arange(n) - np.median(np.flatnonzero(x * s > np.abs(x).max() - 4)))))
            for s in (1, -1)
        )
        a = [loop[(first + i) % n] for i in range((last - first) % n + 1)]
        b = [loop[(first - i) % n] for i in range((first - last) % n + 1)]
        i = j = 0
        while i < len(a) - 1 or j < len(b) - 1:
            if j == len(b) - 1 or (i < len(a) - 1 and (i + 1) * len(b) <= (j + 1) * len(a)):
                extra.append((a[i + 1], a[i], b[j]))
                i += 1
            else:
                extra.append((a[i], b[j], b[j + 1]))
                j += 1
    shut = [t for t in extra if len(set(t)) == 3]
    return np.concatenate([triangles, np.array(shut)]) if shut else triangles


def zones(model: HeadModel) -> tuple[Zone, ...]:
    mesh = model.level(1)
    v = mesh.apply(model.mean)
    part = {name: mesh.triangles[mesh.triangle_part == i] for i, name in enumerate(PARTS)}
    seam = np.intersect1d(part["skin"], part["mouth"])
    up = v[seam, 1] > -25
    nothing = np.zeros(0, int)
    out = []
    for side, name in ((1, "eye_left"), (-1, "eye_right")):
        fold = seam[up & (side * v[seam, 0] > 0)]
        far = rings(part["skin"], fold, LID_RINGS, len(v))
        away = far[part["skin"]]
        rows = (away.min(axis=1) >= MARGIN_RING) & (away.max(axis=1) < LID_RINGS)
        margin = np.flatnonzero(far == MARGIN_RING)
        out.append(Zone(name, places(part["skin"][rows]), part[name], fold, margin))
    lips = []
    for name, count in (("skin", LIP_RINGS), ("mouth", LINING_RINGS)):
        lips.append(part[name][rings(part[name], seam[~up], count, len(v))[part[name]].max(axis=1) < count])
    points = places(np.concatenate(lips))
    arches = (Zone(n, points, closed(part[n], v), nothing, nothing) for n in ("teeth_upper", "teeth_lower"))
    return (*out, *arches)


def states() -> dict[str, tuple[str, ...]]:
    """Rest, every unit, every pair."""
    return {"rest": ()} | {u: (u,) for u in ARKIT_UNITS} | {"+".join(p): p for p in PAIRS}


def people(model: HeadModel, count: int, seed: int = SEED) -> list[np.ndarray]:
    """The mean, then random people."""
    rng = np.random.default_rng(seed)
    k = len(model.identity)
    return [np.zeros(k), *(rng.normal(size=k) for _ in range(count))]


@dataclass(frozen=True)
class Found:
    """Of one zone in one state of one person, mm."""

    depth: float
    """How far the skin cuts into the solid, 0 or more."""
    open: float
    """How far the fold behind a lid's edge is out of the eyeball, 0 or more: there one could look behind the eye."""
    lift: float
    """How far the lid's rear edge is off the eyeball at most."""


def found(zone: Zone, v: np.ndarray) -> Found:
    depth = max(0.0, -float(signed_distance(middles(v, zone.points), v, zone.solid)[0].min()))
    if not len(zone.fold):
        return Found(depth, 0.0, 0.0)
    fold = float(signed_distance(v[zone.fold], v, zone.solid)[0].max())
    return Found(depth, max(0.0, fold), float(signed_distance(v[zone.margin], v, zone.solid)[0].max()))


def check(model: HeadModel, persons: list[np.ndarray]) -> dict[tuple[str, str], list[Found]]:
    """By zone and state, one for each person."""
    mesh = model.level(1)
    units = mesh.apply(model.expression)
    out: dict[tuple[str, str], list[Found]] = {}
    for zone in zones(model):
        used = np.unique(np.concatenate([zone.points.ravel(), zone.solid.ravel(), zone.fold]))
        moving = {u: np.abs(units[i][used]).max() > 0.01 for i, u in enumerate(ARKIT_UNITS)}
        for a in persons:
            base = mesh.apply(model.shape(a))
            known: dict[tuple[str, ...], Found] = {}
            for name, members in states().items():
                here = tuple(u for u in members if moving[u])
                if here not in known:
                    known[here] = found(zone, base + sum(units[ARKIT_UNITS.index(u)] for u in here))
                out.setdefault((zone.name, name), []).append(known[here])
    return out


def table(result: dict[tuple[str, str], list[Found]], limit: float) -> list[str]:
    """The worst of each zone, then every state that is worse than `limit`."""
    rows = ["zone | depth: mean head | people, median | people, worst | open fold, worst | lift: mean head | worst"]
    names = dict.fromkeys(z for z, _ in result)

    def line(label: str, many: list[list[Found]]) -> str:
        depth = np.array([[f.depth for f in row] for row in many])
        fold = np.array([[f.open for f in row] for row in many])
        lift = np.array([[f.lift for f in row] for row in many])
        rest = depth[:, 1:].max(axis=0) if depth.shape[1] > 1 else np.zeros(1)
        return (
            f"{label} | {depth[:, 0].max():.2f} | {np.median(rest):.2f} | {rest.max():.2f} | {fold.max():.2f} | "
            f"{lift[:, 0].max():.2f} | {lift.max():.2f}"
        )

    kinds = {"rest": ("rest",), "units": ARKIT_UNITS, "pairs": ["+".join(p) for p in PAIRS]}
    for zone in names:
        for kind, which in kinds.items():
            rows.append(line(f"{zone}, {kind}", [result[zone, s] for s in which]))
    for (zone, state), row in result.items():
        if max(max(f.depth, f.open) for f in row) > limit:
            rows.append(line(f"  {zone} {state}", [row]))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path, nargs="?")
    parser.add_argument("--people", type=int, default=20)
    parser.add_argument("--limit", type=float, default=0.3, help="states worse than this are printed, mm")
    options = parser.parse_args()
    model = HeadModel.load(options.head) if options.head else default_head()
    print(*table(check(model, people(model, options.people)), options.limit), sep="\n")


if __name__ == "__main__":
    main()
