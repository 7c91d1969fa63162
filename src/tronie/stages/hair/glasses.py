"""Glasses as a surface of their own: rims, bridge and arms, and dark lenses, where the photo shows glasses.

The segmentation's glasses are looked up on a slightly bent surface before the eyes, a cell a millimetre, so they are
seen from the front however the head is turned. Both lenses get one outline, the mean of what both sides show.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import transform
from tronie.head.materials import look_of_shell
from tronie.head.model import Head
from tronie.raster.compositing import sampled
from tronie.shells import Segmentation, Shell
from tronie.types import Fit, Photo

Ints = NDArray[np.int32]

LEFT, RIGHT, BOTTOM, TOP = -74, 74, -48, 34
"""mm: the part of the surface that is looked at."""
BEFORE_MM, BENT = 24.0, 1 / 420
"""How far before the eyes' centres the surface lies in the middle, and how much it bends back to the sides."""
LENS_MM2 = 250
"""A lens that is smaller is none."""
CORNERS, SIDES = 40, 6
"""Of an outline, and of a tube."""
THIN, THICK = 0.7, 2.2
"""mm: least and largest radius of a rim."""
PALER = 1.6
"""How much more a rim differs from skin than its blurred line in the photo."""
DARK = 0.45
"""Lightness of lenses by that of the skin around them below which they are painted: sunglasses."""
EAR = 10.0, -66.0
"""y and z on the mean head where an arm lies on the ear."""


def glasses_shell(photo: Photo, head: Head, fit: Fit, segmentation: Segmentation) -> Shell | None:
    """None where the photo shows none, or too little of them."""
    x, y = np.meshgrid(np.arange(LEFT, RIGHT) + 0.5, np.arange(TOP, BOTTOM, -1) - 0.5)
    before = _before(head)
    plane = np.stack([x, y, depth(x, before)], axis=-1)
    pixels = fit.camera.project(transform(fit.head_to_camera, plane.reshape(-1, 3)))
    place = segmentation.to_photo.inverse().apply(pixels)
    share = sampled(np.ascontiguousarray(segmentation.share("glasses")[..., None]), place).reshape(x.shape)
    found = outline_of(share)
    if found is None:
        return None
    centre, radii = found
    picture = sampled(photo.image, pixels).reshape(*x.shape, 3)
    frame, radius, radii = _rim(picture, centre, radii)
    inside = np.zeros(x.shape, bool)
    for side in (1, -1):
        inside |= _within(x * side, y, centre, 0.75 * radii)
    around = (share < 0.1) & (y > BOTTOM + 4) & (y < -18) & (np.abs(x) < 50)
    lens = np.median(picture[inside], axis=0)
    skin = np.median(picture[around], axis=0) if around.any() else np.full(3, 160.0)
    dark = bool(lens.mean() < DARK * skin.mean())
    return _built(head, before, centre, radii, radius, frame, lens if dark else None)


def depth(x: Array, before: float = BEFORE_MM) -> Array:
    """z of the surface at x, mm, where it lies `before` the eyes' centres in the middle."""
    return np.asarray(before - BENT * np.asarray(x) ** 2)


def _before(head: Head) -> float:
    """Clear of brows and cheeks."""
    x, y, z = head.neutral.T
    rim = (np.abs(x) > 14) & (np.abs(x) < 52) & (y > -22) & (y < 24) & (z > 0)
    return max(BEFORE_MM, float((z + BENT * x**2)[rim].max(initial=0)) + 1.0)


def outline_of(share: Array) -> tuple[Array, Array] | None:
    """Of glasses seen from the front (rows from TOP down, columns from LEFT): the middle (2,) of the lens on the side
    of +x, and its radii (CORNERS,) counter-clockwise from +x, mm."""
    lenses = []
    for side in (1, -1):
        half = share[:, -LEFT:] if side > 0 else share[:, :-LEFT][:, ::-1]
        mask = half > 0.5
        height = mask.sum(axis=0)
        # Bridge and arm are lower than the lens is.
        tall = np.flatnonzero(height > 0.5 * height.max(initial=0))
        if height.sum() < LENS_MM2 or not len(tall):
            continue
        first, last = max(int(tall[0]), 4), int(tall[-1])
        lens = mask.copy()
        lens[:, :first], lens[:, last + 1 :] = False, False
        rows = np.nonzero(lens)[0]
        if len(rows) < LENS_MM2:
            continue
        centre = np.array([(first + last + 1) / 2, TOP - (rows.min() + rows.max() + 1) / 2])
        turn = 2 * np.pi * np.arange(CORNERS) / CORNERS
        far = np.arange(2.0, 40.0, 0.5)
        places = centre + far[:, None, None] * np.stack([np.cos(turn), np.sin(turn)], axis=-1)
        at = (
            np.clip(places[..., 0], 0, half.shape[1] - 1).astype(int),
            np.clip(TOP - places[..., 1], 0, len(half) - 1).astype(int),
        )
        hit = lens[at[1], at[0]]
        lenses.append((float(len(rows)), centre, np.where(hit, far[:, None], 2.0).max(axis=0)))
    if not lenses:
        return None
    most = max(size for size, _, _ in lenses)
    kept = [one for one in lenses if one[0] > 0.6 * most]
    centre = np.mean([c for _, c, _ in kept], axis=0)
    radii = np.mean([r for _, _, r in kept], axis=0)
    wave = np.fft.rfft(radii)
    wave[7:] = 0  # what is finer is the mask's
    return centre, np.fft.irfft(wave, CORNERS)


def _within(x: Array, y: Array, centre: Array, radii: Array) -> NDArray[np.bool_]:
    turn = np.arctan2(y - centre[1], x - centre[0]) % (2 * np.pi)
    limit = np.interp(turn, 2 * np.pi * np.arange(CORNERS + 1) / CORNERS, np.append(radii, radii[0]))
    return np.asarray(np.hypot(x - centre[0], y - centre[1]) < limit)


def _rim(picture: Array, centre: Array, radii: Array) -> tuple[Array, float, Array]:
    """Colour (3,) of the rim, the radius of its tube, and where it runs (CORNERS,), from a view (h, w, 3) from the
    front: what stands out most across the outline; below the brows, which are dark as well."""
    turn = 2 * np.pi * np.arange(CORNERS) / CORNERS
    across = np.arange(-8.0, 4.0, 0.5)
    reach = radii[:, None] + across
    y = centre[1] + reach * np.sin(turn)[:, None]
    rows = np.clip(TOP - y, 0, picture.shape[0] - 1).astype(int)
    found = []
    for side in (1, -1):
        x = side * (centre[0] + reach * np.cos(turn)[:, None])
        found.append(picture[rows, np.clip(x - LEFT, 0, picture.shape[1] - 1).astype(int)].astype(np.float64))
    light = np.stack([f.mean(axis=-1) for f in found])
    off = light / np.maximum(np.median(light, axis=2, keepdims=True), 1) - 1
    low = np.sin(turn) < 0.2
    dark = -off[:, low].min(axis=2).mean() >= 0.4 * off[:, low].max(axis=2).mean()
    score = (-off if dark else off).mean(axis=0)
    score = np.sum([np.roll(score, k, axis=0) for k in (-2, -1, 0, 1, 2)], axis=0)
    best = np.where(low, score.argmax(axis=1), -1)
    usual = int(np.median(best[low]))
    best = np.where(low & (np.abs(best - usual) <= 5), best, usual)
    near = np.clip(best[low, None] + np.arange(-3, 4), 0, len(across) - 1)
    strips = np.concatenate([f[low][np.arange(low.sum())[:, None], near] for f in found])
    most = (strips.mean(axis=-1) * (1 if dark else -1)).argmin(axis=1)
    colours = strips[np.arange(len(strips)), most]
    wide = 0.5 * (score[low] > score[low].max(axis=1, keepdims=True) / 2).sum(axis=1)
    # The photo's blur makes a line wider and paler than it is.
    skin = np.median(np.concatenate([f[low].reshape(-1, 3) for f in found]), axis=0)
    colour = np.quantile(colours, 0.3 if dark else 0.7, axis=0)
    wave = np.fft.rfft(radii + across[best])
    wave[6:] = 0
    radius = float(np.clip(0.32 * np.median(wide), THIN, THICK))
    return np.clip(skin + PALER * (colour - skin), 0, 255), radius, np.fft.irfft(wave, CORNERS)


def _built(
    head: Head, before: float, centre: Array, radii: Array, radius: float, frame: Array, lens: Array | None
) -> Shell:
    turn = 2 * np.pi * np.arange(CORNERS) / CORNERS
    ring = centre + radii[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])
    parts = []
    for side in (1, -1):
        rim = np.column_stack([side * ring[:, 0], ring[:, 1], depth(ring[:, 0], before)])
        parts.append(tube(rim, radius, closed=True))
    high = ring[:, 1] > centre[1]
    inner = ring[high][ring[high][:, 0].argmin()]
    x = np.linspace(-inner[0], inner[0], 9)
    arch = inner[1] + 2.0 * (1 - (x / max(inner[0], 1e-3)) ** 2)
    parts.append(tube(np.column_stack([x, arch, depth(x, before) + 1.0]), radius, closed=False))
    outer = ring[high][ring[high][:, 0].argmax()]
    mean = head.model.level(head.level).apply(head.model.mean)
    near = (np.abs(mean[:, 1] - EAR[0]) < 6) & (np.abs(mean[:, 2] - EAR[1]) < 8) & (np.abs(mean[:, 0]) > 55)
    for side in (1, -1):
        ear = head.neutral[near & (side * mean[:, 0] > 0)]
        if not len(ear):
            continue
        middle = ear.mean(axis=0)
        wide = float(np.abs(ear[:, 0]).max()) + 1.5
        start = np.array([side * outer[0], outer[1], float(depth(outer[0], before))])
        rest = np.array([side * wide, middle[1] + 3, middle[2]])
        # Straight to the ear, clear of the temple, and down behind it.
        hinge = np.array([side * max(outer[0] + 3, wide - 5), outer[1], float(depth(outer[0], before)) - 4])
        line = [start, hinge, *(hinge + t * (rest - hinge) for t in (0.25, 0.5, 0.75, 1.0))]
        line += [rest + np.array([-side * 1.0, -4.0, -9.0]), rest + np.array([-side * 3.0, -16.0, -16.0])]
        parts.append(tube(np.array(line), max(0.8 * radius, THIN), closed=False))
    pieces = [np.concatenate([p[k] for p in parts]) for k in range(2)]
    starts = np.cumsum([0, *(len(p[0]) for p in parts)])
    grids = [(start, *p[2:]) for start, p in zip(starts, parts, strict=False)]
    vertices, normals = pieces
    triangles = [
        np.concatenate([_grid(start, rings, closed, along, around) for start, rings, closed in grids])
        for along, around in ((1, 1), (2, 2), (4, 3))
    ]
    uv = np.broadcast_to(np.array([0.25, 0.5]), (len(vertices), 2))
    image = np.full((8, 16, 4), 255, np.uint8)
    image[..., :3] = np.clip(frame, 0, 255)
    if lens is not None:
        image[:, 8:, :3] = np.clip(lens, 0, 255)
        for side in (1, -1):
            edge = np.column_stack([side * ring[:, 0], ring[:, 1], depth(ring[:, 0], before)])
            fan = np.concatenate([[edge.mean(axis=0)], edge])
            k = np.arange(CORNERS)
            out = np.stack([np.zeros_like(k), 1 + k, 1 + (k + 1) % CORNERS], axis=1)
            out = out if side > 0 else out[:, ::-1]
            for way in (1, -1):  # seen from both sides
                rows = (len(vertices) + (out if way > 0 else out[:, ::-1])).astype(np.int32)
                triangles = [np.concatenate([t, rows]) for t in triangles]
                vertices = np.concatenate([vertices, fan])
                normals = np.concatenate([normals, np.broadcast_to([0.0, 0.0, float(way)], fan.shape)])
                uv = np.concatenate([uv, np.broadcast_to(np.array([0.75, 0.5]), (len(fan), 2))])
    return Shell(
        "glasses",
        np.ascontiguousarray(vertices, np.float32),
        np.ascontiguousarray(normals, np.float32),
        triangles[0],
        np.ascontiguousarray(uv, np.float32),
        image,
        (triangles[1], triangles[2]),
        roughness=look_of_shell("glasses").roughness,
    )


def tube(line: Array, radius: float, closed: bool) -> tuple[Array, Array, int, bool]:
    """Vertices (N * SIDES, 3) and normals of a tube around a line (N, 3), the number of its rings, and whether it is
    closed."""
    ends = np.concatenate([line[-1:], line, line[:1]]) if closed else line[[0, *range(len(line)), -1]]
    along: Array = ends[2:] - ends[:-2]
    along = along / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-9)
    up = np.where(np.abs(along[:, 2:]) < 0.8, [[0.0, 0.0, 1.0]], [[0.0, 1.0, 0.0]])
    first = np.cross(along, up)
    first /= np.maximum(np.linalg.norm(first, axis=1, keepdims=True), 1e-9)
    for k in range(1, len(line)):  # no twist from one ring to the next
        across = first[k - 1] - along[k] * (first[k - 1] @ along[k])
        length = float(np.linalg.norm(across))
        first[k] = across / length if length > 0.1 else first[k]
    second = np.cross(along, first)
    turn = 2 * np.pi * np.arange(SIDES) / SIDES
    normals = first[:, None] * np.cos(turn)[:, None] + second[:, None] * np.sin(turn)[:, None]
    vertices = line[:, None] + radius * normals
    return vertices.reshape(-1, 3), normals.reshape(-1, 3), len(line), closed


def _grid(start: int, rings: int, closed: bool, along: int, around: int) -> Ints:
    """Triangles of a tube of which every so many rings and corners are used; its ends are closed."""
    rows = np.arange(0, rings, along)
    if not closed and rows[-1] != rings - 1:
        rows = np.append(rows, rings - 1)
    columns = np.arange(0, SIDES, around) if SIDES // around >= 3 else np.arange(0, SIDES, 2)
    number = start + rows[:, None] * SIDES + columns
    below = np.roll(number, -1, axis=0) if closed else number[1:]
    above = number if closed else number[:-1]
    a, b, c, d = above, np.roll(above, -1, axis=1), np.roll(below, -1, axis=1), below
    sides = np.stack([a, b, c, a, c, d], axis=-1).reshape(-1, 3)
    if not closed:
        count = len(columns)
        k = np.arange(1, count - 1)
        front = np.stack([np.full_like(k, number[0, 0]), number[0, k + 1], number[0, k]], axis=1)
        back = np.stack([np.full_like(k, number[-1, 0]), number[-1, k], number[-1, k + 1]], axis=1)
        sides = np.concatenate([sides, front, back])
    return np.ascontiguousarray(sides, np.int32)
