"""The photo turned: every pixel of the portrait from the photo, from its other side, or from the filled texture.

Eyes and mouth are the head's own where the photo's will not do: another gaze, closed lids, teeth behind lips that are
to meet, an eye whose mirror image would look the other way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, Similarity, smoothstep
from tronie.head.model import PARTS, Head
from tronie.head.surface import reduced, triangle_vertex_normals, vertex_uv
from tronie.raster.compositing import sampled
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import UNLIT, render_layers, screen_points
from tronie.shells import SEGMENTS, Segmentation, Shell
from tronie.stages.portrait.camera import eyes_at
from tronie.stages.portrait.far_side import (
    DRAWN_YAW,
    FACE_YAW,
    SIDE_YAW,
    beyond_middle,
    draw_far_side,
    far_of,
    lay_far_side,
    lay_head,
    near_side_there,
)
from tronie.stages.portrait.layers import PortraitLayers, lay, make_layers
from tronie.stages.portrait.matte import Matte, guessed_person, matte
from tronie.stages.portrait.matter import Matter, behind, border_fill, matter
from tronie.stages.portrait.plain import fades, mouth_light
from tronie.stages.portrait.source import FEATHER_MM, Source, inside_photo, outpaint
from tronie.stages.portrait.warp_anchors import Anchors, HeadRegions, Pixels, head_regions, outline
from tronie.stages.portrait.warp_field import membrane
from tronie.stages.texture.atlas import SurfaceFacts, surface_facts
from tronie.stages.texture.lips import from_lining
from tronie.stages.texture.visibility import Visibility
from tronie.types import PROVENANCE, Texture

SEEN, MIRRORED, FILLED, ENHANCED, AROUND, EXTENDED = (
    PROVENANCE.index(n) for n in ("seen", "mirrored", "filled", "enhanced", "around", "extended")
)
MAP = 256
"""Cells of the maps along the portrait's height, if it has so many pixels."""
COARSE = 64
"""Cells along the height where colours are balanced."""
SOFT_MM = 1.0
"""Over which a patch fades in."""
MEET_MM, NEAR_MM = 2.0, (2.2, 4.5)
"""From the mouth's lining on: how far lips may meet; and how far from there in the portrait all is the head's."""
EVEN = 0.003
"""Screening of the colour balance per cell: it fades over some 18 cells, 8 cm."""


@dataclass(frozen=True)
class PortraitScene:
    """What all portraits of a face have in common."""

    head: Head
    texture: Texture
    view: Visibility
    source: Source
    to_photo: Similarity
    """Portrait pixels -> photo pixels for what does not turn."""
    camera: Camera
    pose: Array
    fine: Similarity | None = None
    """Photo pixels -> 0..1 where super-resolution has put detail in."""
    segmentation: Segmentation | None = None
    """Of the photo."""
    cut: bool = False
    """Whether what is person in the portrait is wanted."""
    photo_size: tuple[int, int] = (1, 1)
    """Width and height, pixels."""
    yaw: float = 0.0
    """Degrees, of the head in the photo."""
    shells: tuple[Shell, ...] = ()
    """Over the head."""

    @property
    def anew(self) -> float:
        """0..1: how far skin that the photo hides is drawn rather than warped."""
        return float(smoothstep(np.array(self.yaw), *FACE_YAW)) if self.segmentation is not None else 0.0

    @cached_property
    def parts(self) -> HeadRegions:
        return head_regions(self.head.model, self.head.level)

    @cached_property
    def facts(self) -> SurfaceFacts:
        return surface_facts(self.head.model, self.head.level)

    @cached_property
    def there(self) -> Array:
        """(V, 3) float32; see `Anchors`."""
        pixels = self.to_photo.inverse().apply(self.view.pixels)
        return np.column_stack([pixels, self.view.camera_points[:, 2]]).astype(np.float32)

    @cached_property
    def colours(self) -> Array:
        """(V, 3) the texture's colours at the vertices, 0..255."""
        small = reduced(self.texture.image, 512)
        x, y = np.clip((vertex_uv(self.head.model, self.head.level) * len(small)).astype(int), 0, len(small) - 1).T
        return np.asarray(small[y, x], dtype=np.float32)

    def anchors(self, vertices: Array) -> Anchors:
        eyes, per_mm = eyes_at(self.camera, self.pose)
        here = screen_points(vertices, self.camera, self.pose)
        normals = triangle_vertex_normals(vertices, self.head.triangles)
        return Anchors(here, self.there, self.view.facing, normals[:, 2], eyes, per_mm, self.outlines)

    @cached_property
    def outlines(self) -> tuple[Pixels, Pixels]:
        """See `Anchors`."""
        eyes, per_mm = eyes_at(self.camera, self.pose)
        skull, whole = (
            outline(self.there, triangles, eyes, per_mm)[0]
            for triangles in (self.parts.skull_triangles, self.parts.triangles)
        )
        return skull, whole


@dataclass(frozen=True, slots=True)
class Wishes:
    """What of the head's own a portrait shall have in place of the photo's."""

    mouth: bool = False
    eyes: bool = False
    level_gaze: bool = False
    """Both eyes are the head's, and look into the camera."""


@dataclass(frozen=True, eq=False)
class Turned:
    """A photo turned to the front."""

    image: Image
    """(H, W, 3)."""
    mask: Image
    """(H, W) of indices into PROVENANCE."""
    matte: Matte | None
    """Where it was asked for."""


@dataclass(frozen=True, eq=False)
class Composed:
    """A portrait of the photo alone."""

    image: Image
    """(H, W, 3)."""
    mask: Image
    """(H, W) of indices into PROVENANCE."""
    warped: Image
    """(H, W, 3): with nothing of the other side."""
    matter: Matter | None
    """Of what it is, where that was asked for and a segmentation says it."""
    gain: Array
    """(m, n, 3): see `_balance`."""


def frontalize(scene: PortraitScene, vertices: Array, wishes: Wishes) -> Turned:
    """The portrait in which the head has `vertices` (V, 3) mm."""
    width, height = scene.camera.size
    cell = max(1, height // MAP)
    shape = (height // cell, width // cell)
    anchors = scene.anchors(vertices)
    layers = make_layers(anchors, scene.view, scene.parts, scene.facts, scene.colours, shape, cell, scene.anew)
    base = _composed(scene, anchors, layers, cell)
    person = _person(scene, anchors, layers, cell) if scene.cut else None
    share = _patches(scene, anchors, layers, cell, wishes)
    person = _draw_far_side(scene, anchors, layers, base, vertices, cell, person)
    image, mask = base.image, base.mask
    found = matte(image, person, layers.head, cell / anchors.per_mm) if person is not None else None
    if wishes.level_gaze:
        # Eyeballs at rest look straight ahead.
        eyes = np.maximum(*(eye_patch(scene.head, name) for name in EYES))[:, None]
        moved = vertices - scene.head.vertices
        vertices = vertices + eyes * (scene.head.neutral + moved - vertices)
    draw_patch(image, mask, scene.head, scene.texture, scene.camera, scene.pose, vertices, anchors, share)
    return Turned(image, mask, found)


def _draw_far_side(
    scene: PortraitScene,
    anchors: Anchors,
    layers: PortraitLayers,
    base: Composed,
    vertices: Array,
    cell: int,
    person: Array | None,
) -> Array | None:
    """Lay anew what the photo hides, as far as it does. `person` (h, w) 0..1, how likely each cell is the person, comes
    back as it is then."""
    skin = scene.anew
    if skin <= 0 or base.matter is None:
        return person
    mm = cell / anchors.per_mm
    back = behind(base.matter, mm)
    far = far_of(scene.head, anchors, scene.parts)
    if scene.yaw >= DRAWN_YAW:
        covered = lay_head(
            base.image,
            base.mask,
            back,
            scene.head,
            scene.texture,
            scene.shells,
            scene.camera,
            scene.pose,
            vertices,
            anchors,
            far,
        )
        return None if person is None else _over_cells(covered, person)
    drawn = draw_far_side(
        scene.head, scene.texture, scene.parts, scene.camera, scene.pose, vertices, anchors, far, scene.yaw
    )
    chin = float(anchors.here[(scene.parts.front > 0.5) & (scene.parts.skull > 0.5), 1].max())
    whole = scene.yaw >= SIDE_YAW and near_side_there(base.matter.within, anchors, far, chin, cell)
    lay_far_side(base.image, base.mask, base.warped, back, base.gain, drawn, anchors, far, chin, skin, whole)
    if person is None:
        return None
    canvas = np.zeros(base.mask.shape, np.float32)
    (x, y), (rows, columns) = drawn.corner, drawn.cover.shape
    canvas[y : y + rows, x : x + columns] = skin * drawn.cover
    person = np.maximum(person, _over_cells(canvas, person))
    if not whole:
        return person
    twin = np.maximum(back.hair, back.skin)[:, ::-1]
    anew = np.maximum(np.maximum(twin, back.body), np.clip(layers.head, 0, 1))
    return np.asarray(person + beyond_middle(person.shape[1], cell, anchors, far) * (anew - person), dtype=np.float32)


def _over_cells(share: Array, cells: Array) -> Array:
    """(H, W) averaged over cells (h, w)."""
    import cv2

    return np.asarray(cv2.resize(share, cells.shape[::-1], interpolation=cv2.INTER_AREA), dtype=np.float32)


def _person(scene: PortraitScene, anchors: Anchors, layers: PortraitLayers, cell: int) -> Array:
    """(h, w) 0..1: how likely each cell is the person, whose head is where the mesh says so."""
    found = scene.segmentation
    if found is None:
        return guessed_person(layers.head, (anchors.eyes[0] / cell, anchors.eyes[1] / cell), cell / anchors.per_mm)
    to_shares = scene.to_photo.then(found.to_photo.inverse())
    ground = np.ascontiguousarray(found.shares[SEGMENTS.index("background")][..., None])
    direct, mirrored = (
        1 - sampled(ground, to_shares.apply(place).reshape(-1, 2)).reshape(layers.head.shape) / np.float32(255)
        for place in (layers.direct, layers.mirrored)
    )
    filled = np.clip(layers.use_fill, 0, 1) * np.clip(layers.head, 0, 1)
    share = direct + np.clip(layers.use_mirrored, 0, 1) * (mirrored - direct)
    # Beyond the photo's border nobody is cut out.
    m = scene.source.place(scene.to_photo)
    within = inside_photo(
        scene.source, layers.direct @ m[:, :2].T + m[:, 2], np.sqrt(abs(np.linalg.det(m[:, :2]))) * cell
    )
    return np.asarray(np.maximum(share * within, filled), dtype=np.float32)


EYES = ("eye_left", "eye_right")


def _patches(scene: PortraitScene, anchors: Anchors, layers: PortraitLayers, cell: int, wishes: Wishes) -> Array:
    """(V,) 0..1: what of the head is drawn over the photo. Where an eye would be the other's mirror image both are the
    head's, for the mirrored one looks the other way."""
    share = mouth_patch(scene.head, scene.facts, anchors) if wishes.mouth else np.zeros(len(anchors.here), np.float32)
    eyes = [eye_patch(scene.head, name) for name in EYES]
    rows, columns = layers.use_mirrored.shape
    wanted = wishes.eyes or wishes.level_gaze
    for eye in eyes:
        if eye.any():
            x, y = (anchors.here[eye > 0, :2].mean(axis=0) / cell).astype(int).tolist()
            wanted |= bool(0 <= x < columns and 0 <= y < rows and layers.use_mirrored[y, x] > 0.5)
    return np.maximum(share, np.maximum(*eyes)) if wanted else share


def _composed(scene: PortraitScene, anchors: Anchors, layers: PortraitLayers, cell: int) -> Composed:
    import cv2

    width, height = scene.camera.size
    source = scene.source
    m = source.place(scene.to_photo).astype(np.float32)
    direct, mirrored = (p @ m[:, :2].T + m[:, 2] for p in (layers.direct, layers.mirrored))
    small = (max(round(COARSE * width / height), 4), COARSE)
    feather = FEATHER_MM * anchors.per_mm * np.sqrt(abs(np.linalg.det(m[:, :2])))
    known, there = inside_photo(source, direct, feather), inside_photo(source, mirrored, feather)

    out = source.sampled(direct, (width, height))
    warped = out.copy()
    share = layers.use_mirrored * there
    gain = np.ones((small[1], small[0], 3), np.float32)
    if share.max() > 0.003:
        gain = _balance(scene, out, mirrored, layers.common * known * there, small)
    far = np.zeros((*known.shape, 3), np.float32)
    found = None
    if scene.segmentation is not None and (known.min() < 1 or scene.yaw > FACE_YAW[0]):
        found = matter(
            out,
            layers.direct,
            known,
            scene.segmentation,
            scene.to_photo,
            scene.photo_size,
            anchors.eyes,
            anchors.per_mm,
        )
    if known.min() < 1 and found is not None:
        far = border_fill(found)
    elif known.min() < 1:
        coarse: Array = np.asarray(cv2.resize(known, small, interpolation=cv2.INTER_AREA))
        far = cv2.resize(outpaint(out, coarse, anchors.eyes, anchors.per_mm), known.shape[::-1])
    grid = np.dstack([mirrored - 0.5, share, layers.use_fill, 1 - known, layers.fill, layers.head])
    mask = np.empty((height, width), np.uint8)
    kinds = np.array([SEEN, MIRRORED, FILLED, EXTENDED, AROUND], np.uint8)
    lay(out, source.image, np.ascontiguousarray(grid, dtype=np.float32), gain, far, cell, kinds, mask)
    if scene.fine is not None:
        at = scene.to_photo.then(scene.fine).apply(layers.direct)
        within: Image = np.asarray(((at >= 0) & (at <= 1)).all(axis=-1), dtype=np.uint8)
        fine = np.asarray(cv2.resize(within, (width, height), interpolation=cv2.INTER_NEAREST))
        mask[(mask == SEEN) & (fine > 0)] = ENHANCED
    return Composed(out, mask, warped, found, gain)


def _balance(scene: PortraitScene, own: Image, mirrored: Array, common: Array, small: tuple[int, int]) -> Array:
    """(m, n, 3): the factor that brings the mirrored side into this side's light, from where both are seen."""
    import cv2

    size = (own.shape[1] // 4, own.shape[0] // 4)
    twin = scene.source.sampled(mirrored, size)
    weight: Array = np.asarray(cv2.resize(common.astype(np.float32), small, interpolation=cv2.INTER_AREA))
    a, b = (cv2.resize(p, small, interpolation=cv2.INTER_AREA).astype(np.float32) for p in (own, twin))
    ratio = np.clip(np.log((a + 8) / (b + 8)), -0.7, 0.7)
    return np.exp(membrane(4 * weight, ratio, EVEN))


def eye_patch(head: Head, part: str) -> Array:
    """(V,) 0..1: one eyeball."""
    return _part(head, (part,))


def mouth_patch(head: Head, facts: SurfaceFacts, anchors: Anchors) -> Array:
    """(V,) 0..1: lips, teeth, tongue and lining, and the skin that is so near to where the lips meet that a slip of the
    warp puts the photo's teeth on it."""
    level = head.model.level(head.level)
    lips = np.asarray(level.matrix @ facts.lips.astype(np.float32))
    meet = np.asarray(level.matrix @ from_lining(head.model, head.level)) < MEET_MM
    if meet.any():
        at = anchors.here[:, :2] / anchors.per_mm
        low, high = at[meet].min(axis=0) - NEAR_MM[1], at[meet].max(axis=0) + NEAR_MM[1]
        near = np.flatnonzero(((at > low) & (at < high)).all(axis=1) & (anchors.normal_z > 0))
        across, down = (at[near, None, k] - at[None, meet, k] for k in (0, 1))
        off = np.sqrt((across * across + down * down).min(axis=1, initial=np.inf))  # a norm takes ten times as long
        lips[near] = np.maximum(lips[near], 1 - smoothstep(off, *NEAR_MM))
    return np.maximum(lips, fades(head.model, head.level).mouth)


def _part(head: Head, names: tuple[str, ...]) -> Array:
    mesh = head.model.level(head.level)
    out = np.zeros(len(head.vertices), np.float32)
    out[mesh.triangles[np.isin(mesh.triangle_part, [PARTS.index(n) for n in names])]] = 1
    return out


def draw_patch(
    out: Image,
    mask: Image,
    head: Head,
    texture: Texture,
    camera: Camera,
    pose: Array,
    vertices: Array,
    anchors: Anchors,
    share: Array,
) -> None:
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
