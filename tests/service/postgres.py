"""Databases for tests of the service: files of SQLite, and a real PostgreSQL that is started for the tests from the
system's package, with nothing but a socket in a temporary folder to reach it by.

Tests that want them import the fixtures: `from postgres import each_database, running_postgres`.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest


def binaries() -> Path | None:
    """The folder of the newest server that there is."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found and (name := shutil.which("initdb")):
        found = [Path(name)]
    return found[-1].parent if found else None


@pytest.fixture(scope="session", name="postgres")
def running_postgres() -> Iterator[str]:
    """A running server: the URL of a database of it whose name is to be appended."""
    pytest.importorskip("psycopg")
    folder = binaries()
    if folder is None:
        pytest.skip("PostgreSQL is not installed")
    # It will not run as root.
    user = None
    if os.geteuid() == 0:
        names = {entry.pw_name for entry in pwd.getpwall()}
        user = next((name for name in ("postgres", "nobody") if name in names), None)
        if user is None:
            pytest.skip("PostgreSQL does not run as root, and there is nobody else to run it")
    home = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))  # a socket's path may not be long
    data = home / "data"
    try:
        if user is not None:
            os.chown(home, pwd.getpwnam(user).pw_uid, -1)
        rights = {} if user is None else {"user": user, "group": pwd.getpwnam(user).pw_gid, "extra_groups": []}
        subprocess.run(
            [folder / "initdb", "-D", data, "-U", "tronie", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C"],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            cwd=home,
            **rights,
        )
        options = ("fsync=off", "full_page_writes=off", "synchronous_commit=off", "max_connections=200")
        server = subprocess.Popen(
            [folder / "postgres", "-D", data, "-k", home, "-c", "listen_addresses=", *(f"-c{o}" for o in options)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=home,
            preexec_fn=_end_with_tests,
            **rights,
        )
        try:
            _wait(home, server)
            yield f"postgresql+psycopg://tronie@/{{}}?host={home}"
        finally:
            server.terminate()
            try:
                server.wait(5)
            except subprocess.TimeoutExpired:
                server.send_signal(signal.SIGQUIT)  # at once, without a farewell
                server.wait(10)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _end_with_tests() -> None:
    """However they end; elsewhere than on Linux the server stays where they are killed."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)


def _wait(home: Path, server: subprocess.Popen[bytes]) -> None:
    import psycopg

    end = time.monotonic() + 30
    while True:
        try:
            psycopg.connect(host=str(home), user="tronie", dbname="postgres").close()
            return
        except psycopg.OperationalError:
            if server.poll() is not None or time.monotonic() > end:
                raise
            time.sleep(0.05)


@pytest.fixture(params=["sqlite", "postgres"], name="database")
def each_database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of an empty database, of both kinds in turn."""
    pytest.importorskip("sqlalchemy")
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'jobs.sqlite3'}"
        return
    import psycopg

    server: str = request.getfixturevalue("postgres")
    home = server.rpartition("host=")[2]
    name = f"t{os.urandom(6).hex()}"
    with psycopg.connect(host=home, user="tronie", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0 STRATEGY file_copy")
        yield server.format(name)
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
