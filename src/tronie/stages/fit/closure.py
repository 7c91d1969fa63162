"""Lips that meet at rest: what of the photo's open mouth got into the shape of the person goes back to the expression.

Identity and residual warp meet the landmarks together with the expression, and of a smile some tenths of a millimetre
stay with them: enough for a row of teeth between the lips of the head at rest. So the head at rest goes without a
little of the units that open the lips, and the expression gets it: the head as the photo shows it stays the same to
the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.model import PARTS, HeadModel, Ints
from tronie.stages.fit.map_fit import head_shapes
from tronie.stages.fit.problem import Normal, levenberg_marquardt
from tronie.types import Fit

OPENERS = (
    "jawOpen", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthShrugUpper"
)  # fmt: skip
"""Units that part the lips, and that a head at rest can go without."""
UPPER, LOWER = (80, 81, 82, 13, 312, 311, 310), (88, 178, 87, 14, 317, 402, 318)
"""MediaPipe's landmarks along the inner edges of the lips, from the subject's right corner to the left."""
COLUMNS, WIDE = 11, 0.75
"""Places along the mouth where its lips are to meet, and how far out they reach, of the landmarks' half width."""
ASIDE_MM, ACROSS_MM, BEHIND_MM = 1.8, 3.5, 8.0
"""How near such a place a lip's vertex is looked for: to its sides, up and down, behind it."""
TOUCH_MM, LESS = 0.2, 0.3
"""How much less than the mean head's the lips of a closed mouth may overlap, by both; those do by 0.1 to 0.9 mm."""
USUAL_MM, SURE_MM = 2.0, 0.06
"""How much one unit is expected to give, and how well the lips are to meet."""


@dataclass(frozen=True, eq=False)
class LipContact:
    """Where a model's lips meet."""

    upper: Ints
    """(n,) control vertices at the lower edge of the upper lip, and"""
    lower: Ints
    """(n,) opposite of them at the upper edge of the lower lip."""
    gap: Array
    """(n,) mm from lower to upper on the mean head, where it is at rest: less than 0 where they overlap."""
    opens: Array
    """(n, units) mm by which OPENERS part them."""
    rows: Ints
    """(units,) of OPENERS among the model's expressions."""

    def parted(self, control: Array) -> Array:
        """(n,) mm by which the lips of control vertices (C, 3) are further apart than those of a closed mouth."""
        touch = np.minimum(TOUCH_MM, LESS * np.abs(self.gap))
        return np.asarray(control[self.upper, 1] - control[self.lower, 1] - self.gap - touch, dtype=np.float64)


@lru_cache(maxsize=4)
def lip_contact(model: HeadModel) -> LipContact | None:
    """None for a model without teeth, without these units, or whose lips are not found."""
    names = model.expression_names
    if not (model.part == PARTS.index("teeth_upper")).any() or not set(OPENERS) <= set(names):
        return None
    rows = np.array([names.index(name) for name in OPENERS], np.int32)
    mesh, jaw = model.level(model.usual_level), model.expression[rows[0]]
    marks, drops = mesh.points478(mesh.apply(model.mean)), -mesh.points478(mesh.apply(jaw))[:, 1]
    if len(marks) == 0:
        return None
    at, middle = (marks[list(UPPER)] + marks[list(LOWER)]) / 2, (drops[list(UPPER)] + drops[list(LOWER)]) / 2
    lips = np.zeros(len(model.mean), bool)
    lips[np.concatenate([model.vertices_of("skin"), model.vertices_of("mouth")])] = True
    lips[np.concatenate([model.vertices_of(part) for part in ("teeth_upper", "teeth_lower", "tongue")])] = False
    pairs: dict[tuple[int, int], None] = {}
    for x in np.linspace(-WIDE, WIDE, COLUMNS) * float(np.abs(marks[[78, 308], 0]).mean()):
        y, z, half_way = (float(np.interp(x, at[:, 0], values)) for values in (at[:, 1], at[:, 2], middle))
        off = np.abs(model.mean - [x, y, z])
        near = np.flatnonzero(
            lips & (off[:, 0] < ASIDE_MM) & (off[:, 1] < ACROSS_MM) & (model.mean[:, 2] > z - BEHIND_MM)
        )
        carried = -jaw[near, 1] > half_way  # by the jaw
        above, below = near[~carried], near[carried]
        if len(above) and len(below):
            pairs[int(above[model.mean[above, 1].argmin()]), int(below[model.mean[below, 1].argmax()])] = None
    if not pairs:
        return None
    upper, lower = np.array(list(pairs), np.int32).T
    units = model.expression[rows, :, 1].astype(np.float64)
    mean = model.mean[:, 1].astype(np.float64)
    return LipContact(upper, lower, mean[upper] - mean[lower], (units[:, upper] - units[:, lower]).T, rows)


def parting(model: HeadModel, control: Array, most: Array) -> Array | None:
    """(U,) weights of the model's units that a head at rest, control vertices (C, 3), has to go without for its lips to
    meet, each at most as `most` (U,) says; None where they do, or where the model's cannot."""
    lips = lip_contact(model)
    if lips is None:
        return None
    parted = lips.parted(control)
    if parted.max() <= SURE_MM:
        return None
    price = (np.abs(lips.opens).max(axis=0) / USUAL_MM) ** 2

    def cost(x: Array) -> float:
        left = np.maximum(parted - lips.opens @ x, 0) / SURE_MM
        return float(0.5 * (left @ left + price @ x**2))

    def normal(x: Array) -> Normal:
        left = np.maximum(parted - lips.opens @ x, 0) / SURE_MM
        slope = -lips.opens[left > 0] / SURE_MM
        return cost(x), slope.T @ left[left > 0] + price * x, slope.T @ slope + np.diag(price)

    start = np.zeros(len(lips.rows))
    out = np.zeros(len(model.expression))
    out[lips.rows] = levenberg_marquardt(normal, cost, start, start, np.clip(most[lips.rows], 0, 1)).x
    return out


def closed(model: HeadModel, fit: Fit, taken: Array | None = None) -> Fit:
    """The fit whose head at rest goes without `taken` (U,), which its expression has instead; by default what its own
    lips need to meet."""
    names = model.expression_names
    if not fit.expression:
        return fit
    weights = np.array([fit.expression.get(name, 0.0) for name in names])
    if taken is None:
        taken = parting(model, head_shapes(model, fit)[1], 1 - weights)
    if taken is None:
        return fit
    if fit.taken is not None:
        taken = taken + fit.taken
        weights = weights - fit.taken
    expression = dict(zip(names, np.clip(weights + taken, 0, 1).tolist(), strict=True))
    return replace(fit, expression=expression, taken=taken.astype(np.float32))
