"""How much several photos of one person help: error, stated spread and its honesty with 1, 2, ... photos.

python -m benchmarks.accuracy --ict ../shared/ict/ict_facekit.npz --people 30 --views 8
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.accuracy import subject
from benchmarks.accuracy.evaluate import frontal_offset, geodesic, judge
from benchmarks.accuracy.methods import camera_of
from benchmarks.accuracy.observe import Observation
from benchmarks.accuracy.spread import mean_of
from benchmarks.accuracy.synthetic import Render, Renders
from tronie.runtime.threads import single_blas_thread
from tronie.stages.fit.fusion import FaceView
from tronie.stages.fit.multiview import fit_views
from tronie.types import Fit

Array = NDArray[np.floating]

STEPS = (1, 2, 3, 4, 6, 8, 12, 16)


def looks_of(items: Sequence[Render]) -> list[FaceView]:
    model = subject.model()
    return [FaceView(r.landmarks, camera_of(model, r, None), r.detection.size) for r in items]


@dataclass(frozen=True, eq=False)
class Together:
    """All photos of a person as one: each is fitted with the identity that all of them tell."""

    renders: Renders

    def __call__(self, seen: Observation) -> Fit:
        assert isinstance(seen, Render)
        return _joint(self.renders, seen.person)[seen.take]


@lru_cache(maxsize=64)
def _joint(renders: Renders, person: int) -> dict[int, Fit]:
    items = [r for r in renders.items if r.person == person]
    joint = fit_views(subject.model(), subject.calibration(), looks_of(items))
    return {r.take: fit for r, fit in zip(items, joint.fits, strict=True)}


def groups(items: Sequence[Render], n: int) -> Iterator[Sequence[Render]]:
    """As many disjoint groups of n photos as there are."""
    for start in range(0, len(items) - n + 1, n):
        yield items[start : start + n]


def evaluate_views(renders: Renders, views: int, *, spoil: bool = False) -> dict[int, dict[str, float]]:
    """By the number of photos: mean error, mm, of the people; with `spoil` one photo of each group of three or more is
    of somebody else."""
    model, calibration = subject.model(), subject.calibration()
    assert renders.mean is not None
    offset = frontal_offset(model, renders.mean)
    people = [[r for r in renders.items if r.person == p] for p in range(renders.people)]
    people = [items[:views] for items in people if len(items) >= views]
    out = {}
    with single_blas_thread():
        for n in [s for s in STEPS if s <= views]:
            rows: list[dict[str, float]] = []
            for k, items in enumerate(people):
                for some in groups(items, n):
                    others = people[(k + 1) % len(people)]
                    shown = [others[0], *some[1:]] if spoil and n > 2 else some
                    joint = fit_views(model, calibration, looks_of(shown))
                    who, fit = some[-1], joint.fits[-1]
                    score = judge(fit, 0.0, who, renders.truths[who.person], offset)
                    sigma = float(np.median(joint.person.sigma_mm[model.inner_face]))
                    rows.append(
                        {
                            "person": k,
                            "error": score.error,
                            "rigid": score.rigid,
                            "scale": abs(score.scale - 1),
                            "covered": score.covered,
                            "covered_scaled": score.covered_scaled,
                            "sigma": sigma,
                            "geodesic": float(
                                np.mean(
                                    [
                                        geodesic(f.head_to_camera[:3, :3] @ offset.T, r.head_to_camera[:3, :3])
                                        for f, r in zip(
                                            joint.fits[1 if spoil else 0 :], shown[1 if spoil else 0 :], strict=True
                                        )
                                    ]
                                )
                            ),
                            "effective": joint.person.effective,
                        }
                    )
            out[n] = {name: mean_of(np.array([row[name] for row in rows])) for name in rows[0] if name != "person"}
            print(f"{n} photos: {out[n]['error']:.3f} mm", flush=True)
    return out


def markdown(found: Mapping[int, Mapping[str, float]]) -> str:
    first: Any = next(iter(found.values()))["error"]
    lines = [
        "| photos | error, mm | to one photo | without scale, mm | size error | stated spread, mm | within 1 σ | "
        "within 1 σ (scaled) | rotation, ° |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {n} | {row['error']:.2f} | {row['error'] / first:.2f} | {row['rigid']:.2f} | {row['scale']:.1%} | "
        f"{row['sigma']:.2f} | {row['covered']:.0%} | {row['covered_scaled']:.0%} | {row['geodesic']:.1f} |"
        for n, row in found.items()
    ]
    return "\n".join(lines) + "\n"
