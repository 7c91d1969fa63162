"""The card's figures: how well the net does on people who were held out, and how long it takes.

python -m training.segment.measure OUT [--net src/tronie/assets/segment.onnx] [--count 300]
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

from training.segment.augment import looked_at
from training.segment.bases import MARGIN
from training.segment.composites import compose, learnt, packed
from training.segment.labels import HAIR, Labelled, shares
from tronie.runtime.inference import Session
from tronie.shells import SEGMENTS
from tronie.stages.segment import SIDE, voted


def answer(net: Session, image: np.ndarray) -> np.ndarray:
    """(9, SIDE, SIDE)."""
    said = net.run({"image": image.transpose(2, 0, 1)[None].astype(np.float32) / 255})["shares"][0]
    return np.asarray(voted(said))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    return float((a & b).sum() / max((a | b).sum(), 1))


def on_photos(net: Session, items: list[Labelled]) -> dict[str, list[float]]:
    """By folder: IoU of hair with the (corrected) teacher where it shows any, and hair seen where none is."""
    found: dict[str, list[float]] = {}
    inner = slice(MARGIN, MARGIN + SIDE)
    for item in items:
        said = answer(net, item.base.image[inner, inner])
        free = item.base.inside[inner, inner] & (item.weight[inner, inner] > 0.5)
        hair, true = said[HAIR] > 0.5, item.hair[inner, inner] > 0.5
        folder = item.base.name.split("/")[0]
        if (true & free).sum() > 250:
            found.setdefault(folder, []).append(overlap(hair & free, true & free))
        else:
            found.setdefault(f"{folder}, little hair", []).append(float((hair & free).sum()))
    return found


def on_composites(
    net: Session, items: list[Labelled], odds: np.ndarray, count: int, only: str | None, seed: int = 9
) -> np.ndarray:
    """(9, 2): pixels of both and of either, by segment."""
    rng, total = np.random.default_rng(seed), np.zeros((len(SEGMENTS), 2))
    for _ in range(count):
        image, hair, rest, weight = looked_at(packed(compose(items, odds, rng, only)), SIDE, rng)
        true, said = shares(hair / 255.0, rest).argmax(axis=0), answer(net, image).argmax(axis=0)
        sure = weight > 150
        for k in range(len(SEGMENTS)):
            a, b = (true == k) & sure, (said == k) & sure
            total[k] += (a & b).sum(), (a | b).sum()
    return total


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--net", type=Path, default=Path(__file__).parents[2] / "src/tronie/assets/segment.onnx")
    parser.add_argument("--count", type=int, default=300)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    net = Session(options.net, 1, split=True)
    picture = np.zeros((SIDE, SIDE, 3), np.uint8)
    took = []
    for _ in range(40):
        began = time.perf_counter()
        answer(net, picture)
        took.append(time.perf_counter() - began)
    print(
        f"{1000 * np.median(took):.1f} ms a face ({1000 * min(took):.1f} at best), {options.net.stat().st_size:,} bytes"
    )
    items, odds = learnt(options.out, held=True)
    for folder, values in on_photos(net, items).items():
        if "little" in folder:
            print(f"{folder}: {len(values)} people, {np.mean(values):.0f} px of hair, {np.max(values):.0f} at most")
        else:
            low, tenth = np.median(values), np.quantile(values, 0.1)
            print(f"{folder}: hair IoU median {low:.3f}, a tenth below {tenth:.3f}, {len(values)} people")
    for only in (None, "glasses", "covering"):
        total = on_composites(net, items, odds, options.count if only is None else options.count // 3, only)
        parts = [f"{name} {a / max(b, 1):.3f}" for name, (a, b) in zip(SEGMENTS, total, strict=True)]
        print(f"composites ({only or 'all'}), IoU: " + ", ".join(parts), flush=True)


if __name__ == "__main__":
    main()
