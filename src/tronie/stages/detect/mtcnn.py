"""MTCNN (Zhang et al. 2016): a proposal net over a scale pyramid, then two nets that judge and refine the proposals.

The weights come from Matlab and expect pictures with x before y: (batch, x, y, RGB), (value - 127.5) / 128.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.detect.detector import DetectorInfo, suppress
from tronie.types import Detection

CELL, STRIDE = 12, 2
"""The proposal net sees 12x12 pixels, every second pixel."""
BATCH = 256
"""Proposals judged at once."""


def _normal(pixels: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray((pixels - 127.5) / 128, dtype=np.float32)


@dataclass(frozen=True)
class Mtcnn:
    """The three nets with the thresholds of the paper's authors."""

    propose: Session
    refine: Session
    output: Session
    thresholds: tuple[float, float, float] = (0.6, 0.7, 0.7)
    factor: float = 0.709
    """Ratio of neighbouring scales: half the area."""
    smallest: float = 20.0

    finest: float = 20.0
    sure: float = 20.0
    coarsest: float = 400.0
    turns: tuple[float, ...] = (-40.0, 40.0)

    @classmethod
    def load(cls, threads: int = 1, device: str = "cpu") -> Mtcnn:
        nets = (Session(weights.path(f"mtcnn_{stage}net"), threads, device=device) for stage in "pro")
        propose, refine, output = nets
        return cls(propose, refine, output)

    def detect(self, image: Image) -> list[Detection]:
        """RGB (H, W, 3) -> faces from 20 px on, best score first."""
        octaves = _octaves(image)
        boxes = self._proposals(image)
        score, shift, _ = self._judge(self.refine, ("softmax_1", "dense_2", None), 24, octaves, boxes)
        boxes, score, shift = _where(score > self.thresholds[1], boxes, score, shift)
        keep = suppress(boxes, score, 0.7)
        boxes = _square(_shifted(boxes[keep], shift[keep]))

        score, shift, relative = self._judge(self.output, ("softmax_2", "dense_5", "dense_6"), 48, octaves, boxes)
        boxes, score, shift, relative = _where(score > self.thresholds[2], boxes, score, shift, relative)
        side = boxes[:, 2:] - boxes[:, :2]
        points = boxes[:, None, :2] + relative.reshape(-1, 2, 5).transpose(0, 2, 1) * side[:, None]
        boxes = _shifted(boxes, shift)
        # Boxes inside one another are one face here: the authors divide by the smaller area.
        keep = suppress(boxes, score, 1.0, inside=0.7)
        return [Detection(tuple(boxes[i].tolist()), points[i], float(score[i])) for i in keep]

    def _proposals(self, image: Image) -> Array:
        """Square candidate boxes (N, 4)."""
        import cv2

        h, w = image.shape[:2]
        scale = CELL / self.smallest
        boxes, scores, shifts = [np.empty((0, 4))], [np.empty(0)], [np.empty((0, 4))]
        while min(h, w) * scale >= CELL:
            size = (int(np.ceil(w * scale)), int(np.ceil(h * scale)))
            small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
            out = self.propose.run({"input_1": _normal(small.transpose(1, 0, 2)[None])})
            score = out["softmax"][0, ..., 1]
            x, y = np.nonzero(score > self.thresholds[0])
            corner = np.stack([x, y, x, y], axis=1) * STRIDE + [0, 0, CELL, CELL]
            sx, sy = w / size[0], h / size[1]
            box, certain = corner * [sx, sy, sx, sy], score[x, y].astype(float)
            keep = suppress(box, certain, 0.5)
            boxes.append(box[keep])
            scores.append(certain[keep])
            shifts.append(out["conv2d_4"][0, x, y][keep].astype(float))
            scale *= self.factor
        box = np.concatenate(boxes)
        keep = suppress(box, np.concatenate(scores), 0.7)
        return _square(_shifted(box[keep], np.concatenate(shifts)[keep]))

    def _judge(
        self, net: Session, names: tuple[str, str, str | None], side: int, octaves: list[Image], boxes: Array
    ) -> tuple[Array, Array, Array]:
        """Scores (N,), box shifts (N, 4), points (N, 10) of candidate boxes."""
        scores, shifts, points = [np.empty(0)], [np.empty((0, 4))], [np.empty((0, 10))]
        name = "input_2" if side == 24 else "input_3"
        for part in _chunks(boxes):
            out = net.run({name: _normal(_cut(octaves, part, side))})
            scores.append(out[names[0]][:, 1].astype(float))
            shifts.append(out[names[1]].astype(float))
            points.append(out[names[2]].astype(float) if names[2] else np.zeros((len(part), 10)))
        return np.concatenate(scores), np.concatenate(shifts), np.concatenate(points)


def _chunks(boxes: Array) -> Iterator[Array]:
    for start in range(0, len(boxes), BATCH):
        yield boxes[start : start + BATCH]


def _where(mask: NDArray[np.bool_], *values: Array) -> tuple[Array, ...]:
    return tuple(v[mask] for v in values)


def _shifted(boxes: Array, shift: Array) -> Array:
    """Moves every side by its share of the box's side."""
    side = boxes[:, 2:] - boxes[:, :2]
    return np.asarray(boxes + shift * np.concatenate([side, side], axis=1))


def _square(boxes: Array) -> Array:
    """The longer side on both axes, same centre."""
    centre = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = (boxes[:, 2:] - boxes[:, :2]).max(axis=1, keepdims=True) / 2
    return np.concatenate([centre - half, centre + half], axis=1)


def _octaves(image: Image) -> list[Image]:
    """The picture at 1, 1/2, 1/4, ... so that no box is sampled much more coarsely than its pixels."""
    import cv2

    levels = [image]
    while min(levels[-1].shape[:2]) >= 48:
        h, w = levels[-1].shape[:2]
        levels.append(np.asarray(cv2.resize(levels[-1], ((w + 1) // 2, (h + 1) // 2), interpolation=cv2.INTER_AREA)))
    return levels


def _cut(octaves: list[Image], boxes: Array, side: int) -> Array:
    """Boxes (N, 4) -> (N, side, side, 3) with x before y, bilinear from the octave that fits; black outside."""
    h, w = octaves[0].shape[:2]
    level = np.log2(np.maximum((boxes[:, 2] - boxes[:, 0]) / side, 1)).astype(int).clip(0, len(octaves) - 1)
    out = np.zeros((len(boxes), side, side, 3), np.float32)
    grid = (np.arange(side) + 0.5) / side
    for k in np.unique(level):
        which = np.nonzero(level == k)[0]
        picture = octaves[k]
        box = boxes[which]
        size = np.array([picture.shape[1], picture.shape[0]])
        ratio = size / [w, h]
        position = box[:, None, :2] + grid[None, :, None] * (box[:, 2:] - box[:, :2])[:, None]  # (n, side, 2) x and y
        position = position * ratio - 0.5
        low = np.floor(position).astype(int)
        f = (position - low).astype(np.float32)
        inside = (position >= -0.5) & (position <= size - 0.5)
        a, b = (np.clip(low + d, 0, size - 1) for d in (0, 1))
        xa, xb, ya, yb = a[:, :, 0, None], b[:, :, 0, None], a[:, None, :, 1], b[:, None, :, 1]
        fx, fy = f[:, :, 0, None, None], f[:, None, :, 1, None]
        top = picture[ya, xa] * (1 - fx) + picture[ya, xb] * fx
        bottom = picture[yb, xa] * (1 - fx) + picture[yb, xb] * fx
        mask = inside[:, :, 0, None] & inside[:, None, :, 1]
        out[which] = (top * (1 - fy) + bottom * fy) * mask[..., None]
    return out


DETECTOR = DetectorInfo("mtcnn", Mtcnn.load, weights=("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet"))
