"""Faces to learn from: portraits cut out upright, each as fine as it is."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import cv2
import numpy as np

from training.superres.degrade import tinted, to_bytes
from tronie.io.images import read_photo
from tronie.pipelines.photo import Pipeline
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.stages.landmarks.squares import square

SIDE = 256
"""Of the aligned crop that is to come out, pixels."""
MARGIN = 1.3
"""Side of the kept pictures / of the aligned crop: room to turn and shift."""
FINEST = 1.27
"""Pixels of a kept picture for one of what comes out, at most."""


def faces(paths: Iterable[Path]) -> list[np.ndarray]:
    """(n, n, 3) uint8 of the largest face of each portrait, upright, with a margin. Not enlarged: n is what the
    portrait shows, and at most MARGIN FINEST SIDE."""
    pipeline, found = Pipeline(threads=1), []
    for path in paths:
        image = read_photo(path).image
        boxes = detect_faces(image, pipeline.settings.detect, pipeline.detector)[:1]
        for _, landmarks in pipeline.net.detect(image, boxes):
            unit = aligned_square(landmarks.points)
            roll = float(np.arctan2(unit.b, unit.a))
            side = round(MARGIN * min(unit.scale, FINEST * SIDE))
            found.append(aligned_crop(image, square(unit.apply([0.5, 0.5]), MARGIN * unit.scale, roll), side).image)
    return found


def portraits(folder: Path, numbers: Iterable[int]) -> list[Path]:
    """Portraits of a folder whose names end in one of the numbers."""
    wanted = set(numbers)
    return [
        path
        for path in sorted(folder.iterdir())
        if path.suffix in (".webp", ".jpg", ".png")
        and (number := path.stem.rpartition("_")[2]).isdigit()
        and int(number) in wanted
    ]


def drawn(kept: np.ndarray, rng: np.random.Generator, side: int, part: bool) -> np.ndarray:
    """(side, side, 3) uint8: a kept picture's aligned face, whole or a `part` of it at the size that it has in a crop
    of SIDE or, where it is not so fine, at its own; a little off its place, maybe mirrored, in other light."""
    whole = len(kept) / MARGIN
    turn, scale = rng.normal(0, 5), (max(whole / SIDE, 1.0) if part else whole / side) * np.exp(rng.normal(0, 0.07))
    matrix = cv2.getRotationMatrix2D((0, 0), turn, scale)
    room = max(whole - side * scale, 0) / 2
    middle = len(kept) / 2 + rng.normal(0, 0.02 * len(kept), 2) + rng.uniform(-room, room, 2)
    matrix[:, 2] = middle - matrix[:, :2] @ [side / 2, side / 2] - 0.5 + matrix[:, :2].sum(axis=1) / 2
    soft = cv2.GaussianBlur(kept, (0, 0), 0.35 * scale) if scale > 1.3 else kept
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    x = cv2.warpAffine(soft, matrix, (side, side), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    x = x[:, ::-1] if rng.random() < 0.5 else x
    return to_bytes(tinted(x, rng)) if rng.random() < 0.7 else np.ascontiguousarray(x)
