"""Skins, hair and coverings of real portraits, baked once, to be worn by other heads.

    python -m training.landmarks.wardrobe OUT PORTRAITS MORE_PORTRAITS

The first folder's photos are those with indices 00 to 79 (the others are held out), every other folder's those with
even numbers. Writes OUT/wardrobe.npz.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

import tronie
from tronie.errors import TronieError
from tronie.head.model import Head
from tronie.shells import Shell
from tronie.stages.hair.scaffold import scaffold
from tronie.types import Face

SIDE = 512
"""Of a skin."""
CELL = 6
"""Texels of a shell's picture for each of its cells."""
ROWS = 49
"""Rows of rays that are kept: hair further down lies on the shoulders."""
KINDS = ("hair", "covering")


@dataclass(frozen=True, eq=False)
class Wardrobe:
    skins: np.ndarray
    """(N, SIDE, SIDE, 3) uint8."""
    thickness: np.ndarray
    """(M, ROWS, 97) mm over the skin along each ray of `tronie.stages.hair.scaffold`, float16."""
    pictures: np.ndarray
    """(M, CELL (ROWS - 1), 96 CELL, 4) RGBA."""
    kinds: np.ndarray
    """(M,) into KINDS."""
    worn_by: np.ndarray
    """(M,) the skin of the same person."""

    def save(self, path: Path) -> None:
        np.savez(path, **{name: getattr(self, name) for name in self.__dataclass_fields__})

    @classmethod
    def load(cls, path: Path) -> Wardrobe:
        with np.load(path, allow_pickle=False) as z:
            return cls(**{name: z[name] for name in cls.__dataclass_fields__})


def bake(photos: Sequence[Path]) -> Wardrobe:
    """What the largest face of each photo wears; photos without one are left out."""
    tree = {
        "texture": {"size": SIDE},
        "only": "texture",
        "detect": {"max_faces": 1},
        "enhance": {"mode": "off"},
        "hair": {"lashes": "none"},
    }
    pipeline = tronie.Pipeline(tronie.Settings.model_validate(tree))
    skins, worn = [], []
    for photo in photos:
        faces: Sequence[Face] = ()
        with suppress(TronieError):
            faces = pipeline.run(photo).faces[:1]
        for face in faces:
            if face.texture is None:
                continue
            own = [shell for shell in face.shells if shell.name in KINDS]
            worn += [(*kept(face.head, shell), KINDS.index(shell.name), len(skins)) for shell in own]
            skins.append(face.texture.image)
        print(photo.name, len(skins), len(worn), flush=True)
    thickness, pictures, kinds, by = (np.array(column) for column in zip(*worn, strict=True))
    return Wardrobe(np.array(skins), thickness, pictures, kinds.astype(np.uint8), by.astype(np.int32))


def kept(head: Head, shell: Shell) -> tuple[np.ndarray, np.ndarray]:
    """Thickness (ROWS, 97) and picture of a shell over its head."""
    rays = scaffold(head)
    columns = rays.skin.shape[1]
    points = shell.vertices.reshape(-1, columns, 3).astype(float)
    radius = ((points - rays.origin[: len(points)]) * rays.direction[: len(points)]).sum(axis=-1)
    thick = (radius - rays.skin[: len(points)])[:ROWS]
    picture = np.asarray(
        cv2.resize(shell.image, (CELL * (columns - 1), CELL * (len(points) - 1)), interpolation=cv2.INTER_AREA)
    )
    more = ROWS - len(thick)
    if more > 0:
        thick = np.concatenate([thick, np.repeat(thick[-1:], more, axis=0)])
        picture = np.concatenate([picture, np.zeros((CELL * more, *picture.shape[1:]), np.uint8)])
    return thick.astype(np.float16), picture[: CELL * (ROWS - 1)]


def to_learn_from(folders: Sequence[Path]) -> list[Path]:
    """The photos that are not held out."""
    first, *others = (sorted(f for f in folder.iterdir() if f.suffix == ".webp") for folder in folders)
    number = [int(photo.stem[-2:]) for photo in first]
    out = [photo for photo, n in zip(first, number, strict=True) if n < 80]
    return out + [photo for other in others for photo in other if int(photo.stem.rsplit("_", 1)[-1]) % 2 == 0]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--every", type=int, default=1, help="one photo of so many")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    bake(to_learn_from(options.folders)[:: options.every]).save(options.out / "wardrobe.npz")


if __name__ == "__main__":
    main()
