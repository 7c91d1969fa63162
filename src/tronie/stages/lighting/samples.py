"""What a texture holds, at the vertices of the control mesh: that is fine enough for light, and knows no seams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from tronie.arrays import Array
from tronie.color import srgb_to_linear
from tronie.geometry import smoothstep
from tronie.head.model import Head
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.compositing import sampled
from tronie.stages.texture.atlas import SurfaceFacts
from tronie.types import PROVENANCE, Fit, Texture

COARSE = 512
"""Side of the texture that is sampled; a texel of it is about 0.8 mm on the face."""
SPREAD = 1.6
"""Its blur, texels: the control mesh's vertices lie some 5 mm apart."""


@dataclass(frozen=True, slots=True)
class Samples:
    """Over the control vertices (C,) of the skin."""

    colour: Array
    """(C, 3) linear, averaged over some millimetres; at least 1e-3."""
    seen: Array
    """(C,) 0..1: the share of the texels around that the photo shows, and"""
    mirrored: Array
    """(C,) that come from the other side."""
    facing: Array
    """(C,) 0..1: seen, and not at a grazing angle."""
    rough: Array
    """(C,) how much brightness changes from texel to texel, as a share: much in hair and beards."""
    monochrome: bool
    """A grey or toned photo."""


def sample(texture: Texture, head: Head, fit: Fit, facts: SurfaceFacts) -> Samples:
    import cv2

    mesh, count = head.model.level(head.level), len(head.model.mean)
    side = min(COARSE, texture.image.shape[0])
    table = srgb_to_linear(np.arange(256)).astype(np.float32)
    small = cv2.resize(texture.image, (side, side), interpolation=cv2.INTER_AREA)
    stride = max(1, texture.provenance.shape[0] // side)
    kinds = texture.provenance[::stride, ::stride]
    names = [PROVENANCE[k] if k < len(PROVENANCE) else "" for k in range(256)]
    used = np.array([n in ("seen", "enhanced", "mirrored", "filled", "statistical") for n in names], np.float32)[kinds]
    shares = [np.array([n in of for n in names], np.float32)[kinds] for of in (("seen", "enhanced"), ("mirrored",))]
    light = np.log(small[..., 1].astype(np.float32) + 12)
    rough = np.abs(light - cv2.GaussianBlur(light, (0, 0), SPREAD * side / COARSE))
    layers = np.dstack([table[small] * used[..., None], *shares, rough * used, used])
    layers = cv2.GaussianBlur(layers, (0, 0), SPREAD * side / COARSE)
    row = np.zeros(count, np.int64)
    skin = mesh.triangle_part == 0
    corners = mesh.triangles[skin].ravel()
    inside = corners < count
    row[corners[inside]] = mesh.triangle_uv[skin].ravel()[inside]
    found = sampled(layers, mesh.uv[row].astype(np.float32) * side)
    amount = np.maximum(found[:, -1:], 1e-3)
    on_skin = facts.skin[:count]
    colour = np.maximum(found[:, :3] / amount, 1e-3)
    seen, mirrored = (np.clip(found[:, k] / amount[:, 0], 0, 1) * on_skin for k in (3, 4))
    normals = triangle_vertex_normals(head.vertices, mesh.triangles)[:count]
    eye = -fit.head_to_camera[:3, :3].T @ fit.head_to_camera[:3, 3] - head.vertices[:count]
    cosine = (normals * eye).sum(axis=1) / np.linalg.norm(eye, axis=1)
    return Samples(
        colour=np.asarray(colour, dtype=np.float64),
        seen=smoothstep(seen, 0.3, 0.9),
        mirrored=mirrored,
        facing=smoothstep(seen, 0.6, 0.95) * smoothstep(cosine, 0.2, 0.5),
        rough=found[:, 5] / amount[:, 0],
        monochrome=_monochrome(small, shares[0]),
    )


def _monochrome(picture: Any, seen: Array) -> bool:
    """Whether all that is seen has one hue, as far as the lossy chroma of files goes."""
    some = picture[seen > 0].reshape(-1, 3)[::7].astype(np.float64)
    some = some[(some.min(axis=1) > 20) & (some.max(axis=1) < 245)]
    if len(some) < 50:
        return False
    log = np.log(some + 8)
    hue = np.stack([log[:, 0] - log[:, 1], log[:, 2] - log[:, 1]])
    low, high = np.quantile(hue, [0.1, 0.9], axis=1)
    return bool((high - low).max() < 0.05)
