"""The product of a sparse matrix, compiled. It stands apart so that whoever only names a head need not start numba."""

from __future__ import annotations

from typing import Any

from tronie.runtime.jit import jit


@jit
def multiply(start: Any, index: Any, weight: Any, x: Any, out: Any) -> None:
    """Add to `out` (N, k) the rows of a matrix in compressed rows times `x` (M, k)."""
    for i in range(out.shape[0]):
        for e in range(start[i], start[i + 1]):
            w, source = weight[e], x[index[e]]
            for k in range(out.shape[1]):
                out[i, k] += w * source[k]
