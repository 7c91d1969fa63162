"""Pictures of an evaluation: errors by yaw, where on the face they are, the worst cases."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.evaluate import Scores, neutral_of
from benchmarks.accuracy.heads import heads
from benchmarks.accuracy.methods import MEAN, UNKNOWN_FOCAL, Method, methods
from tronie.arrays import Image
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import Level
from tronie.raster.shading import render_head

Array = NDArray[np.floating]

COLOURS = ("#8a8a8a", "#c98b2b", "#7f9c3b", "#3b78a8", "#a83b6c", "#5b4b9a")
SIDE = 240


def all_plots(results: Sequence[Scores], folder: Path) -> None:
    plt.switch_backend("Agg")
    folder.mkdir(parents=True, exist_ok=True)
    curves(results, folder / "accuracy_curves.png")
    photos(results[0], folder / "accuracy_photos.jpg")
    named = {s.name: s for s in results}
    if UNKNOWN_FOCAL in named:
        face_map([s for s in results if s.name in (MEAN, UNKNOWN_FOCAL)], folder / "accuracy_map.png")
        worst(named[UNKNOWN_FOCAL], methods()[UNKNOWN_FOCAL], folder / "accuracy_worst.jpg")


def photos(scores: Scores, path: Path, columns: int = 6, rows: int = 2) -> None:
    """The first photos of a run."""
    import cv2

    renders = scores.renders
    shown = [renders.picture(item) for item in renders.items[: columns * rows]]
    tiles = [cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for photo in shown]
    tiles += [np.full((SIDE, SIDE, 3), 255, np.uint8)] * (-len(tiles) % columns)
    lines = [np.concatenate(tiles[k : k + columns], axis=1) for k in range(0, len(tiles), columns)]
    save(path, np.concatenate(lines, axis=0))


def save(path: Path, image: Image) -> None:
    import cv2

    cv2.imwrite(str(path), image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])


def curves(results: Sequence[Scores], path: Path) -> None:
    """Share of renders below an error, and the error by yaw."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 3.8), dpi=110)
    for scores, colour in zip(results, COLOURS * 2, strict=False):
        error = np.sort(scores.column("error"))
        left.plot(error, np.arange(1, len(error) + 1) / len(error), color=colour, label=scores.name)
        yaw, value = scores.yaw(), scores.column("error")
        edges = np.linspace(0, max(scores.renders.max_yaw, 1), 9)
        groups = [(a, b, (yaw >= a) & (yaw < b)) for a, b in pairwise(edges)]
        middle = [(a + b) / 2 for a, b, mask in groups if mask.any()]
        mean = [value[mask].mean() for _, _, mask in groups if mask.any()]
        right.plot(middle, mean, color=colour, marker="o", markersize=3)
    left.set(xlabel="mean error of the inner face, mm", ylabel="share of photos", ylim=(0, 1))
    right.set(xlabel="yaw, degrees", ylabel="mean error, mm")
    right.set_ylim(bottom=0)
    left.legend(frameon=False, fontsize=8)
    for axes in (left, right):
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)


def face_map(results: Sequence[Scores], path: Path) -> None:
    """Mean error by place on the inner face, seen from the front."""
    figure, axes = plt.subplots(1, len(results), figsize=(3.4 * len(results) + 0.8, 4.2), dpi=110, squeeze=False)
    means = [np.mean([np.abs(row.gaps) for row in s.rows], axis=0) for s in results]
    shape = results[0].renders.mean
    assert shape is not None
    assert shape.triangles is not None
    top = float(np.percentile(means[0][shape.counted], 98))
    for axis, scores, value in zip(axes[0], results, means, strict=True):
        v = shape.points
        triangles = shape.triangles[shape.counted[shape.triangles].all(axis=1)]
        shown = axis.tripcolor(v[:, 0], v[:, 1], triangles, value, shading="gouraud", cmap="viridis", vmin=0, vmax=top)
        axis.set_title(f"{scores.name}: {scores.error:.2f} mm", fontsize=9)
        axis.set_aspect("equal")
        axis.axis("off")
    figure.colorbar(shown, ax=axes[0].tolist(), shrink=0.7, label="mm")
    figure.savefig(path, bbox_inches="tight")
    plt.close(figure)


def worst(scores: Scores, method: Method, path: Path, count: int = 6) -> None:
    """The photos with the largest errors: photo, true head at rest, fitted head at rest from the front and the side."""
    import cv2

    renders, model = scores.renders, subject.model()
    source = heads(renders.ict)
    rows = []
    for k in np.argsort(-scores.column("error"))[:count]:
        item = scores.items[k]
        photo = renders.picture(item)
        x0, y0, x1, y1 = item.detection.box
        side = 1.5 * max(x1 - x0, y1 - y0)
        x, y = (int(max((a + b) / 2 - side / 2, 0)) for a, b in ((x0, x1), (y0, y1)))
        cut = cv2.resize(photo[y : y + int(side), x : x + int(side)], (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        true = source.vertices(source.identity(renders.seed, item.person))
        said = neutral_of(model, method(item))
        tiles = [np.asarray(cut, np.uint8)]
        for yaw in (0.0, 60.0):
            tiles += [
                _clay(true, source.model.level(source.level), yaw),
                _clay(said, model.level(model.usual_level), yaw),
            ]
        row = np.concatenate(tiles, axis=1)
        label = f"{scores.rows[k].error:.2f} mm  yaw {item.angles[0]:.0f}  {item.equivalent:.0f} mm lens  {item.light}"
        cv2.putText(row, label, (6, SIDE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (20, 20, 20), 3, cv2.LINE_AA)
        cv2.putText(row, label, (6, SIDE - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.4, (255, 255, 255), 1, cv2.LINE_AA)
        rows.append(row)
    sheet = np.concatenate(rows, axis=0)
    for n, title in enumerate(("photo", "true", "fitted", "true", "fitted")):
        cv2.putText(sheet, title, (6 + n * SIDE, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (20, 20, 20), 1, cv2.LINE_AA)
    save(path, sheet)


def _clay(vertices: Array, level: Level, yaw: float) -> Image:
    distance = 1500.0
    camera = Camera(SIDE / 300 * distance, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    turn = rotation_from_euler(yaw, 0, 0)
    pose = rigid(turn, np.array([0.0, 0.0, distance]) - turn @ np.array([0.0, -35.0, 0.0]))
    return render_head(vertices, level, None, camera, pose)
