"""Joints for a head and how much each vertex follows them: neck, head, jaw, left and right eye.

The joints are read off the model itself: an eye turns about the centre of its ball, the jaw as the unit `jawOpen`
moves it, neck and skull by the landmarks of the jaw line. A model gets the joints that it has something for.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.model import Head, HeadModel, sphere_center
from tronie.head.surface import Same

NECK, HEAD, JAW, EYES = "neck", "head", "jaw", ("eye_left", "eye_right")

SKULL = (-0.28, -0.30)
"""Up and forward, by the distance between the ends of the jaw line: from these ends' middle to where the skull turns
on the spine."""
SPINE = (-0.75, -0.15)
"""From there to the foot of the neck, likewise."""
SOFT = 0.45
"""Over what distance below the jaw line a vertex goes from the head to the neck, likewise."""
LEAST_NECK = 0.15
"""How far below the chin the skin must reach for a neck, likewise."""


@dataclass(frozen=True, slots=True)
class Skeleton:
    """A person's joints at rest."""

    names: tuple[str, ...]
    parents: tuple[int, ...]
    """Rows of `names`, before the joint itself; -1 for the root."""
    positions: Array
    """(J, 3) mm. No joint is turned: their axes are the head's."""


@dataclass(frozen=True, slots=True)
class Rig:
    """What all heads of a model share."""

    skeleton: Skeleton
    """Of the mean head."""
    weights: Array
    """(C, J) of the control vertices, rows sum to 1."""
    jaw_degrees: float
    """About x: how far `jawOpen` at full weight turns the jaw; 0 without a jaw."""


def rig(model: HeadModel) -> Rig:
    """Joints and weights of a model; computed once."""
    return _rig(Same(model))


def skeleton(head: Head) -> Skeleton:
    """The joints of one person: the eyes by their own balls, the others moved as the landmarks of head and mean are."""
    mean = rig(head.model).skeleton
    here = head.points68(head.neutral).astype(np.float64)
    there = head.model.level(0).points68(head.model.mean).astype(np.float64)
    center = there.mean(axis=0)
    size = np.linalg.norm(here - here.mean(axis=0)) / max(float(np.linalg.norm(there - center)), 1e-9)
    positions = here.mean(axis=0) + size * (mean.positions - center)
    positions[:, 0] = here[:, 0].mean() + size * (mean.positions[:, 0] - center[0])
    for name in EYES:
        if name in mean.names:  # subdivision keeps the control vertices first
            positions[mean.names.index(name)] = sphere_center(head.neutral[head.model.vertices_of(name)])
    return Skeleton(mean.names, mean.parents, positions)


@lru_cache(maxsize=4)
def skinning_weights(key: Same, level: int) -> Array:
    """(V, J) float32: how much each vertex follows each joint; rows sum to 1."""
    return np.asarray(key.value.level(level).matrix @ rig(key.value).weights.astype(np.float32))


@lru_cache(maxsize=4)
def _rig(key: Same) -> Rig:
    model = key.value
    mean = model.mean.astype(np.float64)
    marks = model.level(0).points68(mean).astype(np.float64)
    ears, width = (marks[0] + marks[16]) / 2, float(np.linalg.norm(marks[16] - marks[0]))
    skull = ears + width * np.array([0.0, *SKULL])
    skull[0] = 0.0
    names, parents, positions = [HEAD], [-1], [skull]
    neck = _below(model, mean, marks, width)
    if neck is not None:
        names, parents = [NECK, HEAD], [-1, 0]
        positions = [skull + width * np.array([0.0, *SPINE]), skull]
    top = len(names) - 1
    jaw = _jaw(model, mean, ears, width)
    if jaw is not None:
        names, parents, positions = [*names, JAW], [*parents, top], [*positions, jaw.pivot]
    for name in EYES:
        if len(ball := model.vertices_of(name)):
            names, parents, positions = [*names, name], [*parents, top], [*positions, sphere_center(mean[ball])]
    follow = np.zeros((len(mean), len(names)))
    if jaw is not None:
        follow[:, names.index(JAW)] = jaw.weight
    if neck is not None:
        follow *= 1 - neck[:, None]
        follow[:, 0] = neck
    for name in EYES:
        if name in names:
            ball = model.vertices_of(name)
            follow[ball] = 0
            follow[ball, names.index(name)] = 1
    follow[:, top] += 1 - follow.sum(axis=1)
    degrees = 0.0 if jaw is None else jaw.degrees
    return Rig(Skeleton(tuple(names), tuple(parents), np.array(positions)), follow, degrees)


def _below(model: HeadModel, mean: Array, marks: Array, width: float) -> Array | None:
    """(C,) how much each vertex belongs to the neck: by its distance below the plane of the jaw line. None without."""
    skin = model.vertices_of("skin")
    if model.is_mask or mean[skin, 1].min() > marks[8, 1] - LEAST_NECK * width:
        return None
    corner = (marks[4] + marks[12]) / 2
    along = corner - marks[8]
    along[0] = 0.0
    along /= max(float(np.linalg.norm(along)), 1e-9)  # backwards and up
    down = np.array([0.0, along[2], -along[1]])
    down *= -np.sign(down[1]) or 1.0
    depth = (mean - marks[8]) @ down / (SOFT * width)
    t = np.zeros(len(mean))
    t[skin] = np.clip(depth[skin] - 0.1, 0, 1)
    return np.asarray(t * t * (3 - 2 * t))


@dataclass(frozen=True, slots=True)
class _Jaw:
    pivot: Array
    degrees: float
    weight: Array


def _jaw(model: HeadModel, mean: Array, ears: Array, width: float) -> _Jaw | None:
    """The turn about x that `jawOpen` is: of the lower teeth, or of what of the skin moves most."""
    if "jawOpen" not in model.expression_names:
        return None
    move = model.expression[model.expression_names.index("jawOpen")].astype(np.float64)
    far = np.linalg.norm(move, axis=1)
    rows = model.vertices_of("teeth_lower")
    if not len(rows) or far[rows].max() < 0.5 * far.max():
        rows = model.vertices_of("skin")
        rows = rows[far[rows] > 0.6 * far[rows].max(initial=0)]
    if far.max() < 0.02 * width or len(rows) < 3:
        return None
    # In the plane of y and z (the jaw opens alike on both sides): the rotation nearest to the move (Umeyama 1991).
    a, b = mean[rows][:, 1:], (mean + move)[rows][:, 1:]
    p, q = a - a.mean(axis=0), b - b.mean(axis=0)
    angle = math.atan2(float((p[:, 0] * q[:, 1] - p[:, 1] * q[:, 0]).sum()), float((p * q).sum()))
    turn = np.array([[math.cos(angle), -math.sin(angle)], [math.sin(angle), math.cos(angle)]])
    pivot = np.array([0.0, ears[1] - 0.15 * width, ears[2] - 0.15 * width])
    if angle > math.radians(2):
        found = np.linalg.solve(np.eye(2) - turn, b.mean(axis=0) - turn @ a.mean(axis=0))
        if np.linalg.norm(found - ears[1:]) < 0.6 * width:
            pivot[1:] = found
    else:
        angle, turn = math.radians(20), np.array([[0.9397, -0.342], [0.342, 0.9397]])
    turned = np.zeros_like(mean)
    turned[:, 1:] = (mean[:, 1:] - pivot[1:]) @ (turn - np.eye(2)).T
    weight = (turned * move).sum(axis=1) / np.maximum((turned**2).sum(axis=1), (0.02 * width) ** 2)
    weight = np.where(weight < 0.02, 0, np.clip(weight, 0, 1))
    weight[model.vertices_of("teeth_lower")] = 1
    return _Jaw(pivot, math.degrees(angle), weight)
