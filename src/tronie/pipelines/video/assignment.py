"""Which of some rows belongs to which of some columns, at the least total cost."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array


def assign(cost: Array, limit: float = np.inf) -> list[tuple[int, int]]:
    """(n, m) costs -> pairs (row, column), each row and column at most once, of the least total; sorted by row.

    As many pairs as the shorter side has, less those that cost `limit` or more (a pair that is forbidden costs inf).
    Shortest augmenting paths with potentials (Jonker & Volgenant 1987), O(n^2 m).
    """
    cost = np.asarray(cost, dtype=np.float64)
    if not cost.size:
        return []
    if cost.shape[0] > cost.shape[1]:
        return sorted((row, column) for column, row in assign(cost.T, limit))
    n, m = cost.shape
    ceiling = float(limit) if np.isfinite(limit) else 1e6 + 10 * float(np.abs(cost[np.isfinite(cost)]).max(initial=0.0))
    # A pair beyond the limit costs as much as no pair at all: then the others are not bent to avoid it.
    bounded = np.minimum(np.where(np.isnan(cost), np.inf, cost), ceiling)
    u, v = np.zeros(n + 1), np.zeros(m + 1)
    owner = np.zeros(m + 1, dtype=np.intp)  # row (from 1) that has each column (from 1); column 0 is the row at hand
    for row in range(1, n + 1):
        owner[0], column = row, 0
        least, came = np.full(m + 1, np.inf), np.zeros(m + 1, dtype=np.intp)
        done = np.zeros(m + 1, dtype=bool)
        while True:
            done[column] = True
            i = owner[column]
            reduced = bounded[i - 1] - u[i] - v[1:]
            better = ~done[1:] & (reduced < least[1:])
            least[1:][better] = reduced[better]
            came[1:][better] = column
            free = np.flatnonzero(~done[1:]) + 1
            following = int(free[least[free].argmin()])
            delta = least[following]
            u[owner[done]] += delta
            v[done] -= delta
            least[~done] -= delta
            column = following
            if owner[column] == 0:
                break
        while column:
            owner[column] = owner[came[column]]
            column = int(came[column])
    pairs = ((int(owner[j]) - 1, j - 1) for j in range(1, m + 1) if owner[j])
    return sorted((i, j) for i, j in pairs if cost[i, j] < ceiling)
