"""Eyeballs, teeth and tongue in place of MPFB's crude helpers, and how they follow the body's targets."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from training.head.eyes import Eyeball, build_eye, fit_eyeball, gaze_axis, iris_chart_radii, lid_rings
from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from training.head.surface_patch import FLIP, Patch, joined, pair
from training.head.teeth import build_arch, fit_arches
from training.head.tongue import build_tongue
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS

ORDER = ("eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue")


@dataclass(frozen=True)
class Iris:
    """What a painter needs to know of the eye charts: centred on (0, 0) before packing, alike for both eyes."""

    charts: tuple[int, int]
    """Chart numbers of the left and the right eye."""
    pupil: float
    """mm in the chart: where the pupil ends."""
    iris: float
    """Where the iris ends and the limbus begins."""
    limbus: float
    """Where the limbus has become sclera."""
    outer: float
    """Radius of the whole chart."""


@dataclass(frozen=True)
class Parts:
    vertices: np.ndarray
    """(P, 3) mm in the body's coordinates."""
    quads: np.ndarray
    """(F, 4), -1 in the last place for a triangle; counter-clockwise from outside."""
    part: np.ndarray
    """(F,) uint8, index into tronie.head.model.PARTS."""
    material: np.ndarray
    """(F,) "sclera", "iris", "crown", "gum" or "tongue"."""
    mirror: np.ndarray
    """(P,) vertex on the other side, exactly mirrored."""
    chart: np.ndarray
    """(F,) 0 left eye, 1 right eye, 2 upper crowns, 3 upper gum, 4 lower crowns, 5 lower gum, 6 tongue."""
    corner_uv: np.ndarray
    """(U, 2) mm in the chart's own frame, v down. Charts 0 and 1 mirror each other, the others themselves in u = 0."""
    quad_uv: np.ndarray
    """(F, 4) rows of `corner_uv`, -1 as in `quads`."""
    colour: np.ndarray
    """(U, 3) uint8 RGB."""
    follow: sp.csr_array
    """(P, 19158): displacement of a body target -> of the parts. Eyes only translate (see `eyelids.seat` for their
    size), teeth follow an affine fit of the helper arch, the tongue a smooth interpolation of the helper."""
    expression: np.ndarray
    """(52, P, 3) mm, the parts' own motion in ARKIT_UNITS, instead of `follow`."""
    eyes: tuple[Eyeball, Eyeball]
    """Left, right."""
    iris: Iris

    def rows(self, name: str) -> np.ndarray:
        """Vertices of a part by its name in PARTS."""
        q = self.quads[self.part == PARTS.index(name)]
        return np.unique(q[q >= 0])


def build_parts(body: Body, skin: Skin) -> Parts:
    """Fit and build all parts for the body as it is (give it the mean adult's vertices for the closest fit)."""
    eye = fit_eyeball(body, skin, lid_rings(body, skin))
    upper, lower = fit_arches(body)
    eyes = pair(build_eye(eye), own_charts=True)
    patches = (eyes, build_arch(upper), build_arch(lower), build_tongue(body))
    whole = joined(patches)
    whole = replace(whole, vertices=(whole.vertices + whole.vertices[whole.mirror] * FLIP) / 2)  # exact
    names = np.repeat(ORDER, [len(eyes.quads) // 2] * 2 + [len(p.quads) for p in patches[1:]])
    counts = [len(eyes.vertices) // 2] * 2 + [len(p.vertices) for p in patches[1:]]
    at = np.cumsum([0, *counts])
    rows = {name: np.arange(at[i], at[i + 1]) for i, name in enumerate(ORDER)}
    pupil, iris, limbus = iris_chart_radii(eye.radius)
    outer = float(np.linalg.norm(whole.corner_uv[np.unique(whole.quad_uv[whole.chart == 0])[1:]], axis=1).max())
    follow = follow_matrix(body, whole, rows)
    return Parts(
        vertices=whole.vertices,
        quads=whole.quads,
        part=np.array([PARTS.index(n) for n in names], dtype=np.uint8),
        material=whole.material,
        mirror=whole.mirror,
        chart=whole.chart,
        corner_uv=whole.corner_uv,
        quad_uv=whole.quad_uv,
        colour=whole.colour,
        follow=follow,
        expression=part_units(body, whole, rows, follow, eye),
        eyes=(eye, eye.reflected()),
        iris=Iris((0, 1), pupil, iris, limbus, outer),
    )


def follow_matrix(body: Body, whole: Patch, rows: dict[str, np.ndarray]) -> sp.csr_array:
    """(P, 19158) weights; symmetric, each row sums to 1."""
    groups, v = body.vertex_groups, body.vertices
    row, column, weight = [], [], []

    def put(name: str, source: np.ndarray, dense: np.ndarray) -> None:
        row.append(np.repeat(rows[name], len(source)))
        column.append(np.tile(source, len(rows[name])))
        weight.append(dense.ravel())

    for name, helper in (("eye_left", "helper-l-eye"), ("eye_right", "helper-r-eye")):
        source = groups[helper]
        put(name, source, np.full((len(rows[name]), len(source)), 1 / len(source)))
    for name, helper in (("teeth_upper", "helper-upper-teeth"), ("teeth_lower", "helper-lower-teeth")):
        source = groups[helper]
        put(name, source, affine_weights(v[source], whole.vertices[rows[name]]))
    source = groups["helper-tongue"]
    put("tongue", source, smooth_weights(v[source], whole.vertices[rows["tongue"]]))
    shape = (len(whole.vertices), len(v))
    matrix = sp.coo_array((np.concatenate(weight), (np.concatenate(row), np.concatenate(column))), shape=shape)
    return sp.csr_array(matrix)


def affine_weights(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """(T, S): values on `source` -> their least-squares affine function at `target`."""
    centre = source.mean(axis=0)
    basis = np.c_[np.ones(len(source)), source - centre]
    return np.c_[np.ones(len(target)), target - centre] @ np.linalg.pinv(basis)


def smooth_weights(source: np.ndarray, target: np.ndarray, smoothing: float = 4.0) -> np.ndarray:
    """(T, S): biharmonic spline (kernel r, affine part) with some smoothing in mm."""
    n = len(source)
    k = -np.linalg.norm(source[:, None] - source[None], axis=2)
    centre = source.mean(axis=0)
    p = np.c_[np.ones(n), (source - centre) / 10]
    system = np.block([[k + smoothing * np.eye(n), p], [p.T, np.zeros((4, 4))]])
    solve = np.linalg.solve(system, np.eye(n + 4)[:, :n])
    at = np.c_[-np.linalg.norm(target[:, None] - source[None], axis=2), np.ones(len(target)), (target - centre) / 10]
    return at @ solve


def rigid(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,) with source @ R.T + t close to target (Kabsch 1976)."""
    ms, mt = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((target - mt).T @ (source - ms))
    r = u @ np.diag([1, 1, np.sign(np.linalg.det(u @ vt))]) @ vt
    return r, mt - r @ ms


def part_units(body: Body, whole: Patch, rows: dict[str, np.ndarray], follow: sp.csr_array, eye: Eyeball) -> np.ndarray:
    """(52, P, 3): eyes turn in the gaze units only, the lower teeth follow the jaw rigidly, the upper stay."""
    out = np.zeros((len(ARKIT_UNITS), len(whole.vertices), 3))
    helper = body.vertex_groups["helper-lower-teeth"]
    tongue = rows["tongue"]
    for i, unit in enumerate(ARKIT_UNITS):
        target = body.target(body.units / f"{unit}.target")
        for name, side, ball in (("eye_left", "Left", eye), ("eye_right", "Right", eye.reflected())):
            local = whole.vertices[rows[name]] - ball.centre
            out[i, rows[name]] = local @ gaze_axis(unit, side).T - local
        if np.abs(target[helper]).max() > 0.5:
            r, t = rigid(body.vertices[helper], body.vertices[helper] + target[helper])
            v = whole.vertices[rows["teeth_lower"]]
            out[i, rows["teeth_lower"]] = v @ r.T + t - v
        out[i, tongue] = follow[tongue] @ target
    return out
