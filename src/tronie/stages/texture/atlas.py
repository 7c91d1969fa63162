"""Fixed facts of a head model that baking needs: neighbours, mirror, regions, the UV atlas's gutters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import smoothstep
from tronie.head.harmonics import spiral
from tronie.head.model import PARTS, HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import visible
from tronie.runtime.kept import kept
from tronie.stages.texture.mesh_filters import smoothed
from tronie.stages.texture.synthesis import hairline_distance

Ints = NDArray[np.int32]

EDGE_MM = 5.1
"""Median length of an edge of our own head's skin."""
GUTTER = 8
"""Texels around each island that repeat its border, at size 2048: three mip levels without bleeding."""


@dataclass(frozen=True, eq=False)
class SurfaceFacts:
    """Fixed facts about a head model at one level, over its (V,) vertices or the (C,) of the control mesh."""

    mirror: Ints
    """(V,) the vertex on the other side."""
    skin: NDArray[np.bool_]
    """(V,) used by a skin face."""
    edges: Ints
    """(E, 2) of the level's faces, both ways, sorted by the first."""
    start: Ints
    """(V + 1,) where each vertex's edges start."""
    control_edges: Ints
    """(F, 2) and"""
    control_start: Ints
    """(C + 1,) the same of the control mesh's skin."""
    scalp: Array
    """(C,) 0..1: where hair grows, soft at its border."""
    hairy: Array
    """(C,) 0..1: within the hairline of a full head of hair, soft at its border."""
    temples: NDArray[np.bool_]
    """(C,) within the hairline above and before the ears, where the bald have hair left."""
    fringe: NDArray[np.bool_]
    """(C,) the same all round, down to the nape."""
    ears: Array
    """(C,) 0..1: the ears, and the skin right around them."""
    brows: Array
    """(C,) 0..1: the band in which brows are."""
    neck: Array
    """(C,) 0..1: below jaw and nape, where clothes are met."""
    crest: Array
    """(C,) 0..1: scalp and temples, where hair hides the skull's outline."""
    beard: Array
    """(C,) 0..1: before the ears and above the neck."""
    cheek: Array
    """(C,) 0..1: between temple and jaw and below the chin, where long hair and scarves hang."""
    lips: NDArray[np.bool_]
    """(C,) skin within four edges of the mouth's lining."""
    openness: Array
    """(V,) 0..1: from how much of the space before and around it a vertex of the mean head can be seen."""
    inner: NDArray[np.bool_]
    """(C,) the inner face, whose colours can be trusted."""
    inner_level: NDArray[np.bool_]
    """(V,) the same at the level."""
    rim: Ints
    """(B, 3) of a face mask's skin, at the level: the edges of its borders, in the order of their triangles, and the
    number of the border, 0 for the outer one (others go round holes). A whole head has none: what ends at its neck ends
    there in the photo as well, behind clothes."""
    steps: int
    """How many edges of the control mesh make one of our own head's."""


@lru_cache(maxsize=4)
@kept
def surface_facts(model: HeadModel, level: int) -> SurfaceFacts:
    """Computed once per model and level."""
    mesh = model.level(level)
    count = mesh.matrix.shape[0]
    skin = np.zeros(count, dtype=bool)
    skin[mesh.triangles[mesh.triangle_part == 0]] = True
    start, edges = _neighbours(mesh.quads, count)
    control_start, control_edges = _neighbours(model.quads[model.part == 0], len(model.mean))
    y, z = model.mean[:, 1], model.mean[:, 2]
    # Lines over the side view of the mean head, mm: hairline, temple, behind the ear, nape; jaw and nape. Both
    # kinds of head this was drawn for have their eyes at the origin.
    hairline = np.interp(z, [-130, -95, -65, -35, 10], [-70, -5, 24, 48, 64])
    collar = np.interp(z, [-130, -70, 0, 25], [-80, -85, -118, -125])
    scalp, neck = smoothstep((y - hairline) / 24 + 0.5, 0, 1), smoothstep((collar - y) / 16 + 0.5, 0, 1)
    crest = np.maximum(scalp, smoothstep((y - 14) / 16 + 0.5, 0, 1))
    hairy = smoothstep(hairline_distance(model.mean) / 12 + 0.5, 0, 1)
    beard = smoothstep((z + 45) / 10, 0, 1) * (1 - neck)
    if model.is_mask:  # nothing of it is scalp: what is before hair in the photo is a face
        scalp = crest = hairy = np.zeros_like(scalp)
    temples = (hairy > 0.5) & (np.abs(model.mean[:, 0]) > 38) & (np.abs(y - 35) < 40)
    fringe = temples | ((hairy > 0.5) & (y < 50) & (z < -60))
    ears = smoothstep(np.abs(model.mean[:, 0]), 58, 62) * (1 - smoothstep(hairline_distance(model.mean), -2, 4))
    ears *= smoothstep(-z, 50, 56) * smoothstep(z, -104, -98) * smoothstep(y, -58, -50) * (y < 18)
    brows = (np.abs(y - 16) < 9) & (np.abs(np.abs(model.mean[:, 0]) - 32) < 20) & (z > -15)
    hangs = np.maximum(smoothstep((np.abs(model.mean[:, 0]) - 38) / 12, 0, 1), smoothstep((-100 - y) / 8, 0, 1))
    cheek = hangs * smoothstep((48 - y) / 15, 0, 1) * (1 - hairy) * (1 - neck)
    return SurfaceFacts(
        mirror=_level_mirror(model, level),
        skin=skin,
        edges=edges,
        start=start,
        control_edges=control_edges,
        control_start=control_start,
        scalp=scalp,
        hairy=hairy,
        temples=temples,
        fringe=fringe,
        ears=np.asarray(ears, dtype=np.float32),
        brows=brows.astype(np.float32),
        cheek=np.asarray(cheek, dtype=np.float32),
        neck=neck,
        crest=crest,
        beard=beard,
        inner=np.asarray(model.inner_face, dtype=bool),
        inner_level=np.asarray(mesh.matrix @ model.inner_face.astype(np.float32)) > 0.5,
        lips=_lips(model),
        openness=_openness(model, level),
        rim=open_borders(mesh.triangles[mesh.triangle_part == 0]) if model.is_mask else np.zeros((0, 3), np.int32),
        steps=_steps(model, control_start, control_edges),
    )


def open_borders(triangles: Ints) -> Ints:
    """(B, 3) the edges that only one of the triangles (T, 3) has, and the number of the border they belong to, the one
    with the most edges first."""
    edges = np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)]).astype(np.int64)
    _, first, uses = np.unique(np.sort(edges, axis=1), axis=0, return_index=True, return_counts=True)
    border = edges[first[uses == 1]]
    label = np.arange(edges.max(initial=0) + 1)
    before = label[:0]
    while not np.array_equal(before, label):  # the least number of a vertex goes round each border
        before = label.copy()
        np.minimum.at(label, border.ravel(), np.repeat(label[border].min(axis=1), 2))
        label = label[label]
    _, of, counts = np.unique(label[border[:, 0]], return_inverse=True, return_counts=True)
    number = np.argsort(np.argsort(-counts, kind="stable"))[of.ravel()]
    return np.column_stack([border, number]).astype(np.int32)


def _steps(model: HeadModel, start: Ints, edges: Ints) -> int:
    owner = np.repeat(np.arange(len(start) - 1), np.diff(start))
    length = np.linalg.norm(model.mean[owner] - model.mean[edges], axis=1)
    return max(1, round(EDGE_MM / max(float(np.median(length)), 0.1))) if len(length) else 1


def _lips(model: HeadModel) -> NDArray[np.bool_]:
    lining = np.zeros(len(model.mean), dtype=bool)
    faces = model.quads[model.part == PARTS.index("mouth")]
    lining[faces[faces >= 0]] = True
    lining &= model.mean[:, 1] < -25  # not the sockets of the eyes
    start, edges = _neighbours(model.quads[model.part == 0], len(model.mean))
    near = lining.copy()
    owner = np.repeat(np.arange(len(near)), np.diff(start))
    for _ in range(4):
        near[owner[near[edges]]] = True
    return near


def _openness(model: HeadModel, level: int) -> Array:
    """Share of 64 directions, weighed by the cosine, that reach each vertex of the mean head at rest."""
    mesh = model.level(level)
    v = mesh.apply(model.mean)
    normals = triangle_vertex_normals(v, mesh.triangles)
    center, radius = v.mean(axis=0), float(np.linalg.norm(v - v.mean(axis=0), axis=1).max()) + 1
    seen, total = np.zeros(len(v)), np.zeros(len(v))
    size = 320
    for z in spiral(64):
        x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
        x /= np.linalg.norm(x)
        p = (v - center) @ np.stack([x, -np.cross(z, x), -z]).T
        scale = size / (2 * radius)
        screen = np.column_stack([p[:, :2] * scale + size / 2, p[:, 2] + 2 * radius]).astype(np.float32)
        inverse = visible(screen, mesh.triangles, size, size)[1]
        i, j = screen[:, 1].astype(int), screen[:, 0].astype(int)
        depth = 1 / np.maximum(inverse[i, j], 1e-9)
        cosine = np.maximum(normals @ z, 0)
        seen += cosine * (screen[:, 2] < depth + 2.0)
        total += cosine
    start, edges = _neighbours(mesh.quads, len(v))
    return smoothed(start, edges, seen / np.maximum(total, 1e-6), 1)


def _neighbours(faces: Ints, count: int) -> tuple[Ints, Ints]:
    """Faces (F, 4) -> start (V + 1,) and the other ends (E,) of each vertex's edges."""
    f = np.where(faces < 0, faces[:, :1], faces).astype(np.int64)
    a, b = f.ravel(), np.roll(f, -1, axis=1).ravel()
    # Sorted, each once; np.unique takes twelve times as long.
    key = np.sort(np.concatenate([a * count + b, b * count + a])[np.concatenate([a != b, a != b])])
    key = key[np.concatenate([[True], key[1:] != key[:-1]])]
    start = np.searchsorted(key // count, np.arange(count + 1))
    return start.astype(np.int32), (key % count).astype(np.int32)


def _level_mirror(model: HeadModel, level: int) -> Ints:
    """The control mesh's mirror carried to a level: found by sending random labels through the subdivision."""
    if level == 0:
        return np.asarray(model.mirror, dtype=np.int32)
    labels = np.random.default_rng(0).normal(size=len(model.mean))
    matrix = model.level(level).matrix.astype(np.float64)
    # The same labels come out on both sides in another order (but for the last bits): the n-th smallest are a pair.
    index = np.empty(matrix.shape[0], dtype=np.int32)
    index[np.argsort(matrix @ labels[model.mirror])] = np.argsort(matrix @ labels)
    return index


@lru_cache(maxsize=4)
@kept
def gutters(model: HeadModel, level: int, size: int) -> tuple[Ints, Ints]:
    """Flat texel numbers around the islands, and the islands' border texels (same length) they repeat."""
    import cv2

    mesh = model.level(level)
    points = np.concatenate([mesh.uv * size, np.ones((len(mesh.uv), 1))], axis=1).astype(np.float32)
    outside = (visible(points, mesh.triangle_uv, size, size, cull=False)[0] < 0).astype(np.uint8)
    distance, labels = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = np.flatnonzero(outside.ravel() == 0)
    source = np.zeros(int(labels.max()) + 1, dtype=np.int32)
    source[labels.ravel()[inside]] = inside
    target = np.flatnonzero((outside.ravel() > 0) & (distance.ravel() <= max(GUTTER * size // 2048, 2)))
    return target.astype(np.int32), source[labels.ravel()[target]]


def part_of_vertices(model: HeadModel, level: int) -> NDArray[np.uint8]:
    """(V,) index into PARTS; skin wins at shared vertices."""
    mesh = model.level(level)
    out = np.zeros(mesh.matrix.shape[0], dtype=np.uint8)
    for part in range(len(PARTS) - 1, -1, -1):
        out[mesh.triangles[mesh.triangle_part == part]] = part
    return out
