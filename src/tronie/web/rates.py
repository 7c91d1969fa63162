"""How often somebody may come: a bucket of tokens for each client, filled at a steady rate."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

KEPT = 20_000
"""Clients that are remembered; the one that was seen longest ago is forgotten, and so begins with a full bucket."""


class Rate:
    """So many a minute, and at most so many at once."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.size, self.per_second, self.clock = float(per_minute), per_minute / 60, clock
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """Client -> how much was in its bucket, and when."""

    def wait(self, client: str) -> float:
        """Seconds until the client may come; 0: now."""
        return max(0.0, (1 - self._level(client)) / self.per_second)

    def take(self, client: str) -> float:
        """The same; where it is 0, it counts."""
        level = self._level(client)
        if level < 1:
            return (1 - level) / self.per_second
        self._buckets[client] = level - 1, self.clock()
        self._buckets.move_to_end(client)
        while len(self._buckets) > KEPT:
            self._buckets.popitem(last=False)
        return 0.0

    def _level(self, client: str) -> float:
        level, then = self._buckets.get(client, (self.size, 0.0))
        return min(self.size, level + (self.clock() - then) * self.per_second)
