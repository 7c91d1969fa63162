"""All models there are: those in use, and those that a user may bring along, with their terms."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tronie.runtime.model_store import Imported


def catalog() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """What is used or imported, and what may be brought along: the rows of `tronie models` and of the window.

    Every row has name, purpose, licence, commercial_use, origin, installed, vendored, bytes and path. Those of the
    second list have files too (what the user's are called), and heads whether they are calibrated.
    """
    from tronie.importers import KINDS
    from tronie.importers.heads import families
    from tronie.importers.heads.calibrated import calibrated
    from tronie.runtime.model_store import imported
    from tronie.runtime.weights import WEIGHTS, location, present

    heads, own, ready = families(), imported(), calibrated()
    rows = [
        asdict(weight) | {"installed": present(name), "path": str(location(weight))} for name, weight in WEIGHTS.items()
    ]
    rows += [
        asdict(one) | {"file": one.path.name, "installed": True, "vendored": False, "path": str(one.path)}
        for one in own.values()
        if one.kind not in heads and (one.kind not in KINDS or KINDS[one.kind].several)
    ]
    kinds = {one.kind: one for one in own.values()}
    bring = [
        _offer(f.name, f.what, f.licence, f.ask, (*f.files, *f.beside), own.get(f.name), f.commercial_use)
        | {"calibrated": f.name in ready}
        for f in heads.values()
    ]
    bring += [
        _offer(t.name, t.what, t.licence, t.ask, t.files, kinds.get(t.name), t.commercial_use)
        for t in (kind.terms() for kind in KINDS.values())
    ]
    return rows, bring


def _offer(
    name: str,
    purpose: str,
    licence: str,
    origin: str,
    files: Sequence[str],
    own: Imported | None,
    commercial_use: bool = False,
) -> dict[str, Any]:
    """The row of a model that the user may bring along; `own` is the record where that has been done."""
    from tronie.runtime.weights import store

    return {
        "name": name,
        "purpose": purpose,
        "licence": licence,
        "commercial_use": commercial_use,
        "origin": origin,
        "files": list(files),
        "installed": own is not None,
        "vendored": False,
        "bytes": own.bytes if own else 0,
        "path": str(own.path if own else store()),
    }
