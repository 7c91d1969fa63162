"""Rendered clips whose truth is known: heads made from portraits move, talk, blink, cross, leave and return."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import Head
from tronie.pipelines.photo import Pipeline
from tronie.raster.shading import DirectionalLight, Shading, render_layers
from tronie.settings import Settings
from tronie.stages.portrait import mouth_light, soft_rim
from tronie.types import Texture

FPS = 30.0


@dataclass(frozen=True, eq=False)
class Actor:
    """Somebody's head."""

    head: Head
    texture: Texture
    identity: Array


@dataclass(frozen=True, eq=False)
class State:
    """Where an actor is in one frame, and what the face does."""

    euler: tuple[float, float, float]
    """Yaw, pitch, roll of head_to_camera, degrees."""
    position: tuple[float, float, float]
    """Of the head's origin in camera space, mm."""
    units: Mapping[str, float] = field(default_factory=dict)

    @property
    def head_to_camera(self) -> Array:
        return rigid(rotation_from_euler(*self.euler), self.position)


Play = Callable[[float], State | None]
"""What an actor does at a time in seconds; None: out of the picture."""


@dataclass(frozen=True, eq=False)
class Scene:
    """A clip to be rendered."""

    actors: Sequence[Actor]
    plays: Sequence[Play]
    frames: int
    size: tuple[int, int] = (640, 480)
    light: Callable[[float], float] = lambda t: 1.0
    """Brightness at a time."""
    noise: float = 2.0
    """Standard deviation of each pixel's grey levels, as of a camera."""
    seed: int = 0

    @property
    def camera(self) -> Camera:
        width, height = self.size
        return Camera(1.4 * width, (width / 2, height / 2), self.size)

    def states(self, frame: int) -> list[State | None]:
        return [play(frame / FPS) for play in self.plays]

    def pictures(self) -> Iterator[Image]:
        """The frames; the nearer head before the farther."""
        rng = np.random.default_rng(self.seed)
        backdrop = _backdrop(self.size, rng)
        noises = [rng.normal(0, self.noise, (*self.size[::-1], 3)).astype(np.float32) for _ in range(7)]
        for number in range(self.frames):
            light = self.light(number / FPS)
            picture = np.clip(backdrop * light, 0, 255).astype(np.uint8)
            there = [(s, a) for s, a in zip(self.states(number), self.actors, strict=True) if s is not None]
            for state, actor in sorted(there, key=lambda pair: -pair[0].position[2]):
                picture = _draw(actor, state, self.camera, picture, light)
            shift = rng.integers(0, 200, 2)
            noise = np.roll(noises[number % 7], shift, axis=(0, 1))
            yield np.clip(picture + noise, 0, 255).astype(np.uint8)


def hire(photo: str | Path, texture: int = 512) -> Actor:
    """The head of a portrait."""
    result = Pipeline(Settings.model_validate({"texture": {"size": texture}}), threads=1).run(photo)
    face = result.faces[0]
    assert face.head is not None and face.texture is not None and face.fit is not None  # noqa: PT018
    return Actor(face.head, face.texture, face.fit.identity)


def expressed(head: Head, units: Mapping[str, float]) -> Array:
    """Vertices (V, 3) of a head with an expression."""
    mesh, weights = head.model.level(head.level), np.zeros(len(ARKIT_UNITS), np.float32)
    for name, weight in units.items():
        weights[ARKIT_UNITS.index(name)] = weight
    used = np.flatnonzero(weights)
    if not len(used):
        return head.neutral
    return head.neutral + mesh.apply(np.tensordot(weights[used], head.model.expression[used], axes=1))


def _draw(actor: Actor, state: State, camera: Camera, background: Image, light: float) -> Image:
    head = actor.head
    vertices = expressed(head, state.units)
    shading = Shading((DirectionalLight((-0.4, -0.4, -1.0), 0.3 * light, 0.6),), 0.7 * light)
    picture, _ = render_layers(
        vertices,
        head.model.level(head.level),
        actor.texture,
        camera,
        state.head_to_camera,
        background=background,
        shading=shading,
        opacity=soft_rim(vertices, head, state.head_to_camera),
        occlusion=mouth_light(vertices, head),
    )
    return picture


def _backdrop(size: tuple[int, int], rng: np.random.Generator) -> Array:
    """(H, W, 3): a room out of focus."""
    import cv2

    coarse = rng.uniform(40, 200, (6, 9, 3)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(cv2.resize(coarse, size, interpolation=cv2.INTER_CUBIC), (0, 0), 12))


def talk(t: float, seed: float = 0.0) -> dict[str, float]:
    """A talking face: the jaw, the lips, a smile that comes and goes, brows, blinks of 0.2 s every 1.7 s."""
    wave = lambda hz, phase: float(0.5 + 0.5 * np.sin(2 * np.pi * hz * t + phase + seed))  # noqa: E731
    blink = max(0.0, 1 - abs(((t + 0.37 * seed) % 1.7) - 0.9) / 0.1)
    smile = 0.6 * wave(0.31, 0.3)
    jaw = 0.45 * wave(2.3, 0.0) * wave(0.7, 1.0)
    return {
        "jawOpen": jaw,
        "mouthFunnel": 0.4 * wave(1.3, 2.0) * wave(0.5, 0.5),
        "mouthSmileLeft": smile,
        "mouthSmileRight": smile,
        "browInnerUp": 0.6 * wave(0.23, 4.0),
        "eyeBlinkLeft": blink,
        "eyeBlinkRight": blink,
        "mouthPucker": 0.3 * wave(0.9, 1.3) * (1 - smile),
        "browDownLeft": 0.4 * wave(0.19, 1.0),
        "browDownRight": 0.4 * wave(0.19, 1.0),
    }


def nodding(x: float = 0.0, z: float = 800.0, seed: float = 0.0) -> Play:
    """Sits and talks, and turns the head about."""

    def play(t: float) -> State:
        s = lambda hz, phase: float(np.sin(2 * np.pi * hz * t + phase + seed))  # noqa: E731
        euler = (18 * s(0.37, 0.0), 9 * s(0.53, 1.0), 6 * s(0.29, 2.0))
        return State(euler, (x + 25 * s(0.21, 0.5), 10 * s(0.33, 1.5), z + 30 * s(0.17, 0.2)), talk(t, seed))

    return play


def still(x: float = 0.0, z: float = 700.0) -> Play:
    """Does not move at all."""
    return lambda t: State((6.0, -3.0, 2.0), (x, 0.0, z), {"mouthSmileLeft": 0.2, "mouthSmileRight": 0.2})


def walking(start: float, end: float, seconds: float, z: float, seed: float = 0.0) -> Play:
    """Crosses the picture in a straight line from x = start to end (mm), looking about a little."""

    def play(t: float) -> State:
        s = lambda hz, phase: float(np.sin(2 * np.pi * hz * t + phase + seed))  # noqa: E731
        x = start + (end - start) * min(max(t / seconds, 0.0), 1.0)
        return State((10 * s(0.4, 0.0), 4 * s(0.6, 1.0), 3 * s(0.3, 0.0)), (x, 6 * s(1.5, 0.0), z), talk(t, seed))

    return play


def away(play: Play, since: float, until: float) -> Play:
    """Out of the picture for a while."""
    return lambda t: None if since <= t < until else play(t)
