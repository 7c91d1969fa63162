"""The HeadModel value: a control mesh with identity and expression bases, UV, parts and embeddings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from hashlib import blake2b
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.formats.npz import read_npz
from tronie.formats.safety import reading
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.subdivide import Sparse, catmull_clark, corner_counts, triangulate
from tronie.runtime import weights
from tronie.runtime.kept import kept

Ints = NDArray[np.int32]

PARTS: tuple[str, ...] = ("skin", "eye_left", "eye_right", "teeth_upper", "teeth_lower", "tongue", "mouth")
"""Names of the values in `HeadModel.part`: `mouth` is the lining of the mouth's cavity, `eye_left` the
subject's own left; the teeth parts hold their gums."""


FINE = 12_000
"""Control vertices from which a mesh needs no subdivision."""
NOWHERE = np.zeros((0, 3), np.int32), np.zeros((0, 3), np.float32)
"""An embedding without points."""


@dataclass(frozen=True, slots=True)
class Level:
    """The mesh of a head model after some steps of subdivision: connectivity only."""

    quads: Ints
    """(F, 4) vertex indices, -1 in the last place for a triangle; counter-clockwise from outside."""
    quad_uv: Ints
    """(F, 4) rows of `uv`."""
    uv: Array
    """(U, 2) float32 in 0..1, origin at the top left, v down (as glTF; OBJ wants 1 - v)."""
    part: NDArray[np.uint8]
    """(F,) per face, index into PARTS."""
    triangles: Ints
    """(T, 3)."""
    triangle_uv: Ints
    """(T, 3) rows of `uv`."""
    triangle_part: NDArray[np.uint8]
    """(T,)."""
    uv_colour: Array | None
    """(U, 3) float32, see `HeadModel.uv_colour`."""
    matrix: Sparse
    """(V, control vertices): control positions -> positions here."""
    embedding68: tuple[Ints, Array]
    """(68, 3) vertex indices and (68, 3) barycentric weights."""
    embedding478: tuple[Ints, Array]
    """(478, 3) and (478, 3)."""

    def apply(self, control: Array) -> Array:
        """Control-mesh rows (..., C, k) of positions or displacements -> this level's (..., V, k), float32."""
        c = np.asarray(control, dtype=np.float32)
        flat = np.moveaxis(c, -2, 0).reshape(c.shape[-2], -1)
        out = (self.matrix @ flat).reshape(self.matrix.shape[0], *c.shape[:-2], c.shape[-1])
        return np.asarray(np.moveaxis(out, 0, -2), dtype=np.float32)

    def points68(self, vertices: ArrayLike) -> Array:
        """(..., V, k) -> (..., 68, k)."""
        return _embedded(vertices, self.embedding68)

    def points478(self, vertices: ArrayLike) -> Array:
        """(..., V, k) -> (..., 478, k)."""
        return _embedded(vertices, self.embedding478)


def _narrow(indices: Ints) -> NDArray[Any]:
    """Indices in as few bytes as they need."""
    return indices.astype(np.int16 if indices.max(initial=0) < 1 << 15 else np.int32)


def sphere_center(points: Array) -> Array:
    """Centre (3,) of the sphere through the rear half (small z) of points (n, 3), by linear least squares."""
    p = np.asarray(points, dtype=np.float64)
    p = p[p[:, 2] <= np.median(p[:, 2])]
    a = np.column_stack([2 * p, np.ones(len(p))])
    return np.asarray(np.linalg.lstsq(a, (p**2).sum(axis=1), rcond=None)[0][:3])


def _embedded(vertices: ArrayLike, embedding: tuple[Ints, Array]) -> Array:
    index, weight = embedding
    return np.asarray(np.einsum("...nck,nc->...nk", np.asarray(vertices)[..., index, :], weight))


@dataclass(frozen=True, eq=False)
class HeadModel:
    """Linear head: vertices = mean + identity . a + expression . e, then subdivided for export."""

    name: str
    licence: str
    mean: Array
    """(C, 3) float32 mm: the control mesh of the mean person at rest."""
    identity: Array
    """(K, C, 3) float32 mm per standard deviation."""
    expression: Array
    """(52, C, 3) float32 mm at weight 1."""
    quads: Ints
    """(F, 4), -1 in the last place for a triangle."""
    quad_uv: Ints
    """(F, 4)."""
    uv: Array
    """(U, 2), origin at the top left."""
    part: NDArray[np.uint8]
    """(F,) index into PARTS."""
    mirror: Ints
    """(C,) the vertex on the other side of the face (itself on the midline). The UV is symmetric about u = 0.5."""
    inner_face: NDArray[np.bool_]
    """(C,) vertices of the inner face: brows to chin, cheek to cheek; where accuracy is measured."""
    smooth_modes: Array
    """(M, C) smooth fields over the head (eigenvectors of the skin's Laplacian, scaled to unit RMS)."""
    smooth_stiffness: Array
    """(M,) their eigenvalues; 0 first."""
    embeddings: Mapping[str, tuple[Ints, Array]]
    """`68.0`, `68.1`, `68.2`, `478.0`, ...: points.level -> vertex indices (n, 3) and weights (n, 3) at that level; a
    level that is missing has no points."""
    expression_names: tuple[str, ...] = ARKIT_UNITS
    uv_colour: NDArray[np.uint8] | None = None
    """(U, 3) sRGB of the parts that no photo shows well (teeth, gums, tongue, the mouth's lining); 0 on the skin."""
    digest: str = field(default="", init=False)
    """Of the file it was read from, under which what follows from it is kept; empty for one that came otherwise."""

    @cached_property
    def eye_centers(self) -> Array:
        """(2, 3) mm: the mean head's centres of rotation of the left and the right eye.

        The rear half of an eyeball is a sphere (the cornea bulges in front), whose centre is fitted.
        """
        return np.asarray([sphere_center(self.mean[self.vertices_of(name)]) for name in ("eye_left", "eye_right")])

    @cached_property
    def is_mask(self) -> bool:
        """Whether the skin is open at the back, as a face's without its head: then much more of it looks to the front
        than to the back (a whole head has only the neck open, downwards)."""
        p = self.mean[triangulate(self.quads[self.part == 0])[0]].astype(np.float64)
        ahead = np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0])[:, 2]
        return bool(ahead.sum() > 0.5 * ahead.clip(0).sum())

    @property
    def usual_level(self) -> int:
        """The level of subdivision that the fit works with, and that files are written at when nobody asks for another:
        1 for a coarse control mesh as ours, 0 for one that is fine already."""
        return int(len(self.mean) < FINE)

    @property
    def levels(self) -> tuple[int, ...]:
        """The levels that make sense: a fine mesh is not subdivided twice."""
        return (0, 1, 2) if self.usual_level else (0, 1)

    def vertices_of(self, part: str) -> Ints:
        """Control vertices of a part by its name in PARTS."""
        used = np.zeros(len(self.mean) + 1, dtype=bool)
        used[self.quads[self.part == PARTS.index(part)]] = True  # -1 falls on the last place
        return np.flatnonzero(used[:-1]).astype(np.int32)

    def shape(self, identity: ArrayLike | None = None, expression: ArrayLike | None = None) -> Array:
        """Control vertices (C, 3) float32 mm for coefficients (K',) with K' <= K and expression (52,)."""
        v = self.mean.copy()
        if identity is not None:
            a = np.asarray(identity, dtype=np.float32)
            v += np.tensordot(a, self.identity[: len(a)], axes=1)
        if expression is not None:
            v += np.tensordot(np.asarray(expression, dtype=np.float32), self.expression, axes=1)
        return v

    def level(self, level: int) -> Level:
        """Connectivity, UV and embeddings after `level` (0..2) steps of subdivision; computed once."""
        mesh: Level = self._levels(level)
        return mesh

    @cached_property
    def _levels(self) -> Any:
        return cache(lambda level: _level(self, level))

    def save(self, path: str | Path | BinaryIO) -> None:
        """Write one npz (bases as float16)."""
        arrays: dict[str, Any] = {
            "name": np.array(self.name),
            "licence": np.array(self.licence),
            "mean": self.mean.astype(np.float32),
            "identity": self.identity.astype(np.float16),
            "expression": self.expression.astype(np.float16),
            "quads": _narrow(self.quads),
            "quad_uv": _narrow(self.quad_uv),
            "uv": self.uv.astype(np.float32),
            "part": self.part,
            "mirror": _narrow(self.mirror),
            "inner_face": self.inner_face,
            "smooth_modes": self.smooth_modes.astype(np.float16),
            "smooth_stiffness": self.smooth_stiffness.astype(np.float32),
        }
        if self.uv_colour is not None:
            arrays["uv_colour"] = self.uv_colour
        for key, (index, weight) in self.embeddings.items():
            arrays[f"embedding.{key}.index"] = index.astype(np.int32)
            arrays[f"embedding.{key}.weight"] = weight.astype(np.float32)
        np.savez_compressed(path, **arrays)

    @classmethod
    def load(cls, path: str | Path) -> HeadModel:
        """Read what `save` wrote. Raises WeightsError; never unpickles."""
        with reading(Path(path), "a head model") as budget:
            z = read_npz(Path(path), budget=budget)
            found = (k.removeprefix("embedding.") for k in z if k.startswith("embedding."))
            keys = sorted({k.rsplit(".", 1)[0] for k in found})
            model = cls(
                name=str(z["name"]),
                licence=str(z["licence"]),
                mean=z["mean"],
                identity=z["identity"].astype(np.float32),
                expression=z["expression"].astype(np.float32),
                quads=z["quads"].astype(np.int32),
                quad_uv=z["quad_uv"].astype(np.int32),
                uv=z["uv"],
                part=z["part"],
                mirror=z["mirror"].astype(np.int32),
                inner_face=z["inner_face"],
                smooth_modes=z["smooth_modes"].astype(np.float32),
                smooth_stiffness=z["smooth_stiffness"],
                embeddings={k: (z[f"embedding.{k}.index"], z[f"embedding.{k}.weight"]) for k in keys},
                uv_colour=z.get("uv_colour"),
            )
            object.__setattr__(model, "digest", blake2b(Path(path).read_bytes(), digest_size=16).hexdigest())
            return model


@kept
def _level(model: HeadModel, level: int) -> Level:
    if level not in (0, 1, 2):
        raise ValueError(f"subdivision level {level} is not 0, 1 or 2")
    if level == 0:
        matrix = Sparse.identity(len(model.mean))
        quads, quad_uv, uv, part = model.quads, model.quad_uv, model.uv, model.part
        colour = None if model.uv_colour is None else model.uv_colour.astype(np.float32)
    else:
        below = model.level(level - 1)
        step, quads = catmull_clark(below.quads, below.matrix.shape[0])
        uv_step, quad_uv = catmull_clark(below.quad_uv, len(below.uv))
        matrix = (step if level == 1 else step.after(below.matrix)).astype(np.float32)
        uv = np.asarray(uv_step @ below.uv, dtype=np.float32)
        colour = None if below.uv_colour is None else np.asarray(uv_step @ below.uv_colour, dtype=np.float32)
        part = np.repeat(below.part, corner_counts(below.quads))
    triangles, owner = triangulate(quads)
    triangle_uv, _ = triangulate(quad_uv)
    e68, e478 = (model.embeddings.get(f"{n}.{level}", NOWHERE) for n in (68, 478))
    return Level(quads, quad_uv, uv, part, triangles, triangle_uv, part[owner], colour, matrix, e68, e478)


@cache
def default_head() -> HeadModel:
    """The head that ships with the package (CC0 data; see LICENSES.md), loaded once per process."""
    return HeadModel.load(weights.path("head"))


@dataclass(frozen=True, slots=True)
class Head:
    """One person's head as a mesh, at the level of subdivision the user asked for."""

    model: HeadModel
    level: int
    """0, 1 or 2: how often the model's control mesh was subdivided."""
    vertices: Array
    """(V, 3) float32 mm, with the photo's expression."""
    neutral: Array
    """(V, 3) float32 mm, the same person at rest."""

    @property
    def triangles(self) -> NDArray[np.int32]:
        """(T, 3) vertex indices, counter-clockwise seen from outside."""
        return self.model.level(self.level).triangles

    @property
    def coarse(self) -> Head:
        """The same surface between the places of the control mesh's vertices alone, with which every level begins."""
        count = len(self.model.mean)
        return Head(self.model, 0, self.vertices[:count], self.neutral[:count])

    def points68(self, vertices: Array) -> Array:
        """The 68 iBUG points, (68, 3), on `vertices` (V, 3) of this head."""
        return self.model.level(self.level).points68(vertices)

    def points478(self, vertices: Array) -> Array:
        """The 478 MediaPipe points, (478, 3), on `vertices` (V, 3) of this head."""
        return self.model.level(self.level).points478(vertices)
