"""Where the true heads of the synthetic renders come from: ICT-FaceKit when its file is there, else our own model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.head.ict import read_ict, turn_eyes
from tronie.geometry import rotation_from_euler
from tronie.head.model import PARTS, HeadModel, default_head
from tronie.raster.rasterizer import rasterize

Array = NDArray[np.floating]

FIRST_EVALUATION_SEED = 1_000_000
"""Identity seeds from here on belong to evaluation; calibration and everything learned use smaller ones."""
PEOPLE_PER_SEED = 10_000
FACE_REACH = 125.0
"""mm from between the eyes' and the mouth's height: triangles further away are no part of a compared face."""
VISIBLE_UNITS = 30
PIXELS_PER_MM = 3.0


@dataclass(frozen=True, eq=False)
class Heads:
    """A head model as a source of truth, at one level of subdivision."""

    name: str
    model: HeadModel
    level: int
    inner: NDArray[np.intp]
    """Rows of the level's vertices in the inner face."""
    turns_eyes: bool = True
    """Whether the model's gaze units turn the eyeballs (ICT's only move the lids: its users turn the eyes)."""

    @property
    def triangles(self) -> NDArray[np.int32]:
        return self.model.level(self.level).triangles

    @property
    def triangle_part(self) -> NDArray[np.uint8]:
        return self.model.level(self.level).triangle_part

    def identity(self, seed: int, person: int) -> Array:
        """(K,) of one evaluation person: N(0, 1) per mode, which is how the model's own statistics are scaled."""
        rng = np.random.default_rng(FIRST_EVALUATION_SEED + seed * PEOPLE_PER_SEED + person)
        return np.asarray(rng.normal(size=len(self.model.identity)))

    def vertices(self, identity: Array, expression: Array | None = None) -> Array:
        v = self.model.level(self.level).apply(self.model.shape(identity, expression))
        if expression is not None and not self.turns_eyes:
            turn_eyes(v, self.model, expression)
        return v

    def landmarks(self, vertices: Array) -> Array:
        """(68, 3) iBUG points."""
        return self.model.level(self.level).points68(vertices)

    def counted(self) -> NDArray[np.bool_]:
        """(n,) which of the `inner` vertices are the face's outside down to the chin.

        Those of a straight look at the mean head, or of one from 40 degrees aside: not the depths of the nostrils, the
        mouth's lining and the back of the lids, of which a photo tells nothing and which each model ends elsewhere.
        """
        level = self.model.level(self.level)
        v = level.apply(self.model.mean).astype(np.float64)
        seen = np.zeros(len(v), dtype=bool)
        for yaw in (-40.0, 0.0, 40.0):
            p = v @ rotation_from_euler(yaw, 0, 0).T  # x right, y down, z away
            low = p[:, :2].min(axis=0)
            screen = np.column_stack([(p[:, :2] - low) * PIXELS_PER_MM, p[:, 2] - p[:, 2].min() + 1])
            width, height = (int(n) + 2 for n in screen[:, :2].max(axis=0))
            depth = depth_picture(screen, level.triangles, height, width)
            x, y = screen[:, 0].astype(int), screen[:, 1].astype(int)
            seen |= screen[:, 2] < depth[y, x] + 1.0
        return np.asarray(seen[self.inner] & (v[self.inner, 1] > self.landmarks(v)[8, 1] - 2))

    def visible_units(self) -> list[int]:
        """The units whose largest movement of an inner-face vertex is largest."""
        moved = self.model.level(self.level).apply(self.model.expression)[:, self.inner]
        order = np.argsort(-np.linalg.norm(moved, axis=2).max(axis=1))
        return sorted(int(k) for k in order[:VISIBLE_UNITS])


def depth_picture(screen: Array, triangles: NDArray[np.int32], height: int, width: int) -> Array:
    """(height, width) depth of a flat picture of points (V, 3): x, y in pixels, depth; inf where there is nothing."""
    flat = screen.copy()
    flat[:, 2] = 1e4 + screen[:, 2]  # far away, so that depth is all but linear over a triangle
    return np.asarray(rasterize(flat, triangles, height, width).depth) - 1e4


def heads(ict: str | Path | None) -> Heads:
    """Of ICT-FaceKit's npz at `ict`, or of our own model when that is None."""
    return _ict(str(ict)) if ict is not None else _own()


@cache
def _own() -> Heads:
    model = default_head()
    return Heads("own", model, 1, inner_rows(model, 1))


@cache
def _ict(path: str) -> Heads:
    model = read_ict(path)
    with np.load(path, allow_pickle=False) as z:
        points = z["mean"][z["landmarks68"]].astype(np.float64) * 10.0
        mean = z["mean"].astype(np.float64) * 10.0
    # The reader drops unused vertices and moves the origin: find the landmarks again by place.
    shift = model.mean[np.flatnonzero(model.inner_face)[0]] - mean[0]
    gap = np.linalg.norm(model.mean[None] - (points + shift)[:, None], axis=2)
    if gap.min(axis=1).max() > 0.05:
        raise ValueError("the landmarks are not among the head's vertices")
    index = np.repeat(gap.argmin(axis=1).astype(np.int32)[:, None], 3, axis=1)
    weight = np.tile(np.array([1, 0, 0], np.float32), (68, 1))
    model = replace(model, embeddings={**model.embeddings, "68.0": (index, weight)})
    return Heads("ict", model, 0, np.flatnonzero(model.inner_face), turns_eyes=False)


def inner_rows(model: HeadModel, level: int) -> NDArray[np.intp]:
    """Rows of a level's vertices whose control vertices all lie in the inner face."""
    share = model.level(level).matrix @ model.inner_face.astype(np.float32)
    return np.flatnonzero(share > 0.999)


@cache
def face_triangles(model: HeadModel, level: int) -> NDArray[np.int32]:
    """(T, 3): the skin of the face and its surroundings, which true vertices are compared with."""
    mesh = model.level(level)
    mean = mesh.apply(model.mean)
    points = mesh.points68(mean)
    middle = points[[36, 45, 48, 54]].mean(axis=0)
    near = np.linalg.norm(mean[mesh.triangles].mean(axis=1) - middle, axis=1) < FACE_REACH
    return np.ascontiguousarray(mesh.triangles[near & (mesh.triangle_part == PARTS.index("skin"))])
