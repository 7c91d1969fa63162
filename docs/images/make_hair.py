"""Make docs/images/hair_1.jpg, hair_2.jpg and hair_3.jpg: people from eight sides.

    python docs/images/make_hair.py FOLDER OFFICIAL

FOLDER has the CC0 portraits of people who do not exist, OFFICIAL official portraits in the public domain. Each row: the
photo around the face, then the head turned by 0, 45, ... 315 degrees.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

import tronie

CELL, SIDES = 150, (0, 45, 90, 135, 180, -135, -90, -45)
HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
PAGES = (
    ("astronaut", "official:obama", "official:biden", "group:1", "group:2", "group:4", "group:5", "group:7"),
    ("female_02", "female_28", "female_31", "female_19", "female_23", "female_16", "male_23", "male_16", "male_07"),
    ("female_85", "female_82", "male_28", "female_12"),
)


def main(folder: Path, official: Path) -> None:
    pipeline = tronie.Pipeline(tronie.Settings.model_validate({"only": "texture"}))
    run = cache(pipeline.run)
    for page, names in enumerate(PAGES, start=1):
        rows = []
        for name in names:
            kind, _, which = name.partition(":")
            path = EXAMPLES / f"{kind}.jpg"
            if kind == "official":
                path = official / f"{which}.jpg"
            elif not path.exists():
                path = folder / f"{name}.webp"
            result = run(path)
            rows.append(row(result, int(which) - 1 if kind == "group" else 0))
        Image.fromarray(np.vstack(rows)).save(HERE / f"hair_{page}.jpg", quality=85, optimize=True, progressive=True)


def row(result: tronie.Result, number: int) -> np.ndarray:
    face = result.faces[number]
    x0, y0, x1, y1 = face.box
    half, x, y = 1.05 * (y1 - y0), (x0 + x1) / 2, (y0 + y1) / 2
    box = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    photo = Image.fromarray(result.photo.image).crop(box).resize((CELL, CELL), Image.Resampling.LANCZOS)  # type: ignore[arg-type]
    if face.hair is not None:
        said = f"{face.hair.kind}  {face.hair.fullness:.0%}"
        draw = ImageDraw.Draw(photo)
        draw.text((4, CELL - 16), said, "white", ImageFont.load_default(12), stroke_width=2, stroke_fill="black")
    return np.hstack([np.asarray(photo)] + [tronie.draw(face, size=(CELL, CELL), yaw=yaw, zoom=1.1) for yaw in SIDES])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
