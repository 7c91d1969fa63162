"""Other people's models: which there are, under which terms, and how a user's copy is read into the store."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tronie.errors import WeightsError
from tronie.runtime.model_store import Imported, Terms


@dataclass(frozen=True, slots=True)
class ModelKind:
    """One kind of model that can be imported, beside the families of heads."""

    read: Callable[[Path, bool], Imported]
    """Reads the user's file (and may overwrite an older import) and puts it into the store."""
    terms: Callable[[], Terms]
    use: str
    """Option of `tronie run` that uses it; `{name}` is the model's."""
    several: bool = False
    """Whether it stands for several models, each of which is listed by its own name once it is there."""
    slow: str | None = None
    """A sentence where reading takes long."""


def _sparnet(file: Path, overwrite: bool) -> Imported:
    from tronie.importers.sparnet import import_sparnet

    return import_sparnet(file, overwrite=overwrite)


def _sparnet_terms() -> Terms:
    from tronie.stages.enhance.published import TERMS

    return TERMS


def _deep3d(file: Path, overwrite: bool) -> Imported:
    from tronie.importers.deep3d import import_deep3d

    return import_deep3d(file, overwrite=overwrite)


def _deep3d_terms() -> Terms:
    from tronie.stages.deep3d.terms import NET, TERMS

    return TERMS[NET]


def _bfm(file: Path, overwrite: bool) -> Imported:
    from tronie.importers.deep3d import import_bfm

    return import_bfm(file, overwrite=overwrite)


def _bfm_terms() -> Terms:
    from tronie.stages.deep3d.terms import MODEL, TERMS

    return TERMS[MODEL]


KINDS: dict[str, ModelKind] = {
    "deep3d": ModelKind(_deep3d, _deep3d_terms, "--engine deep3d"),
    "bfm": ModelKind(
        _bfm,
        _bfm_terms,
        "--engine deep3d",
        slow="Reading the face model and laying out its texture takes about a minute, once.",
    ),
    "sparnet": ModelKind(_sparnet, _sparnet_terms, "--enhance {name}", several=True),
}
"""By name. The families of heads (`tronie.importers.heads`) can be imported too."""


def import_file(kind: str, file: Path, *, overwrite: bool = False) -> Imported:
    """Import `file` as a model of `kind`: a key of KINDS, or a family of heads. Raises WeightsError or OutputError."""
    from tronie.importers.heads import families, import_head

    if kind in KINDS:
        return KINDS[kind].read(file, overwrite)
    if kind not in families():
        raise WeightsError(f"There is no kind {kind} to import; there are {', '.join([*KINDS, *families()])}.")
    return import_head(kind, file, overwrite=overwrite)
