"""The far side of a turned head: drawn from the head, with the near side's hair, before a background without it.

A warp of the photo has nothing to show there but what the photo has: the edge of the profile, smeared. So of a head that
is turned by more than some degrees the side that the photo hides is laid anew, from behind to the front: background and
shoulders, inpainted smoothly where the photo has the head; neck and head with their completed texture; and the hair,
which is the near side's mirror image, for the portrait's camera looks along the head's own plane of symmetry.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, Similarity, smoothstep
from tronie.head.model import Head, Level
from tronie.raster.compositing import sampled
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_layers, screen_points
from tronie.runtime.jit import jit
from tronie.stages.portrait.layers import bilinear, weigh
from tronie.stages.portrait.plain import fades, mouth_light
from tronie.stages.portrait.warp_anchors import Anchors, HeadRegions
from tronie.stages.portrait.warp_field import membrane
from tronie.types import PROVENANCE, SEGMENTS, Segmentation, Texture

FACE_YAW = (18.0, 28.0)
"""Degrees of yaw over which the hidden skin goes from the photo's other side to the head's texture."""
SIDE_YAW = 22.0
"""From where on all of the far side is laid anew, not its skin only: two pictures of hair cannot be mixed."""
ROWS = 64
"""Cells along the height where what is behind the head is inpainted."""
WIDER_MM = 6.0
"""Around the head and its hair in the photo: what may still be of their colours."""
MIDDLE_MM = (3.0, 14.0)
"""Beyond the middle of the head: where the near side's hair ends and where its mirror image is whole."""
NEAR_MM = 25.0
"""How far before the middle the head is drawn."""
RIM_MM = (18.0, 35.0)
"""Beyond the middle: from where on skin that no side of the photo shows is the rim of the face."""
CHIN_MM = (5.0, 40.0)
"""Below the chin: where the near side's neck and collar give way to the photo's own."""
LIKELY = (0.3, 0.7)
"""Likelihoods between which hair is from none to whole."""
SOFT_MM = 1.2
"""Over which seen skin gives way to drawn skin, and the head's outline to what is behind."""
SEEN = tuple(PROVENANCE.index(name) for name in ("seen", "enhanced"))
MIRRORED = tuple(PROVENANCE.index(name) for name in ("mirrored", "synthetic"))
PAINTED = (PROVENANCE.index("synthetic"),)
ZERO, ONE, HALF, TOP, LITTLE = (np.float32(x) for x in (0, 1, 0.5, 255, 0.003))


@dataclass(frozen=True, slots=True)
class Behind:
    """Over the cells (h, w) of a portrait: of what the warped photo shows."""

    filled: Array
    """(h, w, 3) 0..255: background and shoulders as they may go on behind the head."""
    kept: Array
    """(h, w) 0..1: where the photo has them itself."""
    body: Array
    """(h, w) 0..1: where it has neck, shoulders or clothes."""
    hair: Array
    """(h, w) 0..1: opacity of hair, headgear and glasses."""
    skin: Array
    """(h, w) 0..1: opacity of face, neck and clothes."""


def behind(picture: Image, direct: Array, within: Array, segmentation: Segmentation, place: Similarity, photo_size: tuple[int, int], mm: float) -> Behind:
    """`direct` (h, w, 2) leads the cells of the warped `picture` (H, W, 3) to where `place` leads to the photo, which
    has what is `within` (h, w) 0..1; `mm` is a cell's size."""
    import cv2

    rows, columns = direct.shape[:2]
    hair, face, body, glasses = np.moveaxis(_shares(direct, segmentation, place, photo_size), -1, 0)
    radius = max(round(WIDER_MM / mm), 1)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    clear = (1 - smoothstep(cv2.dilate(np.maximum(hair, np.maximum(face, glasses)), disc), 0.1, 0.4)) * within
    clothed = clear * smoothstep(body, 0.6, 0.95)
    ground = clear * smoothstep(hair + face + body + glasses, 0.4, 0.05)
    low = cv2.resize(picture, (columns, rows), interpolation=cv2.INTER_AREA).astype(np.float32)
    small = (max(round(ROWS * columns / rows), 4), ROWS)
    known: Any = np.dstack([ground, clothed, low * ground[..., None], low * clothed[..., None]])
    known = cv2.resize(known.astype(np.float32), small, interpolation=cv2.INTER_AREA)
    parts = []
    for k in (0, 1):
        weight, total = known[..., k], known[..., 2 + 3 * k : 5 + 3 * k]
        mean = total.sum(axis=(0, 1)) / max(float(weight.sum()), 1e-6)
        parts.append(membrane(10 * weight, total / np.maximum(weight[..., None], 1e-6) - mean, 1e-4) + mean)
    weight = known[..., 0] + known[..., 1]
    which = membrane(10 * weight, known[..., 1:2] / np.maximum(weight[..., None], 1e-6), 1e-6)
    wide: Any = cv2.resize(np.dstack([*parts, which]), (columns, rows), interpolation=cv2.INTER_LINEAR)
    filled = wide[..., :3] + smoothstep(wide[..., 6:], 0.4, 0.6) * (wide[..., 3:6] - wide[..., :3])
    kept = np.minimum(cv2.GaussianBlur(clear.astype(np.float32), (0, 0), 2.0 / mm), clear)
    return Behind(filled, kept, clothed, smoothstep(hair + glasses, *LIKELY), smoothstep(face + body, *LIKELY))


def _shares(direct: Array, segmentation: Segmentation, place: Similarity, photo_size: tuple[int, int]) -> Array:
    """(h, w, 4) 0..1: hair and headgear; face; body and clothes; glasses. What lies beyond the photo, whose width and
    height are given, goes on as it is at the border."""
    names = (("hair", "covering"), ("face", "facial_hair"), ("body", "clothes", "other"), ("glasses",))
    four = np.dstack([segmentation.share(*some) for some in names])
    inside = np.clip(place.apply(direct), 3, np.subtract(photo_size, 3))
    at = segmentation.to_photo.inverse().apply(inside).reshape(-1, 2)
    return np.clip(sampled(four, at), 0, 1).reshape(*direct.shape[:2], 4)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The head with its completed texture, in a part of the portrait."""

    corner: tuple[int, int]
    """x, y of its first pixel."""
    image: Image
    """(H, W, 3)."""
    kinds: Image
    """(H, W) of indices into PROVENANCE."""
    cover: Array
    """(H, W) 0..1: opacity; the neck fades."""
    skull: Array
    """(H, W) 0..1: less the neck."""
    unseen: Array
    """(H, W) 0..1: what of it the photo does not show."""
    guessed: Array
    """(H, W) 0..1: what of it no side of the photo shows."""
    painted: Array
    """(H, W) 0..1: eyes, and what an open mouth shows."""


def draw_far_side(
    head: Head, texture: Texture, parts: HeadRegions, camera: Camera, pose: Array, vertices: Array, anchors: Anchors, far: int
) -> Drawn:
    """The side of `far`, 1 for the image's right or -1, and somewhat more."""
    import cv2

    width, height = camera.size
    per_mm = anchors.per_mm
    level = _half(head.model.level(head.level), far * head.neutral[:, 0] > -NEAR_MM - 10)
    margin = int(4 * SOFT_MM * per_mm) + 4
    at = anchors.here[far * head.neutral[:, 0] > -NEAR_MM, :2]
    x0, y0 = np.clip(np.floor(at.min(axis=0)) - margin, 0, [width - 2, height - 2]).astype(int).tolist()
    x1, y1 = np.clip(np.ceil(at.max(axis=0)) + margin, [x0 + 2, y0 + 2], [width, height]).astype(int).tolist()
    part = replace(camera, center=(camera.center[0] - x0, camera.center[1] - y0), size=(x1 - x0, y1 - y0))
    grey = texture.image[len(texture.image) // 2, len(texture.image) // 2]
    image, kinds = render_layers(
        vertices, level, texture, part, pose, background=grey, shading=UNLIT, occlusion=mouth_light(vertices, head)
    )
    buffers = rasterize(screen_points(vertices, part, pose), level.triangles, y1 - y0, x1 - x0)
    neck = fades(head.model, head.level).neck
    said = interpolate(buffers, level.triangles, np.column_stack([neck, parts.skull * neck]))
    # Its outline lies a little within: there the picture is mixed with what was behind it when it was drawn.
    inner = cv2.erode(np.ascontiguousarray(said), np.ones((3, 3), np.uint8))
    soft = cv2.GaussianBlur(inner, (0, 0), SOFT_MM * per_mm / 2)
    soft = np.minimum(soft, 2 * np.minimum(soft, inner))
    known = np.dstack([np.isin(kinds, some).astype(np.float32) for some in (SEEN, (*SEEN, *MIRRORED), PAINTED)])
    known[..., :2] = cv2.erode(np.ascontiguousarray(known[..., :2]), np.ones((5, 5), np.uint8))
    known = cv2.GaussianBlur(known, (0, 0), SOFT_MM * per_mm)
    unseen = (1 - known[..., 0]) * soft[..., 1]
    return Drawn((x0, y0), image, kinds, soft[..., 0], soft[..., 1], unseen, 1 - known[..., 1], known[..., 2])


def _half(level: Level, wanted: Array) -> Level:
    """The triangles that have a vertex which is `wanted` (V,)."""
    some = wanted[level.triangles].any(axis=1)
    return replace(
        level,
        triangles=np.ascontiguousarray(level.triangles[some]),
        triangle_uv=np.ascontiguousarray(level.triangle_uv[some]),
        triangle_part=np.ascontiguousarray(level.triangle_part[some]),
    )


def far_of(head: Head, anchors: Anchors, parts: HeadRegions) -> int:
    """1 where the photo hides more of what the portrait has at the right, else -1."""
    shown = anchors.shown * parts.front
    x = head.neutral[:, 0]
    return 1 if shown[x > 15].sum() < shown[x < -15].sum() else -1


def lay_far_side(
    out: Image, mask: Image, warped: Image, back: Behind, gain: Array, drawn: Drawn, middle: float,
    per_mm: float, chin: float, far: int, whole: bool, skin: float
) -> None:
    """Over the portrait `out` (H, W, 3) and its `mask`."""
    x = far * (np.arange(out.shape[1], dtype=np.float32) + 0.5 - np.float32(middle)) / np.float32(per_mm)
    beyond = smoothstep(x, *MIDDLE_MM) if whole else np.zeros(len(x), np.float32)
    y = np.arange(out.shape[0], dtype=np.float32) + 0.5
    low = smoothstep((y - np.float32(chin)) / np.float32(per_mm), *CHIN_MM)
    grid = np.dstack([back.filled, back.kept, back.body, back.hair, back.skin])
    cell = out.shape[0] // len(grid)
    kinds = np.array([PROVENANCE.index(n) for n in ("mirrored", "around", "extended")], np.uint8)
    _lay(
        out, mask, out.copy(), warped, np.ascontiguousarray(grid, np.float32), gain, cell, drawn.image, drawn.kinds,
        drawn.cover, drawn.skull, drawn.unseen, drawn.guessed, drawn.painted, np.array(drawn.corner), beyond, smoothstep(x, *RIM_MM), low, np.float32(skin), kinds
    )


@jit
def _lay(
    out: Any, mask: Any, photo: Any, warped: Any, grid: Any, gain: Any, cell: int, image: Any, said: Any, cover: Any, skull: Any,
    unseen: Any, guessed: Any, painted: Any, corner: Any, beyond: Any, rim: Any, low: Any, skin: Any, kinds: Any
) -> None:
    height, width = out.shape[0], out.shape[1]
    rows, columns = grid.shape[0], grid.shape[1]
    small = np.float32(1 / cell)
    coarse_y, coarse_x = np.float32(gain.shape[0] / height), np.float32(gain.shape[1] / width)
    for y in range(height):
        i, i1, fy = weigh((np.float32(y) + HALF) * small - HALF, rows)
        c, c1, gy = weigh((np.float32(y) + HALF) * coarse_y - HALF, gain.shape[0])
        v = y - corner[1]
        for x in range(width):
            b = beyond[x]
            u = x - corner[0]
            inside = 0 <= v < cover.shape[0] and 0 <= u < cover.shape[1]
            neck = cover[v, u] - skull[v, u] if inside else ZERO
            hidden = unseen[v, u] * skin if inside else ZERO
            if b == ZERO and hidden <= LITTLE and neck <= LITTLE:
                continue
            j, j1, fx = weigh((np.float32(x) + HALF) * small - HALF, columns)
            own = bilinear(grid, i, i1, fy, j, j1, fx, 5)
            bare = max(ONE - own - bilinear(grid, i, i1, fy, j, j1, fx, 6), ZERO)
            share = max(b, max(hidden * (ONE - own), neck * bare * skin))
            if inside:
                share *= ONE - painted[v, u]
            if share <= LITTLE:
                continue
            k, k1, hx = weigh((np.float32(width - 1 - x) + HALF) * small - HALF, columns)
            other = bilinear(grid, i, i1, fy, k, k1, hx, 5)
            alpha = own + b * (other - own)
            kept = bilinear(grid, i, i1, fy, j, j1, fx, 3)
            body = bilinear(grid, i, i1, fy, j, j1, fx, 4)
            # Cheek, ear, neck and shoulders reach beyond the head's own.
            beside = b * max(other, bilinear(grid, i, i1, fy, k, k1, hx, 6) * (ONE - body * low[y]))
            neck *= ONE - body
            head = skull[v, u] * (ONE - min(b, rim[x]) * guessed[v, u] * beside) if inside else ZERO
            d, d1, gx = weigh((np.float32(x) + HALF) * coarse_x - HALF, gain.shape[1])
            for n in range(3):
                here = np.float32(warped[y, x, n])
                value = bilinear(grid, i, i1, fy, j, j1, fx, n)
                value += kept * (here - value)
                twin = np.float32(photo[y, width - 1 - x, n]) * bilinear(gain, c, c1, gy, d, d1, gx, n)
                if neck > ZERO:
                    value += neck * (np.float32(image[v, u, n]) - value)
                value += beside * (twin - value)
                if head > ZERO:
                    value += head * (np.float32(image[v, u, n]) - value)
                if alpha > ZERO:
                    value += alpha * (here + b * (twin - here) - value)
                was = np.float32(photo[y, x, n])
                out[y, x, n] = np.uint8(min(max(was + share * (value - was) + HALF, ZERO), TOP))
            if share > HALF:
                if alpha > HALF:
                    mask[y, x] = kinds[0] if b > HALF else mask[y, x]
                elif head > HALF:
                    mask[y, x] = said[v, u]
                elif beside > HALF:
                    mask[y, x] = kinds[0]
                elif neck > HALF:
                    mask[y, x] = said[v, u]
                elif kept > HALF:
                    mask[y, x] = kinds[1]
                else:
                    mask[y, x] = kinds[2]
