"""The table of jobs, by which servers and workers know of each other.

A worker claims a job for a while (a lease) under a token and renews that; who does not is thought dead, and its job is
begun again. Every word of a worker on its job names the token, so that one that is only slow can do no harm. Times are
those of the database. Every method may raise TableError. `database` has the tables, `job_order` whose turn it is.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, Literal

import sqlalchemy as sa

from tronie.errors import InputError
from tronie.service import job_order
from tronie.service.database import EVENTS, JOBS, PATIENCE, WORKERS, clear_errors, open_database
from tronie.service.job_reader import JobReader
from tronie.service.stored import ENDED, Claim, NewJob, QueueFull, Report, State, StoredJob
from tronie.service.stored_json import json_of, report_json, uploads_json
from tronie.service.stored_rows import clean, digest

LOST = "The process that worked on this job ended unexpectedly"
AGAIN = f"{LOST}; it is begun once more."
GIVEN_UP = f"{LOST}, {{}}; perhaps the machine has too little memory for these files."
GONE = "The job whose files are to be used again is not there any more; send the files once more."
DAY = 24 * 3600


class JobTable(JobReader):
    """Any thread may use it; every process opens its own."""

    def __init__(self, engine: sa.Engine, retention: float, attempts: int) -> None:
        super().__init__(engine)
        self.retention, self.attempts = retention, attempts
        """Where no other is given: seconds that an ended job is kept, and how often a job is begun."""
        self._write = engine.execution_options(write=True)
        # SQLite has one writer at a time, and those who wait for it ask now and then: threads had better queue.
        self._one_writer = threading.Lock() if engine.dialect.name == "sqlite" else nullcontext()

    @classmethod
    def open(cls, url: str, *, retention: float = DAY, attempts: int = 2) -> JobTable:
        """Makes what is missing. `url` as ServiceConfig.database_url gives it."""
        return cls(open_database(url), retention, attempts)

    def add(self, new: NewJob, *, key: str | None, most: int, most_each: int) -> tuple[StoredJob, bool]:
        """The job, queued; with False the one that the client added before under the same key.

        Raises QueueFull where so many wait, of everybody or of this client, and InputError for a parent that is gone.
        """
        with self._writing() as connection:
            held = job_order.hold(connection)
            if key is not None:
                same = JOBS.c.client == new.client, JOBS.c.key == digest(key)
                if known := self._jobs(connection, *same):
                    return known[0], False
            parent = new.parent
            if parent is not None:
                mine = sa.select(JOBS.c.id, JOBS.c.parent).where(JOBS.c.id == parent, JOBS.c.client == new.client)
                if (row := connection.execute(mine).one_or_none()) is None:
                    raise InputError(GONE)
                parent = row.parent or row.id  # that has the files
            count = sa.select(sa.func.count()).where(job_order.QUEUED)
            if connection.execute(count.where(JOBS.c.client == new.client)).scalar_one() >= most_each:
                raise QueueFull(f"{most_each} of your jobs are waiting already; wait until some of them are done.")
            if connection.execute(count).scalar_one() >= most:
                raise QueueFull("Too many jobs are waiting already; try again later.")
            connection.execute(
                sa.insert(JOBS).values(
                    id=new.id,
                    client=new.client,
                    key=None if key is None else digest(key),
                    parent=parent,
                    state="queued",
                    turn=job_order.next_turn(connection, new.client, held),
                    created=self._now,
                    upload_bytes=0 if parent else sum(upload.bytes for upload in new.uploads),
                    settings=json_of(new.settings),
                    uploads=uploads_json(new.uploads),
                )
            )
            return self._jobs(connection, JOBS.c.id == new.id)[0], True

    def claim(self, worker: str, lease: float, attempts: int) -> Claim | None:
        """The job whose turn it is. Jobs whose worker let its lease run out are taken back first."""
        stale = sa.and_(JOBS.c.state == "running", JOBS.c.lease < self._now)
        with self._reading() as connection:  # workers ask often, and mostly in vain
            if not connection.scalar(sa.select(sa.exists().where(sa.or_(job_order.QUEUED, stale)))):
                return None
        with self._writing() as connection:
            held = job_order.hold(connection)
            self._take_back(connection, stale, attempts)
            while (row := connection.execute(job_order.first_in_order()).one_or_none()) is not None:
                token = secrets.token_urlsafe(16)
                if row.started is None:  # who is served once more for the same job keeps the place it had
                    job_order.serve(connection, row.client, row.turn, held)
                connection.execute(
                    sa.update(JOBS)
                    .where(JOBS.c.id == row.id)
                    .values(
                        state="running",
                        token=token,
                        worker=worker,
                        lease=self._now + lease,
                        attempts=row.attempts + 1,
                        started=self._now,
                    )
                )
                job = self._jobs(connection, JOBS.c.id == row.id)[0]
                if job.state == "running":
                    return Claim(job, token)
                self._end(connection, JOBS.c.id == row.id, "failed", job.reason)  # its row is broken
        return None

    def renew(self, claim: Claim, lease: float) -> Literal["go", "cancelled", "lost"]:
        """Keep the job. `lost`: it is somebody else's or nobody's; `cancelled`: it is to be finished as that."""
        with self._writing() as connection:
            update = sa.update(JOBS).where(_owned(claim)).values(lease=self._now + lease).returning(JOBS.c.stop)
            stop = connection.scalar(update)
        return "lost" if stop is None else "cancelled" if stop else "go"

    def tell(self, claim: Claim, events: Sequence[Mapping[str, Any]]) -> bool:
        """Append them to the job's events. False: the job is lost."""
        lines = [json_of(dict(event)) for event in events]
        with self._writing() as connection:
            return self._tell(connection, _owned(claim), lines)

    def finish(
        self,
        claim: Claim,
        state: State,
        *,
        reason: str | None = None,
        report: Report | None = None,
        retention: float,
    ) -> bool:
        """End the job; `done` publishes the folder that has the token's name. False: the job is lost, and the caller
        removes what it made. May be said again where the database was gone before it had answered."""
        if state not in ENDED:
            raise ValueError(f"a job does not end as {state}")
        made = {
            "report": None if report is None else report_json(report),
            "result": claim.token if state == "done" else None,
            "result_bytes": report.bytes if report is not None and state == "done" else 0,
        }
        with self._writing() as connection:
            job_order.hold(connection)
            if not self._end(connection, _owned(claim), state, reason, retention, **made):
                published = sa.exists().where(JOBS.c.id == claim.job.id, JOBS.c.result == claim.token)
                return bool(connection.scalar(sa.select(published)))
            # The parent has the files: it stays as long.
            mine = sa.select(JOBS.c.expires).where(JOBS.c.id == claim.job.id).scalar_subquery()
            parent = sa.and_(JOBS.c.id == claim.job.parent, JOBS.c.expires < mine)
            connection.execute(sa.update(JOBS).where(parent).values(expires=mine))
            return True

    def cancel(self, id: str) -> bool:
        """A job that waits is ended at once, of one that runs the worker learns it. False: there is nothing to end."""
        with self._writing() as connection:
            job_order.hold(connection)
            waits = sa.and_(JOBS.c.id == id, job_order.QUEUED)
            job_order.step_out(connection, waits)
            if self._end(connection, waits, "cancelled", None):
                return True
            runs = sa.and_(JOBS.c.id == id, JOBS.c.state == "running")
            return bool(connection.execute(sa.update(JOBS).where(runs).values(stop=True)).rowcount)

    def delete(self, id: str, *, ended: bool = False) -> bool:
        """The job, its events and its children go; a worker that is at one of them learns that it is lost. False: it
        was not there, or one of them has not ended though only `ended` ones were to go."""
        family = sa.or_(JOBS.c.id == id, JOBS.c.parent == id)
        with self._writing() as connection:
            held = job_order.hold(connection)
            if ended and connection.scalar(sa.select(sa.exists().where(family, JOBS.c.state.not_in(ENDED)))):
                return False
            job_order.step_out(connection, family)
            gone = bool(connection.execute(sa.delete(JOBS).where(JOBS.c.id == id)).rowcount)
            job_order.forget_clients(connection, held)
            return gone

    def release(self, worker: str) -> int:
        """Take back what a worker had that is known to be dead; how many jobs those were."""
        with self._writing() as connection:
            job_order.hold(connection)
            connection.execute(sa.delete(WORKERS).where(WORKERS.c.name == worker))
            return self._take_back(connection, JOBS.c.worker == worker, self.attempts)

    def give_back(self, claim: Claim) -> bool:
        """Let another worker do the job, as if this attempt had not been. False: the job is lost."""
        with self._writing() as connection:
            job_order.hold(connection)
            if self._end(connection, sa.and_(_owned(claim), JOBS.c.stop), "cancelled", None):
                return True
            free = {"token": None, "worker": None, "lease": None}
            update = sa.update(JOBS).where(_owned(claim)).values(state="queued", attempts=JOBS.c.attempts - 1, **free)
            return bool(connection.execute(update).rowcount)

    def seen(self, worker: str, *, ready: bool, busy: bool, version: str) -> None:
        """A worker is alive."""
        row = {"seen": self._now, "ready": ready, "busy": busy, "version": version}
        with self._writing() as connection:
            if not connection.execute(sa.update(WORKERS).where(WORKERS.c.name == worker).values(**row)).rowcount:
                connection.execute(sa.insert(WORKERS).values(name=worker, **row))
                connection.execute(sa.delete(WORKERS).where(WORKERS.c.seen < self._now - DAY))

    def tidy(self) -> None:
        """Leave nothing of what was deleted in the log beside SQLite's file."""
        if self._engine.dialect.name != "sqlite":
            return
        with clear_errors(self._engine), self._engine.connect() as connection:
            driver: Any = connection.connection.dbapi_connection
            # Not worth it that anybody waits: the next round does it as well.
            driver.execute("PRAGMA busy_timeout=100")
            driver.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            driver.execute(f"PRAGMA busy_timeout={PATIENCE * 1000}")

    @contextmanager
    def _writing(self) -> Iterator[sa.Connection]:
        with self._one_writer, clear_errors(self._engine), self._write.begin() as connection:
            yield connection

    def _tell(self, connection: sa.Connection, where: sa.ColumnElement[bool], lines: Sequence[str]) -> bool:
        update = sa.update(JOBS).where(where).values(told=JOBS.c.told + len(lines)).returning(JOBS.c.id, JOBS.c.told)
        if (row := connection.execute(update).one_or_none()) is None:
            return False
        if lines:
            first = row.told - len(lines) + 1
            rows = [{"job": row.id, "number": first + i, "data": line} for i, line in enumerate(lines)]
            connection.execute(sa.insert(EVENTS), rows)
        return True

    def _take_back(self, connection: sa.Connection, where: sa.ColumnElement[bool], attempts: int) -> int:
        """End or begin again the running jobs of workers that are gone. They keep their turn, so they come next."""
        running = sa.and_(JOBS.c.state == "running", where)
        rows = connection.execute(sa.select(JOBS.c.id, JOBS.c.attempts, JOBS.c.stop).where(running).with_for_update())
        found = rows.all()
        for id, begun, stop in found:
            this = JOBS.c.id == id
            if stop:
                self._end(connection, this, "cancelled", None)
            elif begun >= attempts:
                times = "once" if begun == 1 else "twice" if begun == 2 else f"{begun} times"
                self._end(connection, this, "failed", GIVEN_UP.format(times))
            else:
                self._tell(connection, this, [json_of({"event": "note", "text": AGAIN})])
                free = {"token": None, "worker": None, "lease": None}
                connection.execute(sa.update(JOBS).where(this).values(state="queued", **free))
        return len(found)

    def _end(
        self,
        connection: sa.Connection,
        where: sa.ColumnElement[bool],
        state: State,
        reason: str | None,
        retention: float | None = None,
        **made: object,
    ) -> bool:
        expires = self._now + (self.retention if retention is None else retention)
        end = {"state": state, "ended": self._now, "expires": expires, "reason": clean(reason)}
        free = {"token": None, "worker": None, "lease": None, "stop": False}
        return bool(connection.execute(sa.update(JOBS).where(where).values(**end, **free, **made)).rowcount)


def _owned(claim: Claim) -> sa.ColumnElement[bool]:
    return sa.and_(JOBS.c.id == claim.job.id, JOBS.c.token == claim.token, JOBS.c.state == "running")
