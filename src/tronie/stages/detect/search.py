"""Every face of a photo: which scales, tiles, borders and turns a detector is shown, and how the finds are merged.

A detector is made for upright faces. It still finds those that lie on their side or stand on their head, but frames
them less well, and all that follows would hang on that. So these are looked for again in the photo turned upright for
them (`detect_turned`): a photo that lies on its side should mean the very heads that it means upright.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.settings import DetectSettings
from tronie.stages.detect.detector import Detector, suppress
from tronie.types import Detection

TILE = 1024
"""Longest side the detector sees at once: bounds the memory (CenterFace takes about 300 MB for it)."""
OVERLAP = 96
"""Pixels that neighbouring tiles share, at least; larger faces are left to a coarser level."""
SPAN = 2.5
"""The same in smallest faces of the detector, so that a face left to a coarser level is not too small there."""
STEP = 4.0
"""Ratio between the levels of the pyramid, at most. CenterFace spans 15 to 400 px, so two levels overlap amply."""
LARGEST_ENLARGEMENT = 2.0
SMALL = 48.0
"""Faces up to this size, in pixels of the fine level, make it worth to look there again with more resolution."""
SEARCHED_AGAIN = 2_000_000
"""Photos up to this many pixels are looked at again as a whole unless they show one large face."""
BORDERED = 128
"""Longest side of the photo in the pass with a border, for faces that fill or exceed the frame; twice the detector's
smallest face if that is more."""
TURNED = 512
"""Longest side of the photo in the passes turned by an angle."""
SAME_FACE, INSIDE = 0.4, 0.7
"""Intersection over union, and share of the smaller box, above which two finds are one face."""
SIZE_SLACK = 0.75
"""Boxes are uncertain: a face counts as large enough from this share of `min_face`."""


def detect_faces(image: Image, settings: DetectSettings, detector: Detector) -> tuple[Detection, ...]:
    """RGB (H, W, 3) -> faces, largest first (ties: from the top, from the left)."""
    longest, shortest = max(image.shape[:2]), min(image.shape[:2])
    fine = min(detector.finest / settings.min_face, LARGEST_ENLARGEMENT)
    found: list[Detection] = []
    for scale in _levels(longest, fine, detector):
        found += _at_scale(image, scale, detector, found)

    full = min(detector.sure / settings.min_face, LARGEST_ENLARGEMENT)
    if full > fine:
        small = [d for d in found if d.size * fine < SMALL]
        if image.shape[0] * image.shape[1] > SEARCHED_AGAIN:
            found += _at_scale(image, full, detector, found, around=small) if small else []
        elif small or len(found) != 1:
            found += _at_scale(image, full, detector, found)

    if not found or max(d.size for d in found) > shortest / 2:
        found += _bordered(image, detector)
    if not found:
        for degrees in detector.turns:
            found += _turned(image, degrees, detector)
    return _choose(found, settings)


def _levels(longest: int, fine: float, detector: Detector) -> list[float]:
    """Scales from coarse to fine that cover all face sizes from `fine` on."""
    scales = [fine]
    step = min(STEP, _overlap(detector) / detector.finest)
    while longest * scales[-1] > 2 * detector.coarsest:
        scales.append(scales[-1] / step)
    return scales[::-1]


def _overlap(detector: Detector) -> int:
    return max(OVERLAP, round(SPAN * detector.finest))


def _resized(image: Image, scale: float) -> Image:
    import cv2

    h, w = image.shape[:2]
    size = max(round(w * scale), 1), max(round(h * scale), 1)
    if size == (w, h):
        return image
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))


def _spans(length: int, overlap: int = OVERLAP) -> Iterator[tuple[int, int, float, float]]:
    """Tiles along one axis: start, end, and the part of it whose centres are this tile's own."""
    count = 1 if length <= TILE else -(-(length - overlap) // (TILE - overlap))
    size = -(-(length - overlap) // count) + overlap if count > 1 else length
    starts = [round(k * (length - size) / max(count - 1, 1)) for k in range(count)]
    for k, start in enumerate(starts):
        low = -np.inf if k == 0 else (start + starts[k - 1] + size) / 2
        high = np.inf if k == count - 1 else (starts[k + 1] + start + size) / 2
        yield start, start + size, low, high


def _at_scale(
    image: Image, scale: float, detector: Detector, known: list[Detection], around: list[Detection] | None = None
) -> list[Detection]:
    """One level of the pyramid, without the tiles inside of a known face; with `around` only the tiles that hold the
    centre of one of these."""
    picture = _resized(image, scale)
    h, w = picture.shape[:2]
    # Rounding makes the two axes' scales differ a little.
    sx, sy = image.shape[1] / w, image.shape[0] / h
    faces = [(d.box[0] / sx, d.box[1] / sy, d.box[2] / sx, d.box[3] / sy) for d in known]
    centers = [((d.box[0] + d.box[2]) / 2 / sx, (d.box[1] + d.box[3]) / 2 / sy) for d in around or ()]
    tiled, overlap = max(h, w) > TILE, _overlap(detector)
    found = []
    for top, bottom, y_low, y_high in _spans(h, overlap):
        for left, right, x_low, x_high in _spans(w, overlap):
            if around is not None and not any(x_low <= x < x_high and y_low <= y < y_high for x, y in centers):
                continue
            if tiled and any(x0 < left and y0 < top and x1 > right and y1 > bottom for x0, y0, x1, y1 in faces):
                continue
            for d in detector.detect(picture[top:bottom, left:right]):
                x, y = (d.box[0] + d.box[2]) / 2 + left, (d.box[1] + d.box[3]) / 2 + top
                if tiled and d.size > overlap:
                    continue  # may be cut by the tile's border; whole on a coarser level
                if x_low <= x < x_high and y_low <= y < y_high:
                    found.append(_moved(d, left, top, sx, sy))
    return found


def _moved(d: Detection, left: float, top: float, sx: float, sy: float) -> Detection:
    """Shifted by (left, top), then scaled by (sx, sy)."""
    x0, y0, x1, y1 = d.box
    box = ((x0 + left) * sx, (y0 + top) * sy, (x1 + left) * sx, (y1 + top) * sy)
    return Detection(box, (d.points + np.array([left, top])) * [sx, sy], d.score)


def _bordered(image: Image, detector: Detector) -> list[Detection]:
    """The whole photo, small, in a wide black border: finds faces that fill the frame or reach beyond it."""
    longest = max(BORDERED, round(2 * detector.finest))
    picture = _resized(image, longest / max(image.shape[:2]))
    h, w = picture.shape[:2]
    border = longest // 2
    canvas = np.zeros((h + 2 * border, w + 2 * border, 3), np.uint8)
    canvas[border : border + h, border : border + w] = picture
    sx, sy = image.shape[1] / w, image.shape[0] / h
    return [_moved(d, -border, -border, sx, sy) for d in detector.detect(canvas)]


def _turned(image: Image, degrees: float, detector: Detector) -> list[Detection]:
    """The whole photo, small and turned; the box is upright again, around the turned-back one's centre."""
    import cv2

    scale = min(TURNED / max(image.shape[:2]), 1.0)
    picture = _resized(image, scale)
    h, w = picture.shape[:2]
    a, b = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    side = int(np.ceil(np.hypot(w, h)))
    turn = Similarity(a, b, side / 2 - a * w / 2 + b * h / 2, side / 2 - b * w / 2 - a * h / 2)
    canvas = cv2.warpAffine(picture, _integer_centres(turn), (side, side), flags=cv2.INTER_LINEAR)
    back = turn.inverse()
    found = []
    for d in detector.detect(np.asarray(canvas)):
        (x, y), half = back.apply([(d.box[0] + d.box[2]) / 2, (d.box[1] + d.box[3]) / 2]), d.size / 2
        upright = Detection((x - half, y - half, x + half, y + half), back.apply(d.points), d.score)
        found.append(_moved(upright, 0, 0, image.shape[1] / w, image.shape[0] / h))
    return found


def _integer_centres(map_: Similarity) -> np.ndarray:
    """(2, 3) for OpenCV, whose pixel centres lie at whole numbers."""
    m = map_.matrix.copy()
    m[:, 2] += m[:, :2] @ [0.5, 0.5] - 0.5
    return m


def _choose(found: list[Detection], settings: DetectSettings) -> tuple[Detection, ...]:
    """Sure and large enough ones, one per face, largest first."""
    least = settings.min_face * SIZE_SLACK
    found = [
        d for d in found if d.score >= settings.min_score and max(d.box[2] - d.box[0], d.box[3] - d.box[1]) >= least
    ]
    if not found:
        return ()
    keep = suppress(np.array([d.box for d in found]), np.array([d.score for d in found]), SAME_FACE, INSIDE)
    faces = sorted((found[i] for i in keep), key=lambda d: (-d.size, d.box[1], d.box[0]))
    return tuple(faces[: settings.max_faces or None])


def detect_turned(image: Image, turns: int, settings: DetectSettings, detector: Detector) -> tuple[Detection, ...]:
    """What is found in a photo (H, W, 3) turned back by `turns` quarters, in pixels of the photo as it is."""
    if not turns:
        return detect_faces(image, settings, detector)
    height, width = image.shape[:2]
    back = turned_back(turns, width, height)
    upright = np.ascontiguousarray(np.rot90(image, turns))
    return tuple(moved_detection(found, back) for found in detect_faces(upright, settings, detector))


def turned_back(turns: int, width: int, height: int) -> Similarity:
    """Pixels of `np.rot90(photo, turns)` -> pixels of the photo, which is `width` x `height`."""
    maps = (
        Similarity(1, 0, 0, 0),
        Similarity(0, 1, width, 0),
        Similarity(-1, 0, width, height),
        Similarity(0, -1, 0, height),
    )
    return maps[turns % 4]


def moved_detection(found: Detection, to: Similarity) -> Detection:
    """The detection in the coordinates that a map by quarter turns leads to; its box stays upright in them."""
    x0, y0, x1, y1 = found.box
    corners = to.apply([(x0, y0), (x1, y1)])
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    return Detection((float(left), float(top), float(right), float(bottom)), to.apply(found.points), found.score)
