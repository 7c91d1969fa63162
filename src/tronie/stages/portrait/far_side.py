"""The far side of a turned head: drawn from the head, with the near side's hair, before a background without it.

A warp of the photo has nothing to show there but what the photo has: the edge of the profile, smeared. So of a head
that is turned by more than some degrees the side that the photo hides is laid anew, from behind to the front:
background and shoulders, inpainted smoothly where the photo has the head; neck and head with their completed texture;
and the hair, which is the near side's mirror image, for the portrait's camera looks along the head's own plane of
symmetry.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera, smoothstep
from tronie.head.model import Head, Level
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, minified, render_layers, screen_points
from tronie.runtime.jit import jit
from tronie.shells import Shell
from tronie.stages.portrait.layers import bilinear, weigh
from tronie.stages.portrait.matter import Behind
from tronie.stages.portrait.plain import fades, mouth_light
from tronie.stages.portrait.warp_anchors import Anchors, HeadRegions
from tronie.types import PROVENANCE, Texture

FACE_YAW = (18.0, 28.0)
"""Degrees of yaw over which the hidden skin goes from the photo's other side to the head's texture."""
FEATURES_YAW = (44.0, 54.0)
"""Over which the hidden features, too, go from the near side's mirror image to the head's texture."""
SIDE_YAW = 20.0
"""From where on all of the far side is laid anew, not its skin only: two pictures of hair cannot be mixed."""
DRAWN_YAW = 60.0
"""From where on the head is drawn with the hair that was built for it, and nothing of the photo is warped: of a profile
no half is seen from the front."""
FACE_TOP_MM, FACE_HALF_MM = 50.0, 50.0
"""Of the face, which no hair hides then: its height above the eyes, half its width."""
NECK_MM = -80.0
"""Above the eyes, whereabouts it ends."""
GROUND_MM = 12.0
"""How far what is behind it is out of focus."""
MIDDLE_MM = (3.0, 14.0)
"""Beyond the middle of the head: where the near side's hair ends and where its mirror image is whole."""
NEAR_MM = 25.0
"""How far before the middle the head is drawn."""
RIM_MM = (18.0, 35.0)
"""Beyond the middle: from where on skin that no side of the photo shows is the rim of the face."""
FEATURES_MM = (56.0, 60.0, -16.0)
"""Half the width, half the height and the middle's height of what has eyes, brows, nose and mouth in it."""
HEAD_MM, ENOUGH = (85.0, 95.0), 0.85
"""How far from the middle a head with its hair reaches, and how much of that side the photo has to have."""
CHIN_MM = (5.0, 40.0)
"""Below the chin: where the near side's neck and collar give way to the photo's own."""
SOFT_MM = 1.2
"""Over which seen skin gives way to drawn skin, and the head's outline to what is behind."""
SEEN = tuple(PROVENANCE.index(name) for name in ("seen", "enhanced"))
MIRRORED = tuple(PROVENANCE.index(name) for name in ("mirrored", "synthetic"))
EXTENDED = PROVENANCE.index("extended")
ZERO, ONE, HALF, TOP, LITTLE = (np.float32(x) for x in (0, 1, 0.5, 255, 0.003))


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
    features: Array
    """(H, W) 0..1: eyes, brows, nose and mouth, which stay the photo's and its mirror image: sharper, and more like."""
    scalp: Array
    """(H, W) 0..1."""


def draw_far_side(
    head: Head,
    texture: Texture,
    parts: HeadRegions,
    camera: Camera,
    pose: Array,
    vertices: Array,
    anchors: Anchors,
    far: int,
    yaw: float,
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
    rows, columns = y1 - y0, x1 - x0
    buffers = rasterize(screen_points(vertices, part, pose), level.triangles, rows, columns)
    uv = interpolate(buffers, level.triangle_uv, level.uv)
    covered = buffers.triangle >= 0
    step = np.abs(np.diff(uv[rows // 3 :: 8], axis=1)).sum(axis=-1)[(covered[:, 1:] & covered[:, :-1])[rows // 3 :: 8]]
    small = minified(texture.image, float(np.median(step)) * len(texture.image) if len(step) else 1.0)
    image = _looked_up(small, uv, cv2.INTER_LINEAR)
    kinds = np.where(covered, _looked_up(texture.provenance, uv, cv2.INTER_NEAREST), 0).astype(np.uint8)
    neck = fades(head.model, head.level).neck
    kept = 1 - float(smoothstep(np.array(yaw), *FEATURES_YAW))
    columns_of = np.column_stack(
        [neck, parts.skull * neck, kept * features(head), parts.scalp, mouth_light(vertices, head)]
    )
    said = interpolate(buffers, level.triangles, columns_of)
    if kept < 1:
        image = (image * np.clip(said[..., 4:], 0, 1) + 0.5).astype(np.uint8)
    inner = np.asarray(cv2.erode(np.ascontiguousarray(said[..., :4]), np.ones((3, 3), np.uint8)), np.float32)
    soft = np.minimum(np.asarray(cv2.GaussianBlur(inner, (0, 0), SOFT_MM * per_mm / 2), np.float32), 2 * inner)
    known: Array = np.dstack([np.isin(kinds, some).astype(np.float32) for some in (SEEN, (*SEEN, *MIRRORED))])
    known = np.asarray(cv2.erode(known, np.ones((5, 5), np.uint8)), np.float32)
    known = np.asarray(cv2.GaussianBlur(known, (0, 0), SOFT_MM * per_mm))
    # What grows on a scalp is the photo's, even where it is the other side's.
    scalp = np.clip(soft[..., 3] / np.maximum(soft[..., 1], 1e-3), 0, 1)
    unseen = (1 - known[..., 0]) * soft[..., 1] * (1 - scalp)
    return Drawn((x0, y0), image, kinds, soft[..., 0], soft[..., 1], unseen, 1 - known[..., 1], soft[..., 2], scalp)


def lay_head(
    out: Image,
    mask: Image,
    back: Behind,
    head: Head,
    texture: Texture,
    shells: Sequence[Shell],
    camera: Camera,
    pose: Array,
    vertices: Array,
    anchors: Anchors,
    far: int,
) -> Array:
    """Over all of the portrait `out` and its `mask`: the head with its hair, before what is behind it out of focus. The
    side of `far` is the other one's mirror image: what hair lies there nobody has seen. (H, W) 0..1: what is head or
    hair."""
    import cv2

    height, width = mask.shape
    cell = height / len(back.filled)
    distant = cv2.GaussianBlur(back.filled, (0, 0), GROUND_MM * anchors.per_mm / cell)
    ground = np.asarray(cv2.resize(distant + distant[:, ::-1], (width, height), interpolation=cv2.INTER_LINEAR)) / 2
    flat = np.clip(ground + 0.5, 0, 255).astype(np.uint8)
    drawn, kinds = render_layers(
        vertices,
        head.model.level(head.level),
        texture,
        camera,
        pose,
        background=flat,
        shading=UNLIT,
        opacity=fades(head.model, head.level).neck,
        occlusion=mouth_light(vertices, head),
        shells=[_off_the_face(shell) for shell in shells if not shell.below],
    )
    beyond = beyond_middle(width, 1, anchors, far)[:, None]
    out[:] = (drawn + beyond * (drawn[:, ::-1].astype(np.float32) - drawn) + 0.5).astype(np.uint8)
    covered = np.maximum((np.abs(out.astype(np.int16) - flat).max(axis=-1) > 2), kinds > 0).astype(np.float32)
    flipped = np.where(kinds == SEEN[0], MIRRORED[0], kinds)[:, ::-1]
    mask[:] = np.where(beyond[:, 0] > 0.5, flipped, kinds)
    mask[mask == 0] = EXTENDED
    return np.asarray(covered)


def _off_the_face(shell: Shell) -> Shell:
    """Without what would lie before the middle of the face: of a profile it is the hidden side's, and guessed."""
    x, y, z = shell.vertices.T
    before = (np.abs(x) < FACE_HALF_MM) & (y < FACE_TOP_MM) & (z > np.where(y < NECK_MM, -60, 0))
    return replace(shell, triangles=np.ascontiguousarray(shell.triangles[~before[shell.triangles].any(axis=1)]))


def beyond_middle(
    columns: int, cell: int, anchors: Anchors, far: int, span_mm: tuple[float, float] = MIDDLE_MM
) -> Array:
    """(columns,) 0..1 for columns of so many pixels: 0 up to the first distance beyond the head's middle on the side of
    `far`, 1 from the second on."""
    x = (np.arange(columns, dtype=np.float32) + 0.5) * cell - np.float32(anchors.eyes[0])
    return smoothstep(far * x / np.float32(anchors.per_mm), *span_mm)


def _looked_up(image: Image, uv: Array, way: int) -> Image:
    """(H, W) or (H, W, 3): a texture at `uv` (H, W, 2)."""
    import cv2

    remap: Any = cv2.remap  # its stubs know no map of pairs
    return np.asarray(remap(image, uv * np.float32(len(image)) - np.float32(0.5), None, way), dtype=np.uint8)


def features(head: Head) -> Array:
    """(V,) 0..1: eyes, brows, nose and mouth."""
    x, y, z = head.neutral.T
    away = np.hypot(x / FEATURES_MM[0], (y - FEATURES_MM[2]) / FEATURES_MM[1])
    return np.asarray((1 - smoothstep(away, 0.8, 1.1)) * (z > -20), dtype=np.float32)


def _half(level: Level, wanted: NDArray[np.bool_]) -> Level:
    """The triangles that have a vertex which is `wanted` (V,)."""
    a, b, c = level.triangles.T
    some = wanted[a] | wanted[b] | wanted[c]
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


def near_side_there(within: Array, anchors: Anchors, far: int, chin: float, cell: int) -> bool:
    """Whether the photo has so much of the near side that its mirror image can stand on the other; `within` (h, w) 0..1
    says what of the cells it has, `chin` is a row of pixels."""
    columns = within.shape[1]
    near = beyond_middle(columns, cell, anchors, -far, (2.0, 4.0)) * (
        1 - beyond_middle(columns, cell, anchors, -far, HEAD_MM)
    )
    rows = slice(max(int((anchors.eyes[1] - 90 * anchors.per_mm) / cell), 0), max(int(chin / cell), 1))
    some = within[rows]
    return bool((some * near).sum() > ENOUGH * np.maximum(near.sum() * len(some), 1e-6))


def lay_far_side(
    out: Image,
    mask: Image,
    warped: Image,
    back: Behind,
    gain: Array,
    drawn: Drawn,
    anchors: Anchors,
    far: int,
    chin: float,
    skin: float,
    whole: bool,
) -> None:
    """Over the portrait `out` and its `mask` the side of `far`, 1 for the image's right or -1. `warped` (H, W, 3) is
    the photo alone; `gain` (m, n, 3) brings the other side into this one's light; `chin` is a row of pixels. Hidden
    skin is drawn by a share of `skin`, what else the photo hides where `whole`."""
    width = out.shape[1]
    beyond = beyond_middle(width, 1, anchors, far) if whole else np.zeros(width, np.float32)
    y = np.arange(out.shape[0], dtype=np.float32) + 0.5
    low = smoothstep((y - np.float32(chin)) / np.float32(anchors.per_mm), *CHIN_MM)
    grid = np.dstack([back.filled, back.kept, back.body, back.hair, back.skin, back.bare])
    _lay(
        out,
        mask,
        out.copy(),
        warped,
        np.ascontiguousarray(grid, np.float32),
        gain,
        out.shape[0] // len(grid),
        drawn.image,
        drawn.kinds,
        np.ascontiguousarray(
            np.dstack([drawn.cover, drawn.skull, drawn.unseen, drawn.guessed, drawn.features, drawn.scalp])
        ),
        np.array(drawn.corner),
        beyond,
        beyond_middle(width, 1, anchors, far, RIM_MM),
        low,
        np.float32(skin),
        np.array([PROVENANCE.index(n) for n in ("mirrored", "around", "extended")], np.uint8),
    )


@jit
def _lay(
    out: Any,
    mask: Any,
    photo: Any,
    warped: Any,
    grid: Any,
    gain: Any,
    cell: int,
    image: Any,
    said: Any,
    shares: Any,
    corner: Any,
    beyond: Any,
    rim: Any,
    low: Any,
    skin: Any,
    kinds: Any,
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
            inside = 0 <= v < shares.shape[0] and 0 <= u < shares.shape[1]
            neck = shares[v, u, 0] - shares[v, u, 1] if inside else ZERO
            hidden = shares[v, u, 2] * skin if inside else ZERO
            if b == ZERO and hidden <= LITTLE and neck <= LITTLE:
                continue
            j, j1, fx = weigh((np.float32(x) + HALF) * small - HALF, columns)
            own = bilinear(grid, i, i1, fy, j, j1, fx, 5)
            bare = bilinear(grid, i, i1, fy, j, j1, fx, 7)
            share = max(b, max(hidden * (ONE - own), neck * bare * skin))
            if inside:
                share *= ONE - shares[v, u, 4]
            if share <= LITTLE:
                continue
            k, k1, hx = weigh((np.float32(width - 1 - x) + HALF) * small - HALF, columns)
            other = bilinear(grid, i, i1, fy, k, k1, hx, 5)
            alpha = own + b * (other - own)
            kept = bilinear(grid, i, i1, fy, j, j1, fx, 3)
            body = bilinear(grid, i, i1, fy, j, j1, fx, 4)
            # Cheek, ear, neck and shoulders reach beyond the head's own.
            beside = ZERO
            if b > ZERO:
                beside = max(other, bilinear(grid, i, i1, fy, k, k1, hx, 6) * (ONE - body * low[y]))
            neck *= ONE - body
            head = ZERO
            if inside:
                head = shares[v, u, 1] * (ONE - min(b, rim[x]) * shares[v, u, 3] * beside)
                head *= ONE - b * shares[v, u, 5]
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
                twin_kind = kinds[0] if inside and shares[v, u, 1] > HALF else kinds[2]
                if alpha > HALF:
                    mask[y, x] = twin_kind if b > HALF else mask[y, x]
                elif head > HALF:
                    mask[y, x] = said[v, u]
                elif beside > HALF:
                    mask[y, x] = twin_kind
                elif neck > HALF:
                    mask[y, x] = said[v, u]
                elif kept > HALF:
                    mask[y, x] = kinds[1]
                else:
                    mask[y, x] = kinds[2]
