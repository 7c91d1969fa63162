"""Make docs/images/folds.jpg: people of several ages beside their heads in clay, without and with folds.

python docs/images/make_folds.py FOLDER     # the folder of the CC0 portraits
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image

from tronie import Pipeline, Settings, draw
from tronie.io.images import read_photo

CELL = 230
COLUMNS = 2
PICKS = ("male_57", "female_45", "male_15", "female_31", "male_85", "male_71")
HERE = Path(__file__).resolve().parent


def main(folder: Path) -> None:
    cells = []
    for name in PICKS:
        photo = read_photo(folder / f"{name}.webp")
        row = []
        for folds in ("none", "auto"):
            chosen = Settings.model_validate({"outputs": ("glb",), "head": {"folds": folds}, "hair": {"mode": "none"}})
            face = Pipeline(chosen).run(photo).faces[0]
            row += [draw(face, size=(CELL, CELL), yaw=30, zoom=1.8, mode="clay")]
        x0, y0, x1, y1 = face.detection.box
        middle, half = ((x0 + x1) / 2, (y0 + y1) / 2), 0.75 * (y1 - y0)
        around = Image.fromarray(photo.image).crop(
            (int(middle[0] - half), int(middle[1] - half), int(middle[0] + half), int(middle[1] + half))
        )
        cells.append(np.hstack([np.asarray(around.resize((CELL, CELL))), *row]))
    rows = [np.hstack(cells[k : k + COLUMNS]) for k in range(0, len(cells), COLUMNS)]
    Image.fromarray(np.vstack(rows)).save(HERE / "folds.jpg", quality=86)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
