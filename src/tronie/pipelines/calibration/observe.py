"""What the landmark net says of a random picture and of its mirror image, beside the truth."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array
from tronie.head.arkit import MIRRORED_UNITS
from tronie.pipelines.calibration.synthetic import SIDE, Picture
from tronie.stages.landmarks.net import LandmarkNet, square_from_landmarks
from tronie.types import Landmarks

LEAST_PRESENCE = 0.31
"""Certainty of the net that it sees a face, below which a picture is left out."""
SLIP = 4.0
"""Pixels by which the first crop is off."""
MIRROR = np.array([-1.0, 1.0, 1.0])


@dataclass(frozen=True, eq=False)
class Sample:
    """What the net saw, and the truth."""

    points: Array
    """(478, 3) landmarks in picture pixels."""
    scores: Array
    """(52,)."""
    features: Array
    """(256,) float16."""
    identity: Array
    expression: Array
    """(52,)."""
    head_to_camera: Array
    """(4, 4)."""
    focal: float
    """Pixels; the principal point is the picture's middle."""


FIELDS = tuple(Sample.__dataclass_fields__)


def look(picture: Picture, net: LandmarkNet, twin: Array, rng: np.random.Generator) -> list[Sample]:
    """A sample of the picture and one of its mirror image; none where the net sees no face. `twin` (K, K) is the
    model's `mirror_map`."""
    off = picture.points + rng.normal(0, SLIP, 2)
    first = net.places([picture.image], square_from_landmarks(off))[0]
    said = net.look(picture.image, square_from_landmarks(first))
    if said.presence < LEAST_PRESENCE or said.mirrored is None:
        return []
    truth = (picture.person.identity, picture.expression, picture.head_to_camera, picture.focal)
    return [_sample(said, 0.0, *truth), _sample(said.mirrored, SIDE, *mirrored_truth(*truth, twin))]


def mirrored_truth(
    identity: Array, expression: Array, head_to_camera: Array, focal: float, twin: Array
) -> tuple[Array, Array, Array, float]:
    """The truth of a picture mirrored about its middle."""
    pose = head_to_camera.copy()
    pose[:3, :3] = pose[:3, :3] * MIRROR * MIRROR[:, None]
    pose[:3, 3] *= MIRROR
    return identity @ twin, expression[list(MIRRORED_UNITS)], pose, focal


def _sample(said: Landmarks, shift: float, identity: Array, expression: Array, pose: Array, focal: float) -> Sample:
    assert said.features is not None
    points = said.points + np.array([shift, 0.0, 0.0])
    features = said.features.astype(np.float16)
    return Sample(points, said.scores, features, identity, expression, pose, focal)
