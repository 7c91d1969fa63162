"""Answers from 400 on: one sentence as JSON, whoever refuses."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from http import HTTPStatus

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from tronie.errors import OutputError
from tronie.runtime.logs import logger
from tronie.service.stored import TableError

log = logger(__name__)

SENTENCES = {
    400: "The request cannot be read.",
    404: "There is nothing here.",
    405: "That cannot be done here.",
    500: "Something went wrong inside the service; its log says what.",
    503: "The service cannot do that at the moment.",
}


class Refused(Exception):
    """A request that is not done, with a sentence for whoever sent it."""

    def __init__(self, status: int, sentence: str, *, wait: float | None = None, headers: Mapping[str, str] = {}):
        super().__init__(sentence)
        self.status, self.sentence = status, sentence
        self.headers = dict(headers)
        if wait is not None:
            self.headers["Retry-After"] = str(max(1, math.ceil(wait)))


def refusal(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    return JSONResponse({"error": sentence}, status, dict(headers or {}))


def answer_errors(app: FastAPI, all_routes: Iterable[BaseRoute]) -> None:
    """Let the app say all errors in this way: its own and the framework's. What nobody foresaw is left to the guard."""
    routes = [route for route in all_routes if isinstance(route, APIRoute)]

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return refusal(error.status, error.sentence, error.headers)

    async def http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        sentence = SENTENCES.get(error.status_code) or HTTPStatus(error.status_code).phrase + "."
        headers = dict(error.headers or {})
        if error.status_code == 405:
            # All that can be done here; the framework knows what one route can.
            here = [route.methods or set() for route in routes if route.path_regex.match(request.url.path)]
            headers["Allow"] = ", ".join(sorted({method for methods in here for method in methods}))
        return refusal(error.status_code, sentence, headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return refusal(422, _first(error))

    async def no_table(request: Request, error: Exception) -> Response:
        log.error("%s", error)  # its sentence names the database
        return refusal(503, "The queue does not answer; try again in a moment.", {"Retry-After": "5"})

    async def no_room(request: Request, error: Exception) -> Response:
        log.error("%s", error)  # its sentence names folders
        return refusal(507, "The service cannot write to its disk; perhaps that is full.")

    app.add_exception_handler(Refused, refused)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(TableError, no_table)
    app.add_exception_handler(OutputError, no_room)


def _first(error: RequestValidationError) -> str:
    """The first of the faults, as a sentence."""
    for fault in error.errors():
        if fault.get("type") == "json_invalid":
            return "The body is no JSON."
        place = ".".join(str(part) for part in fault["loc"][1:])
        text = str(fault["msg"]).rstrip(".")
        return f"{place}: {text}." if place else f"The {fault['loc'][0]}: {text}."
    return "The request cannot be understood."
