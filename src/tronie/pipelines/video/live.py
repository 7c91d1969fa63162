"""Faces in a live picture: who is there, how the head is turned, what the face does; frame by frame.

live = Live(Pipeline(threads=2))
for image, seconds in camera:
    for face in live.step(image, seconds):
        print(face.number, face.euler, face.expression[ARKIT_UNITS.index("jawOpen")])
    shown = live.draw(image)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, euler_degrees, rigid, rotation_matrix, rotation_vector
from tronie.head.model import Head
from tronie.io.video.clip import Frame
from tronie.pipelines.video.motion import OneEuro, gaze_of
from tronie.pipelines.video.observation import Seen
from tronie.pipelines.video.posed_head import PosableHead
from tronie.pipelines.video.reidentify import LIMIT, Traits, difference
from tronie.pipelines.video.track import Tracker
from tronie.raster.shading import render_layers
from tronie.shells import Shell
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.closure import parting
from tronie.stages.fit.eyeballs import behind_lids
from tronie.stages.fit.frame_fit import FrameFit, KnownIdentity, fit_frame
from tronie.stages.fit.fusion import Evidence, FaceView
from tronie.types import Texture

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline

EVERY, SEARCH_SIDE = 20, 384
"""Frames between two searches for faces, and the longest side of the picture searched: 12 ms, where 640 take 32."""
ASKED_EVERY, ASKED_AT_FIRST = 12, 3
"""Frames between two that are asked who somebody is; more often in the first second."""
TRUSTED = 0.5
"""Confidence from which on a frame is asked."""
JUDGED = 8
"""Frames after which a new face is compared with those known before."""
STEADY = {"turn": (1.2, 1.5), "place": (1.5, 0.02), "depth": (0.8, 4.0), "units": (3.0, 3.0)}
"""One-euro filters: Hz at rest, and what they open by per radian, pixel, logarithm or unit a second."""
FORGOTTEN = 600.0
"""Seconds after which somebody who left is forgotten."""


@dataclass(frozen=True, slots=True, eq=False)
class LiveFace:
    """Somebody in one frame, smoothed."""

    number: int
    """From 1; who leaves and returns has the same again (after about a third of a second)."""
    box: tuple[float, float, float, float]
    """Of the landmarks, x0, y0, x1, y1, pixels."""
    points: Array
    """(478, 3) the landmarks of this very frame, pixels; not smoothed."""
    head_to_camera: Array
    """(4, 4) mm."""
    expression: Array
    """(52,) in the order of the model's units (ARKit's), 0..1."""
    gaze: Array
    """(2, 2) degrees of the left and the right eye: to the subject's left, and up."""
    confidence: float
    """0..1."""

    @property
    def euler(self) -> tuple[float, float, float]:
        """Yaw, pitch, roll, degrees, as `geometry.euler_degrees`."""
        return euler_degrees(self.head_to_camera[:3, :3])


@dataclass(slots=True)
class _Known:
    """What is known of one person."""

    number: int
    track: int
    evidence: Evidence | None = None
    held: KnownIdentity | None = None
    posable: PosableHead | None = None
    texture: Texture | None = None
    shells: tuple[Shell, ...] = ()
    frames: int = 0
    last: float = 0.0
    reference: Array | None = None
    filters: dict[str, OneEuro] = field(default_factory=dict)


class Live:
    """Follows faces; `step` it with every frame. An instance belongs to one thread."""

    def __init__(self, pipeline: Pipeline, *, every: int = EVERY, smooth: float = 1.0) -> None:
        """`smooth` scales how steady the filters are: 0 leaves the frames as they are fitted."""
        self._pipeline, self._smooth = pipeline, smooth
        self._tracker = Tracker(
            pipeline.detector, pipeline.net, pipeline.settings.detect, every, search_side=SEARCH_SIDE
        )
        self._people: dict[int, _Known] = {}
        """By track."""
        self._gone: list[_Known] = []
        self._numbers = 0
        self._count = 0
        self._traits: Traits | None = None
        self.camera: Camera | None = None
        """Guessed at the first face, unless the settings know the focal length."""
        self.faces: tuple[LiveFace, ...] = ()
        """Of the last frame."""

    def step(self, image: Image, time: float) -> tuple[LiveFace, ...]:
        """The faces of the next frame, (H, W, 3) RGB, at a time in seconds."""
        from tronie.runtime.threads import single_blas_thread

        with single_blas_thread():
            seen = self._tracker.step(Frame(self._count, time, image))
            self._count += 1
            for track in self._tracker.ended:
                if (known := self._people.pop(track, None)) is not None:
                    self._gone.append(known)
            self._gone = [known for known in self._gone if time - known.last < FORGOTTEN]
            if self.camera is None or self.camera.size != (image.shape[1], image.shape[0]):
                self._start((image.shape[1], image.shape[0]), seen)
            self.faces = tuple(face for one in seen if (face := self._face(one)) is not None)
        return self.faces

    def head(self, number: int) -> Head | None:
        """Somebody's head at rest, as well as it is known by now."""
        posable = next((k.posable for k in self._people.values() if k.number == number), None)
        return None if posable is None else posable.head

    def wear(self, number: int, texture: Texture, shells: Sequence[Shell] = ()) -> None:
        """The texture in which `draw` draws somebody from now on, and what lies over the head."""
        for known in (*self._people.values(), *self._gone):
            if known.number == number:
                known.texture = texture
                known.shells = tuple(shell for shell in shells if not shell.below)  # the picture has a body

    def draw(self, image: Image, faces: Sequence[LiveFace] | None = None) -> Image:
        """A copy of the picture with the heads drawn over the faces: in their textures, or in clay."""
        from tronie.runtime.threads import single_blas_thread

        out = image.copy()
        camera = self.camera
        with single_blas_thread():
            for face in self.faces if faces is None else faces:
                known = next((k for k in self._people.values() if k.number == face.number), None)
                if camera is not None and known is not None and known.posable is not None:
                    _draw(out, known.posable, known.texture, face, camera, known.shells)
        return out

    def _start(self, size: tuple[int, int], seen: Sequence[Seen]) -> None:
        focal = self._pipeline.settings.fit.focal
        self.camera = guess_camera(size, focal, [])
        if self._traits is None:
            self._traits = Traits(self._pipeline.model, self._pipeline.calibration, self.camera.focal)

    def _face(self, seen: Seen) -> LiveFace | None:
        assert self.camera is not None and self._traits is not None  # noqa: PT018
        known = self._people.get(seen.track)
        if known is None:
            self._numbers += 1
            known = self._people[seen.track] = _Known(self._numbers, seen.track)
        known.frames += 1
        known.last = seen.time
        self._traits.add(seen)
        if known.frames == JUDGED:
            known = self._recognised(known)
        self._ask(known, seen)
        if known.held is None:
            return None
        try:
            found = fit_frame(known.held, seen.landmarks, self.camera)
        except (ValueError, np.linalg.LinAlgError):
            return None
        return self._smoothed(known, seen, found)

    def _recognised(self, known: _Known) -> _Known:
        """The person as known before, if it is one of those who left."""
        assert self._traits is not None
        table = self._traits.of_track
        costs = [(difference(table[old.track], table[known.track]), k) for k, old in enumerate(self._gone)]
        least, at = min(costs, default=(np.inf, -1))
        if least >= LIMIT:
            return known
        old = self._gone.pop(at)
        old.frames, old.filters, old.reference, old.track = known.frames, known.filters, known.reference, known.track
        self._people[known.track] = old
        if known.number == self._numbers:
            self._numbers -= 1
        return old

    def _ask(self, known: _Known, seen: Seen) -> None:
        """Let a frame say who it is, now and then; and rebuild the head where that changed something."""
        assert self.camera is not None
        asked = known.evidence.looks if known.evidence is not None else 0
        every = ASKED_AT_FIRST if known.frames < 30 else ASKED_EVERY
        good = seen.confidence >= TRUSTED and seen.sure
        if known.held is not None and not (good and known.frames % every == 0):
            return
        model, calibration = self._pipeline.model, self._pipeline.calibration
        if known.evidence is None:
            known.evidence = Evidence.start(model, calibration, "video")
        try:
            known.evidence = known.evidence.add(
                FaceView(seen.landmarks, self.camera, seen.size, max(seen.confidence, 0.05))
            )
        except ValueError:
            return
        # The head changes less and less: it is made anew after 1, 2, 4, 8, ... looks, and now and then.
        looks = asked + 1
        if known.held is None or looks & (looks - 1) == 0 or looks % 32 == 0:
            identity = known.evidence.person.identity
            rest = model.shape(identity)
            taken = parting(model, rest, np.ones(len(model.expression)))
            if taken is not None:
                rest = rest - np.tensordot(taken, model.expression, axes=1)
            known.held = KnownIdentity.of(model, calibration, identity, taken=taken)
            level = model.levels[0]  # a quarter of the triangles of the level that files have
            neutral = np.asarray(model.level(level).apply(rest), dtype=np.float32)
            head = behind_lids(Head(model, level, neutral, neutral))
            known.posable = PosableHead.of(head) if known.posable is None else known.posable.of_person(head)

    def _smoothed(self, known: _Known, seen: Seen, found: FrameFit) -> LiveFace:
        assert self.camera is not None
        if known.reference is None:
            known.reference = found.rotation
            known.filters = {name: OneEuro(cutoff, opening) for name, (cutoff, opening) in STEADY.items()}
        turn = rotation_vector(known.reference.T @ found.rotation)
        if np.linalg.norm(turn) > 2.0:  # far from where vectors of turns are smooth: start anew from here
            known.reference, turn = found.rotation, np.zeros(3)
            known.filters["turn"] = OneEuro(*STEADY["turn"])
        values = {
            "turn": turn,
            "place": self.camera.project(found.translation),
            "depth": np.log(found.translation[2:]),
            "units": found.expression,
        }
        if self._smooth > 0:
            for name, value in values.items():
                values[name], known.filters[name] = known.filters[name].next(seen.time, value)
        position = self.camera.unproject(values["place"], np.exp(values["depth"][0]))
        rotation = known.reference @ rotation_matrix(values["turn"])
        units = np.clip(values["units"], 0, 1)
        return LiveFace(
            known.number,
            seen.box,
            seen.landmarks.points,
            rigid(rotation, position),
            units,
            gaze_of(units[None], self._pipeline.model)[0],
            seen.confidence,
        )


def _draw(
    picture: Image,
    posable: PosableHead,
    texture: Texture | None,
    face: LiveFace,
    camera: Camera,
    shells: Sequence[Shell] = (),
) -> None:
    """Draw a head into its part of the picture."""
    vertices = posable.vertices(face.expression)
    weights = dict(zip(posable.head.model.expression_names, face.expression.tolist(), strict=True))
    shells = [shell.posed(weights) for shell in shells]
    shown = np.concatenate([vertices[::23], *(shell.vertices[::7] for shell in shells)])
    turned = shown @ face.head_to_camera[:3, :3].T + face.head_to_camera[:3, 3]
    if turned[:, 2].min() <= 1.0:
        return
    points = camera.project(turned)
    height, width = picture.shape[:2]
    low, high = points.min(axis=0), points.max(axis=0)
    rim = 4 + 0.08 * float((high - low).max())  # the outermost vertices may not be among those looked at
    x0, y0 = np.clip(np.floor(low - rim), 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(high + rim), 0, [width, height]).astype(int)
    if x1 - x0 < 2 or y1 - y0 < 2:
        return
    part = Camera(camera.focal, (camera.center[0] - x0, camera.center[1] - y0), (int(x1 - x0), int(y1 - y0)))
    head = posable.head
    picture[y0:y1, x0:x1] = render_layers(
        vertices,
        head.model.level(head.level),
        texture,
        part,
        face.head_to_camera,
        background=picture[y0:y1, x0:x1],
        shells=shells,
    )[0]
