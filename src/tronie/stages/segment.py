"""The segmentation net: a square, upright crop around the head, and the shares of what each of its pixels may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.landmarks.net import EYE_LEFT, EYE_RIGHT
from tronie.stages.landmarks.squares import cut, sized, square
from tronie.types import Landmarks

SIDE = 256
"""Side of the net's input and output, pixels."""
AROUND, LOWER = 3.0, 0.1
"""Side of the crop, and how far its centre lies below that of the landmarks' upright box, in heights of that box: room
for big hair above, and for the shoulders and what falls on them below."""
VOTE, MOST_VOTED = 2.0, 20.0
"""Power of the ratio of headgear to hair that each pixel's headgear is multiplied by, and its limit. Pixel by pixel a
smooth hairdo is half a hat; no bound on single pixels told bare heads of 1927 and heads with hats apart, this does."""
BATCH = 8
"""Faces at once, at most: more would only take memory."""


def crop_square(points: Array) -> Similarity:
    """Unit square -> photo of the net's crop from landmarks (478, 2+), level with the eyes."""
    p = np.asarray(points, dtype=np.float64)[:, :2]
    across = p[EYE_LEFT] - p[EYE_RIGHT]
    roll = float(np.arctan2(across[1], across[0]))
    x = np.array([np.cos(roll), np.sin(roll)])
    axes = np.stack([x, [-x[1], x[0]]])
    level = p @ axes.T
    low, high = level.min(axis=0), level.max(axis=0)
    height = max(float(high[1] - low[1]), 1e-3)
    return square(((low + high) / 2 + [0.0, LOWER * height]) @ axes, AROUND * height, roll)


class SegmentNet:
    """The net, loaded on first use."""

    def __init__(self, threads: int = 1, device: str = "cpu") -> None:
        """`device` is one of the settings'."""
        self._net = Session(weights.path("segment"), threads, split=True, device=device)

    @property
    def together(self) -> int:
        """How many faces it is well given at once: on the processor each of them has a run of its own."""
        self.load()
        return self._net.sharing

    def load(self) -> None:
        """Load it now."""
        self._net.load()

    def segment(self, image: Image, faces: Sequence[Landmarks]) -> list[Segmentation]:
        """RGB photo and the landmarks of some of its faces -> one segmentation for each, in their order."""
        result: list[Segmentation] = []
        step = min(self.together, BATCH)
        for start in range(0, len(faces), step):
            crops = [sized(crop_square(face.points), SIDE) for face in faces[start : start + step]]
            batch = np.stack([cut(image, to_photo, SIDE) for to_photo in crops]).astype(np.float32) / 255
            shares = self._net.run({"image": batch.transpose(0, 3, 1, 2)})["shares"]
            for one, to_photo in zip(shares, crops, strict=True):
                levels = np.rint(voted(one) * 255).astype(np.uint8)
                result.append(Segmentation(levels, to_photo))
        return result


def voted(shares: Array) -> Array:
    """(9, S, S) shares of one face: what most of a head's hair and headgear is called is likelier for the rest too."""
    covering, hair = SEGMENTS.index("covering"), SEGMENTS.index("hair")
    ratio = (float(shares[covering].sum()) + 1) / (float(shares[hair].sum()) + 1)
    odds = float(np.clip(ratio**VOTE, 1 / MOST_VOTED, MOST_VOTED))
    change = shares[covering] * (odds - 1)
    said = shares / (1 + change)
    said[covering] *= odds
    return np.asarray(said)


def segment(image: Image, landmarks: Landmarks, net: SegmentNet | None = None) -> Segmentation:
    """Of what matter each pixel around one face of an RGB photo is. Beyond the photo its border is repeated."""
    return (net or SegmentNet()).segment(image, [landmarks])[0]
