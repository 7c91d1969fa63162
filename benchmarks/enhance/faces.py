"""The truth: faces that a photo shows large enough, aligned at 256 pixels; and ways to spoil it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from tronie.errors import TronieError
from tronie.io.images import read_photo
from tronie.settings import DetectSettings, LandmarkSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.align import FIVE, aligned_crop, aligned_square
from tronie.stages.landmarks.net import LandmarkNet

SIDE = 256
INNER = (slice(92, 236), slice(56, 200))
"""Rows and columns of a crop that hold brows, eyes, nose and mouth."""
HELD_OUT = range(80, 100)
"""Portraits of each sex that no training may see."""
SUFFIXES = {".webp", ".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class Truth:
    names: list[str]
    crops: np.ndarray
    """(N, 256, 256, 3) RGB uint8."""


def held_out(folder: Path) -> list[Path]:
    return [p for sex in ("female", "male") for k in HELD_OUT if (p := folder / f"{sex}_{k:02d}.webp").is_file()]


def pictures(places: Iterable[Path]) -> list[Path]:
    """Files, and all pictures of folders."""
    found = []
    for place in places:
        found += sorted(p for p in place.iterdir() if p.suffix.lower() in SUFFIXES) if place.is_dir() else [place]
    return found


def aligned_faces(paths: Iterable[Path], least_eyes: float, detector: str = "centerface") -> Truth:
    """All faces of the photos whose eyes are at least `least_eyes` pixels apart, aligned by our landmarks."""
    finder, net = make_detector(detector), LandmarkNet(1)
    names, crops = [], []
    for path in paths:
        try:
            image = read_photo(path).image
        except TronieError:
            continue
        found = detect_faces(image, DetectSettings(min_face=max(2 * least_eyes, 20)), finder)
        for k, (_, landmarks) in enumerate(net.detect(image, found)):
            corners = landmarks.points[list(FIVE[:4]), :2]
            apart = float(np.linalg.norm(corners[:2].mean(0) - corners[2:].mean(0)))
            if landmarks.presence >= LandmarkSettings().min_presence and apart >= least_eyes:
                names.append(f"{path.stem}-{k + 1}" if len(found) > 1 else path.stem)
                crops.append(aligned_crop(image, aligned_square(landmarks.points), SIDE).image)
    return Truth(names, np.stack(crops) if crops else np.empty((0, SIDE, SIDE, 3), np.uint8))


def shrunk(crop: np.ndarray, factor: int) -> np.ndarray:
    """Pillow's bicubic, which averages over what becomes one pixel."""
    return np.asarray(
        Image.fromarray(crop).resize((crop.shape[1] // factor, crop.shape[0] // factor), Image.Resampling.BICUBIC)
    )


def enlarged(small: np.ndarray, side: int = SIDE) -> np.ndarray:
    return np.asarray(Image.fromarray(small).resize((side, side), Image.Resampling.BICUBIC))


def worn(crop: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Blurred by a Gaussian of 1.0 to 1.6 pixels, shrunk four times, with noise of 6 grey levels, saved as JPEG 60."""
    blurred = cv2.GaussianBlur(crop, (0, 0), rng.uniform(1.0, 1.6), borderType=cv2.BORDER_REFLECT)
    small = shrunk(blurred, 4).astype(np.float64)
    noisy = np.rint(small + rng.normal(0, 6, small.shape)).clip(0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noisy).save(stream, "JPEG", quality=60)
    return np.asarray(Image.open(stream).convert("RGB"))


DEGRADATIONS: dict[str, Callable[[np.ndarray, np.random.Generator], np.ndarray]] = {
    "x4": lambda crop, rng: shrunk(crop, 4),
    "x4 worn": worn,
    "x8": lambda crop, rng: shrunk(crop, 8),
    "x2": lambda crop, rng: shrunk(crop, 2),
}


def spoiled(crops: np.ndarray, name: str, seed: int = 0) -> np.ndarray:
    """(N, 256, 256, 3) -> (N, s, s, 3); each face has its own random numbers."""
    return np.stack([DEGRADATIONS[name](c, np.random.default_rng([seed, k])) for k, c in enumerate(crops)])
