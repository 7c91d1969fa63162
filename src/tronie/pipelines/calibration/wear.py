"""What cameras, files and the years do to a picture."""

from __future__ import annotations

import cv2
import numpy as np

from tronie.arrays import Array, Image


def degraded(image: Image, rng: np.random.Generator) -> Image:
    """Coloured light across, blur, low resolution, noise, sharpening, JPEG, grey, old prints."""
    side = image.shape[0]
    old = rng.random() < 0.05
    if rng.random() < 0.4:
        tint = 1 + rng.normal(0, 0.1, (2, 2, 3)).astype(np.float32) * np.array([1, 0.6, 1], np.float32)
        image = np.clip(image * cv2.resize(tint, (side, side)), 0, 255).astype(np.uint8)
    if rng.random() < 0.3:
        k = rng.uniform(0.2, 0.9)
        small = cv2.resize(image, None, fx=k, fy=k, interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC))
    elif rng.random() < 0.3:
        image = np.asarray(cv2.GaussianBlur(image, (0, 0), rng.uniform(0.3, 1.6)))
    elif rng.random() < 0.06:
        image = _shaken(image, rng)
    if rng.random() < 0.35:
        image = _noisy(image, rng)
    if rng.random() < 0.15:
        soft = cv2.GaussianBlur(image, (0, 0), rng.uniform(0.8, 2.0))
        image = np.asarray(cv2.addWeighted(image, 1 + (k := rng.uniform(0.3, 1.5)), soft, -k, 0))
    if rng.random() < 0.1 or old:
        image = np.repeat(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)
    if old:
        image = _aged(image, rng)
    if rng.random() < 0.4:
        quality = int(rng.integers(30, 92)) if rng.random() < 0.85 else int(rng.integers(8, 30))
        data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), dtype=np.uint8)
    return np.ascontiguousarray(image)


def _shaken(image: Image, rng: np.random.Generator) -> Image:
    """By a moved camera."""
    size, angle = int(rng.integers(3, 10)), rng.uniform(0, np.pi)
    kernel = np.zeros((size, size), np.float32)
    middle, way = (size - 1) / 2, np.array([np.cos(angle), np.sin(angle)])
    ends = [tuple(round(v) for v in middle + sign * way * middle) for sign in (-1, 1)]
    cv2.line(kernel, ends[0], ends[1], 1.0)
    return np.asarray(cv2.filter2D(image, -1, kernel / kernel.sum()))


def _noisy(image: Image, rng: np.random.Generator) -> Image:
    """Of a sensor: fine or in blotches, of brightness or of colour too, the more the darker it is."""
    side, coarse = image.shape[0], int(rng.choice([1, 2, 2, 3]))
    channels = 3 if rng.random() < 0.7 else 1
    noise = rng.standard_normal((-(-side // coarse), -(-side // coarse), channels), np.float32)
    grain: Array = np.asarray(cv2.resize(noise, (side, side)), np.float32).reshape(side, side, channels)
    strength = rng.uniform(2, 14)
    if rng.random() < 0.5:
        grain = grain * np.asarray(1.4 - image[..., 1:2] / 255, np.float32)
    return np.clip(image + grain * np.float32(strength), 0, 255).astype(np.uint8)


def _aged(image: Image, rng: np.random.Generator) -> Image:
    """A grey picture as a print from long ago: brown or grey, pale or dark at its corners, grainy, scratched."""
    side = image.shape[0]
    tone = np.array([1.0, rng.uniform(0.82, 1.0), rng.uniform(0.6, 1.0)], np.float32)
    low, high = rng.uniform(0, 60), rng.uniform(170, 255)
    out = (low + image.astype(np.float32) * ((high - low) / 255)) * tone
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j].astype(np.float32)
    out *= (1 + rng.uniform(-0.35, 0.15) * (x * x + y * y) / 2)[..., None]
    out += cv2.GaussianBlur(rng.standard_normal((side, side), np.float32), (0, 0), 0.8)[..., None] * rng.uniform(2, 22)
    drawn: Image = np.clip(out, 0, 255).astype(np.uint8)
    for _ in range(rng.integers(1, 5) if rng.random() < 0.5 else 0):
        start, way = rng.uniform(0, side, 2), rng.normal(0, side / 3, 2)
        bright = int(rng.choice([20, 235]))
        path = (start + np.linspace(0, 1, 6)[:, None] * way + rng.normal(0, 2, (6, 2))).astype(np.int32)
        cv2.polylines(drawn, [path], False, (bright, bright, bright), 1, cv2.LINE_AA)
    for _ in range(rng.integers(0, 9)):
        spot = tuple(int(v) for v in rng.integers(0, side, 2))
        grey = int(rng.choice([25, 230]))
        cv2.circle(drawn, spot, int(rng.integers(1, 3)), (grey, grey, grey), -1, cv2.LINE_AA)
    return drawn
