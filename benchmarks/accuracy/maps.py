"""Where on real heads the error is: a map for each method, true points seen from the front."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy.evaluate import Scores
from tronie.io.encode import png

Array = NDArray[np.floating]

SIDE, PIXELS_PER_MM, DOT = 340, 1.8, 2
TOP_MM = 4.0
"""What the colours end at."""


def scan_maps(results: Sequence[Scores], path: Path) -> None:
    """A row for each person and a column for each method: how far the true points lie outside (red) or inside (blue)
    the fitted heads, mean over the photos."""
    rows = []
    for person in range(results[0].renders.people):
        tiles = []
        for scores in results:
            gaps = [row.gaps for row, item in zip(scores.rows, scores.items, strict=True) if item.person == person]
            tiles.append(_tile(scores, person, gaps))
        rows.append(np.concatenate(tiles, axis=1))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(png(np.concatenate(rows)))


def _tile(scores: Scores, person: int, gaps: Sequence[Array]) -> NDArray[np.uint8]:
    tile = np.full((SIDE, SIDE, 3), 255, np.uint8)
    if gaps:
        truth = scores.renders.truths[person]
        rows = np.flatnonzero(truth.counted)
        rows = rows[np.argsort(truth.points[rows, 2])]
        middle = truth.points[rows, :2].mean(axis=0)
        for k, value in zip(rows, np.mean(gaps, axis=0)[rows], strict=True):
            x, y = (truth.points[k, :2] - middle) * [PIXELS_PER_MM, -PIXELS_PER_MM] + SIDE / 2
            cv2.circle(tile, (int(x), int(y)), DOT, _colour(float(value)), -1)
        label = f"{scores.name}: {np.abs(gaps)[:, rows].mean():.2f} mm"
        cv2.putText(tile, label, (6, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (20, 20, 20), 1, cv2.LINE_AA)
    return tile


def _colour(gap: float) -> tuple[int, int, int]:
    """RGB: grey at 0, red outside, blue inside."""
    t = float(np.clip(abs(gap) / TOP_MM, 0, 1)) ** 0.7
    to = np.array([200, 20, 20] if gap > 0 else [20, 60, 200])
    r, g, b = (int(c) for c in (1 - t) * np.array([225, 225, 225]) + t * to)
    return r, g, b
