"""Lips that meet at rest, lids that meet in a blink: what of an open mouth and of wide eyes got into the shape of the
person goes back to the expression.

Identity and residual warp meet the landmarks together with the expression, and of a smile some tenths of a millimetre
stay with them: enough for a row of teeth between the lips of the head at rest. Of eyes that are wide open in most of a
clip some millimetres do, more than a blink has in it. So the head at rest goes without a little of the units that open
lips and lids, and the expression gets it: the head as the photo shows it stays the same to the last digit.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from tronie.arrays import Array
from tronie.head.lids import Lids, lids_of
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
"""How much one unit is expected to give, and how well they are to meet."""
BLINK, WIDEN = "eyeBlink", "eyeWide"
CORNER, LIDS_MM = 1, 0.2
"""Columns at the corners of an eye that do not count, and how much less than the mean head's the lids of others may
overlap in a blink."""


@dataclass(frozen=True, eq=False)
class Contact:
    """Where two edges of a model meet: its lips at rest, or the lids of an eye in a blink."""

    upper: Ints
    """(n,) control vertices at the lower edge of what is above, and"""
    lower: Ints
    """(n,) opposite of them at the upper edge of what is below."""
    gap: Array
    """(n,) mm from lower to upper where the mean head's meet: less than 0 where they overlap."""
    touch: Array
    """(n,) mm more are let pass."""
    met: Array
    """(n,) mm by which they come nearer on the way from rest to where they meet."""
    opens: Array
    """(n, units) mm by which units part them."""
    rows: Ints
    """(units,) of those among the model's expressions."""

    def parted(self, control: Array) -> Array:
        """(n,) mm by which they are too far apart on a head with control vertices (C, 3) at rest."""
        apart = control[self.upper, 1] - control[self.lower, 1]
        return np.asarray(apart - self.met - self.gap - self.touch, dtype=np.float64)

    def excess(self, control: Array, most: Array) -> Array | None:
        """(units,) weights that a head at rest has to go without for them to meet, each at most as `most` (units,)
        says; None where they do."""
        parted = self.parted(control)
        if parted.max() <= SURE_MM:
            return None
        price = (np.abs(self.opens).max(axis=0) / USUAL_MM) ** 2

        def cost(x: Array) -> float:
            left = np.maximum(parted - self.opens @ x, 0) / SURE_MM
            return float(0.5 * (left @ left + price @ x**2))

        def normal(x: Array) -> Normal:
            left = np.maximum(parted - self.opens @ x, 0) / SURE_MM
            slope = -self.opens[left > 0] / SURE_MM
            return cost(x), slope.T @ left[left > 0] + price * x, slope.T @ slope + np.diag(price)

        start = np.zeros(len(self.rows))
        return levenberg_marquardt(normal, cost, start, start, np.clip(most, 0, 1)).x


@lru_cache(maxsize=4)
def lip_contact(model: HeadModel) -> Contact | None:
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
    gap = mean[upper] - mean[lower]
    touch = np.minimum(TOUCH_MM, LESS * np.abs(gap))
    return Contact(upper, lower, gap, touch, np.zeros(len(gap)), (units[:, upper] - units[:, lower]).T, rows)


@lru_cache(maxsize=4)
def lid_contacts(model: HeadModel) -> tuple[Contact, ...]:
    """Of both eyes; none of a model without lids or without units that open them wide."""
    both, names = lids_of(model), model.expression_names
    if both is None or not {lids.unit.replace(BLINK, WIDEN) for lids in both} <= set(names):
        return ()
    return tuple(_lid_contact(model, lids) for lids in both)


def _lid_contact(model: HeadModel, lids: Lids) -> Contact:
    names, edge = model.expression_names, lids.rings[lids.root]
    row, blink = names.index(lids.unit.replace(BLINK, WIDEN)), model.expression[names.index(lids.unit)]
    upper, lower = edge[lids.upper][CORNER:-CORNER], edge[lids.lower]
    across = (model.mean + blink)[:, 0]
    lower = lower[np.abs(across[upper][:, None] - across[lower]).argmin(axis=1)]
    rest, shut, wide = (
        shape[upper, 1].astype(np.float64) - shape[lower, 1] for shape in (model.mean, blink, model.expression[row])
    )
    touch = np.full(len(rest), LIDS_MM)
    return Contact(upper, lower, rest + shut, touch, -shut, wide[:, None], np.array([row], np.int32))


def parting(model: HeadModel, control: Array, most: Array) -> Array | None:
    """(U,) weights of the model's units that a head at rest, control vertices (C, 3), has to go without for its lips to
    meet, and its lids in a blink, each at most as `most` (U,) says; None where they do, or where the model's cannot."""
    lips = lip_contact(model)
    out, found = np.zeros(len(model.expression)), False
    for contact in (*(() if lips is None else (lips,)), *lid_contacts(model)):
        excess = contact.excess(control, most[contact.rows])
        if excess is not None:
            out[contact.rows], found = excess, True
    return out if found else None


def closed(model: HeadModel, fit: Fit, taken: Array | None = None) -> Fit:
    """The fit whose head at rest goes without `taken` (U,), which its expression has instead; by default what its own
    lips and lids need to meet."""
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
