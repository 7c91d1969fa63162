"""What time draws over a photograph, each kind as a sheet: how much it covers of each pixel, and in which colours."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

FRACTION = 4
"""Binary digits behind the point of the coordinates that lines are drawn with."""


@dataclass
class Sheet:
    """What lies over a picture (h, w)."""

    cover: np.ndarray
    """(h, w) float32 0..1."""
    colour: np.ndarray
    """(h, w, 3) float32, grey levels; with `shift` what is added to the picture."""
    shift: bool = False
    counts: bool = True
    """Whether it is damage that the net is to find, and not just something that it must bear."""


def clouds(shape: tuple[int, int], rng: np.random.Generator, cell: float) -> np.ndarray:
    """(h, w) of smooth noise, deviation about 1, with lumps of `cell` pixels."""
    h, w = (max(int(side / cell) + 3, 4) for side in shape)
    small = rng.normal(0, 1.35, (h, w)).astype(np.float32)
    return cv2.resize(small, (shape[1], shape[0]), interpolation=cv2.INTER_CUBIC)


def path(shape: tuple[int, int], rng: np.random.Generator, length: float, bend: float, jag: float) -> np.ndarray:
    """(n, 2) points x, y of a line that begins anywhere: it turns slowly by `bend` and trembles by `jag` pixels."""
    step = 4.0
    count = max(int(length / step), 2)
    turn = np.cumsum(rng.normal(0, bend, count)) * 0.3 + rng.normal(0, bend) * 0.1 * np.arange(count)
    heading = rng.uniform(0, 2 * np.pi) + turn
    steps = step * np.column_stack([np.cos(heading), np.sin(heading)])
    begin = rng.uniform(-0.1, 1.1, 2) * shape[::-1]
    return begin + np.cumsum(steps, axis=0) + rng.normal(0, jag, (count, 2))


def drawn(shape: tuple[int, int], lines: list[np.ndarray], width: int) -> np.ndarray:
    canvas = np.zeros(shape, np.uint8)
    whole = [np.round(line * 2**FRACTION).astype(np.int32) for line in lines]
    cv2.polylines(canvas, whole, False, 255, width, cv2.LINE_AA, FRACTION)
    return canvas.astype(np.float32) / 255


def ragged(shape: tuple[int, int], lines: list[np.ndarray], width: float, rng: np.random.Generator) -> np.ndarray:
    """Cover of lines whose width changes along them, and whose edges are torn."""
    canvas = np.full(shape, 255, np.uint8)
    cv2.polylines(canvas, [np.round(line).astype(np.int32) for line in lines], False, 0, 1)
    away = cv2.distanceTransform(canvas, cv2.DIST_L2, 3)
    rough = 0.6 * clouds(shape, rng, 24) + 0.5 * clouds(shape, rng, 6) + 0.35 * clouds(shape, rng, 2)
    return np.clip(width / 2 * np.exp(0.7 * rough) - away + rng.uniform(0, 0.5), 0, 1)


def broken(cover: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Rubbed off here and there."""
    holes = clouds(cover.shape, rng, rng.uniform(6, 40)) + rng.uniform(0.0, 1.5)
    return cover * np.clip(holes * 2, 0, 1)


def paint(x: np.ndarray, rng: np.random.Generator, light: float = 0.75) -> np.ndarray:
    """(h, w, 3): bare paper, or dirt, with some unevenness; sometimes only lighter or darker than what is below."""
    shape = x.shape[:2]
    if rng.random() < 0.3:
        sign = 1 if rng.random() < light else -1
        return x + np.float32(sign * rng.uniform(25, 110))
    if rng.random() < light:
        level = rng.uniform(170, 255)
        tint = np.array([1.0, rng.uniform(0.93, 1), rng.uniform(0.72, 1)], np.float32)
    else:
        level, tint = rng.uniform(0, 80), np.array([1.0, rng.uniform(0.9, 1), rng.uniform(0.8, 1)], np.float32)
    uneven = level + rng.uniform(0, 14) * clouds(shape, rng, rng.uniform(1.5, 12))
    return uneven[..., None] * tint


def scratches(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """Thin lines, straight or wavy, of one direction or of all."""
    shape, found = x.shape[:2], []
    for _ in range(rng.integers(1, 5)):
        length = np.exp(rng.uniform(np.log(12), np.log(1.2 * max(shape))))
        lines = [path(shape, rng, length, rng.choice([0.0, 0.03, 0.15]), rng.choice([0.0, 0.3]))]
        if rng.random() < 0.4:  # a comb of them: what was drawn over the print drew several
            lines += [lines[0] + rng.normal(0, 12, 2) for _ in range(rng.integers(1, 4))]
        cover = drawn(shape, lines, int(rng.choice([1, 1, 1, 2, 2, 3]))) * rng.uniform(0.45, 1)
        found.append(Sheet(broken(cover, rng) if rng.random() < 0.5 else cover, paint(x, rng)))
    return found


def hairs(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """What lay on the scanner's glass: curled, of one width, rather dark."""
    shape = x.shape[:2]
    lines = [path(shape, rng, rng.uniform(30, 180), rng.uniform(0.15, 0.5), 0) for _ in range(rng.integers(1, 4))]
    cover = drawn(shape, lines, int(rng.integers(1, 3)))
    soft = cv2.GaussianBlur(cover, (0, 0), rng.uniform(0.3, 0.8)) * rng.uniform(0.6, 1.2)
    return [Sheet(np.clip(soft, 0, 1), paint(x, rng, 0.4))]


def folds(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """Where it was bent: bare paper along a nearly straight line, one side of it in the light, the other in shade."""
    shape, found = x.shape[:2], []
    for _ in range(rng.integers(1, 3)):
        line = path(shape, rng, 2 * max(shape), rng.choice([0.005, 0.04]), rng.uniform(0, 1.2))
        line += np.array(shape[::-1]) / 2 - line[len(line) // 2] + rng.normal(0, 0.25 * max(shape), 2)
        width = np.exp(rng.uniform(np.log(0.8), np.log(9)))
        if rng.random() < 0.6:
            side = drawn(shape, [line + rng.normal(0, 1 + width / 2, 2)], max(int(2.5 * width), 3))
            side = cv2.GaussianBlur(side, (0, 0), rng.uniform(1, 5))
            found.append(Sheet(side, np.full_like(x, rng.uniform(-45, 45)), shift=True, counts=False))
        cover = ragged(shape, [line], width, rng)
        found.append(Sheet(broken(cover, rng) if rng.random() < 0.6 else cover, paint(x, rng, 0.85)))
    return found


def cracks(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """Trees of cracks that set out from an edge or a corner."""
    shape = x.shape[:2]
    lines, width = [], np.exp(rng.uniform(np.log(0.6), np.log(6)))
    for _ in range(rng.integers(1, 5)):
        trunk = path(shape, rng, rng.uniform(0.3, 1.2) * max(shape), 0.15, rng.uniform(0.3, 1.5))
        lines.append(trunk)
        for _ in range(rng.integers(0, 6)):
            twig = path(shape, rng, rng.uniform(10, 120), 0.25, rng.uniform(0.3, 1.5))
            lines.append(twig - twig[0] + trunk[rng.integers(len(trunk))])
    cover = ragged(shape, lines, width, rng)
    found = [Sheet(broken(cover, rng) if rng.random() < 0.4 else cover, paint(x, rng, 0.85))]
    if rng.random() < 0.4:
        shade = np.roll(cover, tuple(rng.integers(-2, 3, 2)), (0, 1))
        found.insert(0, Sheet(cv2.GaussianBlur(shade, (0, 0), 1), np.full_like(x, rng.uniform(-60, 30)), True, False))
    return found


def craquelure(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """A net of fine cracks, in a part of the picture: borders of the cells around scattered points."""
    shape = x.shape[:2]
    count = int(rng.integers(12, 90))
    canvas = np.full(shape, 255, np.uint8)
    canvas[rng.integers(0, shape[0], count), rng.integers(0, shape[1], count)] = 0
    _, cells = cv2.distanceTransformWithLabels(canvas, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    warp = [
        (np.arange(n).reshape(s) + 5 * clouds(shape, rng, 30) + 1.5 * clouds(shape, rng, 6)).astype(np.float32)
        for n, s in ((shape[1], (1, -1)), (shape[0], (-1, 1)))
    ]
    cells = cv2.remap(cells.astype(np.float32), *warp, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT)
    edge = np.zeros(shape, np.float32)
    edge[1:] = cells[1:] != cells[:-1]
    edge[:, 1:] = np.maximum(edge[:, 1:], cells[:, 1:] != cells[:, :-1])
    cover = np.clip(cv2.GaussianBlur(edge, (0, 0), rng.uniform(0.4, 1.0)) * rng.uniform(1.2, 2.4), 0, 1)
    part = np.clip(2 * clouds(shape, rng, 120) + rng.uniform(-1, 2), 0, 1)
    return [Sheet(broken(cover * part, rng), paint(x, rng, 0.7))]


def specks(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """Dust and pinholes."""
    shape, cover = x.shape[:2], np.zeros(x.shape[:2], np.uint8)
    size = rng.uniform(0.3, 1.6)
    for _ in range(int(np.exp(rng.uniform(np.log(4), np.log(250))))):
        place = (rng.uniform(0, 1, 2) * shape[::-1] * 16).astype(int)
        axes = np.maximum(size * np.exp(rng.normal(0, 0.5, 2)) * 16, 6).astype(int)
        turn = rng.uniform(0, 180)
        cv2.ellipse(cover, place.tolist(), axes.tolist(), turn, 0, 360, 255, -1, cv2.LINE_AA, FRACTION)
    return [Sheet(cover.astype(np.float32) / 255 * rng.uniform(0.6, 1), paint(x, rng, 0.7))]


def flakes(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """Where the emulsion has come off: islands with torn edges."""
    shape = x.shape[:2]
    away = np.full(shape, 1e3, np.float32)
    y, z = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    for _ in range(rng.integers(1, 8)):
        size = np.exp(rng.uniform(np.log(1.5), np.log(9)))
        at = rng.uniform(0, 1, 2) * shape
        away = np.minimum(away, np.hypot((y - at[0]) / rng.uniform(0.6, 1.6), z - at[1]) - size)
    rough = 0.3 * clouds(shape, rng, 18) + 0.25 * clouds(shape, rng, 6) + 0.12 * clouds(shape, rng, 2)
    cover = np.clip(rough * 8 - away, 0, 1) * (away < 14)
    return [Sheet(cover, paint(x, rng, 0.85))]


def stains(x: np.ndarray, rng: np.random.Generator) -> list[Sheet]:
    """What dried on it: discoloured, with a sharp rim. Where the picture still shows through it is no hole; the rim
    is."""
    shape, found = x.shape[:2], []
    field = clouds(shape, rng, rng.uniform(50, 160)) + 0.25 * clouds(shape, rng, 15) - rng.uniform(0.8, 1.8)
    within = np.clip(field * rng.uniform(8, 40), 0, 1)
    tint = np.array([1.0, rng.uniform(0.75, 0.98), rng.uniform(0.5, 0.9)], np.float32)
    change = x * (tint - 1) + np.float32(rng.uniform(-50, 30))
    found.append(Sheet(within, change, shift=True, counts=False))
    if rng.random() < 0.7:
        slope = np.maximum(cv2.morphologyEx(within, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)), 0)
        rim = np.clip(cv2.GaussianBlur(slope, (0, 0), rng.uniform(0.5, 1.5)) * 1.5, 0, 1)
        found.append(Sheet(rim, x * tint - np.float32(rng.uniform(15, 70))))
    return found


KINDS: dict[Callable[[np.ndarray, np.random.Generator], list[Sheet]], float] = {
    scratches: 0.45, hairs: 0.15, folds: 0.3, cracks: 0.35, craquelure: 0.15, specks: 0.4, flakes: 0.2, stains: 0.15,
}  # fmt: skip
"""How often each kind is drawn over a damaged picture."""


def damaged(x: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """(h, w, 3) float32 grey levels -> the same with damage, and (h, w) float32 how far each pixel is lost."""
    lost = np.zeros(x.shape[:2], np.float32)
    chosen = [kind for kind, often in KINDS.items() if rng.random() < often] or [scratches]
    rng.shuffle(chosen)
    for kind in chosen:
        for sheet in kind(x, rng):
            cover = sheet.cover[..., None].astype(np.float32)
            before, x = x, np.clip(x + cover * (sheet.colour if sheet.shift else sheet.colour - x), 0, 255)
            if sheet.counts:
                seen = np.abs(x - before).max(axis=2)
                lost = np.maximum(lost * (1 - sheet.cover), sheet.cover * np.clip((seen - 6) / 24, 0, 1))
    return x.astype(np.float32), lost
