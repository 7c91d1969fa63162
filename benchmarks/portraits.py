"""Run every portrait of a folder and print how many come out right: found, finished, and how well the head lies.

    python -m benchmarks.portraits ../shared/faces_cc0

Expects one person in each photo. Writes nothing unless --out is given.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np

import tronie
from tronie.geometry import transform

LIMIT = 0.015
"""Largest landmark error over face-box size that counts as lying on the face."""


def overlay_error(face: tronie.Face) -> float:
    """RMS distance of the head's 478 projected points to the landmarks, over the size of the face's box."""
    assert face.head is not None
    assert face.fit is not None
    assert face.landmarks is not None
    points = face.head.points478(face.head.vertices).astype(float)
    projected = face.fit.camera.project(transform(face.fit.head_to_camera, points))
    distance = np.linalg.norm(projected - face.landmarks.points[:, :2], axis=1)
    return float(np.sqrt((distance**2).mean()) / face.detection.size)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--out", type=Path, help="save all results here")
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument("--only", choices=["mesh", "texture", "portrait"])
    options = parser.parse_args()
    pipeline = tronie.Pipeline(tronie.Settings(only=options.only))
    paths = sorted(p for p in options.folder.iterdir() if p.suffix in {".webp", ".jpg", ".png"})[:: options.every]
    errors, seconds, wrong = [], [], []
    for path in paths:
        start = time.perf_counter()
        try:
            result = pipeline.run(path)
            if options.out:
                tronie.save(result, options.out, overwrite=True)
        except Exception as error:
            wrong.append(f"{path.name}: {type(error).__name__}: {error}")
            continue
        seconds.append(time.perf_counter() - start)
        if len(result.faces) != 1:
            wrong.append(f"{path.name}: {len(result.faces)} faces")
        for face in result.faces[:1]:
            if face.error:
                wrong.append(f"{path.name}: {face.error}")
            else:
                errors.append(overlay_error(face))
    e = np.array(errors)
    print(f"{len(paths)} photos, {len(paths) - len(wrong)} with exactly one face finished")
    print(
        f"overlay error over box size: median {np.median(e):.4f}, largest {e.max():.4f}, "
        f"{(e <= LIMIT).sum()} of {len(paths)} within {LIMIT}"
    )
    print(f"seconds a photo: median {np.median(seconds):.2f}")
    for line in wrong:
        print(" ", line)


if __name__ == "__main__":
    main()
