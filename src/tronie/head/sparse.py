"""Sparse matrices as far as subdivision needs them: made from entries, multiplied, rows picked.

SciPy has all of this and much more, in 140 MB and a quarter of a second at every start.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.runtime.jit import jit


@dataclass(frozen=True, slots=True)
class Sparse:
    """An (N, M) matrix in compressed rows."""

    start: NDArray[np.int64]
    """(N + 1,): row i owns the entries start[i] to start[i + 1]."""
    index: NDArray[np.int32]
    """(E,) the entries' columns, rising inside a row."""
    weight: Array
    """(E,) the entries' values."""
    columns: int
    """M."""

    @classmethod
    def of(cls, rows: ArrayLike, columns: ArrayLike, weights: ArrayLike, shape: tuple[int, int]) -> Sparse:
        """From entries in any order; those of one place are summed, zeros are left out."""
        key = np.asarray(rows, dtype=np.int64) * shape[1] + np.asarray(columns, dtype=np.int64)
        order = np.argsort(key, kind="stable")
        key = key[order]
        first = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])[: len(key)])
        weight = np.add.reduceat(np.asarray(weights)[order], first) if len(first) else np.zeros(0)
        key, weight = key[first][weight != 0], weight[weight != 0]
        start = np.searchsorted(key, np.arange(shape[0] + 1, dtype=np.int64) * shape[1])
        return cls(start, (key % shape[1]).astype(np.int32), weight, shape[1])

    @classmethod
    def identity(cls, count: int) -> Sparse:
        """The (count, count) matrix that changes nothing, float32."""
        index = np.arange(count + 1)
        return cls(index, index[:-1].astype(np.int32), np.ones(count, dtype=np.float32), count)

    @property
    def shape(self) -> tuple[int, int]:
        return len(self.start) - 1, self.columns

    def astype(self, dtype: Any) -> Sparse:
        return Sparse(self.start, self.index, self.weight.astype(dtype), self.columns)

    def __matmul__(self, x: ArrayLike) -> Array:
        """(M,) or (M, k) -> (N,) or (N, k): float32 if both are, else float64."""
        values = np.asarray(x)
        dtype = np.float32 if values.dtype == self.weight.dtype == np.float32 else np.float64
        flat = np.ascontiguousarray(values.reshape(len(values), -1), dtype=dtype)
        if len(flat) != self.columns:
            raise ValueError(f"{self.shape} does not fit {values.shape}")
        out = np.zeros((self.shape[0], flat.shape[1]), dtype=dtype)
        _multiply(self.start, self.index, self.weight.astype(dtype, copy=False), flat, out)
        return out.reshape(len(self.start) - 1, *values.shape[1:])

    def __getitem__(self, rows: NDArray[np.integer[Any]]) -> Sparse:
        """The rows with the numbers (n,), in that order."""
        counts = np.diff(self.start)[rows]
        start = np.concatenate([[0], np.cumsum(counts)])
        entry = np.arange(start[-1]) + np.repeat(self.start[:-1][rows] - start[:-1], counts)
        return Sparse(start, self.index[entry], self.weight[entry], self.columns)

    def after(self, other: Sparse) -> Sparse:
        """The product self @ other, as a matrix: `other` is applied first."""
        picked = other[self.index]  # for each entry of ours the row of `other` that it weighs
        counts = np.diff(picked.start)
        rows = np.repeat(np.repeat(np.arange(self.shape[0]), np.diff(self.start)), counts)
        weights = np.repeat(self.weight, counts) * picked.weight
        return Sparse.of(rows, picked.index, weights, (self.shape[0], other.columns))


@jit
def _multiply(start: Any, index: Any, weight: Any, x: Any, out: Any) -> None:
    for i in range(out.shape[0]):
        for e in range(start[i], start[i + 1]):
            w, source = weight[e], x[index[e]]
            for k in range(out.shape[1]):
                out[i, k] += w * source[k]
