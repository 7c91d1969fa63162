"""Where calibrated head models lie in the user's model store, and how they are read."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tronie.errors import WeightsError
from tronie.runtime.json_text import parsed
from tronie.runtime.model_store import Imported, imported
from tronie.runtime.weights import WEIGHTS, store

if TYPE_CHECKING:
    from tronie.head.model import HeadModel
    from tronie.stages.fit.regressor import Calibration

NETS = ("face_landmarks", "recognizer", "face_shape", "blendshapes")
"""What looked at the pictures."""
HEAD, CALIBRATION, CARD = "head.npz", "calibration.npz", "card.json"


@dataclass(frozen=True, slots=True)
class Calibrated:
    """A head model that is ready for use."""

    record: Imported
    """Of the imported model that it was made from."""
    folder: Path

    @property
    def card(self) -> dict[str, Any]:
        """Its figures. Raises WeightsError when the file is damaged."""
        return _card(self.folder)


def folder_of(name: str) -> Path:
    return store() / "heads" / name


def calibrated() -> dict[str, Calibrated]:
    """The head models that are ready, by name; those made with an import or nets that were replaced are left out."""
    found = {}
    for name, record in imported().items():
        with suppress(WeightsError):
            folder = folder_of(name)
            if folder.is_dir() and {**_card(folder), **made_of(record)} == _card(folder):
                found[name] = Calibrated(record, folder)
    return found


def made_of(record: Imported) -> dict[str, Any]:
    """What a calibration of this import depends on, for its card: it holds for these very files only."""
    return {"source_sha256": record.source_sha256, "nets": {name: WEIGHTS[name].sha256 for name in NETS}}


def find(name: str) -> Calibrated:
    """Raises WeightsError with what to do where it is not there."""
    from tronie.importers.heads import families

    if (one := calibrated().get(name)) is not None:
        return one
    if name in imported() and name in families():
        state = "calibrated for other files than there are now" if folder_of(name).is_dir() else "not calibrated yet"
        raise WeightsError(f"The head {name} is {state}; run: tronie models calibrate {name}")
    if (family := families().get(name)) is not None:
        raise WeightsError(
            f"The head {name} is not here. Get {' or '.join(family.files)} from {family.ask} ({family.licence}), then "
            f"run: tronie models import {name} FILE, and: tronie models calibrate {name}"
        )
    raise WeightsError(f"There is no head called {name}; there are {', '.join([OWN, *families()])}.")


OWN = "tronie"
"""What a user calls our own head."""


@lru_cache(maxsize=2)
def load(name: str) -> tuple[HeadModel, Calibration]:
    """The model and how to fit it. Raises WeightsError."""
    return read_calibrated(find(name).folder)


def read_calibrated(folder: Path) -> tuple[HeadModel, Calibration]:
    """The same from a folder. Raises WeightsError."""
    from tronie.head.model import HeadModel
    from tronie.stages.fit.regressor import Calibration

    return HeadModel.load(folder / HEAD), Calibration.load(folder / CALIBRATION)


def _card(folder: Path) -> dict[str, Any]:
    try:
        values = parsed((folder / CARD).read_bytes())
    except (OSError, ValueError) as error:
        raise WeightsError(f"{folder / CARD} cannot be read; run: tronie models calibrate {folder.name}") from error
    return values if isinstance(values, dict) else {}
