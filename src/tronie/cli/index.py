"""`tronie index`: all faces of a folder of outputs as one table."""

from __future__ import annotations

from pathlib import Path

import typer

from tronie.cli.say import count, say
from tronie.io.paths import is_address


def index_faces(out: str, file: Path | None) -> int:
    """Write the table; the exit code."""
    from tronie.jobs.bucket import place
    from tronie.jobs.index import FORMATS, write_index

    if file is None and is_address(out):
        raise typer.BadParameter(f"Say with -o into which file of this machine the faces of {out} are to be written.")
    file = Path(out) / "index.csv" if file is None else file
    if file.suffix.lower() not in FORMATS:
        raise typer.BadParameter(f"-o should end with {' or '.join(FORMATS)}, not {file.name!r}.")
    with place(out) as where:
        say(f"{file}  {count(write_index(where, file), 'face')}")
    return 0
