"""Texture baking: one photo projected onto a head's UV atlas."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE, srgb_to_linear
from tronie.geometry import Similarity
from tronie.head.model import Head, Level
from tronie.runtime.threads import even as shares
from tronie.runtime.threads import in_bands
from tronie.settings import HairSettings, TextureSettings
from tronie.shells import Segmentation
from tronie.stages.enhance.region import COARSE_MM
from tronie.stages.texture import evening
from tronie.stages.texture.atlas import gutters, surface_facts
from tronie.stages.texture.eyes import openings, paint_eyes
from tronie.stages.texture.inpaint import Recipe, complete
from tronie.stages.texture.iris import eye_look
from tronie.stages.texture.kernels import FILLED, STATISTICAL, composite
from tronie.stages.texture.lids import lid_skin
from tronie.stages.texture.lips import lip_skin
from tronie.stages.texture.mouth import part_colours
from tronie.stages.texture.segment import PhotoSamples, sample_photo
from tronie.stages.texture.synthesis import grain
from tronie.stages.texture.visibility import Visibility, find_visibility
from tronie.stages.texture.white_balance import tint_of
from tronie.types import Fit, Landmarks, Photo, Texture

SIDES = (1024, 2048)
"""Of the atlas where nobody chooses: for what has pixels of COARSE_MM and more, and for what has finer ones."""
LARGEST_CROP = 3000
"""Pixels: the photo's part with the head is never enlarged beyond this."""


@dataclass(frozen=True, eq=False)
class Baked:
    """A texture and what was found out on the way."""

    texture: Texture
    recipe: Recipe
    samples: PhotoSamples


def bake(photo: Photo, head: Head, fit: Fit, *further: Any, **more: Any) -> Texture:
    """`baked`, with all that it takes, without what was found out on the way."""
    return baked(photo, head, fit, *further, **more).texture


def baked(
    photo: Photo,
    head: Head,
    fit: Fit,
    landmarks: Landmarks | None = None,
    settings: TextureSettings | None = None,
    enhanced: Similarity | None = None,
    threads: int = 1,
    teeth: Sequence[tuple[Photo, Landmarks]] = (),
    eyes: tuple[Photo, Landmarks] | None = None,
    segmentation: Segmentation | None = None,
    hair: HairSettings | None = None,
    even: bool = True,
    under: Callable[[], Array | None] | None = None,
) -> Baked:
    """Colour every texel of the atlas: from the photo where it shows the skin well, else from the other side of the
    face in this side's light, else a smooth continuation. Eyes, teeth and tongue are painted.

    What varies slowly (confidence, balance, fill) is decided on the mesh's vertices, so the atlas's seams
    do not show; only the photo is sampled per texel. `landmarks` give the iris colour. `enhanced` leads from photo
    pixels to 0..1 where super-resolution has put detail into the photo: what is seen there is marked. The result does
    not depend on the number of `threads`. `teeth`: other photos, in the same light, that show them better, the best
    first; `eyes`: one that shows the irises better.
    `segmentation` says of the photo what is skin and what hair; without it their colours have to. `hair` may ask for a
    bald head; `under` is asked, as late as can be, over which vertices of the control mesh hair lies as a surface of
    its own, (C,) 0..1: what is painted ends there. Light that comes from one side is evened out where it is strong, if
    `even`: not where it is still to be found out.
    """
    model, level = head.model, head.level
    mesh, facts = model.level(level), surface_facts(model, level)
    view = find_visibility(photo, head, fit, facts)
    size = side_of(settings or TextureSettings(), view.pixel_mm)
    lips = np.asarray([[0.0, 0.0]] * 2 if landmarks is None else landmarks.points[[13, 14], :2])
    gap_mm = float(np.linalg.norm(lips[0] - lips[1])) * view.pixel_mm
    samples = sample_photo(photo, view, len(model.mean), segmentation)
    bald = hair is not None and hair.mode == "none"
    edges = lip_skin(head, view, landmarks)
    lids = lid_skin(head, view, facts, landmarks)
    crop, affine = _sharp_crop(photo, view, mesh, size)
    open_eyes = openings(head)
    recipe = complete(samples, model, level, facts, gap_mm, bald=bald, under=under, lids=lids, lips=edges)
    tint = tint_of(recipe.skin, photo, landmarks)
    light = _skin_light(photo, view.pixels, mesh, facts.inner_level & (recipe.seen > 0.5))
    colours = part_colours(model, level, recipe.skin, photo, landmarks, tint, light, teeth)
    synthetic = mesh.triangle_part > 0
    image = np.empty((size, size, 3), np.uint8)
    image[0] = recipe.skin.astype(np.uint8)
    image[1:] = image[0]
    provenance = np.zeros((size, size), np.uint8)
    camera_points = view.camera_points * np.array([*fit.camera.focals, 1], np.float32)
    camera_points[:, :2] += camera_points[:, 2:] * np.asarray(fit.camera.center, np.float32)
    packed, texels = _pack(camera_points, recipe, affine), grain(model, level, size)

    def rows(top: int, bottom: int) -> None:
        composite(
            mesh.uv,
            mesh.triangle_uv,
            mesh.triangles,
            synthetic,
            facts.mirror,
            packed,
            colours,
            crop,
            texels.cover,
            texels.strand,
            texels.mottle,
            _contrast(recipe),
            np.float32(recipe.grain / texels.roughness),
            STATISTICAL if recipe.statistical else FILLED,
            _marks(enhanced, affine),
            top,
            bottom,
            image,
            provenance,
        )

    in_bands(rows, shares(size, threads))
    if even and recipe.even is not None:
        evening.apply(image, provenance, recipe.even, model, level)
    paint_eyes(image, head, eye_look(*(eyes or (photo, landmarks)), recipe.skin, tint), open_eyes)
    target, source = gutters(model, level, size)
    flat = image.reshape(-1, 3)
    flat[target] = flat[source]
    if model.is_mask:
        provenance = _joined(provenance)
    return Baked(Texture(image, provenance), recipe, samples)


def side_of(settings: TextureSettings, pixel_mm: float) -> int:
    """Side of the atlas, texels, of a face that has a pixel per `pixel_mm`. The smaller one's texels are 0.28 mm: a
    third of the coarse pixel that they are to show, and as fine as eyes and strands want to be painted."""
    return SIDES[pixel_mm < COARSE_MM] if settings.size == "auto" else settings.size


def _skin_light(photo: Photo, pixels: Array, mesh: Level, pick: NDArray[np.bool_]) -> float:
    """Mean linear luminance of the photo where the vertices of `pick` (V,) lie, at pixels (V, 2), each as often as its
    share of the skin is large: most vertices are those of lips, nostrils and lids. 0 without any."""
    height, width = photo.image.shape[:2]
    rows = (mesh.triangle_part == 0) & pick[mesh.triangles].all(axis=1)
    if not rows.any():
        return 0.0
    p = mesh.uv[mesh.triangle_uv[rows]]
    a, b = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
    x, y = (
        np.clip(c, 0, last).astype(int)
        for c, last in zip(pixels[mesh.triangles[rows, 0]].T, (width - 1, height - 1), strict=True)
    )
    light = srgb_to_linear(photo.image[y, x]) @ LUMINANCE
    return float(np.average(light, weights=np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) + 1e-12))


def _joined(provenance: Image) -> Image:
    """With what an unwrapped face has in sight, seams, closed: a texel between two charts belongs to them."""
    import cv2

    wider = cv2.dilate(provenance, np.ones((3, 3), np.uint8))
    return np.asarray(np.where(provenance > 0, provenance, wider), dtype=np.uint8)


def _sharp_crop(
    photo: Photo, view: Visibility, mesh: Any, size: int
) -> tuple[Image, tuple[float, float, float, float]]:
    """The head's part of the photo at about a pixel per texel, and x' = a x + b, y' = c y + d from photo pixels.

    Smaller where the photo is finer than the texture (area average), larger where it is coarser (bicubic), so that
    bilinear sampling neither flickers nor shows its diamonds.
    """
    import cv2

    x0, y0, x1, y1 = view.box
    if x1 <= x0 or y1 <= y0:
        return np.full((2, 2, 3), 128, np.uint8), (0.0, 1.0, 0.0, 1.0)
    density = _pixels_per_texel(view, mesh, size)
    factor = float(np.clip(1 / density, 0.02, 4.0))
    if 0.6 < factor < 1.4:
        factor = 1.0
    factor = min(factor, max(1.0, LARGEST_CROP / max(x1 - x0, y1 - y0)))
    crop = photo.image[y0:y1, x0:x1]
    width, height = max(round((x1 - x0) * factor), 2), max(round((y1 - y0) * factor), 2)
    if (width, height) != (x1 - x0, y1 - y0):
        method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
        crop = np.asarray(cv2.resize(crop, (width, height), interpolation=method), dtype=np.uint8)
    a, c = width / (x1 - x0), height / (y1 - y0)
    return np.ascontiguousarray(crop), (a, -a * x0, c, -c * y0)


def _marks(enhanced: Similarity | None, affine: tuple[float, float, float, float]) -> Array:
    """(2, 3) float32: crop pixels -> 0..1 in what was enhanced; nowhere without it."""
    if enhanced is None or affine[0] == 0:
        return np.array([[0, 0, -1], [0, 0, -1]], np.float32)
    a, b, c, d = affine
    matrix = enhanced.matrix.copy()
    matrix[:, 2] -= matrix[:, 0] * b / a + matrix[:, 1] * d / c
    matrix[:, :2] /= [a, c]
    return matrix.astype(np.float32)


def _contrast(recipe: Recipe) -> np.float32:
    """Relative lightness of strands per step of their pattern: less on light hair, whose shadows are filled by it."""
    light = float(recipe.hair.mean())
    return np.float32((0.42 - 0.24 * np.clip((light - 60) / 120, 0, 1)) / 127)


def _pixels_per_texel(view: Visibility, mesh: Any, size: int) -> float:
    """Linear density of the photo on the atlas over a sample of well seen triangles; 1 when none is."""
    pick = np.flatnonzero(view.facing[mesh.triangles[:, 0]] > 0.5)
    if len(pick) == 0:
        return 1.0
    pick = pick[:: max(1, len(pick) // 2000)]
    total = []
    for p in (view.pixels[mesh.triangles[pick]], mesh.uv[mesh.triangle_uv[pick]] * size):
        a, b = p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]
        total.append(float(np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()))
    return float(np.sqrt(total[0] / max(total[1], 1e-9)))


def _pack(points: Array, recipe: Recipe, affine: tuple[float, float, float, float]) -> Array:
    """(V, 15) float32: x z, y z, z in crop pixels (divide by z after interpolation), seen, mirrored, gain, fill, hair
    and how it grows."""
    a, b, c, d = affine
    x, y, z = points.T
    r = recipe
    columns = [a * x + b * z, c * y + d * z, z, r.seen, r.mirrored, r.gain, r.fill, r.hair, r.grown]
    return np.ascontiguousarray(np.column_stack(columns), dtype=np.float32)
