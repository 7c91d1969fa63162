"""Multi-view fusion: what several looks at one person tell together, from the calibration's answer to each.

Along each principal shape of the face, with people's variance as unit, a look is a measurement x of the person t:

    x = t + c + n,    c of variance C the same in all looks,    n of variance N new in each,

and the calibration's answer is what it lets one expect of t: a = x / (1 + C + N), with the stated variance
(C + N) / (1 + C + N). The answers alone do not tell c: the nets err alike each time they see a face, so a mean of
many is not better by the root of their number. But each of them is drawn towards the mean head by as much as its own
noise asks for, which what they tell together need not be. So the measurements are taken back out of the answers,
averaged by how sure each is of the shape, and drawn once (a random effects model: Laird & Ware 1982):

    t = x' / (1 + C + 1 / sum(1 / N)),    x' = sum(x / N) / sum(1 / N).

Where some looks are surer than others, c is larger in these, and the root of C is their weighted mean.

A look that says of itself that it tells a shape badly, a profile of the width of the mouth for instance, counts for
little there, and for more where it tells much.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.geometry import Camera, facing_degrees
from tronie.head.model import HeadModel
from tronie.stages.fit.map_fit import BLINKS
from tronie.stages.fit.regressor import Calibration, Prediction
from tronie.stages.fit.scale import (
    IRIS_PEOPLE,
    IRIS_SIGMA,
    growth_direction,
    iris_asks,
    similarity_free,
    size_of,
    weighed,
)
from tronie.types import Landmarks

COMMON = 0.7
"""The part C / (C + N) of a look's noise that all looks at a person share. The stranger a picture, the more errs alike:
for looks of the kind that the calibration learned from 0.2 to 0.5 are as good (1,506 pairs: training/landmarks/
learn_fusion.py), eight looks at each of 30 people of another painter (benchmarks/accuracy) come to 0.82 of one with 0.5
and 0.83 with 0.7, nine of a scanned person to 1.03 and 0.98."""
SUREST, LEAST_SURE = 0.05, 0.985
"""Bounds of the stated spread of a shape, in people's."""
LEAST_MM2 = 1e-4
"""People's variance along shapes that do not move the face."""
SIZE_SHARE = 0.33
"""The share of the answers' variance of size that differs between looks at one person, by the same looks."""
ALIKE = {"photos": 0.05, "video": 0.8}
"""Correlation of that noise between looks of about the same pose. Measured for photos (0.05 within 10 degrees of yaw, 0
beyond); neighbouring frames of a video show the same light and expression too, and differ by little else than noise."""
CELL_DEGREES, CELLS = 15.0, (13, 7)
"""Looks of yaw and pitch in one cell are of about the same pose."""
LEAST_REACH = 0.2
"""A model whose people hardly differ in size cannot be made larger: it keeps what the shape's gains do to it."""
WITHIN_MM = 1.0
"""RMS distance of one answer from a person's mean answer, over the inner face."""
COPY_MM = 0.4
"""Answers nearer to each other are of one photo. Of 11,102 pairs of looks at one person the nearest were 0.42 apart; a
portrait made smaller, brighter or a worse JPEG is 0.07 to 0.30 from itself (four portraits)."""
FAR, ROUNDS = 1.8, 6
"""Answers further from the others than so many times that count less; rounds to find the middle of the others."""
SMALL_PIXELS = 80.0
"""Faces with smaller boxes count less."""


@dataclass(frozen=True, eq=False)
class OutlineSays:
    """What the outline in a photo adds to the calibration's answer."""

    identity: Array
    """(K,) by which the identity moves."""
    mode_variance: Array
    """(K,) share of the answer's variance that is left along each principal shape, as in `ShapeModes`."""
    sigma: Array
    """(C,) share of the spread of each control vertex that is left."""

    def on(self, told: Prediction) -> Prediction:
        return replace(
            told,
            identity=told.identity + self.identity,
            mode_sigma=told.mode_sigma * np.sqrt(self.mode_variance[::-1]),
            sigma_mm=told.sigma_mm * self.sigma,
        )


@dataclass(frozen=True, eq=False)
class FaceView:
    """One photo, or frame, of the person."""

    landmarks: Landmarks
    """With `features`."""
    camera: Camera
    size: float
    """Pixels of the face's box."""
    weight: float = 1.0
    """How good the picture is, sharpness for instance; 1 is usual. Only ratios count."""
    outline: OutlineSays | None = None
    """Of a turned face whose outline was looked at (`tronie.stages.fit.outline`)."""


@dataclass(frozen=True, eq=False)
class FusedIdentity:
    """What all looks tell."""

    identity: Array
    """(K,)."""
    sigma_mm: Array
    """(C,) float32: standard deviation of each control vertex of the head at rest."""
    growth: float
    """Logarithm of the growth that the irises asked for; `identity` has it."""
    looks: int
    effective: float
    """How many independent looks they are worth: fewer where they look alike or some count little."""


@dataclass(frozen=True, eq=False)
class Answer:
    """What the calibration says of one look."""

    told: Prediction
    asked: float | None
    """Logarithm of the growth that the irises ask for."""
    weight: float
    cell: int
    size: float
    """Pixels of the face's box."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """What has been seen of a person so far; of constant size. `Evidence.start(...)`, then `.add(look)` for each."""

    model: HeadModel
    calibration: Calibration
    alike: float
    """Correlation of the noise of looks in one cell."""
    weight: Array
    """(cells, 2) sums of the weights, and of their squares."""
    identity_sum: Array
    """(cells, K) weighted answers."""
    sure: Array
    """(cells, K) weighted inverses of the measurements' variances, of each principal shape."""
    measured: Array
    """(cells, K) the measurements, weighted by that."""
    common_sum: Array
    """(K,) inverses of the measurements' spreads, weighted."""
    doubt_sum: Array
    """(K,) variances of the answers, weighted."""
    variance_sum: Array
    """(C,) mm^2, weighted."""
    asked: Array
    """(3,) weighted sum of what the irises ask for, of the weights, of their squares."""
    looks: int = 0

    @classmethod
    def start(cls, model: HeadModel, calibration: Calibration, kind: str = "photos") -> Evidence:
        """`kind` is one of ALIKE."""
        cells, k = CELLS[0] * CELLS[1], len(model.identity)
        by_cell = np.zeros((cells, k))  # never written into
        return cls(
            model,
            calibration,
            ALIKE[kind],
            weight=np.zeros((cells, 2)),
            identity_sum=by_cell,
            sure=by_cell,
            measured=by_cell,
            common_sum=np.zeros(k),
            doubt_sum=np.zeros(k),
            variance_sum=np.zeros(len(model.mean)),
            asked=np.zeros(3),
        )

    def add(self, look: FaceView) -> Evidence:
        """Raises ValueError when the landmarks form no face, or have no features."""
        answer = answer_to(self.model, self.calibration, look)
        centre = self.centre if self.looks >= 2 else None
        return self.hear(answer, centre)

    def hear(self, answer: Answer, centre: Array | None) -> Evidence:
        """Adds an answer, which counts less if it is far from `centre` (K,)."""
        w = answer.weight * (1.0 if centre is None else nearness(self.model, answer.told.identity, centre))
        weight, total, asked = self.weight.copy(), self.identity_sum.copy(), self.asked
        weight[answer.cell] += w, w * w
        total[answer.cell] += w * answer.told.identity
        modes, sure, measured = shape_modes(self.model), self.sure.copy(), self.measured.copy()
        doubt = modes.doubt(answer.told)
        noise = doubt / (1 - doubt)
        sure[answer.cell] += w / noise
        measured[answer.cell] += w / noise * (1 + noise) * (answer.told.identity @ modes.axes)
        if answer.asked is not None:
            asked = asked + np.array([w * answer.asked, w, w * w])
        variance = self.variance_sum + w * answer.told.sigma_mm**2
        return replace(
            self,
            weight=weight,
            identity_sum=total,
            sure=sure,
            measured=measured,
            common_sum=self.common_sum + w / np.sqrt(noise),
            doubt_sum=self.doubt_sum + w * doubt,
            variance_sum=variance,
            asked=asked,
            looks=self.looks + 1,
        )

    @property
    def centre(self) -> Array:
        """(K,) mean answer. Raises ValueError where nothing was added."""
        return self._mean()[0]

    def _mean(self) -> tuple[Array, float]:
        """Mean answer, and how many independent looks it is worth."""
        used = self.weight[:, 0] > 0
        if not used.any():
            raise ValueError("nothing has been seen of this person yet")
        w, squares = self.weight[used].T
        count = w * w / squares
        shared = 1 + self.alike * (count - 1)
        counted = w / shared
        mean = (counted / w) @ self.identity_sum[used] / counted.sum()
        return mean, float(max(counted.sum() ** 2 / (counted**2 * shared / count).sum(), 1.0))

    def _shape(self) -> tuple[Array, Array]:
        """(K,) along the principal shapes: what to expect of the person, and its variance."""
        used = self.weight[:, 0] > 0
        w, squares = self.weight[used].T
        # A weight's size says nothing: a look alone is a whole one.
        alike = (1 + self.alike * (w * w / squares - 1)) * squares.sum() / w.sum()
        sure = (self.sure[used] / alike[:, None]).sum(axis=0)
        measured = (self.measured[used] / alike[:, None]).sum(axis=0) / sure
        common = (self.common_sum / self.sure[used].sum(axis=0)) ** 2  # adds up in the mean, instead of averaging out
        noise = COMMON * common + (1 - COMMON) / sure
        return measured / (1 + noise), noise / (1 + noise)

    @property
    def person(self) -> FusedIdentity:
        """The best guess now. Raises ValueError where nothing was added."""
        mean, n = self._mean()
        modes = shape_modes(self.model)
        told, doubt = self._shape()
        shape = modes.axes @ told
        # Size is no shape: it has its own share, and what happened to it here is taken back.
        along, towards = size_of(self.model), growth_direction(self.model)
        size = float(along @ mean) / (1 - SIZE_SHARE + SIZE_SHARE / n)
        growth = self.growth
        reach = float(along @ towards)
        back = (size - float(along @ shape)) / reach if reach > LEAST_REACH else 0.0
        identity = shape + (back + growth) * towards
        weight = self.weight[:, 0].sum()
        narrower = np.sqrt((doubt @ modes.moved) / (self.doubt_sum / weight @ modes.moved))
        sigma = np.sqrt(self.variance_sum / weight) * narrower
        return FusedIdentity(identity, sigma.astype(np.float32), growth, self.looks, n)

    @property
    def identity(self) -> Array:
        """(K,)."""
        return self.person.identity

    @property
    def sigma(self) -> Array:
        """(C,) mm."""
        return self.person.sigma_mm

    @property
    def growth(self) -> float:
        """Logarithm: what the irises of all looks ask for, weighed against how much heads and irises vary."""
        total, w, squares = self.asked
        if w <= 0:
            return 0.0
        noise = (IRIS_SIGMA**2 - IRIS_PEOPLE**2) * squares / (w * w)
        return weighed(total / w, float(np.sqrt(IRIS_PEOPLE**2 + noise)))


def evidence_of(
    model: HeadModel, calibration: Calibration, answers: Sequence[Answer], kind: str = "photos"
) -> Evidence:
    """All answers at once, so that each is judged by all others. Raises ValueError where there is none."""
    evidence = Evidence.start(model, calibration, kind)
    for answer, weight in zip(answers, answer_weights(model, answers, kind), strict=True):
        if weight > 0:
            evidence = evidence.hear(replace(answer, weight=weight), None)
    return evidence


def answer_weights(model: HeadModel, answers: Sequence[Answer], kind: str = "photos") -> list[float]:
    """How much each answer counts: less for one that is far from the others, nothing for a copy of a
    larger photo."""
    centre = middle(model, answers) if len(answers) > 2 else None
    out = [a.weight * (1.0 if centre is None else nearness(model, a.told.identity, centre)) for a in answers]
    if kind != "photos":
        return out
    gram = face_gram(model)
    kept: list[int] = []
    for k in sorted(range(len(answers)), key=lambda k: (-answers[k].size, -out[k], k)):
        off = np.array([answers[k].told.identity - answers[other].told.identity for other in kept])
        if len(off) and np.einsum("nk,kl,nl->n", off, gram, off).min() < COPY_MM**2:
            out[k] = 0.0
        else:
            kept.append(k)
    return out


def answer_to(model: HeadModel, calibration: Calibration, look: FaceView) -> Answer:
    """Raises ValueError when the landmarks form no face, or have no features."""
    if look.landmarks.features is None:
        raise ValueError("the landmarks come without the features that the calibration needs")
    told = calibration.read(model, look.landmarks, look.camera.focal)
    if look.outline is not None:
        told = look.outline.on(told)
    yaw, pitch = facing_degrees(told.rotation)
    blink = max(look.landmarks.scores[unit] for unit in BLINKS)
    asked = iris_asks(look.landmarks.points, told.scale, yaw, float(blink))
    small = min(look.size / SMALL_PIXELS, 1.0)
    weight = max(look.weight, 1e-6) * max(small, 0.05) ** 2
    row, column = (
        int(np.clip(round(angle / CELL_DEGREES) + n // 2, 0, n - 1))
        for angle, n in zip((yaw, pitch), CELLS, strict=True)
    )
    return Answer(told, asked, weight, row * CELLS[1] + column, look.size)


def middle(model: HeadModel, answers: Sequence[Answer]) -> Array:
    """(K,) where most answers are: their geometric median on the face (Weiszfeld 1937)."""
    points = np.array([a.told.identity for a in answers])
    weight = np.array([a.weight for a in answers])
    gram = face_gram(model)
    share = weight
    for _ in range(ROUNDS):
        centre = share @ points / share.sum()
        off = points - centre
        share = weight / np.sqrt(np.einsum("nk,kl,nl->n", off, gram, off) + (0.3 * WITHIN_MM) ** 2)
    return np.asarray(share @ points / share.sum())


def nearness(model: HeadModel, identity: Array, centre: Array) -> float:
    """0..1: 1 for an answer as near to the others' as answers are, less for one that is far."""
    off = identity - centre
    far = float(np.sqrt(off @ face_gram(model) @ off)) / (FAR * WITHIN_MM)
    return min(1.0, far**-4) if far > 0 else 1.0


@dataclass(frozen=True, eq=False)
class ShapeModes:
    """Principal shapes of the inner face among the model's people."""

    axes: Array
    """(K, K) unit coefficients, a column each; the shape that varies most comes last."""
    spread: Array
    """(K,) mm RMS on the face, among people."""
    moved: Array
    """(K, C) squared mm that one standard deviation of people moves each control vertex."""

    def doubt(self, told: Prediction) -> Array:
        """(K,) variance of an answer along each shape, in people's."""
        return np.asarray(np.clip(told.mode_sigma[::-1] / self.spread, SUREST, LEAST_SURE) ** 2)


@lru_cache(maxsize=4)
def face_gram(model: HeadModel) -> Array:
    return similarity_free(model)


@lru_cache(maxsize=4)
def shape_modes(model: HeadModel) -> ShapeModes:
    variance, axes = np.linalg.eigh(face_gram(model))
    fields = np.einsum("kl,kcd->lcd", axes.astype(np.float32), model.identity, optimize=True)
    moved = (fields.astype(np.float64) ** 2).sum(axis=2) + 1e-12
    return ShapeModes(axes, np.sqrt(np.maximum(variance, 0.0) + LEAST_MM2), moved)
