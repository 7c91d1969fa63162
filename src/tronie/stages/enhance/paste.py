"""Compositing of enhanced faces: only what an enhancer added is laid over the photo, fading to the crop's border."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.geometry import Similarity, smoothstep
from tronie.types import Enhanced, Photo

FEATHER = 0.08
"""Share of the crop's side over which what is pasted fades in; the face lies well within."""
TINT = 1 / 8
"""Share of the crop's side: colours and light that vary more slowly than this stay the photo's."""
GREY, COLOURED = 3.0, 12.0
"""Mean spread between the channels of a crop without colour, and of one that surely has some, grey levels."""
SHOWN = 0.8
"""Share of the finest crop's resolution that the whole photo must have."""
MEGAPIXELS = 50.0
"""The enlarged photo is held below this."""


@lru_cache(maxsize=4)
def feather(side: int) -> NDArray[np.float32]:
    """(side, side) 0 at the border of a crop, 1 from FEATHER inwards; a half at FEATHER / 2."""
    u = (np.arange(side) + 0.5) / side
    near = np.minimum(u, 1 - u)
    return np.asarray(smoothstep(np.minimum(near[:, None], near[None]), 0, FEATHER), dtype=np.float32)


def matched(before: Image, after: Image) -> Image:
    """`after` in the colours and the light of `before`, both (S, S, 3).

    An enhancer's slow changes are tints, not detail: the photo knows them better, however small the face. A grey crop
    stays grey.
    """
    import cv2

    side = before.shape[0]
    change = after.astype(np.float32) - before
    if not change.any():
        return before
    # A quarter of the size is enough for what varies slowly.
    small = cv2.resize(change, (max(side // 4, 1),) * 2, interpolation=cv2.INTER_AREA)
    slow = cv2.GaussianBlur(small, (0, 0), TINT * small.shape[0], borderType=cv2.BORDER_REFLECT)
    change -= cv2.resize(slow, (side, side), interpolation=cv2.INTER_LINEAR)
    spread = float((before.max(axis=2).astype(np.float32) - before.min(axis=2)).mean())
    colour = float(np.clip((spread - GREY) / (COLOURED - GREY), 0, 1))
    if colour < 1:
        change = colour * change + (1 - colour) * (change @ LUMA.astype(np.float32))[..., None]
    return blended(before, change, 1.0)


def blended(before: Image, change: Array, share: float) -> Image:
    """`before` with a share, 0..1, of a change (S, S, 3) in grey levels."""
    return np.asarray(np.clip(np.rint(before + np.float32(share) * change), 0, 255), dtype=np.uint8)


def paste(image: Image, to_photo: Similarity, enhanced: Enhanced, others: Sequence[Enhanced] = ()) -> None:
    """Add what was enhanced to `image` (H, W, 3), in place; `to_photo` leads from its pixels to the photo's.

    Where the picture is finer than the crop it keeps its own detail, and where it is coarser what the crop holds is
    averaged. A net that changes nothing changes nothing. `others` are neighbours that are pasted as well: where crops
    overlap each has its share.
    """
    import cv2

    if not enhanced.accepted:
        return
    side = enhanced.after.shape[0]
    mask = feather(side) * _share(enhanced, others)
    change = (enhanced.after.astype(np.float32) - enhanced.before) * mask[..., None]
    to_image = enhanced.to_photo.then(to_photo.inverse())
    corners = to_image.apply([[0, 0], [side, 0], [side, side], [0, side]])
    height, width = image.shape[:2]
    x0, y0 = np.clip(np.floor(corners.min(axis=0)) - 1, 0, [width, height]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)) + 1, 0, [width, height]).astype(int)
    if x1 <= x0 or y1 <= y0:
        return
    size = side
    if to_image.scale < 0.8:
        size = max(round(side * to_image.scale), 1)
        change = np.asarray(cv2.resize(change, (size, size), interpolation=cv2.INTER_AREA))
    matrix = Similarity(side / size, 0, 0, 0).then(to_image).matrix
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5 - [x0, y0]  # OpenCV counts pixels from their centres
    part = cv2.warpAffine(
        change, matrix, (int(x1 - x0), int(y1 - y0)), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT
    )
    image[y0:y1, x0:x1] = np.clip(np.rint(image[y0:y1, x0:x1] + part), 0, 255).astype(np.uint8)


def _share(one: Enhanced, others: Sequence[Enhanced]) -> Array:
    """(S, S) float32: 1, less where the crops of others reach into this one; the shares of all add up to 1."""
    side = one.after.shape[0]
    corners = [[0, 0], [side, 0], [side, side], [0, side]]
    own = _tent(one, one)
    total = own.copy()
    for other in others:
        if other is one or not other.accepted:
            continue
        reach = one.to_photo.then(other.to_photo.inverse()).apply(corners)
        if (reach.max(axis=0) > 0).all() and (reach.min(axis=0) < other.after.shape[0]).all():
            total += _tent(one, other)
    return own / total


def _tent(frame: Enhanced, of: Enhanced) -> Array:
    """(S, S) float32 at the pixels of the one's crop: 1 in the middle of the other's, 0 from its border on."""
    at = np.arange(frame.after.shape[0]) + 0.5
    side = of.after.shape[0]
    grid = frame.to_photo.then(of.to_photo.inverse()).apply(np.stack(np.meshgrid(at, at), axis=-1)) / side
    return np.asarray(np.clip(2 * np.minimum(grid, 1 - grid).min(axis=-1), 0, 1), dtype=np.float32)


def pasted_square(enhanced: Enhanced) -> Similarity:
    """Photo pixels -> 0..1 where at least half of what was enhanced is pasted."""
    edge = FEATHER / 2
    unit = enhanced.to_photo.inverse().then(Similarity(1 / enhanced.after.shape[0], 0, -edge, -edge))
    return unit.then(Similarity(1 / (1 - 2 * edge), 0, 0, 0))


def enlarged(image: Image, factor: int) -> Image:
    """A copy of (H, W, 3), `factor` times as large (bicubic)."""
    import cv2

    if factor == 1:
        return image.copy()
    size = (image.shape[1] * factor, image.shape[0] * factor)
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def whole_photo(photo: Photo, faces: Sequence[Enhanced]) -> Image | None:
    """The photo with its enhanced faces, 1, 2 or 4 times as large, as the smallest of them needs; None without any."""
    accepted = [face for face in faces if face.accepted]
    if not accepted:
        return None
    factor = photo_factor(photo.image.shape[0] * photo.image.shape[1], [face.factor for face in accepted])
    image = enlarged(photo.image, factor)
    for face in accepted:
        paste(image, Similarity(1 / factor, 0, 0, 0), face, accepted)
    return image


def photo_factor(pixels: int, factors: Sequence[float]) -> int:
    """1, 2 or 4: the smallest that shows the finest of the crops, as far as MEGAPIXELS allow."""
    wanted = next((f for f in (1, 2) if f >= SHOWN * max(factors)), 4)
    while wanted > 1 and pixels * wanted**2 > MEGAPIXELS * 1e6:
        wanted //= 2
    return wanted
