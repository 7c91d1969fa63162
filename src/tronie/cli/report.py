"""`tronie models` and `tronie doctor`: what is installed, and whether it works."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

SIGNS = {"good": "✓", "warn": "!", "bad": "✗"}
COLOURS = {"good": "green", "warn": "yellow", "bad": "bold red"}


def models(as_json: bool) -> int:
    """List the model files with their licences."""
    from tronie.imports import imported
    from tronie.weights import WEIGHTS, location, present, store

    rows = [
        asdict(weight) | {"installed": present(name), "path": str(location(weight))} for name, weight in WEIGHTS.items()
    ]
    rows += [
        asdict(one) | {"file": one.path.name, "installed": True, "vendored": False, "path": str(one.path)}
        for one in imported().values()
    ]
    if as_json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, justify in (
        ("name", "left"), ("what for", "left"), ("installed", "left"), ("size", "right"), ("licence", "left"),
        ("commercial use", "left"),
    ):  # fmt: skip
        table.add_column(heading, justify=justify, no_wrap=heading in ("name", "size"))  # type: ignore[arg-type]
    for row in rows:
        installed = "with tronie" if row["installed"] and row["vendored"] else "yes" if row["installed"] else "no"
        table.add_row(
            row["name"], row["purpose"], installed, _size(row["bytes"]),
            row["licence"], "allowed" if row["commercial_use"] else "not allowed",
        )  # fmt: skip
    console = _console()
    console.print(table)
    console.print(f"\nYour own model files belong in {store()}", soft_wrap=True, highlight=False, markup=False)
    return 0


def import_model(kind: str, file: Path, overwrite: bool) -> int:
    """Import a user's file and say what it is."""
    from tronie.imports import import_file

    one = import_file(kind, file, overwrite=overwrite)
    print(f"{one.name}: {one.purpose}. {_size(one.bytes)} in {one.path}")
    print(f"From {one.origin}, under {one.licence}.")
    if not one.commercial_use:
        print("Its licence allows no commercial use.")
    print(f"Use it with: tronie run PHOTO --enhance {one.name}")
    return 0


def doctor(as_json: bool, self_test: bool) -> int:
    """Report on this machine; 1 if something does not work."""
    from tronie.doctor import examine

    bad = False
    records: list[dict[str, Any]] = []
    console = None if as_json else _console()
    for check in examine(self_test=self_test):
        bad = bad or check.state == "bad"
        records.append(asdict(check))
        if console is not None:
            from rich.text import Text

            line = Text(f"{_sign(check.state)} ", style=COLOURS[check.state])
            line.append(f"{check.name}: ", style="bold").append(check.text, style="not bold default")
            console.print(line, soft_wrap=True)
            if check.hint:
                console.print(f"  {check.hint}", soft_wrap=True, markup=False, highlight=False)
    if console is None:
        print(json.dumps({"ready": not bad, "checks": records}, indent=2, ensure_ascii=False))
    else:
        console.print("Something does not work: see above." if bad else "Ready.", style="bold")
    return int(bad)


def _size(count: int) -> str:
    """Bytes for people; nothing where the size is not fixed."""
    return "" if not count else f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def _sign(state: str) -> str:
    """The state's sign, or a letter where the terminal cannot show it."""
    try:
        SIGNS[state].encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return {"good": "+", "warn": "!", "bad": "X"}[state]
    return SIGNS[state]


def _console() -> Any:
    from rich.console import Console

    # Into a file or pipe the lines keep their full length.
    return Console() if sys.stdout.isatty() else Console(width=200)
