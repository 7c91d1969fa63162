"""The project's common commands, each in an environment of its own: `nox --list` shows them, CONTRIBUTING.md explains.

What follows `--` goes to the tool that a session runs: `nox -s tests-3.12 -- tests/io -x`.
"""

from __future__ import annotations

import nox

nox.needs_version = ">=2024.4.15"
nox.options.sessions = ["lint", "tests"]
nox.options.error_on_missing_interpreters = False

PYTHONS = ["3.11", "3.12", "3.13"]


@nox.session
def lint(session: nox.Session) -> None:
    """Style, format and types: what has to be clean before anything lands."""
    session.install(".[test]")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """The tests, on every Python that there is of those supported."""
    session.install(".[test]")
    session.run("pytest", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """Long tests, with all extras that they can use."""
    session.install(".[test,dlib,train,usd,jxl]")
    session.run("pytest", "-m", "slow", *session.posargs)


@nox.session
def speed(session: nox.Session) -> None:
    """How fast it is here: the figures of the README."""
    session.install(".[test]")
    session.run("python", "-m", "benchmarks.speed", *session.posargs)


@nox.session
def fuzz(session: nox.Session) -> None:
    """Files that are nearly right, for everything that reads files; `-- --seconds 60` for long."""
    session.install(".[test]")
    session.run("python", "-m", "fuzz", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """What README.md and docs/ show runs, and the site can be built of them."""
    session.install(".[test,docs]")
    session.run("pytest", "tests/docs", *session.posargs)
    session.run("python", "-m", "docs.make_site")
