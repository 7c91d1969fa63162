"""What a bust wears: the photo's clothes and skin where it shows them, the rest continued."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.head.model import Head
from tronie.head.neck_ring import UP_STEPS, above_ring, around
from tronie.raster.compositing import sampled
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.hair.bust import LID_ROWS, SPREAD
from tronie.stages.hair.neck import SKIN, welded_normals
from tronie.stages.hair.ring import enlarged, relaxed
from tronie.types import Fit, Photo

WIDTH, HEIGHT, COARSE = 1024, 512, 8
"""Of its picture, and how many times as large a cell of the grid is on which colours are continued."""
LID_SHARE = 0.1
"""Of the picture's height that its base below has."""
FACING = (0.1, 0.35)
"""Cosine to the view between which what the photo shows of it begins to count."""
RIM = 2
"""Pixels of the segmentation next to other things that are left out."""
CLOTH = (78.0, 82.0, 92.0)
"""Where no photo shows any."""
NECKLINE = 1.7, 2.5
"""Loops between which skin gives way to cloth where nobody sees it."""
SOFT = 1.3
"""Loops below the ring over which skin goes from the head's colours to the photo's."""
ARMS = 4.2
"""Loops below the ring from which on skin that begins there is that of arms."""
NEAR = 0.9
"""Loops below the ring as far as which the neck above it is seen as in a mirror."""
MIRRORED = 0.4
"""How much what is seen on the other side counts."""
CLOSING, AHEAD = 110.0, (0.11, 0.16)
"""Rows within which what goes on below the photo comes together by e; how far from the front that is, by the width."""
GAIN = (0.6, 1.6)
"""Of cloth without the photo's light, by the head's mean."""
GRAIN = (1.2, 4.0)
"""Levels, RMS, of the fine grain of cloth that is not seen."""


@dataclass(frozen=True, eq=False)
class Worn:
    """A bust's picture."""

    image: Image
    """(HEIGHT, WIDTH, 4)."""
    unlit: Image | None
    cloth: Array
    """(HEIGHT, WIDTH) 0..1: cloth rather than skin."""
    seen: float
    """0..1: share of it that the photo shows."""


def row_places(count: int) -> Array:
    """(K,) v of the rows of a bust: its base gets LID_SHARE."""
    outer = count - LID_ROWS
    return np.concatenate([np.linspace(0, 1 - LID_SHARE, outer), np.linspace(1 - LID_SHARE, 1, LID_ROWS + 1)[1:]])


def worn(
    rows: Array,
    head: Head,
    texture: Image | None,
    albedo: Image | None = None,
    seen: tuple[Photo, Fit, Segmentation, Array] | None = None,
) -> Worn:
    """The picture of a bust of rows (K, R, 3). `seen`: a photo of the person, where the head lies in it, what its
    pixels are, and the same rows in its camera."""
    count = len(rows)
    v = row_places(count)
    loop = np.interp((np.arange(HEIGHT) + 0.5) / HEIGHT, v, np.arange(count) / SPREAD)[:, None].astype(np.float32)
    neck = ring_colors(head, texture)
    photo = np.zeros((HEIGHT, WIDTH, 3), np.float32)
    cloth, skin = np.zeros((HEIGHT, WIDTH), np.float32), np.zeros((HEIGHT, WIDTH), np.float32)
    beyond = np.zeros((HEIGHT, WIDTH), np.bool_)
    if seen is not None:
        photo, cloth, skin, beyond = from_photo(v, *seen)
    cloth, skin = without_arms(cloth, skin, loop)
    level = coarse(np.broadcast_to(loop, cloth.shape)[..., None])[..., 0]
    mixed, fill = continuation(photo, cloth, skin, neck, level)
    base = fill[1] + mixed[..., None] * (fill[0] - fill[1])
    carry_on(base, photo, cloth + skin, beyond)
    base += (mixed * grain(photo, cloth))[..., None]
    # The photo, as far as it shows it; skin near the ring is the head's, or its light would end in a line.
    weight = cloth * smoothstep(loop, 0.0, 0.25) + skin * smoothstep(loop, 0.2, SOFT)
    out = base + weight[..., None] * (photo - base)
    top = slice(0, int(np.searchsorted(loop[:, 0], NEAR)))
    low = (1 - smoothstep(loop[top], 0.1, NEAR)) * (1 - cloth[top] * smoothstep(loop[top], 0.0, 0.25))
    out[top] += low[..., None] * (above(neck, loop[top]) - out[top])
    image = with_alpha(out)
    unlit = None
    if albedo is not None:
        bright = ring_colors(head, albedo)
        ratio = around(bright.mean(axis=0) / np.maximum(neck.mean(axis=0), 1), 16)
        means = [np.maximum(picture.mean(axis=(0, 1)), 1.0) for picture in (albedo, texture) if picture is not None]
        far = np.clip(means[0] / means[-1], *GAIN)
        turn = smoothstep(loop, 0.5, 3.0)[..., None]
        unlit = with_alpha(out * (ratio[None] + turn * (far - ratio[None])))
    body = loop[:, 0] < (count - LID_ROWS - 1) / SPREAD
    return Worn(image, unlit, mixed, float((cloth + skin)[body].mean()))


def without_arms(cloth: Array, skin: Array, loop: Array) -> tuple[Array, Array]:
    """Cloth and skin (HEIGHT, WIDTH) without skin that reaches neither neck nor shoulders, and what is
    right beside it: arms and hands before the body."""
    import cv2

    small = (coarse(skin[..., None])[..., 0] > 0.2).astype(np.uint8)
    count, labels = cv2.connectedComponents(small, connectivity=4)
    high = np.unique(labels[coarse(loop)[:, 0, 0] < ARMS])
    gone = np.setdiff1d(np.arange(1, count), high)
    if not len(gone):
        return cloth, skin
    away = cv2.dilate(np.isin(labels, gone).astype(np.uint8), np.ones((5, 5), np.uint8)).astype(np.float32)
    kept = 1 - np.asarray(cv2.resize(away, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR))
    return np.asarray(cloth * kept), np.asarray(skin * kept)


def continuation(
    photo: Array, cloth: Array, skin: Array, neck: Array, level: Array
) -> tuple[Array, tuple[Array, Array]]:
    """What is cloth rather than skin (HEIGHT, WIDTH), and the slow colours of both (HEIGHT, WIDTH, 3), everywhere, from
    where the photo shows them. `level` (r, c) are the loops on the coarse grid."""
    small = [coarse(part[..., None])[..., 0] for part in (cloth, skin)]
    total = small[0] + small[1]
    # Who shows skin and no cloth has bare shoulders.
    bare = float(small[0].sum()) < 0.04 * float(total.sum()) and float(total.sum()) > 20
    usual = np.where(bare, 0.0, smoothstep(level, *NECKLINE))
    share = continued(small[0][..., None], total, usual[..., None], 0.03)[..., 0]
    values = coarse(photo * cloth[..., None])
    dressed = continued(values, small[0], usual_cloth(values, small[0], level), 0.01)
    away, hold = smoothstep(level, 0.2, SOFT), 4 * np.exp(-((level / 0.5) ** 2))
    values = coarse(photo * skin[..., None]) * away[..., None] + hold[..., None] * shrunk(neck)
    bared = continued(values, small[1] * away + hold, neck.mean(axis=(0, 1)), 0.002)
    mixed = smoothstep(large(share[..., None])[..., 0], 0.35, 0.65)
    return np.asarray(mixed), (large(dressed), large(bared))


def usual_cloth(values: Array, weight: Array, level: Array) -> Array:
    """(3,) the colour of most of the cloth seen, rather that of the shoulders than of the collar."""
    w = weight * (0.1 + smoothstep(level, 2.0, 4.0))
    there = w > 0.05
    if there.sum() < 5:
        return np.array(CLOTH)
    colors = values[there] / weight[there][:, None]
    order = np.argsort(colors, axis=0)
    half = (np.cumsum(w[there][order], axis=0) < w[there].sum() / 2).sum(axis=0)
    return np.asarray(np.take_along_axis(colors, order, axis=0)[half, range(3)])


def carry_on(base: Array, photo: Array, shown: Array, beyond: NDArray[np.bool_]) -> None:
    """Draw into `base` (HEIGHT, WIDTH, 3) what lies below the photo's lower border: what is seen above it goes on
    downwards, closer and closer together, as jackets close over shirts."""
    import cv2

    reach = int(AHEAD[1] * WIDTH) + 1
    part = slice(WIDTH // 2 - reach, WIDTH // 2 + reach)
    photo, shown, beyond = photo[:, part], shown[:, part], beyond[:, part]
    if not beyond.any():
        return
    across = (np.arange(2 * reach) + 0.5 - reach).astype(np.float32)
    front = 1 - smoothstep(np.abs(across) / WIDTH, *AHEAD)
    rows = np.arange(HEIGHT, dtype=np.float32)[:, None]
    # The border's row in each column; where there is none, below everything.
    last = np.where(beyond.any(axis=0), beyond.argmax(axis=0), HEIGHT).astype(np.float32)
    last = np.asarray(cv2.medianBlur(last[None], 5), np.float32)[0]
    below = rows - last
    source = (across * np.exp(np.clip(below, 0, 400) / CLOSING) + reach - 0.5).astype(np.float32)
    weight = np.asarray(cv2.blur(shown, (5, 13)), np.float32)
    mean = np.asarray(cv2.blur(photo * shown[..., None], (5, 13)), np.float32) / np.maximum(weight, 1e-3)[..., None]
    at = np.asarray(cv2.remap(last[None], source, 0 * source, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)) - 9
    pair = np.dstack([mean, weight]).astype(np.float32)
    found = np.asarray(cv2.remap(pair, source, at.astype(np.float32), cv2.INTER_LINEAR), np.float32)
    there = smoothstep(found[..., 3], 0.5, 0.9) * front * smoothstep(below, -8.0, 4.0) * (last < HEIGHT)
    base[:, part] += there[..., None] * (found[..., :3] - base[:, part])


def with_alpha(colors: Array) -> Image:
    whole = np.full((*colors.shape[:2], 1), 255, np.uint8)
    return np.concatenate([np.clip(colors + 0.5, 0, 255).astype(np.uint8), whole], axis=-1)


def ring_colors(head: Head, texture: Image | None) -> Array:
    """(UP_STEPS + 1, WIDTH, 3) of the neck above the ring."""
    places = above_ring(head.model, WIDTH // 4)
    if texture is None or places is None:
        return np.broadcast_to(np.array(SKIN, np.float32), (UP_STEPS + 1, WIDTH, 3))
    found = sampled(texture, places.reshape(-1, 2) * np.array(texture.shape[1::-1])).reshape(*places.shape[:2], 3)
    wide = enlarged(found.astype(np.float32).reshape(UP_STEPS + 1, -1, 3), (WIDTH, UP_STEPS + 1))
    return np.asarray(wide, np.float32)


def shrunk(neck: Array) -> Array:
    """(1, WIDTH / COARSE, 3) the mean of the neck's colours."""
    return np.asarray(neck.mean(axis=0).reshape(-1, COARSE, 3).mean(axis=1)[None])


def above(neck: Array, loop: Array) -> Array:
    """(R, WIDTH, 3): the neck above the ring, as in a mirror, at rows (R, 1) so many loops below it."""
    at = np.minimum(loop[:, 0] * 4, UP_STEPS - 1e-3)
    low = at.astype(int)
    share = (at - low)[:, None, None]
    return np.asarray(neck[low] * (1 - share) + neck[low + 1] * share)


def from_photo(
    v: Array, photo: Photo, fit: Fit, segmentation: Segmentation, rows: Array
) -> tuple[Array, Array, Array, NDArray[np.bool_]]:
    """Colours (HEIGHT, WIDTH, 3) of the photo on a bust whose rows lie so in its camera, how much of each texel is
    cloth and skin that it shows (HEIGHT, WIDTH), 0..1, and what lies below its border."""
    import cv2

    normals = welded_normals(rows)
    facing = -(normals * rows).sum(axis=-1) / np.linalg.norm(rows, axis=-1)
    pixels = fit.camera.project(rows)
    grid = np.concatenate([pixels, facing[..., None]], axis=-1).astype(np.float32)
    grid = np.concatenate([grid, grid[:, :1]], axis=1)
    x = ((np.arange(WIDTH, dtype=np.float32) + 0.5) / WIDTH * (grid.shape[1] - 1)).astype(np.float32)
    y = np.interp((np.arange(HEIGHT) + 0.5) / HEIGHT, v, np.arange(len(rows))).astype(np.float32)
    empty = np.zeros((HEIGHT, WIDTH, 3), np.float32), *np.zeros((2, HEIGHT, WIDTH), np.float32)
    nowhere = np.zeros((HEIGHT, WIDTH), np.bool_)
    # Only the columns that turn to the camera.
    ahead = np.flatnonzero(cv2.remap(grid[..., 2].max(axis=0)[None], x[None], 0 * x[None], cv2.INTER_LINEAR)[0] > 0)
    if not len(ahead):
        return *empty, nowhere
    first, last = int(ahead[0]), int(ahead[-1]) + 1
    x = x[first:last]
    flat = cv2.remap(grid, np.tile(x, (HEIGHT, 1)), np.tile(y[:, None], (1, len(x))), cv2.INTER_LINEAR)
    faces = np.asarray(smoothstep(np.asarray(flat[..., 2], np.float32), *FACING), np.float32)
    known = faces > 0
    at = flat[..., :2]
    height, width = photo.image.shape[:2]
    known &= (at[..., 0] > 1) & (at[..., 0] < width - 1) & (at[..., 1] > 1) & (at[..., 1] < height - 1)
    if not known.any():
        return *empty, nowhere
    # Shares of the segmentation, a little within what they are of.
    named = {name: k for k, name in enumerate(SEGMENTS)}
    shares = segmentation.shares
    body = shares[named["body"]].astype(np.int32)
    dressed = shares[named["clothes"]].astype(np.int32) + shares[named["covering"]]
    own = np.minimum(body + dressed, 255).astype(np.uint8)
    own = np.asarray(cv2.erode(own, np.ones((2 * RIM + 1,) * 2, np.uint8), borderValue=255))
    ratio = (255 * dressed / np.maximum(body + dressed, 1)).astype(np.uint8)
    to = segmentation.to_photo.inverse().matrix.astype(np.float32)
    place = at @ to[:, :2].T + (to[:, 2] - 0.5)
    none: Any = None
    both = cv2.remap(
        np.dstack([own, ratio]), place, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=0
    )
    both = np.asarray(both, np.float32) / 255
    weight = np.where(known, faces * smoothstep(both[..., 0], 0.5, 0.8), 0).astype(np.float32)
    inside = np.where(known[..., None], at, np.float32(0))
    x0, y0 = np.maximum(np.floor(at[known].min(axis=0)).astype(int) - 2, 0)
    x1, y1 = np.ceil(at[known].max(axis=0)).astype(int) + 2
    part = photo.image[y0:y1, x0:x1]
    # No finer than the picture.
    texel = texel_of(at, known)
    by = 1.0
    if texel > 1.4:
        size = max(int(part.shape[1] / texel), 2), max(int(part.shape[0] / texel), 2)
        by = size[0] / part.shape[1]
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA))
    spot = (inside - np.array([x0, y0], np.float32)) * np.float32(by) - np.float32(0.5)
    colors = np.asarray(cv2.remap(part, spot, none, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE), np.float32)
    dressed_share = np.asarray(smoothstep(both[..., 1], 0.3, 0.7), np.float32)
    side = segmentation.shares.shape[1]
    beyond = (faces > 0) & ((at[..., 1] >= height - 1) | (place[..., 1] > side - 2)) & (y[:, None] > 2 * SPREAD)
    nowhere[:, first:last] = beyond
    for out, found in zip(empty, (colors, weight * dressed_share, weight * (1 - dressed_share)), strict=True):
        out[:, first:last] = found
    return *empty, nowhere


def texel_of(at: NDArray[Any], known: NDArray[np.bool_]) -> float:
    """Pixels of the photo to a texel, the usual."""
    step = np.abs(np.diff(at[::16], axis=1)).max(axis=-1)[known[::16, 1:]]
    return float(np.median(step)) if len(step) else 1.0


def coarse(values: Array) -> Array:
    """(HEIGHT / COARSE, WIDTH / COARSE, k) the means."""
    import cv2

    size = (WIDTH // COARSE, HEIGHT // COARSE)
    return np.asarray(cv2.resize(values, size, interpolation=cv2.INTER_AREA), np.float64).reshape(size[1], size[0], -1)


def large(values: Array) -> Array:
    return enlarged(values.astype(np.float32), (WIDTH, HEIGHT))


def continued(values: Array, weight: Array, prior: Array, prior_weight: float) -> Array:
    """(r, c, k): sums of weighted values (r, c, k) and their weights (r, c), spread over the whole surface; what the
    other side shows counts where this side shows nothing."""
    twin, other = values[:, ::-1], weight[:, ::-1]
    need = MIRRORED * np.maximum(1 - weight, 0)
    total = weight + need * other
    mean = (values + need[..., None] * twin) / np.maximum(total, 1e-6)[..., None]
    # The membrane's pole is its first row: here the last.
    flipped = [np.concatenate([part, part[:, :1]], axis=1)[::-1] for part in (mean, total)]
    far = np.broadcast_to(prior, mean.shape)
    far = np.concatenate([far, far[:, :1]], axis=1)[::-1]
    out = far + relaxed(flipped[0] - far, flipped[1] * 4, 0.0, prior_weight)
    return np.ascontiguousarray(out[::-1, :-1])


def grain(photo: Array, cloth: Array) -> Array:
    """(HEIGHT, WIDTH) levels: fine noise as strong as that of the cloth seen, always the same."""
    import cv2

    strength = GRAIN[0]
    if (there := cloth > 0.9).sum() > 400:
        light = photo.mean(axis=-1)
        fine = light - np.asarray(cv2.blur(light, (5, 5)), np.float32)
        strength = float(np.clip(1.2 * np.median(np.abs(fine[there])), *GRAIN))
    noise = np.random.default_rng(7).standard_normal((256, 256)).astype(np.float32)
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.7, borderType=cv2.BORDER_REFLECT), np.float32)
    noise *= strength / noise.std()
    return np.tile(noise, (HEIGHT // 256, WIDTH // 256))
