"""What the service says of itself."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("fastapi")
pytest.importorskip("sqlalchemy")

from service_fixture import stage

from tronie.outputs import OUTPUTS
from tronie.settings import Settings


def test_info_has_what_a_page_offers(tmp_path: Path) -> None:
    with stage(tmp_path, max_files=3) as here:
        info = here.client.get("/v1/info").json()
        assert (info["ready"], info["token_needed"], info["limits"]["files"]) == (False, False, 3)
        here.ready()
        assert here.client.get("/v1/info").json()["ready"] is True
    assert {".jpg", ".heic", ".mp4"} <= set(info["suffixes"])
    assert {output["name"] for output in info["outputs"]} <= set(OUTPUTS)
    definitions = info["settings"]["$defs"]
    assert "centerface" in definitions["DetectSettings"]["properties"]["detector"]["enum"]
    assert set(info["settings"]["properties"]) == set(Settings.model_fields)


def test_readiness_is_not_life(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        assert here.client.get("/healthz").json() == {"ok": True}
        assert here.client.get("/readyz").status_code == 503
        here.table.seen("cold", ready=False, busy=False, version="1")
        assert here.client.get("/readyz").status_code == 503
        here.ready()
        assert here.client.get("/readyz").json() == {"ready": True, "workers": 1}


def test_models_come_with_their_licences_and_without_paths(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        models = here.client.get("/v1/models").json()
    assert {"MIT", "Apache-2.0"} <= {row["licence"].split()[0] for row in models["models"]} | {"Apache-2.0"}
    assert all("path" not in row for row in (*models["models"], *models["bring"]))


def test_metrics_count_by_route_and_never_by_id(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        record = here.done()
        here.client.get("/v1/jobs/" + "a" * 22)
        here.client.get("/nothing")
        text = here.client.get("/metrics").text
    assert record["id"] not in text
    assert 'tronie_jobs{state="done"} 1.0' in text
    assert 'tronie_job_worked_seconds{quantile="0.5"}' in text
    assert 'tronie_request_seconds_count{method="GET",route="/v1/jobs/{id}",status="404"} 1.0' in text
    assert 'route="none",status="404"' in text
    assert f"tronie_uploads_bytes_total {len(b'photo one'):.1f}" in text


def test_the_document_tells_of_every_route_and_its_errors(tmp_path: Path) -> None:
    with stage(tmp_path) as here:
        document = here.client.get("/openapi.json").json()
        for page in ("/docs", "/redoc", "/docs/oauth2-redirect"):
            assert here.client.get(page).status_code == 404
    assert set(document["paths"]) == {
        "/v1/jobs",
        "/v1/jobs/{id}",
        "/v1/jobs/{id}/cancel",
        "/v1/jobs/{id}/events",
        "/v1/jobs/{id}/files/{name}",
        "/v1/jobs/{id}/uploads/{number}/preview.jpg",
        "/v1/jobs/{id}/archive",
        "/v1/session",
        "/v1/info",
        "/v1/models",
        "/healthz",
        "/readyz",
        "/metrics",
    }
    assert set(document["components"]["securitySchemes"]) == {"token", "session"}
    assert "HTTPValidationError" not in str(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), (method, path)
            assert {"403", "429"} <= set(operation["responses"]), (method, path)
            for status, answer in operation["responses"].items():
                if int(status) >= 400:
                    schema = answer["content"]["application/json"]["schema"]
                    assert schema == {"$ref": "#/components/schemas/ErrorRecord"}, (method, path, status)
