"""The second pass: one head for each person, and its pose and expression in every frame."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera
from tronie.head.model import HeadModel
from tronie.pipelines.video.collect import landmarks_of
from tronie.pipelines.video.keyframes import Keyframe
from tronie.pipelines.video.motion import Motion, Raw, make_motion
from tronie.pipelines.video.own_range import OwnRange
from tronie.stages.fit.basis import landmark_basis, residual_warp
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.closure import parting
from tronie.stages.fit.frame_fit import FrameFit, KnownIdentity, fit_frame
from tronie.stages.fit.fusion import Evidence, FaceView, answer_to, middle
from tronie.stages.fit.map_fit import WARP_SHARE
from tronie.stages.fit.multiview import common_warp
from tronie.stages.fit.regressor import NEARNESS_SIGMA, Calibration
from tronie.stages.letterbox import moved_camera, picture_in
from tronie.types import Detection, Landmarks

if TYPE_CHECKING:
    from tronie.pipelines.video.collect import Collected

LOOKS = 120
"""Frames, at most, that are asked who somebody is."""
MOST_SHOTS, MISFIT = 10, 1.5
"""Shots of a person at most; one whose landmarks the head follows so many times worse than the others' is left out."""
REST, LEAST_LOOKS = 0.3, 12
"""Quantile of a person's changes that is taken for none, and looks that this needs."""
WARPED = 10
"""Shots, at most, that are asked what the model cannot say of a face."""
FRAMES_PRICE = 0.02
"""Of `common_warp`, by the weight that all of them have together."""
CAMERA_SHOTS = 12
FRAMED = 6
"""Shots that are looked at for bars around the picture."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipPerson:
    """Somebody in a clip."""

    number: int
    """From 1, in the order of appearance."""
    identity: Array
    """(K,)."""
    warp: Array
    """(M, 3) mm: what of the residual warp the head takes."""
    slack: Array
    """(M, 3) mm: what it leaves to the texture; see `Fit`."""
    sigma_mm: Array | None
    """(C,)."""
    motion: Motion
    own: OwnRange
    shots: tuple[Keyframe, ...]
    """Best first."""
    looks: int
    """How many frames were asked who it is."""
    parts: Mapping[str, Keyframe] = field(default_factory=dict)
    """The frames that show what most do not, by `frame_quality.PARTS`, where some do."""
    taken: Array | None = None
    """See `Fit`."""


def camera_of(collected: Collected, model: HeadModel, calibration: Calibration | None, focal: float | None) -> Camera:
    """The clip's camera, by what the best frames of all people say of it."""
    shots = [s for tracks in collected.people for s in collected.shots.best(tracks, CAMERA_SHOTS)]
    said = []
    for shot in sorted(shots, key=lambda s: -s.quality)[: 3 * CAMERA_SHOTS]:
        if calibration is not None and shot.landmarks.features is not None:
            with suppress(ValueError):
                said.append((*calibration.nearness_of(model, shot.landmarks), NEARNESS_SIGMA))
    faces = [Detection(shot.box, np.zeros((5, 2)), 1.0) for shot in shots]
    if not shots:
        return guess_camera(collected.info.size, focal, [])
    x0, y0, x1, y1 = picture_in([shot.photo("frame", "").image for shot in shots[:FRAMED]])
    return moved_camera(guess_camera((x1 - x0, y1 - y0), focal, faces, said), x0, y0, collected.info.size)


def solve_person(
    number: int,
    tracks: Sequence[int],
    collected: Collected,
    model: HeadModel,
    calibration: Calibration | None,
    camera: Camera,
    *,
    bridge: float = 0.5,
    strength: float = 1.0,
    warp: bool = True,
    neutral: bool = True,
) -> ClipPerson:
    """`bridge`: seconds for which somebody may be hidden and is still there; `neutral`: whether units are told from the
    person's own rest. Raises ValueError where no frame shows a face."""
    rows, numbers = collected.spool.rows(), collected.spool.numbers(tracks)
    shots = collected.shots.best(list(tracks), MOST_SHOTS)
    identity, sigma, usual, looks = estimate_identity(model, calibration, rows, numbers, shots, camera)
    shots = fitting(shots, KnownIdentity.of(model, calibration, identity), camera)
    all_warp: Array = np.zeros((len(model.smooth_modes), 3))
    if warp:
        all_warp = warp_of_frames(model, calibration, identity, shots or numbers_as_shots(rows, numbers), camera)
    share = WARP_SHARE if calibration is not None else 1.0
    rest = model.shape(identity) + model.smooth_modes.T @ (share * all_warp)
    taken = parting(model, rest, np.ones(len(model.expression)))
    held = KnownIdentity.of(model, calibration, identity, all_warp, taken, usual)
    frames, moments, trust, boxes = [], [], [], []
    for n in numbers:
        row = rows[n]
        try:
            found = fit_frame(held, landmarks_of(row), camera)
        except (ValueError, np.linalg.LinAlgError):
            continue
        frames.append(int(row["frame"]))
        moments.append(found)
        boxes.append(row["box"].astype(np.float64))
        trust.append(float(row["confidence"]) * fitness(found, boxes[-1]))
    if not moments:
        raise ValueError("no frame shows a face that could be fitted")
    raw = Raw(
        np.array(frames),
        np.array([m.rotation for m in moments]),
        np.array([m.translation for m in moments]),
        np.array([m.expression for m in moments]),
        np.array(trust),
        np.array(boxes),
    )
    motion = make_motion(
        raw, np.array(collected.times), collected.cuts, camera, model, bridge=bridge, strength=strength
    )
    return ClipPerson(
        number,
        identity,
        share * all_warp,
        (1 - share) * all_warp,
        sigma,
        motion,
        OwnRange.of(motion, model) if neutral else OwnRange.whole(model),
        tuple(shots),
        looks,
        collected.shots.parts(tracks),
        taken,
    )


def estimate_identity(
    model: HeadModel,
    calibration: Calibration | None,
    rows: Any,
    numbers: Any,
    shots: Sequence[Keyframe],
    camera: Camera,
) -> tuple[Array, Array | None, Array | None, int]:
    """Identity (K,), spread of the control vertices (C,) mm, the person's own offset of changes (52,), and how many
    frames were asked."""
    blank: tuple[Array, Array | None, Array | None, int] = np.zeros(len(model.identity)), None, None, 0
    if calibration is None:
        return blank
    looks: list[tuple[Landmarks, float, float]] = [
        (s.landmarks, _size(s.box), s.quality) for s in shots if s.landmarks.features is not None
    ]
    usual = float(np.median([w for *_, w in looks])) if looks else 1.0
    good = [n for n in numbers if rows[n]["confidence"] > 0.5]
    for n in good[:: max(1, len(good) // LOOKS)]:
        found = landmarks_of(rows[n])
        if found.features is not None:
            # One without the mirror image's opinion says about half as much.
            looks.append((found, _size(rows[n]["box"]), 0.5 * usual * float(rows[n]["confidence"])))
    answers = []
    for found, size, share in looks:
        with suppress(ValueError):
            answers.append(answer_to(model, calibration, FaceView(found, camera, size, share / usual)))
    if not answers:
        return blank
    centre = middle(model, answers) if len(answers) > 2 else None
    evidence = Evidence.start(model, calibration, "video")
    for answer in answers:
        evidence = evidence.hear(answer, centre)
    person = evidence.person
    changes = [answer.told.changes for answer in answers if answer.told.changes is not None]
    usual_changes = np.quantile(changes, REST, axis=0) if len(changes) >= LEAST_LOOKS else None
    return person.identity, person.sigma_mm, usual_changes, len(answers)


def fitting(shots: Sequence[Keyframe], held: KnownIdentity, camera: Camera) -> list[Keyframe]:
    """Those whose landmarks are the person's: ones that lie across two faces fit no head."""
    said = []
    for shot in shots:
        try:
            said.append(fit_frame(held, shot.landmarks, camera).rms / _size(shot.box))
        except (ValueError, np.linalg.LinAlgError):
            said.append(np.inf)
    usual = float(np.median(said)) if said else 0.0
    return [shot for shot, off in zip(shots, said, strict=True) if off <= MISFIT * usual]


def warp_of_frames(
    model: HeadModel, calibration: Calibration | None, identity: Array, shots: Sequence[Any], camera: Camera
) -> Array:
    """(M, 3) mm: the residual warp that the best frames ask for together."""
    basis, held = landmark_basis(model), KnownIdentity.of(model, calibration, identity)
    rotations, warps = [], []
    for shot in shots[:WARPED]:
        try:
            found = fit_frame(held, shot.landmarks, camera)
        except (ValueError, np.linalg.LinAlgError):
            continue
        millimetres = found.residual * found.pixel_mm
        rotations.append(found.rotation)
        warps.append(residual_warp(basis, model.smooth_stiffness, millimetres, found.rotation))
    if not warps:
        return np.zeros((len(model.smooth_modes), 3))
    return common_warp(rotations, warps, np.full(len(warps), 1 / WARPED), FRAMES_PRICE)


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    landmarks: Landmarks


def numbers_as_shots(rows: Any, numbers: Any) -> list[_Look]:
    """A few frames of somebody of whom no good one was kept."""
    return [_Look(landmarks_of(rows[n])) for n in numbers[:: max(1, len(numbers) // WARPED)]]


def fitness(found: FrameFit, box: Array) -> float:
    """0..1: how well the head follows the landmarks; 1 up to 2 % of the face's size."""
    return float(np.clip(1.6 - found.rms / max(_size(box), 1e-6) / 0.033, 0.05, 1.0))


def _size(box: Any) -> float:
    x0, y0, x1, y1 = map(float, box)
    return float(max((x1 - x0) * (y1 - y0), 1e-6) ** 0.5)
