"""Deep3D as an engine of the pipeline."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike

from tronie.arrays import Array
from tronie.errors import WeightsError
from tronie.geometry import Camera
from tronie.head.model import HeadModel
from tronie.stages.deep3d.bfm import FaceModel, load_face_model, record
from tronie.stages.deep3d.convert import head_model, make_fit, make_head
from tronie.stages.deep3d.net import load_net
from tronie.stages.deep3d.reconstruct import Net, Part, reconstruct
from tronie.stages.fit.engine_info import EngineInfo
from tronie.types import Face, Photo, UsedModel

FIVE: tuple[tuple[int, ...], ...] = ((33, 133), (362, 263), (4,), (61,), (291,))
"""The five points among the 478 landmarks, in the order of the alignment: the eyes are midway between their corners, as
in the standard face."""


@dataclass(frozen=True, slots=True)
class Deep3DEngine:
    """The published method on the user's own files; it has its own camera, so the photo's is not asked."""

    net: Net
    model: FaceModel
    head: HeadModel
    """The same model for texture, portrait and meshes."""
    sources: tuple[str, ...] = ()
    """A sentence on each of the user's files, with its licence."""

    def fit(self, photo: Photo, face: Face, camera: Camera) -> Face:
        assert face.landmarks is not None
        points = five_points(face.landmarks.points)
        result = reconstruct(photo.image, points, self.net, self.model, _finer_part(photo, face))
        result = replace(result, sources=self.sources)
        head = make_head(result, self.head)
        fit = make_fit(result, face.detection, points)
        return replace(face, engine_result=result, head=head, fit=fit, points68=result.points68)


def _finer_part(photo: Photo, face: Face) -> Part | None:
    """The face as super-resolution left it, in its surroundings; None where there is nothing of the kind."""
    if face.landmarks is None or face.enhanced is None or not face.enhanced.accepted:
        return None
    from tronie.stages.enhance.region import cut_region

    detail = cut_region(photo, face.landmarks, face.enhanced)
    return Part(detail.photo.image, detail.to_photo)


def five_points(landmarks: ArrayLike) -> Array:
    """478 landmarks (478, 2 or 3) -> (5, 2), in the order of `tronie.stages.deep3d.align.POINTS`."""
    points = np.asarray(landmarks, dtype=np.float64)[:, :2]
    return np.array([points[list(some)].mean(axis=0) for some in FIVE])


def load_engine(threads: int = 0, device: str = "cpu") -> Deep3DEngine:
    """With the user's own files. Raises WeightsError with what to do where they are not there."""
    model = load_face_model()
    return Deep3DEngine(load_net(threads, device), model, head_model(model, record().licence), notices())


def notices() -> tuple[str, ...]:
    """A sentence on each of the user's files that is used, and its licence. Raises WeightsError."""
    from tronie.stages.deep3d.terms import used

    return tuple(
        f"{one.name}: {one.origin}; {one.licence}" + ("" if one.commercial_use else " (no commercial use)")
        for one in used()
    )


def models() -> tuple[UsedModel, ...]:
    """The user's files that are used, as far as they are there."""
    from tronie.stages.deep3d.terms import used

    try:
        return tuple(UsedModel(one.name, one.licence, one.commercial_use) for one in used())
    except WeightsError:  # said when the engine is loaded
        return ()


ENGINE = EngineInfo(
    "deep3d",
    lambda settings, threads: load_engine(threads, settings.compute.device),
    lambda settings: models(),
    notices,
    own_head=True,
    photos_only=True,
    sees_bars=True,
)
