"""Place small charts beside the skin in the atlas, mirror-symmetric about u = 0.5.

Only the right half of the picture (the subject's left) is searched; everything placed there is flipped to the other
half. A chart that is symmetric in itself is therefore cut along its middle into two mirrored halves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from training.head.anatomy import Parts

GUTTER = 8 / 2048
"""Least distance between islands and to the border, in units of the atlas."""
GRID = 1024
"""Cells across the atlas in the search."""
STEP = 2.0**-22
"""UV are multiples of this, so that 1 - u is exact in float32."""


@dataclass(frozen=True)
class Chart:
    name: str
    uv: np.ndarray
    """(U, 2) in the chart's own frame, v down."""
    faces: np.ndarray
    """(F, 4) rows of `uv`, -1 in the last place for a triangle."""
    area: float
    """Wanted share of the atlas for what is given here."""
    symmetric: bool = False
    """Mirror-symmetric about u = 0 in itself, u > 0 on the subject's left. If not, `uv` is the subject's left one of a
    pair and the right one is its mirror image."""
    turns: Sequence[float] = tuple(range(0, 360, 15))
    """Allowed rotations in degrees."""


@dataclass(frozen=True)
class Placed:
    name: str
    uv: np.ndarray
    """(U', 2) in the atlas. Of a pair only the left one's: the other's is (1 - u, v)."""
    faces: np.ndarray
    """(F, 4) rows of `uv`, in the chart's order."""
    source: np.ndarray
    """(U',) rows of the chart's uv; the identity except for symmetric charts, whose middle is doubled."""
    scale: float
    """Atlas units per unit of the chart."""


def corners(faces: np.ndarray) -> np.ndarray:
    """Faces with the last corner repeated where it is missing."""
    return np.where(faces < 0, faces[:, [2, 2, 2, 2]], faces)


def face_areas(uv: np.ndarray, faces: np.ndarray) -> np.ndarray:
    p = uv[corners(faces)]
    d, e = p[:, 2] - p[:, 0], p[:, 3] - p[:, 1]
    return (d[:, 0] * e[:, 1] - d[:, 1] * e[:, 0]) / 2


def covered(uv: np.ndarray, faces: np.ndarray, size: int = GRID) -> np.ndarray:
    """(size, size) bool: cells that a face touches."""
    import cv2

    image = np.zeros((size, size), dtype=np.uint8)
    polygons = np.round((uv[corners(faces)] * size - 0.5) * 256).astype(np.int32)
    for polygon in polygons:
        cv2.fillConvexPoly(image, polygon, 1, shift=8)  # draws its outline too
    return image > 0


def split(chart: Chart) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """A symmetric chart cut at u = 0: (left faces (F,) bool, uv rows of either half, new faces (F, 4))."""
    across = chart.uv[corners(chart.faces), 0]
    if (across.min(axis=1) * across.max(axis=1) < -1e-6).any():
        raise ValueError(f"a face of chart {chart.name} lies across its middle")
    left = across.mean(axis=1) > 0
    rows = [np.unique(f[f >= 0]) for f in (chart.faces[left], chart.faces[~left])]
    faces = chart.faces.copy()
    for part, row, start in ((left, rows[0], 0), (~left, rows[1], len(rows[0]))):
        f = chart.faces[part]
        faces[part] = np.where(f < 0, -1, start + np.searchsorted(row, np.maximum(f, 0)))
    return left, rows[0], rows[1], faces


def dilated(mask: np.ndarray, radius: float) -> np.ndarray:
    import cv2

    return cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5) <= radius


def occupied_half(uv: np.ndarray, faces: np.ndarray, size: int = GRID) -> np.ndarray:
    """Cells where nothing may be placed: islands with their gutter, the border, the left half of the picture."""
    gutter = GUTTER * size
    mask = dilated(covered(uv, faces, size), gutter + 1)
    edge = int(np.ceil(gutter))
    mask[:edge] = mask[-edge:] = True
    mask[:, -edge:] = True
    mask[:, : size // 2 + int(np.ceil(gutter / 2))] = True
    return mask


def _fit(piece: np.ndarray, taken: np.ndarray, far: np.ndarray) -> tuple[float, int, int]:
    """Where a mask fits, snuggest first: (mean distance to what is taken, row, column); inf if nowhere."""
    from scipy.signal import fftconvolve

    if piece.shape[0] > taken.shape[0] or piece.shape[1] > taken.shape[1]:
        return np.inf, 0, 0
    turned = piece[::-1, ::-1].astype(np.float32)
    clash = fftconvolve(taken.astype(np.float32), turned, mode="valid")
    cost = fftconvolve(far, turned, mode="valid") / piece.sum()
    cost = np.where(clash < 0.5, cost, np.inf)
    k = int(np.argmin(cost))
    i, j = divmod(k, cost.shape[1])
    return float(cost[i, j]), i, j


def _place(
    uv: np.ndarray, faces: np.ndarray, scale: float, turns: Sequence[float], taken: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    """Snuggest position: (uv in the atlas, its cells); None when there is no room."""
    import cv2

    size = len(taken)
    half = size // 2
    far = cv2.distanceTransform((~taken).astype(np.uint8), cv2.DIST_L2, 5)[:, half:].astype(np.float32)
    best: tuple[float, np.ndarray] | None = None
    for turn in turns:
        a = np.radians(turn)
        moved = scale * uv @ np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]])
        low = moved.min(axis=0) - 1.5 / size
        low = np.floor(low * size) / size
        extent = np.ceil((moved.max(axis=0) - low) * size).astype(int) + 2
        if extent.max() > size:
            continue
        piece = dilated(covered(moved - low, faces, size)[: extent[1], : extent[0]], 1.0)
        cost, i, j = _fit(piece, taken[:, half:], far)
        if np.isfinite(cost) and (best is None or cost < best[0]):
            best = cost, moved - low + np.array([j + half, i]) / size
    if best is None:
        return None
    return best[1], covered(best[1], faces, size)


def pack_charts(taken_uv: np.ndarray, taken_faces: np.ndarray, charts: Sequence[Chart]) -> tuple[list[Placed], float]:
    """Place `charts` around what is there already (`SkinUV.uv`, `SkinUV.quad_uv`).

    Largest first, each where it lies snuggest; when they do not all fit, all shrink by the same factor, which is
    returned (1 when every chart got its wanted area).
    """
    start = occupied_half(taken_uv, taken_faces)
    jobs = []
    for k, chart in enumerate(charts):
        area = np.abs(face_areas(chart.uv, chart.faces)).sum()
        if chart.symmetric:
            left, rows, _, _ = split(chart)
            f = chart.faces[left]
            piece, faces = chart.uv[rows], np.where(f < 0, -1, np.searchsorted(rows, np.maximum(f, 0)))
        else:
            piece, faces = chart.uv, chart.faces
        middle = (piece.min(axis=0) + piece.max(axis=0)) / 2
        jobs.append((np.abs(face_areas(piece, faces)).sum() / area * chart.area, k, piece - middle, faces, area))
    jobs.sort(key=lambda job: -job[0])
    shrink = 1.0
    while shrink > 0.3:
        taken, found = start.copy(), {}
        for _, k, piece, faces, area in jobs:
            scale = shrink * np.sqrt(charts[k].area / area)
            place = _place(piece, faces, scale, charts[k].turns, taken)
            if place is None:
                break
            found[k] = (place[0], scale)
            taken |= dilated(place[1], GUTTER * GRID + 1)
        if len(found) == len(charts):
            return [_placed(c, *found[k]) for k, c in enumerate(charts)], shrink
        shrink *= 0.97
    raise ValueError("no room in the atlas")


def _placed(chart: Chart, uv: np.ndarray, scale: float) -> Placed:
    uv = np.round(uv / STEP) * STEP
    if not chart.symmetric:
        return Placed(chart.name, uv, chart.faces, np.arange(len(chart.uv)), scale)
    _, left, right, faces = split(chart)
    other = uv[mirror_rows(chart.uv[left], chart.uv[right])] * [-1, 1] + [1, 0]
    return Placed(chart.name, np.concatenate([uv, other]), faces, np.concatenate([left, right]), scale)


PART_AREAS = (0.017, 0.017, 0.012, 0.009, 0.012, 0.009, 0.0135)
"""Shares of the atlas for `anatomy.Parts.chart`: eyes about true to the face's scale, crowns likewise, gums and tongue
at less."""


def pack_parts(taken_uv: np.ndarray, taken_faces: np.ndarray, parts: Parts) -> tuple[Parts, np.ndarray, float]:
    """Eyes, teeth and tongue in the atlas of the skin.

    Returns the parts with `corner_uv`, `quad_uv` and `colour` renumbered (the middles of symmetric charts are doubled),
    `uv` (U', 2) in the atlas for the new `corner_uv`, and the common factor of `pack_charts`.
    """
    charts, rows = [], []
    for k, area in enumerate(PART_AREAS):
        if k == 1:
            continue  # the mirror image of chart 0
        faces = parts.quad_uv[parts.chart == k]
        used = np.unique(faces[faces >= 0])
        local = np.where(faces < 0, -1, np.searchsorted(used, np.maximum(faces, 0)))
        turns = (0.0,) if k == 0 else Chart.turns
        charts.append(Chart(str(k), parts.corner_uv[used], local, area, symmetric=k > 1, turns=turns))
        rows.append(used)
    placed, shrink = pack_charts(taken_uv, taken_faces, charts)
    quad_uv, source, uv, count = parts.quad_uv.copy(), [], [], 0
    for place, used in zip(placed, rows, strict=True):
        quad_uv[parts.chart == int(place.name)] = np.where(place.faces < 0, -1, place.faces + count)
        source.append(used[place.source])
        uv.append(place.uv)
        count += len(place.uv)
        if place.name == "0":
            faces = parts.quad_uv[parts.chart == 1]
            other = np.unique(faces[faces >= 0])
            quad_uv[parts.chart == 1] = np.where(faces < 0, -1, count + np.searchsorted(other, np.maximum(faces, 0)))
            source.append(other)
            uv.append(place.uv[mirror_rows(parts.corner_uv[used], parts.corner_uv[other])] * [-1, 1] + [1, 0])
            count += len(other)
    index = np.concatenate(source)
    renumbered = replace(parts, corner_uv=parts.corner_uv[index], quad_uv=quad_uv, colour=parts.colour[index])
    return renumbered, np.concatenate(uv), shrink


def mirror_rows(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """For each of `others` the row of `points` that is its mirror image in u = 0."""
    from scipy.spatial import KDTree

    distance, row = KDTree(points * [-1, 1]).query(others)
    if distance.max(initial=0) > 1e-6 * np.ptp(points):
        raise ValueError("the chart is not symmetric")
    return np.asarray(row)
