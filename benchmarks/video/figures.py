"""What is measured: switches of identity, jitter, lag, expression, pose."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.video.scenes import FPS, Scene
from tronie.arrays import Array
from tronie.geometry import Camera, euler_degrees, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.io.video.clip import ClipInfo, Frame
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.video.collect import Collected, collect
from tronie.pipelines.video.motion import SEEN
from tronie.pipelines.video.solve import ClipPerson, camera_of, solve_person
from tronie.runtime.threads import single_blas_thread

MOVING = 0.05
"""A unit whose truth has at least this standard deviation counts."""


class Rendered:
    """A scene as a clip."""

    notes: tuple[str, ...] = ()

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self.info = ClipInfo("scene", "scene", scene.size, FPS, scene.frames, 0, "rendered", "none")

    def frames(self) -> Iterator[Frame]:
        for number, picture in enumerate(self._scene.pictures()):
            yield Frame(number, number / FPS, picture)

    def close(self) -> None:
        pass


@dataclass(frozen=True, eq=False)
class Solved:
    scene: Scene
    collected: Collected
    camera: Camera
    people: list[ClipPerson]
    rows: Any


def solved(pipeline: Pipeline, scene: Scene, *, recognised: bool = False, strength: float = 1.0) -> Solved:
    """Everything but the files."""
    with single_blas_thread(), tempfile.TemporaryDirectory() as work:
        found = collect(Rendered(scene), pipeline, Path(work), recognised=recognised)
        camera = camera_of(found, pipeline.model, pipeline.calibration, None)
        people = [
            solve_person(k, tracks, found, pipeline.model, pipeline.calibration, camera, strength=strength)
            for k, tracks in enumerate(found.people, start=1)
        ]
        rows = np.array(found.spool.rows())
    return Solved(scene, found, camera, people, rows)


def actor_of(result: Solved, person: ClipPerson) -> list[tuple[int, int]]:
    """(frame, actor whose head is nearest) of every frame in which the person is seen."""
    out = []
    for frame in np.flatnonzero(person.motion.state == SEEN).tolist():
        pose = person.motion.head_to_camera[frame]
        at = result.camera.project(pose[:3, 3])
        states = result.scene.states(frame)
        far = [
            np.inf if s is None else float(np.linalg.norm(result.scene.camera.project(np.array(s.position)) - at))
            for s in states
        ]
        out.append((frame, int(np.argmin(far))))
    return out


def switches(result: Solved) -> tuple[int, int, int]:
    """Changes of the actor behind a person, actors split into several people, and frames in which somebody who is to be
    seen well is not followed."""
    changes, owners = 0, {}
    for person in result.people:
        said = np.array([actor for _, actor in actor_of(result, person)])
        changes += int((np.diff(said) != 0).sum())
        if len(said) >= 5:
            owners.setdefault(int(np.bincount(said).argmax()), []).append(person.number)
    split = sum(len(numbers) - 1 for numbers in owners.values())
    seen = sum(int((person.motion.state == SEEN).sum()) for person in result.people)
    there = sum(state is not None for k in range(result.scene.frames) for state in result.scene.states(k))
    return changes, split, there - seen


def jitter(person: ClipPerson, camera: Camera, points: Array) -> tuple[float, float]:
    """Of a face that does not move: RMS motion of landmarks (head points (N, 3) mm, projected) about their mean, and
    from frame to frame, % of the face's size. The first and last quarter second are left out."""
    poses = person.motion.head_to_camera[8:-8]
    at = np.array([camera.project(transform(pose, points)) for pose in poses])
    size = float(np.sqrt(np.prod(np.nanmedian(person.motion.box[:, 2:] - person.motion.box[:, :2], axis=0))))
    about = np.sqrt(((at - at.mean(axis=0)) ** 2).sum(axis=2).mean())
    step = np.sqrt((np.diff(at, axis=0) ** 2).sum(axis=2).mean())
    return 100 * float(about) / size, 100 * float(step) / size


def raw_jitter(result: Solved) -> float:
    """The same of the landmark net's own points."""
    points = result.rows["points"][8:-8, :468, :2].astype(np.float64)
    box = result.rows["box"][0]
    size = float(np.sqrt((box[2] - box[0]) * (box[3] - box[1])))
    return 100 * float(np.sqrt(((points - points.mean(axis=0)) ** 2).sum(axis=2).mean())) / size


def true_angles(scene: Scene, actor: int) -> Array:
    """(T, 3) degrees; NaN where the actor is away."""
    states = [scene.states(k)[actor] for k in range(scene.frames)]
    return np.array([(np.nan,) * 3 if s is None else s.euler for s in states], dtype=np.float64)


def pose_error(result: Solved, person: ClipPerson, actor: int) -> Array:
    """(3,) mean absolute error of yaw, pitch, roll, degrees."""
    frames = np.flatnonzero(person.motion.state == SEEN)
    said = np.array([euler_degrees(person.motion.head_to_camera[k, :3, :3]) for k in frames])
    return np.asarray(np.nanmean(np.abs(said - true_angles(result.scene, actor)[frames]), axis=0))


def lag(said: Array, truth: Array) -> float:
    """Frames by which (T,) comes late: the small shift of the truth that is nearest (least squares)."""
    slope = np.gradient(truth)
    off = (said - said.mean()) - (truth - truth.mean())
    return float(-(off * slope).sum() / max(float((slope**2).sum()), 1e-12))


def expressions(result: Solved, person: ClipPerson, actor: int) -> dict[str, tuple[float, float]]:
    """Of every unit that moves: correlation with the truth, and lag in frames."""
    frames = np.flatnonzero(person.motion.state == SEEN)
    states = [result.scene.states(int(k))[actor] for k in frames]
    out = {}
    for k, name in enumerate(ARKIT_UNITS):
        truth = np.array([0.0 if s is None else s.units.get(name, 0.0) for s in states])
        if truth.std() >= MOVING:
            said = person.motion.expression[frames, k]
            scale = truth.std() / max(float(said.std()), 1e-9)
            out[name] = float(np.corrcoef(said, truth)[0, 1]), lag(said * scale, truth)
    return out
