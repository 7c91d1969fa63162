"""What the routes share: the parts of the service, who asks, and for which job."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Protocol

from fastapi import Depends, Request
from fastapi import Path as InPath
from pydantic import AfterValidator

from tronie.service.config import ServiceConfig
from tronie.service.job_table import JobTable
from tronie.service.storage import Storage
from tronie.service.stored import StoredJob, Upload
from tronie.web.credentials import Credentials
from tronie.web.follower import Follower
from tronie.web.metrics import Metrics
from tronie.web.refusals import Refused

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
LOOKS = 2
"""Requests whose files are looked at, at a time."""
NO_JOB = "There is no such job."


class Looks(Protocol):
    """Whoever looks at files that were sent: `tronie.service.uploads.Inspector`, or a test's own."""

    def look(self, path: Path, name: str, number: int, preview: Path) -> Upload:
        """What it is: the `number`th of its job, from 1. Raises UploadRefused."""


@dataclass(frozen=True, slots=True)
class Served:
    """The service as one server has it."""

    config: ServiceConfig
    table: JobTable
    storage: Storage
    inspector: Looks
    credentials: Credentials
    follower: Follower
    metrics: Metrics
    looking: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(LOOKS))
    """Held while the files of a request are looked at."""
    receiving: Counter[str] = field(default_factory=Counter)
    """Client -> uploads that are coming in: each takes room on the disk that no quota counts yet."""

    def warm(self) -> int:
        """Workers that are ready."""
        return sum(worker.ready for worker in self.table.workers(max(60.0, 2 * self.config.lease)))


async def _served(request: Request) -> Served:
    served: Served = request.app.state.served
    return served


async def _client(request: Request) -> str:
    client: str = request.state.client
    return client


def job_id(given: str) -> str:
    """What can be an id of a job. Raises Refused."""
    if not _ID.fullmatch(given):
        raise Refused(404, NO_JOB)
    return given


Service = Annotated[Served, Depends(_served)]
Client = Annotated[str, Depends(_client)]
"""As the table calls whoever asks."""
JobId = Annotated[str, InPath(description="Of the job."), AfterValidator(job_id)]


def _known_job(id: JobId, service: Service, client: Client) -> StoredJob:
    job = service.table.get(id, client)
    if job is None:
        raise Refused(404, NO_JOB)
    return job


KnownJob = Annotated[StoredJob, Depends(_known_job)]
"""The job of the path, if it is the client's."""
