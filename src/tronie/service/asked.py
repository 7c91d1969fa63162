"""What a client asks for, as settings: only what is there, and no more than the service allows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from pydantic import ValidationError

from tronie.errors import InputError
from tronie.outputs import OUTPUTS, Output
from tronie.service.config import ServiceConfig
from tronie.settings import Settings

MODULES = {"usd": "pxr"}
"""Extra -> what it is imported by, where that is another name."""


def settings_of(asked: Mapping[str, Any], config: ServiceConfig) -> Settings:
    """A part of the settings tree -> the settings. Raises InputError with one sentence."""
    try:
        if not all(math.isfinite(number) for number in _numbers(asked)):
            raise InputError("The settings may hold no numbers that are infinite or none.")
        settings = Settings.model_validate(dict(asked))
    except ValidationError as error:
        raise InputError(_first(error)) from None
    except RecursionError:
        raise InputError("The settings are nested too deeply.") from None
    except UnicodeError:
        raise InputError("The settings hold halves of letters.") from None
    _check_names(settings)
    return bounded(settings, config)


def bounded(settings: Settings, config: ServiceConfig) -> Settings:
    """The same, with no larger photos and no longer clips than the service takes, and on its device."""
    read, video = settings.read, settings.video
    megapixels = min(read.max_megapixels or config.max_megapixels, config.max_megapixels)
    seconds = min(video.seconds or config.max_seconds, config.max_seconds)
    tree = settings.model_dump(exclude_unset=True)
    tree["read"] = {**tree.get("read", {}), "max_megapixels": megapixels}
    tree["video"] = {**tree.get("video", {}), "seconds": seconds}
    if video.start is not None:  # what lies before costs reading too
        tree["video"]["start"] = min(video.start, config.max_seconds)
    tree["compute"] = {"device": config.device}
    return Settings.model_validate(tree)


def can_be_made(output: Output) -> bool:
    """Whether what it wants is installed. What makes the output would know too, but brings all encoders along."""
    return output.extra is None or find_spec(MODULES.get(output.extra, output.extra)) is not None


def _check_names(settings: Settings) -> None:
    """Models that are not there, and outputs that want something that is not installed."""
    from tronie.pipelines.choices import FIXED, choices

    for place, always in FIXED.items():
        branch, name = place.split(".")
        value, usual = (getattr(getattr(tree, branch), name) for tree in (settings, Settings()))
        # To know what was imported takes half a second of loading, at first.
        if value != usual and value not in always and value not in (there := choices(place)):
            raise InputError(f"The setting {place} can be {_listed(there)} here.")
    for output in settings.wanted:
        if not can_be_made(OUTPUTS[output]):
            raise InputError(f"This service has not installed what the output {output} needs.")


def _numbers(value: object) -> Iterator[float]:
    if isinstance(value, float):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from _numbers(part)
    elif isinstance(value, (list, tuple)):
        for part in value:
            yield from _numbers(part)


def _first(error: ValidationError) -> str:
    """The first fault as a sentence; nothing of what was sent is repeated but the names of known settings."""
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    known: list[str] = []
    model: Any = Settings
    for part in fault["loc"]:
        fields = getattr(model, "model_fields", {})
        if part not in fields:
            break
        known.append(str(part))
        model = fields[part].annotation
    place = ".".join(known)
    if fault["type"] == "extra_forbidden":
        return f"There is no such setting{f' in {place}' if place else ''}."
    said = fault["msg"].removeprefix("Value error, ").rstrip(".")
    if fault["type"] == "value_error":  # it repeats what was sent
        said = "it names something that there is not"
    return (
        f"The setting {place} is not valid: {said[:1].lower()}{said[1:]}." if place else "The settings are no object."
    )


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"
