"""A picture of a face to paint on, and what things are made of: cloth, skin, hair, pieces of other pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import cv2
import numpy as np

MOUTH = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
"""Indices of the 478 points around lips and lids; left is the subject's."""
REGIONS = (MOUTH, EYE_LEFT, EYE_RIGHT)
LOWER_OVAL = (234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 361, 323, 454)
OVAL = (10, 338, 297, 332, 284, 251, 389, 356, *LOWER_OVAL[::-1], 127, 162, 21, 54, 103, 67, 109)
FOREHEAD, CHIN, BRIDGE, TIP, UNDER_NOSE = 10, 152, 6, 4, 2

Array = np.ndarray


@dataclass
class Canvas:
    """A picture with its face's points, being painted on."""

    image: Array
    """(S, S, 3) float32, 0..255."""
    points: Array
    """(478, 2) pixels."""
    rng: np.random.Generator
    scraps: Sequence[Array]
    """Other pictures, whose pieces serve as cloth."""
    cover: Array = field(init=False)
    """(S, S) 0..1: how opaque what lies before the photo is."""

    def __post_init__(self) -> None:
        self.cover = np.zeros(self.image.shape[:2], np.float32)
        down = self.points[CHIN] - self.points[FOREHEAD]
        self.height = float(np.linalg.norm(down)) + 1e-6
        self.down = down / self.height
        self.across = np.array([self.down[1], -self.down[0]])

    def at(self, point: int | Array, right: float = 0.0, low: float = 0.0) -> Array:
        """A place near a point, in face heights to the image's right and downwards."""
        start = self.points[point] if isinstance(point, int) else point
        return start + self.height * (right * self.across + low * self.down)

    def eye(self, region: Sequence[int]) -> Array:
        return self.points[list(region)].mean(axis=0)

    def polygon(self, points: Sequence[Array] | Array, soft: float = 0.006, smooth: bool = True) -> Array:
        """(S, S) 0..1: inside the closed curve."""
        outline = np.asarray(points, dtype=np.float64)
        if smooth:
            outline = closed_curve(outline)
        mask = np.zeros(self.image.shape[:2], np.uint8)
        cv2.fillPoly(mask, [np.round(outline * 16).astype(np.int32)], 255, cv2.LINE_AA, 4)
        return self.blurred(mask.astype(np.float32) / 255, soft)

    def line(self, points: Sequence[Array], width: float) -> Array:
        mask = np.zeros(self.image.shape[:2], np.uint8)
        path = np.round(np.asarray(points) * 16).astype(np.int32)
        cv2.polylines(mask, [path], False, 255, max(round(width * self.height), 1), cv2.LINE_AA, 4)
        return mask.astype(np.float32) / 255

    def ellipse(self, centre: Array, half: tuple[float, float], angle: float = 0.0, power: float = 2.0) -> Array:
        """A superellipse with half axes in face heights; `power` above 2 is boxier. Level with the face but for
        `angle` degrees."""
        t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
        x, y = (np.sign(f(t)) * np.abs(f(t)) ** (2 / power) * k for f, k in zip((np.cos, np.sin), half, strict=True))
        a = np.radians(angle)
        x, y = x * np.cos(a) - y * np.sin(a), x * np.sin(a) + y * np.cos(a)
        return self.polygon(centre + self.height * (x[:, None] * self.across + y[:, None] * self.down), smooth=False)

    def blurred(self, mask: Array, sigma: float) -> Array:
        return blurred(mask, max(sigma * self.height, 0.4))

    def lit(self, paint: Array, mask: Array) -> Array:
        """`paint` (S, S, 3) in about the light of the photo below it, rounded off towards its edges."""
        grey = self.image.mean(axis=2)
        slow = self.blurred(grey, self.rng.uniform(0.1, 0.3))
        slow = slow / max(float((slow * mask).sum() / (mask.sum() + 1e-6)), 8.0)
        light = slow ** self.rng.uniform(0, 1)
        inner = self.blurred(mask, self.rng.uniform(0.03, 0.15))
        light = light * (1 - self.rng.uniform(0, 0.5) * (1 - np.clip(inner * 1.6 - 0.6, 0, 1)))
        y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32) / mask.shape[0] - 0.5
        slope = self.rng.normal(0, 0.4, 2)
        level = np.clip(grey.mean() / 128, 0.25, 1.2) ** self.rng.uniform(0, 1)
        return paint * (level * light * np.clip(1 + slope[0] * x + slope[1] * y, 0.3, 1.7))[..., None]

    def paint(
        self, mask: Array, colour: Array, *, opacity: float = 1.0, shadow: float = 0.0, light: bool = True
    ) -> None:
        """Lay `colour` (3,) or (S, S, 3) over the picture where `mask` is."""
        full = np.broadcast_to(np.asarray(colour, np.float32), self.image.shape).copy()
        if light:
            full = self.lit(full, mask)
        if shadow > 0:
            shift = self.rng.normal(0, 0.02 * self.height, 2)
            fallen = cv2.warpAffine(
                self.blurred(mask, 0.02), np.float32([[1, 0, shift[0]], [0, 1, abs(shift[1])]]), mask.shape[::-1]
            )
            self.image *= (1 - shadow * fallen)[..., None]
        alpha = opacity * mask
        self.image = self.image * (1 - alpha[..., None]) + np.clip(full, 0, 255) * alpha[..., None]
        self.cover = 1 - (1 - self.cover) * (1 - alpha)

    def covered(self) -> Array:
        """(3,) 0..1: the hidden share of mouth, left eye, right eye."""
        shares = []
        for region in REGIONS:
            mask = np.zeros(self.cover.shape, np.uint8)
            cv2.fillPoly(mask, [cv2.convexHull(np.round(self.points[list(region)]).astype(np.int32))], 1)
            shares.append(float(self.cover[mask > 0].mean()) if mask.any() else 0.0)
        return np.array(shares)


def blurred(image: Array, sigma: float, along: float | None = None) -> Array:
    """Gaussian blur, wide ones at a lower resolution; `along` is the vertical sigma where it differs."""
    factor = int(np.clip(min(sigma, along or sigma) / 2.5, 1, 8))
    if factor == 1:
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma, sigmaY=along or sigma))
    size = image.shape[1::-1]
    small = cv2.resize(image, (size[0] // factor, size[1] // factor), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), sigma / factor, sigmaY=(along or sigma) / factor)
    return np.asarray(cv2.resize(small, size, interpolation=cv2.INTER_LINEAR))


def closed_curve(points: Array, steps: int = 8) -> Array:
    """Catmull-Rom through the corners of a polygon."""
    before, after = np.roll(points, 1, 0), np.roll(points, -1, 0)
    beyond = np.roll(points, -2, 0)
    t = (np.arange(steps) / steps)[None, :, None]
    a, b, c, d = (x[:, None] for x in (before, points, after, beyond))
    curve = 0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
    return np.asarray(curve.reshape(-1, 2))


# What things are made of


def plain_colour(rng: np.random.Generator) -> Array:
    hue, grey = rng.uniform(0, 255, 3), rng.uniform(5, 250)
    return np.asarray(grey + (hue - hue.mean()) * rng.choice([0.1, 0.5, 1.0]), np.float32).clip(2, 252)


def cloth(canvas: Canvas, colour: Array | None = None) -> Array:
    """(S, S, 3): woven, striped, dotted, checked, or a piece of another picture."""
    rng, shape = canvas.rng, canvas.image.shape
    base = plain_colour(rng) if colour is None else np.asarray(colour, np.float32)
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32) / canvas.height
    a = rng.uniform(0, np.pi)
    u, v = x * np.cos(a) + y * np.sin(a), y * np.cos(a) - x * np.sin(a)
    kind = rng.choice(["plain", "stripes", "dots", "checks", "scrap"], p=[0.5, 0.12, 0.1, 0.08, 0.2])
    paint = np.broadcast_to(base, shape).astype(np.float32).copy()
    period = rng.uniform(0.04, 0.25)
    if kind == "scrap" and colour is None:
        paint = scrap(canvas)
    elif kind in ("stripes", "dots", "checks"):
        wave, other = np.sin(2 * np.pi * u / period), np.sin(2 * np.pi * v / period)
        sign = {
            "stripes": wave > rng.uniform(-0.7, 0.7),
            "dots": wave + other > rng.uniform(0.6, 1.5),
            "checks": wave * other > 0,
        }[kind]
        paint[sign] = plain_colour(rng) * rng.uniform(0.4, 1) + base * 0.2
    folds = blurred(noise(canvas), 0.1 * canvas.height, rng.uniform(0.02, 0.2) * canvas.height)
    grain = rng.uniform(0, 6) * noise(canvas)
    return np.asarray(paint * (1 + rng.uniform(0, 0.2) * folds / (folds.std() + 1e-6))[..., None] + grain[..., None])


def noise(canvas: Canvas) -> Array:
    """(S, S) float32 of spread 1."""
    return np.asarray(canvas.rng.standard_normal(canvas.image.shape[:2], np.float32))


def scrap(canvas: Canvas) -> Array:
    """(S, S, 3): a piece of another picture, enlarged."""
    rng, shape = canvas.rng, canvas.image.shape
    other = canvas.scraps[rng.integers(len(canvas.scraps))]
    side = int(rng.integers(24, min(other.shape[:2]) // 2))
    y, x = rng.integers(0, other.shape[0] - side), rng.integers(0, other.shape[1] - side)
    piece = cv2.resize(other[y : y + side, x : x + side], shape[1::-1], interpolation=cv2.INTER_CUBIC)
    return np.asarray(piece, np.float32) * rng.uniform(0.5, 1.4)


def skin(canvas: Canvas) -> Array:
    """(S, S, 3) in about this person's colour, or somebody else's."""
    rng = canvas.rng
    spot = np.round(canvas.points[[205, 425, 151]]).astype(int).clip(0, canvas.image.shape[0] - 1)
    own = np.median(canvas.image[spot[:, 1], spot[:, 0]], axis=0)
    other = np.array([(240, 200, 175), (205, 150, 120), (150, 100, 75), (90, 60, 45)])[rng.integers(4)]
    colour = (own if rng.random() < 0.7 else other) * rng.uniform(0.75, 1.2) * (1 + rng.normal(0, 0.04, 3))
    rough = blurred(noise(canvas), 3) * 3 + noise(canvas) * rng.uniform(0, 0.8)
    return np.asarray(colour, np.float32) + rng.uniform(1, 6) * rough[..., None]


HAIR = np.array([(20, 16, 14), (44, 31, 24), (84, 58, 38), (150, 112, 70), (205, 175, 128), (150, 147, 144)])


def strands(canvas: Canvas, angle: float) -> Array:
    rng, size = canvas.rng, canvas.image.shape[0]
    upright = cv2.GaussianBlur(noise(canvas), (0, 0), 0.9, sigmaY=12)
    turn = cv2.getRotationMatrix2D((size / 2, size / 2), angle, 1)
    streaks = cv2.warpAffine(upright, turn, (size, size), borderMode=cv2.BORDER_REFLECT)
    colour = HAIR[rng.integers(len(HAIR))] * rng.uniform(0.6, 1.2)
    streaks = streaks / (streaks.std() + 1e-6)
    return np.asarray(colour * (1 + rng.uniform(0.08, 0.4) * streaks[..., None]), np.float32)
