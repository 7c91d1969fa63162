"""How open the space around each point of a head is: the shade in nostrils, ears, behind lips and under lids."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Array
from tronie.raster.rasterizer import visible

if TYPE_CHECKING:
    from tronie.render.figure import Figure

OPENINGS: tuple[dict[str, float], ...] = (
    {"jawOpen": 1.0},
    {"mouthLowerDownLeft": 1.0, "mouthLowerDownRight": 1.0, "mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0},
    {"mouthFunnel": 1.0},
)
"""Expressions that let light into the mouth."""
DIRECTIONS, SIDE = 40, 256
"""Of the views from around, and their size in pixels."""
SLACK_MM = 1.5
"""What lies so little behind the nearest surface still sees the light."""


@dataclass(frozen=True, eq=False)
class Openness:
    """0..1 for each vertex, linear in how far the mouth is open."""

    rest: Array
    """(V,) float32."""
    change: Array
    """(N, V) float32: what each of OPENINGS adds."""

    def at(self, weights: Mapping[str, float] | None) -> Array:
        """(V,) float32 for weights by unit."""
        out = self.rest
        if weights and len(self.change):
            for opening, change in zip(OPENINGS, self.change, strict=True):
                share = float(np.mean([weights.get(unit, 0.0) for unit in opening]))
                if share > 0:
                    # The first millimetres between the lips let in most of the light.
                    out = out + np.float32(min(share, 1.0) ** 0.6) * change
        return np.asarray(np.clip(out, 0, 1), dtype=np.float32)


def openness(figure: Figure) -> Openness:
    """From the figure at rest and with each of OPENINGS; 0.2 s for the default head at level 1."""
    rest = open_share(figure.rest, figure)
    if figure.moves is None or "jawOpen" not in figure.names:
        return Openness(rest, np.zeros((0, len(rest)), np.float32))
    changes = [open_share(figure.posed(opening), figure) - rest for opening in OPENINGS]
    return Openness(rest, np.stack(changes))


def open_share(vertices: Array, figure: Figure) -> Array:
    """(V,) float32: the share of directions, weighed by the cosine, that reach each vertex past the other triangles."""
    from tronie.head.surface import vertex_normals

    v = np.asarray(vertices, dtype=np.float32)
    normals = vertex_normals(v, figure.faces)
    center = (v.min(axis=0) + v.max(axis=0)) / 2
    radius = float(np.linalg.norm(v - center, axis=1).max()) + 1
    scale = SIDE / (2 * radius)
    seen, total = np.zeros(len(v), np.float32), np.zeros(len(v), np.float32)
    for z in _directions(DIRECTIONS):
        x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
        x /= np.linalg.norm(x)
        p = (v - center) @ np.stack([x, -np.cross(z, x), -z]).T.astype(np.float32)
        # Orthographic: depth grows away from the light and stays positive.
        p = p * np.float32(1) + np.array([radius, radius, 2 * radius], np.float32)
        p[:, :2] *= np.float32(scale)
        inverse = visible(np.ascontiguousarray(p), figure.triangles, SIDE, SIDE, cull=not figure.both_sides)[1]
        near = 1 / np.maximum(inverse, np.float32(1e-6))
        depth = near[np.clip(p[:, 1].astype(int), 0, SIDE - 1), np.clip(p[:, 0].astype(int), 0, SIDE - 1)]
        cosine = normals @ z.astype(np.float32)
        cosine = np.abs(cosine) if figure.both_sides else np.maximum(cosine, 0)
        # A surface that is seen slantwise changes much in depth within one pixel.
        seen += cosine * (p[:, 2] < depth + SLACK_MM + np.float32(1.5 / scale) / np.maximum(cosine, 0.3))
        total += cosine
    return np.asarray(seen / np.maximum(total, np.float32(1e-6)), dtype=np.float32)


def _directions(count: int) -> Array:
    """(N, 3) unit vectors spread evenly over the sphere, on a spiral of golden angles."""
    z = 1 - (2 * np.arange(count) + 1) / count
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    r = np.sqrt(1 - z * z)
    return np.column_stack([r * np.cos(turn), r * np.sin(turn), z])
