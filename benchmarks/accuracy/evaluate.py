"""Judge a fit on cached renders: millimetres, pose, expression, steadiness, stated uncertainty, size, time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import lru_cache
from multiprocessing import get_context

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.heads import face_triangles, inner_rows
from benchmarks.accuracy.metric import Comparison, Similarity3, Surface, compare, gaps, icp
from benchmarks.accuracy.metric import distances as distances_to
from benchmarks.accuracy.personal import Fields, by_region
from benchmarks.accuracy.regions import layouts, places
from benchmarks.accuracy.spread import auc, mean_of, within_between
from benchmarks.accuracy.synthetic import Render, Renders
from benchmarks.accuracy.truth import Truth
from tronie.geometry import euler_degrees
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.runtime.threads import single_blas_thread
from tronie.stages.fit.map_fit import head_shapes
from tronie.types import Fit

Array = NDArray[np.floating]
FitFunction = Callable[[Render], Fit]


@dataclass(frozen=True, eq=False)
class Score:
    """One render."""

    error: float
    """mm, true inner face at rest to predicted surface; similarity alignment."""
    whole: float
    """The same with the vertices that do not count: nostrils, lining of lips and lids, below the chin."""
    rigid: float
    """The same without scale: the size has to be right too."""
    scale: float
    """Predicted size / true size."""
    angles: tuple[float, float, float]
    """Yaw, pitch, roll predicted less true, degrees."""
    geodesic: float
    """Angle between predicted and true rotation, degrees."""
    identity: Array
    """(K,)."""
    face: Array
    """(n, 3) mm: the predicted inner face at rest, in its own head space."""
    expression: Array
    """(52,)."""
    covered: float
    """Share of predicted inner-face vertices whose distance to the true surface is within the stated sigma, after an
    alignment without scale; nan where nothing is stated."""
    covered_scaled: float
    """The same after an alignment with scale."""
    stated: Mapping[str, float]
    """Errors in units of the stated sigma, by name (`yaw`, ...)."""
    seconds: float
    gaps: Array
    """(n,) float32 mm, how far each true point lies outside the predicted surface."""


@dataclass(frozen=True, eq=False)
class Scores:
    name: str
    renders: Renders
    items: tuple[Render, ...]
    """The photos that were judged: `renders.items`, or the first of them."""
    rows: tuple[Score, ...]
    """One for each of `items`."""

    def only(self, mask: NDArray[np.bool_]) -> Scores:
        """Of some photos."""
        kept = np.flatnonzero(mask)
        return replace(self, items=tuple(self.items[k] for k in kept), rows=tuple(self.rows[k] for k in kept))

    def column(self, name: str) -> Array:
        return np.array([getattr(row, name) for row in self.rows], dtype=np.float64)

    @property
    def error(self) -> float:
        return float(self.column("error").mean())

    def fields(self, base: Scores) -> Fields:
        """`base` are the mean head's, on these photos or more."""
        model = subject.model()
        of = [layouts(self.renders)[r.person] for r in self.items]
        gaps = [row.gaps for row in self.rows]
        before = [row.gaps for row in base.rows[: len(gaps)]]
        return Fields.of(before, gaps, of, np.array([r.person for r in self.items]), places(model))

    def by_region(self) -> dict[str, float]:
        """mm."""
        of = [layouts(self.renders)[r.person].region for r in self.items]
        counted = [self.renders.truths[r.person].counted for r in self.items]
        return by_region([row.gaps for row in self.rows], of, counted)

    def yaw(self) -> Array:
        return np.array([abs(r.angles[0]) for r in self.items])

    def expression_correlation(self) -> dict[str, float]:
        """Pearson's r by unit, where the truth varies."""
        truth = np.array([r.expression for r in self.items])
        said = np.array([row.expression for row in self.rows])
        out = {}
        for k, name in enumerate(ARKIT_UNITS):
            if (truth[:, k] > 0.05).sum() >= 3:
                steady = said[:, k].std() < 1e-6
                out[name] = 0.0 if steady else float(np.corrcoef(truth[:, k], said[:, k])[0, 1])
        return out

    def visible_correlation(self) -> float:
        by_unit = self.expression_correlation()
        names = [ARKIT_UNITS[k] for k in self.renders.visible_units]
        return float(np.mean([by_unit[n] for n in names if n in by_unit])) if by_unit else float("nan")

    def consistency(self) -> tuple[float, float, float]:
        """Spread within a person's photos / spread between persons: of coefficients, of inner-face vertices; and `auc`
        of the latter."""
        person = np.array([r.person for r in self.items])
        coefficients = np.array([row.identity for row in self.rows], dtype=np.float64)
        faces = np.array([row.face.ravel() for row in self.rows], dtype=np.float64)
        return within_between(coefficients, person), within_between(faces, person), auc(faces, person)

    def summary(self) -> dict[str, float]:
        """The figures of one row of the table; nan where a figure needs what is not there."""
        angles = np.array([row.angles for row in self.rows])
        near = np.array([abs(r.angles[0]) <= 40 for r in self.items])
        coefficients, vertices, alike = self.consistency()
        stated = {name for row in self.rows for name in row.stated}
        out = {
            "error": self.error,
            "median": float(np.median(self.column("error"))),
            "worst": float(self.column("error").max()),
            "rigid": float(self.column("rigid").mean()),
            "whole": float(self.column("whole").mean()),
            "yaw": float(np.abs(angles[near, 0]).mean()),
            "pitch": float(np.abs(angles[near, 1]).mean()),
            "roll": float(np.abs(angles[near, 2]).mean()),
            "geodesic": float(self.column("geodesic").mean()),
            "expression": self.visible_correlation(),
            "identity_spread": coefficients,
            "vertex_spread": vertices,
            "auc": alike,
            "scale": float(np.abs(self.column("scale") - 1).mean()),
            "scale_bias": float((self.column("scale") - 1).mean()),
            "covered68": mean_of(self.column("covered")),
            "covered68_scaled": mean_of(self.column("covered_scaled")),
            "milliseconds": float(np.median(self.column("seconds")) * 1000),
            "renders": float(len(self.rows)),
            "missed": float(len(self.renders.missed)),
        }
        for name in sorted(stated):
            values = np.array([row.stated[name] for row in self.rows if name in row.stated])
            out[f"covered68_{name}"] = float((np.abs(values) <= 1).mean())
        return out


@lru_cache(maxsize=2)
def _target(model: HeadModel) -> tuple[NDArray[np.int32], NDArray[np.intp]]:
    level = model.usual_level
    return face_triangles(model, level), inner_rows(model, level)


def neutral_of(model: HeadModel, fit: Fit) -> Array:
    """(V, 3) mm at the usual level: the fitted head at rest."""
    return model.level(model.usual_level).apply(head_shapes(model, fit)[1])


def expressed_of(model: HeadModel, fit: Fit) -> Array:
    """(V, 3) mm at the usual level: with the photo's expression."""
    return model.level(model.usual_level).apply(head_shapes(model, fit)[0])


def compare_neutral(model: HeadModel, neutral: Array, truth: Truth) -> tuple[Comparison, Comparison, Surface]:
    """A head at rest (V, 3 at the usual level) against a true face: with scale, without, and its surface.

    Against a scan it is the whole head, since people are scanned with their eyes shut: lids lie on the eyeballs then.
    """
    level = model.level(model.usual_level)
    surface = Surface.of(neutral, _target(model)[0] if truth.triangles is not None else level.triangles)
    start = level.points68(neutral)[list(truth.ibug)]
    points = truth.points[truth.counted]
    scaled = compare(points, surface, landmarks=start, true_landmarks=truth.marks)
    return scaled, rigidly(points, surface, scaled.motion), surface


def rigidly(truth: Array, surface: Surface, motion: Similarity3) -> Comparison:
    """From the alignment with scale to the one without, which lies near."""
    centre = truth.mean(axis=0)
    shift = centre - motion.rotation @ motion.undo(centre)
    start = Similarity3(1.0, motion.rotation, shift)
    rigid = icp(truth[:: max(len(truth) // 800, 1)], surface, start, scale=False, rounds=5)
    every = truth[::2]  # enough for a mean
    rigid = icp(every, surface, rigid, scale=False, rounds=1)
    return Comparison(distances_to(every, surface, rigid), rigid)


def frontal_offset(model: HeadModel, mean: Truth) -> Array:
    """(3, 3): our head's axes -> the source's, from the two mean heads laid onto each other."""
    scaled, _, _ = compare_neutral(model, model.level(model.usual_level).apply(model.mean), mean)
    return scaled.motion.rotation


def evaluate(
    fit: FitFunction, renders: Renders, *, name: str = "", workers: int = 1, limit: int | None = None
) -> Scores:
    """Fit every render (or the first `limit`) and judge it. With `workers` > 1 the fit must be picklable."""
    items = renders.items[:limit]
    offset = None if renders.mean is None else frontal_offset(subject.model(), renders.mean)
    fits, seconds = [], []
    with single_blas_thread():
        if items:
            fit(items[0])  # loads and caches
        for render in items:
            start = time.perf_counter()
            fits.append(fit(render))
            seconds.append(time.perf_counter() - start)
    jobs = [(f, s, r, renders.truths[r.person], offset) for f, s, r in zip(fits, seconds, items, strict=True)]
    if workers > 1:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            rows = list(pool.map(_judge, jobs, chunksize=8))
    else:
        with single_blas_thread():
            rows = [_judge(job) for job in jobs]
    return Scores(name, renders, items, tuple(rows))


def _judge(job: tuple[Fit, float, Render, Truth, Array | None]) -> Score:
    return judge(*job)


def judge(fit: Fit, seconds: float, render: Render, truth: Truth, offset: Array | None) -> Score:
    """`offset` as of `frontal_offset`; None: the axes are those of the fitted head where it lies on the true one."""
    model = subject.model()
    neutral = neutral_of(model, fit)
    scaled, rigid, surface = compare_neutral(model, neutral, truth)
    every = gaps(truth.points, surface, scaled.motion)
    turn = scaled.motion.rotation if offset is None else offset
    said, true = fit.head_to_camera[:3, :3] @ turn.T, render.head_to_camera[:3, :3]
    delta = np.array(euler_degrees(said)) - np.array(euler_degrees(true))
    delta = (delta + 180) % 360 - 180
    inner = _target(model)[1]
    scale = 1 / scaled.motion.scale
    return Score(
        scaled.mean,
        float(np.abs(every).mean()),
        rigid.mean,
        scale,
        (float(delta[0]), float(delta[1]), float(delta[2])),
        geodesic(said, true),
        fit.identity,
        neutral[inner[::4]],
        np.array([fit.expression.get(n, 0.0) for n in ARKIT_UNITS]),
        _coverage(fit, model, neutral[inner], truth, rigid.motion),
        _coverage(fit, model, neutral[inner], truth, scaled.motion),
        _stated(fit, delta, scale),
        seconds,
        every.astype(np.float32),
    )


def geodesic(a: Array, b: Array) -> float:
    """Degrees between rotations (3, 3)."""
    return float(np.degrees(np.arccos(np.clip((np.trace(a @ b.T) - 1) / 2, -1, 1))))


def _coverage(fit: Fit, model: HeadModel, inner: Array, truth: Truth, motion: Similarity3) -> float:
    """Share of predicted inner-face vertices (n, 3) closer to the true surface than the fit's own sigma there."""
    sigma = getattr(fit, "sigma_mm", None)
    if sigma is None or not len(sigma):
        return float("nan")
    at = model.level(model.usual_level).matrix @ np.asarray(sigma, np.float32)
    distance = truth.away(motion.apply(inner[::4]))
    known = np.isfinite(distance)
    return float((distance <= at[_target(model)[1][::4]])[known].mean())


def _stated(fit: Fit, delta: Array, scale: float) -> dict[str, float]:
    """Errors over what the fit states in its diagnostics as `yaw_sigma`, ..., `scale_sigma` (a share of the size)."""
    errors = {"yaw": delta[0], "pitch": delta[1], "roll": delta[2], "scale": scale - 1}
    out = {}
    for name, error in errors.items():
        sigma = fit.diagnostics.get(f"{name}_sigma")
        if sigma is not None and sigma > 0:
            out[name] = float(error / sigma)
    return out
