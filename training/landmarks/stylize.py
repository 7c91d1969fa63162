"""Photos made into drawings, paintings and sculptures, to learn what is no photograph."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

Array = np.ndarray


def flat(image: Array, rng: np.random.Generator) -> Array:
    """Few flat colours, with dark lines: a cartoon."""
    smooth = image
    for _ in range(int(rng.integers(2, 5))):
        smooth = cv2.bilateralFilter(smooth, 9, float(rng.uniform(25, 60)), 9)
    levels = int(rng.integers(4, 9))
    hsv = cv2.cvtColor(smooth, cv2.COLOR_RGB2HSV).astype(np.float32)
    hsv[..., 2] = (np.floor(hsv[..., 2] / 256 * levels) + 0.5) * 256 / levels
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(1, 1.7), 0, 255)
    flat = cv2.cvtColor(hsv.clip(0, 255).astype(np.uint8), cv2.COLOR_HSV2RGB)
    return inked(flat, image, rng)


def inked(under: Array, image: Array, rng: np.random.Generator) -> Array:
    """`under` with the contours of `image` in ink."""
    lines = line_mask(image, rng)
    ink = rng.uniform(0, 60, 3)
    return np.asarray(under * (1 - lines) + ink * lines, np.float32).clip(0, 255).astype(np.uint8)


def line_mask(image: Array, rng: np.random.Generator) -> Array:
    """(H, W, 1) 0..1: extended difference of Gaussians."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    s = float(rng.uniform(0.8, 1.8))
    d = cv2.GaussianBlur(grey, (0, 0), s) - 0.98 * cv2.GaussianBlur(grey, (0, 0), 1.6 * s)
    return np.asarray(1 - np.clip(1 + np.tanh((d - rng.uniform(-0.5, 1.0)) * rng.uniform(0.3, 1.2)), 0, 1))[..., None]


def line_art(image: Array, rng: np.random.Generator) -> Array:
    paper = np.broadcast_to(rng.uniform(215, 255, 3), image.shape)
    return inked(np.asarray(paper, np.float32), image, rng)


def pencil(image: Array, rng: np.random.Generator) -> Array:
    """Grey or coloured: dodge of the blurred negative, on rough paper."""
    wide, contrast, shade = (float(rng.uniform(*ends)) for ends in ((20, 80), (0.05, 0.12), (0.02, 0.06)))
    grey, colour = cv2.pencilSketch(image, sigma_s=wide, sigma_r=contrast, shade_factor=shade)
    made = np.repeat(grey[..., None], 3, 2) if rng.random() < 0.6 else colour
    paper = 1 + rng.normal(0, rng.uniform(0, 0.08), image.shape[:2])[..., None]
    return np.asarray(made * paper, np.float32).clip(0, 255).astype(np.uint8)


def charcoal(image: Array, rng: np.random.Generator) -> Array:
    """Hatched: strokes of several directions where it is dark."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 1.5) / 255
    sheet = np.ones_like(grey)
    y, x = np.mgrid[: grey.shape[0], : grey.shape[1]].astype(np.float32)
    for k, level in enumerate(np.linspace(0.75, 0.25, int(rng.integers(3, 6)))):
        a = rng.uniform(0, np.pi) if k else np.pi / 4
        wave = np.sin((x * np.cos(a) + y * np.sin(a)) * rng.uniform(0.9, 2.2) + rng.normal(0, 0.5, grey.shape))
        sheet = np.where((grey < level) & (wave > 0), sheet * rng.uniform(0.45, 0.75), sheet)
    sheet = sheet * (1 - 0.8 * line_mask(image, rng)[..., 0])
    tone = rng.uniform(0.8, 1, 3)
    return np.asarray(255 * sheet[..., None] * tone).clip(0, 255).astype(np.uint8)


def oil(image: Array, rng: np.random.Generator) -> Array:
    """Every place takes the commonest brightness around it; then brush strokes as relief."""
    radius, levels = int(rng.integers(3, 6)), int(rng.integers(6, 13))
    grey = (cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.int32) * levels) >> 8
    side = (2 * radius + 1,) * 2
    best, made = np.full(grey.shape, -1.0, np.float32), np.zeros(image.shape, np.float32)
    for level in np.unique(grey):
        here = (grey == level).astype(np.float32)
        count = cv2.boxFilter(here, -1, side)
        mean = cv2.boxFilter(image * here[..., None], -1, side) / np.maximum(count, 1e-6)[..., None]
        wins = count > best
        best[wins], made[wins] = count[wins], mean[wins]
    strokes = cv2.GaussianBlur(rng.normal(0, 1, grey.shape).astype(np.float32), (0, 0), 0.8, sigmaY=4)
    relief = 1 + rng.uniform(0.1, 0.5) * cv2.Sobel(strokes, cv2.CV_32F, 1, 0)
    return np.asarray(made * relief[..., None]).clip(0, 255).astype(np.uint8)


def stylised(image: Array, rng: np.random.Generator) -> Array:
    made = cv2.stylization(image, sigma_s=float(rng.uniform(30, 90)), sigma_r=float(rng.uniform(0.35, 0.7)))
    return np.asarray(made)


def watercolour(image: Array, rng: np.random.Generator) -> Array:
    """Mean-shifted colours with wet edges on white paper."""
    flat = cv2.pyrMeanShiftFiltering(image, 8, float(rng.uniform(25, 45)))
    edge = cv2.GaussianBlur(np.abs(cv2.Laplacian(cv2.cvtColor(flat, cv2.COLOR_RGB2GRAY), cv2.CV_32F)), (0, 0), 1.2)
    wash = cv2.GaussianBlur(rng.normal(0, 1, image.shape[:2]).astype(np.float32), (0, 0), 9)
    pale = 255 - (255 - flat.astype(np.float32)) * rng.uniform(0.5, 0.85)
    made = pale - rng.uniform(0.6, 2) * edge[..., None] + 80 * wash[..., None]
    return np.asarray(made).clip(0, 255).astype(np.uint8)


def poster(image: Array, rng: np.random.Generator) -> Array:
    """Two to four inks by brightness."""
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), float(rng.uniform(1, 3))).astype(
        np.float32
    )
    count = int(rng.integers(2, 5))
    inks = np.sort(rng.uniform(0, 255, (count, 3)), axis=0)
    cuts = np.quantile(grey, np.linspace(0, 1, count + 1)[1:-1])
    return np.asarray(inks[np.digitize(grey, cuts)]).clip(0, 255).astype(np.uint8)


def anime(image: Array, rng: np.random.Generator) -> Array:
    """Flat skin, bright colours, the inner drawing of eyes and mouth kept, ink."""
    smooth = cv2.edgePreservingFilter(
        image, flags=1, sigma_s=float(rng.uniform(30, 90)), sigma_r=float(rng.uniform(0.3, 0.6))
    )
    light = cv2.cvtColor(smooth, cv2.COLOR_RGB2LAB).astype(np.float32)
    levels = rng.integers(3, 6)
    step = 255 / levels
    level = light[..., 0] / step
    light[..., 0] = step * (np.floor(level) + 1 / (1 + np.exp(-12 * (level % 1 - 0.5))))
    light[..., 1:] = 128 + (light[..., 1:] - 128) * rng.uniform(1, 1.6)
    made = cv2.cvtColor(light.clip(0, 255).astype(np.uint8), cv2.COLOR_LAB2RGB)
    return inked(made, image, rng)


def stone(image: Array, rng: np.random.Generator) -> Array:
    """One matter for skin, eyes and hair: a sculpture, by light alone."""
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    slow = cv2.GaussianBlur(grey, (0, 0), 12)
    relief = np.tanh((grey - slow) / 40) * rng.uniform(18, 45)
    light = 0.7 * (cv2.GaussianBlur(grey, (0, 0), 25) - 110) + rng.uniform(90, 180) + relief
    matter = np.array([(1, 0.98, 0.94), (0.85, 0.66, 0.42), (0.95, 0.82, 0.7), (0.7, 0.72, 0.75)])[rng.integers(4)]
    vein = cv2.GaussianBlur(rng.normal(0, 1, grey.shape).astype(np.float32), (0, 0), 3) * rng.uniform(0, 25)
    return np.asarray((light + vein)[..., None] * matter).clip(0, 255).astype(np.uint8)


STYLES: dict[str, Callable[[Array, np.random.Generator], Array]] = {
    "flat": flat, "line_art": line_art, "pencil": pencil, "charcoal": charcoal, "oil": oil, "stylised": stylised,
    "watercolour": watercolour, "poster": poster, "anime": anime, "stone": stone,
}  # fmt: skip


def smoothed(image: Array, rng: np.random.Generator) -> Array:
    """A photo still: skin smoothed by an app, sharpened, pushed contrast, denoised."""
    kind = rng.integers(4)
    if kind == 0:
        soft = cv2.bilateralFilter(image, 7, float(rng.uniform(12, 35)), 5)
        return cv2.addWeighted(image, 0.4, soft, 0.6, 0)
    if kind == 1:
        return cv2.addWeighted(image, 1.8, cv2.GaussianBlur(image, (0, 0), 2), -0.8, 0)
    if kind == 2:
        return np.asarray(((image / 255.0 - 0.5) * rng.uniform(1.2, 1.8) + 0.5).clip(0, 1) * 255).astype(np.uint8)
    return np.asarray(cv2.medianBlur(image, 3))
