"""Colours for a grey photo: invented, and quiet.

Of a face the statistical model of skin says which hues go with the lightness that the photo shows, vertex by vertex of
the fitted head; lips, eyes, hair and neck are told apart by landmarks and segmentation and have the hues that such
things mostly have, all of them weaker where it is very dark or very light. What nothing is known of stays grey, with
the faintest warmth. Lightness is the photo's own everywhere, so nothing that it shows is lost.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.geometry import smoothstep
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.stages.enhance.restoration import COLOURED, Colouring
from tronie.stages.enhance.stage import eye_distance
from tronie.stages.landmarks.lines import EYES, IRISES, LIPS
from tronie.stages.portrait.matte import guided
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.skin_fit import fit_skin, skin_basis
from tronie.stages.texture.skin_model import DARKEST, opponent
from tronie.stages.texture.visibility import blurred_colours, find_visibility
from tronie.types import Face, Photo

LONGEST = 1600
"""Pixels of the longer side of the picture of hues: they vary slowly, and the lightness is drawn finely over them."""
SKIN = (0.27, 0.17)
"""Hues as `skin_model.opponent` has them, red against green and green against blue: of skin whose face was not
fitted, and of lips, hair, the white of eyes, irises, clothes, and all else."""
LIPS_HUE = (0.34, 0.1)
HAIR = (0.14, 0.16)
EYE = (0.03, 0.03)
IRIS = (0.12, 0.14)
CLOTH = (0.0, 0.005)
REST = (0.015, 0.03)
STRENGTH = 0.72
"""Of the hues that skin is likely to have: too little looks like an old hand-coloured print, too much like wax."""
HUE_RANGE = ((0.14, 0.3), (0.07, 0.2))
"""In which skin is held, whatever the fit says."""
GREYING = 105.0, 185.0
"""Lightness of hair from which it begins to be white, and from which it is."""
DARK, GLARE = 40.0, (200.0, 256.0)
"""Below the first, hues fade towards black; between the other two towards white."""
SURE, HIGHLY, BARE = (0.35, 0.75), (0.6, 0.9), (0.85, 0.98)
"""How likely something is what it is taken for: below the first it stays grey, from the second on it has its colour.
The others are for hair, and for bare skin below the neck, which may be clothes."""
NECK, BELOW = (0.2, 0.6), 1.0
"""The same of a neck, so many distances between the eyes around the chin: grey it would look green there."""
BAND = 512
"""Rows that are coloured at once."""
PALER = 1.1, 1.35
"""Lightness by the face's from which what is next to the neck may be a collar, and from which it is."""
CHIN = 152
FEATHER, LOCK = 0.035, 0.2
"""Of the distance between the eyes: over which drawn areas begin, and over which hair has one lightness."""


def coloured(image: Image, photo: Photo, faces: Sequence[Face]) -> Colouring:
    """Colours for `image` (H, W, 3), grey, which shows what `photo` shows, so many times as large. The faces have
    landmarks, and as far as they are known a segmentation, a head and its fit."""
    import cv2

    height, width = photo.image.shape[:2]
    scale = min(1.0, LONGEST / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = np.asarray(cv2.resize(photo.image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    guide = lightness(small)
    hues = np.empty((*guide.shape, 2), np.float32)
    hues[:] = REST
    parts = np.zeros(guide.shape, np.uint8)
    for face in reversed(faces):  # the largest is the nearest
        _colour(hues, parts, guide, photo, face, scale)
    where = cv2.resize(parts, (image.shape[1], image.shape[0]), interpolation=cv2.INTER_NEAREST)
    return Colouring(_laid_over(image, hues), np.asarray(where, dtype=np.uint8))


def _laid_over(image: Image, hues: Array) -> Image:
    """(H, W, 3) with the hues (h, w, 2), some rows at a time: floats of a large photo would fill the memory."""
    import cv2

    out = np.empty_like(image)
    height, width = image.shape[:2]
    step = hues.shape[0] / height
    for y in range(0, height, BAND):
        rows = min(BAND, height - y)
        move = np.array([[hues.shape[1] / width, 0, 0], [0, step, step * y]])
        move[:, 2] += [(move[0, 0] - 1) / 2, (step - 1) / 2]  # OpenCV counts pixels from their centres
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        there: Any = cv2.warpAffine(hues, move, (width, rows), flags=flags, borderMode=cv2.BORDER_REPLICATE)
        out[y : y + rows] = with_hues(lightness(image[y : y + rows]), there)
    return out


def lightness(image: Image) -> Array:
    """(H, W) float32, 0..255."""
    return np.asarray(image @ LUMA.astype(np.float32), dtype=np.float32)


def with_hues(light: Array, hues: Array) -> Image:
    """(H, W, 3) sRGB of lightness (H, W) 0..255 and hues (H, W, 2), as near as what is there allows: what is black or
    white has none."""
    light = np.asarray(light, dtype=np.float32)
    fade = np.clip(light / DARK, 0, 1) * (1 - smoothstep(light, *GLARE))
    red, blue = (np.exp(sign * fade * hues[..., k]) for k, sign in ((0, 1), (1, -1)))
    green = (light + np.float32(DARKEST)) / (LUMA[0] * red + LUMA[1] + LUMA[2] * blue)
    rgb = np.stack([green * red, green, green * blue], axis=-1) - np.float32(DARKEST)
    return np.asarray(np.clip(np.rint(rgb), 0, 255), dtype=np.uint8)


def _colour(hues: Array, parts: Image, guide: Array, photo: Photo, face: Face, scale: float) -> None:
    """Lay one face's colours into the hues and the parts of the picture, which has `scale` times the photo's pixels."""
    import cv2

    if face.landmarks is None or face.segmentation is None:
        return
    seg = face.segmentation
    side = seg.shares.shape[1]
    matrix = seg.to_photo.matrix * scale
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5  # OpenCV counts pixels from their centres
    corners = seg.to_photo.apply([[0, 0], [side, 0], [side, side], [0, side]]) * scale
    x0, y0 = np.clip(np.floor(corners.min(axis=0)), 0, guide.shape[::-1]).astype(int)
    x1, y1 = np.clip(np.ceil(corners.max(axis=0)), 0, guide.shape[::-1]).astype(int)
    if x1 - x0 < 8 or y1 - y0 < 8:
        return
    matrix[:, 2] -= [x0, y0]
    light = guide[y0:y1, x0:x1]

    def share(*names: str, sure: tuple[float, float] = SURE) -> Array:
        there = cv2.warpAffine(seg.share(*names), matrix, (x1 - x0, y1 - y0), flags=cv2.INTER_LINEAR)
        coarse = min(1.0, 1 / max(np.hypot(*matrix[:, 0]), 1e-6))
        size = max(2, round((x1 - x0) * coarse)), max(2, round((y1 - y0) * coarse))
        low: Any = cv2.resize(there, size, interpolation=cv2.INTER_AREA)
        fine = np.minimum(guided(light / 255, low), cv2.dilate(there, np.ones((5, 5), np.uint8)))
        return smoothstep(np.asarray(fine, np.float32), *sure)

    hue, sure = _skin_hues(photo, face, (x0, y0, x1, y1), scale)
    eyes = scale * eye_distance(face.landmarks.points)
    chin = face.landmarks.points[CHIN, :2] * scale - [x0, y0]
    around = np.hypot(np.arange(x1 - x0) - chin[0], np.arange(y1 - y0)[:, None] - chin[1]) / max(eyes, 1)
    near = 1 - smoothstep(np.asarray(around, np.float32), BELOW, 1.4 * BELOW)
    neck = np.median(hue[sure], axis=0) if hue is not None and sure.any() else SKIN
    skin = share("face", "glasses")
    shown = float(np.median(light[skin > 0.7])) if (skin > 0.7).any() else 255.0
    near = near * (1 - smoothstep(light, PALER[0] * shown, PALER[1] * shown))
    layers = [
        ("cloth", share("clothes", "covering"), CLOTH),
        ("skin", near * share("body", sure=NECK) + (1 - near) * share("body", sure=BARE), neck),
        ("hair", share("hair", "facial_hair", sure=HIGHLY), HAIR),
        ("skin", skin, SKIN if hue is None else hue),
    ]
    layers += _features(face, (x0, y0, x1, y1), scale, max(FEATHER * eyes, 0.7))
    here, what = hues[y0:y1, x0:x1], parts[y0:y1, x0:x1]
    for name, there, tint in layers:
        values = np.broadcast_to(np.asarray(tint, np.float32), here.shape)
        if name == "hair":
            locks: Any = cv2.GaussianBlur(light, (0, 0), max(LOCK * eyes, 1.0))
            values = np.asarray(values * (1 - smoothstep(locks, *GREYING))[..., None], np.float32)
        here += there[..., None] * (values - here)
        what[there > 0.5] = COLOURED.index(name)


def _features(
    face: Face, box: tuple[int, int, int, int], scale: float, soft: float
) -> list[tuple[str, Array, tuple[float, float]]]:
    """Lips, eyes and teeth, drawn where the landmarks are."""
    assert face.landmarks is not None
    points = face.landmarks.points[:, :2] * scale - np.array(box[:2])
    size = box[2] - box[0], box[3] - box[1]
    outer, inner = (_drawn([points[list(line)]], size, soft) for line in LIPS)
    whites = _drawn([points[list(line)] for line in EYES], size, soft)
    irises = _drawn([points[list(line)] for line in IRISES], size, soft) * whites
    return [("lips", outer, LIPS_HUE), ("eyes", inner, EYE), ("eyes", whites, EYE), ("eyes", irises, IRIS)]


def _drawn(polygons: Sequence[Array], size: tuple[int, int], soft: float) -> Array:
    """(H, W) 0..1: the inside of polygons, with a soft border."""
    import cv2

    mask = np.zeros((size[1], size[0]), np.uint8)
    cv2.fillPoly(mask, [np.rint(polygon * 16).astype(np.int32) for polygon in polygons], 255, cv2.LINE_AA, 4)
    return np.asarray(cv2.GaussianBlur(mask.astype(np.float32) / 255, (0, 0), soft))


def _skin_hues(
    photo: Photo, face: Face, box: tuple[int, int, int, int], scale: float
) -> tuple[Array | None, NDArray[np.bool_]]:
    """(h, w, 2) the hues that the model of skin takes for the likeliest, carried on beyond the head, and where it is
    one; None for a head that was not fitted or has another atlas."""
    import cv2

    x0, y0, x1, y1 = box
    nowhere = np.zeros((y1 - y0, x1 - x0), bool)
    head, fit = face.head, face.fit
    if head is None or fit is None or (base := skin_basis(head.model, head.level)) is None:
        return None, nowhere
    facts = surface_facts(head.model, head.level)
    view = find_visibility(photo, head, fit, facts)
    count = len(head.model.mean)
    seen = opponent(blurred_colours(photo, view, view.pixels[:count], 3.0))
    believed = view.facing[:count] ** 2 * view.outline[:count] * facts.inner
    fitted = fit_skin(base, seen, believed, view.normals, 0.0).fitted[:, 1:]
    mesh = head.model.level(head.level)
    skin = mesh.triangles[mesh.triangle_part == 0]
    coarse = max(1.0, (x1 - x0) / 256)
    rows, columns = int(np.ceil((y1 - y0) / coarse)), int(np.ceil((x1 - x0) / coarse))
    points = np.column_stack([(view.pixels * scale - [x0, y0]) / coarse, view.camera_points[:, 2]])
    buffers = rasterize(points, skin, rows, columns)
    there = (buffers.triangle >= 0).astype(np.float32)
    values = interpolate(buffers, skin, fitted) * there[..., None]
    if not there.any():
        return None, nowhere
    # A face's hue varies slowly: what is finer are lips and lids a little beside their places.
    soft = max(1.0, 0.012 * columns)
    weight = cv2.GaussianBlur(there, (0, 0), soft)
    middle = np.median(values[there > 0], axis=0)
    values = (cv2.GaussianBlur(values, (0, 0), soft) + 1e-3 * middle) / (weight + 1e-3)[..., None]
    values = np.stack([np.clip(STRENGTH * values[..., k], *HUE_RANGE[k]) for k in (0, 1)], axis=-1)
    size = x1 - x0, y1 - y0
    return (
        np.asarray(cv2.resize(values.astype(np.float32), size, interpolation=cv2.INTER_LINEAR)),
        np.asarray(cv2.resize(there, size, interpolation=cv2.INTER_LINEAR) > 0.5),
    )
