"""`tronie models` and `tronie doctor`: what is installed, and whether it works."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tronie.cli.say import plain, say, say_json

SIGNS = {"good": "✓", "warn": "!", "bad": "✗"}
WIDE = 165
"""Columns of a terminal in which the table of models to bring along fits; a licence must not be cut off."""
COLOURS = {"good": "green", "warn": "yellow", "bad": "bold red"}


def models(as_json: bool) -> int:
    """List the model files with their licences."""
    from tronie.importers.catalog import catalog
    from tronie.runtime.weights import store

    rows, bring = catalog()
    if as_json:
        say_json(rows + bring, indent=2)
        return 0
    rows, bring = (
        [{k: plain(v) if isinstance(v, str) else v for k, v in row.items()} for row in part] for part in (rows, bring)
    )
    console = _console()
    console.print(_table(rows))
    console.print("\nModels that you may bring along:", style="bold", highlight=False)
    if console.width >= WIDE:
        console.print(_table(bring, origin=True))
    for row in bring if console.width < WIDE else ():
        use = "allowed" if row["commercial_use"] else "not allowed"
        console.print(f"{row['name']}: {row['purpose']}" + _state(row), highlight=False)
        console.print(f"    {row['licence']}; commercial use {use}; {row['origin']}", soft_wrap=True, highlight=False)
    console.print(
        "\nDownload one yourself, then: tronie models import NAME FILE, and for a head: tronie models calibrate NAME. "
        f"Your own model files are kept in {store()}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )
    return 0


def _state(row: dict[str, Any]) -> str:
    if not row["installed"]:
        return ""
    return " (installed, not calibrated)" if row.get("calibrated") is False else " (installed)"


def _table(rows: list[dict[str, Any]], origin: bool = False) -> Any:
    """Models as a table; with `origin` where to get them."""
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("name", "what it is", "installed", "licence", "commercial use", *(["from"] if origin else [])):
        table.add_column(heading, no_wrap=heading in ("name", "installed", "from"))
    for row in rows:
        installed = "with tronie" if row["vendored"] else "yes" if row["installed"] else "no"
        if row.get("calibrated") is False and row["installed"]:
            installed = "not calibrated"
        table.add_row(
            row["name"],
            row["purpose"],
            f"{installed} {_size(row['bytes']):>7}".rstrip(),
            row["licence"],
            "allowed" if row["commercial_use"] else "not allowed",
            *([row["origin"]] if origin else []),
        )
    return table


def import_model(kind: str, file: Path, overwrite: bool) -> int:
    """Import a user's file and say what it is."""
    from tronie.importers import KINDS, import_file
    from tronie.importers.heads import families

    if kind in KINDS and (slow := KINDS[kind].slow):
        say(slow, problem=True)
    one = import_file(kind, file, overwrite=overwrite)
    say(f"{one.name}: {one.purpose}. {_size(one.bytes)} in {one.path}.")
    say(f"From {one.origin}, under {one.licence}.")
    if not one.commercial_use:
        say("Its licence allows no commercial use.")
    if one.kind in families():
        say(f"Next, once: tronie models calibrate {one.name} (about 15 minutes on two cores).")
    else:
        say(f"Use it with: tronie run PHOTO {KINDS[one.kind].use.format(name=one.name)}")
    return 0


def warm() -> int:
    """Compile all kernels, with a bar on a terminal, else a line for each step."""
    import time

    from tronie.cli.progress import progress_bar
    from tronie.cli.warm_up import STEPS, warmed

    began = time.monotonic()
    if sys.stderr.isatty():
        with progress_bar(sys.stderr) as bar:
            task, done = bar.add_task("kernels", total=len(STEPS)), iter(range(len(STEPS)))
            now = [""]

            def step(name: str) -> None:
                now[0] = name
                bar.update(task, completed=next(done), description=name)

            count = warmed(lambda kernel: bar.update(task, description=f"{now[0]}: {kernel}"), step)
    else:
        count = warmed(lambda kernel: None, lambda name: say(f"Compiling kernels: {name}", problem=True))
    seconds = time.monotonic() - began
    say(f"{count} kernels compiled and kept, in {seconds:.0f} s." if count else "All kernels are there.")
    return 0


def doctor(as_json: bool, self_test: bool) -> int:
    """Report on this machine; 1 if something does not work."""
    from tronie.cli.doctor import examine

    bad = False
    records: list[dict[str, Any]] = []
    console = None if as_json else _console()
    for check in examine(self_test=self_test):
        bad = bad or check.state == "bad"
        records.append(asdict(check))
        if console is not None:
            from rich.text import Text

            line = Text(f"{_sign(check.state)} ", style=COLOURS[check.state])
            line.append(f"{check.name}: ", style="bold").append(plain(check.text), style="not bold default")
            console.print(line, soft_wrap=True)
            if check.hint:
                console.print(f"  {plain(check.hint)}", soft_wrap=True, markup=False, highlight=False)
    if console is None:
        say_json({"ready": not bad, "checks": records}, indent=2)
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
    return Console(markup=False) if sys.stdout.isatty() else Console(width=200, markup=False)
