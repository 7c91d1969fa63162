"""`tronie blender-script`: the script beside `tronie.rig`, where Blender can reach it."""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path


def write_script(file: Path, overwrite: bool) -> int:
    """Copy it to `file`, or to stdout for `-`; the exit code."""
    text = files("tronie.rig").joinpath("tronie_blender_import.py").read_text(encoding="utf-8")
    if str(file) == "-":
        sys.stdout.write(text)
        return 0
    try:
        with open(file, "w" if overwrite else "x", encoding="utf-8") as out:
            out.write(text)
    except FileExistsError:
        print(f"{file} is there already; --overwrite replaces it.", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"Cannot write {file}: {error.strerror}.", file=sys.stderr)
        return 1
    print(file)
    return 0
