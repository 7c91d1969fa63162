"""What was seen by eye in the photos that the net learns from: beards, glasses, headgear, bald heads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

Outline = tuple[tuple[float, float], ...]
"""Corners in pixels of the base (`bases.CANVAS` a side)."""


@dataclass(frozen=True)
class Note:
    beard: str = ""
    """`` nobody looked, `none`, `dark`, `grey`."""
    skip: bool = False
    """The teacher is too wrong to learn from."""
    has_glasses: bool = False
    """Also where no outline of them is given."""
    bald: bool = False
    """No hair at all."""
    glasses: tuple[Outline, ...] = ()
    covering: tuple[Outline, ...] = ()
    other: tuple[Outline, ...] = ()
    clothes: tuple[Outline, ...] = ()
    covered: bool = False
    """What of the head's outline is neither face nor named hair is its covering."""
    face: tuple[Outline, ...] = ()
    hair: tuple[Outline, ...] = ()
    no_hair: tuple[Outline, ...] = ()
    unknown: tuple[Outline, ...] = ()


def _read() -> dict[str, Note]:
    rows = json.loads(Path(__file__).with_name("notes.json").read_text())
    return {
        name: Note(**{k: v if isinstance(v, (str, bool)) else tuple(v) for k, v in row.items()})
        for name, row in rows.items()
    }


NOTES: dict[str, Note] = _read()
