"""The Morphable value: a face model of some family, in our own axes and millimetres, before it is calibrated.

It holds what the family's file says and nothing else. `tronie.head.retarget.head_model` makes a HeadModel of it.
"""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.formats.npz import read_npz
from tronie.formats.safety import Refused, refusals
from tronie.head.model import PARTS, sphere_center
from tronie.head.subdivide import triangulate

Ints = NDArray[np.int32]
Numbers = NDArray[Any]

NOSE_TIP = np.array([0.0, -37.1, 49.0])
"""mm: of our own mean head. A model without eyes is placed so that its nose's tip is there."""
WIDTHS = (90.0, 900.0)
"""mm: widths of a mean that can be a face, or a bust with its shoulders; others are in unknown units."""
FARTHEST = 10_000.0
"""mm by which a shape may move a vertex, and steps by which it may change a colour: half floats can hold them."""
NO_PART = 255


@dataclass(frozen=True, slots=True, eq=False)
class Joints:
    """What turns in the head: neck, jaw, eyes, as the family has them."""

    names: tuple[str, ...]
    parents: Ints
    """(J,) index of each joint's parent, -1 at the root; parents come first."""
    mean: Array
    """(J, 3) mm: the mean person's joints at rest."""
    identity: Array
    """(K, J, 3) mm per standard deviation."""
    weights: Array
    """(V, J) linear blend skinning; each row sums to 1."""


@dataclass(frozen=True, slots=True, eq=False)
class Morphable:
    """Linear face model: vertices = mean + identity . a + expression . e, then skinned where it has joints."""

    name: str
    """Of the family, as `FAMILIES` calls it."""
    licence: str
    commercial_use: bool
    mean: Array
    """(V, 3) float32 mm: +x to the subject's left, +y up, +z out of the face; origin between the eyes' centres."""
    identity: Array
    """(K, V, 3) float32 mm per standard deviation."""
    expression: Array
    """(E, V, 3) float32 mm: at weight 1 for named units, per standard deviation for principal components."""
    faces: Ints
    """(F, 4) vertex indices, -1 in the last place for a triangle; counter-clockwise seen from outside."""
    part: NDArray[np.uint8]
    """(F,) index into `tronie.head.model.PARTS`; everything is skin where the family has no parts."""
    expression_names: tuple[str, ...] = ()
    """E names; empty where the family has none, as for principal components (FLAME, Basel)."""
    expression_is_pca: bool = True
    uv: Array | None = None
    """(U, 2) float32, origin at the top left, v down. u above 1 means further tiles of a texture (UDIM)."""
    face_uv: Ints | None = None
    """(F, 4) rows of `uv`."""
    albedo: Array | None = None
    """(V, 3) mean colour 0..1, RGB, as the family stores it."""
    albedo_basis: Array | None = None
    """(A, V, 3) per standard deviation."""
    joints: Joints | None = None
    landmarks68: Ints | None = None
    """(68,) vertices at the 68 iBUG points, where the file tells them."""

    @property
    def triangles(self) -> Ints:
        """(T, 3)."""
        return triangulate(self.faces)[0]

    def shape(self, identity: ArrayLike = (), expression: ArrayLike = ()) -> Array:
        """Vertices (V, 3) mm at rest for coefficients (K',) and (E',), K' <= K and E' <= E; joints are not turned."""
        a, e = np.asarray(identity, dtype=np.float32), np.asarray(expression, dtype=np.float32)
        moved = np.tensordot(a, self.identity[: len(a)], axes=1) + np.tensordot(e, self.expression[: len(e)], axes=1)
        return np.asarray(self.mean + moved)

    def vertices_of(self, part: str) -> Ints:
        """Vertices of a part by its name in PARTS."""
        rows = np.unique(self.faces[self.part == PARTS.index(part)])
        return rows[rows >= 0].astype(np.int32)

    def to_bytes(self) -> bytes:
        """An npz; bases as half floats (an error of 0.004 mm in a displacement of 10 mm)."""
        arrays: dict[str, Any] = {
            "name": np.array(self.name),
            "licence": np.array(self.licence),
            "mean": self.mean,
            "commercial_use": np.array(self.commercial_use),
            "expression_is_pca": np.array(self.expression_is_pca),
            "identity": self.identity.astype(np.float16),
            "expression": self.expression.astype(np.float16),
            "faces": self.faces,
            "part": self.part,
            "expression_names": np.array(self.expression_names, dtype=np.str_),
        }
        for key in ("uv", "face_uv", "albedo", "landmarks68"):
            if (value := getattr(self, key)) is not None:
                arrays[key] = value
        if self.albedo_basis is not None:
            arrays["albedo_basis"] = self.albedo_basis.astype(np.float16)
        if (j := self.joints) is not None:
            arrays |= {"joints.names": np.array(j.names), "joints.parents": j.parents, "joints.mean": j.mean}
            arrays |= {"joints.identity": j.identity, "joints.weights": j.weights}
        out = io.BytesIO()
        np.savez(out, **arrays)
        return out.getvalue()

    @classmethod
    def load(cls, file: Path) -> Morphable:
        """Read what `to_bytes` gave. Raises WeightsError; never unpickles."""
        z = read_npz(file)
        with refusals(file, "an imported face model"):
            joints = None
            if "joints.names" in z:
                names = tuple(str(n) for n in z["joints.names"])
                parts = (z[f"joints.{k}"] for k in ("parents", "mean", "identity", "weights"))
                joints = Joints(names, *parts)
            return cls(
                name=str(z["name"]),
                licence=str(z["licence"]),
                commercial_use=bool(z["commercial_use"]),
                mean=z["mean"],
                identity=z["identity"].astype(np.float32),
                expression=z["expression"].astype(np.float32),
                faces=z["faces"],
                part=z["part"],
                expression_names=tuple(str(n) for n in z["expression_names"]),
                expression_is_pca=bool(z["expression_is_pca"]),
                uv=z.get("uv"),
                face_uv=z.get("face_uv"),
                albedo=z.get("albedo"),
                landmarks68=z.get("landmarks68"),
                joints=joints,
                albedo_basis=z["albedo_basis"].astype(np.float32) if "albedo_basis" in z else None,
            )


def place(
    *,
    name: str,
    licence: str,
    commercial_use: bool,
    mean: Numbers,
    identity: Numbers,
    expression: Numbers,
    faces: Numbers,
    mm: float,
    part: Numbers | None = None,
    expression_names: tuple[str, ...] = (),
    expression_is_pca: bool = True,
    uv: Numbers | None = None,
    face_uv: Numbers | None = None,
    albedo: Numbers | None = None,
    albedo_basis: Numbers | None = None,
    joints: Joints | None = None,
    landmarks68: Numbers | None = None,
) -> Morphable:
    """A family's arrays, checked, as a Morphable. `mm` is the millimetres of its unit; axes must be ours already (all
    families that are known here have x to the subject's left, y up, z out of the face). Triangles (F, 3) may be given
    for `faces`, wound either way; faces whose `part` is NO_PART are left out with their vertices. Raises Refused.
    """
    mean = _floats(mean, (len(mean), 3), "mean")
    count = len(mean)
    identity = _floats(identity, (len(identity), count, 3), "shapes")
    expression = _floats(expression, (len(expression), count, 3), "expressions")
    faces = _indices(faces, count, "faces")
    faces = faces if faces.shape[1] == 4 else np.column_stack([faces, np.full(len(faces), -1, np.int32)])
    part = np.zeros(len(faces), np.uint8) if part is None else np.asarray(part).astype(np.uint8)
    if uv is not None and face_uv is not None:
        uv, face_uv = _floats(uv, (len(uv), 2), "texture coordinates"), _indices(face_uv, len(uv), "texture faces")
        if face_uv.shape[1] == 3:
            face_uv = np.column_stack([face_uv, np.full(len(face_uv), -1, np.int32)])
        if face_uv.shape != faces.shape:
            raise Refused("its texture coordinates do not fit its faces")
    names_fit = not expression_names or len(expression_names) == len(expression)
    if not len(identity) or len(part) != len(faces) or not names_fit:
        raise Refused("its arrays do not fit each other")
    width = float(np.ptp(mean[:, 0])) * mm
    if not WIDTHS[0] < width < WIDTHS[1]:
        raise Refused(f"its mean is {width:.3g} mm wide, which is no face in the units that this model has")
    faces, face_uv = _outward(mean, faces, face_uv)
    if landmarks68 is not None:
        landmarks68 = _indices(np.asarray(landmarks68).reshape(-1, 1), count, "landmarks")[:, 0]
    if albedo is not None:
        albedo = _floats(albedo, (count, 3), "colours")
        albedo_basis = None if albedo_basis is None else _floats(albedo_basis, (len(albedo_basis), count, 3), "colours")
    if joints is not None:
        joints = _joints(joints, len(identity), count, mm)
    far = max(float(np.abs(basis).max(initial=0)) for basis in (identity, expression)) * mm
    if far > FARTHEST or (albedo_basis is not None and float(np.abs(albedo_basis).max(initial=0)) > FARTHEST):
        raise Refused("its shapes or colours go farther than those of faces")
    whole = Morphable(
        name,
        licence,
        commercial_use,
        mean * np.float32(mm),
        identity * np.float32(mm),
        expression * np.float32(mm),
        faces,
        part,
        expression_names,
        expression_is_pca,
        uv,
        face_uv,
        albedo,
        albedo_basis,
        joints,
        landmarks68,
    )
    del mean, identity, expression  # of the Basel model 0.2 GB
    return _centred(_without(whole, NO_PART) if (part == NO_PART).any() else whole)


def _floats(values: Numbers, shape: tuple[int, ...], what: str) -> Array:
    with np.errstate(over="ignore"):
        made = np.asarray(values, dtype=np.float32)
    if made.shape != shape or not np.isfinite(made).all():
        raise Refused(f"its {what} do not fit its vertices or are not numbers")
    return made


def _indices(values: Numbers, count: int, what: str) -> Ints:
    made = np.asarray(values).astype(np.int64)
    if made.ndim != 2 or made.shape[1] not in (1, 3, 4) or not len(made):
        raise Refused(f"its {what} are neither triangles nor quads")
    if made[:, :3].min() < 0 or made.min() < -1 or made.max() >= count:
        raise Refused(f"its {what} name vertices that it does not have")
    return made.astype(np.int32)


def _joints(j: Joints, people: int, count: int, mm: float) -> Joints:
    n = len(j.names)
    mean, weights = _floats(j.mean, (n, 3), "joints"), _floats(j.weights, (count, n), "joints' weights")
    parents = np.asarray(j.parents).astype(np.int32)
    if parents.shape != (n,) or n == 0 or (parents >= np.arange(n)).any() or parents.min() < -1:
        raise Refused("its joints do not hang together")
    identity = _floats(j.identity, (people, n, 3), "joints")
    return Joints(j.names, parents, mean * np.float32(mm), identity * np.float32(mm), weights)


def _outward(mean: Array, faces: Ints, face_uv: Ints | None) -> tuple[Ints, Ints | None]:
    """The faces counter-clockwise from outside: the volume they span from a point behind the face is positive."""
    p = (mean - [*mean[:, :2].mean(axis=0), mean[:, 2].min()]).astype(np.float64)[triangulate(faces)[0]]
    if np.einsum("ij,ij->", p[:, 0], np.cross(p[:, 1], p[:, 2])) >= 0:
        return faces, face_uv

    # The order of three corners or of four is turned; a -1 stays last.
    def turned(f: Ints) -> Ints:
        return np.where(f[:, 3:] < 0, f[:, [0, 2, 1, 3]], f[:, [0, 3, 2, 1]])

    return turned(faces), None if face_uv is None else turned(face_uv)


def _without(m: Morphable, part: int) -> Morphable:
    """The model without the faces of a part, and without the vertices that then belong to none."""
    kept = m.part != part
    used, row = _used(m.faces[kept], len(m.mean))
    j, uv, face_uv = m.joints, m.uv, m.face_uv
    if uv is not None and face_uv is not None:
        used_uv, row_uv = _used(face_uv[kept], len(uv))
        uv, face_uv = uv[used_uv], row_uv[face_uv[kept]]
    return replace(
        m,
        mean=m.mean[used],
        identity=m.identity[:, used],
        expression=m.expression[:, used],
        faces=row[m.faces[kept]],
        part=m.part[kept],
        uv=uv,
        face_uv=face_uv,
        albedo=None if m.albedo is None else m.albedo[used],
        albedo_basis=None if m.albedo_basis is None else m.albedo_basis[:, used],
        joints=None if j is None else replace(j, weights=j.weights[used]),
        landmarks68=None if m.landmarks68 is None else row[m.landmarks68],
    )


def _used(faces: Ints, count: int) -> tuple[Ints, Ints]:
    """The rows that faces name, and of `count` rows (and of -1, which stays) their new numbers."""
    used = np.unique(faces)
    used = used[used >= 0]
    row = np.full(count + 1, -1, np.int32)
    row[used] = np.arange(len(used))
    return used, row


def _centred(m: Morphable) -> Morphable:
    """The model moved so that the origin lies between the eyes: their joints, else their balls, else by the nose."""
    names = () if m.joints is None else m.joints.names
    eyes = [names.index(n) for n in ("eye_left", "eye_right") if n in names]
    balls = [m.mean[m.vertices_of(n)] for n in ("eye_left", "eye_right")]
    if m.joints is not None and len(eyes) == 2:
        origin = m.joints.mean[eyes].mean(axis=0)
    elif min(map(len, balls)) >= 8:
        origin = np.mean([sphere_center(b) for b in balls], axis=0)
    else:
        origin = m.mean[m.mean[:, 2].argmax()] - NOSE_TIP
    origin = np.asarray(origin, dtype=np.float32)
    joints = None if m.joints is None else replace(m.joints, mean=m.joints.mean - origin)
    return replace(m, mean=m.mean - origin, joints=joints)
