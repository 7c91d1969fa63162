"""Flatten a triangulated surface: keep angles first, follow a wanted scale second, never flip a triangle.

Each triangle's map J (2x2, from its own plane to the chart) costs

    c q^p + a (D / T + T / D - 2) / 2,      q = |J|^2 / (2 D) >= 1,   D = det J,   T = wanted area scale,

q is the most-isometric-parameterisation measure (Hormann & Greiner 2000), equal to one where J is a similarity; the
second term is the area part of the symmetric Dirichlet energy. Both are infinite at D = 0, and the line search never
crosses it. Minimised by Newton steps whose element Hessians are made positive (Teran et al. 2005).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array, csc_array, diags_array
from scipy.sparse.linalg import spsolve


@dataclass(frozen=True)
class Elements:
    """Triangles with a rest shape and a price."""

    triangles: np.ndarray
    """(T, 3)."""
    gradient: np.ndarray
    """(T, 2, 3): J = (gradient @ positions of the corners)^T."""
    weight: np.ndarray
    """(T,) usually the area of the rest shape."""
    angle: np.ndarray
    """(T,) c: price of q^p."""
    power: int
    """p."""
    area: np.ndarray
    """(T,) a: price of a wrong area."""
    wanted: np.ndarray
    """(T,) T: wanted det J."""


def rest_gradient(points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Triangles (T, 3, 2 or 3) -> (gradient (T, 2, 3), area (T,)) in a frame of each triangle's own plane."""
    e1, e2 = points[:, 1] - points[:, 0], points[:, 2] - points[:, 0]
    length = np.linalg.norm(e1, axis=1)
    along = (e1 * e2).sum(axis=1) / length
    across = np.sqrt(np.maximum((e2**2).sum(axis=1) - along**2, 1e-300))
    # rows: the derivatives of the three hat functions along and across the first edge
    gradient = np.zeros((len(points), 2, 3))
    gradient[:, 0, 0], gradient[:, 0, 1] = -1 / length, 1 / length
    gradient[:, 1, 1] = -along / (length * across)
    gradient[:, 1, 2] = 1 / across
    gradient[:, 1, 0] = -gradient[:, 1, 1] - gradient[:, 1, 2]
    return gradient, length * across / 2


def jacobians(e: Elements, x: np.ndarray) -> np.ndarray:
    """(T, 2, 2): J[t, i, k] = derivative of chart coordinate i along frame axis k."""
    return np.einsum("tkc,tci->tik", e.gradient, x[e.triangles])


def singular_values(j: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Larger and smaller singular value of each 2x2 matrix; the smaller is negative where J flips."""
    plus = np.hypot(j[:, 0, 0] + j[:, 1, 1], j[:, 1, 0] - j[:, 0, 1])
    minus = np.hypot(j[:, 0, 0] - j[:, 1, 1], j[:, 1, 0] + j[:, 0, 1])
    return (plus + minus) / 2, (plus - minus) / 2


def _terms(e: Elements, x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    j = jacobians(e, x)
    return j, (j**2).sum(axis=(1, 2)), j[:, 0, 0] * j[:, 1, 1] - j[:, 0, 1] * j[:, 1, 0]


def energy(e: Elements, x: np.ndarray) -> float:
    _, square, det = _terms(e, x)
    if (det <= 0).any():
        return np.inf
    q = square / (2 * det)
    return float((e.weight * (e.angle * (q**e.power - 1) + e.area * (det / e.wanted + e.wanted / det - 2) / 2)).sum())


_COFACTOR = np.array([[0, 0, 0, 1], [0, 0, -1, 0], [0, -1, 0, 0], [1, 0, 0, 0]], dtype=float)
"""Second derivative of det J by vec J (row major)."""


def derivatives(e: Elements, x: np.ndarray) -> tuple[np.ndarray, csc_array]:
    """Gradient (2 N,) and a positive semidefinite Hessian (2 N, 2 N), ordered x0 y0 x1 y1 ..."""
    j, square, det = _terms(e, x)
    p, q = e.power, square / (2 * det)
    f1, f2 = e.angle * p * q ** (p - 1), e.angle * p * (p - 1) * q ** max(p - 2, 0)
    q_s, q_d = 1 / (2 * det), -square / (2 * det**2)
    psi_s = f1 * q_s
    psi_d = f1 * q_d + e.area / 2 * (1 / e.wanted - e.wanted / det**2)
    psi_ss = f2 * q_s**2
    psi_sd = f2 * q_s * q_d - f1 / (2 * det**2)
    psi_dd = f2 * q_d**2 + f1 * square / det**3 + e.area * e.wanted / det**3
    vec = j.reshape(-1, 4)
    g_s, g_d = 2 * vec, vec @ _COFACTOR
    by_j = psi_s[:, None] * g_s + psi_d[:, None] * g_d
    cross = g_s[:, :, None] * g_d[:, None, :]
    hess = (
        psi_s[:, None, None] * 2 * np.eye(4)
        + psi_d[:, None, None] * _COFACTOR
        + psi_ss[:, None, None] * g_s[:, :, None] * g_s[:, None, :]
        + psi_sd[:, None, None] * (cross + cross.transpose(0, 2, 1))
        + psi_dd[:, None, None] * g_d[:, :, None] * g_d[:, None, :]
    )
    values, vectors = np.linalg.eigh(hess)
    hess = (vectors * np.maximum(values, 0)[:, None, :]) @ vectors.transpose(0, 2, 1)
    # chain[t, (i, k), (c, i')] = gradient[t, k, c] where i == i'
    chain = np.einsum("tkc,ij->tikcj", e.gradient, np.eye(2)).reshape(-1, 4, 6)
    rows = (2 * e.triangles[:, :, None] + np.arange(2)).reshape(-1, 6)
    g = np.zeros(2 * len(x))
    np.add.at(g, rows, e.weight[:, None] * np.einsum("ta,tab->tb", by_j, chain))
    local = e.weight[:, None, None] * (chain.transpose(0, 2, 1) @ hess @ chain)
    size = 2 * len(x)
    h = coo_array(
        (local.ravel(), (np.repeat(rows, 6, axis=1).ravel(), np.tile(rows, (1, 6)).ravel())), shape=(size, size)
    )
    return g, csc_array(h)


def longest_step(triangles: np.ndarray, x: np.ndarray, d: np.ndarray) -> float:
    """The largest t so that no triangle of x + s d, 0 <= s < t, has lost its area."""
    a, b = x[triangles], d[triangles]
    u, v, du, dv = a[:, 1] - a[:, 0], a[:, 2] - a[:, 0], b[:, 1] - b[:, 0], b[:, 2] - b[:, 0]
    c0 = u[:, 0] * v[:, 1] - u[:, 1] * v[:, 0]
    c1 = u[:, 0] * dv[:, 1] - u[:, 1] * dv[:, 0] + du[:, 0] * v[:, 1] - du[:, 1] * v[:, 0]
    c2 = du[:, 0] * dv[:, 1] - du[:, 1] * dv[:, 0]
    # smallest positive root of c2 t^2 + c1 t + c0, in the form that is stable for small c2
    disc = c1**2 - 4 * c2 * c0
    root = np.full(len(c0), np.inf)
    real = disc >= 0
    s = np.sqrt(np.maximum(disc, 0))
    for sign in (1, -1):
        below = -c1 + sign * s
        with np.errstate(divide="ignore", invalid="ignore"):
            t = 2 * c0 / below
        good = real & np.isfinite(t) & (t > 0)
        root[good] = np.minimum(root[good], t[good])
    return float(root.min())


@dataclass(frozen=True)
class Pull:
    """Quadratic wishes: weight * (normal . (x[vertex] - point))^2."""

    vertex: np.ndarray
    point: np.ndarray
    normal: np.ndarray
    weight: np.ndarray

    def residual(self, x: np.ndarray) -> np.ndarray:
        return ((x[self.vertex] - self.point) * self.normal).sum(axis=1)

    def energy(self, x: np.ndarray) -> float:
        return float((self.weight * self.residual(x) ** 2).sum())

    def derivatives(self, x: np.ndarray) -> tuple[np.ndarray, csc_array]:
        rows = np.arange(len(self.vertex))
        a = csc_array(
            coo_array(
                (
                    self.normal.ravel(),
                    (np.repeat(rows, 2), (2 * self.vertex[:, None] + np.arange(2)).ravel()),
                ),
                shape=(len(rows), 2 * len(x)),
            )
        )
        return 2 * (a.T @ (self.weight * self.residual(x))), csc_array(2 * (a.T @ diags_array(self.weight) @ a))


def newton_step(
    x: np.ndarray, elements: list[Elements], pull: Pull | None, free: np.ndarray
) -> tuple[np.ndarray, float]:
    """One guarded step for the free coordinates ((2 N,) bool). Returns (positions, relative decrease)."""
    g, h = np.zeros(x.size), None
    parts = [derivatives(e, x) for e in elements] + ([pull.derivatives(x)] if pull is not None else [])
    for gi, hi in parts:
        g = g + gi
        h = hi if h is None else h + hi
    index = np.flatnonzero(free)
    inner = csc_array(h)[index][:, index]
    ridge = 1e-9 * inner.diagonal().mean()
    d = np.zeros(x.size)
    d[index] = -spsolve(csc_array(inner + ridge * diags_array(np.ones(len(index)))), g[index])
    slope = float(g @ d)

    def total(y: np.ndarray) -> float:
        return sum(energy(e, y) for e in elements) + (pull.energy(y) if pull is not None else 0.0)

    step = d.reshape(-1, 2)
    t = min(1.0, 0.9 * min(longest_step(e.triangles, x, step) for e in elements))
    start = total(x)
    for _ in range(40):
        y = x + t * step
        now = total(y)
        if now <= start + 1e-4 * t * slope:
            return y, (start - now) / max(abs(start), 1e-12)
        t /= 2
    return x, 0.0


def tutte(triangles: np.ndarray, count: int, fixed: np.ndarray, position: np.ndarray) -> np.ndarray:
    """(count, 2): every free vertex in the middle of its neighbours (Tutte 1963); `position` (len(fixed), 2)."""
    ends = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    a = coo_array((np.ones(2 * len(ends)), (ends.ravel(), ends[:, ::-1].ravel())), shape=(count, count)).tocsc()
    a.data[:] = 1.0
    x = np.zeros((count, 2))
    x[fixed] = position
    free = np.setdiff1d(np.unique(triangles), fixed)
    laplacian = csc_array(diags_array(a.sum(axis=1)) - a)
    x[free] = spsolve(laplacian[free][:, free], (-laplacian[free][:, fixed] @ position))
    return x
