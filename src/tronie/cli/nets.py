"""How fast the nets are on the devices of this machine, and which of these each runs on."""

from __future__ import annotations

import time
from collections.abc import Mapping

import numpy as np

from tronie.runtime import weights
from tronie.runtime.inference import Session, available
from tronie.runtime.net_speeds import CPU, NetSpeed

NETS = (
    "centerface", "face_landmarks", "blendshapes", "face_doubts", "recognizer", "face_shape", "segment", "face_enhance",
)  # fmt: skip
"""Those of the usual settings."""
SIDES = {"centerface": 320, "face_enhance": 48}
"""Pixels of the pictures of nets that take any size."""
ROWS = 2
"""A face and its mirror image, as the landmark net has them."""
ENOUGH, MOST = 0.03, 5
"""Seconds for a net on a device, and runs, after which the quickest run counts."""


def measure() -> dict[str, NetSpeed]:
    """Each net on each device on which it works, with one thread."""
    places = [CPU, *(device.name for device in available())]
    return {
        name: NetSpeed(
            weights.path(name).stat().st_size,
            {place: ms for place in places if (ms := milliseconds(name, place)) is not None},
        )
        for name in NETS
    }


def milliseconds(name: str, place: str) -> float | None:
    """What a face takes on that device; None where the net does not work there."""
    net = Session(weights.path(name), 1, split=True, device=place)
    inputs = {
        given: np.full((ROWS, *(SIDES[name] if isinstance(n, str) else n for n in shape[1:])), 0.5, np.float32)
        for given, shape in net.shapes.items()
    }
    net.run(inputs)  # what compiles or grows comes first
    least, began, runs = np.inf, time.perf_counter(), 0
    while runs < MOST and (runs == 0 or time.perf_counter() - began < ENOUGH):
        start = time.perf_counter()
        net.run(inputs)
        least, runs = min(least, time.perf_counter() - start), runs + 1
    return round(least / ROWS * 1000, 3) if net.place == place else None


def used(speeds: Mapping[str, NetSpeed]) -> dict[str, list[str]]:
    """Device -> the nets that run there with `--device auto`."""
    places: dict[str, list[str]] = {}
    for name in speeds:
        net = Session(weights.path(name), 1, split=True, device="auto")
        net.load()
        places.setdefault(net.place, []).append(name)
    return places
