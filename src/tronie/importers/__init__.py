"""Other people's models: which there are, and how a user's copy is read into the store."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tronie.errors import WeightsError
from tronie.runtime.model_store import Imported


def _sparnet(file: Path, overwrite: bool) -> Imported:
    from tronie.importers.sparnet import import_sparnet

    return import_sparnet(file, overwrite=overwrite)


def _deep3d(file: Path, overwrite: bool) -> Imported:
    from tronie.importers.deep3d import import_deep3d

    return import_deep3d(file, overwrite=overwrite)


def _bfm(file: Path, overwrite: bool) -> Imported:
    from tronie.importers.deep3d import import_bfm

    return import_bfm(file, overwrite=overwrite)


KINDS: dict[str, Callable[[Path, bool], Imported]] = {"sparnet": _sparnet, "deep3d": _deep3d, "bfm": _bfm}
"""What can be imported: what reads the user's file (and may overwrite an older import) and puts it into the store.
The families of heads (`tronie.importers.heads`) can be imported too."""


def import_file(kind: str, file: Path, *, overwrite: bool = False) -> Imported:
    """Import `file` as a model of `kind`: a key of KINDS, or a family of heads. Raises WeightsError or OutputError."""
    from tronie.importers.heads import families, import_head

    if kind in KINDS:
        return KINDS[kind](file, overwrite)
    if kind not in families():
        raise WeightsError(f"There is no kind {kind} to import; there are {', '.join([*KINDS, *families()])}.")
    return import_head(kind, file, overwrite=overwrite)
