"""A picture in several threads: kernels let go of the interpreter's lock, so bands of rows are made together."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise


def in_bands(work: Callable[[int, int], object], edges: Sequence[int]) -> None:
    """Call `work(first, last)` for the rows between neighbouring edges, all but the first band in threads of their own.

    An exception of any band is raised when all have ended.
    """
    pairs = list(pairwise(edges))
    if len(pairs) == 1:
        work(*pairs[0])
        return
    with ThreadPoolExecutor(len(pairs) - 1) as pool:
        others = [pool.submit(work, first, last) for first, last in pairs[1:]]
        work(*pairs[0])
    for other in others:
        other.result()


def even(height: int, bands: int) -> list[int]:
    """Edges of bands of equal height, at least one."""
    count = max(1, min(bands, height))
    return [height * k // count for k in range(count + 1)]
