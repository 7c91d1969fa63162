"""How much nearer restoring brings photos that were aged on purpose to what they were.

    python -m benchmarks.restore PHOTO... [--tall 480] [--undamaged] [--pictures FOLDER]

Each photo is made 480 pixels high, faded and yellowed, in every third case grey before that, gets the grain of old
prints, and scratches, folds, cracks and dust as the net that finds them has learned them, and is saved as JPEG; then it
is restored. Printed is the peak signal-to-noise ratio in dB of the aged and of the restored photo against what it was:
of all, of the faces, outside of them, and with a step left out.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

from training.damage.marks import cracks, folds, scratches, specks
from training.superres.degrade import grained, jpeg, to_bytes
from tronie import Pipeline, Settings, restore
from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.io.encode import png
from tronie.io.images import read_photo
from tronie.stages.landmarks.align import aligned_square

INNER = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
"""Of an aligned crop, what counts as the face."""


def aged(photo: Image, rng: np.random.Generator, *, grey: bool, damage: bool = True) -> tuple[Image, Image]:
    """A photo and what is to come out of restoring it: (H, W, 3) each."""
    truth = photo
    if grey:
        truth = np.repeat(to_bytes(photo @ LUMA)[..., None], 3, axis=-1)
    x = truth.astype(np.float32)
    black, span = rng.uniform(35, 60), rng.uniform(0.6, 0.78)
    tint = np.array([1.0, rng.uniform(0.9, 0.96), rng.uniform(0.72, 0.88)])
    x = (black + span * x) * tint
    x = grained(x, rng)
    return jpeg(to_bytes(worn(x, rng) if damage else x), 80, 2), truth


def worn(x: Array, rng: np.random.Generator) -> Array:
    """With scratches, folds, cracks and dust."""
    for kind in (scratches, folds, cracks, specks):
        for sheet in kind(x, rng) if rng.random() < 0.5 else ():
            cover = sheet.cover[..., None]
            x = np.clip(x + cover * (sheet.colour if sheet.shift else sheet.colour - x), 0, 255)
    return x


def psnr(one: Image, other: Image, where: Array) -> float:
    error = ((one.astype(np.float32) - other) ** 2).mean(axis=2)[where > 0]
    return float(10 * np.log10(255**2 / max(float(error.mean()), 1e-9))) if error.size else float("nan")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="+", type=Path)
    parser.add_argument("--tall", type=int, default=480, help="pixels")
    parser.add_argument("--undamaged", action="store_true", help="only faded and grained")
    parser.add_argument("--pictures", type=Path, help="a folder for before, after and truth, side by side")
    given = parser.parse_args()
    pipelines = {
        "all": Pipeline(Settings()),
        "no damage": Pipeline(Settings.model_validate({"restore": {"damage": "off"}})),
        "no faces": Pipeline(Settings.model_validate({"enhance": {"mode": "off"}})),
    }
    table: dict[str, list[tuple[float, float, float]]] = {}
    for number, path in enumerate(given.photos):
        whole = read_photo(path).image
        scale = min(1.0, given.tall / whole.shape[0])
        whole = np.asarray(cv2.resize(whole, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        old, truth = aged(whole, np.random.default_rng(number), grey=number % 3 == 2, damage=not given.undamaged)
        faces = np.zeros(old.shape[:2], np.uint8)
        for name, pipeline in pipelines.items():
            made = restore(old, pipeline=pipeline)
            after = made.image
            if made.factor > 1:
                after = np.asarray(cv2.resize(after, old.shape[1::-1], interpolation=cv2.INTER_AREA), dtype=np.uint8)
            if name == "all":
                for face in made.faces:
                    assert face.landmarks is not None
                    corners = aligned_square(face.landmarks.points).apply(
                        [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9], [0.1, 0.9]]
                    )
                    cv2.fillPoly(faces, [np.rint(corners).astype(np.int32)], 1)
                table.setdefault("aged", []).append(_three(old, truth, faces))
                if given.pictures:
                    given.pictures.mkdir(parents=True, exist_ok=True)
                    (given.pictures / f"{path.stem}.png").write_bytes(png(np.hstack([old, after, truth])))
            table.setdefault(name, []).append(_three(after, truth, faces))
        print(path.name, *(f"{name} {rows[-1][0]:.2f}" for name, rows in table.items()), flush=True)
    print(f"{'':12}{'all':>8}{'faces':>8}{'outside':>8}")
    for name, rows in table.items():
        print(f"{name:12}" + "".join(f"{value:8.2f}" for value in np.nanmean(rows, axis=0)))


def _three(one: Image, truth: Image, faces: Array) -> tuple[float, float, float]:
    return psnr(one, truth, np.ones_like(faces)), psnr(one, truth, faces), psnr(one, truth, 1 - faces)


if __name__ == "__main__":
    main()
