"""A person of a clip as the face of its best frame, for all that is made of faces: texture, portrait, files."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera, euler_degrees, facing_degrees, rigid, transform
from tronie.head.model import Head
from tronie.stages.fit.basis import landmark_basis, on_photo, residual_warp
from tronie.stages.fit.engine import make_head
from tronie.stages.fit.eyeballs import behind_lids
from tronie.stages.fit.frame_fit import KnownIdentity, fit_frame
from tronie.stages.fit.scale import iris_mm
from tronie.stages.landmarks.net import CROP_SIDE, square_from_landmarks
from tronie.stages.landmarks.squares import cut, sized
from tronie.types import Crop, Detection, Face, Fit, Landmarks, Photo

if TYPE_CHECKING:
    from tronie.head.model import HeadModel
    from tronie.pipelines.video.keyframes import Keyframe
    from tronie.pipelines.video.solve import ClipPerson
    from tronie.stages.fit.regressor import Calibration


@dataclass(frozen=True, eq=False)
class KnownFit:
    """An engine (`tronie.stages.fit.engine_info.Engine`) that knows the person: only pose and expression are found."""

    model: HeadModel
    calibration: Calibration | None
    person: ClipPerson
    level: int

    def fit(self, photo: Photo, face: Face, camera: Camera) -> Face:
        assert face.landmarks is not None
        fit = known_fit(self.model, self.calibration, self.person, face.landmarks, camera, face.detection.size)
        head = behind_lids(make_head(self.model, fit, self.level))
        points = head.points68(on_photo(head, fit)).astype(np.float64)
        return replace(face, fit=fit, head=head, points68=camera.project(transform(fit.head_to_camera, points)))


def known_fit(
    model: HeadModel,
    calibration: Calibration | None,
    person: ClipPerson,
    landmarks: Landmarks,
    camera: Camera,
    box_size: float,
) -> Fit:
    """The fit of one frame of a known person. Raises ValueError where the landmarks form no face."""
    basis = landmark_basis(model)
    known = np.asarray(person.warp + person.slack, dtype=np.float64)
    held = KnownIdentity.of(model, calibration, person.identity, known, person.taken)
    found = fit_frame(held, landmarks, camera)
    millimetres = found.residual * found.pixel_mm
    # What this one frame shows beside what all show, for the texture to be read off the right place.
    extra = residual_warp(basis, model.smooth_stiffness, millimetres, found.rotation)
    moved = basis.modes @ (known + extra)
    yaw, pitch = facing_degrees(found.rotation)
    left = millimetres - (basis.modes @ extra @ found.rotation.T)[:, :2]
    diagnostics = {
        "rms": _rms(left) / found.pixel_mm / box_size,
        "rms_model": found.rms / box_size,
        "warp_mm": _rms(moved),
        "warp_max_mm": float(np.linalg.norm(moved, axis=1).max()),
        "yaw": yaw,
        "pitch": pitch,
        "roll": euler_degrees(found.rotation)[2],
        "distance_mm": float(np.linalg.norm(found.translation)),
        "mm_per_pixel": found.pixel_mm,
        "iris_mm": iris_mm(landmarks.points, found.pixel_mm),
        "looks": float(person.looks),
    }
    return Fit(
        identity=person.identity.astype(np.float32),
        expression=dict(zip(model.expression_names, map(float, found.expression), strict=True)),
        head_to_camera=rigid(found.rotation, found.translation),
        camera=camera,
        warp=person.warp.astype(np.float32),
        slack=(person.slack + extra).astype(np.float32),
        sigma_mm=person.sigma_mm,
        taken=None if person.taken is None else person.taken.astype(np.float32),
        diagnostics=diagnostics,
    )


def face_of(person: ClipPerson, shot: Keyframe, photo: Photo) -> Face:
    """The person in one frame, before the fit."""
    square = square_from_landmarks(shot.landmarks.points)
    side = int(np.clip(np.ceil(square.scale), 64, CROP_SIDE))
    crop = Crop(cut(photo.image, sized(square, side), side), sized(square, side))
    five = shot.landmarks.points[[468, 473, 1, 61, 291], :2]
    detection = Detection(shot.box, five, shot.landmarks.presence)
    return Face(person.number, detection, crop=crop, landmarks=shot.landmarks, engine="calibrated")


def head_at_rest(model: HeadModel, person: ClipPerson, level: int) -> Head:
    """The person's head, without an expression."""
    control = model.shape(person.identity) + model.smooth_modes.T @ person.warp
    if person.taken is not None:
        control = control - np.tensordot(person.taken, model.expression, axes=1)
    neutral = np.asarray(model.level(level).apply(control.astype(np.float32)), dtype=np.float32)
    return behind_lids(Head(model, level, neutral, neutral))


@dataclass(frozen=True, eq=False)
class PosableHead:
    """A head whose expression changes quickly: 2 ms a frame."""

    head: Head
    moves: Array
    """(U, V * 3) float32 mm."""

    @classmethod
    def of(cls, head: Head) -> PosableHead:
        model = head.model
        moves = model.level(head.level).apply(model.expression).reshape(len(model.expression), -1)
        return cls(head, np.ascontiguousarray(moves, dtype=np.float32))

    def vertices(self, expression: Array) -> Array:
        """(V, 3) float32 mm for (U,)."""
        moved = expression.astype(np.float32) @ self.moves
        return np.asarray(self.head.neutral + moved.reshape(-1, 3), dtype=np.float32)

    def of_person(self, head: Head) -> PosableHead:
        """The same for another head of the same model and level."""
        return PosableHead(head, self.moves)

    def posed(self, expression: Array) -> Head:
        return replace(self.head, vertices=self.vertices(expression))


def _rms(d: Array) -> float:
    return float(np.sqrt((d**2).sum(axis=-1).mean()))
