"""What a family of face models is to tronie: a name, its terms, and a function that reads the user's file."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tronie.errors import WeightsError
from tronie.formats.safety import Refused, refusals
from tronie.head.morphable import Morphable


@dataclass(frozen=True, slots=True)
class Family:
    """One family of face models."""

    name: str
    """What the user types: `tronie models import NAME FILE`."""
    what: str
    licence: str
    commercial_use: bool
    ask: str
    """Where the files are given away."""
    files: tuple[str, ...]
    """Names of the main file, the usual one first; also looked for when the user names a folder."""
    read: Callable[[Family, Path], Morphable]
    """Reads the main file, and what it needs that lies beside it. Raises Refused, ValueError, KeyError or
    WeightsError."""
    beside: tuple[str, ...] = ()
    """Names of further files that have to lie, or may lie, beside the main one."""
    folder: bool = False
    """Whether the first of `files` is one of many: then `read` is given their folder."""

    @property
    def terms(self) -> dict[str, Any]:
        """The first arguments of `tronie.head.morphable.place`."""
        return {"name": self.name, "licence": self.licence, "commercial_use": self.commercial_use}

    def main_file(self, place: Path) -> Path:
        """The file that is meant when the user names it or the folder it lies in. Raises WeightsError."""
        if not place.is_dir():
            return place
        for name in self.files:
            if found := sorted(place.rglob(name)):
                return found[0]
        raise WeightsError(f"In {place} there is no {' and no '.join(self.files)}; get it from {self.ask}.")

    def load(self, place: Path) -> Morphable:
        """The model of the user's file, or of the folder that it lies in. Raises WeightsError."""
        import numpy as np

        main = self.main_file(place)
        # Numbers beyond bounds become some that are refused in the end.
        with refusals(place, f"a file of {self.what}"), np.errstate(over="ignore", invalid="ignore"):
            whole = self.folder and main.name == self.files[0]
            return self.read(self, main.parent if whole else main)


def need(arrays: dict[str, Any], names: Collection[str]) -> None:
    """Refused if one of `names` is not among what was read: this is another kind of file."""
    if missing := [name for name in names if arrays.get(name) is None]:
        raise Refused(f"it has no {missing[0]!r}, which a file of this kind has")


def modes(basis: Any, count: int, deviations: Any) -> Any:
    """Columns of a PCA basis (3 V, K), x y z of each vertex in turn, times deviations (K,) -> (K, V, 3) float32."""
    import numpy as np

    basis, deviations = np.asarray(basis), np.asarray(deviations, dtype=np.float32).ravel()
    if basis.ndim != 2 or basis.shape != (3 * count, len(deviations)):
        raise Refused("its modes do not fit its vertices")
    out = np.array(basis.T, dtype=np.float32, order="C")
    out *= deviations[:, None]
    return out.reshape(len(deviations), count, 3)
