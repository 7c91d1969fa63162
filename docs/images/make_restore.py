"""Make the pictures of docs/restore.md: python docs/images/make_restore.py PHOTO PHOTO PHOTO WRONG

Portraits that are aged here as `benchmarks.restore` does, and restored; of WRONG is shown what goes wrong.
"""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

import tronie
from benchmarks.restore import aged
from tronie.arrays import Image as Picture
from tronie.io.images import read_photo

HERE = Path(__file__).parent
TALL, GAP = 400, 10


def main() -> None:
    pipeline = tronie.Pipeline(tronie.Settings.model_validate({"restore": {"colour": True}}))
    rows = []
    for number, path in enumerate(sys.argv[1:]):
        photo = read_photo(path).image
        scale = TALL / photo.shape[0]
        photo = np.asarray(cv2.resize(photo, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), dtype=np.uint8)
        old, _ = aged(photo, np.random.default_rng(number + 7), grey=number in (1, 2))
        made = tronie.restore(old, pipeline=pipeline)
        shown = [old, made.image, made.image if made.colouring is None else made.colouring.image]
        rows.append([_sized(picture, old.shape) for picture in (shown if made.colouring else shown[:2])])
    _page([[*rows[0], *rows[1]], rows[2]], "restore")
    _page([rows[3]], "restore_wrong")


def _sized(picture: Picture, shape: tuple[int, ...]) -> Image.Image:
    return Image.fromarray(picture).resize((shape[1], shape[0]), Image.Resampling.LANCZOS)


def _page(rows: list[list[Image.Image]], name: str) -> None:
    """Rows of pictures, before white."""
    width = max(sum(one.width + GAP for one in row) - GAP for row in rows)
    page = Image.new("RGB", (width, sum(row[0].height + GAP for row in rows) - GAP), "white")
    y = 0
    for row in rows:
        x = 0
        for one in row:
            page.paste(one, (x, y))
            x += one.width + GAP
        y += row[0].height + GAP
    page.save(HERE / f"{name}.jpg", quality=88, optimize=True)


if __name__ == "__main__":
    main()
