"""What an engine is: a way to reconstruct a face, and what is told of it before it is loaded."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tronie.geometry import Camera
    from tronie.settings import Settings
    from tronie.types import Face, Photo, UsedModel


class Engine(Protocol):
    """A way to reconstruct a face."""

    def fit(self, photo: Photo, face: Face, camera: Camera) -> Face:
        """`face`, which has its landmarks, with what the engine finds out about it."""
        ...


def _nothing() -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """What an engine is, before it is loaded. Each is declared where it is written; `tronie.pipelines.engines` lists
    them."""

    name: str
    load: Callable[[Settings, int], Engine]
    """With a number of threads. Raises WeightsError with what to do where files of it are not there."""
    models: Callable[[Settings], tuple[UsedModel, ...]]
    """What it works with; models that are not there are left out."""
    notices: Callable[[], tuple[str, ...]] = _nothing
    """A sentence on each file that a user should know of before the work begins. Raises WeightsError."""
    own_head: bool = False
    """Whether it has a head model of its own, in place of the settings'."""
    photos_only: bool = False
    """Whether it has nothing to say of videos and of many photos of a person."""
    sees_bars: bool = False
    """Whether it cuts its crop out of the whole photo: what it says is told in the pixels of that, bars and all."""
