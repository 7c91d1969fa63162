"""A made-up result on the tiny head: what the pipeline would give, without a net."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import Head, HeadModel
from tronie.shells import Shell
from tronie.types import Caution, Crop, Detection, Face, Fit, Landmarks, Photo, Portrait, Result, Texture

SMILE = {"jawOpen": 0.4, "mouthSmileLeft": 0.7, "mouthSmileRight": 0.5, "eyeBlinkLeft": 0.25}


def make_head(model: HeadModel, level: int = 1, seed: int = 1) -> Head:
    """A person with the expression SMILE."""
    mesh = model.level(level)
    identity = np.random.default_rng(seed).normal(size=len(model.identity))
    weights = np.array([SMILE.get(unit, 0.0) for unit in ARKIT_UNITS])
    return Head(model, level, mesh.apply(model.shape(identity, weights)), mesh.apply(model.shape(identity)))


def make_face(model: HeadModel, index: int = 1, level: int = 1, yaw: float = 20.0, texture: bool = True) -> Face:
    """A face in the middle of a photo of 320 x 240 pixels."""
    head = make_head(model, level, seed=index)
    camera = Camera(400.0, (160.0, 120.0), (320, 240))
    pose = rigid(rotation_from_euler(yaw, 5, -8), [0, 10, 650])
    fit = Fit(
        np.linspace(-1, 1, len(model.identity)),
        {unit: SMILE.get(unit, 0.0) for unit in ARKIT_UNITS},
        pose,
        camera,
        np.zeros((4, 3)),
        {"rms": 0.0123456789, "yaw": yaw},
    )
    points = transform(pose, head.points478(head.vertices).astype(np.float64))
    pixels = np.concatenate([camera.project(points), points[:, 2:] - 650], axis=1)
    low, high = pixels[:, :2].min(axis=0), pixels[:, :2].max(axis=0)
    detection = Detection((*low.tolist(), *high.tolist()), pixels[[33, 263, 1, 61, 291], :2], 0.93)
    crop = Crop(np.zeros((256, 256, 3), np.uint8), Similarity(1, 0, 0, 0))
    marks = Landmarks(pixels, np.linspace(0, 1, 52), 0.99)
    projected = camera.project(transform(pose, head.points68(head.vertices).astype(np.float64)))
    face = Face(
        index,
        detection,
        crop,
        marks,
        fit,
        head,
        points68=projected,
        warnings=(Caution("small", "the face is small (90 px)"),),
        timings={"fit": 0.0123456},
    )
    if not texture:
        return face
    rng = np.random.default_rng(index)
    picture = np.repeat(np.repeat(rng.integers(90, 200, (16, 16, 3), dtype=np.uint8), 32, 0), 32, 1)
    provenance = np.repeat(np.repeat(rng.integers(0, 5, (8, 8), dtype=np.uint8), 64, 0), 64, 1)
    small, mask = np.ascontiguousarray(picture[:256, :256]), np.ascontiguousarray(provenance[:256, :256])
    return replace(face, texture=Texture(picture, provenance), portrait=Portrait(small, small[::-1], mask, mask))


def make_result(model: HeadModel, faces: int = 1, name: str = "someone", **options: Any) -> Result:
    y, x = np.mgrid[:240, :320]
    image = np.stack([x * 255 // 320, y, 120 + 0 * x], axis=-1).astype(np.uint8)
    found = tuple(make_face(model, i + 1, **options) for i in range(faces))
    return Result(Photo(image, name, f"{name}.jpg"), found, {"detect": 0.1})


def make_shell(name: str = "hair", cells: int = 8, size: int = 128) -> Shell:
    """A dome over the tiny head (or any other), brown where it is there: a checker whose holes are green and clear, but
    for the lowest row of `cells`, which is whole."""
    rows, columns = 12, 32
    around, down = np.meshgrid(np.linspace(-np.pi, np.pi, columns + 1), np.linspace(0.02, 0.45 * np.pi, rows + 1))
    unit = np.stack([np.sin(down) * np.sin(around), np.cos(down), np.sin(down) * np.cos(around)], axis=-1)
    vertices = (np.array([0, 10, -80]) + unit * np.array([92, 142, 112])).reshape(-1, 3).astype(np.float32)
    normals = unit / np.array([92, 142, 112])
    normals = (normals / np.linalg.norm(normals, axis=-1, keepdims=True)).reshape(-1, 3).astype(np.float32)
    u, v = np.meshgrid(np.linspace(0, 1, columns + 1), np.linspace(0, 1, rows + 1))

    def grid(step: int) -> Any:
        i, j = (a.ravel() for a in np.mgrid[:rows:step, :columns:step])
        w = columns + 1
        a, b, c, d = i * w + j, (i + step) * w + j, (i + step) * w + j + step, i * w + j + step
        return np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)

    y, x = np.mgrid[:size, :size] * cells // size
    there = ((x + y) % 2 == 0) | (y == cells - 1)
    image = np.where(there[..., None], [90, 60, 40, 255], [0, 255, 0, 0]).astype(np.uint8)
    uv = np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32)
    return Shell(name, vertices, normals, grid(1), uv, image, (grid(2), grid(4)))
