"""Eyeballs: one closed surface each, a sphere with a corneal bulge; iris and pupil are painted on its front."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from training.head.surface_patch import Patch, interpolating, outward, ring_grid

IRIS_RADIUS = 5.85
"""mm; the human iris measures 11.7 mm across (spread 0.5 mm)."""
PUPIL_RADIUS = 1.9
"""mm, indoor light."""
BULGE = 1.1
"""mm by which the cornea's apex stands out of the sphere. With the sphere's own sagitta at the limbus this gives
a corneal cap of about 2.3 mm, as in life."""
BULGE_RADIUS = 6.6
"""mm from the axis where the bulge has died out."""
AROUND = 24
FRONT = np.array([1.0, 1.75, 2.15, 3.6, 5.1, 5.9, 6.6, 7.7])
"""mm from the axis of the front rings: close together at the pupil's and the iris's edge."""
SIDE = np.radians([38, 48, 59])
BACK = np.radians([71, 86, 101, 118, 136, 156])
FULL_SCALE = np.radians(62)
"""Up to this angle the chart is true to scale; the rest, never seen, is squeezed into a narrow band."""
BAND = 4.0
"""mm, that band's width."""
GAZE = {"Up": (-15.0, 0.0), "Down": (18.0, 0.0), "In": (0.0, -23.0), "Out": (0.0, 23.0)}
"""Degrees of turn of the left eye about x and y at full weight. MPFB's helper eye turns 10 and 11 up and down and 15
sideways while sliding 1 to 2 mm, so that its pupil travels 2.8, 4.1 and 5.7 mm. These turns move our pupil by 4.2,
5.1 and 6.4 mm: what 20 to 30 degrees do to an eye of natural size (the figure's eyes are larger)."""


@dataclass(frozen=True)
class Eyeball:
    centre: np.ndarray
    """(3,) mm."""
    radius: float
    """mm of the sphere without the cornea."""

    def reflected(self) -> Eyeball:
        return Eyeball(self.centre * [-1, 1, 1], self.radius)


def profile(sine: np.ndarray, radius: float) -> np.ndarray:
    """Distance of the surface from the centre where the angle from the axis (in front) has this sine."""
    t = np.clip(np.asarray(sine) * radius / BULGE_RADIUS, 0, 1)
    return radius + BULGE * (1 - t**2) ** 1.4


def surface_distance(points: np.ndarray, eye: Eyeball, axis: np.ndarray | None = None) -> np.ndarray:
    """Signed distance (..., ) of points from the eyeball along the ray from its centre; positive outside."""
    axis = np.array([0.0, 0.0, 1.0]) if axis is None else axis
    d = points - eye.centre
    length = np.linalg.norm(d, axis=-1)
    cosine = (d @ axis) / np.maximum(length, 1e-9)
    sine = np.where(cosine > 0, np.sqrt(np.clip(1 - cosine**2, 0, 1)), 1.0)
    return length - profile(sine, eye.radius)


def neighbours(quads: np.ndarray, count: int) -> list[np.ndarray]:
    """For each vertex the others it shares an edge with."""
    pairs = np.concatenate([quads[:, [i, (i + 1) % 4]] for i in range(4)])
    pairs = np.unique(np.concatenate([pairs, pairs[:, ::-1]]), axis=0)
    return np.split(pairs[:, 1], np.searchsorted(pairs[:, 0], np.arange(1, count)))


@dataclass(frozen=True)
class LidRings:
    """Rows of the skin around the left eye's opening."""

    tuck: np.ndarray
    """(28,) the fold between lid and socket: it lies inside the eyeball, so that no gap can be seen."""
    margin: np.ndarray
    """(28,) the lids' rear edge, which touches the eyeball."""
    outer: tuple[np.ndarray, ...]
    """Further rings of the visible skin."""


def lid_rings(body: Body, skin: Skin, count: int = 6) -> LidRings:
    inside, outside = np.unique(skin.quads[skin.socket]), np.unique(skin.quads[~skin.socket])
    tuck = np.intersect1d(inside, outside)
    tuck = tuck[body.vertices[skin.source[tuck], 0] > 0]
    adjacent = neighbours(skin.quads, len(skin.source))
    seen, front, rings = set(inside), tuck, []
    for _ in range(count):
        front = np.unique([n for v in front for n in adjacent[v] if n not in seen])
        seen |= set(front)
        rings.append(front)
    return LidRings(tuck, rings[0], tuple(rings[1:]))


CLEARANCE = 0.15
"""mm between the eyeball and the lids' rear edge at rest."""


def fit_eyeball(body: Body, skin: Skin, rings: LidRings) -> Eyeball:
    """The left eyeball that the lids' rear edge hugs best, held near the helper's sphere."""
    helper = body.vertices[body.vertex_groups["helper-l-eye"]]
    start = helper.mean(axis=0)
    size = float(np.linalg.norm(helper - start, axis=1).mean())
    margin = body.vertices[skin.source[rings.margin]]

    def residual(x: np.ndarray) -> np.ndarray:
        lids = surface_distance(margin, Eyeball(x[:3], x[3])) - CLEARANCE
        return np.concatenate([lids, 0.7 * (x[:3] - start), [1.0 * (x[3] - size)]])

    x = least_squares(residual, np.append(start, size), loss="soft_l1", f_scale=0.5).x
    return Eyeball(x[:3], float(x[3]))


def build_eye(eye: Eyeball) -> Patch:
    """The left eyeball; the chart looks at it from the front, u to the subject's left."""
    angles = np.concatenate([np.arcsin(FRONT / eye.radius), SIDE, BACK])
    turn = 2 * np.pi * (np.arange(AROUND) + 0.5) / AROUND
    unit = np.stack([np.cos(turn), np.sin(turn)], axis=1)
    theta = np.concatenate([[0.0], np.repeat(angles, AROUND), [np.pi]])
    around = np.concatenate([[[1.0, 0.0]], np.tile(unit, (len(angles), 1)), [[1.0, 0.0]]])
    sine = np.where(theta < np.pi / 2, np.sin(theta), 1.0)
    rho = profile(sine, eye.radius)
    local = np.stack([np.sin(theta) * around[:, 0], np.sin(theta) * around[:, 1], np.cos(theta)], axis=1) * rho[:, None]
    last = len(local) - 1
    i = np.arange(AROUND)
    nothing = np.full(AROUND, -1)
    fan = np.stack([np.zeros(AROUND, int), 1 + (i + 1) % AROUND, 1 + i, nothing], axis=1)
    grid = ring_grid(len(angles), AROUND, 1)
    end = 1 + (len(angles) - 1) * AROUND
    back = np.stack([np.full(AROUND, last), end + i, end + (i + 1) % AROUND, nothing], axis=1)
    quads = np.concatenate([fan, grid, back])

    reach = chart_radius(angles, eye.radius)
    rim = chart_radius(np.array([np.pi]), eye.radius)
    mid = turn + np.pi / AROUND  # every triangle of the last fan has the pole to itself, on the chart's rim
    spread = np.concatenate([[0.0], np.repeat(reach, AROUND), np.repeat(rim, AROUND)])
    way = np.concatenate([[[1.0, 0.0]], np.tile(unit, (len(angles), 1)), np.stack([np.cos(mid), np.sin(mid)], axis=1)])
    uv = spread[:, None] * way * [1, -1]
    back_uv = back.copy()
    back_uv[:, 0] = last + i
    outer = np.repeat(np.concatenate([FRONT, np.full(len(angles) + 1 - len(FRONT), np.inf)]), AROUND)
    material = np.where(outer <= IRIS_RADIUS + 0.1, "iris", "sclera")
    return outward(
        Patch(
            vertices=interpolating(local, quads, 4) + eye.centre,
            quads=quads,
            material=material,
            chart=np.zeros(len(quads), int),
            corner_uv=uv,
            quad_uv=np.concatenate([fan, grid, back_uv]),
            colour=eye_colours(np.linalg.norm(uv, axis=1), uv, eye.radius),
            mirror=np.arange(len(local)),
        )
    )


def chart_radius(angle: np.ndarray, radius: float) -> np.ndarray:
    """mm from the chart's centre: the length of the meridian, squeezed behind FULL_SCALE."""
    dense = np.linspace(0, FULL_SCALE, 400)
    rho = profile(np.sin(dense), radius)
    steps = np.hypot(np.diff(rho * np.sin(dense)), np.diff(rho * np.cos(dense)))
    length = np.concatenate([[0], np.cumsum(steps)])
    beyond = (np.asarray(angle) - FULL_SCALE) / (np.pi - FULL_SCALE)
    return np.where(beyond <= 0, np.interp(angle, dense, length), length[-1] + BAND * np.clip(beyond, 0, 1))


def eye_colours(distance: np.ndarray, uv: np.ndarray, radius: float) -> np.ndarray:
    """(U, 3) uint8: pupil, a grey-brown iris (repainted from the photo at run time), off-white sclera, pink behind."""
    pupil, iris = iris_chart_radii(radius)[:2]
    stops = np.array([0, pupil, pupil + 0.3, iris * 0.75, iris - 0.4, iris, iris + 0.8, 11, 16, 21])
    rgb = np.array(
        [
            (12, 10, 9),
            (14, 11, 10),
            (84, 62, 45),
            (104, 80, 58),
            (72, 58, 48),
            (92, 84, 80),
            (226, 220, 214),
            (228, 219, 212),
            (216, 184, 174),
            (190, 120, 112),
        ]
    )
    colour = np.stack([np.interp(distance, stops, rgb[:, k]) for k in range(3)], axis=1)
    return np.round(colour).astype(np.uint8)


def iris_chart_radii(radius: float) -> tuple[float, float, float]:
    """Chart radii, mm, of pupil, iris and the outside of the limbus."""

    def at(r: float) -> float:
        angle = np.linspace(0, 0.8, 2000)
        across = np.sin(angle) * profile(np.sin(angle), radius)
        return float(chart_radius(np.array([np.interp(r, across, angle)]), radius)[0])

    return at(PUPIL_RADIUS), at(IRIS_RADIUS), at(IRIS_RADIUS + 0.5)


def gaze_axis(unit: str, side: str) -> np.ndarray:
    """(3, 3) rotation of the `side` ("Left", "Right") eye in a unit such as eyeLookUpLeft at full weight."""
    if not (unit.startswith("eyeLook") and unit.endswith(side)):
        return np.eye(3)
    pitch, yaw = np.radians(GAZE[unit.removeprefix("eyeLook").removesuffix(side)])
    yaw = yaw if side == "Left" else -yaw
    about_x = np.array([[1, 0, 0], [0, np.cos(pitch), -np.sin(pitch)], [0, np.sin(pitch), np.cos(pitch)]])
    about_y = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    return about_y @ about_x
