"""What happens to a picture as a whole before the net looks: its frame, the photo's end, light, colour, age, size."""

from __future__ import annotations

import cv2
import numpy as np

from training.segment.bases import CANVAS, MARGIN

Planes = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]
"""Image (S, S, 3), hair, rest, weight (S, S), all uint8."""


def framed(planes: Planes, side: int, rng: np.random.Generator) -> Planes:
    """Cut out, `side` pixels wide, about as the crop would lie; some mirrored, some with the photo's end inside."""
    image, hair, rest, weight = planes
    if rng.random() < 0.3:
        image, hair, rest, weight = ended((image, hair, rest, weight), rng)
    full = (CANVAS - 2 * MARGIN) / side * float(np.exp(rng.normal(0, 0.07)))
    turn = np.radians(rng.normal(0, 5))
    a, b = full * np.cos(turn), full * np.sin(turn)
    flip = -1.0 if rng.random() < 0.5 else 1.0
    middle = CANVAS / 2 + rng.normal(0, 0.025 * CANVAS, 2)
    matrix = np.array([[a * flip, -b, 0], [b * flip, a, 0]])
    matrix[:, 2] = middle - matrix[:, :2] @ [side / 2, side / 2]
    matrix[:, 2] += matrix[:, :2] @ [0.5, 0.5] - 0.5

    def warped(plane: np.ndarray, how: int) -> np.ndarray:
        flags = how | cv2.WARP_INVERSE_MAP
        return np.asarray(cv2.warpAffine(plane, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REPLICATE))

    if full > 1.15:
        image = cv2.GaussianBlur(image, (0, 0), 0.45 * full)
    return (
        warped(image, cv2.INTER_LINEAR),
        warped(hair, cv2.INTER_LINEAR),
        warped(rest, cv2.INTER_NEAREST),
        warped(weight, cv2.INTER_NEAREST),
    )


def ended(planes: Planes, rng: np.random.Generator) -> Planes:
    """As if the photo ended near the head: its border repeated, as the crop does."""
    x0, y0 = (int(rng.uniform(0, 0.33) * CANVAS) if rng.random() < 0.5 else 0 for _ in range(2))
    x1, y1 = (CANVAS - (int(rng.uniform(0, 0.33) * CANVAS) if rng.random() < 0.5 else 0) for _ in range(2))
    pads = (y0, CANVAS - y1, x0, CANVAS - x1)
    image, hair, rest, weight = (cv2.copyMakeBorder(p[y0:y1, x0:x1], *pads, cv2.BORDER_REPLICATE) for p in planes)
    return image, hair, rest, weight


def photographed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8: another camera, light, print."""
    side = image.shape[0]
    x = image.astype(np.float32)
    if rng.random() < 0.3:  # coloured light from a side
        tint = 1 + rng.normal(0, 0.12, (2, 2, 3)).astype(np.float32)
        tint *= 1 + rng.normal(0, 0.15, (2, 2, 1)).astype(np.float32)
        x = x * cv2.resize(tint, (side, side))
    if rng.random() < 0.5:
        x = 255 * (np.clip(x, 0, 255) / 255) ** np.float32(np.exp(rng.normal(0, 0.3)))
        x = (x - 115) * np.float32(np.exp(rng.normal(0, 0.22))) + 115 + np.float32(rng.normal(0, 16))
    if rng.random() < 0.4:
        x = x * np.exp(rng.normal(0, 0.1, 3)).astype(np.float32)
    if rng.random() < 0.3:
        grey = x @ np.float32([0.299, 0.587, 0.114])
        x = grey[..., None] + (x - grey[..., None]) * np.float32(rng.uniform(0.2, 1.6))
    old = rng.random()
    if old < 0.33:  # black and white, toned
        mix = rng.dirichlet([3, 5, 2]) if rng.random() < 0.5 else np.array([0.299, 0.587, 0.114])
        grey = (x @ mix.astype(np.float32))[..., None]
        tone = np.ones(3) if rng.random() < 0.6 else rng.uniform([0.95, 0.85, 0.62], [1.12, 1.02, 0.95])
        x = grey * tone.astype(np.float32)
        if rng.random() < 0.4:  # faded, or a hard print
            x = (x - 120) * np.float32(rng.uniform(0.45, 1.8)) + 120 + np.float32(rng.normal(0, 25))
    x = np.clip(x, 0, 255)
    size = rng.random()
    if size < 0.35:  # from a smaller face
        small = int(side * np.exp(rng.uniform(np.log(0.13 if size < 0.08 else 0.25), 0)))
        x = cv2.resize(
            cv2.resize(x, (small, small), interpolation=cv2.INTER_AREA),
            (side, side),
            interpolation=int(rng.integers(1, 3)),
        )
    elif size < 0.55:
        x = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.3, 1.8))
    elif size < 0.65:  # sharpened
        x = x + rng.uniform(0.3, 1.2) * (x - cv2.GaussianBlur(x, (0, 0), 1.2))
    if rng.random() < 0.35:
        grains = side // int(rng.integers(1, 4))
        kind = (grains, grains, 1 if old < 0.33 else 3)
        noise = cv2.resize(rng.standard_normal(kind, np.float32), (side, side))
        x = x + rng.uniform(1, 18) * (noise[..., None] if noise.ndim == 2 else noise)
    y = np.clip(x, 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        data = cv2.imencode(".jpg", y, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(20, 90))])[1]
        y = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return y


def looked_at(planes: Planes, side: int, rng: np.random.Generator) -> Planes:
    image, hair, rest, weight = framed(planes, side, rng)
    return photographed(image, rng), hair, rest, weight
