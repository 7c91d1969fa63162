"""Face recognition: an embedding of an aligned crop, 128 numbers, near for the same person and far for others.

dlib's recogniser (King 2017; a residual net, 99.4 % on the LFW pairs), with the extra `identity`. It serves to judge
what super-resolution does to a person, and needs no name and no data base.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.runtime import dlib_models
from tronie.stages.landmarks.align import FFHQ_TEMPLATE, aligned_square
from tronie.stages.landmarks.squares import cut, sized

CHIP = 150
"""Side of what the recogniser sees, pixels."""
PADDING = 0.25
"""What dlib leaves around the face, in shares of its size, as the recogniser was trained."""
DLIB_FACE = np.array(
    [
        [0.8595674595992, 0.2134981538014],
        [0.6460604764104, 0.2289674387677],
        [0.1205750620789, 0.2137274526848],
        [0.3340850613712, 0.2290642403242],
        [0.4901123135679, 0.6277975316475],
    ]
)
"""(5, 2) shares of a face's side: where dlib has the points of FFHQ_TEMPLATE in a face without padding."""
CHIP_IN_ALIGNED = Similarity.from_points((DLIB_FACE + PADDING) / (1 + 2 * PADDING), FFHQ_TEMPLATE)
"""A chip as a unit square -> the aligned crop as a unit square. Upright, it spans 0.16 to 0.85 across and 0.26
to 0.95 down; dlib's own cutter, told of the template's points, gives the same."""


def chip_square(points: Array) -> Similarity:
    """Unit square -> photo of the chip of a face with landmarks (478, 2+), of which align.FIVE decide. With `sized(...,
    CHIP)` before it: chip pixel p, whose centre is at p + 0.5, shows that place of the photo."""
    return CHIP_IN_ALIGNED.then(aligned_square(points))


def chip_of(image: Image, points: Array) -> Image:
    """RGB photo and a face's landmarks (478, 2+) in its pixels -> (150, 150, 3), what the recogniser sees: one warp
    from the photo, averaged over area where it shrinks; beyond the photo its border is repeated. Of a mirrored photo
    with mirrored landmarks it is the mirror image of this, moved by 2 pixels (dlib's face is not symmetric)."""
    return cut(image, sized(chip_square(points), CHIP), CHIP)


def available() -> bool:
    """Whether the extra is installed; loads nothing."""
    return dlib_models.available()


def distance(a: Array, b: Array) -> Array:
    """(..., 128) twice -> (...). About 0.16 for somebody and their mirror image, 0.85 for two people; dlib's own limit
    for "the same" is 0.6."""
    return np.asarray(np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1))


def embedding(crops: Image) -> Array:
    """(N, S, S, 3) RGB, any S, aligned by `tronie.stages.landmarks.align` -> (N, 128). 0.1 to 0.3 s a face on one core.

    The eyes and the nose are taken to be where the template has them: dlib's own predictor of five points finds them
    within 1 % of the side there, and with it mirror images (0.165 instead of 0.158) are no nearer."""
    return _recogniser().embedding(crops)


@cache
def _recogniser() -> Recogniser:
    return Recogniser()


class Recogniser:
    """dlib's net, loaded at its first use (half a second)."""

    def __init__(self) -> None:
        self._net = dlib_models.Model("face_recognition_model_v1", "identity")

    def embedding(self, crops: Image) -> Array:
        dlib = dlib_models.dlib("identity")
        if not len(crops):
            return np.empty((0, 128))
        chips = [dlib.get_face_chip(np.ascontiguousarray(c), _shape(dlib, c.shape[0]), CHIP, PADDING) for c in crops]
        return np.array(self._net.run(chips, method="compute_face_descriptor"), dtype=np.float64)


def _shape(dlib: Any, side: int) -> Any:
    """The template's points in a crop, as dlib's predictor would say them."""
    points = FFHQ_TEMPLATE * side - 0.5  # dlib counts pixels from their centres
    whole = dlib.rectangle(0, 0, side - 1, side - 1)
    return dlib.full_object_detection(whole, [dlib.point(round(x), round(y)) for x, y in points.tolist()])
