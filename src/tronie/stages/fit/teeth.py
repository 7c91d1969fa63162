"""Where a smile's upper teeth end: people differ by millimetres in how much of them shows, and skin does not tell."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array, Image
from tronie.head.model import PARTS, Head, HeadModel
from tronie.types import Landmarks, Photo

COLUMNS = ((82, 87), (13, 14), (312, 317))
"""MediaPipe's landmarks at the upper and the lower lip's inner edge, left of the middle, in it, right of it."""
CHEEKS = (50, 280, 205, 425)
"""Landmarks on the cheeks, for the skin's colour."""
LONGER, SHORTER = 4.5, 1.0
"""mm at most by which the upper teeth go down or up."""
SMALLEST = 8
"""Pixels: of a mouth that is open less than this nothing is read."""
STEPS = 32
GAP = 0.33
"""Brightness, of the cheeks', below which it is the dark of the mouth that is seen under the teeth, not a lip."""


def teeth_end(image: Image, points: Array) -> float | None:
    """How far down between the lips the upper teeth reach, 0..1, in the middle of the mouth; None where none are seen.

    Teeth are what is no redder than the cheeks, as lips are, and not much darker than they, without a break from the
    upper half on.
    """
    found = []
    skin = np.median(_pixels(image, points[list(CHEEKS), :2]), axis=0)
    redness = (skin[0] - skin[1]) / (skin[0] + 8)
    for up, low in COLUMNS:
        a, b = points[up, :2], points[low, :2]
        if not np.isfinite([a, b]).all() or np.linalg.norm(b - a) < SMALLEST:
            return None
        values = _pixels(image, a + (b - a) * ((np.arange(STEPS) + 0.5) / STEPS)[:, None])
        red = (values[:, 0] - values[:, 1]) / (values[:, 0] + 8)
        pale = (red < redness) & (values.mean(axis=1) > 0.5 * skin.mean())
        first = int(pale.argmax())
        if not pale.any() or first > 0.55 * STEPS:
            return None
        after = pale[first:]
        # Lines between the teeth and a glint of saliva are no end.
        dark = np.convolve(~after, np.ones(3), "valid") > 2.5
        last = first + (int(dark.argmax()) if dark.any() else len(after))
        # The net's point on the lower lip often lies below its edge: with no dark between, teeth and lip touch.
        bright = np.convolve(values[last:].mean(axis=1), np.ones(3) / 3, "valid") if last + 3 <= STEPS else np.zeros(0)
        if not (bright < GAP * skin.mean()).any():
            last = STEPS
        found.append(last / STEPS)
    end = float(np.median(found))
    return end if end > 0.25 else None


def _pixels(image: Image, at: Array) -> Array:
    """(n, 3) nearest colours at pixels (n, 2), clipped to the picture."""
    x, y = np.clip(at, 0, np.subtract(image.shape[1::-1], 1)).astype(int).T
    return np.asarray(image[y, x], dtype=np.float32)


def teeth_drop(head: Head, end: float) -> float:
    """mm by which the upper teeth must go down for their edge to lie at `end` (0..1) between this head's lips."""
    mesh = head.model.level(head.level)
    lips = mesh.points478(head.vertices)
    upper, lower = lips[13, 1], lips[14, 1]
    teeth = head.vertices[np.unique(mesh.triangles[mesh.triangle_part == PARTS.index("teeth_upper")])]
    middle = teeth[np.abs(teeth[:, 0] - lips[13, 0]) < 6]
    if not len(middle):
        return 0.0
    return float(np.clip(middle[:, 1].min() - (upper + end * (lower - upper)), -SHORTER, LONGER))


def with_teeth(head: Head, photo: Photo, landmarks: Landmarks) -> Head:
    """The head with its upper front teeth as long as the photo shows them, in the photo's expression and at rest."""
    if not (head.model.part == PARTS.index("teeth_upper")).any():
        return head
    end = teeth_end(photo.image, landmarks.points)
    drop = 0.0 if end is None else teeth_drop(head, end)
    if abs(drop) < 0.1:
        return head
    move = -drop * front_teeth(head.model, head.level)[:, None] * np.array([0, 1, 0], np.float32)
    return Head(head.model, head.level, vertices=head.vertices + move, neutral=head.neutral + move)


def front_teeth(model: HeadModel, level: int) -> Array:
    """(V,) float32: 1 at the upper incisors' edges, less towards their roots (crowns grow, gums follow a little) and
    down to a fifth at the last molars, 0 elsewhere."""
    mesh = model.level(level)
    rows = np.unique(mesh.triangles[mesh.triangle_part == PARTS.index("teeth_upper")])
    _, height, depth = mesh.apply(model.mean)[rows].T
    out = np.zeros(mesh.matrix.shape[0], np.float32)
    front = 0.2 + 0.8 * np.clip((depth - depth.min()) / (0.8 * np.ptp(depth)), 0, 1)
    out[rows] = front * np.clip((height.max() - height) / (0.95 * np.ptp(height)), 0, 1) ** 1.6
    return out
