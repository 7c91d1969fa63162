"""What the face model's files do not say and takes long to work out, so it is done once, at the import: where each
triangle lies in the texture, which vertices mirror each other, and which are the inner face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.raster.rasterizer import visible

Ints = NDArray[np.int32]

TEXTURE, PADDING = 2048, 8
"""Side of the texture that charts are packed for, and texels between them."""
BEHIND = 10.0
"""mm behind the mask's border of the point that it is spread out from."""
MOST_STRETCHED = 6.0
"""Times as large as in the flat picture: beyond it a triangle gets too few texels."""
LOOKED_AT = 2000
"""Pixels across the flat picture where it is looked for what lies above what."""
RINGS = 2
"""Of triangles about those that do not lie flat."""


@dataclass(frozen=True, eq=False)
class Topology:
    """For the triangles and vertices of one face model."""

    uv: Array
    """(U, 2) float32 0..1, origin at the top left, v down."""
    face_uv: Ints
    """(T, 3) rows of `uv`."""
    mirror: Ints
    """(V,) the vertex on the other side."""
    inner: NDArray[np.bool_]
    """(V,) the inner face, as in our own head."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """To be saved; `load` reads them."""
        return {"uv": self.uv, "face_uv": self.face_uv, "mirror": self.mirror, "inner": self.inner}

    @classmethod
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Topology | None:
        """None where there is none. Raises ValueError or KeyError."""
        return cls(**{key: arrays[key] for key in ("uv", "face_uv", "mirror", "inner")}) if "uv" in arrays else None


def make_layout(mean: Array, triangles: Ints, uv: Array | None = None) -> Topology:
    """For a mean face (V, 3) in decimetres. `uv` (V, 2) is the user's own, origin at the bottom left; without it the
    face is spread out with the help of xatlas where that is installed, else round a cylinder."""
    from tronie.head.model import default_head
    from tronie.head.retarget import mirror, nearest_points

    placed = mean * np.float32(100) - origin(mean)
    if uv is not None:
        flat: tuple[Array, Ints] | None = np.asarray(uv * [1, -1] + [0, 1], dtype=np.float32), triangles
    else:
        flat = unwrapped(placed, triangles)
    ours = default_head()
    skin = ours.vertices_of("skin")
    inner = ours.inner_face[skin][nearest_points(placed, ours.mean[skin], 1)[0][:, 0]]
    return Topology(*(flat or rolled_out(placed, triangles)), mirror(placed), inner)


def origin(mean: Array) -> Array:
    """(3,) millimetres, in the face model's own axes: of our head's space, by the nose's tip."""
    from tronie.head.morphable import NOSE_TIP

    return np.asarray(mean[mean[:, 2].argmax()] * 100.0 - NOSE_TIP, dtype=np.float32)


def unwrapped(points: Array, triangles: Ints) -> tuple[Array, Ints] | None:
    """Charts that do not overlap: the face in one, as spread out from a point behind it, and what that would fold or
    stretch (below the nose, behind the lips) in others by xatlas; None without it."""
    try:
        import xatlas
    except ImportError:
        return None
    flat = spread_out(points)
    folded = _grown(triangles, _folded(flat, points, triangles), len(points))
    charts, corners = flat, triangles.copy()
    if folded.any():
        used, rows = np.unique(triangles[folded], return_inverse=True)
        rest = xatlas.Atlas()
        rest.add_mesh(np.ascontiguousarray(points[used], dtype=np.float32), rows.reshape(-1, 3).astype(np.uint32))
        rest.generate()
        _, parts, uv = rest[0]
        size = np.array([rest.width, rest.height]) / rest.texels_per_unit  # in the unit of the points
        charts = np.concatenate([flat, uv * size + flat.max(axis=0) + 1])  # to the side: they must not touch the face
        corners[folded] = parts.astype(np.int32) + len(flat)
    atlas = xatlas.Atlas()
    kept, rows = np.unique(corners, return_inverse=True)
    atlas.add_uv_mesh(np.ascontiguousarray(charts[kept], dtype=np.float32), rows.reshape(-1, 3).astype(np.uint32))
    pack = xatlas.PackOptions()
    pack.resolution, pack.padding, pack.bilinear = TEXTURE, PADDING, True
    pack.rotate_charts = pack.rotate_charts_to_axis = False  # the face stays upright
    atlas.generate(pack_options=pack)
    vertices, packed, uv = atlas[0]
    if not np.array_equal(kept[vertices[packed]], corners):
        return None
    # Its numbers are shares of a width and a height that differ a little.
    size = np.array([atlas.width, atlas.height])
    return np.asarray(uv * (size / size.max()), dtype=np.float32), packed.astype(np.int32)


def spread_out(points: Array) -> Array:
    """(V, 2) about as long as (V, 3), v down: the azimuthal equidistant map round a point behind the face."""
    low, high = points.min(axis=0), points.max(axis=0)
    away = points - np.array([0, (low[1] + high[1]) / 2, low[2] - BEHIND])
    far, aside = np.linalg.norm(away, axis=1), np.linalg.norm(away[:, :2], axis=1)
    angle = np.arctan2(aside, away[:, 2])
    return np.asarray(away[:, :2] * (angle / np.maximum(aside, 1e-6) * np.median(far))[:, None] * [1, -1])


def _folded(flat: Array, points: Array, triangles: Ints) -> NDArray[np.bool_]:
    """(T,) which triangles of a flat picture (V, 2), v down, are turned over, much too small, or lie below others."""
    a, b, c = (flat[triangles[:, k]] for k in range(3))
    area = (b - a)[:, 1] * (c - a)[:, 0] - (b - a)[:, 0] * (c - a)[:, 1]
    first, second = (points[triangles[:, k]] - points[triangles[:, 0]] for k in (1, 2))
    bad = area * MOST_STRETCHED < np.linalg.norm(np.cross(first, second), axis=1)
    scale = LOOKED_AT / np.ptp(flat, axis=0).max()
    screen = (flat - flat.min(axis=0)) * scale
    nearest = np.column_stack([screen, 1000 - np.linalg.norm(points - points.mean(axis=0), axis=1)])
    seen = visible(np.asarray(nearest, np.float32), triangles[~bad], LOOKED_AT + 1, LOOKED_AT + 1)[0]
    middle = screen[triangles[~bad]].mean(axis=1).astype(int)
    there = seen[middle[:, 1], middle[:, 0]]
    # A triangle that covers the pixel of its middle is seen there, or another one above it is.
    inside = np.abs(middle + 0.5 - screen[triangles[~bad]].mean(axis=1)).max(axis=1) < 0.5
    bad[~bad] = inside & (there >= 0) & ~_neighbours(triangles[~bad], there)
    return np.asarray(bad, dtype=bool)


def _neighbours(triangles: Ints, others: Ints) -> NDArray[np.bool_]:
    """(T,) whether each triangle shares a corner with the one of `others`, or is that."""
    return np.asarray((triangles[:, :, None] == triangles[others][:, None, :]).any(axis=(1, 2)))


def _grown(triangles: Ints, some: NDArray[np.bool_], vertices: int) -> NDArray[np.bool_]:
    """(T,) with the triangles around, so that what is taken out does not fall into crumbs."""
    for _ in range(RINGS):
        touched = np.zeros(vertices, dtype=bool)
        touched[triangles[some]] = True
        some = np.asarray(touched[triangles].any(axis=1))
    return some


def rolled_out(points: Array, triangles: Ints) -> tuple[Array, Ints]:
    """Round a cylinder: what is below the nose and behind the lips shares its place with what is before it."""
    from tronie.head.morphable import Morphable
    from tronie.head.uv_layout import cylinder

    faces = np.column_stack([triangles, np.full(len(triangles), -1, np.int32)])
    nothing = np.zeros((0, *points.shape), np.float32)
    uv, face_uv = cylinder(Morphable("", "", False, points, nothing, nothing, faces, np.zeros(len(faces), np.uint8)))
    # A mask takes up half of the circle: the rest would be empty.
    low, high = uv.min(axis=0), uv.max(axis=0)
    return np.asarray(0.01 + 0.98 * (uv - low) / np.maximum(high - low, 1e-6), dtype=np.float32), face_uv[:, :3]
