"""What tells whether outputs are those of the same settings, and paths as they stand in records."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import get_args

from tronie.outputs import OUTPUTS, Stage
from tronie.settings import Settings


def fingerprint(settings: Settings) -> str:
    """A short text that is the same for the same settings. On which device nets run makes no other result: it moves
    one by its rounding, and what was done on another machine is not to be done again."""
    return hashlib.sha256(settings.model_dump_json(exclude={"compute"}).encode()).hexdigest()[:16]


def scope(settings: Settings, *, moves: bool, no_face: bool) -> str:
    """The same of those settings that a result hangs on: of a photo without a face only what finds faces, of one with
    faces not what stages use that do not run. What `moves` may be a video, which uses all."""
    if moves:
        return fingerprint(settings)
    tree = settings.model_dump(mode="json", exclude={"outputs", "only", "video", "compute"})
    engine = tree["fit"]["engine"]
    if settings.job == "restore":
        kept = {name: tree[name] for name in ("job", "read", "detect", "landmarks", "enhance", "restore")}
        kept |= {"engine": engine} if settings.restore.colour else {}
    elif no_face:
        kept = {name: tree[name] for name in ("read", "detect", "landmarks")} | {"engine": engine}
    else:
        stages = {stage: settings.runs(stage) for stage in get_args(Stage)}
        wanted = sorted(name for name in settings.wanted if "photo" in OUTPUTS[name].of)
        unused = {
            "restore": True,
            "portrait": not stages["portrait"],
            "light": not stages["texture"],
            "texture": not stages["texture"],
            "hair": not stages["texture"],
            "export": settings.wanted.isdisjoint(("glb", "lod", "usd", "html")),
        }
        kept = {name: value for name, value in tree.items() if not unused.get(name)}
        kept |= {"stages": stages, "wanted": wanted}
    return hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()[:16]


def text(path: str | Path) -> str:
    """A path as it can be written down: bytes in a file name that are no UTF-8 become question marks."""
    return str(path).encode("utf-8", errors="replace").decode()
