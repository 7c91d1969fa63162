"""Requests made up from the OpenAPI document: no answer is a fault of the server, and all are as the document says."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")
pytest.importorskip("schemathesis")

import schemathesis
import uvicorn
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import InvalidArgument, Unsatisfiable
from hypothesis.strategies import sampled_from
from schemathesis import GenerationMode
from schemathesis.specs.openapi import checks
from service_fixture import Stage, stage, worker

pytestmark = pytest.mark.slow
EXAMPLES = 40
"""Requests for each route and way of making them up."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, str, dict[str, Any]]]:
    """A real server with a worker; its address; a job that is done."""
    often = {"requests_per_minute": 10**6, "uploads_per_minute": 10**6, "max_waiting_each": 10**6, "max_waiting": 10**6}
    with stage(tmp_path_factory.mktemp("served"), **often) as here, worker(here), socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        config = uvicorn.Config(here.client.app, log_level="error", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        job = here.send().json()
        while here.client.get(job["links"]["self"]).json()["state"] != "done":
            time.sleep(0.02)
        yield here, f"http://127.0.0.1:{listening.getsockname()[1]}", job
        server.should_exit = True
        thread.join()


METHODS = [
    ("/v1/jobs", "GET"),
    ("/v1/jobs", "POST"),
    ("/v1/jobs/{id}", "GET"),
    ("/v1/jobs/{id}", "DELETE"),
    ("/v1/jobs/{id}/cancel", "POST"),
    ("/v1/jobs/{id}/events", "GET"),
    ("/v1/jobs/{id}/files/{name}", "GET"),
    ("/v1/jobs/{id}/uploads/{number}/preview.jpg", "GET"),
    ("/v1/jobs/{id}/archive", "GET"),
    ("/v1/session", "POST"),
    ("/v1/session", "DELETE"),
    ("/v1/info", "GET"),
    ("/v1/models", "GET"),
    ("/healthz", "GET"),
    ("/readyz", "GET"),
    ("/metrics", "GET"),
]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE], ids=lambda mode: mode.value)
@pytest.mark.parametrize(("path", "method"), METHODS)
def test_the_service_keeps_to_its_document(
    served: tuple[Stage, str, dict[str, Any]], path: str, method: str, mode: GenerationMode
) -> None:
    here, address, job = served
    schema = schemathesis.openapi.from_dict(here.client.get("/openapi.json").json())
    schema.config.update(base_url=address)
    operation = schema[path][method]

    @given(operation.as_strategy(generation_mode=mode), sampled_from(("made up", "there")))
    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    def ask(case: Any, which: str) -> None:
        # Who knows no id gets no further than that: half of the time it is the job that is there.
        if which == "there" and "{id}" in path and method != "DELETE":
            case.path_parameters["id"] = job["id"]
            if "{name}" in path:
                case.path_parameters["name"] = "party/face-1/head.glb"
        answer = case.call(timeout=20)
        assert answer.status_code < 500, answer.text
        case.validate_response(answer, checks=CHECKS)
        if answer.status_code >= 400:
            assert list(answer.json()) == ["error"]

    try:
        ask()
    except (Unsatisfiable, InvalidArgument):
        pytest.skip("nothing of it can be wrong")


def test_all_routes_are_asked(served: tuple[Stage, str, dict[str, Any]]) -> None:
    here, _, _ = served
    paths = here.client.get("/openapi.json").json()["paths"]
    assert {(path, method.upper()) for path, methods in paths.items() for method in methods} == set(METHODS)


def test_the_service_lives_and_holds_no_leftovers(served: tuple[Stage, str, dict[str, Any]]) -> None:
    here, _, job = served
    assert here.client.get("/healthz").status_code == 200
    assert here.client.get(job["links"]["self"]).status_code == 200
    assert not list((here.config.data / "spool").iterdir())
