"""The front of the Basel Face Model as Deep3D cuts it out: from 01_MorphableModel.mat and what belongs beside it.

The Basel model has 53,490 vertices, the expressions of Guo et al. are for 53,215 of them (`trimIndex`), and the front
has 35,709 of those (`idx`). All indices in the files count from 1, lengths are micrometres.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError
from tronie.formats.matlab import read_mat
from tronie.formats.npz import read_npz

FRONT = "BFM_model_front.mat"
BASEL = "01_MorphableModel.mat"
MICROMETRES = 1e5
"""In a decimetre."""
IDENTITY, EXPRESSION, TEXTURE = 80, 64, 80
"""How many of the modes are used."""
UV_FILES = ("BFM_UV.mat", "BFM_UV.npz")
"""Texture coordinates, which nobody needs."""
WITH_EXPRESSIONS = 53_215
"""Vertices of the Basel model that have expressions; face3d's programs cut BFM_UV.mat to them."""
TEXT_LIMIT = 100_000
"""Bytes of std_exp.txt, which has 79 numbers."""


@dataclass(frozen=True, slots=True)
class Needed:
    """A file that the front model is made of."""

    name: str
    what: str
    ask: str
    """Where it is given away."""


_AUTHORS = "the folder BFM of github.com/microsoft/Deep3DFaceReconstruction"
NEEDED: tuple[Needed, ...] = (
    Needed(BASEL, "the Basel Face Model 2009", "faces.dmi.unibas.ch/bfm, on application"),
    Needed("Exp_Pca.bin", "expressions by Guo et al.", "github.com/Juyong/3DFace, in CoarseData"),
    Needed("std_exp.txt", "how strong they are", _AUTHORS),
    Needed("BFM_front_idx.mat", "which vertices", _AUTHORS),
    Needed("BFM_exp_idx.mat", "which vertices", _AUTHORS),
    Needed("facemodel_info.mat", "triangles and landmarks", _AUTHORS),
)
"""Everything that makes a front model where there is no BFM_model_front.mat."""


def find(place: Path) -> Path:
    """The file that is meant when the user names it or the folder it lies in. Raises WeightsError."""
    if not place.is_dir():
        return place
    for name in (FRONT, BASEL):
        if found := sorted(place.rglob(name)):
            return found[0]
    raise WeightsError(f"In {place} there is no {FRONT} and no {BASEL}; {_sentence(NEEDED)}.")


def _sentence(files: tuple[Needed, ...]) -> str:
    """What to get where, without repeating places."""
    places: dict[str, list[str]] = {}
    for file in files:
        places.setdefault(file.ask, []).append(file.name)
    return "get " + "; ".join(f"{' and '.join(names)} from {ask}" for ask, names in places.items())


def read_arrays(file: Path) -> dict[str, NDArray[Any]]:
    """The variables of BFM_model_front.mat, read from it or made from 01_MorphableModel.mat and the files beside it.

    Raises WeightsError, or ValueError with the end of a sentence.
    """
    from tronie.stages.deep3d.bfm import VARIABLES

    arrays = read_mat(file, [*VARIABLES, "shapeMU"])
    if "shapeMU" not in arrays:
        return arrays
    folder = file.parent
    if missing := tuple(n for n in NEEDED[1:] if not (folder / n.name).is_file()):
        names = ", ".join(n.name for n in missing)
        raise ValueError(f"beside it {names} {'is' if len(missing) == 1 else 'are'} missing; {_sentence(missing)}")
    return _front(file, folder)


def read_uv(folder: Path, vertices: int) -> NDArray[np.float32] | None:
    """(V, 2) the user's texture coordinates, origin at the bottom left, from UV_FILES beside the face model.

    None where there are none. The file holds `UV` (n, 2) for the whole Basel model, for the part of it that has
    expressions, or for the front alone. Raises WeightsError, or ValueError with the end of a sentence.
    """
    file = next((folder / name for name in UV_FILES if (folder / name).is_file()), None)
    if file is None:
        return None
    values = (read_npz(file) if file.suffix == ".npz" else read_mat(file, ["UV"])).get("UV")
    if values is None or values.ndim != 2 or values.shape[1] != 2 or values.dtype.kind not in "fiu":
        raise ValueError(f"{file.name} beside it has no UV, two columns of texture coordinates")
    if len(values) != vertices:
        rows = _index(_there(folder, "BFM_front_idx.mat"), "idx")
        if len(rows) == vertices and len(values) != WITH_EXPRESSIONS:
            with_expressions = _index(_there(folder, "BFM_exp_idx.mat"), "trimIndex")
            rows = with_expressions[rows] if rows.max() < len(with_expressions) else rows[:0]
        if len(rows) != vertices or rows.max() >= len(values):
            raise ValueError(f"{file.name} beside it is for another face model")
        values = values[rows]
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ValueError(f"{file.name} beside it holds numbers that are no texture coordinates")
    return np.asarray(values, dtype=np.float32)


def _there(folder: Path, name: str) -> Path:
    """A file of NEEDED that another one is of no use without."""
    if (folder / name).is_file():
        return folder / name
    raise ValueError(
        f"{UV_FILES[0]} is of no use without {name}; {_sentence(tuple(n for n in NEEDED if n.name == name))}"
    )


def _front(file: Path, folder: Path) -> dict[str, NDArray[Any]]:
    chosen = _index(folder / "BFM_front_idx.mat", "idx")
    with_expressions = _index(folder / "BFM_exp_idx.mat", "trimIndex")
    if chosen.max() >= len(with_expressions):
        raise ValueError("BFM_front_idx.mat and BFM_exp_idx.mat do not belong together")
    rows = with_expressions[chosen]
    info = read_mat(folder / "facemodel_info.mat", ["tri", "point_buf", "keypoints"])
    return info | {
        "meanshape": _mean(file, "shapeMU", rows) / MICROMETRES,
        "meantex": _mean(file, "texMU", rows),
        "idBase": _modes(file, "shape", rows, IDENTITY) / np.float32(MICROMETRES),
        "texBase": _modes(file, "tex", rows, TEXTURE),
        "exBase": _expressions(folder, len(with_expressions), chosen) / np.float32(MICROMETRES),
    }


def _variable(file: Path, name: str) -> NDArray[Any]:
    values = read_mat(file, [name]).get(name)
    if values is None:
        raise ValueError(f"{file.name} has no {name}")
    return values


def _index(file: Path, name: str) -> NDArray[np.int64]:
    """Numbers from 1 as numbers from 0."""
    values = _variable(file, name).ravel()
    if not values.size or values.min() < 1 or values.max() > 1e9 or (values != np.round(values)).any():
        raise ValueError(f"{file.name} holds no indices")
    return values.astype(np.int64) - 1


def _mean(file: Path, name: str, rows: NDArray[np.int64]) -> NDArray[Any]:
    values = _variable(file, name)
    if values.size % 3 or values.size // 3 <= rows.max():
        raise ValueError(f"{file.name} has fewer vertices than the indices beside it")
    return values.reshape(-1, 3)[rows].reshape(1, -1)


def _modes(file: Path, kind: str, rows: NDArray[np.int64], count: int) -> NDArray[np.float32]:
    """(3 V, count): modes times standard deviations (the files call them EV)."""
    deviations = _variable(file, f"{kind}EV").ravel()
    values = _variable(file, f"{kind}PC")
    if values.ndim != 2 or values.shape[0] % 3 or values.shape[0] // 3 <= rows.max():
        raise ValueError(f"the {kind}PC of {file.name} has fewer vertices than the indices beside it")
    if min(values.shape[1], len(deviations)) < count:
        raise ValueError(f"{file.name} has {values.shape[1]} modes of {kind}, not {count} or more")
    # Only the modes and vertices that stay: the whole has 128 MB.
    scaled = values[:, :count].reshape(-1, 3, count)[rows] * deviations[:count]
    return np.asarray(scaled.reshape(-1, count), dtype=np.float32)


def _expressions(folder: Path, vertices: int, chosen: NDArray[np.int64]) -> NDArray[np.float32]:
    """(3 V, 64) micrometres. The file: the number of modes (int32), then in float32 a mean, not used, and the modes."""
    damaged = "Exp_Pca.bin or std_exp.txt is damaged, or not the one for these indices"
    text, file = folder / "std_exp.txt", folder / "Exp_Pca.bin"
    try:
        if text.stat().st_size > TEXT_LIMIT:
            raise ValueError(damaged)
        try:
            deviations = np.array([float(word) for word in text.read_text("ascii").split()])
        except ValueError:
            raise ValueError(damaged) from None
        with file.open("rb") as stream:
            (count,) = struct.unpack("<i", stream.read(4).ljust(4, b"\0"))
            size = 4 + 12 * vertices * (1 + count)
            if min(count, len(deviations)) < EXPRESSION or file.stat().st_size != size:
                raise ValueError(damaged)
            stream.seek(12 * vertices, 1)
            modes = np.fromfile(stream, "<f4", 3 * vertices * EXPRESSION).reshape(EXPRESSION, vertices, 3)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WeightsError(f"Cannot read {error.filename or folder}: {reason}.") from error
    scaled = modes[:, chosen].reshape(EXPRESSION, -1).T * deviations[:EXPRESSION]
    return np.asarray(scaled, dtype=np.float32)
