"""A bust below the head: neck, shoulders and collarbones as one closed surface that begins at the neck's ring.

Nested loops run round the body, each between four places: before it, at its sides and behind. Their heights and depths
are those of a standing person with the head held straight, in millimetres of the mean head; a few numbers (`Build`) fit
them to the outline of somebody's clothes.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import euler_degrees, rotation_from_euler, smoothstep, transform
from tronie.head.model import Head
from tronie.head.neck_ring import RingFrame, neck_ring
from tronie.raster.rasterizer import visible
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.hair.neck import RADIUS_MM, ring_triangles
from tronie.types import Fit, Photo

Ints = NDArray[np.int32]


class Loop(NamedTuple):
    """One loop, by the middle of the neck's ring: y and z before, x, y and z at the side, y and z behind, mm; and how
    full it is between them (2 an ellipse, more a box, less a rhombus)."""

    front_y: float
    front_z: float
    side_x: float
    side_y: float
    side_z: float
    back_y: float
    back_z: float
    full: float


LOOPS = (
    Loop(-23, 43, 63, 3, -7, 29, -55, 2.0),
    Loop(-34, 41, 65, -10, -12, 9, -64, 2.0),
    Loop(-46, 37, 76, -25, -18, -12, -76, 2.0),
    Loop(-56, 34, 106, -42, -23, -30, -89, 1.75),
    Loop(-65, 38, 147, -58, -27, -48, -101, 1.8),
    Loop(-80, 46, 184, -75, -29, -72, -114, 2.1),
    Loop(-104, 55, 205, -102, -30, -100, -123, 2.4),
    Loop(-134, 64, 210, -134, -30, -130, -127, 2.55),
    Loop(-162, 67, 206, -160, -30, -154, -126, 2.6),
    Loop(-175, 60, 195, -170, -30, -164, -116, 2.6),
)
"""The ring; the neck; where it widens; the slope of the shoulders; their ends; the chest; the rounded edge below."""
LID = (-158.0, -30.0)
"""y and z of the middle of the base below."""
SPREAD = 3
"""Rows between two loops."""
LID_ROWS = 4
WORN = ("body", "clothes", "covering")
"""What a body shows of itself in a segmentation."""
SIDE = 128
"""Pixels of the picture in which a body is fitted to its outline."""
FOLLOWS = (0.5, 0.3, 0.25)
"""Share of the head's yaw, pitch and roll by which the body is turned."""
TURNS = (-0.5, 0.0, 0.5, 1.0)
"""Shares of the yaw that are tried."""
WIDTHS, DROPS = (0.82, 0.9, 0.97, 1.04, 1.12), (-24.0, -12.0, 0.0, 12.0, 24.0)
"""Widths of the shoulders that are tried, and how much lower they are, mm."""
USUAL_WIDTH, USUAL_DROP = 0.12, 18.0
"""How much these differ between people."""
LEAST_SEEN = 0.015
"""Share of the picture that clothes must fill to say anything of the body."""
PIVOT = (-40.0, -20.0)
"""y and z of where neck and body turn against each other, from the middle of the ring."""
FREE = 2.6
"""Loops below the ring in which its own shape gives way to theirs."""


@dataclass(frozen=True, slots=True)
class Build:
    """Of a body, by the usual one."""

    width: float = 1.0
    """Of the shoulders."""
    drop_mm: float = 0.0
    """How much lower than usual their ends are."""
    depth: float = 1.0
    """Of chest and back."""


def bust_rows(head: Head, frame: RingFrame, build: Build) -> Array:
    """(K, R, 3) mm in head space: the ring, loops down to the edge below, and the base's to a point."""
    middle = frame.points.mean(axis=0)
    size = head_size(head)
    across = frame.points - middle
    angle = np.arctan2(across[:, 0], across[:, 2])
    loops = np.array(LOOPS, dtype=np.float64)
    # Shoulders, not the neck, are as wide and as low as the build says.
    outer = smoothstep(np.arange(len(loops), dtype=np.float64), 1.0, 5.0)
    loops[:, 2] *= 1 + (build.width - 1) * outer
    for column, share in ((3, 1.0), (0, 0.35), (5, 0.35)):
        loops[:, column] -= build.drop_mm * share * outer
    loops[:, [1, 4, 6]] += (build.depth - 1) * outer[:, None] * (loops[:, [1, 4, 6]] + 30)
    at = np.linspace(0, len(loops) - 1, SPREAD * (len(loops) - 1) + 1)
    fine = size * smooth_through(loops[:, :7], at)
    full = smooth_through(loops[:, 7:], at)[:, 0]
    rows = round_the_body(fine, full, angle)
    # The ring is what it is; its difference dies away over the neck.
    rest = np.ones(len(at)) - smoothstep(at, 0.0, FREE)
    rows = rows + rest[:, None, None] * (across - rows[0])
    rows[0] = across
    lid = size * np.array([0.0, LID[0] - 0.6 * build.drop_mm, LID[1]])
    inwards = np.linspace(0, 1, LID_ROWS + 1)[1:, None, None]
    base = rows[-1] + inwards * (lid - rows[-1])
    return np.asarray(np.concatenate([rows, base]) + middle)


def head_size(head: Head) -> float:
    """By the mean head of its model, half of it by the neck's width."""
    points = [head.points68(head.neutral), head.model.level(0).points68(head.model.mean)]
    whole = [float(np.linalg.norm(p - p.mean(axis=0))) for p in points]
    ring = neck_ring(head.model, head.level)
    assert ring is not None
    p = head.neutral[ring]
    radius = float(np.linalg.norm((p - p.mean(axis=0))[:, [0, 2]], axis=1).mean())
    return float(0.5 * whole[0] / whole[1] + 0.5 * radius / RADIUS_MM)


def smooth_through(knots: Array, at: Array) -> Array:
    """(N, k) values through knots (M, k) at places 0..M - 1: cubic between slopes that are the mean of those on both
    sides, nowhere beyond them."""
    step = np.diff(knots, axis=0)
    slope = np.zeros_like(knots)
    slope[1:-1] = (step[1:] + step[:-1]) / 2
    slope[0], slope[-1] = step[0], step[-1]
    k = np.minimum(at.astype(int), len(knots) - 2)
    t = (at - k)[:, None]
    a, b = knots[k], knots[k + 1]
    u = 1 - t
    return np.asarray(
        a * (1 + 2 * t) * u * u + b * (3 - 2 * t) * t * t + slope[k] * t * u * u - slope[k + 1] * t * t * u
    )


def round_the_body(loops: Array, full: Array, angle: Array) -> Array:
    """(K, R, 3) of loops (K, 7) as full as `full` (K,) at angles (R,) from the front, towards the subject's left."""
    s, c = np.sin(angle), np.cos(angle)
    power = 2 / full[:, None]
    wide = np.sign(s) * np.abs(s) ** power
    far = np.abs(c) ** power
    front_y, front_z, side_x, side_y, side_z, back_y, back_z = loops.T[:, :, None]
    ahead = c > 0
    y = side_y + np.where(ahead, front_y - side_y, back_y - side_y) * c * c
    z = side_z + np.where(ahead, front_z - side_z, back_z - side_z) * far
    return np.stack([side_x * wide, y, z], axis=-1)


def in_photo(rows: Array, middle: Array, fit: Fit, turn: float = FOLLOWS[0]) -> Array:
    """(K, R, 3) of `bust_rows` in a photo's camera: the neck as the head, the body turned less than it."""
    pose = np.asarray(fit.head_to_camera, dtype=np.float64)
    yaw, pitch, roll = euler_degrees(pose[:3, :3])
    body = rotation_from_euler(turn * yaw, FOLLOWS[1] * pitch, FOLLOWS[2] * roll)
    pivot = middle + np.array([0.0, *PIVOT])
    there = transform(pose, pivot)
    last = SPREAD * 4.0
    share = smoothstep(np.arange(len(rows), dtype=np.float64), 0.0, last)[:, None, None]
    return np.asarray((1 - share) * transform(pose, rows) + share * ((rows - pivot) @ body.T + there))


@dataclass(frozen=True, eq=False)
class Outline:
    """What a segmentation tells of a body, small."""

    worn: Array
    """(SIDE, SIDE) 0..1: it is there."""
    counts: NDArray[np.bool_]
    """(SIDE, SIDE) whether a pixel says anything: nothing else lies before it, and it is within the photo."""
    fit: Fit
    segmentation: Segmentation

    @classmethod
    def of(cls, photo: Photo, fit: Fit, segmentation: Segmentation) -> Outline:
        import cv2

        side = segmentation.shares.shape[1]
        named = {name: k for k, name in enumerate(SEGMENTS)}
        small = [
            np.asarray(cv2.resize(share, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.float32) / 255
            for share in segmentation.shares
        ]
        worn = np.sum([small[named[name]] for name in WORN], axis=0)
        spots = (np.arange(SIDE) + 0.5) * side / SIDE
        x, y = np.meshgrid(spots, spots)
        p = segmentation.to_photo.apply(np.stack([x, y], axis=-1).reshape(-1, 2)).reshape(SIDE, SIDE, 2)
        height, width = photo.image.shape[:2]
        known = ((p > 0) & (p < [width, height])).all(axis=-1)
        counts = known & (worn + small[named["background"]] > 0.6)
        return cls(worn, counts, fit, segmentation)

    def pixels(self, points: Array) -> Array:
        """(..., 3) camera millimetres -> (..., 2) pixels of it."""
        photo = self.fit.camera.project(points)
        to = self.segmentation.to_photo.inverse()
        flat = to.apply(photo.reshape(-1, 2)) * (SIDE / self.segmentation.shares.shape[1])
        return np.asarray(flat.reshape(*points.shape[:-1], 2))


def fitted(head: Head, frame: RingFrame, outline: Outline) -> tuple[Build, float]:
    """The build whose shoulders agree best with the outline of clothes and body, and how far the body follows the
    head's yaw; the usual ones where too little is seen."""
    seen = (outline.worn > 0.5) & outline.counts
    if seen.mean() < LEAST_SEEN:
        return Build(), FOLLOWS[0]
    frame = RingFrame(frame.points[::2], frame.normals[::2], frame.down[::2])
    middle = frame.points.mean(axis=0)
    count, columns = SPREAD * (len(LOOPS) - 1) + 1 + LID_ROWS, len(frame.points)
    triangles = ring_triangles(count, columns, np.arange(columns + 1), 2)
    yaw = abs(euler_degrees(np.asarray(outline.fit.head_to_camera)[:3, :3])[0])

    def misfit(build: Build, turn: float) -> float:
        rows = in_photo(bust_rows(head, frame, build), middle, outline.fit, turn)
        closed = np.concatenate([rows, rows[:, :1]], axis=1)
        points = closed.reshape(-1, 3)
        screen = np.column_stack([outline.pixels(points), points[:, 2]]).astype(np.float32)
        ids, _ = visible(screen, triangles, SIDE, SIDE)
        # Below the shoulders' ends people go on, a bust does not.
        low = screen.reshape(*closed.shape)[SPREAD * 7, :, 1].min()
        top = counts_above(outline.counts, low)
        off = np.abs((ids >= 0) - outline.worn)[top].sum()
        prior = ((build.width - 1) / USUAL_WIDTH) ** 2 + (build.drop_mm / USUAL_DROP) ** 2
        return float(off / max(seen[top].sum(), 1) + 0.012 * prior + 0.02 * (turn - FOLLOWS[0]) ** 2)

    best, turn = Build(), FOLLOWS[0]
    for _ in range(2):
        tried = [Build(width, best.drop_mm) for width in WIDTHS]
        best = min(tried, key=lambda build: misfit(build, turn))
        tried = [Build(best.width, drop) for drop in DROPS]
        best = min(tried, key=lambda build: misfit(build, turn))
        if yaw > 8:
            turn = min(TURNS, key=lambda share: misfit(best, share))
    return Build(best.width, best.drop_mm, 0.5 + 0.5 * best.width), turn


def counts_above(counts: NDArray[np.bool_], row: float) -> NDArray[np.bool_]:
    out = counts.copy()
    out[max(int(row), 0) :] = False
    return out
