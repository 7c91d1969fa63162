"""Make docs/images/bust.jpg: people with --bust from several sides.

    python docs/images/make_bust.py FOLDER OFFICIAL

FOLDER has the CC0 portraits of people who do not exist, OFFICIAL official portraits in the public domain. Each row: the
photo, then the bust from the front, from aside, from behind and from below.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

import tronie

CELL = 230
VIEWS = ((0, 0), (40, 0), (-75, 0), (180, 0), (20, 30))
PICKS = ("official:obama", "male_87", "official:biden", "female_36", "astronaut", "female_07")
HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"


def main(folder: Path, official: Path) -> None:
    chosen = {"outputs": ("glb",), "head": {"bust": True}}
    pipeline = tronie.Pipeline(tronie.Settings.model_validate(chosen))
    rows = []
    for pick in PICKS:
        kind, _, which = pick.partition(":")
        path = EXAMPLES / f"{kind}.jpg"
        if not path.exists():
            path = official / f"{which}.jpg" if which else folder / f"{kind}.webp"
        result = pipeline.run(path)
        photo = ImageOps.fit(Image.fromarray(result.photo.image), (CELL, CELL), centering=(0.5, 0.2))
        drawn = [tronie.draw(result.faces[0], size=(CELL, CELL), yaw=y, pitch=p) for y, p in VIEWS]
        rows.append(np.hstack([np.asarray(photo), *drawn]))
    Image.fromarray(np.vstack(rows)).save(HERE / "bust.jpg", quality=84)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
