"""What the face model's files do not say and takes long to work out, so it is done once, at the import: where each
triangle lies in the texture, which vertices mirror each other, and which are the inner face."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.types import Array

Ints = NDArray[np.int32]

TEXTURE, PADDING = 2048, 8
"""Side of the texture that charts are packed for, and texels between them."""


@dataclass(frozen=True, eq=False)
class Layout:
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
    def load(cls, arrays: Mapping[str, NDArray[Any]]) -> Layout | None:
        """None where there is none. Raises ValueError or KeyError."""
        return cls(**{key: arrays[key] for key in ("uv", "face_uv", "mirror", "inner")}) if "uv" in arrays else None


def make_layout(mean: Array, triangles: Ints, uv: Array | None = None) -> Layout:
    """For a mean face (V, 3) in decimetres. `uv` (V, 2) is the user's own, origin at the bottom left; without it the
    face is unwrapped by xatlas where that is installed (half a minute for 32,000 vertices), else round a cylinder."""
    from tronie.head.adopt import mirror, nearest
    from tronie.head.model import default_head

    placed = mean * np.float32(100) - origin(mean)
    if uv is not None:
        flat: tuple[Array, Ints] | None = np.asarray(uv * [1, -1] + [0, 1], dtype=np.float32), triangles
    else:
        flat = unwrapped(placed, triangles)
    ours = default_head()
    skin = ours.vertices_of("skin")
    inner = ours.inner_face[skin][nearest(placed, ours.mean[skin], 1)[0][:, 0]]
    return Layout(*(flat or rolled_out(placed, triangles)), mirror(placed), inner)


def origin(mean: Array) -> Array:
    """(3,) millimetres, in the face model's own axes: of our head's space, by the nose's tip."""
    from tronie.head.morphable import NOSE_TIP

    return np.asarray(mean[mean[:, 2].argmax()] * 100.0 - NOSE_TIP, dtype=np.float32)


def unwrapped(points: Array, triangles: Ints) -> tuple[Array, Ints] | None:
    """Charts that do not overlap, and are little distorted, by xatlas; None without it."""
    try:
        import xatlas
    except ImportError:
        return None
    atlas = xatlas.Atlas()
    atlas.add_mesh(np.ascontiguousarray(points, dtype=np.float32), np.ascontiguousarray(triangles, dtype=np.uint32))
    pack = xatlas.PackOptions()
    pack.resolution, pack.padding, pack.bilinear = TEXTURE, PADDING, True
    atlas.generate(pack_options=pack)
    vertices, corners, uv = atlas[0]
    if not np.array_equal(vertices[corners], triangles):
        return None
    # Its numbers are shares of a width and a height that differ a little.
    size = np.array([atlas.width, atlas.height])
    return np.asarray(uv * (size / size.max()), dtype=np.float32), corners.astype(np.int32)


def rolled_out(points: Array, triangles: Ints) -> tuple[Array, Ints]:
    """Round a cylinder: what is below the nose and behind the lips shares its place with what is before it."""
    from tronie.head.layout import cylinder
    from tronie.head.morphable import Morphable

    faces = np.column_stack([triangles, np.full(len(triangles), -1, np.int32)])
    nothing = np.zeros((0, *points.shape), np.float32)
    uv, face_uv = cylinder(
        Morphable("", "", False, points, nothing, nothing, faces, np.zeros(len(faces), np.uint8))
    )  # fmt: skip
    # A mask takes up half of the circle: the rest would be empty.
    low, high = uv.min(axis=0), uv.max(axis=0)
    return np.asarray(0.01 + 0.98 * (uv - low) / np.maximum(high - low, 1e-6), dtype=np.float32), face_uv[:, :3]
