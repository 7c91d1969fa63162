"""What the outline adds to fits of turned faces, and which of its constants are best.

    python -m benchmarks.outline ../shared/ict/ict_facekit.npz --people 60
    python -m benchmarks.outline ../shared/ict/ict_facekit.npz --set EDGE_SIGMA=3 --set CAUCHY_MM=1

Photos of ICT-FaceKit's people (benchmarks/accuracy) turned to 60 degrees, with what the segmentation says of them. What
was seen is kept, so that other constants of `tronie.stages.fit.outline` take a third of a second a photo.
"""

from __future__ import annotations

import argparse
import time
from hashlib import sha256

import numpy as np

from benchmarks.accuracy import subject
from benchmarks.accuracy.evaluate import Score, frontal_offset, judge
from benchmarks.accuracy.methods import Default
from benchmarks.accuracy.observe import pipeline
from benchmarks.accuracy.synthetic import CACHE, Renders, cache_path, load_renders, make_renders
from tronie.arrays import Image
from tronie.geometry import Similarity, facing_degrees
from tronie.runtime import weights
from tronie.runtime.threads import single_blas_thread
from tronie.shells import Segmentation
from tronie.stages.fit import outline

MAX_YAW = 60.0
BINS = ((0, 15), (15, 30), (30, 45), (45, 61), (0, 61))


def seen(renders: Renders, k: int) -> tuple[Image, Segmentation]:
    """The photo of a render, and its segmentation, which is kept."""
    item = renders.items[k]
    image = renders.picture(item)
    net = sha256(weights.path("segment").read_bytes()).hexdigest()[:6]
    path = CACHE / f"segments-{renders.seed}-{item.person}-{net}.npz"
    if not path.exists():
        found = pipeline().segmenter.segment(image, [item.landmarks])[0]
        to = found.to_photo
        np.savez_compressed(path, shares=found.shares, to_photo=np.array([to.a, to.b, to.tx, to.ty]))
    with np.load(path, allow_pickle=False) as z:
        return image, Segmentation(z["shares"], Similarity(*map(float, z["to_photo"])))


def figures(scores: list[Score]) -> tuple[float, float, float]:
    """Mean error, mm, rotation, degrees, and share within the stated spread."""
    found = np.mean([(s.error, s.geodesic, s.covered_scaled) for s in scores], axis=0)
    return float(found[0]), float(found[1]), float(found[2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ict")
    parser.add_argument("--people", type=int, default=60)
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="a constant of the outline")
    options = parser.parse_args()
    for one in options.set:
        name, value = one.split("=")
        setattr(outline, name, type(getattr(outline, name))(float(value)))
    path = cache_path(options.ict, options.seed, options.people, 1, MAX_YAW)
    if not path.exists():
        make_renders(path, options.ict, people=options.people, takes=1, seed=options.seed, max_yaw=MAX_YAW)
    renders, model = load_renders(path), subject.model()
    assert renders.mean is not None
    errors, fitted, offset = outline.fit_errors(), Default(model), frontal_offset(model, renders.mean)
    rows: list[tuple[Score, ...]] = []
    turned, spent = [], []
    with single_blas_thread():
        for k, item in enumerate(renders.items):
            fit = fitted(item)
            if abs(facing_degrees(fit.head_to_camera[:3, :3])[0]) < outline.LEAST_YAW:
                continue
            image, found = seen(renders, k)
            began = time.process_time()
            made = outline.outlined(model, fit, item.landmarks, item.detection.size, image, found, errors=errors)
            spent.append(time.process_time() - began)
            truth = renders.truths[item.person]
            before = judge(fit, 0.0, item, truth, offset)
            after = before if made is fit else judge(made, 0.0, item, truth, offset)
            turned.append(abs(item.angles[0]))
            rows.append((before, after))
    print("| yaw, ° | photos | error, mm | with the outline | rotation, ° | with it | within 1 σ | with it |")
    print("|---|---|---|---|---|---|---|---|")
    for low, high in BINS:
        some = [row for row, yaw in zip(rows, turned, strict=True) if low <= yaw < high]
        if some:
            (e0, g0, c0), (e1, g1, c1) = (figures([row[late] for row in some]) for late in (0, 1))
            print(f"| {low}-{high} | {len(some)} | {e0:.3f} | {e1:.3f} | {g0:.2f} | {g1:.2f} | {c0:.0%} | {c1:.0%} |")
    print(f"{1000 * np.median(spent):.0f} ms of processor time a face")


if __name__ == "__main__":
    main()
