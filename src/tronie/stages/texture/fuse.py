"""Multi-view texture fusion: each texel from the photos that see it best, in the light of the first.

Each photo is baked onto the atlas as if it were alone. Which photo counts how much, and how its colours are brought
into the first one's light, is decided on the mesh's vertices and varies slowly there, so that neither the atlas's
seams nor the borders between photos show; only the colours themselves are taken texel by texel.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array, Image
from tronie.head.model import HeadModel
from tronie.raster.rasterizer import Buffers, interpolate, rasterize
from tronie.stages.texture.atlas import gutters, surface_facts
from tronie.stages.texture.bake import Baked
from tronie.stages.texture.lids import upper_lids
from tronie.stages.texture.mesh_filters import MeshGraph
from tronie.types import PROVENANCE, Texture

FIRST = 6.0
"""How much more the first photo counts where it sees the skin: a face made of many photos has many expressions."""
FACING, FINE, CRISP = 4, 1.0, 1.0
"""Powers of the cosine to the view, of the pixels per millimetre and of the sharpness in what a photo counts."""
CHOICE = 2
"""Power of what a photo counts in its share: the higher, the more the best one has it to itself."""
PIXEL_MM = 0.3
"""Finer than this a photo's pixels are of no more use to a texture."""
FEATHER = 3
"""Rounds of averaging over neighbours that make the borders soft."""
SLOW = 60
"""Sweeps by which gains are carried on into what only one photo shows."""
STRANGE = 0.25
"""Logarithm of a ratio of colours, after the balance, beyond which a photo shows something else there."""
LARGEST_GAIN = 1.1
"""Logarithm."""
SEEN = PROVENANCE.index("seen")
LEAST_LENT = 0.02
STRIP = 128
"""Rows that are blended at a time, to save memory."""


@dataclass(frozen=True, eq=False)
class ViewWeights:
    """What one photo shows of the head, at the control vertices (C,)."""

    seen: Array
    worth: Array
    """How well, compared with other photos."""
    colour: Array
    """(C, 3) sRGB."""
    lent: Array | None = None
    """(C,) 0..1: where it alone counts, with what it shows and what is made of that."""


def view_weights(
    made: Baked, model: HeadModel, sharpness: float, lids: bool = False, alone: bool = False
) -> ViewWeights:
    """`sharpness` is about 0.02 (soft) to 0.2 (crisp). Of shut eyes the `lids` may be lent, and they `alone`."""
    count = len(model.mean)
    view, recipe = made.samples.view, made.recipe
    points, normals = view.camera_points[:count], view.normals[:count]
    cosine = np.clip(-(points * normals).sum(axis=1) / np.linalg.norm(points, axis=1), 0, 1)
    fine = (PIXEL_MM / max(view.pixel_mm, PIXEL_MM)) ** FINE * np.clip(sharpness / 0.05, 0.2, 1.5) ** CRISP
    seen = np.clip(recipe.seen[:count], 0, 1)
    even = 1.0 if recipe.even is None else recipe.even[:count]
    worth = np.zeros(count) if alone else seen * cosine**FACING * fine
    lent = upper_lids(model, seen, made.samples.colour.rgb, recipe.skin) if lids else None
    return ViewWeights(seen, worth, made.samples.tuft.rgb * even, lent)


@dataclass(frozen=True, eq=False)
class TextureShare:
    """How a photo enters the texture, at the control vertices (C,)."""

    share: Array
    gain: Array
    """(C, 3) factor on its colours."""
    lent: Array | None = None
    """(C,) 0..1: of the share, what need not be seen in the photo."""


def texture_shares(sights: list[ViewWeights], model: HeadModel, level: int) -> list[TextureShare]:
    """Of all photos, the first one first: what they leave of each vertex is the first one's own completion."""
    facts = surface_facts(model, level)
    graph = MeshGraph(facts.control_start, facts.control_edges, facts.steps)
    first = sights[0]
    count = len(first.seen)
    known, canvas = first.seen, np.log(first.colour + 8)
    gains: dict[int, Array] = {0: np.ones((count, 3))}
    worth = {0: FIRST * first.worth}
    left = set(range(1, len(sights)))
    while left:  # those first that share most with what is there already
        k = max(left, key=lambda i: (float(np.minimum(known, sights[i].seen).sum()), -i))
        left.remove(k)
        one = sights[k]
        both = np.minimum(known, one.seen)
        mine = np.log(one.colour + 8)
        ratio = np.clip(canvas - mine, -LARGEST_GAIN, LARGEST_GAIN)
        usual = np.asarray(weighted_median(ratio, both**2 + 1e-6))
        prior = np.broadcast_to(usual, ratio.shape).astype(np.float32)
        slow = graph.membrane(6 * both**2, ratio, np.full(count, 0.01, np.float32), prior, SLOW)
        slow = np.clip(slow, -LARGEST_GAIN, LARGEST_GAIN)
        off = np.abs(canvas - mine - slow).mean(axis=1) * (first.seen > 0.3)
        gains[k] = np.exp(slow)
        worth[k] = one.worth * np.exp(-((graph.smoothed(off, 2) / STRANGE) ** 2))
        new = np.clip(one.seen - known, 0, 1)[:, None]
        canvas = canvas * (1 - new) + (mine + slow) * new
        known = np.maximum(known, one.seen)
    all_worth = np.array([worth[k] for k in range(len(sights))]) ** CHOICE
    total = all_worth.sum(axis=0) + 1e-12
    cover = np.max([s.seen * (worth[k] > 0) for k, s in enumerate(sights)], axis=0)
    taken = np.clip(sum((s.lent for s in sights if s.lent is not None), np.zeros(count)), 0, 1)
    out = []
    for k, one in enumerate(sights):
        share = graph.smoothed(graph.eroded(cover * all_worth[k] / total), FEATHER)
        share = np.minimum(share, one.seen) * (1 - taken)
        out.append(TextureShare(share if one.lent is None else share + one.lent, gains[k], one.lent))
    return out


def weighted_median(values: Array, weight: Array) -> Array:
    """(n, k), (n,) -> (k,)."""
    order = np.argsort(values, axis=0)
    heavy = np.cumsum(weight[order], axis=0)
    at = (heavy < heavy[-1] / 2).sum(axis=0)
    return np.asarray(np.take_along_axis(values, np.take_along_axis(order, at[None], axis=0), axis=0)[0])


@dataclass(frozen=True, eq=False)
class Fused:
    texture: Texture
    source: Image
    """(S, S) uint8: number of the photo, from 1, that has most of each texel; 0 where none has."""
    parts: tuple[float, ...]
    """Share of the seen skin that each photo gave."""


def fuse(first: Texture, others: Iterator[Texture], found: list[TextureShare], model: HeadModel, level: int) -> Fused:
    """The first photo's texture with the `others`' blended in, one at a time; `found` as of `texture_shares`."""
    import cv2

    size = len(first.image)
    mesh = model.level(level)
    skin = mesh.triangle_part == 0
    flat = np.concatenate([mesh.uv * size, np.ones((len(mesh.uv), 1))], axis=1).astype(np.float32)
    buffers = rasterize(flat, mesh.triangle_uv[skin], size, size, cull=False)
    corners = mesh.triangles[skin]

    def spread_out(values: Array, rows: slice = slice(None)) -> Array:
        """(C, k) -> (S, S, k), or some rows of it."""
        at = np.asarray(mesh.matrix @ np.asarray(values, np.float32), np.float32)
        part = Buffers(buffers.triangle[rows], buffers.barycentric[rows], buffers.depth[rows])
        return interpolate(part, corners, at)

    strips = [slice(top, top + STRIP) for top in range(0, size, STRIP)]
    left = np.ones((size, size), np.float32)
    best = np.where(first.provenance == SEEN, spread_out(found[0].share[:, None])[..., 0], 0).astype(np.float32)
    source = np.where(best > 0, np.uint8(1), np.uint8(0))
    added = np.zeros((size, size, 3), np.float32)
    given = [float(best.sum())]
    for k, (other, one) in enumerate(zip(others, found[1:], strict=True), start=2):
        share = spread_out(one.share[:, None])[..., 0]
        shown = other.provenance == SEEN
        if one.lent is not None:
            shown |= (other.provenance > 0) & (spread_out(one.lent[:, None])[..., 0] > LEAST_LENT)
        # The photo's own mask of what is seen has hard edges where single texels were judged.
        share = np.where(shown, np.minimum(share, cv2.blur(share * shown, (9, 9))), 0).astype(np.float32)
        for rows in strips:
            colour = (other.image[rows].astype(np.float32) + 8) * spread_out(one.gain, rows) - 8
            added[rows] += share[rows][..., None] * np.clip(colour, 0, 255)
        left -= share
        given.append(float(share.sum()))
        more = share > best
        source[more] = min(k, 255)
        best = np.maximum(best, share)
    left = np.clip(left, 0, 1)
    image = np.empty_like(first.image)
    for rows in strips:
        image[rows] = np.clip(first.image[rows] * left[rows][..., None] + added[rows] + 0.5, 0, 255)
    provenance = first.provenance.copy()
    provenance[(left < 0.5) & (first.provenance > 0)] = SEEN
    target, origin = gutters(model, level, size)
    texels = image.reshape(-1, 3)
    texels[target] = texels[origin]
    whole = max(sum(given), 1e-9)
    return Fused(Texture(image, provenance), source, tuple(part / whole for part in given))
