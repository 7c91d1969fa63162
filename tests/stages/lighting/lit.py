"""Heads of known albedo in known light, laid out as textures."""

from __future__ import annotations

from typing import Any

import numpy as np
from samples import make_face, make_head

from tronie.color import linear_to_srgb
from tronie.head.harmonics import UNIFORM, Light, coefficients_of, directions, irradiance
from tronie.head.model import Head, HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.types import PROVENANCE, Fit, Texture

Array = Any
SKIN = np.array([0.42, 0.24, 0.16])
SIZE = 256


def sun(direction: tuple[float, float, float], strength: float = 1.6, ambient: float = 0.35) -> Light:
    """A wide source over some ambient light, coloured a little."""
    d, _ = directions()
    to = np.asarray(direction) / np.linalg.norm(direction)
    glow = np.exp(8 * (d @ to - 1))[..., None] * np.array([1.0, 0.97, 0.9])
    environment = (ambient + 4 * strength * glow).astype(np.float32)
    return Light(coefficients_of(environment), environment)


def uniform() -> Light:
    return Light(UNIFORM * np.eye(9)[:, :1] * np.ones(3), np.ones((32, 64, 3), np.float32))


def over_the_atlas(head: Head, values: Array, size: int = SIZE) -> tuple[Array, Array]:
    """Values (V, k) at the vertices -> (S, S, k), and the part (S, S) of the head that each texel belongs to, -1 where
    there is none."""
    mesh = head.model.level(head.level)
    flat = np.column_stack([mesh.uv * size, np.ones(len(mesh.uv))])
    buffers = rasterize(flat, mesh.triangle_uv, size, size, cull=False)
    corner = np.asarray(values, dtype=np.float32)[mesh.triangles].reshape(-1, np.shape(values)[1])
    own = np.arange(len(corner), dtype=np.int32).reshape(-1, 3)
    part = np.where(buffers.triangle < 0, -1, mesh.triangle_part.astype(int)[buffers.triangle])
    return interpolate(buffers, own, corner), part


def picture(model: HeadModel, light: Light, paint: Array = 1.0, size: int = SIZE) -> tuple[Texture, Head, Fit, Array]:
    """A texture of a head in `light`, the head, its fit, and which texels are seen. `paint` (S, S, 1) multiplies SKIN.

    What turns away from the camera has one tone, as a fill would.
    """
    face = make_face(model, yaw=0, texture=False)
    head, fit = make_head(model), face.fit
    assert fit is not None
    normals = triangle_vertex_normals(head.vertices, head.triangles)
    eye = -fit.head_to_camera[:3, :3].T @ fit.head_to_camera[:3, 3] - head.vertices
    facing = (normals * eye).sum(axis=1) / np.linalg.norm(eye, axis=1)
    blush = 1 + np.outer(np.sin(head.neutral[:, 1] / 12), [0.12, 0, -0.12])
    layers, part = over_the_atlas(head, np.column_stack([irradiance(normals, light) * blush, facing]), size)
    seen = (layers[..., 3] > 0.25) & (part == 0)
    shown = SKIN * paint * layers[..., :3]
    shown = np.where(seen[..., None], shown, np.median(shown[seen], axis=0))
    provenance = np.where(seen, PROVENANCE.index("seen"), PROVENANCE.index("filled"))
    provenance = np.where(part > 0, PROVENANCE.index("synthetic"), np.where(part < 0, 0, provenance))
    return Texture(np.round(linear_to_srgb(shown)).astype(np.uint8), provenance.astype(np.uint8)), head, fit, seen


def relative_error(found: Light, truth: Light, head: Head) -> float:
    """RMS difference of what the two do to the front of a head, after the best factor (a photo does not tell light from
    albedo), by the RMS of the truth."""
    n = triangle_vertex_normals(head.vertices, head.triangles)
    n = n[n[:, 2] > 0.25].astype(np.float64)
    a, b = irradiance(n, found), irradiance(n, truth)
    a = a * (a * b).sum(axis=0) / (a * a).sum(axis=0)
    return float(np.sqrt(((a - b) ** 2).mean() / (b**2).mean()))
