"""A worker that misbehaves on demand. It imports little, so that its processes are there at once."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

from tronie.runtime.child_process import Limit
from tronie.runtime.job import Advanced, Event, Job
from tronie.runtime.logs import logger

MEGA = 1_000_000


@dataclass(frozen=True)
class Limited(Event):
    """The worker comes under a limit."""

    limit: Limit


def limit_of(event: Event) -> Limit | None:
    return event.limit if isinstance(event, Limited) else None


@dataclass(frozen=True)
class Odd:
    """A worker with tasks of all kinds."""

    def __call__(self, job: Job) -> Callable[[str], str]:
        def limited(seconds: float | None, what: str, memory: int | None = None) -> None:
            job.emit(Limited(Limit(seconds, memory, what)))

        def work(task: str) -> str:
            if task == "stuck":
                limited(1.0, "reading it")
                time.sleep(60)
            if task == "slow but sure":
                for _ in range(8):
                    limited(2.5, "a frame")
                    job.emit(Advanced("follow", 1))
                    time.sleep(0.25)
            if task == "patient":
                limited(0.4, "a frame")
                time.sleep(0.01)
                limited(None, "the rest")
                time.sleep(0.6)
            if task in ("large", "swollen"):
                limited(None, "reading it", 400 * MEGA)
            if task == "large":
                kept = b"\1" * (500 * MEGA)
                time.sleep(60)
                return str(len(kept))
            if task == "leaping":
                limited(None, "reading it", 400 * MEGA)
                time.sleep(0.5)
                try:
                    return f"{len(bytearray(8000 * MEGA))} bytes"
                except MemoryError:
                    return f"refused {os.getpid()}"
            if task == "swollen":
                job.__class__.kept = b"\1" * (220 * MEGA)  # type: ignore[attr-defined]
            if task == "talkative":
                logger("tronie.tests").debug("nothing of this")
                logger("tronie.tests").info("at %s", task)
            if task == "wrong":
                try:
                    raise KeyError("where")
                except KeyError:
                    logger("tronie.tests").exception("a step failed")
            if task == "noisy":
                os.write(2, b"libpng warning: sRGB\n")
            if task == "film":
                with job.part(finishes=False).stage("filming") as stage:
                    while True:
                        stage.advance()
                        time.sleep(0.02)
            return f"{task} {os.getpid()}"

        return work
