"""Super-resolution of small faces: which nets there are, and which one a mode of the settings means."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tronie.errors import WeightsError

if TYPE_CHECKING:
    from tronie.stages.enhance.enhancer import Enhancer, EnhancerInfo

MODES: tuple[str, ...] = ("auto", "off", "always")
OWN = "tronie"
"""The net that comes with the library."""


def _own() -> EnhancerInfo:
    from tronie.stages.enhance.enhancer import ENHANCER

    return ENHANCER


ENHANCERS: dict[str, Callable[[], EnhancerInfo]] = {OWN: _own}
"""Name -> what looks up what the enhancer is. Nets that a user imported come on top (`enhancer_names`)."""


def enhancer_names() -> tuple[str, ...]:
    """The library's own nets and those that the user imported."""
    from tronie.stages.enhance.published import imported_names

    return (*ENHANCERS, *(name for name in imported_names() if name not in ENHANCERS))


def enhancer_info(name: str) -> EnhancerInfo:
    """What the enhancer of that name is; WeightsError says what there is, or what to do about a missing file."""
    if name in ENHANCERS:
        return ENHANCERS[name]()
    from tronie.stages.enhance.published import how_to_get, imported_info

    if (info := imported_info(name)) is not None:
        return info
    if said := how_to_get(name):
        raise WeightsError(said)
    raise WeightsError(
        f"There is no enhancer called {name}; there are {', '.join(enhancer_names())} "
        "(`tronie models import` adds an official one)."
    )


def make_enhancer(name: str, threads: int = 0, device: str = "cpu") -> Enhancer:
    """The enhancer of that name. Raises WeightsError."""
    return enhancer_info(name).load(threads, device)


def enhancer_for(mode: str, threads: int = 0, device: str = "cpu") -> Enhancer | None:
    """The enhancer that a mode of the settings means; None for none."""
    if mode == "off" or (mode == "auto" and not ENHANCERS[OWN]().present):
        return None
    return make_enhancer(OWN if mode in MODES else mode, threads, device)
