"""What the job table is asked: nothing here changes it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa

from tronie.service import job_order
from tronie.service.database import EVENTS, JOBS, WORKERS, clear_errors, clock
from tronie.service.stored import ENDED, News, SeenWorker, State, StoredJob, TableError
from tronie.service.stored_json import read_mapping
from tronie.service.stored_rows import STATES, digest, job_of

AT_ONCE = 200
"""Jobs whose events are fetched with one statement; SQLite takes no endless ones."""


class JobReader:
    """See JobTable, which is one."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._now = clock(engine)

    def close(self) -> None:
        self._engine.dispose()

    def get(self, id: str, client: str | None = None) -> StoredJob | None:
        """With a client: None for a job of somebody else."""
        mine = JOBS.c.client == client if client is not None else sa.true()
        with self._reading() as connection:
            return next(iter(self._jobs(connection, JOBS.c.id == id, mine)), None)

    def repeated(self, client: str, key: str) -> StoredJob | None:
        """The job that the client added under this key before."""
        with self._reading() as connection:
            return next(iter(self._jobs(connection, JOBS.c.client == client, JOBS.c.key == digest(key))), None)

    def recent(
        self, client: str, *, limit: int = 50, before: str | None = None, children: bool = False
    ) -> list[StoredJob]:
        """The newest first, older than job `before`; those that have a parent only with `children`."""
        where = [JOBS.c.client == client]
        if not children:
            where.append(JOBS.c.parent.is_(None))
        with self._reading() as connection:
            if before is not None:
                known = sa.select(JOBS.c.created).where(JOBS.c.id == before, JOBS.c.client == client)
                if (created := connection.scalar(known)) is None:
                    return []
                older = sa.and_(JOBS.c.created == created, JOBS.c.id < before)
                where.append(sa.or_(JOBS.c.created < created, older))
            return self._jobs(connection, *where, limit=limit)

    def events(self, id: str, after: int = 0, limit: int = 500) -> list[tuple[int, dict[str, Any]]]:
        """Those with greater numbers than `after`; the first one's is 1."""
        query = sa.select(EVENTS.c.number, EVENTS.c.data).where(EVENTS.c.job == id, EVENTS.c.number > after)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(EVENTS.c.number).limit(limit)).all()
        return [(row.number, dict(read_mapping(row.data))) for row in rows]

    def news(self, after: Mapping[str, int], limit: int = 2000) -> dict[str, News]:
        """Of many jobs at once: how each stands, and what it has told behind the number that is given with it. What is
        not there any more is left out. A job that has ended has told all that it ever will unless there is `more`."""
        if not after:
            return {}
        places = job_order.places()
        columns = JOBS.c.id, JOBS.c.state, JOBS.c.told, JOBS.c.reason, places.c.place
        stands = sa.select(*columns).select_from(JOBS.outerjoin(places, places.c.id == JOBS.c.id))
        told = sa.select(EVENTS.c.job, EVENTS.c.number, EVENTS.c.data)
        with self._reading() as connection:
            rows = connection.execute(stands.where(JOBS.c.id.in_(after))).all()
            wanted = [
                sa.and_(EVENTS.c.job == row.id, EVENTS.c.number > after[row.id], EVENTS.c.number <= row.told)
                for row in rows
                if row.told > after[row.id]
            ]
            found: dict[str, list[tuple[int, Mapping[str, Any]]]] = {row.id: [] for row in rows}
            if wanted:
                query = told.where(sa.or_(*wanted[:AT_ONCE])).order_by(EVENTS.c.job, EVENTS.c.number).limit(limit)
                for job, number, data in connection.execute(query):
                    found[job].append((number, _readable(data)))
        return {
            row.id: News(
                row.state if row.state in STATES else "failed",
                row.place,
                row.reason,
                tuple(found[row.id]),
                more=row.told > (found[row.id][-1][0] if found[row.id] else after[row.id]),
            )
            for row in rows
        }

    def workers(self, within: float) -> list[SeenWorker]:
        """Those heard of in the last seconds."""
        query = sa.select(WORKERS).where(WORKERS.c.seen >= self._now - within).order_by(WORKERS.c.name)
        with self._reading() as connection:
            return [SeenWorker(*row) for row in connection.execute(query)]

    def family(self, id: str) -> list[str]:
        """The job, if it is there, and its children."""
        with self._reading() as connection:
            return list(connection.scalars(sa.select(JOBS.c.id).where(sa.or_(JOBS.c.id == id, JOBS.c.parent == id))))

    def expired(self) -> list[str]:
        """Jobs whose time is over; of those whose files are used again the children's too."""
        child = JOBS.alias()
        used = sa.or_(child.c.expires.is_(None), child.c.expires >= self._now)
        in_use = sa.exists().where(child.c.parent == JOBS.c.id, used)
        with self._reading() as connection:
            return list(connection.scalars(sa.select(JOBS.c.id).where(JOBS.c.expires < self._now, ~in_use)))

    def oldest(self, limit: int = 100) -> list[str]:
        """Jobs that have ended, with all that use their files: those first that ended first."""
        child = JOBS.alias()
        in_use = sa.exists().where(child.c.parent == JOBS.c.id, child.c.state.not_in(ENDED))
        query = sa.select(JOBS.c.id).where(JOBS.c.state.in_(ENDED), ~in_use).order_by(JOBS.c.ended, JOBS.c.id)
        with self._reading() as connection:
            return list(connection.scalars(query.limit(limit)))

    def ids(self) -> set[str]:
        return set(self.folders())

    def folders(self) -> dict[str, frozenset[str]]:
        """Of all jobs: the folders of attempts that are in use or published."""
        query = sa.select(JOBS.c.id, JOBS.c.token, JOBS.c.result)
        with self._reading() as connection:
            return {id: frozenset(filter(None, names)) for id, *names in connection.execute(query)}

    def counts(self) -> dict[State, int]:
        query = sa.select(JOBS.c.state, sa.func.count()).group_by(JOBS.c.state)
        with self._reading() as connection:
            found = {row[0]: row[1] for row in connection.execute(query)}
        return {state: found.get(state, 0) for state in STATES}

    def durations(self) -> list[tuple[float, float]]:
        """Of the jobs that are done: seconds that each waited, and that it took then."""
        query = sa.select(JOBS.c.started - JOBS.c.created, JOBS.c.ended - JOBS.c.started).where(JOBS.c.state == "done")
        with self._reading() as connection:
            return [(waited, took) for waited, took in connection.execute(query)]

    def stored_bytes(self) -> int:
        """Of uploads and results."""
        total = sa.select(sa.func.coalesce(sa.func.sum(JOBS.c.upload_bytes + JOBS.c.result_bytes), 0))
        with self._reading() as connection:
            return int(connection.execute(total).scalar_one())

    @contextmanager
    def _reading(self) -> Iterator[sa.Connection]:
        with clear_errors(self._engine), self._engine.begin() as connection:
            yield connection

    def _jobs(
        self, connection: sa.Connection, *where: sa.ColumnElement[bool], limit: int | None = None
    ) -> list[StoredJob]:
        """The newest first."""
        places = job_order.places()
        query = sa.select(JOBS, places.c.place).select_from(JOBS.outerjoin(places, places.c.id == JOBS.c.id))
        query = query.where(*where).order_by(JOBS.c.created.desc(), JOBS.c.id.desc()).limit(limit)
        return [job_of(row) for row in connection.execute(query)]


def _readable(data: str) -> Mapping[str, Any]:
    """One event that is broken must not take the others of all streams with it."""
    try:
        return read_mapping(data)
    except TableError:
        return {"event": "problem", "text": "An event of this job cannot be read."}
