"""Eyes and mouth from the head's own, where the photo's will not do: another gaze, closed lids, teeth behind lips that
are to meet, an eye whose mirror image would look the other way."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera
from tronie.head.model import PARTS, Head
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_layers, screen_points
from tronie.stages.portrait.plain import mouth_light
from tronie.stages.portrait.warp_anchors import Anchors
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.types import Texture

SOFT_MM = 1.0
"""Over which a patch fades in."""


def eye_patch(head: Head, part: str) -> Array:
    """(V,) 0..1: one eyeball."""
    return _part(head, (part,))


def mouth_patch(head: Head, facts: SurfaceFacts) -> Array:
    """(V,) 0..1: lips, teeth, tongue and lining."""
    lips = head.model.level(head.level).matrix @ facts.lips.astype(np.float32)
    return np.maximum(np.asarray(lips), _part(head, ("teeth_upper", "teeth_lower", "tongue")))


def _part(head: Head, names: tuple[str, ...]) -> Array:
    mesh = head.model.level(head.level)
    out = np.zeros(len(head.vertices), np.float32)
    out[mesh.triangles[np.isin(mesh.triangle_part, [PARTS.index(n) for n in names])]] = 1
    return out


def patch(
    out: Image, mask: Image, head: Head, texture: Texture, camera: Camera, pose: Array, vertices: Array,
    anchors: Anchors, share: Array,
) -> None:  # fmt: skip
    """Draw the head's vertices (V, 3) over `out` (H, W, 3) and `mask` where `share` (V,) says so, with soft edges."""
    import cv2

    used = share > 0.01
    if not used.any():
        return
    height, width = mask.shape
    margin = int(4 * SOFT_MM * anchors.per_mm) + 4
    at = anchors.here[used, :2]
    x0, y0 = np.clip(np.floor(at.min(axis=0)) - margin, 0, [width - 2, height - 2]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(at.max(axis=0)) + margin, [x0 + 2, y0 + 2], [width, height]).astype(int).tolist()
    part = replace(camera, center=(camera.center[0] - x0, camera.center[1] - y0), size=(x1 - x0, y1 - y0))
    level = head.model.level(head.level)
    light = mouth_light(vertices, head)
    drawn, kinds = render_layers(
        vertices, level, texture, part, pose, background=out[y0:y1, x0:x1], shading=UNLIT, occlusion=light
    )
    screen = screen_points(vertices, part, pose)
    shown = interpolate(rasterize(screen, level.triangles, y1 - y0, x1 - x0), level.triangles, share[:, None])[..., 0]
    sigma = SOFT_MM * anchors.per_mm / 2
    soft = cv2.GaussianBlur(shown, (0, 0), sigma)[..., None]
    here = out[y0:y1, x0:x1]
    here[:] = (here + soft * (drawn.astype(np.float32) - here) + 0.5).astype(np.uint8)
    there = mask[y0:y1, x0:x1]
    there[:] = np.where((soft[..., 0] > 0.5) & (kinds > 0), kinds, there)
