"""The reference as pages: every command with its options, all names of `tronie`, the records that are written.

docs/make_site.py puts them into the site; nothing of them is kept in the repository.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import typer

import tronie
from tronie.cli.app import app

MARKUP = re.compile(r"\[/?(?:dim|bold|italic|cyan|green|yellow|red)\]")
GROUPS = {
    "One call": ("reconstruct", "reconstruct_person", "reconstruct_video", "save", "load_head", "draw"),
    "For many": ("Pipeline", "Live", "Settings", "Job", "Event", "StageBegan", "Advanced", "StageEnded"),
    "Errors": ("TronieError", "InputError", "OutputError", "WeightsError", "Cancelled"),
}
"""Names of `tronie` by what they are for; all others are nouns."""
CONSTANTS = ("ARKIT_UNITS", "PROVENANCE", "__version__")


def reference(schemas: Path) -> dict[str, str]:
    """Name of a page -> its Markdown."""
    return {"commands.md": commands(), "python.md": python(), "records.md": records(schemas)}


# Commands


def commands() -> str:
    lines = ["# Commands", "", "What `--help` says of each, as a page.", ""]
    for path, command in walk(typer.main.get_command(app), ("tronie",)):
        lines += [f"## `{' '.join(path)}`", "", *described(path, command)]
    return "\n".join(lines)


def walk(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    below = [one for name, sub in getattr(command, "commands", {}).items() for one in walk(sub, (*path, name))]
    return [(path, command), *below]


def described(path: tuple[str, ...], command: Any) -> list[str]:
    arguments = [value_of(param) for param in command.params if param.param_type_name == "argument"]
    usage = " ".join([*path, *(["COMMAND"] if getattr(command, "commands", None) else []), "[OPTIONS]", *arguments])
    lines = [said(command.help), "", "```text", usage, "```", ""]
    panels: dict[str, list[str]] = {}
    for param in command.params:
        if getattr(param, "hidden", False) and not param.help:
            continue
        panel = getattr(param, "rich_help_panel", None) or (
            "Arguments" if param.param_type_name == "argument" else "Options"
        )
        panels.setdefault(panel, []).append(f"| {name_of(param)} | {cell(said(param.help))} |")
    for panel, rows in panels.items():
        lines += [f"| {panel} | |", "|---|---|", *rows, ""]
    if command.epilog:
        lines += [said(command.epilog), ""]
    return lines


def name_of(param: Any) -> str:
    if param.param_type_name == "argument":
        return f"`{cell(value_of(param))}`"
    names = ", ".join(f"`{name}`" for name in (*param.opts, *param.secondary_opts))
    return names if param.is_flag else f"{names} `{cell(value_of(param))}`"


def value_of(param: Any) -> str:
    return param.metavar or ("VALUE" if param.param_type_name == "option" else param.name.upper())


def said(text: str | None) -> str:
    return MARKUP.sub("", text or "").replace("\\[", "[").strip()


def cell(text: str) -> str:
    """Text for a table: no bar may end its cell, and no line."""
    return " ".join(text.split()).replace("|", "\\|")


# Python


def python() -> str:
    lines = ["# Python", "", "All that `tronie` offers. [A tour](../python.md) shows it at work.", ""]
    grouped = {name for names in GROUPS.values() for name in names}
    nouns = tuple(name for name in tronie.__all__ if name not in grouped and name not in CONSTANTS)
    for title, names in (GROUPS | {"Nouns": nouns}).items():
        lines += [f"## {title}", "", *(f"::: {home(name)}\n" for name in names)]
    lines += ["## Names and numbers", "", f"`tronie.__version__` is `{tronie.__version__}`.", ""]
    lines += ["`tronie.ARKIT_UNITS`, in this order:", "", ", ".join(f"`{name}`" for name in tronie.ARKIT_UNITS), ""]
    lines += ["`tronie.PROVENANCE`, the numbers of provenance.png:", "", "| number | name |", "|---|---|"]
    lines += [f"| {number} | {name} |" for number, name in enumerate(tronie.PROVENANCE)]
    return "\n".join([*lines, ""])


def home(name: str) -> str:
    """Where a name is written, by its whole path."""
    return f"{tronie._HOME[name]}.{name}"


# Records


def records(schemas: Path) -> str:
    lines = [
        "# Records",
        "",
        "Every field of the JSON files. Where they lie and what goes with them: [files](../files.md).",
        "",
    ]
    for file in sorted(schemas.glob("*.schema.json")):
        schema = json.loads(file.read_text(encoding="utf-8"))
        lines += [f"## {file.name.removesuffix('.schema.json')}", "", f"[{file.name}](../schemas/{file.name})", ""]
        if "properties" in schema:
            lines += fields(schema)
        for name, part in schema.get("$defs", {}).items():
            if "properties" in part:
                lines += [f"### {name}", "", *fields(part)]
    return "\n".join(lines)


def fields(part: dict[str, Any]) -> list[str]:
    rows = [
        f"| `{name}` | {cell(type_of(field))} | {cell(field.get('description', ''))} |"
        for name, field in part["properties"].items()
    ]
    return [cell(part.get("description", "")), "", "| field | type | |", "|---|---|---|", *rows, ""]


def type_of(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return field["$ref"].rsplit("/", 1)[-1]
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if "anyOf" in field or "oneOf" in field:
        return " or ".join(type_of(one) for one in field.get("anyOf") or field["oneOf"])
    kind = field.get("type", "any")
    if kind == "array":
        return f"list of {type_of(field.get('items', {}))}"
    return str(kind)
