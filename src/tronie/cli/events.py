"""The option `--json events`."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperCommand


class Lines(StrEnum):
    """What lines of JSON are of."""

    events = "events"


JsonEvents = Annotated[
    Lines | None,
    typer.Option(
        "--json", metavar="events", show_default=False, help="A line of JSON for all that happens, on stdout."
    ),
]
"""Of commands that write no other JSON."""


class WithEvents(TyperCommand):
    """A command with the flags `--json` and `--json-events`, of which the second is written `--json events`: an option
    cannot be a flag and have a value, and `--json` was one before there were events."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        joined: list[str] = []
        for word in args:
            if word == "events" and joined[-1:] == ["--json"] and "--" not in joined:
                joined[-1] = "--json-events"
            else:
                joined.append("--json-events" if word == "--json=events" else word)
        return super().parse_args(ctx, joined)
