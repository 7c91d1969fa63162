"""Make the pictures of docs/howto: python docs/images/make_howto.py FAMILY BLURRED LEVEL CAUTION

FAMILY is what `tronie run examples/group.jpg` writes for that photo, BLURRED and LEVEL what `tronie run
examples/astronaut.jpg --only portrait --crop passport` does with `--background blur --expression keep` and with
`--background none --expression neutral --gaze level`; CAUTION with `--maps --enhance off`.
"""

from __future__ import annotations

import sys
from pathlib import Path

from PIL import Image

HERE = Path(__file__).parent
GAP = 12
FACES = (2, 7, 8)
"""Of the group, by their numbers."""


def main() -> None:
    family, *portraits, caution = map(Path, sys.argv[1:])
    pairs = [Image.open(family / f"face-{face}" / f"{name}.png") for face in FACES for name in ("crop", "enhanced")]
    beside([picture.resize((230, 230), Image.Resampling.LANCZOS) for picture in pairs], "family")
    shown = [Image.open(folder / "face-1" / "frontal.png") for folder in portraits]
    height = round(360 * shown[0].height / shown[0].width)
    beside([one.resize((360, height), Image.Resampling.LANCZOS) for one in shown], "passport")

    maps = [Image.open(caution / "face-1" / f"{name}.jpg") for name in ("provenance", "uncertainty")]
    beside(
        [one.resize((480, round(480 * one.height / one.width)), Image.Resampling.LANCZOS) for one in maps], "caution"
    )


def beside(pictures: list[Image.Image], name: str) -> None:
    """In a row, before white."""
    width = sum(picture.width + GAP for picture in pictures) - GAP
    page = Image.new("RGB", (width, max(picture.height for picture in pictures)), "white")
    x = 0
    for picture in pictures:
        page.paste(picture, (x, 0), picture.getchannel("A") if picture.mode == "RGBA" else None)
        x += picture.width + GAP
    page.save(HERE / f"howto_{name}.jpg", quality=85, optimize=True, progressive=True)


if __name__ == "__main__":
    main()
