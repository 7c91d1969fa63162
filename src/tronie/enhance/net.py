"""An enhancer that is one ONNX file: input `image`, output `restored`, both (N, 3, side, side) RGB from 0 to 1."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tronie.runtime import Session
from tronie.types import Image

CHUNK_PIXELS = 4 * 256 * 256
"""Pixels that go through the net together; a crowd's worth would fill the memory."""


class NetEnhancer:
    """Loaded on first use."""

    def __init__(self, name: str, path: Path, side: int, threads: int = 0) -> None:
        self.name = name
        self.side = side
        self._net = Session(path, threads)

    def load(self) -> None:
        """Load the net now."""
        self._net.load()

    def restore(self, crops: Image) -> Image:
        """(N, side, side, 3) RGB uint8 -> the same, restored."""
        out = np.empty_like(crops)
        step = max(1, CHUNK_PIXELS // self.side**2)
        for start in range(0, len(crops), step):
            planes = crops[start : start + step].transpose(0, 3, 1, 2).astype(np.float32) / 255
            restored = self._net.run({"image": planes})["restored"]
            out[start : start + step] = np.rint(restored.clip(0, 1) * 255).transpose(0, 2, 3, 1)
        return out
