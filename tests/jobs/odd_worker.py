"""A worker that misbehaves on demand. It imports little, so that its processes are there at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from tronie.runtime.pipe import Line

MEGA = 1_000_000


@dataclass(frozen=True)
class Odd:
    """A worker with tasks of all kinds."""

    def __call__(self, line: Line) -> Callable[[str], str]:
        def work(task: str) -> str:
            if task == "stuck":
                line.expect(0.3, "reading it")
                time.sleep(60)
            if task == "slow but sure":
                for _ in range(8):
                    line.expect(0.8, "a frame")
                    line.progress("following", 1, None)
                    time.sleep(0.25)
            if task == "patient":
                line.expect(0.2, "a frame")
                time.sleep(0.01)
                line.expect(None, "the rest")
                time.sleep(0.6)
            if task in ("large", "swollen"):
                line.expect(None, "reading it", 400 * MEGA)
            if task == "large":
                kept = b"\1" * (500 * MEGA)
                time.sleep(60)
                return str(len(kept))
            if task == "swollen":
                line.__class__.kept = b"\1" * (220 * MEGA)  # type: ignore[attr-defined]
            if task == "noisy":
                os.write(2, b"libpng warning: sRGB\n")
            if task == "film":
                while not line.stopping():
                    line.progress("filming", 1, None)
                    time.sleep(0.02)
                raise KeyboardInterrupt
            return f"{task} {os.getpid()}"

        return work
