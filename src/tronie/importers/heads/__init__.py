"""The families of face models that a user can bring along, and all that another one needs. Adding one:
docs/models.md."""

from __future__ import annotations

from contextlib import suppress
from importlib.metadata import entry_points
from pathlib import Path

from tronie.formats.npz import read_npz
from tronie.formats.safety import Refused
from tronie.head.morphable import place
from tronie.importers.heads import bfm, flame, gnm, ict, surrey, tddfa_v2
from tronie.importers.heads.family import Family, need
from tronie.runtime.model_store import Imported, check_free, imported, keep, new_record

__all__ = [
    "FAMILIES", "Family", "Refused", "families", "import_head", "imported_heads", "need", "place", "read_npz",
]  # fmt: skip

FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        ict.FAMILY,
        gnm.FAMILY,
        flame.FLAME_2023_OPEN,
        flame.FLAME_2023,
        flame.FLAME_2020,
        bfm.BFM_2019,
        bfm.BFM_2017,
        bfm.BFM_2009,
        tddfa_v2.FAMILY,
        surrey.FAMILY,
    )
}
"""By name; those that allow commercial use first."""
GROUP = "tronie.heads"
"""Group of entry points by which another package brings a Family along."""


def families() -> dict[str, Family]:
    """FAMILIES, and those of other packages. A package that cannot be loaded is left out."""
    found = dict(FAMILIES)
    for point in entry_points(group=GROUP):
        with suppress(Exception):
            family = point.load()
            if isinstance(family, Family):
                found.setdefault(family.name, family)
    return found


def import_head(name: str, place: Path, *, overwrite: bool = False) -> Imported:
    """Read the user's file (or the folder it lies in) of the family `name`, and put the model into the user's store.

    What is stored is our own npz (`Morphable.load`), so that the user's file is read only once and by nothing else.
    Raises WeightsError when the file is refused, and OutputError when it cannot be stored or is there already.
    """
    from tronie.formats.safety import refusals
    from tronie.head.face_check import check_face

    family = families()[name]
    model = family.load(place)
    with refusals(place, f"a file of {family.what}"):
        check_face(model)
    check_free(name, overwrite)
    record = new_record(
        name,
        name,
        family.main_file(place),
        purpose=family.what,
        licence=family.licence,
        commercial_use=family.commercial_use,
        origin=family.ask,
        suffix=".npz",
    )
    return keep(record, model.to_bytes())


def imported_heads() -> dict[str, Imported]:
    """The imported models that are heads of some family, by name."""
    known = families()
    return {name: record for name, record in imported().items() if record.kind in known}
