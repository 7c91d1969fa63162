"""Turntables, reels of expressions and stills under several lights: what pictures they are made of, and making them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.render.figure import Figure
from tronie.render.lights import Lighting
from tronie.render.renderer import Look, Scene, render

DISTANCE_MM = 1150.0
"""From the camera to the middle of the head."""
MARGIN = 1.06
"""Of a picture's side by what has to fit into it."""
CLOSER = 1.2
"""How much larger a reel shows the face than a turntable the head."""
REEL_YAW, REEL_PITCH = 14.0, 0.0
"""Degrees by which a reel's head is turned: depth can be seen, and both sides still."""

EXPRESSIONS: dict[str, dict[str, float]] = {
    "smile": {
        "mouthSmileLeft": 0.85, "mouthSmileRight": 0.85, "cheekSquintLeft": 0.5, "cheekSquintRight": 0.5,
        "eyeSquintLeft": 0.35, "eyeSquintRight": 0.35, "mouthUpperUpLeft": 0.25, "mouthUpperUpRight": 0.25,
        "jawOpen": 0.06,
    },
    "wink": {"eyeBlinkLeft": 1.0, "eyeSquintLeft": 0.5, "cheekSquintLeft": 0.6, "mouthSmileLeft": 0.55,
             "mouthSmileRight": 0.2, "browDownLeft": 0.3},
    "jaw open": {"jawOpen": 0.8},
}  # fmt: skip
"""Weights by unit of what a reel shows before the units."""
COMPANIONS: dict[str, dict[str, float]] = {"mouthClose": {"jawOpen": 1.0}}
"""What a unit is shown with: `mouthClose` closes the lips over an open jaw, and means nothing without it."""


@dataclass(frozen=True, eq=False)
class FilmFrame:
    """A picture to be made, and what is written on it."""

    scene: Scene
    caption: str | None = None


def orbit(
    figure: Figure, size: tuple[int, int], yaw: float = 0.0, pitch: float = 0.0, zoom: float = 1.0, face: bool = False
) -> tuple[Camera, Array]:
    """Camera and head-to-camera (4, 4) of a picture (width, height) in which the head is turned by yaw and pitch in
    degrees (as `geometry.euler_degrees`). At zoom 1 it fits from every side; `face` puts the face in the middle."""
    middle, reach = extent(figure)
    if face:
        middle = np.array([0.0, min(-30.0, middle[1]), middle[2]])
    rotation = rotation_from_euler(yaw, pitch, 0)
    width, height = size
    camera = Camera(min(width, height) / 2 / (reach * MARGIN) * zoom, (width / 2, height / 2), size)
    return camera, rigid(rotation, np.array([0, 0, DISTANCE_MM]) - rotation @ middle)


def extent(figure: Figure) -> tuple[Array, float]:
    """Point (3,) that a head is turned about, mm, and the largest slope, side by distance, at which any of it is seen
    from DISTANCE_MM while it turns once round upright."""
    shown = figure.rest
    if figure.neck is not None and not figure.ends:
        shown = shown[figure.neck > 0.25]
    shown = np.concatenate([shown, *(shell.vertices for shell in figure.shells)])
    low, high = shown.min(axis=0), shown.max(axis=0)
    middle = np.asarray((low + high) / 2, dtype=np.float64)
    around = np.hypot(shown[:, 0] - middle[0], shown[:, 2] - middle[2])
    # Sideways a circle is widest where its tangent passes through the camera, upwards where it is nearest.
    sideways = float((around / np.sqrt(np.maximum(DISTANCE_MM**2 - around**2, 1.0))).max())
    upwards = float((np.abs(shown[:, 1] - middle[1]) / np.maximum(DISTANCE_MM - around, 1.0)).max())
    return middle, max(sideways, upwards)


def turntable(
    figure: Figure, look: Look, size: tuple[int, int], frames: int, weights: Mapping[str, float] | None = None
) -> Iterator[FilmFrame]:
    """Once round, beginning at the front; the last picture is one step before the first."""
    vertices = figure.posed(weights)
    for k in range(frames):
        camera, pose = orbit(figure, size, 360.0 * k / frames)
        yield FilmFrame(Scene(figure, camera, pose, look, weights, vertices))


def reel(figure: Figure, look: Look, size: tuple[int, int], frames: int) -> Iterator[FilmFrame]:
    """Some EXPRESSIONS and then every unit, one after the other, each from rest to the full and back."""
    acts = [(name, weights) for name, weights in EXPRESSIONS.items() if set(weights) <= set(figure.names)]
    acts += [(_title(name), {name: 1.0, **COMPANIONS.get(name, {})}) for name in figure.names]
    camera, pose = orbit(figure, size, REEL_YAW, REEL_PITCH, CLOSER, face=True)
    starts = np.round(np.linspace(0, frames, len(acts) + 1)).astype(int)
    for (name, weights), first, last in zip(acts, starts[:-1], starts[1:], strict=True):
        for k in range(last - first):
            share = float(np.sin(np.pi * (k + 0.5) / (last - first)) ** 2)
            # Held for a while at the full.
            share = min(1.0, 1.25 * share)
            yield FilmFrame(Scene(figure, camera, pose, look, {u: share * w for u, w in weights.items()}), name)


def _title(unit: str) -> str:
    return " + ".join((*COMPANIONS.get(unit, {}), unit))


def stills(
    figure: Figure,
    look: Look,
    size: tuple[int, int],
    lights: Mapping[str, Lighting],
    views: Iterable[float],
    weights: Mapping[str, float] | None = None,
) -> Iterator[tuple[str, FilmFrame]]:
    """A picture for each light and each yaw in degrees, with a name such as `studio_+35`."""
    views = tuple(views)
    for name, light in lights.items():
        for yaw in views:
            camera, pose = orbit(figure, size, yaw)
            yield (
                f"{name}_{yaw:+.0f}".replace("+0", "0"),
                FilmFrame(Scene(figure, camera, pose, replace(look, light=light), weights)),
            )


def pictures(shots: Iterable[FilmFrame], threads: int = 1) -> Iterator[Image]:
    """The pictures of shots, in order, made in several threads a little ahead of what is asked for."""
    if threads <= 1:
        yield from map(picture, shots)
        return
    waiting: deque[Future[Image]] = deque()
    with ThreadPoolExecutor(threads) as pool:
        try:
            for shot in shots:
                waiting.append(pool.submit(picture, shot))
                if len(waiting) > 2 * threads:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for job in waiting:
                job.cancel()


def picture(shot: FilmFrame) -> Image:
    image = render(shot.scene)
    return image if shot.caption is None else _captioned(image, shot.caption)


def _captioned(image: Image, text: str) -> Image:
    """The text in the lower left corner, on a soft dark band of its own width."""
    height = image.shape[0]
    alpha, ink = _caption(text, max(12, height // 22))
    h, w = alpha.shape
    left, top = max(height // 40, 2), height - h - max(height // 40, 2)
    if top < 0 or left + w > image.shape[1]:
        return image
    out = image.copy()
    part = out[top : top + h, left : left + w]
    mixed = part[..., :3] + (ink - part[..., :3]) * alpha[..., None]
    part[..., :3] = np.round(mixed).astype(np.uint8)
    if image.shape[2] == 4:
        part[..., 3] = np.maximum(part[..., 3], np.round(255 * alpha).astype(np.uint8))
    return out


@lru_cache(maxsize=128)
def _caption(text: str, size: int) -> tuple[Array, Array]:
    """Opacity (H, W) and colour (H, W, 3) of a caption."""
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    font = ImageFont.load_default(size)
    left, _, right, _ = font.getbbox(text)
    pad = size // 2
    width, height = int(right - left) + 2 * pad, round(1.9 * size)
    canvas = Pillow.new("L", (width, height), 0)
    ImageDraw.Draw(canvas).text((width / 2, height / 2), text, 255, font, anchor="mm")
    letters = np.asarray(canvas, dtype=np.float32) / 255
    ink = letters[..., None] * np.array([250, 250, 250], np.float32) + (1 - letters[..., None]) * 24
    return np.asarray(0.62 + 0.38 * letters, dtype=np.float32), np.asarray(ink, dtype=np.float32)


@lru_cache(maxsize=8)
def graded(size: tuple[int, int], bright: float = 232.0, drop: float = 44.0, dither: bool = True) -> Image:
    """(height, width, 3): a grey background, brighter behind the head. Dithered it has no bands; films are better off
    without, because encoders spend most of their time and bytes on the noise."""
    width, height = size
    y, x = np.mgrid[:height, :width].astype(np.float32)
    half = max(width, height) / 2
    r = np.hypot((x + 0.5 - width / 2) / half, (y + 0.5 - 0.45 * height) / half * 0.9)
    tone = bright - drop * np.clip(r / 1.5, 0, 1) ** 1.6
    if dither:
        tone = tone + np.random.default_rng(0).uniform(-0.5, 0.5, tone.shape)
    return np.asarray(np.clip(tone[..., None] + [-0.5, 0.0, 1.5] + 0.5, 0, 255), dtype=np.uint8)
