"""A head as pictures need it: a mesh that can move, what each part of it is made of, its maps, ambient occlusion."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array, Image
from tronie.head.harmonics import spiral
from tronie.head.model import PARTS, Head, HeadModel
from tronie.head.surface import Same, quad_vertex_normals, reduced
from tronie.raster.compositing import sampled, srgb_tables
from tronie.raster.cutouts import Cutout, draw_cut, pyramid
from tronie.raster.rasterizer import visible
from tronie.shells import Shell
from tronie.stages.texture.surface_map import surface_map
from tronie.types import Face

Ints = NDArray[np.int32]
OPENINGS: tuple[dict[str, float], ...] = (
    {"jawOpen": 1.0},
    {"mouthLowerDownLeft": 1.0, "mouthLowerDownRight": 1.0, "mouthUpperUpLeft": 1.0, "mouthUpperUpRight": 1.0},
    {"mouthFunnel": 1.0},
    {"tongueOut": 1.0},
)
"""Expressions that let light into the mouth."""
DIRECTIONS, SIDE = 40, 256
"""Of the views from around, and their size in pixels."""
SLACK_MM = 1.5
"""What lies so little behind the nearest surface still sees the light."""
HAIR = ("hair", "covering")
"""Shells that stand for what would else be painted on the scalp."""
SHELL_SHADE = 0.5
"""How much of what a shell hides of the head counts: light creeps through hair."""
LIGHT_GAIN = (0.5, 2.0)
"""Of a shell without the photo's light."""
KEPT_SHAPES = (
    "haired", "ends", "cutouts", "_unlit_cutouts", "shade", "openness", "_texture_pyramid", "_albedo_pyramid", "inner",
    "middle",
)  # fmt: skip
"""Of what a figure computes once, what another shape of it takes over."""
PHOTO = "photo"
"""The one unit of a head whose expressions have no names: from rest to the photo's expression."""


@dataclass(frozen=True, eq=False)
class Openness:
    """0..1 for each vertex, linear in how far the mouth is open."""

    rest: Array
    """(V,) float32."""
    change: Array
    """(N, V) float32: what each of OPENINGS adds."""

    def at(self, weights: Mapping[str, float] | None) -> Array:
        """(V,) float32 for weights by unit."""
        out = self.rest
        if weights and len(self.change):
            for opening, change in zip(OPENINGS, self.change, strict=True):
                share = float(np.mean([weights.get(unit, 0.0) for unit in opening]))
                if share > 0:
                    # The first millimetres between the lips let in most of the light.
                    out = out + np.float32(min(share, 1.0) ** 0.6) * change
        return np.asarray(np.clip(out, 0, 1), dtype=np.float32)


@dataclass(frozen=True, eq=False)
class Figure:
    """Everything about one person that does not change from picture to picture."""

    faces: Ints
    """(F, 4) rows of `rest`, -1 in the last place for a triangle: what normals are made from."""
    triangles: Ints
    """(T, 3) rows of `rest`, counter-clockwise from outside."""
    triangle_uv: Ints
    """(T, 3) rows of `uv`."""
    uv: Array
    """(U, 2) float32, origin at the top left."""
    part: NDArray[np.uint8]
    """(T,) index into PARTS."""
    rest: Array
    """(V, 3) float32 mm, at rest."""
    names: tuple[str, ...] = ()
    """(K,) of the units of expression."""
    moves: Array | None = None
    """(K, V, 3) float32 mm at weight 1."""
    weights: Mapping[str, float] | None = None
    """The photo's expression, by unit; what is missing is 0."""
    texture: Image | None = None
    """(S, S, 3) RGB."""
    albedo: Image | None = None
    """(S, S, 3) RGB: the texture without the photo's light, which light of other kinds falls on."""
    provenance: Image | None = None
    """(S, S) indices into PROVENANCE."""
    roughness: Array | None = None
    """(V,) float32 0..1 of its surface in its texture; None where nothing is known."""
    sigma: Array | None = None
    """(V,) float32 mm: standard deviation of the surface, towards or away from its outside."""
    wire: NDArray[np.uint8] | None = None
    """(T,) bits 1, 2, 4: whether the edge from corner 0 to 1, 1 to 2, 2 to 0 is drawn in a wireframe; None is all."""
    neck: Array | None = None
    """(V,) opacity that fades out towards the cut of the neck; None is 1 everywhere."""
    hairy: Array | None = None
    """(V,) 0..1: where hair thins the outline out; None is 0 everywhere."""
    both_sides: bool = False
    """Whether back faces are drawn, as of a face mask."""
    shells: tuple[Shell, ...] = ()
    """Over the head; they stay where they are when it moves its face."""

    @cached_property
    def haired(self) -> bool:
        """Whether hair has an outline of its own, so that the head's is not thinned out."""
        return any(shell.name in HAIR for shell in self.shells)

    @cached_property
    def ends(self) -> bool:
        """Whether its neck has an end that can be shown, so that it need not fade out."""
        return any(shell.below for shell in self.shells)

    @cached_property
    def cutouts(self) -> tuple[Cutout, ...]:
        """Each shell, ready to be drawn."""
        return tuple(Cutout.of(shell.triangles, shell.uv, shell.image) for shell in self.shells)

    def cutouts_in(self, relit: bool) -> tuple[Cutout, ...]:
        """`cutouts`, as the texture of `pyramid`: with or without the photo's light."""
        return self._unlit_cutouts if relit and self.albedo is not None and self.texture is not None else self.cutouts

    @cached_property
    def _unlit_cutouts(self) -> tuple[Cutout, ...]:
        assert self.albedo is not None
        assert self.texture is not None
        shells = without_light(self.shells, self.texture, self.albedo)
        return tuple(Cutout.of(shell.triangles, shell.uv, shell.image) for shell in shells)

    @cached_property
    def shade(self) -> tuple[Array, tuple[Array, ...]]:
        """(V,) float32 0..1: how much of the head's openness its shells leave; and of each shell (S,) how open it is.
        Computed once."""
        return shell_shade(self)

    @cached_property
    def openness(self) -> Openness:
        """How much of the space around each vertex is open, at rest and in open mouths; computed once."""
        return openness(self)

    def pyramid(self, relit: bool) -> tuple[NDArray[np.uint32], Ints]:
        """The texture (where it is `relit` the albedo, if there is one) and its halves down to 32 pixels: flat texels,
        red, green and blue from the lowest byte up, and (L, 3) offset, height, width of each. Computed once."""
        return self._albedo_pyramid if relit and self.albedo is not None else self._texture_pyramid

    @cached_property
    def _texture_pyramid(self) -> tuple[NDArray[np.uint32], Ints]:
        return pyramid(np.full((1, 1, 3), 190, np.uint8) if self.texture is None else self.texture)

    @cached_property
    def _albedo_pyramid(self) -> tuple[NDArray[np.uint32], Ints]:
        assert self.albedo is not None
        return pyramid(self.albedo)

    @cached_property
    def middle(self) -> Array:
        """(3,) mm: the middle of its bounding box."""
        return np.asarray((self.rest.min(axis=0) + self.rest.max(axis=0)) / 2, dtype=np.float64)

    @cached_property
    def inner(self) -> Ints:
        """Vertices of eyes and mouth alone: what a head shows only from before."""
        skin = np.zeros(len(self.rest), dtype=bool)
        skin[self.triangles[self.part == 0]] = True
        return np.setdiff1d(self.triangles[self.part > 0], np.flatnonzero(skin)).astype(np.int32)

    def posed(self, weights: Mapping[str, float] | None = None) -> Array:
        """(V, 3) float32 mm with an expression, weights by unit; unknown units are left out. None is at rest."""
        v = self.rest
        if weights and self.moves is not None:
            index = {name: k for k, name in enumerate(self.names)}
            pairs = tuple((index[name], float(w)) for name, w in weights.items() if w and name in index)
            if pairs:
                last = self._last.get("posed")
                if last is not None and last[0] == pairs:
                    return last[1]
                chosen, by = zip(*pairs, strict=True)
                v = v + np.tensordot(np.array(by, np.float32), self.moves[list(chosen)], axes=1)
                v = np.ascontiguousarray(v, dtype=np.float32)
                self._last["posed"] = (pairs, v)
        return np.ascontiguousarray(v, dtype=np.float32)

    def normals(self, vertices: Array) -> Array:
        """(V, 3) float32 of vertices (V, 3) as `posed` gives them."""
        last = self._last.get("normals")
        if last is None or last[0] is not vertices:
            last = self._last["normals"] = (vertices, quad_vertex_normals(vertices, self.faces))
        return last[1]

    def reshaped(self, rest: Array, weights: Mapping[str, float] | None) -> Figure:
        """The same with another shape at rest (V, 3) mm and the photo's expression: quickly, for how open it is and
        what its shells hide is taken over as it was."""
        other = replace(self, rest=np.asarray(rest, dtype=np.float32), weights=weights)
        kept = {name: value for name, value in vars(self).items() if name in KEPT_SHAPES}
        vars(other).update(kept)
        return other

    @cached_property
    def _last(self) -> dict[str, tuple[Any, Array]]:
        """The last pose and its normals: while a head is turned they stay what they are."""
        return {}


def without_light(shells: tuple[Shell, ...], texture: Image, albedo: Image) -> tuple[Shell, ...]:
    """Shells without the photo's light, as far as it is the same everywhere: what it is by the head's texture and
    albedo, both (S, S, 3)."""
    to_linear, to_srgb = srgb_tables()
    small = [to_linear[4 * reduced(picture, 64).astype(int)].mean(axis=(0, 1)) for picture in (albedo, texture)]
    gain = np.clip(small[0] / np.maximum(small[1], 1e-4), *LIGHT_GAIN)
    table = to_srgb[np.clip(np.round(4096 * to_linear[::4, None] * gain), 0, 4096).astype(int)]  # (256, 3)
    out = []
    for shell in shells:
        if shell.unlit is not None:
            out.append(replace(shell, image=shell.unlit))
            continue
        image = shell.image.copy()
        for k in range(3):
            image[..., k] = table[image[..., k], k]
        out.append(replace(shell, image=image))
    return tuple(out)


def openness(figure: Figure) -> Openness:
    """From the figure at rest and with each of OPENINGS; 0.2 s for the default head at level 1."""
    rest = open_share(figure.rest, figure)
    if figure.moves is None or "jawOpen" not in figure.names:
        return Openness(rest, np.zeros((0, len(rest)), np.float32))
    changes = [open_share(figure.posed(opening), figure) - rest for opening in OPENINGS]
    return Openness(rest, np.stack(changes))


def open_share(vertices: Array, figure: Figure) -> Array:
    """(V,) float32: the share of directions, weighed by the cosine, that reach each vertex past the other triangles."""
    v = np.asarray(vertices, dtype=np.float32)
    normals = quad_vertex_normals(v, figure.faces)
    sky = _Sky(v)
    seen, total = np.zeros(len(v), np.float32), np.zeros(len(v), np.float32)
    for z in spiral(DIRECTIONS):
        p = sky.seen_from(v, z)
        inverse = visible(p, figure.triangles, SIDE, SIDE, cull=not figure.both_sides)[1]
        cosine = normals @ z.astype(np.float32)
        cosine = np.abs(cosine) if figure.both_sides else np.maximum(cosine, 0)
        seen += cosine * sky.reached(p, inverse, cosine)
        total += cosine
    return np.asarray(seen / np.maximum(total, np.float32(1e-6)), dtype=np.float32)


def shell_shade(figure: Figure) -> tuple[Array, tuple[Array, ...]]:
    """See `Figure.shade`; as `open_share`, at rest, with what the shells hide of the head and of each other."""
    head = np.asarray(figure.rest, dtype=np.float32)
    parts = [head, *(np.asarray(shell.vertices, dtype=np.float32) for shell in figure.shells)]
    normals = [quad_vertex_normals(head, figure.faces), *(shell.normals for shell in figure.shells)]
    sky = _Sky(np.concatenate(parts))
    bare, seen, total = ([np.full(len(v), 1e-6, np.float32) for v in parts] for _ in range(3))
    for z in spiral(DIRECTIONS):
        points = [sky.seen_from(v, z) for v in parts]
        inverse = visible(points[0], figure.triangles, SIDE, SIDE, cull=not figure.both_sides)[1]
        cosines = [np.maximum(n @ z.astype(np.float32), 0) for n in normals]
        bare[0] += cosines[0] * sky.reached(points[0], inverse, cosines[0])
        for p, cutout in zip(points[1:], figure.cutouts, strict=True):
            draw_cut(p, cutout, inverse)
        for k, (p, cosine) in enumerate(zip(points, cosines, strict=True)):
            seen[k] += cosine * sky.reached(p, inverse, cosine)
            total[k] += cosine
    left = 1 - SHELL_SHADE * (1 - np.clip(seen[0] / bare[0], 0, 1))
    return np.asarray(left, dtype=np.float32), tuple(s / t for s, t in zip(seen[1:], total[1:], strict=True))


class _Sky:
    """Looks down on vertices from far away, from all sides."""

    def __init__(self, vertices: Array) -> None:
        self.center = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
        self.radius = float(np.linalg.norm(vertices - self.center, axis=1).max()) + 1
        self.scale = SIDE / (2 * self.radius)

    def seen_from(self, vertices: Array, z: Array) -> Array:
        """(V, 3) float32 x, y in pixels and depth, of a picture of SIDE pixels."""
        x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
        x /= np.linalg.norm(x)
        p = (vertices - self.center) @ np.stack([x, -np.cross(z, x), -z]).T.astype(np.float32)
        # Orthographic: depth grows away from the light and stays positive.
        p = p * np.float32(1) + np.array([self.radius, self.radius, 2 * self.radius], np.float32)
        p[:, :2] *= np.float32(self.scale)
        return np.ascontiguousarray(p, dtype=np.float32)

    def reached(self, points: Array, inverse_depth: Array, cosine: Array) -> NDArray[np.bool_]:
        """(V,) whether nothing drawn lies before a point."""
        near = 1 / np.maximum(inverse_depth, np.float32(1e-6))
        x, y = (np.clip(points[:, k].astype(int), 0, SIDE - 1) for k in (0, 1))
        # A surface that is seen slantwise changes much in depth within one pixel.
        slack = SLACK_MM + np.float32(1.5 / self.scale) / np.maximum(cosine, 0.3)
        return np.asarray(points[:, 2] < near[y, x] + slack)


def figure_of(face: Face) -> Figure:
    """Of a face with a head. Raises ValueError where it has none."""
    if face.head is None:
        raise ValueError("the face has no head")
    weights = None if face.fit is None else face.fit.expression
    texture = face.texture
    return figure_of_head(
        face.head,
        None if texture is None else texture.image,
        None if texture is None else texture.provenance,
        None if face.fit is None else face.fit.sigma_mm,
        weights,
        None if face.albedo is None else face.albedo.image,
        face.shells,
    )


def figure_of_head(
    head: Head,
    texture: Image | None = None,
    provenance: Image | None = None,
    sigma_mm: ArrayLike | None = None,
    weights: Mapping[str, float] | None = None,
    albedo: Image | None = None,
    shells: tuple[Shell, ...] = (),
) -> Figure:
    """`sigma_mm` (C,) of the control vertices or (V,) of the head's; `weights` the photo's expression."""
    model, mesh = head.model, head.model.level(head.level)
    shared = _shared(Same(model), head.level)
    names, moves = model.expression_names, shared.moves
    if not names:
        names, moves, weights = (PHOTO,), (head.vertices - head.neutral)[None].astype(np.float32), {PHOTO: 1.0}
    sigma = None
    if sigma_mm is not None:
        sigma = np.asarray(sigma_mm, dtype=np.float32)
        if len(sigma) != len(head.neutral):
            sigma = mesh.apply(sigma[:, None])[:, 0]
    return Figure(
        faces=mesh.quads,
        triangles=np.ascontiguousarray(mesh.triangles, dtype=np.int32),
        triangle_uv=np.ascontiguousarray(mesh.triangle_uv, dtype=np.int32),
        uv=np.ascontiguousarray(mesh.uv, dtype=np.float32),
        part=mesh.triangle_part,
        rest=np.ascontiguousarray(head.neutral, dtype=np.float32),
        names=names,
        moves=moves,
        weights=weights,
        texture=texture,
        albedo=albedo,
        provenance=provenance,
        roughness=None if texture is None else _roughness(head, texture),
        sigma=sigma,
        wire=shared.wire,
        neck=shared.neck,
        hairy=shared.hairy,
        both_sides=model.is_mask,
        shells=shells,
    )


def _roughness(head: Head, texture: Image) -> Array | None:
    """(V,) where a vertex lies in the picture that head.glb has."""
    found = surface_map(head.model, head.level, texture)
    if found is None:
        return None
    mesh = head.model.level(head.level)
    place = np.zeros((len(head.neutral), 2), np.float32)
    # Skin wins at vertices that it shares.
    order = np.argsort(-mesh.triangle_part.astype(np.int64), kind="stable")
    place[mesh.triangles[order]] = mesh.uv[mesh.triangle_uv[order]]
    return np.asarray(sampled(found, place * len(found))[:, 1] / 255, dtype=np.float32)


@dataclass(frozen=True, eq=False)
class _Shared:
    moves: Array
    wire: NDArray[np.uint8]
    neck: Array
    hairy: Array


@lru_cache(maxsize=2)
def _shared(key: Same, level: int) -> _Shared:
    from tronie.stages.portrait import fades

    model: HeadModel = key.value
    fade = fades(model, level)
    return _Shared(
        np.ascontiguousarray(model.level(level).apply(model.expression)),
        control_edges(model, level),
        fade.neck,
        fade.hairy,
    )


def control_edges(model: HeadModel, level: int) -> NDArray[np.uint8]:
    """(T,) bits 1, 2, 4: which edges of a level's triangles lie along edges of the control mesh (see Figure.wire).

    A step of subdivision numbers old vertices first, then a point for each edge, in the order of their sorted ends,
    then the faces' (`catmull_clark`); each old edge becomes the two from its ends to its point.
    """
    edges = _edges(model.quads)
    for step in range(level):
        below = model.level(step)
        count = below.matrix.shape[0]
        every = _edges(below.quads)
        place = np.searchsorted(every[:, 0] * count + every[:, 1], edges[:, 0] * count + edges[:, 1])
        edges = np.concatenate([np.column_stack([edges[:, k], count + place]) for k in (0, 1)])
    mesh = model.level(level)
    count = mesh.matrix.shape[0]
    known = np.unique(edges.min(axis=1) * count + edges.max(axis=1))
    t = mesh.triangles.astype(np.int64)
    bits = np.zeros(len(t), np.uint8)
    for k in range(3):
        a, b = t[:, k], t[:, (k + 1) % 3]
        bits |= np.where(np.isin(np.minimum(a, b) * count + np.maximum(a, b), known), 1 << k, 0).astype(np.uint8)
    return bits


def _edges(faces: Ints) -> NDArray[np.int64]:
    """(E, 2) int64 sorted edges of faces (F, 4), each once, in order."""
    f = np.where(faces < 0, faces[:, :1], faces).astype(np.int64)
    pairs = np.sort(np.stack([f, np.roll(f, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    return np.unique(pairs[pairs[:, 0] != pairs[:, 1]], axis=0)


def parts_of_materials(material: str) -> int:
    """The part that stands for a material of head.glb by its name; whatever is unknown is skin."""
    for word, part in (("eye", "eye_left"), ("teeth", "teeth_upper"), ("tongue", "tongue"), ("mouth", "mouth")):
        if word in material.lower():
            return PARTS.index(part)
    return 0
