"""Identity statistics: random people from MPFB's macro and detail targets, then principal components.

The ranges below are chosen by eye (no monsters, visible variety), not learned.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from training.head.mpfb import Body

ANCESTRIES = ("african", "asian", "caucasian")
SEXES = ("female", "male")
AGES = ("young", "old")
DETAIL_FOLDERS = ("head", "forehead", "eyebrows", "eyes", "nose", "mouth", "ears", "chin", "cheek", "neck", "asym")
OPPOSITES = (
    ("decr", "incr"), ("down", "up"), ("backward", "forward"), ("in", "out"), ("concave", "convex"),
    ("compress", "uncompress"), ("small", "big"),
)  # fmt: skip
ONE_SIDED_SPREAD = {"head": 0.3, "ears": 0.2}
UNUSED = (
    "head-age",
    "head-trans",
    "neck-trans",
    "ear-shape-pointed",
    "ear-shape-triangle",
    "head-back-scale",
    "measure-neck-height",
    "neck-scale-vert",
)
"""Ageing is the macro targets' business; moving head or neck is pose, not shape."""


@dataclass(frozen=True)
class Slider:
    """One signed control: `high` added for positive values, `low` for negative ones (scaled by |value|)."""

    name: str
    side: str
    """`l`, `r` or ``."""
    low: np.ndarray | None
    high: np.ndarray
    spread: float


def read_sliders(body: Body, rows: np.ndarray) -> list[Slider]:
    """All detail controls, displacements (len(rows), 3) mm restricted to `rows` of the body."""
    out = []
    for folder in DETAIL_FOLDERS:
        paths = {p.name.removesuffix(".target.gz"): p for p in sorted((body.targets / folder).glob("*.target.gz"))}
        paths = {k: p for k, p in paths.items() if not any(u in k for u in UNUSED)}
        while paths:
            name = next(iter(paths))
            path = paths.pop(name)
            partner = _partner(name, paths, folder)
            other = paths.pop(partner) if partner else None
            side = name[0] if name[:2] in ("l-", "r-") else ""
            spread = 0.26 if other is not None else ONE_SIDED_SPREAD.get(folder, 0.25)
            if folder == "asym":
                spread = 0.15
            high, low = (body.target(path)[rows], None if other is None else body.target(other)[rows])
            out.append(Slider(name, side, low, high, spread))
    return out


def _partner(name: str, names: dict[str, Path], folder: str) -> str | None:
    if folder == "asym":
        other = name[:-1] + ("r" if name.endswith("l") else "l")
        return other if other in names else None
    for low, high in OPPOSITES:
        for a, b in ((low, high), (high, low)):
            if name.endswith("-" + a) and name[: -len(a)] + b in names:
                return name[: -len(a)] + b
    return None


def read_macros(body: Body, rows: np.ndarray) -> dict[str, np.ndarray]:
    folder = body.targets / "macrodetails"
    return {p.name.removesuffix(".target.gz"): body.target(p)[rows] for p in sorted(folder.glob("*.target.gz"))}


def macro_displacement(macros: dict[str, np.ndarray], rng: np.random.Generator | None) -> np.ndarray:
    """A random adult (or, without `rng`, the average of ancestries, sexes and ages)."""
    if rng is None:
        ancestry, male, old, fat, muscle = np.full(3, 1 / 3), 0.5, 0.35, 0.5, 0.5
    else:
        ancestry = rng.dirichlet(np.full(3, 0.6))
        male = rng.beta(0.5, 0.5)
        old = rng.beta(0.9, 1.5)
        fat = np.clip(rng.normal(0.5, 0.22), 0, 1)
        muscle = np.clip(rng.normal(0.5, 0.2), 0, 1)
    sex = {"female": 1 - male, "male": male}
    age = {"young": 1 - old, "old": old}

    def three(x: float, name: str) -> dict[str, float]:
        return {
            f"min{name}": max(0.0, 1 - 2 * x),
            f"average{name}": 1 - abs(2 * x - 1),
            f"max{name}": max(0.0, 2 * x - 1),
        }

    total = np.zeros_like(next(iter(macros.values())))
    for s in SEXES:
        for a in AGES:
            for k, w in zip(ANCESTRIES, ancestry, strict=True):
                total += w * sex[s] * age[a] * macros[f"{k}-{s}-{a}"]
            for m, wm in three(muscle, "muscle").items():
                for f, wf in three(fat, "weight").items():
                    target = macros.get(f"universal-{s}-{a}-{m}-{f}")
                    if target is not None and wm * wf > 0:
                        total += sex[s] * age[a] * wm * wf * target
    return total


def sample_people(
    sliders: list[Slider], macros: dict[str, np.ndarray], count: int, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """The average displacement (C, 3) and `count` random ones (count, C, 3), millimetres."""
    rng = np.random.default_rng(seed)
    average = macro_displacement(macros, None)
    people = np.empty((count, *average.shape), dtype=np.float32)
    for i in range(count):
        d = macro_displacement(macros, rng)
        shared: dict[str, float] = {}
        for s in sliders:
            if s.side:  # left and right of one control go together, but not quite
                common = shared.setdefault(s.name[2:], rng.normal())
                value = s.spread * (0.97 * common + 0.24 * rng.normal())
            else:
                value = s.spread * rng.normal()
            value = float(np.clip(value, -1, 1))
            direction = s.high if value > 0 or s.low is None else s.low
            d = d + abs(value) * direction
        people[i] = d
    return average, people


def principal_components(
    samples: np.ndarray, weight: np.ndarray, count: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted PCA of (N, C, 3): mean (C, 3), components (count, C, 3) scaled to one standard deviation, variances."""
    mean = samples.mean(axis=0)
    centred = (samples - mean).reshape(len(samples), -1)
    root = np.repeat(np.sqrt(weight), 3)
    u, s, _ = np.linalg.svd((centred * root) @ (centred * root).T / len(samples))
    # the Gram matrix's eigenvectors give each component as a mix of samples, so weights never divide
    mix = u[:, :count] / np.sqrt(len(samples))
    components = np.einsum("nk,nd->kd", mix, centred)
    return mean, components.reshape(count, *mean.shape).astype(np.float32), s
