"""What happens to a face before we see it: it is blurred, made small, noisy, printed, saved, saved again.

The grain is that of scans of old photographs as we measured it on 25 of them: 2 to 8 grey levels, mostly of lightness,
neighbours correlated by 0.2 to 0.9.
"""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

SMALL = {"area": cv2.INTER_AREA, "linear": cv2.INTER_LINEAR, "cubic": cv2.INTER_CUBIC}
CLEAN, STRAIGHT = 0.35, 0.5
"""Share of pictures only made smaller, by Pillow's bicubic; of the others, share of those on the photo's own grid."""
FINER = 1.6
"""The others have up to so many pixels, along each axis, for one of the photo's."""


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


def soft_lens(x: np.ndarray, rng: np.random.Generator, factor: float) -> np.ndarray:
    """An old or dirty lens: a sharp picture below a glow."""
    glow = cv2.GaussianBlur(x, (0, 0), factor * rng.uniform(1.0, 3.0), borderType=cv2.BORDER_REFLECT)
    return x + (glow - x) * np.float32(rng.uniform(0.15, 0.5))


def grained(small: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The grain of film and paper as scanners see it: lumps of lightness, most of it in the middle tones."""
    lumps = rng.normal(0, 1, small.shape[:2]).astype(np.float32)
    lumps = cv2.GaussianBlur(lumps, (0, 0), rng.uniform(0.3, 1.1))
    tones = np.sin(np.pi * np.clip(small.mean(axis=2) / 255, 0.1, 0.9))
    return small + (lumps / max(float(lumps.std()), 1e-6) * tones * rng.uniform(2, 8))[..., None]


def halftone(small: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture from a newspaper: dots on a turned grid, of a size that goes with darkness, seen by a soft scanner."""
    fine = 4
    large = cv2.resize(small, None, fx=fine, fy=fine, interpolation=cv2.INTER_CUBIC).mean(axis=2) / 255
    pitch, angle = fine * rng.uniform(1.3, 2.6), rng.uniform(0.2, 1.2)
    y, x = np.mgrid[: large.shape[0], : large.shape[1]] * (2 * np.pi / pitch)
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    screen = 0.5 + 0.25 * (np.cos(along) + np.cos(across))
    dots = cv2.GaussianBlur(1 / (1 + np.exp(-12 * (large - screen))), (0, 0), fine * rng.uniform(0.5, 0.9))
    printed = cv2.resize(dots, (small.shape[1], small.shape[0]), interpolation=cv2.INTER_AREA)
    tint = np.array([1.0, rng.uniform(0.92, 1), rng.uniform(0.8, 1)])
    mixed = small * (1 - (share := rng.uniform(0.3, 0.8))) + 255 * share * printed[..., None] * tint
    return np.asarray(mixed, np.float32)


def smoothed(small: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A telephone's denoising: flat parts are ironed, edges sharpened with halos."""
    ironed = cv2.bilateralFilter(small.astype(np.float32), 5, rng.uniform(10, 40), rng.uniform(1, 2.5))
    return sharpened(ironed, rng)


def sharpened(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    soft = cv2.GaussianBlur(x, (0, 0), rng.uniform(0.7, 1.5), borderType=cv2.BORDER_REFLECT)
    return x + (x - soft) * np.float32(rng.uniform(0.3, 1.2))


def saved_again(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A picture that went from hand to hand, or through a video: saved two to four times, on another grid, hard."""
    for _ in range(rng.integers(1, 4)):
        if rng.random() < 0.6:  # a screenshot: another size and back
            side = max(round(len(image) * rng.uniform(0.8, 1.6)), 8)
            image = cv2.resize(image, (side, side), interpolation=cv2.INTER_LINEAR)
        image = jpeg(image, int(rng.uniform(25, 90)), 2)
    return image


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


def degrade(sharp: np.ndarray, rng: np.random.Generator, fold: int = 4) -> np.ndarray:
    """(S, S, 3) uint8 -> (S / fold, S / fold, 3): what a photo that small shows of it."""
    side, count = len(sharp), len(sharp) // fold
    if rng.random() < CLEAN:
        return bicubic(sharp, count)
    straight = rng.random() < STRAIGHT
    factor, small, x = float(fold), count, sharp.astype(np.float32)
    if not straight:  # the photo's grid is coarser, and lies turned and shifted under the upright crop
        factor *= FINER ** rng.random()
        small = round(1.5 * side / factor)
        turn = np.radians(np.clip(rng.normal(0, 12), -40, 40))
        turned = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
        middle = small * factor / 2 + rng.uniform(-factor / 2, factor / 2, 2)
        x = moved(x, turned.T, side / 2 - turned.T @ middle, round(small * factor))
    if rng.random() < 0.1:
        x = soft_lens(x, rng, factor)
    if rng.random() < 0.8:
        x = cv2.filter2D(x, -1, kernel(rng, 0.55 * factor), borderType=cv2.BORDER_REFLECT)
    method = rng.choice(["pil", "pil", *SMALL])
    if method == "pil":
        x = bicubic(to_bytes(x), small).astype(np.float32)
    else:
        if method != "area":  # without a low-pass these kernels alias, as careless programs do
            x = cv2.GaussianBlur(x, (0, 0), max(0.28 * factor, 0.3))
        x = cv2.resize(x, (small, small), interpolation=SMALL[method])
    x = to_bytes(_handed_on(x, rng))
    if rng.random() < 0.75:
        x = jpeg(x, int(rng.uniform(35, 96)), int(rng.integers(0, 3)))
    if straight:
        return x
    step = round(small * factor) / small
    return moved(x, turned * fold / step, (middle - turned @ np.full(2, side / 2)) / step, count)


def _handed_on(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """What cameras, prints, scanners and other people's programs do to a small picture of the same size."""
    kind = rng.random()
    if kind < 0.55:
        return noisy(x, rng)
    if kind < 0.75:
        return grained(x, rng)
    if kind < 0.8:
        return halftone(x, rng)
    if kind < 0.9:
        return smoothed(noisy(x, rng), rng)
    again = saved_again(to_bytes(noisy(x, rng)), rng)
    return cv2.resize(again, (x.shape[1], x.shape[0]), interpolation=cv2.INTER_AREA).astype(np.float32)


def moved(image: np.ndarray, matrix: np.ndarray, shift: np.ndarray, side: int) -> np.ndarray:
    """(side, side, 3) whose point p (pixels, corners at whole numbers) shows the point `matrix` p + `shift`."""
    shift = shift + (matrix.sum(axis=1) - 1) / 2  # OpenCV counts from the pixels' centres
    return cv2.warpAffine(
        image,
        np.column_stack([matrix, shift]),
        (side, side),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT_101,
    )
