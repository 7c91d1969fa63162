"""Fills what is lost of a photo with what stands beside it: smooth first, then out of patches like those around."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.stages.enhance.patches import REACH, match, vote

Mask = NDArray[np.bool_]

LARGEST = 3_000_000
"""Pixels of a photo that is filled as a whole; what is larger is filled at half its size first, then part by part."""
TILE, MARGIN = 512, 96
"""Side of such a part, and how far around it patches are looked for."""
NARROW = 6.0
"""Pixels from the edge of a hole to its middle, at most, where the search begins: the picture is halved until then."""
MOST_HALVED = 6
RADIUS, ROUNDS, TURNS = 48, 4, 3
"""How far patches are looked for, rounds of one search, and how often search and vote take turns."""
GUESSED = 0.03
"""How sure a pixel is that was filled, a known one being 1."""
GRAIN = 1.2
"""Spread of the blur above which all is grain, and comes from one patch: a mean of many has none."""
FLOW, BESIDE = 0.8, 4.0
"""Within so many pixels of what is known, `BESIDE`, shapes are as they flow in from there rather than as patches say;
`FLOW` is the spread of the blur that parts shapes from detail."""


def fill(photo: Image, mask: Array) -> Image:
    """RGB photo (H, W, 3) and how far each pixel is lost (H, W) 0..1 -> (H, W, 3) without what is lost. Where the mask
    is 0 nothing changes, from a half on nothing is kept."""
    hole = np.asarray(mask) > 0
    done = photo.copy()
    if hole.any() and not hole.all():
        share = np.minimum(2 * mask[hole], 1)[:, None]
        done[hole] = _rounded(photo[hole] + share * (_filled(photo, hole)[hole].astype(np.float32) - photo[hole]))
    return done


def _filled(photo: Image, hole: Mask) -> Image:
    import cv2

    height, width = hole.shape
    if height * width <= LARGEST or min(height, width) < 2 * TILE:
        return _rounded(_flowing(photo, hole, _levels(photo.astype(np.float32), hole, np.empty(0))))
    size = (width + 1) // 2, (height + 1) // 2
    known = cv2.resize((~hole).astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA)[..., None]
    small = cv2.resize(np.where(hole[..., None], 0, photo), size, interpolation=cv2.INTER_AREA)
    small = _rounded(small * (255 / np.maximum(known, 1).astype(np.float32)))
    guess = cv2.resize(_filled(small, known[..., 0] < 128), (width, height), interpolation=cv2.INTER_LINEAR)
    done, left = np.where(hole[..., None], guess, photo), hole.copy()
    for rows, columns, inner in _parts(hole.shape):
        if not left[inner].any():
            continue
        seen, within = done[rows, columns], left[rows, columns]
        shown = seen.astype(np.float32)
        part = _rounded(_flowing(seen, within, _levels(shown, within, shown)))
        y, x = inner[0].start - rows.start, inner[1].start - columns.start
        done[inner] = part[y:, x:][: inner[0].stop - inner[0].start, : inner[1].stop - inner[1].start]
        left[inner] = False  # what comes next sees it as known
    return done


def _flowing(photo: Image, hole: Mask, filled: Array) -> Array:
    """`filled` (h, w, 3) with the shapes that flow into narrow holes from both sides (Bertalmio et al., Navier-Stokes,
    Fluid Dynamics, and Image and Video Inpainting, 2001)."""
    import cv2

    away = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3)
    narrow = (hole & (away < 2 * BESIDE)).astype(np.uint8)
    shown = np.where(hole[..., None], _rounded(filled), photo)
    flown = cv2.inpaint(shown, narrow, 3, cv2.INPAINT_NS).astype(np.float32)
    change = cv2.GaussianBlur(np.where(hole[..., None], flown - filled, 0), (0, 0), FLOW)
    return np.asarray(filled + np.exp(-((away / BESIDE) ** 2))[..., None] * change)


def _parts(shape: tuple[int, ...]) -> Iterator[tuple[slice, slice, tuple[slice, slice]]]:
    """Rows and columns of each part with its margin, and the part itself."""
    for y in range(0, shape[0], TILE):
        for x in range(0, shape[1], TILE):
            inner = slice(y, min(y + TILE, shape[0])), slice(x, min(x + TILE, shape[1]))
            yield slice(max(y - MARGIN, 0), y + TILE + MARGIN), slice(max(x - MARGIN, 0), x + TILE + MARGIN), inner


def _rounded(image: Array) -> Image:
    return np.asarray(np.clip(np.rint(image), 0, 255), dtype=np.uint8)


def _levels(image: Array, hole: Mask, guess: Array) -> Array:
    """(h, w, 3) float32 filled from coarse to fine; with a `guess` of the hole only as it is, and at half the size."""
    import cv2

    pyramid = [(image, hole)]
    while len(pyramid) <= MOST_HALVED and min(hole.shape) > 8 * REACH:
        away = cv2.distanceTransform(hole.astype(np.uint8), cv2.DIST_L2, 3).max()
        if away <= NARROW or (len(guess) and len(pyramid) > 1):
            break
        image, known = _halved(image, hole)
        hole = known < 0.5
        pyramid.append((image, hole))
    image, hole = pyramid[-1]
    smooth = cv2.resize(guess, hole.shape[::-1], interpolation=cv2.INTER_AREA) if len(guess) else spread(image, hole)
    filled, near = _matched(np.where(hole[..., None], smooth, image), hole, None, len(pyramid) == 1)
    for image, hole in pyramid[-2::-1]:
        shape = hole.shape[::-1]
        larger = cv2.resize(filled, shape, interpolation=cv2.INTER_LINEAR)
        near = 2 * np.repeat(np.repeat(near, 2, 0), 2, 1)[: shape[1], : shape[0]]
        near[..., 0] += np.arange(shape[1])[:, None] % 2
        near[..., 1] += np.arange(shape[0]) % 2
        filled, near = _matched(np.where(hole[..., None], larger, image), hole, near, hole is pyramid[0][1])
    return filled


def _halved(image: Array, hole: Mask) -> tuple[Array, Array]:
    """What is known of (h, w, 3) at half the size, float32, and the share of each pixel that is known."""
    import cv2

    size = (hole.shape[1] + 1) // 2, (hole.shape[0] + 1) // 2
    known = cv2.resize((~hole).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    small = cv2.resize(np.where(hole[..., None], 0, image).astype(np.float32), size, interpolation=cv2.INTER_AREA)
    return np.asarray(small / np.maximum(known, 1e-3)[..., None], dtype=np.float32), np.asarray(known)


def spread(image: Array, hole: Mask) -> Array:
    """(h, w, 3): what is known, carried on smoothly into the hole: halved until nothing is missing, and back (Gortler
    et al., The Lumigraph, 1996)."""
    import cv2

    if not hole.any() or hole.all():
        return image
    small, known = _halved(image, hole)
    coarse = spread(small, known < 1e-3)
    larger = cv2.resize(coarse, hole.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(hole[..., None], larger, image).astype(np.float32)


def _matched(image: Array, hole: Mask, near: NDArray[np.int32] | None, last: bool) -> tuple[Array, NDArray[np.int32]]:
    """One level: `image` with a first guess in its hole -> with what patches say, and where they are (-1: nowhere)."""
    import cv2

    shape = hole.shape
    square = np.ones((2 * REACH + 1,) * 2, np.uint8)
    pad = ((REACH, REACH), (REACH, REACH))
    padded = np.ascontiguousarray(np.pad(image, (*pad, (0, 0)), mode="edge"), dtype=np.float32)
    lost = np.pad(hole, pad)
    outside = np.pad(np.zeros(shape, bool), pad, constant_values=True)
    source = cv2.dilate((lost | outside).astype(np.uint8), square, borderValue=1) == 0
    found = np.full((*lost.shape, 2), -1, np.int32)
    inner = slice(REACH, -REACH), slice(REACH, -REACH)
    if not source.any() or not hole.any():
        return image, found[inner]
    wanted = (cv2.dilate(lost.astype(np.uint8), square[: 2 * 2 + 1, : 2 * 2 + 1]) > 0) & ~outside
    targets = np.argwhere(wanted).astype(np.int64)
    closest = _closest(source)
    start = closest if near is None else _carried(near, source, closest)
    found[wanted] = start[wanted]
    weight = np.where(outside, 0, np.where(lost, GUESSED, 1)).astype(np.float32)
    far = np.zeros(lost.shape, np.float32)
    for _ in range(TURNS):
        match(padded, weight, source, targets, found, far, RADIUS, ROUNDS)
        width = np.float32(max(float(np.quantile(far[wanted], 0.5)), 1.0))
        vote(padded, lost, targets, found, far, width, np.zeros((*lost.shape, 4), np.float32))
    if last:
        y, x = np.nonzero(lost)
        other = np.zeros_like(padded)
        other[y, x] = padded[found[y, x, 0], found[y, x, 1]] - padded[y, x]
        padded += other - cv2.GaussianBlur(other, (0, 0), GRAIN)
    places = np.where(found >= 0, found - REACH, -1)
    return np.where(hole[..., None], padded[inner], image), places[inner]


def _closest(source: Mask) -> NDArray[np.int32]:
    """(h, w, 2) y, x of the source that is nearest to each pixel."""
    import cv2

    _, label = cv2.distanceTransformWithLabels(
        (~source).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    order = np.zeros((int(label.max()) + 1, 2), np.int32)
    places = np.argwhere(source)
    order[label[source]] = places
    return np.asarray(order[label])


def _carried(near: NDArray[np.int32], source: Mask, closest: NDArray[np.int32]) -> NDArray[np.int32]:
    """The places of a coarser level, doubled; where those are none, the closest source."""
    padded = np.pad(np.where(near >= 0, near + REACH, -1), ((REACH, REACH), (REACH, REACH), (0, 0)), constant_values=-1)
    y = np.clip(padded[..., 0], 0, source.shape[0] - 1)
    x = np.clip(padded[..., 1], 0, source.shape[1] - 1)
    good = (padded[..., 0] >= 0) & source[y, x]
    return np.where(good[..., None], padded, closest).astype(np.int32)
