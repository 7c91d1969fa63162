"""What goes on below a head: the neck's end, or a bust that hair lies on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from tronie.arrays import Array, Image
from tronie.head.materials import look_of_shell
from tronie.head.model import Head
from tronie.head.neck_ring import neck_ring
from tronie.shells import BustLook, Segmentation, Shell
from tronie.stages.hair.bust import LOOPS, SPREAD, Build, Outline, bust_rows, fitted, in_photo
from tronie.stages.hair.clothes import row_places, worn
from tronie.stages.hair.neck import moves_below, neck_end, ring_frame, ring_shell, welded_normals
from tronie.stages.hair.ring import normals
from tronie.stages.hair.scaffold import COLUMNS
from tronie.types import Fit, Photo

CLEAR_MM = 2.5
"""Hair lies at least so far over the bust."""
NEAR_MM = 120.0
"""What lies deeper inside is brought out as far as that at most in one step."""
STEPS = 4
WIDE_MM = 180.0
"""An end of a mesh as wide as that is no neck's: it has shoulders of its own."""


def with_bust(
    head: Head,
    shells: Sequence[Shell],
    texture: Image | None,
    albedo: Image | None = None,
    seen: tuple[Photo, Fit, Segmentation] | None = None,
) -> tuple[tuple[Shell, ...], BustLook | None]:
    """A head's shells with a bust below it, which hair and coverings lie on, and what was found out of it; as they were
    where the head has no neck, with an end where it has shoulders of its own. `seen` is a photo, where the head lies in
    it, and what its pixels are."""
    ring = neck_ring(head.model, head.level)
    if ring is None:
        return tuple(shells), None
    frame = ring_frame(head, ring)
    if np.ptp(frame.points[:, 0]) > WIDE_MM:
        end = neck_end(head, texture, albedo)
        return (*(() if end is None else (end,)), *shells), None
    build, turn = (Build(), 0.0) if seen is None else fitted(head, frame, Outline.of(*seen))
    rows = bust_rows(head, frame, build)
    shot = None if seen is None else (*seen, in_photo(rows, frame.points.mean(axis=0), seen[1], turn))
    picture = worn(rows, head, texture, albedo, shot)
    made = ring_shell(
        "bust", rows, frame, ring, picture.image, picture.unlit, look_of_shell("bust").roughness, row_places(len(rows))
    )
    made = replace(made, moves=moves_below(head, len(rows)))
    points, outward = (part[:-1, ::2].reshape(-1, 3) for part in (rows, welded_normals(rows)))
    lying = (lies_over(shell, points, outward) if shell.name in ("hair", "covering") else shell for shell in shells)
    wide = 2 * float(np.abs(rows[SPREAD * (len(LOOPS) - 3), :, 0]).max())
    return (made, *lying), BustLook(wide, picture.seen)


def lies_over(shell: Shell, points: Array, outward: Array) -> Shell:
    """Hair or a covering, with what is inside a body brought out of it; `points` (N, 3) of that and its normals."""
    columns = COLUMNS + 1
    if len(shell.vertices) % columns:
        return shell
    place = shell.vertices.reshape(-1, columns, 3)[:, :-1].astype(np.float64)
    first = int(np.searchsorted(-place[..., 1].min(axis=1), -points[:, 1].max() - 20.0))
    if first >= len(place):
        return shell
    low = place[first:]
    moved = low.copy()
    for step in range(STEPS):
        push = pushed(moved.reshape(-1, 3), points, outward).reshape(moved.shape)
        if not push.any():
            break
        moved += push
        if step < STEPS - 1:  # neighbours come along, so that no folds stand out
            away = moved - low
            even = (away + np.roll(away, 1, axis=1) + np.roll(away, -1, axis=1)) / 3
            touched = np.abs(away).max(axis=-1, keepdims=True) > 0
            moved = low + np.where(touched, even, away)
    if np.array_equal(moved, low):
        return shell
    out = np.concatenate([place[:first], moved])
    out = np.concatenate([out, out[:, :1]], axis=1)
    return replace(
        shell,
        vertices=np.ascontiguousarray(out.reshape(-1, 3), np.float32),
        normals=np.ascontiguousarray(normals(out).reshape(-1, 3), np.float32),
    )


def pushed(p: Array, points: Array, outward: Array) -> Array:
    """(M, 3) by how much places (M, 3) have to move to lie CLEAR_MM outside of a surface."""
    out = np.zeros_like(p)
    squares = (points * points).sum(axis=1)
    near = (squares - 2 * p @ points.T).argmin(axis=1)  # + |p|^2, which is the same for all
    away = ((p - points[near]) * outward[near]).sum(axis=1)
    inside = away < CLEAR_MM
    out[inside] = np.minimum(CLEAR_MM - away[inside], NEAR_MM)[:, None] * outward[near[inside]]
    return out
