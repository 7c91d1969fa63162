"""The engines that `--engine` chooses from, and our own with the head that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tronie.errors import InputError

if TYPE_CHECKING:
    from tronie.head.model import HeadModel
    from tronie.settings import Settings
    from tronie.stages.fit.engine_info import Engine, EngineInfo
    from tronie.stages.fit.regressor import Calibration
    from tronie.types import UsedModel


def load_head(name: str) -> tuple[HeadModel, Calibration]:
    """The head model that faces are fitted with, and how. Raises WeightsError for one that is not there."""
    from tronie.head.model import default_head
    from tronie.importers.heads.calibrated import OWN, load
    from tronie.stages.fit.regressor import default_calibration

    return (default_head(), default_calibration()) if name == OWN else load(name)


def asks_outline(settings: Settings) -> bool:
    """Whether outlines of turned faces have a say: in the package's own head, and where photos are segmented anyway."""
    return _may_ask_outline(settings) and settings.runs("texture")


def _may_ask_outline(settings: Settings) -> bool:
    from tronie.importers.heads.calibrated import OWN

    return settings.fit.outline == "auto" and settings.head.name == OWN


def _load_calibrated(settings: Settings, threads: int) -> Engine:
    from tronie.stages.fit.engine import CalibratedFit

    model, calibration = load_head(settings.head.name)
    wanted = settings.head.subdivide
    level = model.usual_level if wanted is None else min(wanted, model.levels[-1])
    return CalibratedFit(model, calibration, settings.fit.warp, level, _may_ask_outline(settings))


def _calibrated_models(settings: Settings) -> tuple[UsedModel, ...]:
    """Of a user's own head, the net that reads faces is ours, and what the calibration says is of the head's terms."""
    from tronie.importers.heads.calibrated import OWN, calibrated
    from tronie.types import UsedModel

    name = settings.head.name
    if name == OWN:
        found = UsedModel.of_weights("recognizer", "face_shape", "calibration", "head")
        return (*found, *(UsedModel.of_weights("fit_errors") if asks_outline(settings) else ()))
    there = calibrated().get(name)  # what is missing is said when the head is loaded
    own = () if there is None else (UsedModel(name, there.record.licence, there.record.commercial_use),)
    return (*UsedModel.of_weights("recognizer", "face_shape"), *own)


def _calibrated() -> EngineInfo:
    from tronie.stages.fit.engine_info import EngineInfo

    return EngineInfo("calibrated", _load_calibrated, _calibrated_models)


def _deep3d() -> EngineInfo:
    from tronie.stages.deep3d.engine import ENGINE

    return ENGINE


ENGINES: dict[str, Callable[[], EngineInfo]] = {"calibrated": _calibrated, "deep3d": _deep3d}
"""Name -> what looks up what the engine is; only then its room is loaded."""


def engine_info(name: str) -> EngineInfo:
    """What the engine called `name` is. Raises InputError."""
    if name not in ENGINES:
        raise InputError(f"There is no engine called {name}; choose one of {', '.join(ENGINES)}.")
    return ENGINES[name]()
