"""GNM Head, Google's Generative aNthropometric Model: `gnm_head.npz`, version 3.

17,821 vertices in metres, y up; 253 shapes (170 of the head, 3 of the eyes, 80 of the teeth); 383 expressions by
regions (principal components, each with a name such as `lower_face_region_007`); joints neck, head, left_eye,
right_eye; groups of vertices with names. The corneas are left out, because they would hide the irises, and so are the
small correctives of posture. Each part has its own texture layout; here they lie in tiles of their own, skin first.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tronie.formats.npz import read_npz
from tronie.formats.safety import Refused
from tronie.head.model import PARTS
from tronie.head.morphable import NO_PART, Joints, Morphable, place
from tronie.importers.heads.family import Family, need

KEYS = (
    "template_vertex_positions", "vertex_identity_basis", "expression_basis", "expression_names", "quads", "quad_uvs",
    "vertex_groups", "vertex_group_names", "template_joint_positions", "joint_identity_basis", "joint_names",
    "joint_parent_indices", "skinning_weights",
)  # fmt: skip
GROUPS = {
    "skin": "skin", "left_eye": "eye_left", "right_eye": "eye_right", "upper_teeth_and_gums": "teeth_upper",
    "lower_teeth_and_gums": "teeth_lower", "tongue": "tongue", "mouth_sock": "mouth",
}  # fmt: skip
"""Group -> our part; the later one counts, because the mouth's lining is skin too."""
HIDDEN = "eye_exteriors"


def read(family: Family, file: Path) -> Morphable:
    z = read_npz(file, KEYS)
    need(z, KEYS)
    quads = z["quads"].astype(np.int64)
    if quads.ndim != 2 or quads.min(initial=0) < 0 or quads.max(initial=0) >= len(z["template_vertex_positions"]):
        raise Refused("its quads name vertices that it does not have")
    part = _parts(quads, z)
    corners = z["quad_uvs"].reshape(-1, 2).astype(np.float64)
    corners = np.column_stack([corners[:, 0] + np.repeat(np.where(part == NO_PART, 0, part), 4), 1 - corners[:, 1]])
    uv, face_uv = np.unique(corners, axis=0, return_inverse=True)
    names = tuple({"left_eye": "eye_left", "right_eye": "eye_right"}.get(str(n), str(n)) for n in z["joint_names"])
    parents = np.where(np.arange(len(names)) == z["joint_parent_indices"], -1, z["joint_parent_indices"])
    where, moves, weights = (z[k] for k in ("template_joint_positions", "joint_identity_basis", "skinning_weights"))
    joints = Joints(names, np.maximum(parents, -1), where, moves, weights.T)
    return place(
        **family.terms,
        mean=z["template_vertex_positions"],
        identity=z["vertex_identity_basis"],
        expression=z["expression_basis"],
        expression_names=tuple(str(n) for n in z["expression_names"]),
        faces=quads,
        part=part,
        mm=1000.0,
        uv=uv,
        face_uv=face_uv.reshape(-1, 4),
        joints=joints,
    )


def _parts(quads: Any, z: dict[str, Any]) -> Any:
    """(F,) our part of each quad; the group of all its corners decides."""
    names = [str(n) for n in z["vertex_group_names"]]
    groups = z["vertex_groups"] > 0.5
    if groups.shape != (len(names), len(z["template_vertex_positions"])) or not {"skin", "left_eye"} <= set(names):
        raise Refused("its groups of vertices are not those of GNM")
    part = np.zeros(len(quads), np.uint8)
    for group, ours in GROUPS.items():
        if group in names:
            part[groups[names.index(group)][quads].all(axis=1)] = PARTS.index(ours)
    if HIDDEN in names:
        part[groups[names.index(HIDDEN)][quads].all(axis=1)] = NO_PART
    return part


FAMILY = Family(
    "gnm",
    "GNM Head 3: head, eyes, teeth, tongue",
    "Apache-2.0",
    True,
    "huggingface.co/google/gnm-v3",
    ("gnm_head.npz",),
    read,
)
