"""Make docs/images/gallery_1.jpg and gallery_2.jpg: photos beside their portraits.

    python docs/images/make_gallery.py FOLDER     # the folder of the CC0 portraits

Each cell: the photo around the face, the portrait. `NAME:level` has its gaze levelled, `NAME:plain` stands before grey,
`NAME:neutral` is at rest, `NAME:grey` and `NAME:small` are made from the photo without colour, and at an eighth.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from tronie import Pipeline, Settings
from tronie.io.images import photo_from_array, read_photo
from tronie.types import Face, Photo

CELL, COLUMNS = 236, 3
HERE = Path(__file__).resolve().parent
PICKS = [
    "female_03",
    "female_42",
    "male_33",
    "female_65",
    "female_87",
    "female_08",
    "female_58:level",
    "female_31",
    "female_07",
    "female_14",
    "male_15",
    "female_28:level",
    "female_00:small",
    "female_73:plain",
    "male_10:grey",
    "female_85:neutral",
    "group",
    "female_82",
    "female_42:neutral",
    "female_66",
]
WAYS = {
    "level": {"gaze": "level"}, "plain": {"background": "plain"}, "neutral": {"expression": "neutral"},
}  # fmt: skip


def main(folder: Path) -> None:
    font = ImageFont.load_default(15)
    for page, picks in enumerate((PICKS[:9], PICKS[9:]), start=1):
        rows = -(-len(picks) // COLUMNS)
        sheet = Image.new("RGB", (COLUMNS * (2 * CELL + 12) - 12, rows * (CELL + 28)), "white")
        draw = ImageDraw.Draw(sheet)
        for k, pick in enumerate(picks):
            name, _, way = pick.partition(":")
            path = HERE.parents[1] / "examples" / "group.jpg" if name == "group" else folder / f"{name}.webp"
            photo = made(read_photo(path), way)
            settings = Settings.model_validate({"portrait": {"expression": "keep", **WAYS.get(way, {})}})
            face = Pipeline(settings).run(photo).faces[0]
            assert face.portrait is not None
            assert face.fit is not None
            x, y = k % COLUMNS * (2 * CELL + 12), k // COLUMNS * (CELL + 28)
            for n, image in enumerate((around(photo, face), face.portrait.image)):
                sheet.paste(Image.fromarray(image).resize((CELL, CELL), Image.Resampling.LANCZOS), (x + n * CELL, y))
            number = 9 * (page - 1) + k + 1
            d = face.fit.diagnostics
            said = f"{number}  {pick}  yaw {d['yaw']:+.0f}  pitch {d['pitch']:+.0f}"
            draw.text((x + 2, y + CELL + 4), said, "black", font)
        sheet.save(HERE / f"gallery_{page}.jpg", quality=84, optimize=True)


def made(photo: Photo, way: str) -> Photo:
    picture = Image.fromarray(photo.image)
    if way == "grey":
        return photo_from_array(np.asarray(picture.convert("L").convert("RGB")))
    if way == "small":
        return photo_from_array(np.asarray(picture.resize((photo.image.shape[1] // 8, photo.image.shape[0] // 8))))
    return photo


def around(photo: Photo, face: Face) -> np.ndarray:
    """The square around a face, twice its height."""
    x0, y0, x1, y1 = face.box
    half = y1 - y0
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    box = tuple(round(v) for v in (x - half, y - half, x + half, y + half))
    return np.asarray(Image.fromarray(photo.image).crop(box))  # type: ignore[arg-type]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
