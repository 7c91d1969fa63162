"""What happens to a face before we see it: it is blurred, made small, noisy, and saved as JPEG."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

SMALL = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
CLEAN = 0.4
"""Share of pictures that are only made smaller, by Pillow's bicubic."""


def factor_of(rng: np.random.Generator) -> float:
    """How many times too small the face is: mostly four."""
    kind = rng.random()
    if kind < 0.4:
        return 4.0
    if kind < 0.53:
        return 8.0
    if kind < 0.7:
        return 2.0
    return float(np.exp(rng.uniform(np.log(1.2), np.log(8.5))))


def tinted(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Another exposure, colour, or an old photo's grey or sepia and faded contrast; float RGB 0..255."""
    x = image.astype(np.float32)
    grey = x @ np.array([0.299, 0.587, 0.114], np.float32)
    saturation = 0.0 if rng.random() < 0.15 else rng.uniform(0.6, 1.2)
    x = grey[..., None] + (x - grey[..., None]) * saturation
    if rng.random() < 0.25:  # faded, maybe brown
        tint = np.array([1.0, rng.uniform(0.9, 1), rng.uniform(0.75, 1)], np.float32)
        x = (rng.uniform(10, 60) + x * rng.uniform(0.55, 0.85)) * tint
    gain = np.exp(rng.normal(0, 0.15)) * np.exp(rng.normal(0, 0.04, 3))
    x = 255 * (np.clip(x * gain.astype(np.float32), 0, 255) / 255) ** np.exp(rng.normal(0, 0.15))
    return np.clip(x, 0, 255).astype(np.float32)


def kernel(rng: np.random.Generator, largest: float) -> np.ndarray:
    """A blur: a Gaussian, mostly round, or a short movement; `largest` standard deviation in pixels."""
    sigma = rng.uniform(0.2, max(largest, 0.3), 2)
    if rng.random() < 0.6:
        sigma[1] = sigma[0]
    if rng.random() < 0.12:
        sigma = np.array([rng.uniform(0.5, 1.6) * largest, 0.3])
    side = 2 * int(np.ceil(2.5 * sigma.max())) + 1
    y, x = np.mgrid[:side, :side] - side // 2
    angle = rng.uniform(0, np.pi)
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    k = np.exp(-0.5 * ((u / sigma[0]) ** 2 + (v / sigma[1]) ** 2))
    return k / k.sum()


def noisy(small: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Sensor noise or film grain."""
    sigma = rng.uniform(0, 12) if rng.random() < 0.75 else 0.0
    noise = rng.normal(0, sigma, small.shape)
    kind = rng.random()
    if kind < 0.4:
        noise = np.repeat(noise[..., :1], 3, axis=2)
    if kind < 0.2:
        noise = cv2.GaussianBlur(noise, (3, 3), rng.uniform(0.4, 0.8)) * 1.5
    if rng.random() < 0.3:
        noise *= np.sqrt(small / 128 + 0.05)
    return small + noise


def jpeg(image: np.ndarray, quality: int, subsampling: int) -> np.ndarray:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(stream).convert("RGB"))


def to_bytes(x: np.ndarray) -> np.ndarray:
    return np.clip(np.round(x), 0, 255).astype(np.uint8)


def bicubic(image: np.ndarray, side: int) -> np.ndarray:
    return np.asarray(Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC))


def degrade(sharp: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(S, S, 3) uint8 -> what is left of it after a loss, enlarged again to S."""
    side, factor = len(sharp), factor_of(rng)
    if rng.random() < CLEAN:
        return bicubic(bicubic(sharp, round(side / factor)), side)
    # The camera's grid lies turned and shifted under the upright crop.
    turn = float(np.clip(rng.normal(0, 12), -40, 40)) if rng.random() < 0.5 else 0.0
    room = 1.45 if turn else 1.1
    small = round(side * room / factor)
    wide = round(small * factor)
    there = cv2.getRotationMatrix2D((side / 2 - 0.5, side / 2 - 0.5), turn, 1.0)
    there[:, 2] += (wide - side) / 2 + rng.uniform(-factor / 2, factor / 2, 2)
    x = cv2.warpAffine(sharp, there, (wide, wide), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT_101)
    if rng.random() < 0.8:
        x = cv2.filter2D(x.astype(np.float32), -1, kernel(rng, 0.55 * factor))
    method = rng.choice(["pil", *SMALL])
    if method == "pil":
        x = bicubic(to_bytes(x), small).astype(np.float32)
    else:
        if method != "area":  # without a low-pass these kernels alias, as careless programs do
            x = cv2.GaussianBlur(x.astype(np.float32), (0, 0), max(0.28 * factor, 0.3))
        x = cv2.resize(x.astype(np.float32), (small, small), interpolation=SMALL[method])
    x = to_bytes(noisy(x, rng))
    if rng.random() < 0.75:
        x = jpeg(x, int(rng.uniform(35, 96)), int(rng.integers(0, 3)))
    x = x if wide == small else bicubic(x, wide)
    return cv2.warpAffine(x, there, (side, side), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
                          borderMode=cv2.BORDER_REPLICATE)  # fmt: skip
