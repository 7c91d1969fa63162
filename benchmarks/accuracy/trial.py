"""Try fits in seconds, on synthetic photos and scans whose landmarks are kept.

    from benchmarks.accuracy.methods import methods          # from the root of the repository
    from benchmarks.accuracy.trial import trial

    fits = {"now": methods()["full fit"], "mine": my_fit}
    trial(fits, ict="../shared/ict/ict_facekit.npz", scans=["../shared/scan_lps"])

A fit takes a `Render` (what a user's photo would give: detection, landmarks) and returns a tronie Fit. One that looks
at the photo itself asks `renders.picture(render)`, with the renders of `synthetic` and `scanned`. The first call
renders 40 people and looks at them, which takes a minute or two.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from benchmarks.accuracy import report
from benchmarks.accuracy.cache import CACHE
from benchmarks.accuracy.evaluate import FitFunction, Scores, evaluate
from benchmarks.accuracy.methods import MEAN, methods
from benchmarks.accuracy.scan import load_scans
from benchmarks.accuracy.synthetic import Renders, cache_path, load_renders, make_renders

PEOPLE = 40


@cache
def synthetic(
    ict: str | None, people: int = PEOPLE, seed: int = 0, max_yaw: float = 40.0, folder: Path = CACHE
) -> Renders:
    """Made when they are not there."""
    ict = str(Path(ict).resolve()) if ict is not None else None
    path = cache_path(ict, seed, people, 1, max_yaw, folder)
    if not path.exists():
        make_renders(path, ict, people=people, takes=1, seed=seed, max_yaw=max_yaw, workers=1)
    return load_renders(path)


@cache
def scanned(scans: tuple[str, ...], folder: Path = CACHE) -> Renders:
    return load_scans(scans, folder)


@cache
def mean_head(renders: Renders) -> Scores:
    return evaluate(methods()[MEAN], renders, name=MEAN)


def trial(
    fits: Mapping[str, FitFunction],
    *,
    ict: str | None = None,
    scans: Sequence[str] = (),
    people: int = PEOPLE,
    max_yaw: float = 40.0,
    cache_folder: Path = CACHE,
    quiet: bool = False,
) -> dict[str, dict[str, Any]]:
    """By source (`ict`, `scan`) and by name the figures of `report.figures`; also printed as tables."""
    sets = [synthetic(ict, people, max_yaw=max_yaw, folder=cache_folder)] if ict is not None else []
    sets += [scanned(tuple(scans), cache_folder)] if scans else []
    out = {}
    for renders in sets:
        results = [mean_head(renders), *(evaluate(fit, renders, name=name) for name, fit in fits.items())]
        out[renders.source] = report.figures(results)
        if not quiet:
            print(
                f"\n{renders.source}, {len(renders.items)} photos\n\n{report.markdown(out[renders.source])}", flush=True
            )
    return out
