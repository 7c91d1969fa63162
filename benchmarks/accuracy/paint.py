"""A painted head in a picture: colours per vertex, light per pixel, a background, and what cameras do to pictures."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.heads import Heads
from benchmarks.accuracy.scene import HAIR, IRIS, SIDE, SKIN, Scene
from tronie.geometry import transform
from tronie.head.model import PARTS, sphere_center
from tronie.head.surface import triangle_vertex_normals
from tronie.raster.rasterizer import interpolate, rasterize

Array = NDArray[np.floating]

SCALE = 2
"""The picture is drawn so many times as large and averaged."""


@dataclass(frozen=True, eq=False)
class Regions:
    """Where things are painted: weights (V,) 0..1 on the mean head."""

    lips: Array
    brows: Array
    lids: Array
    blush: Array
    beard: Array
    sockets: Array
    height: Array
    """mm above the hairline."""
    iris: Array
    """Sine of the angle from the gaze on eyeballs, 2 elsewhere."""
    part: NDArray[np.uint8]


@lru_cache(maxsize=2)
def regions(heads: Heads) -> Regions:
    level = heads.model.level(heads.level)
    v = level.apply(heads.model.mean).astype(np.float64)
    p = heads.landmarks(v).astype(np.float64)
    part = np.zeros(len(v), np.uint8)
    for name in PARTS[1:]:
        rows = level.triangles[level.triangle_part == PARTS.index(name)]
        part[rows] = PARTS.index(name)
    skin = part == 0
    front = v[:, 2] > p[:, 2].min() - 30
    lips = _soft(_polygon(v, p[48:60]), 0.6) * skin * front
    brows = np.maximum(*(_soft(3.6 - _line(v, _raised(p[a:b])), 0.7) for a, b in ((17, 22), (22, 27)))) * skin
    lids = np.maximum(*(_soft(1.3 - _line(v, p[[*range(a, a + 4)]]), 0.4) for a in (36, 42))) * skin
    cheeks = [(p[[36, 48, 3]].mean(axis=0)), (p[[45, 54, 13]].mean(axis=0)), p[33]]
    blush = np.sum([np.exp(-(((v - c) / 16.0) ** 2).sum(axis=1)) for c in cheeks], axis=0) * skin
    jaw, moustache = _line(v, p[2:15]), _line(v, (p[49:54] + p[33]) / 2)
    chin = _polygon(v, np.concatenate([p[3:14], p[[54, 33, 48]]])) > 0
    beard = np.clip(_soft(16 - jaw, 4.0) * (v[:, 1] < p[31, 1]) + _soft(6 - moustache, 2.0) + chin, 0, 1)
    sockets = (
        np.sum([np.exp(-(((v - p[a : a + 6].mean(axis=0)) / (15, 10, 20)) ** 2).sum(axis=1)) for a in (36, 42)], axis=0)
        * skin
    )
    height = v[:, 1] - (p[27, 1] + 62 + 0.75 * (v[:, 2] - p[27, 2]))
    iris = np.full(len(v), 2.0)
    for name in ("eye_left", "eye_right"):
        rows = np.flatnonzero(part == PARTS.index(name))
        out = v[rows] - sphere_center(v[rows])
        iris[rows] = np.where(out[:, 2] > 0, np.hypot(out[:, 0], out[:, 1]) / np.linalg.norm(out, axis=1), 1.0)
    return Regions(
        lips, brows, lids, blush, beard * (1 - lips) * skin * front, sockets, height * skin - 99 * ~skin, iris, part
    )


def _soft(x: Array, width: float) -> Array:
    return np.asarray(1 / (1 + np.exp(-np.clip(x / width, -30, 30))))


def _raised(points: Array) -> Array:
    """iBUG's brow points lie on the upper edge of the brow."""
    return np.asarray(points - [0, 2.0, 0])


def _line(v: Array, points: Array) -> Array:
    """(V,) distances to a polyline."""
    out = np.full(len(v), np.inf)
    for a, b in pairwise(points):
        t = np.clip((v - a) @ (b - a) / max(((b - a) ** 2).sum(), 1e-9), 0, 1)
        out = np.minimum(out, np.linalg.norm(a + t[:, None] * (b - a) - v, axis=1))
    return out


def _polygon(v: Array, corners: Array) -> Array:
    """(V,) mm inside (positive) a polygon seen from the front."""
    contour = np.ascontiguousarray(corners[:, :2], np.float32)[:, None]
    return np.array([cv2.pointPolygonTest(contour, (float(x), float(y)), True) for x, y in v[:, :2]])


def colours(heads: Heads, rng: np.random.Generator) -> tuple[Array, Array]:
    """sRGB (V, 3) and gloss (V,) of one person's looks; the chances are the same for every head model."""
    r = regions(heads)
    tone = rng.uniform(0, len(SKIN) - 1)
    skin = SKIN[int(tone)] + (SKIN[min(int(tone) + 1, len(SKIN) - 1)] - SKIN[int(tone)]) * (tone % 1)
    skin = skin * rng.uniform(0.92, 1.05, 3)
    colour = np.tile(skin, (len(r.part), 1))
    red = np.array([1.0, 0.72, 0.70]) * skin

    def blend(weight: Array, target: Array) -> None:
        colour[:] += np.clip(weight, 0, 1)[:, None] * (target - colour)

    blend(r.blush * rng.uniform(0, 0.5), red)
    blend(r.sockets * rng.uniform(0, 0.3), skin * 0.72)
    colour *= 1 + rng.normal(size=(len(colour), 1)) * rng.uniform(0, 0.03)
    hair = HAIR[0 if tone > 3.5 and rng.random() < 0.85 else rng.integers(len(HAIR))] * rng.uniform(0.8, 1.2)
    if rng.random() < 0.3:
        blend(r.beard * rng.uniform(0.3, 0.95), hair * 0.9 + skin * 0.1)
    blend(r.brows * rng.uniform(0.35, 0.95), hair)
    blend(r.lids * rng.uniform(0.2, 0.9), skin * 0.25)
    lip = skin * [0.86, 0.6, 0.6] if rng.random() < 0.7 else np.array([rng.uniform(130, 200), 50.0, 66.0])
    blend(r.lips * rng.uniform(0.4, 1.0), lip)
    if rng.random() > 0.12:
        blend(_soft(r.height - rng.uniform(-10, 14), 2.5), hair)
    gloss = np.where(r.part == 0, rng.uniform(0.0, 0.22), 0.12)
    for name, value in (
        ("teeth_upper", (226, 216, 196)),
        ("teeth_lower", (226, 216, 196)),
        ("tongue", (168, 84, 82)),
        ("mouth", (84, 36, 34)),
    ):
        colour[r.part == PARTS.index(name)] = value
    eye = r.iris <= 1
    colour[eye] = np.array([222, 214, 208]) * rng.uniform(0.85, 1.05)
    width = rng.uniform(0.44, 0.5)
    blend(_soft(width - r.iris, 0.012) * eye, IRIS[rng.integers(len(IRIS))] * rng.uniform(0.8, 1.2))
    blend(_soft(width * rng.uniform(0.3, 0.5) - r.iris, 0.012) * eye, np.array([12.0, 10.0, 10.0]))
    gloss[eye] = 0.7
    return np.clip(colour, 2, 252), gloss


def lights(kind: str, rng: np.random.Generator) -> tuple[Array, list[tuple[Array, Array, float]]]:
    """Ambient light (3,) and lamps: direction or (with a distance in mm, else 0) point, colour (3,)."""
    warm = rng.uniform(-0.12, 0.12)
    white = np.array([1 + warm, 1.0, 1 - warm])
    side = rng.choice([-1.0, 1.0])
    ambient, at, power = {
        "soft": (0.55, (side * rng.uniform(0.2, 0.8), -rng.uniform(0.3, 1), -1.0), 0.5),
        "front": (0.22, (side * 0.12, -0.2, -1.0), 0.85),
        "side": (0.2, (side, -rng.uniform(0, 0.5), -rng.uniform(0.1, 0.5)), 1.0),
        "top": (0.25, (side * rng.uniform(0, 0.3), -1.0, -rng.uniform(0.2, 0.5)), 1.0),
        "back": (0.42, (side * 0.7, -0.4, 0.7), 1.1),
    }[kind]
    lamps = [
        (
            np.array(at) / np.linalg.norm(at),
            white * power * rng.uniform(0.8, 1.2),
            float(rng.choice([0.0, rng.uniform(400, 1200)])),
        )
    ]
    if rng.random() < 0.5:
        fill = rng.normal(size=3) * [1, 0.5, 0.3] - [0, 0.2, 0.6]
        lamps.append((fill / np.linalg.norm(fill), rng.uniform(0.05, 0.25) * rng.uniform(0.7, 1.1, 3), 0.0))
    return white * ambient * rng.uniform(0.8, 1.2), lamps


def picture(heads: Heads, vertices: Array, scene: Scene) -> NDArray[np.uint8]:
    """(SIDE, SIDE, 3) RGB photo of a head (V, 3) mm."""
    rng = np.random.default_rng(scene.seed)
    colour, gloss = colours(heads, rng)
    ambient, lamps = lights(scene.light, rng)
    size = SIDE * SCALE
    p = transform(scene.head_to_camera, np.asarray(vertices, np.float64))
    screen = np.column_stack([scene.camera.project(p) * SCALE, p[:, 2]]).astype(np.float32)
    buffers = rasterize(screen, heads.triangles, size, size)
    normals = triangle_vertex_normals(vertices, heads.triangles) @ scene.head_to_camera[:3, :3].T.astype(np.float32)
    values = np.column_stack([normals, (colour / 255) ** 2.2, gloss, p]).astype(np.float32)
    drawn = buffers.triangle >= 0
    pixel = interpolate(buffers, heads.triangles, values)[drawn]
    canvas = (background(rng, scene, p) / np.float32(255)) ** np.float32(2.2)
    canvas = np.repeat(np.repeat(canvas, SCALE, axis=0), SCALE, axis=1)
    canvas[drawn] = shade(pixel, ambient.astype(np.float32), lamps, p.mean(axis=0))
    small = canvas.reshape(SIDE, SCALE, SIDE, SCALE, 3).mean(axis=(1, 3))
    return develop(small * rng.uniform(0.75, 1.2), rng)


def shade(pixel: Array, ambient: Array, lamps: list[tuple[Array, Array, float]], centre: Array) -> Array:
    """Linear light (n, 3) of pixels (n, 10): normal, albedo, gloss, place."""
    n = pixel[:, :3] / np.maximum(np.linalg.norm(pixel[:, :3], axis=1, keepdims=True), 1e-6)
    albedo, gloss, place = pixel[:, 3:6], pixel[:, 6:7], pixel[:, 7:]
    view = -place / np.linalg.norm(place, axis=1, keepdims=True)
    out = albedo * ambient * (1 - 0.35 * n[:, 1:2])
    for direction, power, distance in lamps:
        to: Array = np.broadcast_to(direction.astype(np.float32), n.shape)
        fade: Array | float = 1.0
        if distance:
            to = (centre + direction * distance).astype(np.float32) - place
            length = np.linalg.norm(to, axis=1, keepdims=True)
            to, fade = to / length, (distance / length) ** 2
        facing = np.clip(((n * to).sum(axis=1, keepdims=True) + 0.15) / 1.15, 0, 1)
        half = to + view
        half = half / np.maximum(np.linalg.norm(half, axis=1, keepdims=True), 1e-6)
        shine = np.clip((n * half).sum(axis=1, keepdims=True), 0, 1) ** 24 * (facing > 0)
        out = out + (albedo * facing + gloss * shine * 0.5) * (power.astype(np.float32) * fade)
    return np.asarray(out, np.float32)


def background(rng: np.random.Generator, scene: Scene, head: Array) -> Array:
    """(SIDE, SIDE, 3) float32 sRGB: soft shapes, and shoulders below the head (camera-space vertices)."""
    ends = rng.uniform(20, 235, (2, 3))
    ramp = np.linspace(0, 1, SIDE)[:, None, None]
    out = np.ascontiguousarray(np.broadcast_to(ends[0] + (ends[1] - ends[0]) * ramp, (SIDE, SIDE, 3)), np.float32)
    for _ in range(rng.integers(0, 12)):
        x, y = (int(c) for c in rng.integers(0, SIDE, 2))
        w, h = (int(c) for c in rng.integers(20, 320, 2))
        cv2.rectangle(out, (x, y), (x + w, y + h), tuple(float(c) for c in rng.uniform(0, 255, 3)), -1)
    blur = rng.uniform(1, 24)
    out = cv2.GaussianBlur(out, (0, 0), blur)
    uv = scene.camera.project(head)
    neck = np.percentile(uv, [2, 50, 98], axis=0)
    width, low = neck[2, 0] - neck[0, 0], float(np.percentile(uv[:, 1], 90))
    x = float(neck[1, 0])
    cloth = tuple(float(c) for c in rng.uniform(10, 240, 3))
    body = np.array(
        [
            (x - 0.3 * width, low),
            (x + 0.3 * width, low),
            (x + 1.3 * width, low + 0.45 * width),
            (x + 1.5 * width, SIDE * 3),
            (x - 1.5 * width, SIDE * 3),
            (x - 1.3 * width, low + 0.45 * width),
        ]
    )
    cv2.fillPoly(out, [np.clip(body, -4 * SIDE, 4 * SIDE).astype(np.int32)], cloth)
    return np.asarray(out, np.float32)


def develop(linear: Array, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Linear light (H, W, 3) -> what a camera writes: tone curve, a little blur, noise, JPEG."""
    image = 255 * np.clip(linear, 0, 1) ** (1 / 2.2)
    image = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.2))
    image = image + rng.normal(size=image.shape) * rng.uniform(0.5, 6)
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(60, 98))]
    coded = cv2.imencode(".jpg", np.clip(image, 0, 255).astype(np.uint8)[..., ::-1], quality)[1]
    return np.ascontiguousarray(cv2.imdecode(coded, cv2.IMREAD_COLOR)[..., ::-1])
