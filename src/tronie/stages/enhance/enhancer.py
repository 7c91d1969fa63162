"""What a face enhancer is; those that are one ONNX file: input `image`, output `restored`, both (N, 3, h, w) RGB from 0
to 1; and our own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from tronie.arrays import Array, Image
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.types import UsedModel

LOUDEST = float(np.log(255))
"""The largest doubt."""
CHUNK_PIXELS = 4 * 256 * 256
"""Pixels that come out of the net together; a crowd's worth would fill the memory."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What an enhancer made of some faces."""

    faithful: Image
    """(N, S, S, 3) RGB uint8: as each most likely was."""
    vivid: Image | None = None
    """(N, S, S, 3): as it may have looked, where the enhancer knows the difference: crisper, and less sure."""
    doubt: Array | None = None
    """(N, S, S) float32: by how many grey levels `faithful` is off, on average, by its own account."""

    def __getitem__(self, row: int) -> Restored:
        """Of one face, the arrays without their first axis."""
        vivid, doubt = (None if x is None else x[row] for x in (self.vivid, self.doubt))
        return Restored(self.faithful[row], vivid, doubt)


class Enhancer(Protocol):
    """Puts detail into aligned crops of faces (see `tronie.stages.landmarks.align`)."""

    @property
    def name(self) -> str: ...

    @property
    def side(self) -> int:
        """Side of what it gives back, pixels."""

    def wants(self, pixels: float) -> int:
        """Side of the crop to hand in for a face that the photo shows `pixels` wide (its whole aligned crop). The crop
        is cut out of the photo at that size: bicubic where that enlarges it."""

    def restore(self, crops: Image) -> Restored:
        """Of (N, k, k, 3) RGB uint8, k as `wants` says. One call may hold many faces."""


@dataclass(frozen=True, slots=True)
class EnhancerInfo:
    """What an enhancer is, before it is loaded."""

    name: str
    load: Callable[[int, str], Enhancer]
    """With a number of threads and a device of the settings; its file loads on first use. Raises WeightsError."""
    weights: tuple[str, ...] = ()
    """Its files in `tronie.runtime.weights.WEIGHTS`, which has their licences."""
    brought: tuple[UsedModel, ...] = ()
    """Models of it that a user imported."""

    @property
    def models(self) -> tuple[UsedModel, ...]:
        """What it works with."""
        return (*UsedModel.of_weights(*self.weights), *self.brought)

    @property
    def present(self) -> bool:
        """Whether its files are there."""
        return all(name in weights.WEIGHTS and weights.present(name) for name in self.weights)


class NetEnhancer:
    """A net that gives back what it gets, of one size. Loaded on first use."""

    def __init__(self, name: str, path: Path, side: int, threads: int = 0, device: str = "cpu") -> None:
        self.name = name
        self.side = side
        self._net = Session(path, threads, device=device)

    def load(self) -> None:
        """Load the net now."""
        self._net.load()

    def wants(self, pixels: float) -> int:
        return self.side

    def restore(self, crops: Image) -> Restored:
        """Of (N, side, side, 3) RGB uint8."""
        return Restored(np.concatenate([_bytes(found["restored"]) for found in self._run(crops, self.side)]))

    def _run(self, crops: Image, side: int) -> Iterator[dict[str, Array]]:
        """What the net says of (N, k, k, 3), some at a time; `side` is that of what comes out of it."""
        step = max(1, CHUNK_PIXELS // side**2)
        for start in range(0, len(crops), step):
            planes = crops[start : start + step].transpose(0, 3, 1, 2).astype(np.float32) / 255
            yield self._net.run({"image": planes})


class FourfoldEnhancer(NetEnhancer):
    """A net that enlarges four times, at the face's own size: what comes out is brought to one side (bicubic). Beside
    `restored` it may have the outputs `vivid` and `doubt`, (N, 1, h, w): the logarithm of grey levels."""

    FOLD = 4
    STEP = 16
    """Sides of what goes in are multiples of this."""
    SMALLEST, LARGEST = 32, 192

    def wants(self, pixels: float) -> int:
        side = int(np.ceil(pixels / self.STEP - 0.05)) * self.STEP  # a pixel more than a multiple is no reason for 16
        return int(np.clip(side, self.SMALLEST, self.LARGEST))

    def restore(self, crops: Image) -> Restored:
        """Of (N, k, k, 3) RGB uint8, k a multiple of 16."""
        answers = list(self._run(crops, self.FOLD * crops.shape[1]))
        looks: dict[str, Image] = {
            name: np.stack([_sized(x, self.side) for answer in answers for x in _bytes(answer[name])])
            for name in ("restored", "vivid")
            if name in answers[0]
        }
        doubt = None
        if "doubt" in answers[0]:
            doubt = np.stack(
                [_sized(np.exp(np.minimum(x, LOUDEST)), self.side) for answer in answers for x in answer["doubt"][:, 0]]
            )
        return Restored(looks["restored"], looks.get("vivid"), doubt)


def _sized(picture: NDArray[Any], side: int) -> NDArray[Any]:
    if len(picture) == side:
        return picture
    return np.asarray(Pillow.fromarray(picture).resize((side, side), Pillow.Resampling.BICUBIC))


def _bytes(planes: Array) -> Image:
    """(N, 3, h, w) of 0..1 -> (N, h, w, 3) uint8."""
    return np.asarray(np.rint(planes.clip(0, 1) * 255).transpose(0, 2, 3, 1), dtype=np.uint8)


def _load(threads: int, device: str) -> Enhancer:
    return FourfoldEnhancer("tronie", weights.path("face_enhance"), 256, threads, device)


ENHANCER = EnhancerInfo("tronie", _load, ("face_enhance",))
"""The net that comes with the library."""
