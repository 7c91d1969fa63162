"""The head alone, as a camera with a long lens sees it straight on, before grey; hair and neck fade out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.head.model import Head, HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import DirectionalLight, Shading, render_layers, screen_points
from tronie.settings import PortraitSettings
from tronie.stages.portrait.camera import backdrop, height_of, portrait_camera
from tronie.stages.texture.atlas import part_of_vertices, surface_facts
from tronie.stages.texture.synthesis import hairline_distance
from tronie.types import Portrait, Texture

FADE_MM = (2.0, 40.0)
"""Above the cut of the neck: where the neck is gone, and where it is whole."""
RIM = 0.12
"""Cosine to the view below which hair thins out into the background."""
SOFT = Shading((DirectionalLight((-0.25, -0.35, -1.0), 0.2, 0.6), DirectionalLight((0.25, -0.2, -1.0), 0.12, 0.6)), 0.7)
"""The texture holds the photo's light; only turn the rim of the head a little away from it."""


@dataclass(frozen=True, eq=False)
class Fades:
    """What a portrait does not show plainly, (V,) float32 0..1."""

    neck: Array
    """Opacity, 0 at the cut of the neck."""
    hairy: Array
    """Within the hairline."""
    mouth: Array
    """Teeth, tongue and lining."""
    throat: Array
    """Light: 1, less the deeper inside the mouth."""
    upper_lip: NDArray[np.int64]
    """(N,) vertices at the middle of the upper lip's edge, and"""
    lower_lip: NDArray[np.int64]
    """(M,) of the lower lip's, which the jaw carries along."""


def plain_portrait(head: Head, texture: Texture, settings: PortraitSettings | None = None) -> Portrait:
    """Portraits with the photo's expression and at rest, in the same frame, and their provenance masks."""
    settings = settings or PortraitSettings()
    camera, pose = portrait_camera(head, height_of(settings), settings.crop)
    background = backdrop(camera.size[1], camera.size[0])
    shapes = {"both": (head.vertices, head.neutral), "keep": (head.vertices,), "neutral": (head.neutral,)}
    pictures = [
        render_layers(
            vertices,
            head.model.level(head.level),
            texture,
            camera,
            pose,
            background=background,
            shading=SOFT,
            opacity=soft_rim(vertices, head, pose),
            occlusion=mouth_light(vertices, head),
        )
        for vertices in shapes[settings.expression]
    ]
    alone: list[Image | None] = [None] * 2
    if settings.background == "none":
        for k, ((image, _), vertices) in enumerate(zip(pictures, shapes[settings.expression], strict=True)):
            alone[k] = _alone(image, background, screen_points(vertices, camera, pose), vertices, head, pose)
    (image, mask), (neutral, neutral_mask) = pictures[0], pictures[1] if len(pictures) > 1 else (None, None)
    return Portrait(image, neutral, mask, neutral_mask, cut_out=alone[0], neutral_cut_out=alone[1])


def _alone(image: Image, background: Image, screen: Array, vertices: Array, head: Head, pose: Array) -> Image:
    """(H, W, 4): the drawn head without its background, alpha not multiplied in."""
    buffers = rasterize(screen, head.triangles, *image.shape[:2])
    alpha = np.clip(interpolate(buffers, head.triangles, soft_rim(vertices, head, pose)[:, None]), 0, 1)
    own = (image - (1 - alpha) * background) / np.maximum(alpha, 0.1)
    return np.dstack([np.clip(own + 0.5, 0, 255), 255 * alpha + 0.5]).astype(np.uint8)


def soft_rim(vertices: Array, head: Head, head_to_camera: Array, cosine: float = RIM) -> Array:
    """Opacity (V,): the neck fades, and hair thins out where it turns away, because it has no hard outline; `cosine`
    to the view is where it begins to."""
    fade = fades(head.model, head.level)
    ray = -head_to_camera[:3, :3].T @ head_to_camera[:3, 3] - vertices
    facing = (triangle_vertex_normals(vertices, head.triangles) * ray).sum(axis=1) / np.linalg.norm(ray, axis=1)
    return np.asarray(fade.neck * (1 - fade.hairy * (1 - np.clip(facing / cosine, 0, 1))), dtype=np.float32)


def mouth_light(vertices: Array, head: Head) -> Array:
    """Light (V,): less inside the mouth, and least where the lips leave a slit only."""
    fade = fades(head.model, head.level)
    if not (len(fade.upper_lip) and len(fade.lower_lip)):
        return fade.throat
    gap = float(vertices[fade.upper_lip, 1].min() - vertices[fade.lower_lip, 1].max())
    slit = float(np.clip(1 - (gap - 0.3) / 1.5, 0, 1))
    return np.asarray(fade.throat * (1 - 0.6 * slit * fade.mouth), dtype=np.float32)


@lru_cache(maxsize=4)
def fades(model: HeadModel, level: int) -> Fades:
    """All from the mean head at rest."""
    v = model.level(level).apply(model.mean)
    opacity = np.ones(len(v), np.float32) if model.is_mask else _above_the_neck(model, v)
    part = part_of_vertices(model, level)
    mouth = (part >= 3) & (v[:, 1] < -25)
    drop = np.zeros(len(v), np.float32)
    if "jawOpen" in model.expression_names:
        drop = -model.level(level).apply(model.expression[model.expression_names.index("jawOpen")])[:, 1]
    edge = (model.level(level).matrix @ surface_facts(model, level).lips.astype(np.float32) > 0.5) & (part == 0)
    middle = edge & (np.abs(v[:, 0]) < 5) & (v[:, 2] > v[edge, 2].max(initial=-np.inf) - 8)
    # Thin hair before an ear would show the background instead of the ear.
    clear = np.clip(np.maximum(v[:, 1] - 25, -v[:, 2] - 105) / 20, 0, 1) * (part == 0) * (not model.is_mask)
    return Fades(
        neck=opacity,
        hairy=np.asarray(np.clip(hairline_distance(v) / 10, 0, 1) * clear, dtype=np.float32),
        mouth=mouth.astype(np.float32),
        throat=np.asarray(1 - 0.6 * np.clip((14 - v[:, 2]) / 45, 0, 1) * mouth, dtype=np.float32),
        upper_lip=np.flatnonzero(middle & (drop < 0.15 * drop.max())),
        lower_lip=np.flatnonzero(middle & (drop > 0.35 * drop.max())),
    )


def _above_the_neck(model: HeadModel, v: Array) -> Array:
    """(V,) 0..1 for vertices (V, 3) of the mean head: 0 at the cut of the neck, 1 well above it. The neck ends where
    the skin's outermost edges are: those that belong to one face only, low down."""
    faces = model.quads[model.part == 0]
    faces = np.where(faces < 0, faces[:, :1], faces)
    ends = np.sort(np.concatenate([faces[:, [k, (k + 1) % 4]] for k in range(4)]), axis=1)
    edges, uses = np.unique(ends[ends[:, 0] != ends[:, 1]], axis=0, return_counts=True)
    rim = model.level(0).apply(model.mean)[np.unique(edges[uses == 1])]
    rim = rim[rim[:, 1] < rim[:, 1].min() + 60]
    slope, base = np.polyfit(rim[:, 2], rim[:, 1], 1)
    return smoothstep(v[:, 1] - slope * v[:, 2] - base, *FADE_MM)
