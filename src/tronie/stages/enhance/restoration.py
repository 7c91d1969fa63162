"""An old photograph restored: the nouns, and how the photo is put together from what was made of its parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.shells import Segmentation
from tronie.stages.enhance.fading import Fading
from tronie.stages.enhance.grain import Grain
from tronie.stages.enhance.paste import enlarged, feather, paste, photo_factor
from tronie.types import Enhanced, Face, Photo, Unmeasured

CHANGES: tuple[str, ...] = ("kept", "filled", "enhanced")
"""What a pixel of a restored photo is: the photo's own, its tones and its grain apart; filled in where the photo was
damaged; of a face into which super-resolution put detail."""
COLOURED: tuple[str, ...] = ("grey", "skin", "lips", "hair", "eyes", "cloth")
"""What a pixel of a coloured photo was taken for: nothing that would be known, so it is grey or gently toned; ..."""

WORN, THIN = 0.4, 0.25
"""Share of a mark that lies within clothes from which it may belong to them, and how thick it is then at most, by the
root of its pixels, to be damage: a crack of a hundred by ten has 0.16, a disc 0.56."""


@dataclass(frozen=True, slots=True)
class Colouring:
    """Colours for a grey photo. They are invented."""

    image: Image
    """(H, W, 3): the restored photo with them."""
    parts: Image
    """(H, W) uint8: indices into COLOURED."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """What became of an old photograph."""

    photo: Photo
    """As it came."""
    image: Image
    """(H, W, 3): restored, `factor` times as large."""
    factor: int
    """1, 2 or 4."""
    changes: Image
    """(H, W) uint8, as large as `image`: indices into CHANGES."""
    damage: float
    """0..1: share of the photo that was filled in."""
    fading: Fading
    grain: Grain
    faces: tuple[Face, ...] = ()
    """Largest first, with their landmarks and what was made of them."""
    unmeasured: tuple[Unmeasured, ...] = ()
    """Faces that were seen but could not be measured."""
    colouring: Colouring | None = None
    """Where it was asked for, and the photo is grey."""
    timings: Mapping[str, float] = field(default_factory=dict)
    """Stage name -> seconds."""

    @property
    def enhanced(self) -> list[Face]:
        """The faces that super-resolution put detail into."""
        return [face for face in self.faces if face.enhanced is not None and face.enhanced.accepted]


def clothes_spared(damage: Array, matter: Sequence[Segmentation]) -> Array:
    """(H, W) 0..1 without what lies within clothes and is no thin line: collars, buttons and medals are no flakes."""
    import cv2

    if not matter or not damage.any():
        return damage
    clothes = np.zeros(damage.shape, np.float32)
    for one in matter:
        matrix = one.to_photo.matrix.copy()
        matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV counts pixels from their centres
        there = cv2.warpAffine(one.share("clothes", "covering"), matrix, damage.shape[::-1], flags=cv2.INTER_LINEAR)
        np.maximum(clothes, there, out=clothes)
    marked = (damage > 0).astype(np.uint8)
    count, label = cv2.connectedComponents(marked, connectivity=8)
    flat = np.asarray(label, dtype=np.int64).ravel()
    pixels = np.maximum(np.bincount(flat, minlength=count), 1)
    within = np.bincount(flat, clothes.ravel(), count) / pixels
    thick = np.zeros(count, np.float32)
    np.maximum.at(thick, flat, cv2.distanceTransform(marked, cv2.DIST_L2, 3).ravel())
    side = np.sqrt(pixels)
    spared = (within > WORN) & (thick > THIN * side)
    spared[0] = False
    return np.where(spared[label], np.float32(0), damage)


def put_together(toned: Image, clean: Image, damage: Array, faces: Sequence[Enhanced]) -> tuple[Image, Image]:
    """The restored photo and its map of changes, both `photo_factor` times as large as the photo (H, W, 3) that is
    given twice: with its tones, and also with less grain. What was enhanced was made from the former, and has some of
    its grain. `damage` (H, W) 0..1."""
    accepted = [face for face in faces if face.accepted]
    height, width = toned.shape[:2]
    # One face in the distance is no reason to make four times as much of everything.
    factor = photo_factor(height * width, [float(np.median([face.factor for face in accepted]))]) if accepted else 1
    within, base = np.zeros((height, width), np.float32), clean.copy()
    for face in accepted:
        _lay(within, face)
    rows = within.any(axis=1)  # of a large scan floats of all of it would fill the memory
    some = clean[rows].astype(np.float32)
    base[rows] = np.rint(some + within[rows][..., None] * (toned[rows] - some))
    image = enlarged(base, factor)
    for face in accepted:
        paste(image, Similarity(1 / factor, 0, 0, 0), face, accepted)
    changes = np.where(within > 0.5, CHANGES.index("enhanced"), 0).astype(np.uint8)
    changes[(damage > 0.5) & (changes == 0)] = CHANGES.index("filled")
    return image, changes.repeat(factor, axis=0).repeat(factor, axis=1)


def _lay(within: Array, face: Enhanced) -> None:
    """Where a face is pasted, and how far, into (H, W)."""
    import cv2

    matrix = face.to_photo.matrix.copy()
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV counts pixels from their centres
    size = within.shape[1], within.shape[0]
    np.maximum(within, cv2.warpAffine(feather(len(face.after)), matrix, size, flags=cv2.INTER_LINEAR), out=within)
