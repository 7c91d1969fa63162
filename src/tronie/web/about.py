"""What the service is and how it is: /v1/info, /v1/models, /healthz, /readyz, /metrics."""

from __future__ import annotations

import copy
import functools
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from tronie.outputs import OUTPUTS
from tronie.service.asked import can_be_made, settings_of
from tronie.service.config import ServiceConfig
from tronie.settings import Settings
from tronie.version import __version__
from tronie.web.documents import refuses
from tronie.web.metrics import CONTENT_TYPE_LATEST
from tronie.web.records import (
    HealthRecord,
    InfoRecord,
    LimitsRecord,
    ModelRecord,
    ModelsRecord,
    OutputRecord,
    ReadyRecord,
)
from tronie.web.refusals import Refused
from tronie.web.served import Service

router = APIRouter(tags=["about"])

OPEN = {"x-open": True}


@router.get("/v1/info", operation_id="get_info", response_model=InfoRecord, openapi_extra=OPEN)
def info(request: Request, service: Service) -> InfoRecord:
    """What a page or a program should know before its first job. Needs no token, and says whether others do."""
    config = service.config
    signed_in = bool(request.state.signed_in)
    return InfoRecord(
        version=__version__,
        ready=service.warm() > 0,
        token_needed=service.credentials.needed and not signed_in,
        signed_in=signed_in,
        limits=LimitsRecord(
            bytes=config.max_bytes,
            files=config.max_files,
            megapixels=config.max_megapixels,
            seconds=config.max_seconds,
            waiting=config.max_waiting_each,
            requests_per_minute=config.requests_per_minute,
            uploads_per_minute=config.uploads_per_minute,
        ),
        retention_seconds=config.retention,
        outputs=[
            OutputRecord(
                name=output.name,
                text=output.text,
                files=list(output.files),
                usual=output.usual,
                of=[subject for subject in output.of if subject != "person"],
                available=can_be_made(output),
            )
            for output in OUTPUTS.values()
            if set(output.of) != {"person"}
        ],
        settings=_settings_schema(),
        suffixes=list(_suffixes()),
    )


@router.get("/v1/models", operation_id="get_models", response_model=ModelsRecord)
def models() -> ModelsRecord:
    """The models in use with their licences, and those that the owner of the service may bring along."""
    from tronie.importers.catalog import catalog

    rows, bring = catalog()
    return ModelsRecord(models=[_model(row) for row in rows], bring=[_model(row) for row in bring])


@router.get("/healthz", operation_id="get_health", response_model=HealthRecord, openapi_extra=OPEN)
async def healthz() -> HealthRecord:
    """Whether the server answers; no more than that."""
    return HealthRecord()


@router.get(
    "/readyz", operation_id="get_readiness", response_model=ReadyRecord, openapi_extra=OPEN, responses=refuses(503)
)
def readyz(service: Service) -> ReadyRecord:
    """Whether jobs would be done at once: the queue answers, and a worker is warm."""
    warm = service.warm()
    if not warm:
        raise Refused(503, "No worker is warm yet.", wait=2)
    return ReadyRecord(workers=warm)


@router.get(
    "/metrics",
    operation_id="get_metrics",
    response_class=Response,
    responses={200: {"description": "Figures.", "content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(service: Service) -> Response:
    """Figures for Prometheus, in its text format. Needs a token where the service has any."""
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def warm_up(config: ServiceConfig) -> None:
    """Load what the first answers would wait for."""
    settings_of({}, config)
    _suffixes()
    _settings_schema()


def _model(row: dict[str, Any]) -> ModelRecord:
    # The paths of files on the server are nobody's business.
    return ModelRecord(**{name: row[name] for name in ModelRecord.model_fields if name in row})


@functools.cache
def _suffixes() -> tuple[str, ...]:
    from tronie.io.kinds import IMAGE_SUFFIXES
    from tronie.io.video.clip import VIDEO_SUFFIXES

    return tuple(sorted(IMAGE_SUFFIXES | VIDEO_SUFFIXES))


def _settings_schema() -> dict[str, Any]:
    """Of the settings, with what the free texts among them may be at the moment."""
    from tronie.pipelines.choices import FIXED, choices

    schema = copy.deepcopy(_plain_schema())
    for place in FIXED:
        branch, _, name = place.partition(".")
        model = Settings.model_fields[branch].annotation
        schema["$defs"][getattr(model, "__name__", "")]["properties"][name]["enum"] = list(choices(place))
    schema["properties"]["outputs"]["items"]["enum"] = list(OUTPUTS)
    return schema


@functools.cache
def _plain_schema() -> dict[str, Any]:
    return Settings.model_json_schema()
