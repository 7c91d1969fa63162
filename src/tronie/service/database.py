"""The database of the web service's queue: its tables, how it is opened, its clock. SQLite or PostgreSQL."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, SQLAlchemyError

from tronie.service.stored import TableError

VERSION = 1
"""Of the tables. Raise it with every change of them."""
PATIENCE = 30
"""Seconds that a process waits for the others to let go of what it wants."""
LOCK = 0x74726F6E6965
"""PostgreSQL's advisory lock under which the tables are made."""

METADATA = sa.MetaData()
QUEUE = sa.Table(
    "tronie_queue",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("claims", sa.BigInteger, nullable=False),
)
"""One row. Whoever changes the order of the jobs holds it: the turn that is served, and how often one was claimed."""
CLIENTS = sa.Table(
    "tronie_clients",
    METADATA,
    sa.Column("client", sa.Text, primary_key=True),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("served", sa.BigInteger, nullable=False),
)
"""The turn of a client's last job, and at which claim it was served last (or came): those of one turn go by that."""
JOBS = sa.Table(
    "tronie_jobs",
    METADATA,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("client", sa.Text, nullable=False),
    sa.Column("key", sa.Text),
    sa.Column("parent", sa.ForeignKey("tronie_jobs.id", ondelete="CASCADE"), index=True),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("turn", sa.BigInteger, nullable=False),
    sa.Column("attempts", sa.Integer, nullable=False, default=0),
    sa.Column("created", sa.Double, nullable=False),
    sa.Column("started", sa.Double),
    sa.Column("ended", sa.Double),
    sa.Column("expires", sa.Double),
    sa.Column("token", sa.Text),
    sa.Column("worker", sa.Text),
    sa.Column("lease", sa.Double),
    sa.Column("stop", sa.Boolean, nullable=False, default=False),
    sa.Column("told", sa.BigInteger, nullable=False, default=0),
    sa.Column("upload_bytes", sa.BigInteger, nullable=False),
    sa.Column("result_bytes", sa.BigInteger, nullable=False, default=0),
    sa.Column("reason", sa.Text),
    sa.Column("result", sa.Text),
    sa.Column("settings", sa.Text, nullable=False),
    sa.Column("uploads", sa.Text, nullable=False),
    sa.Column("report", sa.Text),
    sa.UniqueConstraint("client", "key"),
    sa.Index("tronie_jobs_order", "state", "turn"),
    sa.Index("tronie_jobs_recent", "client", "created"),
)
"""`lease`: until when; `stop`: somebody wants it to end; `told`: the number of its last event."""
EVENTS = sa.Table(
    "tronie_events",
    METADATA,
    sa.Column("job", sa.ForeignKey("tronie_jobs.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("number", sa.BigInteger, primary_key=True, autoincrement=False),
    sa.Column("data", sa.Text, nullable=False),
)
WORKERS = sa.Table(
    "tronie_workers",
    METADATA,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("seen", sa.Double, nullable=False),
    sa.Column("ready", sa.Boolean, nullable=False),
    sa.Column("busy", sa.Boolean, nullable=False),
    sa.Column("version", sa.Text, nullable=False),
)


def open_database(url: str) -> sa.Engine:
    """The database, with its tables. Raises TableError."""
    engine = _engine(url)
    began = time.monotonic()
    while True:
        try:
            with clear_errors(engine):
                _prepare(engine)
            return engine
        except TableError as error:
            # While one process turns SQLite's write-ahead log on, others are sent away at once rather than made wait.
            if "is locked" not in str(error.__cause__) or time.monotonic() - began > PATIENCE:
                engine.dispose()
                raise
            time.sleep(0.05)


def clock(engine: sa.Engine) -> sa.ColumnElement[float]:
    """Seconds since 1970, as the database has them now."""
    if engine.dialect.name == "sqlite":
        return sa.literal_column("((julianday('now') - 2440587.5) * 86400.0)", sa.Double)
    return sa.literal_column("CAST(extract(epoch FROM clock_timestamp()) AS double precision)", sa.Double)


@contextmanager
def clear_errors(engine: sa.Engine) -> Iterator[None]:
    """What goes wrong with the database, as one sentence."""
    try:
        yield
    except SQLAlchemyError as error:
        where = engine.url.render_as_string(hide_password=True)
        said = " ".join(str(getattr(error, "orig", None) or error).split()).rstrip(".")[:300]
        raise TableError(f"The database {where} cannot be used: {said}.") from error


def _engine(url: str) -> sa.Engine:
    try:
        parsed = sa.make_url(url)
        kind = parsed.get_backend_name()
        if kind == "postgresql":
            engine = sa.create_engine(
                parsed.set(drivername="postgresql+psycopg"),
                isolation_level="READ COMMITTED",
                pool_pre_ping=True,
                pool_size=8,
                max_overflow=24,
                connect_args={"connect_timeout": 10, "application_name": "tronie"},
            )
            sa.event.listen(engine, "connect", _bound)
        elif kind == "sqlite" and parsed.database:
            _private_file(Path(parsed.database))
            engine = sa.create_engine(parsed, pool_size=32, max_overflow=32, connect_args={"timeout": PATIENCE})
            sa.event.listen(engine, "connect", _set_up)
            sa.event.listen(engine, "begin", _begin)
        else:
            raise TableError("The queue wants a PostgreSQL database (postgresql://...), or none for a file of its own.")
    except ImportError:
        raise TableError(
            "PostgreSQL wants a driver that is not installed: run `pip install 'tronie[postgres]'`."
        ) from None
    except (ArgumentError, NoSuchModuleError):
        raise TableError("That is no URL of a database; it should be like postgresql://user@host/name.") from None
    return engine


def _private_file(path: Path) -> None:
    """Nobody else may read it; what SQLite makes beside it follows."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        path.chmod(0o600)
    except OSError as error:
        raise TableError(f"The database {path} cannot be used: {(error.strerror or str(error)).lower()}.") from error


def _bound(connection: Any, _record: object) -> None:
    # A machine that vanishes in the middle of a transaction must not keep what it held from the others.
    connection.execute(f"SET idle_in_transaction_session_timeout = '{PATIENCE}s'")
    connection.execute(f"SET lock_timeout = '{PATIENCE}s'")
    connection.commit()


def _set_up(connection: Any, _record: object) -> None:
    # Transactions are begun by `_begin`, not by Python's driver when it thinks fit.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout={PATIENCE * 1000}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "secure_delete=ON",  # who deletes a job wants nothing of it to stay in the file
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin(connection: sa.Connection) -> None:
    # A transaction that only becomes a writer later would fail instead of waiting.
    write = connection.get_execution_options().get("write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _prepare(engine: sa.Engine) -> None:
    with engine.execution_options(write=True).begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
        METADATA.create_all(connection)
        version = connection.scalar(sa.select(QUEUE.c.version))
        if version is None:
            connection.execute(sa.insert(QUEUE).values(id=1, version=VERSION, turn=0, claims=0))
        elif version != VERSION:
            age = "a newer" if version > VERSION else "an older"
            what = "update this one" if version > VERSION else "give a new, empty one"
            raise TableError(f"The database of the queue was made by {age} version of tronie; {what}.")
