"""Super-resolution of small faces: which nets there are, and which one a mode of the settings means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tronie.errors import WeightsError

if TYPE_CHECKING:
    from tronie.stages.enhance.base import Enhancer

OWN = "tronie"
"""The net that comes with the library."""
OWN_WEIGHT, OWN_SIDE = "face_enhance", 256
MODES: tuple[str, ...] = ("auto", "off", "always")


def _own(threads: int) -> Enhancer:
    from tronie.runtime import weights
    from tronie.stages.enhance.enhancer import FourfoldEnhancer

    return FourfoldEnhancer(OWN, weights.path(OWN_WEIGHT), OWN_SIDE, threads)


ENHANCERS: dict[str, Callable[[int], Enhancer]] = {OWN: _own}
"""Name -> what loads it with a number of threads. Nets that a user imported come on top (`enhancer_names`)."""


def enhancer_names() -> tuple[str, ...]:
    """The library's own nets and those that the user imported."""
    return (*ENHANCERS, *(name for name in _imported() if name not in ENHANCERS))


def make_enhancer(name: str, threads: int = 0) -> Enhancer:
    """The enhancer of that name; WeightsError says what there is, or what to do about a missing file."""
    if name in ENHANCERS:
        return ENHANCERS[name](threads)
    if name in _imported():
        from tronie.stages.enhance.published import load_imported

        return load_imported(name, threads)
    from tronie.stages.enhance.published import how_to_get

    if said := how_to_get(name):
        raise WeightsError(said)
    raise WeightsError(
        f"There is no enhancer called {name}; there are {', '.join(enhancer_names())} "
        "(`tronie models import` adds an official one)."
    )


def enhancer_for(mode: str, threads: int = 0) -> Enhancer | None:
    """The enhancer that a mode of the settings means; None for none."""
    if mode == "off" or (mode == "auto" and not _own_present()):
        return None
    return make_enhancer(OWN if mode in MODES else mode, threads)


def _own_present() -> bool:
    from tronie.runtime import weights

    return OWN_WEIGHT in weights.WEIGHTS and weights.present(OWN_WEIGHT)


def _imported() -> tuple[str, ...]:
    from tronie.stages.enhance.published import imported_names

    return imported_names()
