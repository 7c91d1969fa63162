"""Heads of known albedo and relief in known light: how well light, albedo and normal map are found again.

    python -m benchmarks.light --heads 20

Random people of the default head, lit by an ambient sky, one sun and one lamp, with shadows that each head casts on
itself (400 directions, where the estimate knows 96 and the mean head's shadows). The skin has a tone, red cheeks and
lips, brows, a beard on every third, moles and freckles; the texture has eight bits and some noise. For the relief the
skin gets waves 4 mm long. Prints a line for each head, then means. Writes a picture of each with --out.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.harmonics import Light, basis, irradiance, spiral
from tronie.head.model import Head, default_head
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import interpolate, rasterize, visible
from tronie.stages.lighting.albedo import apply
from tronie.stages.lighting.charts import row_of_vertex, tangent_frames
from tronie.stages.lighting.normal_map import relief
from tronie.stages.lighting.shading_estimate import estimate_shading
from tronie.stages.texture.white_balance import skin_albedo
from tronie.types import PROVENANCE, Fit, Texture

SKY, SIZE = 400, 1024


def person(rng: np.random.Generator) -> tuple[Head, Fit]:
    model = default_head()
    vertices = model.level(1).apply(model.shape(rng.normal(size=len(model.identity))))
    pose = rigid(rotation_from_euler(rng.uniform(-25, 25), rng.uniform(-10, 10), 0), [0, 0, 700])
    camera = Camera(1600, (384, 384), (768, 768))
    return Head(model, 1, vertices, vertices), Fit(np.zeros(1), {}, pose, camera, np.zeros((1, 3)), {})


def some_light(rng: np.random.Generator) -> Array:
    """Radiance (SKY, 3): ambient, brighter above; a sun from before the face; a wide coloured lamp."""
    d = spiral(SKY)
    radiance = (0.35 + 0.2 * d[:, 1:2]) * np.array([0.95, 1.0, 1.05])
    for sharp, power in ((60, rng.uniform(0.5, 1.3)), (6, rng.uniform(0.1, 0.4))):
        to = np.array([rng.uniform(-1, 1), rng.uniform(-0.1, 1), rng.uniform(0.3, 1)])
        glow = np.exp(sharp * (d @ (to / np.linalg.norm(to)) - 1))[:, None]
        radiance = radiance + power * glow / glow.sum() * SKY / 4 * rng.uniform(0.85, 1.15, 3)
    return np.asarray(radiance)


def lit(head: Head, radiance: Array, normals: Array, rows: NDArray[np.int64] | None = None) -> Array:
    """Light (N, 3) on `normals` (N, 3) at the head's vertices (or at those of `rows`), with the head's own shadows."""
    v = head.vertices
    size, center = 512, v.mean(axis=0)
    radius = float(np.linalg.norm(v - center, axis=1).max()) + 1
    scale = size / (2 * radius)
    total = np.zeros((len(normals), 3))
    own = triangle_vertex_normals(v, head.triangles)
    for z, colour in zip(spiral(SKY), radiance, strict=True):
        x = np.cross([0, 1, 0] if abs(z[1]) < 0.9 else [1, 0, 0], z)
        x /= np.linalg.norm(x)
        axes = np.stack([x, -np.cross(z, x), -z]).T
        p, q = (v - center) @ axes, (v + own - center) @ axes
        screen = np.column_stack([p[:, :2] * scale + size / 2, p[:, 2] + 2 * radius]).astype(np.float32)
        inverse = visible(screen, head.triangles, size, size)[1]
        i, j = (np.clip(q[:, k] * scale + size / 2, 0, size - 1).astype(int) for k in (1, 0))
        free = q[:, 2] + 2 * radius < 1 / np.maximum(inverse[i, j], 1e-9) + 1.0
        free = free if rows is None else free[rows]
        total += (np.maximum(normals @ z, 0) * free)[:, None] * colour * 4 / SKY
    return total


def over_atlas(head: Head, values: Array, size: int = SIZE) -> Array:
    mesh = head.model.level(1)
    skin = mesh.triangle_part == 0
    corners = np.ascontiguousarray(mesh.triangle_uv[skin])
    buffers = rasterize(np.column_stack([mesh.uv * size, np.ones(len(mesh.uv))]), corners, size, size, cull=False)
    own = np.arange(corners.size, dtype=np.int32).reshape(-1, 3)
    return interpolate(buffers, own, np.asarray(values, np.float32)[mesh.triangles[skin]].reshape(corners.size, -1))


def skin_of(head: Head, rng: np.random.Generator, bearded: bool) -> tuple[Array, Array]:
    """Linear albedo (S, S, 3) and its tone (3,)."""
    m = head.model.level(1).apply(head.model.mean)
    tone = skin_albedo(np.full(3, np.exp(rng.uniform(np.log(0.06), np.log(0.5)))) * [1.7, 1.0, 0.7])
    log = np.zeros((len(m), 3))

    def patch(x: float, y: float, w: float, h: float, change: list[float]) -> None:
        where = np.exp(-(((np.abs(m[:, 0]) - x) / w) ** 4) - ((m[:, 1] - y) / h) ** 4) * (m[:, 2] > -50)
        log[:] += where[:, None] * change

    patch(36, -35, 16, 14, [0.08, -0.1, -0.08])
    patch(0, -62, 22, 9, [-0.1, -0.55, -0.4])
    patch(32, 22, 17, 4, [-1.2, -1.1, -1.0])
    if bearded:
        patch(0, -88, 30, 20, [-1.0, -0.75, -0.6])
    log += 0.04 * rng.normal(size=(6, 1, 3)).sum(axis=0)
    picture = over_atlas(head, tone * np.exp(log))
    y, x = np.mgrid[:SIZE, :SIZE]
    marks = np.ones((SIZE, SIZE), np.float32)
    for _ in range(120):
        i, j, r = rng.uniform(0.15, 0.85) * SIZE, rng.uniform(0.15, 0.85) * SIZE, rng.uniform(0.5, 2.5)
        marks *= 1 - rng.uniform(0.1, 0.5) * np.exp(-((x - j) ** 2 + (y - i) ** 2) / r**2).astype(np.float32)
    return picture * marks[..., None] ** [0.6, 1.0, 1.2], tone


def one(seed: int, out: Path | None) -> list[float]:
    rng = np.random.default_rng(seed)
    head, fit = person(rng)
    radiance = some_light(rng)
    normals = triangle_vertex_normals(head.vertices, head.triangles)
    light = lit(head, radiance, normals)
    albedo, _ = skin_of(head, rng, seed % 3 == 0)
    eye = -fit.head_to_camera[:3, :3].T @ fit.head_to_camera[:3, 3] - head.vertices
    facing = (normals * eye).sum(axis=1) / np.linalg.norm(eye, axis=1)
    layers = over_atlas(head, np.column_stack([light, facing, head.model.level(1).matrix @ head.model.inner_face]))
    used = albedo.sum(axis=-1) > 0
    seen = used & (layers[..., 3] > 0.3)
    shown = albedo * layers[..., :3]
    shown = np.where(seen[..., None], shown, np.median(shown[seen], axis=0))
    image = np.clip(linear_to_srgb(shown) + rng.normal(size=shown.shape) * 1.5, 0, 255).round().astype(np.uint8)
    kinds = np.where(seen, PROVENANCE.index("seen"), np.where(used, PROVENANCE.index("filled"), 0)).astype(np.uint8)
    texture = Texture(image, kinds)
    start = time.process_time()
    found = estimate_shading(texture, head, fit)
    result = apply(texture, head, found)
    seconds = time.process_time() - start
    face = seen & (layers[..., 4] > 0.5)
    n = normals[(normals[:, 2] > 0.25)].astype(float)
    d = spiral(SKY)
    truth = Light(basis(d).T @ radiance * 4 * np.pi / SKY, np.zeros((32, 64, 3), np.float32))
    a, b = irradiance(n, found.light), irradiance(n, truth)
    a = a * (a * b).sum(axis=0) / (a * a).sum(axis=0)
    error = float(np.sqrt(((a - b) ** 2).mean() / (b**2).mean()))
    plain = b.mean(axis=0)
    even = float(np.sqrt(((plain - b) ** 2).mean() / (b**2).mean()))
    figures = [even, error]
    figures += [_psnr(picture, albedo, face) for picture in (image, result)]
    for picture in (image, result):
        ratio = np.log((srgb_to_linear(picture[face]) @ LUMINANCE + 1e-3) / (albedo[face] @ LUMINANCE))
        figures.append(float((ratio - np.median(ratio)).std()))
    if out is not None:
        row = [image, result, linear_to_srgb(albedo).astype(np.uint8)]
        cv2.imwrite(str(out / f"{seed}.png"), np.hstack(row)[..., ::-1])
    return [*figures, *bumps(head, fit, found, radiance, texture), seconds]


def _psnr(picture: Image, albedo: Array, where: NDArray[np.bool_]) -> float:
    """dB between sRGB pictures, after the best factor for each linear channel."""
    p, a = srgb_to_linear(picture[where]), albedo[where]
    p = p * np.exp(np.median(np.log(a / np.maximum(p, 1e-3)), axis=0))
    return float(10 * np.log10(255**2 / ((linear_to_srgb(p) - linear_to_srgb(a)) ** 2).mean()))


def bumps(head: Head, fit: Fit, found: Any, radiance: Array, texture: Texture) -> list[float]:
    """Waves of 4 mm on the skin, shaded by the same light: correlation of the slopes that are found with the true ones,
    and the share of their size."""
    axes = tangent_frames(head, head.vertices)
    rows = row_of_vertex(head.model, 1)
    mesh = head.model.level(1)
    p = head.vertices[rows]
    skin = mesh.triangle_part == 0
    corners = np.ascontiguousarray(mesh.triangle_uv[skin])
    flat = np.column_stack([mesh.uv * SIZE, np.ones(len(mesh.uv))])
    buffers = rasterize(flat, corners, SIZE, SIZE, cull=False)
    maps = interpolate(buffers, corners, np.column_stack([p, axes.normal, axes.right, axes.up]))
    place, n, t, b = (maps[..., 3 * k : 3 * k + 3] for k in range(4))
    k = 2 * np.pi / 4.0
    slope = 0.2
    direction = np.array([[0.8, 0.6, 0.0], [-0.5, 0.8, 0.3]])
    gradient = sum(np.cos(k * (place @ d))[..., None] * d * slope for d in direction)
    right, up = (gradient * t).sum(-1), (gradient * b).sum(-1)
    bent = n - right[..., None] * t - up[..., None] * b
    bent /= np.maximum(np.linalg.norm(bent, axis=-1, keepdims=True), 1e-6)
    seen = texture.provenance == PROVENANCE.index("seen")
    ratio = np.ones((SIZE, SIZE, 3), np.float32)
    both = [np.zeros((int(seen.sum()), 3), np.float32) for _ in range(2)]
    normals = [bent[seen].astype(np.float32), n[seen]]
    for z, colour in zip(spiral(SKY).astype(np.float32), (radiance * 4 / SKY).astype(np.float32), strict=True):
        for total, normal in zip(both, normals, strict=True):
            total += np.maximum(normal @ z, 0)[:, None] * colour
    ratio[seen] = both[0] / np.maximum(both[1], 1e-4)
    image = linear_to_srgb(srgb_to_linear(texture.image) * ratio).round().astype(np.uint8)
    detail = relief(Texture(image, texture.provenance), head, fit, found, 0.4)
    side = len(detail.normals)
    normal = detail.normals.astype(np.float32) / 127.5 - 1
    got = -normal[..., :2] / normal[..., 2:]
    want = cv2.resize(np.dstack([right, up]).astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    where = np.abs(got).max(axis=-1) > 0.01
    where &= cv2.resize((texture.provenance == 1).astype(np.uint8), (side, side)) > 0
    x, y = got[where].ravel(), want[where].ravel()
    return [float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum())), float((x * y).sum() / (y * y).sum())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--heads", type=int, default=20)
    parser.add_argument("--out", type=Path, help="save a picture of each head here: shown, found, true albedo")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    if options.out:
        options.out.mkdir(parents=True, exist_ok=True)
    names = (
        "light if it were even",
        "light",
        "dB before",
        "dB",
        "unevenness before",
        "unevenness",
        "relief r",
        "relief size",
        "s",
    )
    print("head", *(f"{name:>18}" for name in names))
    table = []
    for seed in range(options.heads):
        table.append(one(seed, options.out))
        print(f"{seed:4d}", *(f"{value:18.3f}" for value in table[-1]), flush=True)
    print("mean", *(f"{value:18.3f}" for value in np.mean(table, axis=0)))


if __name__ == "__main__":
    main()
