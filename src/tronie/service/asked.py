"""The settings that a client asks for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from tronie.errors import InputError
from tronie.service.config import ServiceConfig
from tronie.settings import Settings


def settings_of(asked: Mapping[str, Any], config: ServiceConfig) -> Settings:
    """The whole tree, of a part of it. Raises InputError."""
    try:
        return Settings.model_validate(asked)
    except ValidationError as error:
        fault = error.errors()[0]
        place = ".".join(str(part) for part in fault["loc"])
        raise InputError(f"The settings are not right at {place}: {str(fault['msg']).rstrip('.')}.") from None
