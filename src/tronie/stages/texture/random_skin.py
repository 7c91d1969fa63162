"""Textures of people who do not exist, drawn from the statistical model of skin: for synthetic pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.head.model import HeadModel, default_head
from tronie.raster.rasterizer import Buffers, interpolate, rasterize
from tronie.stages.texture.atlas import gutters, surface_facts
from tronie.stages.texture.eyes import eye_paint, eye_texels
from tronie.stages.texture.iris import EyeLook
from tronie.stages.texture.mesh_filters import fold_shade
from tronie.stages.texture.mouth import part_colours
from tronie.stages.texture.skin_model import colour_of, default_skin, opponent
from tronie.stages.texture.synthesis import grain, mottle_map

OWN = 0.6
"""Share of an invented skin's variance that is its own; the rest is that of one of the people the model was learned
from. With 0 they would be those people, with 1 beards and pale or dark skins would be as rare as between them."""
HAIRS = (
    (24, 20, 19),
    (46, 33, 26),
    (78, 54, 38),
    (150, 146, 142),
    (205, 202, 198),
    (112, 82, 54),
    (120, 62, 38),
    (165, 128, 84),
)
"""Colours of hair; the last three on lighter skins only."""
IRISES = ((58, 36, 24), (72, 46, 30), (96, 70, 44), (104, 104, 68), (112, 136, 152), (88, 112, 138), (120, 130, 128))
"""Colours of irises; the last four on lighter skins only."""
LIGHTER = 145.0
"""Mean sRGB level of a skin from which on hair and eyes may be light."""


def random_texture(rng: np.random.Generator, size: int = 1024, *, hair: float = 0.75) -> Image:
    """(size, size, 3) RGB uint8 on the default head's atlas: skin, eyes, teeth, tongue, and hair with the probability
    `hair` (else a bald skull). The same generator state gives the same bytes. About 0.1 s at 1024 on one core.

    The colours are those of skin in a photo under even light: an average shading of noses and chins is in them.
    """
    model, skin = default_head(), default_skin()
    chart = _chart(model, size)
    person = skin.people[rng.integers(len(skin.people))]
    own = np.clip(rng.standard_normal(len(person)), -2.2, 2.2)
    coefficients = np.sqrt(1 - OWN) * person + np.sqrt(OWN) * own
    values = skin.map(coefficients, size) + chart.folds
    contrast = float(np.exp(skin.grain[0] + np.clip(rng.normal(), -1.5, 1.5) * skin.grain[1]))
    values[..., 0] += contrast * mottle_map(size)
    values[..., 0] += _spots(rng, size)
    image = np.clip(colour_of(values), 0, 255).astype(np.float32)
    tone = np.median(image[chart.cheek], axis=0)
    light = bool(tone.mean() > LIGHTER)
    if rng.random() < hair:
        patterns = grain(model, 1, size)
        colour = np.array(HAIRS[rng.integers(8 if light else 5)], np.float32) * rng.uniform(0.75, 1.2)
        cover = patterns.cover.astype(np.float32)[..., None] / 255
        strands = 1 + rng.uniform(0.15, 0.4) / 127 * patterns.strand.astype(np.float32)[..., None]
        image += cover * (colour * strands - image)
    painted = interpolate(chart.parts, chart.part_uv, part_colours(model, 1, tone.astype(np.float32)))
    np.copyto(image, painted, where=(chart.parts.triangle >= 0)[..., None])
    out = np.asarray(np.clip(image + 0.5, 0, 255).astype(np.uint8))
    iris = np.array(IRISES[rng.integers(7 if light else 3)], np.float32) * rng.uniform(0.8, 1.2, 3)
    white = np.minimum(tone.max() * np.array([1.08, 1.04, 1.02]), [222, 216, 212])
    where = eye_texels(model, 1, size)
    flat = out.reshape(-1, 3)
    flat[where.texel] = eye_paint(where, EyeLook(np.clip(iris, 12, 200).astype(np.float32), white.astype(np.float32)))
    target, source = gutters(model, 1, size)
    flat[target] = flat[source]
    return out


def _spots(rng: np.random.Generator, size: int) -> Array:
    """(size, size) moles and freckles as logarithmic lightness: most have few, some many."""
    import cv2

    out = np.zeros((size, size), np.float32)
    for _ in range(int(rng.integers(0, 8)) + (int(rng.integers(20, 120)) if rng.random() < 0.12 else 0)):
        u, v = rng.uniform([0.2, 0.3], [0.8, 0.85])
        depth = float(rng.uniform(0.05, 0.35))
        cv2.circle(out, (int(u * size), int(v * size)), max(1, round(rng.uniform(0.6, 2.2) * size / 1024)), -depth, -1)
    return np.asarray(cv2.GaussianBlur(out, (0, 0), 0.8 * size / 1024))


@dataclass(frozen=True, eq=False)
class _Chart:
    """What all textures of one size have in common."""

    folds: Array
    """(S, S, 3) in the terms of `opponent`: the folds' darkness."""
    parts: Buffers
    """Where eyes, teeth, tongue and the mouth's lining lie, as triangles of"""
    part_uv: NDArray[np.int32]
    cheek: NDArray[np.bool_]
    """(S, S): the inner face."""


@lru_cache(maxsize=2)
def _chart(model: HeadModel, size: int) -> _Chart:
    import cv2

    mesh, facts = model.level(1), surface_facts(model, 1)
    side = min(size, 512)
    flat = np.concatenate([mesh.uv, np.ones((len(mesh.uv), 1))], axis=1)
    skin = mesh.triangle_part == 0
    at_uv = np.zeros((len(mesh.uv), 4), np.float32)
    factor = fold_shade(facts.openness, 1.0)
    at_uv[mesh.triangle_uv, :3] = opponent(np.float64(200) * factor)[mesh.triangles] - opponent(np.full(3, 200.0))
    at_uv[mesh.triangle_uv, 3] = facts.inner_level[mesh.triangles]
    buffers = rasterize(flat * [side, side, 1], mesh.triangle_uv[skin], side, side, cull=False)
    drawn = cv2.resize(interpolate(buffers, mesh.triangle_uv[skin], at_uv), (size, size))
    part_uv = mesh.triangle_uv[~skin]
    parts = rasterize(flat * [size, size, 1], part_uv, size, size, cull=False)
    return _Chart(drawn[..., :3].astype(np.float32), parts, part_uv, drawn[..., 3] > 0.99)
