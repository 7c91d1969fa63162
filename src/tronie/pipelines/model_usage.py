"""Which models a job uses, for the records beside its results: their names and licences."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tronie.errors import WeightsError
from tronie.pipelines.engines import engine_info
from tronie.runtime.inference import placed
from tronie.settings import Settings
from tronie.stages.detect import detector_info
from tronie.types import UsedModel


def models_used(settings: Settings, *, enhance: bool = True) -> tuple[UsedModel, ...]:
    """What the stages of these settings use, in their order; models that are not there are left out. `enhance` counts
    the net of super-resolution, which works on small faces only; the recogniser judges what it did."""
    found = detector_info(settings.detect.detector).models
    found += UsedModel.of_weights("face_landmarks", "blendshapes", "face_doubts")
    restores, invents = settings.job == "restore", settings.restore.colour
    if not restores or invents:
        found += engine_info(settings.fit.engine).models(settings)
    mends = restores and settings.restore.damage != "off"
    if mends or invents if restores else settings.runs("texture"):
        found += UsedModel.of_weights("segment")
    if mends:
        found += UsedModel.of_weights("damage")
    if settings.enhance.mode != "off" or settings.portrait.identity:
        found += UsedModel.of_weights("recognizer")
    if enhance and settings.enhance.mode != "off":
        from tronie.stages.enhance import MODES, OWN

        found += enhancers_used(OWN if settings.enhance.mode in MODES else settings.enhance.mode)
    return tuple(dict.fromkeys(found))


def on_devices(models: Iterable[UsedModel], device: str) -> tuple[UsedModel, ...]:
    """The same, with where this process runs those of them that are nets, for a device of the settings."""
    return tuple(replace(model, device=placed.get((device, model.name))) for model in models)


def enhancers_used(name: str) -> tuple[UsedModel, ...]:
    """The net behind an enhancer; () for one that nobody has told the licence of."""
    from tronie.stages.enhance import enhancer_info

    try:
        return enhancer_info(name).models
    except WeightsError:
        return ()
