"""Dental arches: single crowns after the tables of dental anatomy, gums with a scalloped margin."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from training.head.mpfb import Body
from training.head.surface_patch import Patch, interpolating, joined, outward, pair, ring_grid

TABLE = {
    # height, mesio-distal width, labio-lingual depth of the crowns in mm (Ash & Nelson, Wheeler's Dental Anatomy)
    "upper": [(10.5, 8.5, 7.0), (9.0, 6.5, 6.0), (10.0, 7.5, 8.0), (8.5, 7.0, 9.0), (8.5, 7.0, 9.0), (7.5, 10.0, 11.0),
              (7.0, 9.0, 11.0)],
    "lower": [(9.0, 5.0, 6.0), (9.5, 5.5, 6.5), (11.0, 7.0, 7.5), (8.5, 7.0, 7.5), (8.0, 7.0, 8.0), (7.5, 11.0, 10.5),
              (7.0, 10.5, 10.0)],
}  # fmt: skip
KINDS = ("incisor", "incisor", "canine", "premolar", "premolar", "molar", "molar")
OVERBITE = np.array([2.0, 2.0, 1.9, 1.2, 1.0, 0.8, 0.8])
"""mm by which each upper tooth reaches past its lower neighbour."""
OVERJET = 2.3
"""mm from the upper to the lower arch, measured outwards at the front."""
RETREAT = 1.2
"""mm that the arches stand behind the helper's front, so that the lips clear them."""


DROP = 2.2
"""mm below the helper's edge: with the lips parted the upper incisors then show, as in life."""


@dataclass(frozen=True)
class Arch:
    """Where one arch lies: the line through the crowns' contact points, seen from above, and its heights."""

    upper: bool
    width: float
    """mm between the ends of the line."""
    depth: float
    back: float
    """z of the ends."""
    scale: float
    """Of the crowns, against the table."""
    edge: tuple[float, float]
    """Height of the biting edge over z: y = edge[0] + edge[1] * z."""

    def line(self) -> tuple[np.ndarray, np.ndarray]:
        """Arc length (n,) from the midline and points (n, 2) x, z of the left half (Braun et al. 1998)."""
        t = 1 - (1 - np.linspace(0, 1, 1500)) ** 2
        x = t * self.width / 2
        z = self.back + self.depth * np.clip(1 - t**2, 0, None) ** 0.8
        p = np.stack([x, z], axis=1)
        return np.concatenate([[0], np.cumsum(np.linalg.norm(np.diff(p, axis=0), axis=1))]), p

    def at(self, s: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Points, directions towards the back, and outward directions (n, 2) at signed arc lengths (right is < 0)."""
        length, p = self.line()
        direction = np.gradient(p, length, axis=0)
        direction[0] = [1, 0]
        a = np.abs(np.asarray(s, dtype=float))
        point = np.stack([np.interp(a, length, p[:, k]) for k in (0, 1)], axis=-1)
        way = np.stack([np.interp(a, length, direction[:, k]) for k in (0, 1)], axis=-1)
        past = np.maximum(a - length[-1], 0)[..., None]
        point = point + past * way
        side = np.where(np.asarray(s) < 0, -1.0, 1.0)[..., None]
        way = way / np.linalg.norm(way, axis=-1, keepdims=True)
        out = np.stack([-way[..., 1], way[..., 0]], axis=-1)
        mirror = np.concatenate([side, np.ones_like(side)], axis=-1)
        return point * mirror, way * mirror, out * mirror

    @property
    def down(self) -> float:
        """Sign of y from the gum to the biting edge."""
        return -1.0 if self.upper else 1.0

    def middles(self) -> np.ndarray:
        """(7,) arc lengths of the left crowns' middles."""
        widths = self.scale * np.array([w for _, w, _ in self.crowns])
        return np.cumsum(widths) - widths / 2

    @property
    def crowns(self) -> list[tuple[float, float, float]]:
        return TABLE["upper" if self.upper else "lower"]

    def edge_height(self, tooth: np.ndarray | int) -> np.ndarray:
        """y of the biting edge of tooth numbers (0 the central incisor)."""
        z = np.interp(tooth, np.arange(7), self.at(self.middles())[0][:, 1])
        bite = 0 if self.upper else np.interp(tooth, np.arange(7), OVERBITE)
        lateral = 0.5 * np.exp(-((np.asarray(tooth) - 1.0) ** 2) / 0.1) if self.upper else 0.0  # laterals are shorter
        return self.edge[0] + self.edge[1] * z + bite + lateral


def fit_arches(body: Body) -> tuple[Arch, Arch]:
    """Upper and lower arch in place of the helpers."""
    upper = body.vertices[body.vertex_groups["helper-upper-teeth"]]
    front = upper[:, 2].max() - RETREAT - 1.3
    wide = 2 * (upper[:, 0].max() - 5.5)
    back = upper[:, 2].min() + 1.0
    # The helper's biting edge: its lowest points, front to back.
    bins = np.digitize(upper[:, 2], np.linspace(upper[:, 2].min(), upper[:, 2].max() + 1e-6, 9))
    low = np.array([upper[bins == k][upper[bins == k][:, 1].argmin()] for k in np.unique(bins)])
    slope, height = np.polyfit(low[:, 2], low[:, 1], 1)
    edge = (float(height) - DROP, float(slope))
    return _arch(True, wide, front, back, edge), _arch(False, wide - 4.0, front - OVERJET, back, edge)


def _arch(upper: bool, width: float, front: float, back: float, edge: tuple[float, float]) -> Arch:
    arch = Arch(upper, width, front - back, back, 1.0, edge)
    total = sum(w for _, w, _ in arch.crowns)
    scale = float(np.clip(arch.line()[0][-1] / total, 0.85, 1.0))

    def excess(depth: float) -> float:
        return float(replace(arch, depth=depth, back=front - depth).line()[0][-1] - scale * total)

    depth = brentq(excess, 10, 90)
    return replace(arch, depth=depth, back=front - depth, scale=scale)


# One crown's rings from the root to the biting edge. Per ring: height (0 gum line, 1 edge), half width, outer and inner
# half depth (all as shares of half the table's width and depth), and a shift outwards in shares of half the depth.
SHAPES = {
    "incisor": [(-0.12, 0.70, 0.86, 0.86, 0.0), (0.30, 0.90, 0.86, 0.72, 0.10), (0.76, 1.0, 0.48, 0.34, 0.30),
                (1.0, 0.96, 0.17, 0.12, 0.36)],
    "canine": [(-0.12, 0.70, 0.88, 0.86, 0.0), (0.32, 0.92, 0.98, 0.76, 0.04), (0.70, 0.99, 0.66, 0.46, 0.20),
               (0.93, 0.64, 0.26, 0.20, 0.26)],
    "premolar": [(-0.12, 0.74, 0.86, 0.86, 0.0), (0.34, 0.96, 1.0, 1.0, 0.0), (0.72, 0.99, 0.88, 0.88, 0.0),
                 (0.95, 0.74, 0.55, 0.52, 0.0)],
    "molar": [(-0.12, 0.80, 0.88, 0.88, 0.0), (0.34, 0.98, 1.0, 1.0, 0.0), (0.72, 0.99, 0.90, 0.90, 0.0),
              (0.95, 0.76, 0.60, 0.58, 0.0)],
}  # fmt: skip
LEVELS = 4
OUTLINE = np.array(
    [(-1.0, 0.0), (-0.74, 0.86), (0.0, 1.0), (0.74, 0.86), (1.0, 0.0), (0.64, -0.84), (0.0, -1.0), (-0.64, -0.84)]
)
"""(8, 2) ring around a crown: towards the back (+), outwards (+). Starts at the contact with the neighbour in front."""
TILT = {True: 0.10, False: 0.04}
"""Outward lean of the front teeth, as a slope; upper, lower."""


def build_crown(arch: Arch, tooth: int) -> Patch:
    """One left crown: four rings of eight and a middle point of the biting surface, open at the root."""
    height, width, depth = arch.scale * np.array(arch.crowns[tooth])
    kind = KINDS[tooth]
    rings = np.array(SHAPES[kind])
    along = rings[:, 1:2] * width / 2 * 1.025 * OUTLINE[:, 0]  # a hair wide: neighbours touch
    deep = np.where(OUTLINE[:, 1] > 0, rings[:, 2:3], rings[:, 3:4]) * OUTLINE[:, 1] + rings[:, 4:5] - rings[2, 4]
    out = deep * depth / 2
    up = np.repeat(rings[:, :1] * height, 8, axis=1)
    centre = np.array([0.0, (0.36 - rings[2, 4]) * depth / 2, height])
    if kind == "incisor":
        up[-1] -= 0.35 * (np.abs(OUTLINE[:, 0]) > 0.9) + (0.3 if tooth == 1 else 0.12) * (OUTLINE[:, 0] > 0.5)
    elif kind == "canine":
        up[-1] += np.array([-1.3, -0.9, 0.75, -1.1, -1.7, -1.1, 0.3, -0.9])
        centre[2], centre[1] = height * 0.99, (0.3 - rings[2, 4]) * depth / 2
    elif kind == "premolar":
        up[-1] += np.array([-0.9, 0.0, 0.75, 0.0, -0.9, -0.5, 0.0, -0.5])
        centre = np.array([0.0, -0.05 * depth, height * 0.95 - 1.6])
    else:
        up[-1] += np.array([-0.7, 0.5, -0.5, 0.4, -0.8, 0.3, -0.5, 0.3])
        centre = np.array([0.0, 0.0, height * 0.95 - 1.7])
    lean = TILT[arch.upper] if tooth < 3 else -0.06 if arch.upper is False and tooth > 3 else 0.0
    local = np.concatenate([np.stack([along, out, up], axis=-1).reshape(-1, 3), centre[None]])
    local[:, 1] += lean * (local[:, 2] - height * 0.76)

    grid = ring_grid(LEVELS, 8)
    cap = np.array([[8 * LEVELS, *(8 * LEVELS - 8 + (k + np.arange(3)) % 8)] for k in (1, 3, 5, 7)])
    quads = np.concatenate([grid, cap])
    local[8:] = interpolating(local, quads, 2, 0.8)[8:]

    s = arch.middles()[tooth]
    point, way, outwards = arch.at(np.array(s))
    flat = point + local[:, :1] * way + local[:, 1:2] * outwards
    y = arch.edge_height(tooth) + arch.down * (local[:, 2] - height)
    vertices = np.stack([flat[:, 0], y, flat[:, 1]], axis=1)

    # The chart is a disc: the biting surface in the middle, the gum line around.
    angle = np.arctan2(-arch.down * OUTLINE[:, 1], OUTLINE[:, 0]) * -1  # seen from outside, not mirrored
    reach = np.array([1.0, 0.72, 0.42, 0.2])[:, None]
    size = disc_radius(arch, tooth)
    uv = np.stack([reach * np.cos(angle), reach * np.sin(angle)], axis=-1).reshape(-1, 2) * size
    uv = np.concatenate([uv, [[0.0, 0.0]]]) + disc_place(arch, tooth)
    patch = Patch(
        vertices=vertices,
        quads=quads,
        material=np.full(len(quads), "crown"),
        chart=np.zeros(len(quads), int),
        corner_uv=uv,
        quad_uv=quads.copy(),
        colour=crown_colours(local, height, kind, tooth),
        mirror=np.arange(8 * LEVELS + 1),
    )
    return outward(patch)


def disc_radius(arch: Arch, tooth: int) -> float:
    """mm in the chart: front teeth nearly true to scale, those behind smaller since they are seldom seen."""
    height, width, _ = arch.crowns[tooth]
    return float(np.sqrt(height * width) * (0.62 if tooth < 3 else 0.5 if tooth < 5 else 0.4))


def disc_place(arch: Arch, tooth: int) -> np.ndarray:
    """(2,) middle of a left crown's disc: front four in the upper row, the rest below."""
    row = range(0, 4) if tooth < 4 else range(4, 7)
    radius = [disc_radius(arch, t) for t in row]
    gap = 0.8
    u = sum(2 * r + gap for r in radius[: tooth - row[0]]) + radius[tooth - row[0]] + gap / 2
    first, second = (max(disc_radius(arch, t) for t in r) for r in (range(0, 4), range(4, 7)))
    return np.array([u, 0.0 if tooth < 4 else first + second + gap])


def crown_colours(local: np.ndarray, height: float, kind: str, tooth: int) -> np.ndarray:
    """Warm ivory, yellower at the neck, greyer and more translucent at the incisal edge, darker between the teeth."""
    t = np.clip(local[:, 2] / height, -0.3, 1)
    stops = np.array([-0.3, 0.05, 0.3, 0.7, 1.0])
    rgb = np.array([(176, 128, 104), (214, 190, 158), (230, 216, 190), (234, 224, 204), (222, 216, 202)], dtype=float)
    colour = np.stack([np.interp(t, stops, rgb[:, k]) for k in range(3)], axis=1)
    between = np.zeros(len(local))
    for ring in range(LEVELS):
        between[ring * 8 + np.array([0, 4])] = 1
    colour *= 1 - 0.16 * between[:, None]
    inner = np.zeros(len(local))
    for ring in range(LEVELS):
        inner[ring * 8 + np.array([5, 6, 7])] = 1
    colour *= 1 - 0.12 * inner[:, None]
    if kind == "canine":
        colour *= np.array([0.985, 0.965, 0.93])
    colour[-1] *= 0.86 if kind in ("premolar", "molar") else 1.0
    return np.round(colour * (1 - 0.045 * max(tooth - 2, 0))).astype(np.uint8)


GUM_ROWS = 8


def build_gum(arch: Arch) -> Patch:
    """A band around all necks: from the vestibule over the scalloped margin to the inside of the mouth."""
    middles = arch.middles()
    widths = arch.scale * np.array([w for _, w, _ in arch.crowns])
    heights = arch.scale * np.array([h for h, _, _ in arch.crowns])
    depths = arch.scale * np.array([d for _, _, d in arch.crowns]) / 2
    ends = middles + widths / 2
    beside = 0.26 * widths
    left = np.concatenate([np.stack([middles - beside, middles + beside, ends], axis=1).ravel(), [ends[-1] + 4.0]])
    s = np.concatenate([-left[::-1], [0.0], left])
    n = np.arange(7)
    number = np.concatenate([np.stack([n - 0.1, n + 0.1, n + 0.5], axis=1).ravel(), [6.6]])
    tooth = np.concatenate([number[::-1], [-0.5], number])
    teeth = np.clip(tooth, 0, 6)
    between = np.isclose(tooth % 1, 0.5)
    tail = np.isclose(tooth, 6.6)
    tall, thick = np.interp(teeth, np.arange(7), heights), np.interp(teeth, np.arange(7), depths)
    neck = arch.edge_height(teeth) - arch.down * tall  # y of the gum line
    front = np.clip(1 - teeth / 4, 0, 1)
    papilla = np.where(between, 0.27 * tall, 0.35)
    fullness = np.where(between, 0.72, 0.97) * thick
    # Rows: (height towards the biting edge beyond the gum line, distance outwards); low ones are deep in the gum.
    lingual = np.interp(teeth, np.arange(7), [-0.30, -0.30, -0.20, 0, 0, 0, 0]) * thick  # as the crowns' necks
    rows = [
        (-8.0 - 1.0 * front, fullness + 1.2 + 0.5 * front - 2.0 * (1 - front)),
        (-4.5 + 0 * thick, fullness + 1.3),
        (-1.0 + papilla * 0.4, fullness + 1.0),
        (papilla * 0.95, fullness + 0.42),
        (papilla * 1.02 - 0.3, np.where(between, 0.30, 0.78) * thick),
        (papilla * 1.02 - 0.3, -np.where(between, 0.30, 0.74) * thick),
        (papilla * 0.8, -fullness - 0.35),
        (-7.5 + 0 * thick, -fullness - 3.2),
    ]
    point, _, outwards = arch.at(s)
    grid = np.empty((len(s), GUM_ROWS, 3))
    for r, (rise, out) in enumerate(rows):
        rise = np.where(tail, np.minimum(rise, -1.5), rise)
        out = np.where(tail, out * 0.7, out) + lingual
        flat = point + out[:, None] * outwards
        grid[:, r] = np.stack([flat[:, 0], neck + arch.down * rise, flat[:, 1]], axis=1)
    columns = len(s)
    target = grid.reshape(-1, 3)
    mirror = (np.arange(columns)[::-1, None] * GUM_ROWS + np.arange(GUM_ROWS)).ravel()
    target = (target + target[mirror] * [-1, 1, 1]) / 2
    quads = ring_grid(columns, GUM_ROWS, closed=False)
    normal = np.cross(target[quads[:, 1]] - target[quads[:, 0]], target[quads[:, 3]] - target[quads[:, 0]])
    crest = np.arange(len(quads)) % (GUM_ROWS - 1) == 4
    if (normal[crest, 1] * arch.down).sum() < 0:
        quads = quads[:, [0, 3, 2, 1]]
    across = np.linalg.norm(np.diff(grid, axis=1), axis=2).mean(axis=0)
    v = -arch.down * np.concatenate([[0], np.cumsum(across)])  # as seen from the front: lower gum below its margin
    uv = np.stack(np.broadcast_arrays(s[:, None], v[None]), axis=-1).reshape(-1, 2)
    control = interpolating(target, quads, 2, 0.7)
    rim = np.isin(np.arange(len(target)) % GUM_ROWS, (0, GUM_ROWS - 1))
    control[rim] = target[rim]
    return Patch(
        vertices=control,
        quads=quads,
        material=np.full(len(quads), "gum"),
        chart=np.zeros(len(quads), int),
        corner_uv=uv,
        quad_uv=quads.copy(),
        colour=gum_colours(teeth, between, columns),
        mirror=mirror,
    )


def gum_colours(teeth: np.ndarray, between: np.ndarray, columns: int) -> np.ndarray:
    """Coral pink at the margin, redder in the vestibule and towards the back."""
    row = np.array(
        [
            (148, 62, 62),
            (176, 86, 84),
            (206, 124, 116),
            (204, 126, 118),
            (150, 70, 66),
            (150, 70, 66),
            (196, 112, 106),
            (150, 66, 66),
        ],
        dtype=float,
    )
    colour = np.broadcast_to(row, (columns, GUM_ROWS, 3)).copy()
    colour[between, 3] *= 0.94
    return np.round(colour * (1 - 0.07 * teeth)[:, None, None]).astype(np.uint8).reshape(-1, 3)


def build_arch(arch: Arch) -> Patch:
    """Crowns (chart 0) and gum (chart 1); each chart is mirror-symmetric about u = 0."""
    left = joined([build_crown(arch, t) for t in range(7)], own_charts=False)
    return joined([pair(left), build_gum(arch)])
