"""What a face detector is, and what detectors share: overlaps of boxes and the choice of one box per face.

Boxes are (N, 4) x0, y0, x1, y1.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.types import Detection, UsedModel


class Detector(Protocol):
    """Finds faces in a picture at the scale it is given; `detect_faces` brings the photo to the right scales."""

    @property
    def finest(self) -> float:
        """Smallest face, pixels, that it finds nearly always."""

    @property
    def sure(self) -> float:
        """Smallest face, pixels, that it finds with a full score; at least `finest`."""

    @property
    def coarsest(self) -> float:
        """Largest face, pixels, that it finds reliably."""

    @property
    def turns(self) -> tuple[float, ...]:
        """Degrees by which to turn a picture in which it found nothing."""

    def detect(self, image: Image) -> list[Detection]:
        """RGB (H, W, 3) -> faces in pixels of `image`, in any order, scores so scaled that 0.5 is a good threshold."""


@dataclass(frozen=True, slots=True)
class DetectorInfo:
    """What a detector is, before it is loaded; its module declares it, and `tronie.stages.detect` lists the modules."""

    name: str
    load: Callable[[int, str], Detector]
    """With a number of threads and a device of the settings; its files load on first use. Raises WeightsError."""
    weights: tuple[str, ...] = ()
    """Its files in `tronie.runtime.weights.WEIGHTS`, which has their licences."""
    packaged: tuple[UsedModel, ...] = ()
    """Models of it that come with a package of their own."""

    @property
    def models(self) -> tuple[UsedModel, ...]:
        """What it works with."""
        return (*UsedModel.of_weights(*self.weights), *self.packaged)


def areas(boxes: Array) -> Array:
    """(N, 4) -> (N,)."""
    return np.asarray(np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0))


def intersections(a: Array, b: Array) -> Array:
    """(N, 4), (M, 4) -> (N, M) areas shared."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    side = np.maximum(high - low, 0)
    return np.asarray(side[..., 0] * side[..., 1])


def suppress(boxes: Array, scores: Array, overlap: float, inside: float | None = None) -> NDArray[np.intp]:
    """Indices of the boxes to keep, best score first (ties: the earlier one).

    A box goes when its intersection over union with a better one exceeds `overlap`, or, with `inside`, when the
    intersection exceeds that share of the smaller of the two (a box within a box).
    """
    order = np.argsort(-scores, kind="stable")
    keep: list[int] = []
    area = areas(boxes)
    while len(order):
        best, order = order[0], order[1:]
        keep.append(int(best))
        shared = intersections(boxes[best][None], boxes[order])[0]
        gone = shared > overlap * (area[best] + area[order] - shared)
        if inside is not None:
            gone |= shared > inside * np.minimum(area[best], area[order])
        order = order[~gone]
    return np.asarray(keep, dtype=np.intp)
