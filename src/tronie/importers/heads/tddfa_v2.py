"""The face model of 3DDFA_V2: `bfm_noneck_v3.pkl`, a Basel Face Model of 2009 without neck and ears, with expressions.

Guo et al. 2020, "Towards Fast, Accurate and Stable 3D Dense Face Alignment". Lengths in micrometres. The file has
orthonormal modes only: their means and deviations, 40 shapes and 10 expressions (without names), stand in
`param_mean_std_62d_120x120.pkl`, the triangles in `tri.pkl`. Both come with 3DDFA_V2 and have to lie beside it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from tronie.formats.numpy_pickle import read_array_pickle
from tronie.formats.safety import Refused
from tronie.head.morphable import Morphable, place
from tronie.importers.heads.family import Family, modes, need

KEYS = ("u", "w_shp", "w_exp", "keypoints")
POSE, SHAPES, EXPRESSIONS = 12, 40, 10
TRIANGLES, SPREADS = "tri.pkl", "param_mean_std_62d_120x120.pkl"


def read(family: Family, file: Path) -> Morphable:
    z, spreads = read_array_pickle(file), _companion(file, SPREADS)
    if not isinstance(z, dict) or not isinstance(spreads, dict):
        raise Refused("it holds no dict of arrays")
    need(z, KEYS)
    need(spreads, ("mean", "std"))
    middle, std = (np.asarray(spreads[k], np.float64).ravel() for k in ("mean", "std"))
    if not len(middle) == len(std) == POSE + SHAPES + EXPRESSIONS:
        raise Refused(f"{SPREADS} beside it does not belong to it")
    count = np.asarray(z["u"]).size // 3
    shapes, expressions = np.asarray(z["w_shp"])[..., :SHAPES], np.asarray(z["w_exp"])[..., :EXPRESSIONS]
    identity = modes(shapes, count, std[POSE : POSE + SHAPES] * 1e-3)
    expression = modes(expressions, count, std[POSE + SHAPES :] * 1e-3)
    shift = shapes @ middle[POSE : POSE + SHAPES] + expressions @ middle[POSE + SHAPES :]
    keypoints = np.asarray(z["keypoints"]).ravel()
    triangles = np.asarray(_companion(file, TRIANGLES))
    return place(
        **family.terms,
        mean=(np.asarray(z["u"]).ravel() + shift).reshape(count, 3) * 1e-3,
        identity=identity,
        expression=expression,
        faces=triangles.T if triangles.shape[0] == 3 else triangles,
        mm=1.0,
        landmarks68=keypoints[::3] // 3 if len(keypoints) == 204 else None,
    )


def _companion(file: Path, name: str) -> Any:
    beside = file.with_name(name)
    if not beside.is_file():
        raise Refused(f"it needs {name} beside it, which comes with 3DDFA_V2 in the folder configs")
    return read_array_pickle(beside)


FAMILY = Family(
    "3ddfa",
    "3DDFA_V2: face (from Basel 2009)",
    "Basel, research only",
    False,
    "github.com/cleardusk/3DDFA_V2",
    ("bfm_noneck_v3.pkl",),
    read,
    (TRIANGLES, SPREADS),
)
