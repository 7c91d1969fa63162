"""ICT-FaceKit (MIT), from its npz, as a HeadModel: its heads give the statistics, none of its data is shipped."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from tronie.geometry import HEAD_TO_CAMERA_AXES, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel, sphere_center

GAZE_ASIDE, GAZE_UP = 25.0, 18.0
"""Degrees of gaze at full weight of a unit."""
MM_PER_UNIT = 10.0  # ICT's unit is a centimetre
KEPT = {
    "face": "skin", "head_neck": "skin", "mouth_socket": "mouth", "eye_socket_left": "mouth",
    "eye_socket_right": "mouth", "gums_tongue": "tongue", "teeth": "teeth_upper", "eyeball_left": "eye_left",
    "eyeball_right": "eye_right",
}  # fmt: skip
INNER_FACE_END = 6706


def read_ict(path: str | Path) -> HeadModel:
    """Mean, 100 identity modes (one standard deviation each) and the ARKit units, in head space; no embeddings."""
    with np.load(path, allow_pickle=False) as z:
        mean = z["mean"].astype(np.float64) * MM_PER_UNIT
        ranges = _ranges(z)
        quads, identity, units = z["quads"], z["identity"], z["expression"]
        names = [str(n) for n in z["expression_names"]]
    label, kept, used = _kept(quads, ranges, len(mean))
    row = np.full(len(mean) + 1, -1)
    row[used] = np.arange(len(used))
    origin = np.mean([sphere_center(mean[slice(*ranges[n])]) for n in ("eyeball_left", "eyeball_right")], axis=0)
    nothing = np.zeros(3, np.int32)
    empty = {
        f"{n}.{k}": (np.tile(nothing, (n, 1)), np.full((n, 3), 1 / 3, np.float32)) for n in (68, 478) for k in range(3)
    }
    return HeadModel(
        name="ict-facekit",
        licence="MIT",
        mean=(mean - origin)[used].astype(np.float32),
        identity=identity[:, used].astype(np.float32) * MM_PER_UNIT,
        expression=np.array([_unit(n, names, units)[used] for n in ARKIT_UNITS], np.float32) * MM_PER_UNIT,
        quads=row[kept].astype(np.int32),
        quad_uv=row[kept].astype(np.int32),
        uv=np.zeros((len(used), 2), np.float32),
        part=label[kept[:, 0]],
        mirror=np.arange(len(used), dtype=np.int32),
        inner_face=used < INNER_FACE_END,
        smooth_modes=np.zeros((1, len(used)), np.float32),
        smooth_stiffness=np.zeros(1, np.float32),
        embeddings=empty,
    )


def read_units(path: str | Path) -> tuple[list[str], np.ndarray]:
    """ICT's own expressions, left and right apart: names and displacements (N, V, 3) mm of `read_ict`'s vertices."""
    with np.load(path, allow_pickle=False) as z:
        names = [str(n) for n in z["expression_names"]]
        used = _kept(z["quads"], _ranges(z), len(z["mean"]))[2]
        units = z["expression"][:, used].astype(np.float32) * MM_PER_UNIT
    faces = [i for i, n in enumerate(names) if not n.startswith("PupilDilate")]
    return [names[i] for i in faces], units[faces]


def _ranges(z: Mapping[str, np.ndarray]) -> dict[str, tuple[int, int]]:
    return {str(n): (int(a), int(b) + 1) for n, (a, b) in zip(z["part_names"], z["part_ranges"], strict=True)}


def _kept(
    quads: np.ndarray, ranges: dict[str, tuple[int, int]], count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Part of each vertex (255: none), the faces of the parts that are kept, and their vertices."""
    label = np.full(count, 255, dtype=np.uint8)
    for name, part in KEPT.items():
        label[slice(*ranges[name])] = PARTS.index(part)
    kept = quads[label[quads[:, 0]] != 255]
    return label, kept, np.unique(kept[kept >= 0])


def _unit(name: str, names: list[str], units: np.ndarray) -> np.ndarray:
    """ICT writes `_L`, `_R` for sides and splits some units that ARKit has whole; tongueOut it lacks (zero)."""
    if name not in names:
        stem = name.removesuffix("Left").removesuffix("Right")
        sides = ["_L"] if name.endswith("Left") else ["_R"] if name.endswith("Right") else ["_L", "_R"]
        rows = [names.index(stem + s) for s in sides if stem + s in names]
    else:
        rows = [names.index(name)]
    return np.asarray(units[rows].astype(np.float32).sum(axis=0))


def turn_eyes(vertices: np.ndarray, model: HeadModel, expression: np.ndarray) -> None:
    """Turn the eyeballs of control vertices (C, 3), in place, as the gaze units (of 52 weights) say.

    ICT's own units only move the lids: its users turn the eyes.
    """
    weight = dict(zip(model.expression_names, expression, strict=True))
    for side, outwards in (("Left", 1.0), ("Right", -1.0)):
        aside = outwards * (weight[f"eyeLookOut{side}"] - weight[f"eyeLookIn{side}"]) * GAZE_ASIDE
        up = (weight[f"eyeLookUp{side}"] - weight[f"eyeLookDown{side}"]) * GAZE_UP
        turn = HEAD_TO_CAMERA_AXES @ rotation_from_euler(aside, up, 0)
        rows = model.vertices_of(f"eye_{side.lower()}")
        centre = sphere_center(vertices[rows])
        vertices[rows] = (vertices[rows] - centre) @ turn.T + centre
