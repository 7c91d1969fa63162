"""`tronie index`: all faces of a folder of outputs as one table."""

from __future__ import annotations

from pathlib import Path

import typer

from tronie.cli.say import count, say


def index_faces(out: Path, file: Path | None) -> int:
    """Write the table; the exit code."""
    from tronie.jobs.index import FORMATS, write_index

    file = out / "index.csv" if file is None else file
    if file.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"-o should end with {' or '.join(FORMATS)}, not {file.name!r}.")
    say(f"{file}  {count(write_index(out, file), 'face')}")
    return 0
