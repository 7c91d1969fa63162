"""Evening: light from one side taken out of a texture where the sides of the face disagree.

Seen from the side such a head has two halves of two people. The slow difference of both sides, in the logarithm, is
taken back where it is larger than usual.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.head.model import HeadModel
from tronie.raster.rasterizer import Buffers, interpolate, rasterize
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.stages.texture.mesh_filters import MeshGraph
from tronie.types import PROVENANCE

UNEVEN = (0.2, 0.35)
"""Difference of the sides (RMS of its logarithm over the face) that is left alone, and that is taken out: of 100
real portraits 12 have more than the first, 3 more than the second."""
SHARE = 0.7
"""Of it that is taken out: some shading is a face's shape."""
MOST = 0.9
"""Logarithm of the largest difference that is taken for light."""
SLOW = 0.02
"""How much a vertex's own difference counts against its neighbours': it is averaged over some seven edges, 35 mm."""
SIDE = 512
"""Of the map in which the field is drawn."""
SYNTHETIC = PROVENANCE.index("synthetic")


def evening(graph: MeshGraph, model: HeadModel, facts: SurfaceFacts, colour: Array, skin: Array) -> Array | None:
    """(C, 3) factors that even out the colours (C, 3) sRGB of a head, `skin` (C,) 0..1 saying what is its skin; None
    where its sides agree."""
    log = np.log(np.clip(colour, 0, None) + 8)
    ratio = np.clip(log - log[model.mirror], -1.5 * MOST, 1.5 * MOST)
    weight = SLOW * np.minimum(skin, skin[model.mirror])
    slow = graph.membrane(weight, ratio, np.full(len(skin), 0.02 * SLOW, np.float32), np.zeros_like(ratio), 60)
    slow = np.clip((slow - slow[model.mirror]) / 2, -MOST, MOST)
    face = facts.inner & (weight > 0.5 * SLOW)
    if not face.any():
        return None
    uneven = float(np.sqrt((slow[face].mean(axis=1) ** 2).mean()))
    share = SHARE * float(smoothstep(np.array(uneven), *UNEVEN))
    return np.exp(-share * slow / 2) if share > 0 else None


def apply(image: Image, provenance: Image, factors: Array, model: HeadModel, level: int) -> None:
    """Multiply a texture (S, S, 3), in place, by factors (V, 3) at the vertices; not what is painted."""
    import cv2

    size = len(image)
    buffers, corners, nearest = _chart(model, level)
    drawn = interpolate(buffers, corners, factors.astype(np.float32)).reshape(-1, 3)[nearest]
    field = drawn.reshape(SIDE, SIDE, 3)
    rows = max(size // 8, 1)
    for top in range(0, size, rows):  # a strip at a time, to save memory
        strip = slice(top, top + rows)
        y = (np.arange(top, min(top + rows, size), dtype=np.float32) + 0.5) * SIDE / size - 0.5
        x = (np.arange(size, dtype=np.float32) + 0.5) * SIDE / size - 0.5
        across, down = (np.ascontiguousarray(a, np.float32) for a in np.broadcast_arrays(x, y[:, None]))
        some = cv2.remap(field, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        some = np.where((provenance[strip] == SYNTHETIC)[..., None], np.float32(1), some)
        image[strip] = np.clip(image[strip] * some + 0.5, 0, 255)


@lru_cache(maxsize=2)
def _chart(model: HeadModel, level: int) -> tuple[Buffers, NDArray[np.int32], NDArray[np.int64]]:
    """The atlas's skin as drawn, the vertices of its triangles, and for each texel the number of the nearest one."""
    import cv2

    mesh = model.level(level)
    skin = mesh.triangle_part == 0
    flat = np.concatenate([mesh.uv * SIDE, np.ones((len(mesh.uv), 1))], axis=1).astype(np.float32)
    buffers = rasterize(flat, mesh.triangle_uv[skin], SIDE, SIDE, cull=False)
    inside = buffers.triangle >= 0
    labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    source = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    at = np.flatnonzero(inside.ravel())
    source[labels.ravel()[at]] = at
    return buffers, mesh.triangles[skin], source[labels.ravel()]
