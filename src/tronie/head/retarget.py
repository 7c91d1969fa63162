"""A face model of another family as a HeadModel: what its file does not say is carried over from our own head.

Carried over by nearest points: the 52 expressions of a family that has none of those names (then said in the family's
own expressions, as far as these reach), the smooth fields of the residual warp, and the inner face. The landmark
embeddings are not here: they have to be found by rendering.
"""

from __future__ import annotations

import math

import numpy as np

from tronie.arrays import Array
from tronie.geometry import rotation_matrix
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel, Ints, default_head, sphere_center
from tronie.head.morphable import Morphable
from tronie.head.uv_layout import cylinder, one_square

GAZE = {"Up": (-15.0, 0.0), "Down": (18.0, 0.0), "In": (0.0, -23.0), "Out": (0.0, 23.0)}
"""Degrees about x, and about y towards the outside, at full weight: as in our own head."""
JAW = 20.0
"""Degrees about x of a jaw joint that are offered to say a unit with."""
NEAR, REACH = 4, 15.0
"""Nearest vertices that a value is taken from, and mm at which it has faded to a third."""
RIDGE = 1e-2
"""Price of expressions of their usual size, by the mean square that they move the face."""
CHUNK = 500


def head_model(m: Morphable) -> HeadModel:
    """Everything of a HeadModel but its embeddings."""
    ours = default_head()
    skin, target = ours.vertices_of("skin"), m.vertices_of("skin")
    index, weight, distance = nearest_points(m.mean, ours.mean[skin])
    source = skin[index]

    def carried(values: Array) -> Array:
        """(..., C) values of our head -> (..., V)."""
        return np.asarray(np.einsum("...vn,vn->...v", values[..., source], weight), dtype=np.float32)

    inner = carried(ours.inner_face.astype(np.float32)) > 0.5
    on_skin = np.zeros(len(m.mean), dtype=bool)
    on_skin[target] = True
    uv, face_uv = cylinder(m) if m.uv is None or m.face_uv is None else one_square(m.uv, m.face_uv, m.part)
    return HeadModel(
        name=m.name,
        licence=m.licence,
        mean=m.mean,
        identity=m.identity,
        expression=units(m, np.moveaxis(carried(np.moveaxis(ours.expression, 1, 2)), 1, 2), distance, on_skin),
        quads=m.faces,
        quad_uv=face_uv,
        uv=uv,
        part=m.part,
        mirror=mirror(m.mean),
        inner_face=inner & on_skin,
        smooth_modes=carried(ours.smooth_modes),
        smooth_stiffness=ours.smooth_stiffness,
        embeddings={},
    )


def nearest_points(points: Array, targets: Array, count: int = NEAR) -> tuple[Ints, Array, Array]:
    """The nearest of targets (n, 3) to points (V, 3): indices (V, count), weights (V, count) that sum to 1, and the
    least distance (V,)."""
    count = min(count, len(targets))
    index = np.empty((len(points), count), np.int32)
    square = np.empty((len(points), count))
    length = (targets**2).sum(axis=1)
    for start in range(0, len(points), CHUNK):
        p = points[start : start + CHUNK]
        rough = length - 2 * p @ targets.T
        rows = rough.argmin(axis=1)[:, None] if count == 1 else np.argpartition(rough, count - 1, axis=1)[:, :count]
        index[start : start + CHUNK] = rows
        square[start : start + CHUNK] = ((p[:, None] - targets[rows]) ** 2).sum(axis=2)
    weight = 1 / (square + 0.1)
    return index, weight / weight.sum(axis=1, keepdims=True), np.sqrt(square.min(axis=1))


def mirror(mean: Array) -> Ints:
    """(V,) the vertex nearest to each one's mirror image."""
    return nearest_points(mean * np.array([-1, 1, 1], dtype=mean.dtype), mean, 1)[0][:, 0]


def own_unit(m: Morphable, unit: str) -> Array | None:
    """(V, 3) an ARKit unit by the family's own names; `_L` and `_R` for sides, both for what ARKit has whole."""
    stem = unit.removesuffix("Left").removesuffix("Right")
    sided = [stem + "_L"] if unit.endswith("Left") else [stem + "_R"] if unit.endswith("Right") else []
    for names in ([unit], sided or [stem + "_L", stem + "_R"]):
        if rows := [m.expression_names.index(n) for n in names if n in m.expression_names]:
            return np.asarray(m.expression[rows].sum(axis=0))
    return None


def units(m: Morphable, carried: Array, distance: Array, on_skin: Array) -> Array:
    """(52, V, 3) mm at weight 1: the family's own where it has them by name, else `carried` ones in its own words."""
    out = np.zeros((len(ARKIT_UNITS), *m.mean.shape), np.float32)
    own = [own_unit(m, unit) for unit in ARKIT_UNITS]
    for k, found in enumerate(own):
        if found is not None:
            out[k] = found
    if not len(m.vertices_of("tongue")):
        carried[ARKIT_UNITS.index("tongueOut")] = 0  # ours opens the mouth for it
    if all(found is None for found in own) and len(m.expression):
        out[:] = in_own_words(m, carried, np.exp(-((distance / REACH) ** 2)) * on_skin)
    for side, sign in (("Left", 1.0), ("Right", -1.0)):
        rows = m.vertices_of(f"eye_{side.lower()}")
        for way, (down, aside) in GAZE.items() if len(rows) else ():
            v = m.mean[rows] - eye_center(m, side)
            turn = rotation_matrix(np.radians([down, sign * aside, 0.0]))
            out[ARKIT_UNITS.index(f"eyeLook{way}{side}"), rows] = v @ (turn - np.eye(3)).T
    return out


def eye_center(m: Morphable, side: str) -> Array:
    """(3,) mm: centre of rotation of an eye, by its joint or its ball."""
    name = f"eye_{side.lower()}"
    if m.joints is not None and name in m.joints.names:
        return np.asarray(m.joints.mean[m.joints.names.index(name)])
    return sphere_center(m.mean[m.vertices_of(name)])


def in_own_words(m: Morphable, wanted: Array, trust: Array) -> Array:
    """(n, V, 3) displacements, as near to `wanted` as the family's expressions and its jaw come; `trust` (V,) 0..1."""
    basis = m.expression
    if m.joints is not None and "jaw" in m.joints.names:
        jaw = m.joints.names.index("jaw")
        turn = rotation_matrix([math.radians(JAW), 0.0, 0.0]) - np.eye(3)
        opened = m.joints.weights[:, jaw, None] * ((m.mean - m.joints.mean[jaw]) @ turn.T)
        basis = np.concatenate([basis, opened[None].astype(np.float32)])
    root = np.sqrt(trust)[:, None].astype(np.float32)
    b, w = (x.reshape(len(x), -1) for x in (basis * root, wanted * root))
    gram = (b @ b.T).astype(np.float64)
    gram[np.diag_indices(len(gram))] += RIDGE * np.trace(gram) / len(gram)
    coefficients = np.linalg.solve(gram, (b @ w.T).astype(np.float64))
    return np.asarray(np.tensordot(coefficients.T.astype(np.float32), basis, axes=1))
