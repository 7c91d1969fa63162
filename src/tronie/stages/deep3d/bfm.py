"""The face model behind Deep3D: the front of the Basel Face Model 2009 with expressions from FaceWarehouse (Guo et al.)
as the file BFM_model_front.mat holds it, and light of nine spherical harmonics (Ramamoorthi and Hanrahan 2001)."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.errors import WeightsError
from tronie.formats.npz import read_npz
from tronie.formats.safety import reading
from tronie.stages.deep3d.topology import Topology

if TYPE_CHECKING:
    from tronie.runtime.model_store import Imported

NAME = "bfm-front"
"""Of the model in the user's store."""
MOST_VERTICES = 200_000
"""The published model has 35,709."""


@dataclass(frozen=True, slots=True)
class Coefficients:
    """What the net says, in its order: 80 + 64 + 80 + 3 + 27 + 3 = 257 numbers."""

    identity: Array
    """(80,) standard deviations."""
    expression: Array
    """(64,)."""
    texture: Array
    """(80,)."""
    angles: Array
    """(3,) radians: turns about x, then y, then z (x to the subject's left, y up, z out of the face)."""
    light: Array
    """(3, 9): red, green, blue; nine harmonics."""
    translation: Array
    """(3,) decimetres."""

    @classmethod
    def split(cls, values: ArrayLike) -> Coefficients:
        """From the (257,) numbers of the net."""
        v = np.asarray(values, dtype=np.float64)
        if v.shape != (257,):
            raise ValueError(f"257 coefficients are needed, not {v.shape}")
        return cls(v[:80], v[80:144], v[144:224], v[224:227], v[227:254].reshape(3, 9), v[254:])

    @property
    def values(self) -> Array:
        """(257,)."""
        parts = (self.identity, self.expression, self.texture, self.angles, self.light.ravel(), self.translation)
        return np.concatenate(parts)

    @property
    def rotation(self) -> Array:
        """(3, 3) for points as columns: Rz Ry Rx."""
        (cx, cy, cz), (sx, sy, sz) = np.cos(self.angles), np.sin(self.angles)
        rx = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
        ry = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
        rz = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
        return np.asarray(rz @ ry @ rx)


@dataclass(frozen=True, eq=False)
class FaceModel:
    """The numbers of BFM_model_front.mat, indices from 0."""

    mean: Array
    """(V, 3) float32 decimetres, centred on its vertices' mean."""
    identity: Array
    """(V * 3, 80) float32 decimetres per standard deviation, x, y, z of each vertex in turn."""
    expression: Array
    """(V * 3, 64) float32 decimetres."""
    albedo: Array
    """(V, 3) float32, red, green, blue of the mean skin, 0..255."""
    texture: Array
    """(V * 3, 80) float32."""
    triangles: NDArray[np.int32]
    """(T, 3) vertices, counter-clockwise from outside."""
    ring: NDArray[np.int32]
    """(V, 8) triangles about each vertex; T stands for none."""
    keypoints: NDArray[np.int32]
    """(68,) vertices of the iBUG points."""
    layout: Topology | None = None
    """How its texture lies; None in an import that did not work it out."""

    def shape(self, c: Coefficients) -> Array:
        """(V, 3) decimetres, looking along +z."""
        return self.mean + (self.identity @ _single(c.identity) + self.expression @ _single(c.expression)).reshape(
            -1, 3
        )

    def skin(self, c: Coefficients) -> Array:
        """(V, 3) 0..255 (and beyond) without light."""
        return self.albedo + (self.texture @ _single(c.texture)).reshape(-1, 3)

    def normals(self, shape: Array) -> Array:
        """(V, 3) unit: the mean of the unit normals of a vertex's triangles, which are not weighted by their areas."""
        a, b, c = (shape[self.triangles[:, i]] for i in range(3))
        faces = np.concatenate([_unit(np.cross(a - b, b - c)), np.zeros((1, 3), shape.dtype)])
        return _unit(faces[self.ring].sum(axis=1))

    def bytes(self) -> bytes:
        """As an npz, not compressed: exact, and read in a tenth of a second."""
        stream = io.BytesIO()
        arrays: dict[str, Any] = {name: getattr(self, name) for name in FIELDS}
        np.savez(stream, **arrays | ({} if self.layout is None else self.layout.arrays()))
        return stream.getvalue()

    @classmethod
    def load(cls, file: Path) -> FaceModel:
        """Read what `bytes` gave. Raises WeightsError."""
        with reading(file, "an imported face model") as budget:
            z = read_npz(file, budget=budget)
            return cls(**{name: z[name] for name in FIELDS}, layout=Topology.load(z))

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> FaceModel:
        """From the variables of BFM_model_front.mat. Raises ValueError with the reason, an end of a sentence."""
        if missing := [name for name in VARIABLES if name not in arrays]:
            raise ValueError(f"it has no {', '.join(missing)}")
        count = arrays["meanshape"].size
        vertices = count // 3
        if count % 3 or not 68 <= vertices <= MOST_VERTICES:
            raise ValueError("its meanshape is no list of points")
        shapes = {
            "meantex": (count,),
            "idBase": (count, 80),
            "exBase": (count, 64),
            "texBase": (count, 80),
            "point_buf": (vertices, 8),
            "keypoints": (68,),
        }
        for name, shape in shapes.items():
            if (arrays[name].size,) != shape if len(shape) == 1 else arrays[name].shape != shape:
                raise ValueError(f"its {name} has the shape {arrays[name].shape}, not {shape}")
        triangles = arrays["tri"]
        if triangles.ndim != 2 or triangles.shape[1] != 3 or not 1 <= len(triangles) <= 4 * vertices:
            raise ValueError("its tri is no list of triangles")
        mean = _finite("meanshape", arrays).reshape(-1, 3).astype(np.float64)
        return cls(
            mean=np.asarray(mean - mean.mean(axis=0), dtype=np.float32),
            identity=_finite("idBase", arrays),
            expression=_finite("exBase", arrays),
            albedo=_finite("meantex", arrays).reshape(-1, 3),
            texture=_finite("texBase", arrays),
            triangles=_indices("tri", triangles, vertices),
            ring=_indices("point_buf", arrays["point_buf"], len(triangles) + 1),
            keypoints=_indices("keypoints", arrays["keypoints"].ravel(), vertices),
        )


FIELDS = ("mean", "identity", "expression", "albedo", "texture", "triangles", "ring", "keypoints")
"""Of FaceModel."""
VARIABLES = ("meanshape", "idBase", "exBase", "meantex", "texBase", "tri", "point_buf", "keypoints")
"""Of the file that are used; `tri_mask2`, `frontmask2_idx` and `skinmask` are for training only."""


def _single(values: Array) -> NDArray[np.float32]:
    return np.asarray(values, dtype=np.float32)


def _unit(vectors: Array) -> Array:
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-12))


def _finite(name: str, arrays: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
    values = np.ascontiguousarray(arrays[name], dtype=np.float32)
    if not np.isfinite(values).all():
        raise ValueError(f"its {name} holds numbers that are not finite")
    return values


def _indices(name: str, values: NDArray[Any], count: int) -> NDArray[np.int32]:
    """Whole numbers 1..count as numbers from 0."""
    whole = np.isfinite(values).all() and (values == np.round(values)).all()
    if not whole or values.min() < 1 or values.max() > count:
        raise ValueError(f"its {name} points at what is not there")
    return np.asarray(values, dtype=np.int32) - np.int32(1)


_A = np.pi * np.array([1, 2 / np.sqrt(3), 2 / np.sqrt(8)])
"""What a matt surface keeps of light of each order, in the scale of the published program."""
_C = np.sqrt(np.array([1, 3, 15]) / (4 * np.pi))
_K = _A * _C
AMBIENT = 0.8
"""Added to the first harmonic of each colour."""


def harmonics(normals: Array) -> Array:
    """Unit normals (V, 3) -> (V, 9)."""
    x, y, z = np.asarray(normals, dtype=np.float64).T
    k0, k1, k2 = _K
    return np.stack(
        [
            np.full_like(x, k0),
            -k1 * y,
            k1 * z,
            -k1 * x,
            k2 * x * y,
            -k2 * y * z,
            k2 / np.sqrt(12) * (3 * z * z - 1),
            -k2 * x * z,
            k2 / 2 * (x * x - y * y),
        ],
        axis=1,
    )


def lit(skin: Array, normals: Array, light: Array) -> Array:
    """Skin (V, 3) under the light (3, 9) -> (V, 3), not clipped; `normals` as they are turned in the photo."""
    return np.asarray(skin * (harmonics(normals) @ (light + AMBIENT * np.eye(9)[0]).T))


def record() -> Imported:
    """Of the user's own. Raises WeightsError with what to do where there is none."""
    from tronie.runtime.model_store import imported

    there = imported().get(NAME)
    if there is None:
        raise WeightsError(
            "Deep3D's face model is not there; `tronie models import bfm BFM_model_front.mat` brings your copy of it "
            "(`tronie models` tells where to ask for one)."
        )
    return there


def load_face_model() -> FaceModel:
    """The user's own. Raises WeightsError."""
    return FaceModel.load(record().path)
