"""The neck's end: below the open border of a head's mesh a short rounded base, in the texture of the neck above it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import smoothstep
from tronie.head.materials import look_of_shell
from tronie.head.model import Head
from tronie.head.neck_ring import UP_MM, UP_STEPS, RingFrame, above_ring, around, neck_ring, ring_moves
from tronie.head.surface import quad_vertex_normals, triangle_vertex_normals
from tronie.raster.compositing import sampled
from tronie.shells import Shell

Ints = NDArray[np.int32]

DOWN_MM, CURVE_MM, DOME_MM = 13.0, 17.0, 4.0
"""How far the neck goes on below the ring, how far it curves inwards there, and how much its base bulges; of a neck
of RADIUS_MM."""
RADIUS_MM = 60.0
CURVED, FLAT = 6, 4
"""Rows of the rounded edge, and of the base to its middle."""
WIDTH, HEIGHT = 256, 64
"""Of its picture, pixels."""
PLAIN = (0.25, 0.75)
"""From the ring to the middle of the base: where the mean colour begins to take the place of grain, and has."""
SKIN = (215, 177, 156)
"""Its colour without a texture."""


def neck_end(head: Head, texture: Image | None, albedo: Image | None = None) -> Shell | None:
    """The shell below the neck's ring, from the texture that the head wears (S, S, 3), and from its albedo. None where
    the head has no such ring."""
    ring = neck_ring(head.model, head.level)
    if ring is None:
        return None
    frame = ring_frame(head, ring)
    rows = rounded(frame)
    pictures = [None if t is None else painted(head, t) for t in (texture, albedo)]
    plain = np.full((4, 4, 4), (*SKIN, 255), np.uint8)
    image, roughness = plain if pictures[0] is None else pictures[0], look_of_shell("neck").roughness
    shell = ring_shell("neck", rows, frame, ring, image, pictures[1], roughness)
    return replace(shell, moves=moves_below(head, len(rows)))


def moves_below(head: Head, rows: int) -> dict[str, Array]:
    """Unit -> (V, 3) of a shell of so many rows, the first of which goes with the ring, the last not at all."""
    share = np.linspace(1, 0, rows, dtype=np.float32)[:, None, None]
    return {
        unit: (share * np.concatenate([move, move[:1]])).reshape(-1, 3)
        for unit, move in ring_moves(head.model, head.level).items()
    }


def ring_frame(head: Head, ring: Ints) -> RingFrame:
    """Of the head at rest."""
    normals = quad_vertex_normals(head.neutral, head.model.level(head.level).quads)[ring]
    return RingFrame.of(head.neutral[ring], normals)


def rounded(frame: RingFrame) -> Array:
    """(K, R, 3) the ring, the rows of a rounded edge below it, and those of the base; the last one is one point."""
    p, down = frame.points, frame.down
    middle = p.mean(axis=0)
    axis = down.mean(axis=0)
    axis /= np.linalg.norm(axis)
    inward = middle - p
    inward -= (inward * axis).sum(axis=1, keepdims=True) * axis
    radius = np.linalg.norm(inward, axis=1, keepdims=True)
    size = float(radius.mean()) / RADIUS_MM
    angle = np.linspace(0, np.pi / 2, CURVED + 1)[:, None, None]
    edge = p + size * (DOWN_MM * np.sin(angle) * down + CURVE_MM * (1 - np.cos(angle)) * inward / radius)
    rim = edge[-1]
    end = rim.mean(axis=0) + size * DOME_MM * axis
    base = rim + np.linspace(0, 1, FLAT + 1)[1:, None, None] * (end - rim)
    return np.concatenate([edge, base])


def ring_shell(
    name: str,
    rows: Array,
    frame: RingFrame,
    ring: Ints,
    image: Image,
    unlit: Image | None,
    roughness: float,
    places: Array | None = None,
) -> Shell:
    """A shell of rows (K, R, 3) that begin at a ring of the head's and end in a point; columns of its picture follow
    the ring, rows run down, evenly or as `places` (K,) says."""
    count, columns = rows.shape[0], rows.shape[1]
    normals = welded_normals(rows)
    normals[0] = frame.normals
    closed = [np.concatenate([part, part[:, :1]], axis=1) for part in (rows, normals)]
    if places is None:
        far = np.linalg.norm(np.diff(rows, axis=0), axis=2).mean(axis=1).cumsum()
        places = np.append(0, far / far[-1])
    v, u = np.meshgrid(places, np.linspace(0, 1, columns + 1), indexing="ij")
    lods = _usual_triangles(count, columns)
    return Shell(
        name,
        np.ascontiguousarray(closed[0].reshape(-1, 3), np.float32),
        np.ascontiguousarray(closed[1].reshape(-1, 3), np.float32),
        lods[0],
        np.stack([u, v], axis=-1).reshape(-1, 2).astype(np.float32),
        image,
        (lods[1], lods[2]),
        roughness,
        ring=ring,
        unlit=unlit,
    )


def welded_normals(rows: Array) -> Array:
    """(K, R, 3) unit normals of a surface of rows that close around and end in a point."""
    count, columns = rows.shape[0], rows.shape[1]
    i, j = np.mgrid[: count - 1, :columns]
    a, b = i * columns + j, i * columns + (j + 1) % columns
    corners = np.stack([a, a + columns, b + columns, a, b + columns, b], axis=-1).reshape(-1, 3)
    corners = np.minimum(corners, (count - 1) * columns)  # all of the last row are one point
    flat = rows.reshape(-1, 3).astype(np.float32)
    out = triangle_vertex_normals(flat, corners.astype(np.int32)).reshape(rows.shape).astype(np.float64)
    out[-1] = out[-1, :1]
    return out


def painted(head: Head, texture: Image) -> Image | None:
    """(HEIGHT, WIDTH, 4): the neck above the ring, as in a mirror, towards the middle of the base its mean colour."""
    places = above_ring(head.model, WIDTH)
    if places is None:
        return None
    side = np.array(texture.shape[1::-1])
    colors = sampled(texture, places.reshape(-1, 2) * side).reshape(UP_STEPS + 1, WIDTH, 3).astype(np.float64)
    reach = 1.1 * RADIUS_MM
    far = (np.arange(HEIGHT) / (HEIGHT - 1) * reach / UP_MM) % 2  # there and back again
    at = np.minimum(far, 2 - far) * UP_STEPS
    low = np.minimum(at.astype(int), UP_STEPS - 1)
    share = (at - low)[:, None, None]
    seen = colors[low] * (1 - share) + colors[low + 1] * share
    mean = around(colors.mean(axis=0), WIDTH // 16)
    down = np.linspace(0, 1, HEIGHT)[:, None, None]
    mean = mean + smoothstep(down, 0.3, 1.0) * (mean.mean(axis=0) - mean)
    out = seen + smoothstep(down, *PLAIN) * (mean - seen)
    return np.dstack([np.clip(out + 0.5, 0, 255), np.full((HEIGHT, WIDTH), 255)]).astype(np.uint8)


@lru_cache(maxsize=4)
def _usual_triangles(rows: int, columns: int) -> list[Ints]:
    """With all of the first row, of all three levels of detail."""
    return [ring_triangles(rows, columns, np.arange(columns + 1), step) for step in (1, 2, 4)]


def ring_triangles(rows: int, columns: int, kept: NDArray[np.int64], step: int) -> Ints:
    """(T, 3) over the vertices of a shell of `ring_shell`, (rows, columns + 1), closing to a point in its last row: of
    the first row's vertices those that are `kept` (with 0 and `columns`), of the others every `step`-th."""
    width = columns + 1
    across = np.unique(np.append(np.arange(0, columns, step), columns))
    down = np.unique(np.append(np.arange(1, rows, step), rows - 1))
    first = _strip(np.asarray(kept), across, down[0] * width)
    out = [first]
    for i, k in zip(down[:-1] * width, down[1:] * width, strict=True):
        a, b = across[:-1], across[1:]
        out.append(np.column_stack([i + a, k + a, k + b]))
        if k < (rows - 1) * width:
            out.append(np.column_stack([i + a, k + b, i + b]))
        else:
            out[-1] = np.column_stack([i + a, k + a, i + b])
    return np.concatenate(out).astype(np.int32)


def _strip(upper: NDArray[np.int64], lower: NDArray[np.int64], below: int) -> NDArray[np.int64]:
    """(T, 3) between two rows of columns that begin and end together: each edge of either makes a triangle with the
    nearer vertex of the other row."""
    i = j = 0
    out = []
    while i < len(upper) - 1 or j < len(lower) - 1:
        left, right = upper[min(i + 1, len(upper) - 1)], lower[min(j + 1, len(lower) - 1)]
        if j == len(lower) - 1 or (i < len(upper) - 1 and left <= right):
            out.append((upper[i], below + lower[j], left))
            i += 1
        else:
            out.append((upper[i], below + lower[j], below + right))
            j += 1
    return np.array(out, np.int64)
