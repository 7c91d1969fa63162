"""How little light from around gets into a mouth: an occlusion map, so that it need not be in the colours."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tronie.arrays import Image
from tronie.head.model import PARTS, HeadModel
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.texture.light import step

SIDE = 512
"""Pixels of the map; shade is soft."""
OPEN = {"teeth_upper": (0.9, 0.3, 26.0), "teeth_lower": (0.9, 0.3, 26.0), "tongue": (0.85, 0.1, 34.0),
        "mouth": (0.6, 0.06, 24.0)}  # fmt: skip
"""Of a part: how open the space around its foremost points is, around its rearmost, and how many millimetres behind the
first it becomes so; between a closed and an open mouth. A tongue put out takes its tip's along."""
SOCKETS, EYES_MM = 0.7, -25.0
"""The same of the lining of the eyes' sockets, which is above that height."""
GUTTER = 4
"""Pixels by which charts are carried on beyond their borders, for viewers that blur maps from afar."""


@lru_cache(maxsize=2)
def mouth_openness(model: HeadModel, level: int) -> Image | None:
    """(SIDE, SIDE): 255 where all light from around arrives, on the head's atlas; None without a mouth."""
    import cv2

    mesh = model.level(level)
    rows = mesh.triangle_part >= PARTS.index("teeth_upper")
    if not rows.any():
        return None
    place = mesh.apply(model.mean)
    depth = place[:, 2]
    open_share = np.ones((len(mesh.uv), 1), np.float32)
    for name, (front, rear, reach) in OPEN.items():
        own = mesh.triangle_part == PARTS.index(name)
        if not own.any():
            continue
        behind = depth[mesh.triangles[own]].max() - depth[mesh.triangles[own]]
        open_share[mesh.triangle_uv[own], 0] = front + (rear - front) * step(behind / reach, 0.0, 1.0)
    sockets = (mesh.triangle_part == PARTS.index("mouth")) & (place[mesh.triangles, 1].min(axis=1) > EYES_MM)
    open_share[mesh.triangle_uv[sockets]] = SOCKETS
    flat = np.concatenate([mesh.uv * SIDE, np.ones((len(mesh.uv), 1), np.float32)], axis=1)
    drawn = rasterize(flat, mesh.triangle_uv[rows], SIDE, SIDE, cull=False)
    inside = drawn.triangle >= 0
    values = np.where(inside, 255 * interpolate(drawn, mesh.triangle_uv[rows], open_share)[..., 0], 0)
    grey = np.round(values).astype(np.uint8)
    wider = cv2.dilate(grey, np.ones((2 * GUTTER + 1, 2 * GUTTER + 1), np.uint8))
    return np.where(inside, grey, np.where(wider > 0, wider, 255)).astype(np.uint8)
