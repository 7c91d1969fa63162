"""`tronie blender-script`: the script of `tronie.export`, where Blender can reach it."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path

from tronie.cli.say import say


def write_script(file: Path, overwrite: bool) -> int:
    """Copy it to `file`, or to stdout for `-`; the exit code."""
    text = files("tronie.export").joinpath("tronie_blender_import.py").read_text(encoding="utf-8")
    if str(file) == "-":
        sys.stdout.write(text)
        return 0
    try:
        with open(file, "w" if overwrite else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        say(f"{file} is there already; --overwrite replaces it.", problem=True)
        return 1
    except OSError as error:
        say(f"Cannot write {file}: {error.strerror}.", problem=True)
        return 1
    say(str(file))
    return 0
