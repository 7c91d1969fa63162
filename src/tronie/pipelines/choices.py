"""What a setting of the type `str` may be: for the command line and the window to offer. Nothing is loaded for it."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tronie.pipelines.engines import ENGINES
from tronie.stages.detect import DETECTORS
from tronie.stages.enhance import MODES

FIXED: dict[str, tuple[str, ...]] = {
    "detect.detector": tuple(DETECTORS),
    "fit.engine": tuple(ENGINES),
    "enhance.mode": MODES,
    "head.name": (),
}
"""Place in the settings -> names that are always there."""


def _enhancers() -> Iterable[str]:
    from tronie.stages.enhance import enhancer_names

    return enhancer_names()


def _heads() -> Iterable[str]:
    from tronie.importers.heads.calibrated import OWN, calibrated

    return OWN, *calibrated()


NAMED: dict[str, Callable[[], Iterable[str]]] = {"enhance.mode": _enhancers, "head.name": _heads}
"""Places that take a name too -> which there are: that depends on what the user has imported."""


def choices(place: str) -> tuple[str, ...]:
    """All that a setting may be; () where any text will do."""
    return tuple(dict.fromkeys((*FIXED.get(place, ()), *(NAMED[place]() if place in NAMED else ()))))
