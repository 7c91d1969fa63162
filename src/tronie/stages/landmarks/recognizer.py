"""Face recognition: an embedding of an aligned crop, 128 numbers, near for the same person and far for others.

dlib's recogniser (King 2017; a residual net, 99.4 % on the LFW pairs), as `training/landmarks/convert_recognizer.py`
writes it. It tells whether two pictures show one person, and needs no name and no data base for that.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.landmarks.align import FFHQ_TEMPLATE, aligned_square
from tronie.stages.landmarks.squares import cut, sized
from tronie.types import Landmarks

CHIP = 150
"""Side of what the recogniser sees, pixels."""
BATCH = 8
"""Chips per run of the net; more brings no speed and costs memory."""
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


def mirrored_chip_of(image: Image, points: Array) -> Image:
    """`chip_of` for the photo's mirror image about x = 0, with its landmarks there."""
    square = sized(chip_square(points), CHIP)
    own = Similarity(square.a, -square.b, -square.a * CHIP - square.tx, square.b * CHIP + square.ty)
    return np.ascontiguousarray(cut(image, own, CHIP)[:, ::-1])


def chip_of_aligned(crop: Image) -> Image:
    """(S, S, 3) RGB, aligned by `tronie.stages.landmarks.align` -> (150, 150, 3).

    The eyes and the nose are taken to be where the template has them: dlib's own predictor of five points finds them
    within 1 % of the side there, and with it mirror images (0.165 instead of 0.158) are no nearer."""
    side = float(crop.shape[0])
    return cut(crop, sized(CHIP_IN_ALIGNED.then(Similarity(side, 0.0, 0.0, 0.0)), CHIP), CHIP)


def embedding(crops: Image, device: str = "cpu") -> Array:
    """(N, S, S, 3) RGB, any S, aligned by `tronie.stages.landmarks.align` -> (N, 128)."""
    return embedding_of_chips(np.array([chip_of_aligned(crop) for crop in crops], np.uint8), device)


def embedding_of_chips(chips: Image, device: str = "cpu") -> Array:
    """(N, 150, 150, 3) RGB -> (N, 128)."""
    parts = (chips[start : start + BATCH] for start in range(0, len(chips), BATCH))
    out = [activations(part, device=device)["embedding"] for part in parts]
    return np.concatenate(out).astype(np.float64) if out else np.empty((0, 128))


def embedding_of(image: Image, landmarks: Landmarks) -> Array:
    """(128,) of a face of an RGB photo: what came along with its landmarks, or else what its chip gives."""
    known = landmarks.embedding
    return embedding_of_chips(chip_of(image, landmarks.points)[None])[0] if known is None else known


def activations(chips: Image, threads: int = 1, device: str = "cpu") -> dict[str, NDArray[np.float32]]:
    """(N, 150, 150, 3) RGB -> `embedding` (N, 128) and what the net's layers before it say, by their names. `threads`
    share the chips, 0 for one per core; `device` is one of the settings'."""
    return _net(device).run({"chip": chips.transpose(0, 3, 1, 2)}, threads)


def load(device: str = "cpu") -> None:
    """Load the net now."""
    _net(device).load()


def distance(a: Array, b: Array) -> Array:
    """(..., 128) twice -> (...). About 0.16 for somebody and their mirror image, 0.85 for two people; dlib's own limit
    for "the same" is 0.6."""
    return np.asarray(np.linalg.norm(np.asarray(a) - np.asarray(b), axis=-1))


@cache
def _net(device: str) -> Session:
    """One for the whole process, whoever asks for that device."""
    return Session(weights.path("recognizer"), 0, split=True, device=device)
