"""Observations as plain arrays in a file, so that a photo goes through detector and nets once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.accuracy.observe import Observation
from tronie.runtime import weights
from tronie.types import Detection, Landmarks

CACHE = Path("/tmp/accuracy_cache")
NETS = ("face_landmarks", "face_shape", "recognizer")
"""The weights that make what is kept, as far as they exist."""
LANDMARKS = "landmarks."
"""What the names of the file's arrays begin with that hold a field of Landmarks."""
MIRRORED = "mirrored."


@cache
def nets() -> str:
    """Changes with the nets and with what Landmarks hold."""
    held = [weights.path(name).read_bytes() for name in NETS if name in weights.WEIGHTS]
    names = " ".join(field.name for field in fields(Landmarks))
    return sha256(b"".join([*held, names.encode()])).hexdigest()[:6]


def arrays_of(seen: Observation | None) -> dict[str, Any]:
    """Nothing but `found` = False where there is no face."""
    if seen is None:
        return {"found": False}
    d = seen.detection
    return {"found": True, "box": np.array(d.box), "five": d.points, "score": d.score} | _flat(
        seen.landmarks, LANDMARKS
    )


def stacked(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Rows by name; zeros where no face was found. Raises RuntimeError when there was none at all."""
    seen = [r for r in rows if r["found"]]
    if not seen:
        raise RuntimeError("no face was found in any photo")
    blank = {name: np.zeros_like(value) for name, value in seen[0].items()}
    return {name: np.array([(blank | r)[name] for r in rows]) for name in seen[0]}


def seen_in(z: Mapping[str, Any], k: int) -> tuple[Detection, Landmarks]:
    """Row k of what `stacked` made."""
    x0, y0, x1, y1 = (float(c) for c in z["box"][k])
    marks = {name.removeprefix(LANDMARKS): value[k] for name, value in z.items() if name.startswith(LANDMARKS)}
    return Detection((x0, y0, x1, y1), z["five"][k], float(z["score"][k])), _marks(marks)


def read(path: str | Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as file:
        return {name: file[name] for name in file.files}


def _flat(marks: Landmarks, prefix: str) -> dict[str, Any]:
    """The fields by name, those of the mirror image too; pins are no net's."""
    out: dict[str, Any] = {}
    for field in fields(Landmarks):
        value = getattr(marks, field.name)
        if isinstance(value, Landmarks):
            out |= _flat(value, f"{prefix}{field.name}.")
        elif value is not None and field.name != "pins":
            out[prefix + field.name] = value
    return out


def _marks(row: dict[str, Any]) -> Landmarks:
    """Inverse of `_flat`, the prefix taken off."""
    mirrored = {name.removeprefix(MIRRORED): value for name, value in row.items() if name.startswith(MIRRORED)}
    own = {name: value for name, value in row.items() if not name.startswith(MIRRORED)}
    own["presence"] = float(own["presence"])
    return Landmarks(**own, mirrored=_marks(mirrored) if mirrored else None)
