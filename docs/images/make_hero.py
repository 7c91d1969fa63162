"""Make hero.jpg, the picture of the README, from the two example photos: python docs/images/make_hero.py"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import tronie
from tronie.export.contact_sheet import portrait_view
from tronie.raster.shading import CLAY, render_head
from tronie.render.overlay import cut_out, face_region, overlay

HERE = Path(__file__).parent
EXAMPLES = HERE.parent.parent / "examples"

PAPER, TILE, INK, FAINT, ACCENT = (250, 250, 251), (232, 234, 237), (34, 37, 41), (112, 117, 124), (24, 110, 190)
MARGIN, GAP, LABEL, BADGE = 40, 14, 40, 22
WIDTH = 1600
SHOWN = (2, 3, 4, 6)
"""Faces of the group, by their numbers."""
SMOOTH = 2
"""Renders are made so many times as large and reduced."""


def main() -> None:
    pipeline = tronie.Pipeline()
    portrait = pipeline.run(EXAMPLES / "astronaut.jpg")
    group = pipeline.run(EXAMPLES / "group.jpg")
    inner = WIDTH - 2 * MARGIN
    large = (inner - 4 * GAP) // 5
    # The photo has the height of two rows of small tiles, and the five widths fill the line.
    height, width = group.photo.image.shape[:2]
    small = int((inner - 2 * GAP - 3 * GAP - GAP * width / height) / (4 + 2 * width / height))
    tall = 2 * small + GAP
    wide = round(tall * width / height)

    page = Image.new("RGB", (WIDTH, 2 * MARGIN + large + LABEL + GAP + tall), PAPER)
    for place, (label, picture) in enumerate(one(portrait, large)):
        x = MARGIN + place * (large + GAP)
        page.paste(Image.fromarray(picture), (x, MARGIN))
        write(page, (x, MARGIN + large + 8), label, 17, FAINT)
    top = MARGIN + large + LABEL + GAP
    page.paste(numbered(group, (wide, tall)), (MARGIN, top))
    for place, number in enumerate(SHOWN):
        face = group.faces[number - 1]
        assert face.portrait is not None
        x = WIDTH - MARGIN - (4 - place) * (small + GAP) + GAP
        for y, picture in ((top, reduced(face.portrait.image, small)), (top + small + GAP, turned(face, small, -55))):
            page.paste(Image.fromarray(picture), (x, y))
            badge(page, (x, y), number)
    page.save(HERE / "hero.jpg", quality=88, optimize=True, progressive=True)


def one(result: tronie.Result, size: int) -> list[tuple[str, np.ndarray]]:
    """Label and picture (size, size, 3) of what comes out for the first face."""
    face = result.faces[0]
    assert face.head is not None
    assert face.portrait is not None
    region = face_region(face)
    return [
        ("photo", cut_out(result.photo.image, region, size)),
        ("fitted head and 478 landmarks", overlay(result.photo.image, face, size, region)),
        ("portrait from the front", reduced(face.portrait.image, size)),
        ("head with hair", turned(face, size, -40)),
        (f"{len(face.head.vertices):,} vertices, 52 blend shapes", bare(face, size, 35)),
    ]


def turned(face: tronie.Face, size: int, yaw: float) -> np.ndarray:
    return tronie.draw(face, size=(size, size), yaw=yaw, zoom=1.1, background=TILE)


def bare(face: tronie.Face, size: int, yaw: float) -> np.ndarray:
    """The head without hair and texture."""
    assert face.head is not None
    camera, pose = portrait_view(SMOOTH * size, yaw)
    mesh = face.head.model.level(face.head.level)
    return reduced(render_head(face.head.vertices, mesh, None, camera, pose, background=TILE, shading=CLAY), size)


def numbered(result: tronie.Result, size: tuple[int, int]) -> Image.Image:
    """The photo at (width, height) with a numbered frame around every face."""
    picture = Image.fromarray(result.photo.image).resize(size, Image.Resampling.LANCZOS)
    scale = size[0] / result.photo.image.shape[1]
    draw = ImageDraw.Draw(picture)
    for face in result.faces:
        x0, y0, x1, y1 = (value * scale for value in face.box)
        draw.rounded_rectangle((x0, y0, x1, y1), 6, outline=(255, 255, 255), width=2)
        badge(picture, (x0, y0 - BADGE), face.index)
    return picture


def badge(picture: Image.Image, at: tuple[float, float], number: int) -> None:
    """A face's number on a small square."""
    (x, y), draw = at, ImageDraw.Draw(picture)
    draw.rounded_rectangle((x, y, x + BADGE, y + BADGE), 4, fill=ACCENT)
    draw.text((x + BADGE / 2, y + BADGE / 2), str(number), font=font(15), fill=(255, 255, 255), anchor="mm")


def reduced(image: np.ndarray, size: int) -> np.ndarray:
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_AREA))


def write(page: Image.Image, at: tuple[int, int], text: str, size: int, colour: tuple[int, int, int]) -> None:
    ImageDraw.Draw(page).text(at, text, font=font(size), fill=colour)


def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)


if __name__ == "__main__":
    main()
