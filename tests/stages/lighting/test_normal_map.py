"""Bumps come back as bumps and dents as dents, from wherever the light comes; nothing comes of nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from lit import over_the_atlas, picture, sun

from tronie.color import linear_to_srgb, srgb_to_linear
from tronie.head.harmonics import Light, irradiance
from tronie.head.model import Head, HeadModel
from tronie.head.surface import triangle_vertex_normals
from tronie.stages.lighting.charts import over_atlas, row_of_vertex, tangent_frames
from tronie.stages.lighting.normal_map import relief
from tronie.stages.lighting.shading_estimate import estimate_shading
from tronie.types import PROVENANCE, Detail, Fit, Texture

SIZE = 1024
RADIUS = 1.2
"""mm, sigma of a bump."""


def with_a_bump(model: HeadModel, light: Light, height: float) -> tuple[Texture, Head, Fit, np.ndarray, np.ndarray]:
    """A head with a bump of so many mm on its forehead, in `light`; where it is (S, S, 3: mm from its middle to
    the head's left, up, out), and what is seen."""
    texture, head, fit, seen = picture(model, light, size=SIZE)
    normals = triangle_vertex_normals(head.vertices, head.triangles)
    layers, part = over_the_atlas(head, np.column_stack([head.vertices, normals]), SIZE)
    middle = head.vertices[np.argmin(np.abs(head.vertices - [12, 45, 30]).sum(axis=1))]
    off, n = layers[..., :3] - middle, layers[..., 3:]
    h = height * np.exp(-(off**2).sum(axis=-1) / (2 * RADIUS**2))
    gradient = -h[..., None] * off / RADIUS**2
    gradient -= (gradient * n).sum(axis=-1, keepdims=True) * n
    bent = n - gradient
    bent /= np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-6)
    ratio = irradiance(bent, light) / np.maximum(irradiance(n, light), 1e-3)
    shown = srgb_to_linear(texture.image) * np.where((part == 0)[..., None], ratio, 1)
    return replace(texture, image=np.round(linear_to_srgb(shown)).astype(np.uint8)), head, fit, off, seen


def outward(detail: Detail, head: Head, off: np.ndarray) -> float:
    """How far normals around the middle lean away from it, -1..1: above 0 on a bump."""
    side = len(detail.normals)
    step = SIZE // side
    axes = tangent_frames(head, head.vertices)
    maps = np.kron(over_atlas(head.model, head.level, np.column_stack([axes.right, axes.up])), np.ones((4, 4, 1)))
    maps = maps[:: 1024 // side, :: 1024 // side]
    n = detail.normals / 127.5 - 1
    lean = n[..., :1] * maps[..., :3] + n[..., 1:2] * maps[..., 3:]
    away = off[step // 2 :: step, step // 2 :: step]
    apart = np.linalg.norm(away, axis=-1)
    ring = (apart > 0.5) & (apart < 2 * RADIUS)
    agree = (lean[ring] * away[ring]).sum(axis=-1)
    return float(agree.sum() / (np.linalg.norm(lean[ring], axis=-1) * apart[ring]).sum())


@pytest.mark.parametrize(
    ("direction", "height"),
    [((-1.0, 0.2, 0.8), 0.5), ((0.2, 1.0, 0.7), -0.5)],
)
def test_a_bump_is_a_bump(tiny_head: HeadModel, direction: tuple[float, float, float], height: float) -> None:
    texture, head, fit, off, _ = with_a_bump(tiny_head, sun(direction), height)
    detail = relief(texture, head, fit, estimate_shading(texture, head, fit), 0.35)
    assert np.sign(height) * outward(detail, head, off) > 0.35


def test_smooth_skin_is_flat(tiny_head: HeadModel) -> None:
    texture, head, fit, _ = picture(tiny_head, sun((1.0, 0.3, 0.6)), size=SIZE)
    noise = np.random.default_rng(0).normal(size=texture.image.shape[:2]) * 3
    noisy = np.clip(texture.image + noise[..., None], 0, 255).astype(np.uint8)
    detail = relief(replace(texture, image=noisy), head, fit, estimate_shading(texture, head, fit), 0.35)
    x = detail.normals[..., 0].astype(float) - 128
    # A noise of 3 grey levels, were it relief, would turn normals by some 20 levels.
    assert np.sqrt((x**2).mean()) < 4
    assert detail.noise > 0.005


def test_unit_normals_that_never_look_inwards(tiny_head: HeadModel) -> None:
    texture, head, fit, _, _ = with_a_bump(tiny_head, sun((1.0, 0.2, 0.8)), 1.5)
    n = relief(texture, head, fit, estimate_shading(texture, head, fit), 0.35).normals / 127.5 - 1
    assert np.allclose(np.linalg.norm(n, axis=-1), 1, atol=0.02)
    assert n[..., 2].min() > 0.5


def test_what_the_photo_does_not_show_is_flat_or_mirrored(tiny_head: HeadModel) -> None:
    texture, head, fit, off, seen = with_a_bump(tiny_head, sun((1.0, 0.2, 0.8)), 0.5)
    found = estimate_shading(texture, head, fit)
    left = np.zeros((SIZE, SIZE), bool)
    u = np.argwhere(np.linalg.norm(off, axis=-1) < RADIUS)[:, 1].mean()
    left[:, : SIZE // 2] = True
    bumpy = left if u < SIZE / 2 else ~left
    kinds = np.where(seen & ~bumpy, PROVENANCE.index("mirrored"), texture.provenance).astype(np.uint8)
    mirrored = relief(replace(texture, provenance=kinds), head, fit, found, 0.35).normals
    side = len(mirrored)
    # Both sides are alike, and x changes its sign: 255 - x up to the rounding of 127.5.
    flipped = mirrored[:, ::-1].astype(int) * [-1, 1, 1] + [255, 0, 0]
    inside = np.zeros((side, side), bool)
    where = np.argwhere(np.linalg.norm(off, axis=-1) < 2 * RADIUS).mean(axis=0) * side / SIZE
    i, j = where.astype(int)
    inside[i - 12 : i + 13, j - 12 : j + 13] = True
    assert np.abs(mirrored[inside].astype(int) - [128, 128, 255]).max() > 4
    assert np.abs(mirrored.astype(int) - flipped)[inside].max() <= 1
    # Nothing of what super-resolution made up, nor of what was filled in.
    for kind in ("enhanced", "filled"):
        kinds = np.where(seen, PROVENANCE.index(kind), texture.provenance).astype(np.uint8)
        flat = relief(replace(texture, provenance=kinds), head, fit, found, 0.35)
        assert (flat.normals == [128, 128, 255]).all()
        assert flat.amount == 0


@pytest.mark.parametrize(("pixel_mm", "side"), [(0.05, 1024), (1.2, 512), (5.0, 256)])
def test_as_large_as_the_photo_supports(tiny_head: HeadModel, pixel_mm: float, side: int) -> None:
    texture, head, fit, _ = picture(tiny_head, sun((1.0, 0.3, 0.6)), size=SIZE)
    detail = relief(texture, head, fit, estimate_shading(texture, head, fit), pixel_mm)
    assert len(detail.normals) == side


def test_steps_of_the_atlas_in_millimetres(tiny_head: HeadModel) -> None:
    """The frame's steps are what the vertices' places say, where the surface is nearly flat: on the forehead."""
    _, head, _, _ = picture(tiny_head, sun((1.0, 0.3, 0.6)))
    axes, rows = tangent_frames(head, head.vertices), row_of_vertex(tiny_head, head.level)
    mesh = tiny_head.level(head.level)
    here = [
        t for t in mesh.triangle_uv[mesh.triangle_part == 0] if (np.abs(head.vertices[rows[t]][:, 1] - 50) < 15).all()
    ]
    for t in here[:20]:
        duv = mesh.uv[t[1]].astype(float) - mesh.uv[t[0]]
        step = (axes.column[t[0]] * duv[0] + axes.shear[t[0]] * duv[1]) * axes.right[t[0]]
        step = step - axes.row[t[0]] * duv[1] * axes.up[t[0]]
        true = head.vertices[rows[t[1]]] - head.vertices[rows[t[0]]]
        assert np.linalg.norm(step - true) < 0.35 * np.linalg.norm(true)
