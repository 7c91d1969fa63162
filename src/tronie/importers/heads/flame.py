"""FLAME: `generic_model.pkl`, `flame2023.pkl` and their like, or an npz with the same names.

Li et al. 2017, "Learning a model of facial shape and expression from 4D scans". 300 shapes and then 100 expressions
(principal components, without names) in `shapedirs`; metres; five joints with skinning. The two eyeballs are the
vertices that follow the eyes' joints. Texture coordinates come in other files, and the small correctives of posture
(`posedirs`) are left out.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tronie.formats.npz import read_npz
from tronie.formats.numpy_pickle import read_array_pickle
from tronie.formats.safety import Refused
from tronie.head.model import PARTS
from tronie.head.morphable import Joints, Morphable, place
from tronie.importers.heads.family import Family, need

KEYS = ("v_template", "f", "shapedirs", "J_regressor", "kintree_table", "weights")
JOINTS = ("root", "neck", "jaw", "eye_left", "eye_right")
SHAPES, EXPRESSIONS = 300, 100


def read(family: Family, file: Path) -> Morphable:
    z = read_npz(file, KEYS) if file.suffix == ".npz" else read_array_pickle(file)
    if not isinstance(z, dict):
        raise Refused("it holds no dict of arrays")
    need(z, KEYS)
    mean, directions = np.asarray(z["v_template"], np.float64), np.asarray(z["shapedirs"])
    count = len(mean)
    if directions.shape != (count, 3, SHAPES + EXPRESSIONS):
        raise Refused(f"its shapedirs are not {SHAPES} shapes and {EXPRESSIONS} expressions")
    basis = np.moveaxis(directions, 2, 0).astype(np.float32)
    faces, joints = np.asarray(z["f"]), _joints(z, mean, basis[:SHAPES])
    part = np.zeros(len(faces), np.uint8)
    for name in ("eye_left", "eye_right"):
        part[(joints.weights[:, JOINTS.index(name)] > 0.5)[faces].all(axis=1)] = PARTS.index(name)
    return place(
        **family.terms,
        mean=mean,
        identity=basis[:SHAPES],
        expression=basis[SHAPES:],
        faces=faces,
        part=part,
        mm=1000.0,
        joints=joints,
    )


def _joints(z: dict[str, Any], mean: Any, shapes: Any) -> Joints:
    regressor, weights = np.asarray(z["J_regressor"]), np.asarray(z["weights"])
    tree = np.atleast_2d(np.asarray(z["kintree_table"]))[0].astype(np.int64)
    wanted = (len(JOINTS), len(mean))
    if regressor.shape != wanted or weights.shape != wanted[::-1] or len(tree) != len(JOINTS):
        raise Refused("its joints are not those of FLAME")
    tree[0] = -1  # written as the largest unsigned number
    return Joints(JOINTS, tree, regressor @ mean, np.einsum("jv,kvc->kjc", regressor, shapes), weights)


WHAT = "head, eyes; jaw and neck turn"
FLAME_2023_OPEN = Family(
    "flame-2023-open",
    f"FLAME 2023 Open: {WHAT}",
    "CC BY 4.0",
    True,
    "flame.is.tue.mpg.de",
    ("flame2023_Open.pkl",),
    read,
)
"""The one edition that may be used commercially; FLAME 2023 without `Open` is another download."""
FLAME_2023 = Family(
    "flame-2023",
    f"FLAME 2023: {WHAT}",
    "FLAME, research only",
    False,
    "flame.is.tue.mpg.de",
    ("flame2023.pkl", "flame2023_no_jaw.pkl", "flame2023.npz"),
    read,
)
FLAME_2020 = Family(
    "flame-2020",
    f"FLAME 2019 and 2020: {WHAT}",
    "FLAME, research only",
    False,
    "flame.is.tue.mpg.de",
    ("generic_model.pkl", "female_model.pkl", "male_model.pkl", "FLAME_NEUTRAL.pkl", "FLAME_NEUTRAL.npz"),
    read,
)
