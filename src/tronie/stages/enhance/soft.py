"""Large faces that are not sharp: a small print scanned finely, a small picture made large. What there is of detail is
that of a small face, and so they are enhanced as one: in the photo made smaller."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.settings import EnhanceSettings
from tronie.stages.enhance.enhancer import Enhancer, Restored
from tronie.stages.enhance.region import moved_landmarks
from tronie.stages.enhance.stage import enhance, is_wanted
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.stages.landmarks.net import LandmarkNet
from tronie.types import Face, Photo

SIDES = (48, 64, 80, 96, 112, 128)
"""Pixels of a face's whole aligned crop that a soft one is made smaller to: the first that holds all it shows."""
LARGEST = 512
"""Pixels of the crop in which it is looked for."""
INNER = 0.25
"""Share of the crop that is left out at each border: the face is within."""
LOST = 0.055
"""Contrast that may go with what is lost, by that of the face."""
GAIN = 1.5
"""A face that would become smaller by less is sharp enough."""


HALVES = ((0.0, 0.0), (0.5, 0.0), (0.0, 0.5), (0.5, 0.5))
"""Pixels by which crops are moved."""


@dataclass(frozen=True)
class Dithered:
    """An enhancer whose answer is the mean of four, to the crop moved by halves of a pixel: on soft crops the grid of
    the pixels shows in each of them, and not in their mean."""

    inner: Enhancer

    @property
    def name(self) -> str:
        return self.inner.name

    @property
    def side(self) -> int:
        return self.inner.side

    def wants(self, pixels: float) -> int:
        return self.inner.wants(pixels)

    def restore(self, crops: Image) -> Restored:
        """As the enhancer does."""
        step = self.side / crops.shape[1]
        answers = [
            (self.inner.restore(np.stack([_moved(crop, x, y) for crop in crops])), -x * step, -y * step)
            for x, y in HALVES
        ]

        def mean(of: Callable[[Restored], NDArray[Any] | None]) -> NDArray[Any] | None:
            found = [(values, x, y) for answer, x, y in answers if (values := of(answer)) is not None]
            if not found:
                return None
            total = sum(np.stack([_moved(one, x, y).astype(np.float32) for one in values]) for values, x, y in found)
            whole = np.asarray(total) / len(found)
            return np.rint(whole).astype(np.uint8) if found[0][0].dtype == np.uint8 else whole

        faithful = mean(lambda answer: answer.faithful)
        assert faithful is not None
        return Restored(faithful, mean(lambda answer: answer.vivid), mean(lambda answer: answer.doubt))


def _moved(image: NDArray[Any], x: float, y: float) -> NDArray[Any]:
    """(H, W, ...) moved to the right and down."""
    import cv2

    if not (x or y):
        return image
    matrix = np.array([[1.0, 0, x], [0, 1.0, y]])
    size = image.shape[1], image.shape[0]
    return np.asarray(cv2.warpAffine(image, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE))


def resolved(image: Image, face: Face) -> float:
    """Pixels of its aligned crop that a photo really shows of a face; that of the crop itself where it is sharp."""
    import cv2

    assert face.landmarks is not None
    square = aligned_square(face.landmarks.points)
    side = int(min(LARGEST, max(round(square.scale), 1)))
    crop = aligned_crop(image, square, side).image.astype(np.float32).mean(axis=2)
    edge = round(INNER * side)
    inner = np.s_[edge : side - edge, edge : side - edge]
    contrast = float(crop[inner].std())
    for small in SIDES:
        if GAIN * small > side or contrast < 1:
            break
        there = cv2.resize(crop, (small, small), interpolation=cv2.INTER_AREA)
        back = cv2.resize(there, (side, side), interpolation=cv2.INTER_CUBIC)
        if float((crop - back)[inner].std()) < LOST * contrast:
            return small * square.scale / side if side < LARGEST else float(small)
    return float(square.scale)


def enhance_soft(
    photo: Photo,
    clean: Image,
    faces: Sequence[Face],
    enhancer: Enhancer,
    net: LandmarkNet,
    settings: EnhanceSettings,
) -> list[Face]:
    """The faces; those that are large and soft with what `enhance` makes of them in the photo made smaller. How sharp
    they are is seen in the `clean` photo: grain is no detail."""
    done = list(faces)
    for row, face in enumerate(faces):
        if face.landmarks is None or face.enhanced is not None or is_wanted(face, enhancer.side, settings):
            continue
        shown, whole = resolved(clean, face), aligned_square(face.landmarks.points).scale
        if shown * GAIN > whole:
            continue
        done[row] = _enhanced_smaller(photo, face, shown / whole, enhancer, net, settings)
    return done


def _enhanced_smaller(
    photo: Photo, face: Face, scale: float, enhancer: Enhancer, net: LandmarkNet, settings: EnhanceSettings
) -> Face:
    import cv2

    assert face.landmarks is not None
    height, width = photo.image.shape[:2]
    size = max(1, round(scale * width)), max(1, round(scale * height))
    small = np.asarray(cv2.resize(photo.image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    to_small = Similarity(size[0] / width, 0, 0, 0)
    smaller = replace(face, landmarks=moved_landmarks(face.landmarks, to_small))
    every = settings.model_copy(update={"faces": "all"})
    (made,) = enhance(replace(photo, image=small, focal=None), [smaller], Dithered(enhancer), net, every)
    if (enhanced := made.enhanced) is None:
        return replace(face, warnings=made.warnings)
    # What is laid over the photo is what tells the face from the photo itself, not from its small copy.
    crop = aligned_crop(photo.image, aligned_square(face.landmarks.points), len(enhanced.after))
    there = replace(enhanced, before=crop.image, to_photo=crop.to_photo, factor=1 / crop.to_photo.scale)
    return replace(face, enhanced=there, warnings=made.warnings)
