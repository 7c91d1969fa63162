"""CenterFace (Xu et al. 2019): a heat map of face centres at a quarter of the resolution, with size and points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tronie.arrays import Image
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.detect.detector import DetectorInfo, suppress
from tronie.types import Detection

STRIDE = 4
MULTIPLE = 32
"""The net's input sides must be multiples of this."""


@dataclass(frozen=True)
class CenterFace:
    """Finds faces at the scale of the image given; see `finest` and `coarsest` for which sizes that is."""

    session: Session
    min_heat: float = 0.25
    overlap: float = 0.3
    """Intersection over union above which two boxes are one face."""

    # Measured on 100 portraits shrunk to the size: 100 of 100 at 20 px, 92 at 14 px, 49 at 12 px with a heat of 0.4;
    # as many found at 460 px as at 100 px; 97 of 100 even when turned by 60 degrees.
    finest: float = 15.0
    sure: float = 20.0
    coarsest: float = 400.0
    turns: tuple[float, ...] = (-90.0, 90.0, 180.0)

    @classmethod
    def load(cls, threads: int = 1, device: str = "cpu") -> CenterFace:
        return cls(Session(weights.path("centerface"), threads, device=device))

    def detect(self, image: Image) -> list[Detection]:
        """RGB (H, W, 3) -> faces, best score first."""
        h, w = image.shape[:2]
        # Padding, not stretching: every face keeps its proportions.
        canvas = np.zeros((1, 3, -(-h // MULTIPLE) * MULTIPLE, -(-w // MULTIPLE) * MULTIPLE), np.float32)
        canvas[0, :, :h, :w] = image.transpose(2, 0, 1)
        out = self.session.run({"image": canvas})
        rows, columns = np.nonzero(out["heat"][0, 0] > self.min_heat)
        if not len(rows):
            return []
        # A heat of 0.35 already means a face (200 portraits, 29 people, 20 pictures without: two false); so that 0.5
        # is a good threshold here as for other detectors, the score is the heat's power 2/3.
        score = out["heat"][0, 0, rows, columns].astype(float) ** (2 / 3)
        height, width = np.exp(out["size"][0][:, rows, columns].astype(float)) * STRIDE
        dy, dx = out["offset"][0][:, rows, columns].astype(float)
        x0 = (columns + dx + 0.5) * STRIDE - width / 2
        y0 = (rows + dy + 0.5) * STRIDE - height / 2
        boxes = np.stack([x0, y0, x0 + width, y0 + height], axis=1)
        # The net gives y before x, in units of the box from its upper left corner.
        relative = out["points"][0][:, rows, columns].T.reshape(-1, 5, 2)[:, :, ::-1].astype(float)
        points = boxes[:, None, :2] + relative * np.stack([width, height], axis=1)[:, None]
        return [
            Detection(tuple(boxes[i].tolist()), points[i], float(score[i]))
            for i in suppress(boxes, score, self.overlap)
        ]


DETECTOR = DetectorInfo("centerface", CenterFace.load, weights=("centerface",))
