"""Eyes and lids, teeth and lips of a finished head made to meet: in every unit, in common pairs, for many people.

    python -m training.head.resolve_intersections head.npz --out head.npz

What `eyelids.py` and `lips.py` do for the mean head at rest and in each unit, is not enough for others: eyes of another
size, lids that slide along a sphere while units are straight, two units at once. Here a head that is written already
is patched, so that its calibration stays valid: the skin that is seen at rest hardly moves.

1. The arches come forward to right behind the lips, whose lining makes room (it is not seen).
2. Lips meet at rest in every person: what a component parts them by is taken out of it.
3. Smooth fields on skin and lining, for rest and for every unit, move what cuts into an eyeball or a tooth out of it,
   and the folds behind the lids into the eyeball. They are asked for by the worst of a number of people and pairs.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np

from training.head.clearance import Field, Lids, Lips, persons
from training.head.close_mouth import arches_follow, lips_meet, slim_gums, slit_shut, teeth_forward
from training.head.intersections import PAIRS
from training.head.scipy_sparse import csr
from training.head.surface_patch import FLIP
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel

PASSES = ((24, 1000), (72, 2000), (72, 3000))
"""Numbers of people who ask, one pass after the other, and their seeds; others than those of `intersections.py`."""
ROUNDS = 6


def mirrored_unit(unit: str) -> str:
    return unit.replace("Left", "\0").replace("Right", "Left").replace("\0", "Right")


def solve_fields(
    what: Lids | Lips,
    states: list[tuple[str, ...]],
    group: list[np.ndarray],
    rounds: int,
    base: np.ndarray,
    field: Field,
    price: float = 1.0,
) -> dict[str, np.ndarray]:
    """By unit ("" is rest) the field (n, 3) that the states ask for, beside the displacement `base` (C, 3)."""
    units = what.model.expression
    names = sorted({u for s in states for u in s}) or [""]
    count = len(what.weight)
    asked = {u: np.zeros((count, 3)) for u in names}
    fields = {u: np.zeros((len(field.rows), 3)) for u in names}
    idle = [np.abs(what.lack(a, (), base).amount) if states != [()] else np.zeros(count) for a in group]
    fine: set[tuple[str, ...]] = set()
    for turn in range(rounds):
        need = {u: np.zeros((count, 3)) for u in names}
        worst, where = 0.0, "none"
        # States that were fine are looked at again half way only.
        fine = set() if turn == rounds // 2 else fine
        for state in [s for s in states if s not in fine]:
            moved = base.copy()
            for u in state:
                moved += units[ARKIT_UNITS.index(u)]
            for u in state or ("",):
                moved[field.rows] += fields[u]
            most = 0.0
            for a, before in zip(group, idle, strict=True):
                lack = what.lack(a, state, moved)
                # What is wrong at rest already is not the units' to mend.
                extra = np.clip(np.abs(lack.amount) - before, 0, None) / max(len(state), 1)
                most = max(most, float(extra.max()))
                push = (np.sign(lack.amount) * extra)[:, None] * lack.way
                for u in state or ("",):
                    greater = extra > np.linalg.norm(need[u], axis=1)
                    need[u][greater] = push[greater]
            if most > worst:
                worst, where = most, "+".join(state) or "rest"
            if most == 0:
                fine.add(state)
        print(f"  round {turn + 1}: worst lack {worst:.2f} mm in {where}, {len(states) - len(fine)} states", flush=True)
        if what.twin is not None:
            need = {u: _greater(need[u], need.get(mirrored_unit(u), need[u])[what.twin] * FLIP) for u in names}
        for u in names:
            asked[u] += what.haste * need[u]
            held = np.linalg.norm(asked[u], axis=1) > 1e-6
            if held.any():
                fields[u] = field.solve(asked[u], what.weight * held, price)
    return fields


def _greater(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.where((np.linalg.norm(a, axis=1) >= np.linalg.norm(b, axis=1))[:, None], a, b)


LEAST = 0.01
"""mm: less is not written."""


def patched(model: HeadModel, rows: np.ndarray, rest: np.ndarray, fields: dict[str, np.ndarray]) -> HeadModel:
    mean, expression = model.mean.astype(float), model.expression.astype(float)
    mean[rows] += rest
    for unit, field in fields.items():
        expression[ARKIT_UNITS.index(unit), rows] += np.where(np.abs(field) < LEAST, 0, field)
    return replace(model, mean=mean.astype(np.float32), expression=expression.astype(np.float32))


def concerned(model: HeadModel, rows: np.ndarray) -> list[str]:
    """Units that move some of the control vertices `rows`."""
    return [u for i, u in enumerate(ARKIT_UNITS) if np.abs(model.expression[i, rows]).max() > 0.02]


def combined(units: list[str]) -> list[tuple[str, ...]]:
    """Each unit alone, then what of the common pairs concerns them."""
    both = [*PAIRS, *(tuple(mirrored_unit(u) for u in pair) for pair in PAIRS)]
    pairs = dict.fromkeys(tuple(u for u in pair if u in units) for pair in both)
    return [(u,) for u in units] + [p for p in pairs if len(p) > 1]


HOLD = np.array([0.05, 0.05, 0.01, 0.3])
"""How firmly an eyeball keeps its place (x, y, z) and size in a component, against following the lids."""
LID_EDGE = 4
"""Rings of level 1 from the fold that an eyeball follows."""
NEAR = 1.5
"""mm: so near to the eyeball the lids keep their distance in every component."""


def seat_components(model: HeadModel) -> HeadModel:
    """In each component the eyeballs follow the lids' edges, and the lids take up the rest.

    `eyelids.seat` did this before the components were written in the span of smooth fields, which left 0.25 mm of
    standard deviation between edge and eyeball.
    """
    lids = Lids(model)
    distance, ray = lids.at_rest()
    edge = (lids.away <= LID_EDGE) & ~lids.fold
    near = lids.fold | (distance < NEAR)
    basis = np.c_[ray, np.ones(len(ray))][edge]
    system = np.concatenate([basis, np.diag(HOLD) * np.sqrt(len(basis))])
    local = lids.local / lids.eye.radius
    identity = model.identity.astype(float)
    rows, other = lids.field.rows, model.mirror[lids.field.rows]
    ball, other_ball = lids.ball, model.mirror[lids.ball]
    for side, flip in ((0, np.ones(3)), (1, FLIP)):
        here, eye = (rows, ball) if side == 0 else (other, other_ball)
        for mode in identity:
            left = np.zeros_like(mode)
            left[rows], left[ball] = mode[here] * flip, mode[eye] * flip
            size = float((left[ball] * local).sum() / (local**2).sum())
            shift = (left[ball] - size * local).mean(axis=0)
            moved = (ray * (lids.average @ left)).sum(axis=1)
            slack = moved[edge] - basis @ np.append(shift, size)
            x = np.linalg.lstsq(system, np.append(slack, np.zeros(4)), rcond=None)[0] + np.append(shift, size)
            mode[eye] = (x[:3] + x[3] * local) * flip
            lack = (np.c_[ray, np.ones(len(ray))] @ x - moved)[:, None] * ray
            mode[here] += lids.field.solve(lack, near * lids.weight) * flip
    return replace(model, identity=identity.astype(np.float32))


def seat_lids(model: HeadModel, count: int, seed: int, rounds: int = ROUNDS) -> HeadModel:
    """Fields that keep the left eye's lids on it for many people; the right eye's mirror them."""
    lids = Lids(model)
    rows, group = lids.field.rows, persons(model, count, seed)
    units = [u for u in concerned(model, rows) if not u.endswith("Right")]
    zero = np.zeros((len(model.mean), 3))
    rest = solve_fields(lids, [()], group, rounds, zero, lids.field, 3.0)[""]
    zero[rows] = rest
    fields = solve_fields(lids, combined(units), group, rounds, zero, lids.field)
    right = {mirrored_unit(u): f * FLIP for u, f in fields.items()}
    return patched(patched(model, rows, rest, fields), model.mirror[rows], rest * FLIP, right)


def clear_teeth(model: HeadModel, count: int, seed: int, rounds: int = ROUNDS) -> HeadModel:
    """Fields that keep lips and their lining off the teeth and gums for many people."""
    lips = Lips(model)
    rows, group = lips.field.rows, persons(model, count, seed)[::2]
    lower = model.vertices_of("teeth_lower")
    units = concerned(model, np.concatenate([rows, lower]))
    zero = np.zeros((len(model.mean), 3))
    rest = solve_fields(lips, [()], group, rounds, zero, lips.still)[""]
    zero[rows] = rest
    return patched(model, rows, rest, solve_fields(lips, combined(units), group, rounds, zero, lips.field))


STEP = 1 / 256
"""mm to which the components are rounded on what is hidden or small; random digits would fill the file."""


def symmetric(model: HeadModel) -> HeadModel:
    """The mean head and the units of both sides made exact mirror images; people who ask are not quite."""
    partner = [ARKIT_UNITS.index(mirrored_unit(u)) for u in ARKIT_UNITS]
    units = (model.expression + model.expression[partner][:, model.mirror] * FLIP) / 2
    mean = (model.mean + model.mean[model.mirror] * FLIP) / 2
    return replace(model, mean=mean.astype(np.float32), expression=units.astype(np.float32))


def rounded(model: HeadModel) -> HeadModel:
    identity = model.identity.copy()
    hidden = np.setdiff1d(np.arange(len(model.mean)), model.vertices_of("skin"))
    identity[:, hidden] = np.round(identity[:, hidden] / STEP) * STEP
    return replace(model, identity=identity)


def resolved(old: HeadModel) -> HeadModel:
    """All of it; for a head that was not patched before."""
    model, apart = slit_shut(slim_gums(teeth_forward(old)))
    model, parted = lips_meet(model)
    print(f"the lips' inner edges were {apart:.2f} mm apart at rest")
    model, before, after = arches_follow(model)
    print(f"lining against arches: {before:.2f} mm, now {after:.2f} (standard deviations)")
    print(f"components parted the lips by {parted:.2f} mm (standard deviation)")
    model = seat_components(model)
    for count, seed in PASSES:
        model = one_pass(model, count, seed)
    return rounded(model)


def one_pass(model: HeadModel, count: int, seed: int) -> HeadModel:
    """One pass for `count` people, and for either end of the first components."""
    print(f"lips and teeth, {count} people", flush=True)
    model = clear_teeth(model, count, seed)
    print("lids and eyes")
    return symmetric(seat_lids(model, count, seed))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("head", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    old = HeadModel.load(options.head)
    model = resolved(old)
    model.save(options.out)
    level = old.level(1)
    skin = level.triangles[level.triangle_part == 0]
    v = level.apply(old.mean)[skin]
    area = np.linalg.norm(np.cross(v[:, 1] - v[:, 0], v[:, 2] - v[:, 0]), axis=1)
    inner = old.inner_face[np.asarray(csr(level.matrix).argmax(axis=1)).ravel()[skin]].all(axis=1)
    for name, move in (
        ("mean head", (model.mean - old.mean)[None]),
        ("random person", model.identity - old.identity),
    ):
        each = np.sqrt((level.apply(move) ** 2).sum(axis=(0, 2)))  # RMS over people for the components
        points = np.sqrt((level.points478(level.apply(move)) ** 2).sum(axis=(0, 2)))
        face = np.average(each[skin].mean(axis=1)[inner], weights=area[inner])
        print(f"{name}: inner face moved by {face:.3f} mm on average, its 478 points by {points.mean():.3f}")
    print(f"{options.out}: {options.out.stat().st_size} bytes, it was {options.head.stat().st_size}")


if __name__ == "__main__":
    main()
