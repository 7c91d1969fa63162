"""The contact sheet of a photo: every face in a row with its crop, its fit, its front and two sides."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Image
from tronie.geometry import Camera, euler_degrees, rigid, rotation_from_euler
from tronie.head.surface import reduced
from tronie.raster.shading import render_head
from tronie.render.overlay import cut_out, face_region, overlay
from tronie.render.shells import rim
from tronie.stages.portrait import backdrop, mouth_light
from tronie.types import Face, Result

PAPER = (247, 247, 248)
TILE = (233, 234, 236)
INK = (38, 40, 44)
FAINT = (128, 131, 137)
WARN = (176, 96, 0)
ACCENT = (24, 110, 190)

COLUMNS = ("photo", "fit", "front", "left side", "right side")
"""The sides are the subject's own. Where a face was enhanced ENHANCED comes second."""
ENHANCED = "enhanced"
INSET = 0.34
"""Side of the crop before it was enhanced, by that of the picture in whose corner it lies."""
SIDE_YAW = 45.0
"""Degrees by which the side views are turned."""
SIDES = (-SIDE_YAW, SIDE_YAW)
SOFT_COSINE = 0.2
"""Where hair thins out in the side views: about a pixel before the outline."""
HEIGHT, MIDDLE = 330.0, np.array([0.0, -22.0, -62.0])
"""Of the side views, mm."""
LONGEST = 8000
"""Pixels of a sheet's sides; well below JPEG's 65,535, and what viewers open without complaint."""


@dataclass(frozen=True, slots=True)
class SheetLayout:
    """How the faces of a photo are laid out."""

    tile: int
    """Side of one picture, pixels."""
    columns: int
    """Blocks of faces side by side."""
    per_page: int
    labels: tuple[str, ...] = COLUMNS
    """Of a face's pictures."""

    @property
    def font(self) -> int:
        return max(13, self.tile // 15)

    @property
    def gap(self) -> int:
        return max(6, self.tile // 26)

    @property
    def row(self) -> int:
        return self.tile + self.font + 3 * self.gap

    @property
    def block(self) -> int:
        return len(self.labels) * (self.tile + self.gap) - self.gap


def layout_for(count: int, labels: tuple[str, ...] = COLUMNS) -> SheetLayout:
    """Large pictures for few faces; more blocks, and then more pages, for many."""
    sizes = ((2, 320, 1), (6, 256, 1), (12, 208, 1), (60, 144, 2), (count, 112, 3))
    tile, columns = next((tile, columns) for most, tile, columns in sizes if count <= most)
    one = SheetLayout(tile, columns, 1)
    return SheetLayout(tile, columns, columns * ((LONGEST - 900) // one.row), labels)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Pictures of a photo's faces that are there already; whatever is not is drawn for the sheet."""

    overlays: dict[int, Image] = field(default_factory=dict)
    """By the face's number."""
    sides: dict[tuple[int, float], Image] = field(default_factory=dict)
    """By that and the yaw, as large as the sheet's pictures."""


def sheets(result: Result, drawn: Drawn | None = None) -> list[Image]:
    """The pages of a photo's sheet, each (H, W, 3)."""
    finer = any(face.enhanced is not None and face.enhanced.accepted for face in result.faces)
    layout = layout_for(len(result.faces), (COLUMNS[0], ENHANCED, *COLUMNS[1:]) if finer else COLUMNS)
    faces = list(result.faces)
    pages = [faces[i : i + layout.per_page] for i in range(0, len(faces), layout.per_page)] or [[]]
    return [_page(result, page, layout, drawn or Drawn(), number, len(pages)) for number, page in enumerate(pages)]


def _page(result: Result, faces: Sequence[Face], layout: SheetLayout, drawn: Drawn, number: int, pages: int) -> Image:
    margin, gap = 2 * layout.gap + 12, layout.gap
    blocks = min(layout.columns, max(1, len(faces)))
    per_block = -(-len(faces) // blocks) if faces else 0
    width = 2 * margin + blocks * layout.block + (blocks - 1) * 3 * gap
    banner = _overview(result, width - 2 * margin) if number == 0 and len(result.faces) != 1 else None
    title = round(1.5 * layout.font)
    top = margin + title + 2 * gap + (banner.shape[0] + 2 * gap if banner is not None else 0)
    labels = layout.font + gap if faces else 0
    canvas = np.empty((top + labels + per_block * layout.row + margin - gap, width, 3), dtype=np.uint8)
    canvas[:] = np.full((width, 3), PAPER)  # rows are copied fast, single colours are not
    texts = [*_title(result, margin, margin, title, width - margin, number, pages)]
    if banner is not None:
        canvas[top - 2 * gap - banner.shape[0] : top - 2 * gap, margin : margin + banner.shape[1]] = banner
    for place, face in enumerate(faces):
        x = margin + (place // per_block) * (layout.block + 3 * gap)
        y = top + labels + (place % per_block) * layout.row
        if place % per_block == 0:
            texts += [
                Text(x + k * (layout.tile + gap), top, label, round(0.85 * layout.font), FAINT, layout.tile)
                for k, label in enumerate(layout.labels)
            ]
        tiles = list(_tiles(result, face, layout.tile, drawn))
        if ENHANCED in layout.labels:
            tiles.insert(layout.labels.index(ENHANCED), _before_and_after(face, layout.tile))
        for k, tile in enumerate(tiles):
            left = x + k * (layout.tile + gap)
            canvas[y : y + layout.tile, left : left + layout.tile] = TILE if tile is None else tile
        texts += _caption(face, x, y + layout.tile + gap // 2, layout)
    return with_texts(canvas, texts)


def _tiles(result: Result, face: Face, size: int, drawn: Drawn) -> Iterator[Image | None]:
    """The five pictures of a face in the order of COLUMNS; None where there is nothing to show."""
    region = face_region(face)
    yield cut_out(result.photo.image, region, size)
    there = drawn.overlays.get(face.index)
    yield _fitted(there if there is not None else overlay(result.photo.image, face, 512), size)
    portrait = face.portrait
    yield _fitted(_squared(portrait.image), size) if portrait is not None else view(face, size, 0.0)
    for yaw in SIDES:
        there = drawn.sides.get((face.index, yaw))
        yield there if there is not None else view(face, size, yaw)


def view(face: Face, size: int, yaw: float) -> Image | None:
    """(size, size, 3): a face, whole or thinned, turned by `yaw` degrees; None where there is nothing to show."""
    if face.engine_result is not None and face.texture is None:
        return face.engine_result.view(backdrop(size), yaw)
    if face.head is None:
        return None
    head = face.head.coarse  # facets of a pixel or two
    camera, pose = portrait_view(size, yaw, view_height(face))
    shells = face.posed_shells
    return render_head(
        head.vertices,
        head.model.level(head.level),
        None if face.texture is None else reduced(face.texture.image, 512),
        camera,
        pose,
        background=backdrop(size),
        opacity=rim(head.vertices, head, pose, shells, cosine=SOFT_COSINE),
        occlusion=mouth_light(head.vertices, head),
        shells=shells,
    )


def _before_and_after(face: Face, size: int) -> Image | None:
    """The enhanced crop, and small in its corner what it was made from."""
    if face.enhanced is None or not face.enhanced.accepted:
        return None
    picture = _fitted(face.enhanced.after, size).copy()
    small = round(INSET * size)
    picture[-small - 1 :, : small + 1] = TILE
    picture[-small:, :small] = _fitted(face.enhanced.before, small)
    return picture


def view_height(face: Face) -> float:
    """Of what `portrait_view` has to show, mm: a head, and what lies over it and may be larger; not all of a bust."""
    worn = [shell.vertices for shell in face.shells if len(shell.vertices) and not shell.below]
    reach = [np.abs(vertices - MIDDLE)[:, :2].max() for vertices in worn]
    return float(max([HEIGHT, *(2.1 * r for r in reach)]))


def portrait_view(size: int, yaw: float, height: float = HEIGHT) -> tuple[Camera, NDArray[Any]]:
    """Camera and head-to-camera (4, 4) of a square picture of a whole head, turned by `yaw` degrees, from 1.1 m."""
    distance, middle = 1100.0, MIDDLE
    rotation = rotation_from_euler(yaw, 0, 0)
    return (
        Camera(size * distance / height, (size / 2, size / 2), (size, size)),
        rigid(rotation, np.array([0, 0, distance]) - rotation @ middle),
    )


def _squared(image: Image) -> Image:
    """(H, W, 3), W at most H, in the middle of a square."""
    room = image.shape[0] - image.shape[1]
    if not room:
        return image
    left = room // 2
    sides = [np.full((image.shape[0], n, 3), TILE, np.uint8) for n in (left, room - left)]
    return np.concatenate([sides[0], image, sides[1]], axis=1)


def _fitted(image: Image, size: int) -> Image:
    import cv2

    image = reduced(image, size)
    if image.shape[:2] == (size, size):
        return image
    return np.asarray(cv2.resize(image, (size, size), interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _overview(result: Result, width: int) -> Image:
    """The whole photo with a numbered frame around each face."""
    import cv2

    image = result.photo.image
    scale = min(width / image.shape[1], 620 / image.shape[0])
    size = (max(1, min(width, round(image.shape[1] * scale))), max(1, round(image.shape[0] * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    picture = np.asarray(cv2.resize(image, size, interpolation=way), dtype=np.uint8).copy()
    texts = []
    for face in result.faces:
        x0, y0, x1, y1 = (np.array(face.box) * scale).round().astype(int).tolist()
        cv2.rectangle(picture, (x0 - 1, y0 - 1), (x1 + 1, y1 + 1), (20, 22, 25), 3, cv2.LINE_AA)
        cv2.rectangle(picture, (x0 - 1, y0 - 1), (x1 + 1, y1 + 1), (255, 255, 255), 1, cv2.LINE_AA)
        label = str(face.index)
        font = int(np.clip((x1 - x0) // 3, 11, 20))
        w, h = round(font * (0.62 * len(label) + 0.5)), round(1.2 * font)
        left, low = int(np.clip(x0 - 2, 0, max(size[0] - w, 0))), int(np.clip(y0 - 2, h, size[1]))
        cv2.rectangle(picture, (left, low - h), (left + w, low), ACCENT, -1)
        texts.append(Text(left + w / 2, low - h / 2, label, font, (255, 255, 255), None, "mm"))
    return with_texts(picture, texts)


@dataclass(frozen=True, slots=True)
class Text:
    x: float
    y: float
    text: str
    size: int
    color: tuple[int, int, int] = INK
    width: float | None = None
    """Shortened with an ellipsis to this many pixels."""
    anchor: str = "la"
    """As Pillow's: `la` is the left end of the ascender line, `ra` the right end, `mm` the middle."""


def _title(result: Result, x: float, y: float, size: int, right: float, number: int, pages: int) -> Iterator[Text]:
    count = len(result.faces)
    said = "no face" if not count else "1 face" if count == 1 else f"{count} faces"
    height, width = result.photo.image.shape[:2]
    page = f"   ·   page {number + 1} of {pages}" if pages > 1 else ""
    side = f"{said}   ·   {width} x {height} px{page}"
    small = round(0.7 * size)
    yield Text(x, y, result.photo.name, size, INK, right - x - text_width(side, small) - 2 * size)
    yield Text(right, y + size - small, side, small, FAINT, None, "ra")


def _caption(face: Face, x: float, y: float, layout: SheetLayout) -> Iterator[Text]:
    size, width = layout.font, layout.block
    number = f"{face.index}"
    yield Text(x, y, number, size, ACCENT)
    at = x + text_width(number, size) + size
    parts = [f"{face.detection.size:.0f} px"]
    if face.fit is not None:
        yaw, pitch, roll = euler_degrees(np.asarray(face.fit.head_to_camera)[:3, :3])
        parts += [f"yaw {_degrees(yaw)}", f"pitch {_degrees(pitch)}", f"roll {_degrees(roll)}"]
    parts.append(f"score {face.score:.2f}")
    if face.enhanced is not None and face.enhanced.accepted:
        parts.append(f"x{face.enhanced.factor:.1f}, {face.enhanced.agreement:.0f} dB")
    said = "    ".join(parts)
    yield Text(at, y, said, size, FAINT, x + width - at)
    at += text_width(said, size) + 1.5 * size
    trouble = face.error or "; ".join(map(str, face.warnings))
    if trouble and at < x + width - 4 * size:
        yield Text(at, y, trouble, size, WARN, x + width - at)


def _degrees(angle: float) -> str:
    whole = round(angle)
    return f"{whole:+d}°" if whole else "0°"


@lru_cache(maxsize=32)
def _font(size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.load_default(size)


def text_width(text: str, size: int) -> float:
    return float(_font(size).getlength(_printable(text)))


def _printable(text: str) -> str:
    """What the font can draw: other letters lose their accents or become question marks."""
    return "".join(_drawable(c) for c in text)


@lru_cache(maxsize=4096)
def _drawable(sign: str) -> str:
    if not sign.isprintable():
        return "?" if "\ud800" <= sign <= "\udfff" else " "
    font = _font(16)
    blank = bytes(font.getmask("\uffff"))
    if bytes(font.getmask(sign)) != blank:
        return sign
    plain = unicodedata.normalize("NFKD", sign)[:1]
    return plain if plain != sign and bytes(font.getmask(plain)) != blank else "?"


def shortened(text: str, size: int, width: float | None) -> str:
    """`text` cut off with an ellipsis where it would be wider than `width` pixels."""
    text = _printable(text)
    if width is None or text_width(text, size) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if text_width(text[:middle] + "…", size) <= width else (low, middle - 1)
    return text[:low].rstrip() + "…" if low else ""


def with_texts(canvas: Image, texts: Sequence[Text]) -> Image:
    """Draw all texts with Pillow's own font."""
    from PIL import Image as Pillow
    from PIL import ImageDraw

    picture = Pillow.fromarray(canvas)
    draw = ImageDraw.Draw(picture)
    for item in texts:
        words = shortened(item.text, item.size, item.width)
        if words:
            draw.text((item.x, item.y), words, fill=item.color, font=_font(item.size), anchor=item.anchor)
    return np.asarray(picture)
