"""How rough a head's surface is and how much light reaches it, place by place, as one small picture.

Red is occlusion, green roughness, blue (glTF's metal) nothing. Where skin is oily, where lips, teeth and the lining of
the mouth are, holds for everybody: the atlas has them in the same places. Where brows, stubble and painted hair are,
the texture says.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE
from tronie.geometry import smoothstep
from tronie.head.materials import LOOKS
from tronie.head.model import PARTS, HeadModel
from tronie.head.surface import reduced
from tronie.raster.compositing import srgb_tables
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.texture.atlas import gutters, surface_facts
from tronie.stages.texture.mouth import OCCLUSION_SIDE, mouth_openness

SIDE = OCCLUSION_SIDE
"""Pixels of the map: 0.8 mm on the face."""
CHEEK, OILY, LIPS, HAIRY = LOOKS["skin"].roughness, 0.45, 0.35, 0.8
"""Roughness of skin, of its T-zone's middle, of lips, of what has hair."""
INSIDE = {"eye_left": LOOKS["eyes"].roughness, "eye_right": LOOKS["eyes"].roughness, "teeth_upper": 0.25,
          "teeth_lower": 0.25, "tongue": LOOKS["mouth"].roughness, "mouth": 0.45}  # fmt: skip
"""Roughness of the other parts."""
OUTER_LIPS = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
"""MediaPipe's landmarks around the red of the lips."""
OIL = (
    ((151,), (26.0, 17.0, 30.0)),
    ((168, 6, 197, 195, 5, 4, 1), (9.0, 9.0, 14.0)),
    ((48, 278), (7.0, 8.0, 14.0)),
    ((199,), (15.0, 11.0, 20.0)),
)
"""Landmarks in the middle of forehead, nose, its wings, chin, and how far oil reaches around them, mm in x, y, z."""
UNLIKE_SKIN = 0.25, 0.7
"""How far (in the logarithm) hair lies from the skin around it in lightness and hue, at least and surely."""
HUE = 0.6
"""A difference in hue counts so many times one in lightness."""
BEARD, BUSY = (0.35, 0.9), (0.04, 0.08)
"""A beard is darker than skin by so much (in the logarithm), and unlike a shadow busy: so much within 5 mm."""
LEAST_OPEN = 0.4
"""Of skin: the inside of lips and lids comes to light when they move."""
STEP = 2
"""Of the map's numbers: half the bytes of steps of 1."""


@dataclass(frozen=True, eq=False)
class Ground:
    """What holds for everybody with one head model."""

    roughness: Image
    """(SIDE, SIDE) 0..255, mirror-symmetric."""
    hair: Array
    """(SIDE, SIDE) float32 0..1: where hair or brows may grow."""
    beard: Array
    """(SIDE, SIDE) float32 0..1: where a beard may."""
    openness: Image
    """(SIDE, SIDE) 0..255: how much light from around reaches the skin; 255 elsewhere."""
    face: NDArray[np.bool_]
    """(SIDE, SIDE): bare skin of everybody, to compare with."""


def is_known(model: HeadModel, level: int) -> bool:
    """Whether there is anything to draw: a head has a mouth, or landmarks by which lips are found."""
    mesh = model.level(level)
    return bool(len(mesh.embedding478[0]) or (mesh.triangle_part >= PARTS.index("teeth_upper")).any())


def surface_map(model: HeadModel, level: int, texture: Image | None = None, *, bare: bool = False) -> Image | None:
    """(SIDE, SIDE, 3): occlusion, roughness, nothing; None where nothing is known.

    `texture` (S, S, 3) says where hair is; without it none is. Skin is occluded where its colours are `bare` of the
    photo's light: else its hollows are dark already.
    """
    if not is_known(model, level):
        return None
    shade, ground = mouth_openness(model, level), ground_of(model, level)
    out = np.zeros((SIDE, SIDE, 3), np.uint8)
    out[..., 0] = 255 if shade is None else shade
    if bare:
        np.minimum(out[..., 0], ground.openness, out=out[..., 0])
    out[..., 1] = roughness(ground, texture)
    return out


def roughness(ground: Ground, texture: Image | None) -> Image:
    """(SIDE, SIDE) 0..255 of a person."""
    import cv2

    if texture is None:
        return ground.roughness
    # Hair is not finer than this says, and a quarter of the pixels costs a quarter.
    half = SIDE // 2
    small = srgb_tables()[0][4 * reduced(texture, half).astype(np.int64)]
    light = np.log(small @ LUMINANCE.astype(np.float32) + np.float32(0.004))
    hue = np.log((small[..., 0] + np.float32(0.004)) / (small[..., 2] + np.float32(0.004)))
    face = ground.face[::2, ::2] if len(small) == half else np.zeros((0, 0), bool)
    if not face.any():
        return ground.roughness
    light -= np.median(light[face])
    other = np.abs(hue - np.median(hue[face]))
    rest = np.abs(light - cv2.GaussianBlur(light, (0, 0), 2.5))
    hair = smoothstep(np.maximum(-light, 0) + np.float32(HUE) * other, *UNLIKE_SKIN)
    beard = smoothstep(-light, *BEARD) * smoothstep(cv2.GaussianBlur(rest, (0, 0), 2.5), *BUSY)
    there = cv2.resize(np.dstack([hair, beard]).astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    share = np.maximum(there[..., 0] * ground.hair, there[..., 1] * ground.beard)
    own = ground.roughness.astype(np.float32)
    return _stepped(own + share * (255 * HAIRY - own))


@lru_cache(maxsize=2)
def ground_of(model: HeadModel, level: int) -> Ground:
    """Worked out once per model and level. Where no landmarks lie on the head it has neither oil nor lips."""
    mesh = model.level(level)
    facts = surface_facts(model, level)
    place = mesh.apply(model.mean)
    skin = mesh.triangle_part == 0
    uv = np.zeros((len(place), 2), np.float32)
    uv[mesh.triangles[skin]] = mesh.uv[mesh.triangle_uv[skin]]
    index, weight = mesh.embedding478
    spots, at = (np.einsum("nck,nc->nk", values[index], weight) for values in (place, uv))
    oil = np.zeros(len(place), np.float32)
    for landmarks, reach in OIL if len(spots) else ():
        for spot in spots[list(landmarks)]:
            oil = np.maximum(oil, np.exp(-(((place - spot) / reach) ** 2).sum(axis=1)))
    grows = np.column_stack([np.maximum(facts.hairy, facts.brows), facts.beard * (model.mean[:, 1] < -25)])
    on_skin = np.column_stack(
        [CHEEK + (OILY - CHEEK) * oil, mesh.apply(grows.astype(np.float32)), facts.inner_level, facts.openness]
    )
    fields = np.zeros((len(mesh.uv), on_skin.shape[1]), np.float32)
    for name, value in INSIDE.items():
        fields[mesh.triangle_uv[mesh.triangle_part == PARTS.index(name)], 0] = value
    fields[mesh.triangle_uv[skin]] = on_skin[mesh.triangles[skin]]
    flat = np.concatenate([mesh.uv * SIDE, np.ones((len(mesh.uv), 1), np.float32)], axis=1)
    drawn = rasterize(flat, mesh.triangle_uv, SIDE, SIDE, cull=False)
    values = interpolate(drawn, mesh.triangle_uv, fields)
    worn = (drawn.triangle >= 0) & (mesh.triangle_part[np.maximum(drawn.triangle, 0)] == 0)
    soft = _lips(at[list(OUTER_LIPS)]) * worn if len(at) else np.zeros((SIDE, SIDE), np.float32)
    values[..., 0] += soft * (LIPS - values[..., 0])
    outside, nearest = gutters(model, level, SIDE)
    values.reshape(-1, values.shape[2])[outside] = values.reshape(-1, values.shape[2])[nearest]
    rough = np.where(values[..., 0] > 0, values[..., 0], CHEEK)
    grown = values[..., 1:3] * (1 - soft[..., None])
    grown = np.asarray(np.maximum(grown, grown[:, ::-1]), dtype=np.float32)
    around = np.where(worn, np.maximum(values[..., 4], LEAST_OPEN), 1)
    return Ground(
        _stepped(255 * (rough + rough[:, ::-1]) / 2),
        grown[..., 0],
        grown[..., 1],
        _stepped(255 * (around + around[:, ::-1]) / 2),
        worn & (values[..., 3] > 0.5) & (grown.max(axis=2) < 0.02) & (soft < 0.01),
    )


def _lips(outline: Array) -> NDArray[np.float32]:
    """(SIDE, SIDE) 0..1: within the outline (N, 2) in texture coordinates, soft at its border."""
    import cv2

    lips = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(lips, [np.round(16 * (SIDE * outline - 0.5)).astype(np.int32)], 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(lips.astype(np.float32) / 255, (0, 0), 1.2), dtype=np.float32)


def _stepped(values: NDArray[Any]) -> Image:
    return np.asarray(np.minimum(STEP * np.round(values / STEP), 255), dtype=np.uint8)
