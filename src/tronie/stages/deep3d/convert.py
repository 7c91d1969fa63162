"""What Deep3D found, as a head and a fit like those of tronie's own engine: for texture, portrait and files.

The head is a face mask: skin only (the model's eyes and lips are closed surfaces), open at the back, with the model's
own triangles. Its 64 expressions are components without names, whose meaning no file tells. So the head has no units:
to carry ours over would be a guess that could not be checked, and 64 nameless morph targets would make a file of 30 MB.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike

from tronie.arrays import Array
from tronie.geometry import euler_degrees, facing_degrees
from tronie.head.model import Head, HeadModel
from tronie.stages.deep3d.bfm import NAME, FaceModel
from tronie.stages.deep3d.reconstruct import MM, Deep3DResult
from tronie.stages.deep3d.topology import make_layout, origin
from tronie.types import Detection, Fit

KEYPOINTS: tuple[tuple[int, ...], ...] = ((36, 39), (42, 45), (30,), (48,), (54,))
"""The five points of the alignment among the 68."""


def head_model(model: FaceModel, licence: str) -> HeadModel:
    """The face model as a HeadModel, in millimetres with the origin between the eyes."""
    layout = model.layout or make_layout(model.mean, model.triangles)
    count = len(model.mean)
    none = np.full((len(model.triangles), 1), -1, np.int32)
    keypoints = np.repeat(model.keypoints[:, None], 3, axis=1).astype(np.int32)
    nowhere = np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)
    return HeadModel(
        name=NAME,
        licence=licence,
        mean=model.mean * np.float32(MM) - origin(model.mean),
        identity=np.ascontiguousarray(model.identity.T).reshape(-1, count, 3) * np.float32(MM),
        expression=np.zeros((0, count, 3), np.float32),
        expression_names=(),
        quads=np.hstack([model.triangles, none]),
        quad_uv=np.hstack([layout.face_uv, none]),
        uv=layout.uv,
        part=np.zeros(len(model.triangles), np.uint8),
        mirror=layout.mirror,
        inner_face=layout.inner,
        smooth_modes=np.zeros((0, count), np.float32),
        smooth_stiffness=np.zeros(0, np.float32),
        embeddings={
            "68.0": (keypoints, np.tile(np.array([1, 0, 0], np.float32), (68, 1))),
            "478.0": nowhere,  # nobody has marked them on this model
        },
    )


def make_head(result: Deep3DResult, model: HeadModel) -> Head:
    """The mesh in head space, with the photo's expression and at rest."""
    c = result.coefficients
    rest = result.model.shape(replace(c, expression=np.zeros_like(c.expression))) * MM
    middle = origin(result.model.mean)
    expressed, neutral = (np.asarray(v - middle, dtype=np.float32) for v in (result.vertices, rest))
    return Head(model, 0, vertices=expressed, neutral=neutral)


def make_fit(result: Deep3DResult, detection: Detection, points: ArrayLike) -> Fit:
    """Pose and camera, exactly those of the crop, for the whole photo. `points` (5, 2) are the photo's, as they were
    aligned."""
    pose = result.head_to_camera.copy()
    pose[:3, 3] += pose[:3, :3] @ origin(result.model.mean)
    (yaw, pitch), roll = facing_degrees(pose[:3, :3]), euler_degrees(pose[:3, :3])[2]
    apart = five_keypoints(result.points68) - np.asarray(points)
    rms = float(np.sqrt((apart**2).sum(axis=1).mean()) / max(detection.size, 1.0))
    return Fit(
        identity=result.coefficients.identity,
        expression={},
        head_to_camera=pose,
        camera=result.camera,
        warp=np.zeros((0, 3)),
        diagnostics={"rms": rms, "yaw": yaw, "pitch": pitch, "roll": roll, "distance_mm": float(pose[2, 3])},
    )


def five_keypoints(points68: ArrayLike) -> Array:
    """(68, 2) -> (5, 2): eyes (midway between their corners), nose tip, mouth corners."""
    points = np.asarray(points68, dtype=np.float64)
    return np.array([points[list(some)].mean(axis=0) for some in KEYPOINTS])
