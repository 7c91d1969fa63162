"""Make the pictures of docs/tutorial.md: python docs/images/make_tutorial.py out/astronaut

That folder is what the tutorial's first command writes.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

import tronie

HERE = Path(__file__).parent
PAPER, GAP = (250, 250, 251), 12
SHOWN = (
    {"yaw": -50},
    {"yaw": 35, "expression": {}},
    {"yaw": 20, "expression": {"jawOpen": 0.8}},
    {"yaw": -20, "expression": {"eyeBlinkLeft": 1.0, "mouthSmileLeft": 0.7, "mouthSmileRight": 0.3}},
    {"yaw": 35, "mode": "clay", "expression": {}},
)
"""What `tronie.draw` is asked for: the photo's expression, at rest, jaw open, a wink; clay."""


def main() -> None:
    result = Path(sys.argv[1])
    face = result / "face-1"
    sheet = Image.open(result / "sheet.jpg").convert("RGB")
    keep(sheet.resize((1200, round(1200 * sheet.height / sheet.width)), Image.Resampling.LANCZOS), "sheet")
    names = ("frontal", "frontal_neutral", "frontal_mask")
    keep(row([Image.open(face / f"{name}.png") for name in names], 360), "portrait")
    keep(row([Image.open(face / f"{name}.png") for name in ("texture", "provenance", "roughness")], 360), "texture")
    head = tronie.load_head(face)
    keep(row([Image.fromarray(tronie.draw(head, size=(480, 480), **asked)) for asked in SHOWN], 240), "head")


def row(pictures: Sequence[Image.Image], side: int) -> Image.Image:
    """Square pictures beside each other."""
    page = Image.new("RGB", (len(pictures) * (side + GAP) - GAP, side), PAPER)
    for place, picture in enumerate(pictures):
        small = picture.convert("RGB").resize((side, side), Image.Resampling.LANCZOS)
        page.paste(small, (place * (side + GAP), 0))
    return page


def keep(picture: Image.Image, name: str) -> None:
    assert np.asarray(picture).std() > 5, "an empty picture"
    picture.save(HERE / f"tutorial_{name}.jpg", quality=85, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
