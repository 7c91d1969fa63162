"""What two nets of MediaPipe see in photos: hair, and the person. Ours learns from it (`labels`).

    python -m training.segment.teacher hair_segmentation.tflite selfie_segmentation.tflite PHOTOS... OUT

For each photo `OUT/hair/FOLDER/STEM.png` and `OUT/person/FOLDER/STEM.png`, shares 0..255 in the photo's own pixels.
Both nets look at it as it is and at its mirror image in a square; where faces are small, at a cut-out around each.
Needs PyTorch and `ai-edge-litert`.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

from training.segment.tflite_net import TfliteNet
from tronie.io.images import read_photo
from tronie.settings import Settings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces

HAIR_SIDE, PERSON_SIDE = 512, 256
SMALL, AROUND = 0.2, 4.0
"""Faces below this share of the photo's height are cut out, this many times as large."""
SUFFIXES = ".webp", ".jpg", ".png"

See = Callable[[np.ndarray], np.ndarray]


def scaled(image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    shrinks = image.shape[0] > size[1]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC))


def tensor(image: np.ndarray, side: int, channels: int) -> torch.Tensor:
    x = np.zeros((1, channels, side, side), np.float32)
    x[0, :3] = scaled(image, (side, side)).transpose(2, 0, 1) / 255
    return torch.from_numpy(x)


def sees_hair(net: TfliteNet) -> See:
    return lambda image: net(tensor(image, HAIR_SIDE, 4))[0].softmax(0)[1].numpy()  # the fourth: no mask before


def sees_person(net: TfliteNet) -> See:
    return lambda image: net(tensor(image, PERSON_SIDE, 3))[0, 0].numpy()


def seen(image: np.ndarray, see: See) -> np.ndarray:
    """(H, W) 0..1: mean of the photo as it is, and of its mirror image in a square (the person's chest at its end)."""
    h, w = image.shape[:2]
    top, left = max(w - h, 0), max(h - w, 0) // 2
    square = cv2.copyMakeBorder(image, top, 0, left, max(h - w, 0) - left, cv2.BORDER_REPLICATE)
    side = len(square)
    plain = scaled(see(image), (w, h))
    mirrored = scaled(see(np.ascontiguousarray(square[:, ::-1])), (side, side))[:, ::-1]
    return np.asarray((plain + mirrored[top : top + h, left : left + w]) / 2).clip(0, 1)


def seen_by_faces(image: np.ndarray, boxes: list[tuple[float, ...]], see: See) -> np.ndarray:
    h, w = image.shape[:2]
    total, weight = np.zeros((h, w), np.float32), np.full((h, w), 1e-6, np.float32)
    for x0, y0, x1, y1 in boxes:
        half = AROUND * max(x1 - x0, y1 - y0) / 2
        cx, cy = (x0 + x1) / 2, (y0 + y1) / 2 + 0.15 * half
        left, top = int(max(cx - half, 0)), int(max(cy - half, 0))
        right, bottom = int(min(cx + half, w)), int(min(cy + half, h))
        part = np.ascontiguousarray(image[top:bottom, left:right])
        y, x = np.mgrid[top:bottom, left:right]
        near = np.exp(-(((x - cx) / half) ** 2 + ((y - cy) / half) ** 2) * 3)
        total[top:bottom, left:right] += near * seen(part, see)
        weight[top:bottom, left:right] += near
    return np.asarray(total / weight)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hair", type=Path, help="hair_segmentation.tflite")
    parser.add_argument("person", type=Path, help="selfie_segmentation.tflite")
    parser.add_argument("folders", type=Path, nargs="+", help="photos, and last the folder of masks")
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    *photos, out = options.folders
    nets = {"hair": sees_hair(TfliteNet(options.hair)), "person": sees_person(TfliteNet(options.person))}
    detector, settings = make_detector("centerface"), Settings().detect
    for folder in photos:
        for path in sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES):
            goals = {name: out / name / folder.name / f"{path.stem}.png" for name in nets}
            if all(goal.exists() for goal in goals.values()):
                continue
            image = read_photo(path).image
            boxes = [found.box for found in detect_faces(image, settings, detector)]
            small = bool(boxes) and max(b[3] - b[1] for b in boxes) < SMALL * len(image)
            for name, see in nets.items():
                mask = seen_by_faces(image, boxes, see) if small else seen(image, see)
                goals[name].parent.mkdir(parents=True, exist_ok=True)
                cv2.imwrite(str(goals[name]), np.round(mask * 255).astype(np.uint8))
        print(folder.name, flush=True)


if __name__ == "__main__":
    main()
