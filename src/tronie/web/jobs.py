"""/v1/jobs: looked at, stopped, deleted; they are sent in by `tronie.web.sending`."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Response

from tronie.service.housekeeping import delete_job
from tronie.web.documents import refuses
from tronie.web.records import JobRecord, JobsRecord
from tronie.web.refusals import Refused
from tronie.web.served import Client, KnownJob, Service
from tronie.web.views import job_record

router = APIRouter(tags=["jobs"])


@router.get("/v1/jobs", operation_id="list_jobs", response_model=JobsRecord)
def recent(
    service: Service,
    client: Client,
    limit: Annotated[int, Query(ge=1, le=200, description="At most so many.")] = 50,
    before: Annotated[str | None, Query(max_length=64, description="Only those older than this job.")] = None,
    children: Annotated[bool, Query(description="Also those that use another job's uploads again.")] = False,
) -> JobsRecord:
    """Your jobs, the newest first: those of your token, or without tokens those that came from your address."""
    jobs = service.table.recent(client, limit=limit + 1, before=before, children=children)
    more = None
    if len(jobs) > limit:
        jobs = jobs[:limit]
        query = {"limit": limit, "before": jobs[-1].id, **({"children": "true"} if children else {})}
        more = f"/v1/jobs?{urlencode(query)}"
    return JobsRecord(jobs=[job_record(job) for job in jobs], next=more)


@router.get("/v1/jobs/{id}", operation_id="get_job", response_model=JobRecord, responses=refuses(404))
async def get(job: KnownJob) -> JobRecord:
    """A job as it stands."""
    return job_record(job)


@router.post("/v1/jobs/{id}/cancel", operation_id="cancel_job", response_model=JobRecord, responses=refuses(404))
def cancel(job: KnownJob, service: Service, client: Client) -> JobRecord:
    """Stop a job and keep its record and uploads. One that runs ends at its next step; one that has ended stays as it
    is."""
    service.table.cancel(job.id)
    now = service.table.get(job.id, client)
    if now is None:
        raise Refused(404, "There is no such job.")
    return job_record(now)


@router.delete("/v1/jobs/{id}", operation_id="delete_job", status_code=204, responses=refuses(404))
def delete(job: KnownJob, service: Service) -> Response:
    """Stop a job if it runs, and delete all of it: files, events, record, and jobs that use its uploads again."""
    if not delete_job(service.table, service.storage, job.id):
        raise Refused(404, "There is no such job.")
    return Response(status_code=204)
