"""What the pipeline measures of photos of one person each: landmarks, and where the fitted head lies in the picture.

    python -m training.segment.fits PHOTOS... OUT

Writes `OUT/fits/FOLDER/STEM.npz`: `points` (N, 478, 2) photo pixels of its faces, the largest first, and `vertices`
(N, C, 3) of their control meshes, photo pixels and depth in millimetres.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.segment.teacher import SUFFIXES
from tronie.io.images import read_photo
from tronie.pipelines.photo import Pipeline
from tronie.settings import EnhanceSettings, Settings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="photos, and last the folder of what is measured")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    *photos, out = options.folders
    pipeline = Pipeline(Settings(enhance=EnhanceSettings(mode="off"), only="mesh"), threads=1)
    count = len(pipeline.model.mean)
    for folder in photos:
        (out / "fits" / folder.name).mkdir(parents=True, exist_ok=True)
        for path in sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES):
            goal = out / "fits" / folder.name / f"{path.stem}.npz"
            if goal.exists():
                continue
            points, vertices = [], []
            for face in pipeline.run(read_photo(path)).faces:
                if face.head is None or face.fit is None or face.landmarks is None:
                    continue
                placed = face.head.vertices[:count] @ face.fit.head_to_camera[:3, :3].T + face.fit.head_to_camera[:3, 3]
                seen = np.column_stack([face.fit.camera.project(placed), placed[:, 2]])
                points.append(face.landmarks.points[:, :2].astype(np.float32))
                vertices.append(seen.astype(np.float32))
            if points:
                np.savez(goal, points=np.stack(points), vertices=np.stack(vertices))
        print(folder.name, flush=True)


if __name__ == "__main__":
    main()
