"""The command `tronie serve` and its options; what it does lies in the library."""

from __future__ import annotations

import logging
import os
import secrets
from pathlib import Path
from typing import Annotated, get_args

import typer

from tronie.settings import DeviceName

DEVICES = get_args(DeviceName)
LIMITS = "Limits"


def serve(
    host: Annotated[
        str, typer.Option(envvar="TRONIE_HOST", help="Address to listen on; others than this machine's want a token.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65535, envvar="TRONIE_PORT", help="Port to listen on; 0: any that is free.")
    ] = 8765,
    name: Annotated[
        list[str] | None,
        typer.Option("--name", metavar="HOST", help="Host name by which browsers come; may be given more than once."),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            envvar="TRONIE_DATA",
            metavar="FOLDER",
            show_default=False,
            help="Folder of uploads and results [dim](default: in your own folder of tronie's)[/dim]",
        ),
    ] = None,
    database: Annotated[
        str | None,
        typer.Option(
            envvar="TRONIE_DATABASE",
            metavar="URL",
            show_default=False,
            help="PostgreSQL database, for several machines [dim](default: SQLite in the folder)[/dim]",
        ),
    ] = None,
    database_file: Annotated[
        Path | None,
        typer.Option(
            envvar="TRONIE_DATABASE_FILE",
            metavar="FILE",
            show_default=False,
            help="The same from a file: the URL has a password in it.",
        ),
    ] = None,
    token: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TOKEN", show_default=False, help="Who uses it must know this; better given as TRONIE_TOKEN."
        ),
    ] = None,
    token_file: Annotated[
        Path | None,
        typer.Option(envvar="TRONIE_TOKEN_FILE", metavar="FILE", help="Tokens, one a line.", show_default=False),
    ] = None,
    workers: Annotated[
        int, typer.Option("--workers", "-j", min=0, max=64, envvar="TRONIE_WORKERS", help="Processes that do jobs.")
    ] = 1,
    device: Annotated[
        str, typer.Option(metavar="|".join(DEVICES), show_default=False, envvar="TRONIE_DEVICE", help="Where nets run.")
    ] = "auto",
    worker: Annotated[
        bool, typer.Option("--worker", help="No page: only do jobs of a database that other machines fill.")
    ] = False,
    open_: Annotated[bool, typer.Option("--open", help="Open the page in the browser.")] = False,
    retention: Annotated[
        float,
        typer.Option(min=0.001, metavar="HOURS", envvar="TRONIE_RETENTION", help="Jobs are deleted so long after."),
    ] = 24,
    quota: Annotated[
        float, typer.Option(min=0.01, metavar="GIGABYTES", envvar="TRONIE_QUOTA", help="All jobs together on disk.")
    ] = 10,
    max_megabytes: Annotated[
        float, typer.Option("--max-megabytes", min=0.01, rich_help_panel=LIMITS, help="Of the files of one job.")
    ] = 300,
    max_files: Annotated[int, typer.Option("--max-files", min=1, rich_help_panel=LIMITS, help="Of one job.")] = 20,
    max_megapixels: Annotated[
        float, typer.Option("--max-megapixels", min=0.01, rich_help_panel=LIMITS, help="Of one photo or frame.")
    ] = 120,
    max_seconds: Annotated[
        float, typer.Option("--max-seconds", min=0.1, rich_help_panel=LIMITS, help="Of one clip.")
    ] = 180,
    max_waiting: Annotated[
        int, typer.Option("--max-waiting", min=1, rich_help_panel=LIMITS, help="Jobs that wait, of everybody.")
    ] = 200,
    timeout: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="SECONDS",
            rich_help_panel=LIMITS,
            help="For a photo, a quarter more for each face after the first; for the next frame of a clip.",
        ),
    ] = 120,
    memory: Annotated[
        float,
        typer.Option(
            min=0.1,
            metavar="GIGABYTES",
            rich_help_panel=LIMITS,
            help="For reading a file; twice that for later steps, three times for a video.",
        ),
    ] = 2,
) -> None:
    """Serve a page that makes heads in the browser, and the same as an API (needs the extra [dim]web[/dim])."""
    from tronie.cli.say import plain, say
    from tronie.errors import InputError, TronieError
    from tronie.runtime import logs
    from tronie.runtime.inference import require
    from tronie.runtime.weights import home
    from tronie.service.config import MEGA, ServiceConfig
    from tronie.web.serve import is_loopback, open_page, work_only
    from tronie.web.serve import serve as begin

    if not logs.heard():
        logs.start(lambda line: say(line, problem=True), logging.WARNING)
    if database_file is not None:
        database = next(iter(_lines(database_file, "the database's URL")), None)
    if worker and database is None:
        say("--worker wants the --database that the server has.", problem=True)
        raise typer.Exit(2)
    tokens = _tokens(token or [], token_file)
    if not tokens and not worker and not is_loopback(host):
        tokens = (secrets.token_urlsafe(24),)
        say("Everybody who can reach this address could use it, so it wants this token, made for now; --token-file or")
        say("TRONIE_TOKEN keep one for good.")
    try:
        if device not in DEVICES:
            raise InputError(f"--device should be one of {', '.join(DEVICES)}, not {plain(device)}.")
        require(device)
    except TronieError as error:
        say(str(error), problem=True)
        raise typer.Exit(2) from None
    config = ServiceConfig(
        data=(data or home() / "service").absolute(),
        database=database,
        host=host,
        port=port,
        names=tuple(name or ()),
        device=device,
        tokens=tokens,
        workers=max(workers, 1) if worker else workers,
        retention=retention * 3600,
        quota=round(quota * 1000 * MEGA),
        max_bytes=round(max_megabytes * MEGA),
        max_files=max_files,
        max_megapixels=max_megapixels,
        max_seconds=max_seconds,
        max_waiting=max_waiting,
        max_waiting_each=min(max_waiting, 50),
        file_seconds=timeout,
        file_memory=memory,
    )
    try:
        work_only(config, say) if worker else begin(config, say, open_page if open_ else None)
    except TronieError as error:
        say(str(error), problem=True)
        raise typer.Exit(1) from None


def _tokens(given: list[str], file: Path | None) -> tuple[str, ...]:
    """Those of the command line, of the file and of TRONIE_TOKEN, each once."""
    from tronie.cli.say import say

    lines = [*given, os.environ.get("TRONIE_TOKEN", "")]
    if file is not None:
        lines += _lines(file, "tokens")
    tokens = tuple(dict.fromkeys(line.strip() for line in lines if line.strip()))
    if any(len(token) < 8 for token in tokens):
        say("A token should have eight signs or more, so that nobody guesses it.", problem=True)
        raise typer.Exit(2)
    return tokens


def _lines(file: Path, what: str) -> list[str]:
    """Of a file that holds a secret, without empty ones."""
    from tronie.cli.say import say

    try:
        return [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    except (OSError, ValueError):
        say(f"The file of {what} {file} cannot be read.", problem=True)
        raise typer.Exit(1) from None
