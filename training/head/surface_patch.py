"""A piece of modelled surface with its own UV chart: what eyes, teeth and tongue are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from training.head.scipy_sparse import csr
from tronie.head.subdivide import catmull_clark

FLIP = np.array([-1.0, 1.0, 1.0])
"""Mirror at the plane x = 0."""


@dataclass(frozen=True)
class Patch:
    vertices: np.ndarray
    """(P, 3) mm."""
    quads: np.ndarray
    """(F, 4), -1 in the last place for a triangle; counter-clockwise from outside."""
    material: np.ndarray
    """(F,) names."""
    chart: np.ndarray
    """(F,) chart numbers from 0."""
    corner_uv: np.ndarray
    """(U, 2) mm in the chart, v down."""
    quad_uv: np.ndarray
    """(F, 4) rows of `corner_uv`."""
    colour: np.ndarray
    """(U, 3) uint8 RGB."""
    mirror: np.ndarray
    """(P,)."""

    def reflected(self) -> Patch:
        """The same on the other side, in its own charts."""
        return replace(
            self,
            vertices=self.vertices * FLIP,
            quads=turned(self.quads),
            quad_uv=turned(self.quad_uv),
            corner_uv=self.corner_uv * [-1, 1],
        )


def turned(quads: np.ndarray) -> np.ndarray:
    """Faces with the opposite winding."""
    triangle = quads[:, 3] < 0
    return np.where(triangle[:, None], quads[:, [0, 2, 1, 3]], quads[:, [0, 3, 2, 1]])


def shifted(index: np.ndarray, by: int) -> np.ndarray:
    return np.where(index < 0, index, index + by)


def joined(patches: Sequence[Patch], *, own_charts: bool = True) -> Patch:
    """One patch of several; with `own_charts` their charts stay apart, else equal numbers are one chart."""
    at = np.cumsum([0] + [len(p.vertices) for p in patches])
    uv_at = np.cumsum([0] + [len(p.corner_uv) for p in patches])
    chart_at = np.cumsum([0] + [int(p.chart.max()) + 1 if own_charts else 0 for p in patches])
    return Patch(
        vertices=np.concatenate([p.vertices for p in patches]),
        quads=np.concatenate([shifted(p.quads, n) for p, n in zip(patches, at, strict=False)]),
        material=np.concatenate([p.material for p in patches]),
        chart=np.concatenate([p.chart + n for p, n in zip(patches, chart_at, strict=False)]),
        corner_uv=np.concatenate([p.corner_uv for p in patches]),
        quad_uv=np.concatenate([shifted(p.quad_uv, n) for p, n in zip(patches, uv_at, strict=False)]),
        colour=np.concatenate([p.colour for p in patches]),
        mirror=np.concatenate([p.mirror + n for p, n in zip(patches, at, strict=False)]),
    )


def pair(left: Patch, *, own_charts: bool = False) -> Patch:
    """A patch of the left side together with its mirror image."""
    both = joined([left, left.reflected()], own_charts=own_charts)
    n = len(left.vertices)
    return replace(both, mirror=np.concatenate([np.arange(n) + n, np.arange(n)]))


def outward(patch: Patch) -> Patch:
    """The patch with the winding that makes its enclosed volume positive."""
    v, q = patch.vertices - patch.vertices.mean(axis=0), patch.quads
    volume = np.einsum("fc,fc->", v[q[:, 0]], np.cross(v[q[:, 1]], v[q[:, 2]]))
    quad = q[:, 3] >= 0
    volume += np.einsum("fc,fc->", v[q[quad, 0]], np.cross(v[q[quad, 2]], v[q[quad, 3]]))
    return patch if volume > 0 else replace(patch, quads=turned(q), quad_uv=turned(patch.quad_uv))


def interpolating(target: np.ndarray, quads: np.ndarray, steps: int = 3, strength: float = 1.0) -> np.ndarray:
    """Control vertices whose places after one Catmull-Clark step come near `target`."""
    step, _ = catmull_clark(quads.astype(np.int32), len(target))
    own = csr(step)[: len(target)]
    x = target.copy()
    for _ in range(steps):
        x += strength * (target - own @ x)
    return x


def ring_grid(rings: int, around: int, first: int = 0, closed: bool = True) -> np.ndarray:
    """Quads between consecutive rings of `around` vertices numbered ring by ring."""
    r, a = np.meshgrid(np.arange(rings - 1), np.arange(around if closed else around - 1), indexing="ij")
    r, a = r.ravel(), a.ravel()
    b = (a + 1) % around
    return first + np.stack([r * around + a, r * around + b, (r + 1) * around + b, (r + 1) * around + a], axis=1)
