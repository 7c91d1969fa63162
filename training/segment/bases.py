"""Photos cut out around their faces, with what is known of every pixel: what labels and composites are made of.

    python -m training.segment.bases PHOTOS... MASKS OUT

MASKS is the folder that `teacher` wrote, OUT the one that `fits` wrote. Makes `OUT/bases/FOLDER.npz`; of each photo
only the largest face.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.segment.teacher import SUFFIXES
from tronie.geometry import Similarity
from tronie.head.model import HeadModel, default_head
from tronie.head.subdivide import triangulate
from tronie.io.images import read_photo
from tronie.raster.rasterizer import visible
from tronie.stages.landmarks.squares import cut, sized
from tronie.stages.segment import SIDE, crop_square
from tronie.stages.texture.atlas import surface_facts

MARGIN = 40
"""Pixels by which a base is larger than the net's crop on every side: room to shift, turn and shrink."""
CANVAS = SIDE + 2 * MARGIN
NOTHING, SKIN, EAR, NECK, SCALP = range(5)
"""Values of `Base.region`."""


@dataclass(frozen=True)
class Base:
    name: str
    """FOLDER/STEM."""
    image: np.ndarray
    """(CANVAS, CANVAS, 3)."""
    hair: np.ndarray
    """(CANVAS, CANVAS) uint8, as the teacher has it."""
    person: np.ndarray
    region: np.ndarray
    """(CANVAS, CANVAS) uint8: where the fitted head lies."""
    inside: np.ndarray
    """(CANVAS, CANVAS) bool: what is not the photo's border repeated."""
    points: np.ndarray
    """(478, 2) pixels of the image."""


def canvas_map(points: np.ndarray) -> Similarity:
    """Pixels of a base -> photo."""
    to_photo = sized(crop_square(points), SIDE)
    corner = to_photo.apply([-MARGIN, -MARGIN])
    return Similarity(to_photo.a, to_photo.b, float(corner[0]), float(corner[1]))


def regions_of(model: HeadModel) -> np.ndarray:
    """(C,) of the control mesh."""
    facts = surface_facts(model, 0)
    x, y, z = model.mean.T
    region = np.full(len(model.mean), SKIN)
    region[facts.scalp > 0.5] = SCALP
    region[facts.neck > 0.5] = NECK
    region[(np.abs(x) > 69) & (z < -62) & (z > -110) & (np.abs(y + 13) < 33)] = EAR
    return region


def drawn(model: HeadModel, vertices: np.ndarray, region: np.ndarray) -> np.ndarray:
    """(CANVAS, CANVAS) uint8 of a head's control mesh (C, 3): pixels of the base and depth."""
    triangles = triangulate(model.quads)[0]
    seen = visible(vertices.astype(np.float32), triangles.astype(np.int32), CANVAS, CANVAS)[0]
    of = np.sort(region[triangles], axis=1)[:, 1]
    return np.where(seen >= 0, of[seen], NOTHING).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="photos, then the folders of masks and of fits")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    *photos, masks, out = options.folders
    (out / "bases").mkdir(exist_ok=True)
    model = default_head()
    region = regions_of(model)
    for folder in photos:
        rows: dict[str, list[np.ndarray | str]] = {}
        for path in sorted(p for p in folder.iterdir() if p.suffix in SUFFIXES):
            fit = out / "fits" / folder.name / f"{path.stem}.npz"
            if not fit.exists():
                continue
            image, measured = read_photo(path).image, np.load(fit)
            to_photo = canvas_map(measured["points"][0])
            vertices = measured["vertices"][0].copy()
            vertices[:, :2] = to_photo.inverse().apply(vertices[:, :2])
            inner = np.pad(np.full((image.shape[0] - 2, image.shape[1] - 2), 255, np.uint8), 1)
            layers = {
                name: cv2.imread(str(masks / name / folder.name / f"{path.stem}.png"), cv2.IMREAD_GRAYSCALE)
                for name in ("hair", "person")
            }
            row = {
                "name": f"{folder.name}/{path.stem}",
                "image": cut(image, to_photo, CANVAS),
                **{name: cut(layer, to_photo, CANVAS) for name, layer in layers.items()},
                "region": drawn(model, vertices, region),
                "inside": cut(inner, to_photo, CANVAS) > 127,
                "points": to_photo.inverse().apply(measured["points"][0]).astype(np.float32),
            }
            for key, value in row.items():
                rows.setdefault(key, []).append(value)
        np.savez(out / "bases" / f"{folder.name}.npz", **{key: np.stack(value) for key, value in rows.items()})
        print(folder.name, len(rows.get("name", ())), flush=True)


def load_bases(path: Path) -> list[Base]:
    data = np.load(path)
    names = ("image", "hair", "person", "region", "inside", "points")
    arrays = {name: data[name] for name in names}
    return [
        Base(str(name), **{key: value[k] for key, value in arrays.items()})
        for k, name in enumerate(data["name"].tolist())
    ]


if __name__ == "__main__":
    main()
