"""How large the processes of a run are while it works (Linux)."""

from __future__ import annotations

import os
import statistics
import threading
import time
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import TracebackType

EVERY = 0.2
"""Seconds between two looks."""
SETTLED = 40
"""Photos of a worker after which its memory is looked at: until then buffers find their size."""
ENOUGH = 60
"""Photos that are looked at then, at least."""


@dataclass(slots=True)
class Sizes:
    """Of a process: what it held at each look."""

    at: list[float] = field(default_factory=list)
    held: list[int] = field(default_factory=list)
    """Bytes."""
    peak: int = 0
    """Bytes that the system says it held at most."""


class Watch:
    """Looks at a process and all that it begins, until the block ends."""

    def __init__(self, pid: int) -> None:
        self.parent, self.sizes = pid, dict[int, Sizes]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    @property
    def largest(self) -> int:
        """Bytes of the largest process."""
        return max((sizes.peak for sizes in self.sizes.values()), default=0)

    def parents(self, parts: int = 10) -> list[int]:
        """Bytes that the parent held, at most, in each tenth of the time."""
        held = self.sizes[self.parent].held
        edges = [len(held) * k // parts for k in range(parts + 1)]
        return [max(held[a:b]) for a, b in pairwise(edges) if b > a]

    def growth(self, done: list[float], workers: int) -> list[tuple[int, float]]:
        """Of each worker that lived long enough: photos that it did, and the bytes by which it grew per 100 of them,
        between the medians of the first and of the last third. `done`: when each photo was, of all workers."""
        grown = []
        for pid, sizes in self.sizes.items():
            if pid == self.parent:
                continue
            photos = [sum(when <= at for when in done) / workers for at in sizes.at]
            settled = [(n, held) for n, held in zip(photos, sizes.held, strict=True) if n >= photos[0] + SETTLED]
            if not settled or settled[-1][0] - settled[0][0] < ENOUGH:
                continue
            third = len(settled) // 3
            (n0, b0), (n1, b1) = (
                [statistics.median(each) for each in zip(*part, strict=True)]
                for part in (settled[:third], settled[-third:])
            )
            grown.append((round(settled[-1][0]), 100 * (b1 - b0) / (n1 - n0)))
        return grown

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            now = time.monotonic()
            for pid in family(self.parent):
                held, peak = _sizes(pid)
                if held:
                    sizes = self.sizes.setdefault(pid, Sizes())
                    sizes.at.append(now)
                    sizes.held.append(held)
                    sizes.peak = max(sizes.peak, peak)


def family(pid: int) -> list[int]:
    """A process and those that it began."""
    above = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                above[int(entry)] = int(Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = [pid]
    for one in found:
        found += [child for child, parent in above.items() if parent == one]
    return found


def _sizes(pid: int) -> tuple[int, int]:
    """Bytes that it holds, and that it held at most."""
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc", str(pid), "status").read_text().splitlines())
        return 1024 * int(lines["VmRSS"].split()[0]), 1024 * int(lines["VmHWM"].split()[0])
    except (OSError, KeyError, ValueError):
        return 0, 0
