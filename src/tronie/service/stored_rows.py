"""A row of the job table as a StoredJob, whatever stands in it."""

from __future__ import annotations

import hashlib
from typing import Any, get_args

from tronie.service.stored import State, StoredJob, TableError
from tronie.service.stored_json import read_mapping, read_report, read_uploads

STATES: tuple[State, ...] = get_args(State)
BROKEN = "What the table of jobs has of this job cannot be read; delete it and send the files once more."


def job_of(row: Any) -> StoredJob:
    """One whose row is broken has failed, and says so: it must not take the others of a list with it."""
    try:
        if row.state not in STATES:
            raise TableError("A job is in a state that there is not.")
        return StoredJob(
            id=row.id,
            client=row.client,
            state=row.state,
            settings=read_mapping(row.settings),
            uploads=read_uploads(row.uploads),
            created=row.created,
            place=row.place,
            attempts=row.attempts,
            started=row.started,
            ended=row.ended,
            expires=row.expires,
            reason=row.reason,
            result=row.result,
            report=None if row.report is None else read_report(row.report),
            parent=row.parent,
        )
    except TableError:
        return StoredJob(
            id=row.id,
            client=row.client,
            state="failed",
            settings={},
            uploads=(),
            created=row.created,
            ended=row.ended or row.created,
            expires=row.expires,
            reason=BROKEN,
            parent=row.parent,
        )


def clean(text: str | None) -> str | None:
    """Text that every database takes: names of files may hold zero bytes and halves of letters."""
    return None if text is None else text.replace("\0", "").encode("utf-8", "replace").decode()


def digest(key: str) -> str:
    """Of an idempotency key, which may be of any length and of any signs."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()
