"""The Surrey Face Model: `sfm_shape_3448.bin` of eos, and `expression_blendshapes_3448.bin` beside it.

Huber et al. 2016, "A Multiresolution 3D Morphable Face Model and Fitting Framework". The files are cereal's binary
archives, as eos's sources describe them: the version of the model, then shape and colour (mean, orthonormal basis,
variances, triangles), from version 2 on the expressions, from 3 landmarks, then texture coordinates. A matrix is its
rows and columns (int32) and its numbers by columns; a list is its length (uint64) and its items. Millimetres. Without
the second file there are no expressions.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tronie.formats.safety import Budget, Refused, plain_size
from tronie.head.morphable import Morphable, place
from tronie.importers.heads.family import Family, modes

EXPRESSIONS = "expression_blendshapes_3448.bin"
PART = 5
"""Steps that each number or list counts for."""
LARGEST = 100_000_000
"""Bytes. The published file has 5 million, one of 16,759 vertices would have 26 million."""


@dataclass(slots=True)
class Archive:
    """A cereal archive and how far it has been read."""

    data: bytes
    budget: Budget
    at: int = 0

    def numbers(self, code: str, count: int) -> Any:
        self.budget.step(PART)
        size = count * np.dtype(code).itemsize
        if count < 0 or self.at + size > len(self.data):
            raise Refused("it is damaged: it ends too early")
        self.at += size
        return np.frombuffer(self.data, code, count, self.at - size)

    def one(self, code: str) -> int:
        (value,) = struct.unpack("<" + code, self.numbers("u1", struct.calcsize("<" + code)).tobytes())
        return int(value)

    def matrix(self) -> Any:
        rows, columns = self.one("i"), self.one("i")
        return self.numbers("<f4", math.prod((max(rows, 0), max(columns, 0)))).reshape((rows, columns), order="F")

    def table(self, code: str, width: int) -> Any:
        return self.numbers(code, self.one("Q") * width).reshape(-1, width)

    def pca(self) -> tuple[Any, Any, Any, Any]:
        return self.matrix().ravel(), self.matrix(), self.matrix().ravel(), self.table("<i4", 3)

    def text(self) -> str:
        return str(self.numbers("u1", self.one("Q")).tobytes(), "utf-8", "replace")

    def blendshapes(self) -> dict[str, Any]:
        return {self.text(): self.matrix().ravel() for _ in range(self.one("Q"))}


def read(family: Family, file: Path) -> Morphable:
    archive = _open(file)
    version = archive.one("I")
    if not 1 <= version <= 4:
        raise Refused("it is damaged or of another version of eos")
    mean, basis, variances, triangles = archive.pca()
    colour = archive.pca()
    count = len(mean) // 3
    expressions: dict[str, Any] = {}
    components = None
    if version >= 2 and not archive.one("B"):  # the byte says whether there are none
        if archive.one("i"):
            expressions = archive.blendshapes()
        else:
            components = archive.pca()
    if version >= 3 and not archive.one("B"):
        for _ in range(archive.one("Q")):
            archive.text(), archive.one("i")
    uv = archive.table("<f8", 2)
    if not expressions and components is None and file.with_name(EXPRESSIONS).is_file():
        expressions = _open(file.with_name(EXPRESSIONS)).blendshapes()
    at_rest = mean.reshape(count, 3)
    if components is not None:
        at_rest = at_rest + components[0].reshape(count, 3)
        expression = modes(components[1], count, np.sqrt(components[2]))
    else:
        expression = np.array([e.reshape(count, 3) for e in expressions.values()]).reshape(-1, count, 3)
    return place(
        **family.terms,
        mean=at_rest,
        identity=modes(basis, count, np.sqrt(variances)),
        expression=expression,
        faces=triangles,
        mm=1.0,
        expression_names=tuple(expressions),
        expression_is_pca=components is not None,
        uv=uv if len(uv) == count else None,
        face_uv=triangles if len(uv) == count else None,
        albedo=colour[0].reshape(count, 3) if len(colour[0]) else None,
        albedo_basis=modes(colour[1], count, np.sqrt(colour[2])) if len(colour[0]) else None,
    )


def _open(file: Path) -> Archive:
    size = plain_size(file)
    if size > LARGEST:
        raise Refused("it is larger than it may be")
    return Archive(file.read_bytes(), Budget.of(size))


FAMILY = Family(
    "sfm",
    "Surrey Face Model (eos): face",
    "Surrey, non-commercial",
    False,
    "github.com/patrikhuber/eos",
    ("sfm_shape_3448.bin",),
    read,
    (EXPRESSIONS,),
)
