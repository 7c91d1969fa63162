"""What /openapi.json says beside the records: errors, files, the ways to be let in."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from tronie.version import __version__
from tronie.web.records import ErrorRecord

ABOUT = """\
Photos and clips go in, heads come out. POST /v1/jobs takes files and says where they are in the queue,
/v1/jobs/{id}/events tells how far it is, /v1/jobs/{id} has the URLs of what came of it. Jobs and their files are
deleted some time after they have ended (`expires`), or at once by DELETE.

Every answer from 400 on is `{"error": "one sentence."}`."""
WHEN = {
    400: "The request cannot be read.",
    401: "The token is wrong.",
    404: "There is no such job, or it is somebody else's; or it has no such file.",
    409: "That cannot be done in the job's state.",
    413: "Too large, too many, too long.",
    415: "A file is of a kind that is not read, or the request is no form.",
    416: "The file has no such part.",
    422: "A file cannot be read, or a setting or parameter cannot be what it is.",
    503: "No worker is warm.",
    507: "The service has no room.",
}
ANYWHERE = {
    401: "The service wants a token.",
    403: "The service is not known by the name in Host, or another site's page asks.",
    408: "The request came too slowly.",
    429: "Too often; `Retry-After` says how many seconds to wait.",
}
NAMES = [
    "stage_began",
    "advanced",
    "stage_ended",
    "faces_found",
    "face_finished",
    "compiling_kernels",
    "note",
    "problem",
    "state",
]
EVENTS: dict[str, Any] = {
    "description": "A stream of events.",
    "content": {
        "text/event-stream": {
            "schema": {
                "type": "object",
                "description": "One event; `data` is JSON.",
                "properties": {
                    "id": {"type": "string", "description": "Its number; `state` has none."},
                    "event": {"type": "string", "enum": NAMES},
                    "data": {"type": "string", "contentMediaType": "application/json"},
                    "retry": {"type": "string", "description": "Milliseconds to wait before asking again."},
                },
            },
            "example": 'id: 7\nevent: advanced\ndata: {"stage": "fit", "done": 3, "total": 8, "upload": 0, "face": 1}\n'
            "\n"
            'event: state\ndata: {"state": "done", "place": null, "reason": null}\n\n',
        }
    },
}


def links(*operations: str) -> dict[str, Any]:
    """To what may be asked of the job that an answer is about."""
    return {name: {"operationId": name, "parameters": {"id": "$response.body#/id"}} for name in operations}


def refuses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """For `responses` of a route."""
    return {status: {"model": ErrorRecord, "description": WHEN[status]} for status in statuses}


def file_of(description: str, *types: str) -> dict[str, Any]:
    """A response that is a file."""
    return {
        "description": description,
        "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in types or ("*/*",)},
    }


def document(app: FastAPI) -> None:
    """Let the app describe itself in this way."""

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(title="tronie", version=__version__, description=ABOUT, routes=app.routes)
            app.openapi_schema = _finish(made)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]


def _finish(made: dict[str, Any]) -> dict[str, Any]:
    parts = made["components"]
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorRecord"}}}
    for unused in ("HTTPValidationError", "ValidationError"):
        parts["schemas"].pop(unused, None)
    parts["securitySchemes"] = {
        "token": {"type": "http", "scheme": "bearer", "description": "One of the service's tokens, if it has any."},
        "session": {"type": "apiKey", "in": "cookie", "name": "tronie_session", "description": "From /v1/session."},
    }
    for path, operations in made["paths"].items():
        for operation in operations.values():
            open_to_all = operation.pop("x-open", False)
            operation["security"] = [{}] if open_to_all else [{}, {"token": []}, {"session": []}]
            answers = operation["responses"]
            if "HTTPValidationError" in str(answers.get("422", "")):
                answers["422"] = {"description": WHEN[422], "content": error}
            for status, description in ANYWHERE.items():
                if not (status == 401 and open_to_all) and not (status == 408 and "requestBody" not in operation):
                    answers.setdefault(str(status), {"description": description, "content": error})
            if path not in ("/healthz", "/readyz"):
                answers["429"]["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "Seconds."}}
            operation["responses"] = dict(sorted(answers.items()))
    return made
