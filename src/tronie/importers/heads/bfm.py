"""The Basel Face Models: of 2017 and 2019 statismo's HDF5 files, of 2009 `01_MorphableModel.mat` (MATLAB version 5).

Gerig et al. 2018, "Morphable Face Models - An Open Framework". For each of shape, expression and colour a mean, an
orthonormal basis (3 V, K) and variances (K,); lengths in millimetres, colours 0..1. The expressions are principal
components without names, with a mean of their own, which belongs to the face at rest. No eyes, no texture layout.

Paysan et al. 2009, "A 3D Face Model for Pose and Illumination Invariant Face Recognition". 199 modes of shape and of
colour; lengths in micrometres, colours 0..255, triangles counted from 1. No expressions, no eyes, no texture layout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tronie.arrays import Array
from tronie.formats.hdf5 import read_h5
from tronie.formats.matlab import read_mat
from tronie.head.morphable import Morphable, place
from tronie.importers.heads.family import Family, modes, need

CELLS = "shape/representer/cells"
MODELS, STATISTICS = ("shape", "expression", "color"), ("mean", "pcaBasis", "pcaVariance")
NAMES = tuple(f"{model}/model/{statistic}" for model in MODELS for statistic in STATISTICS)
KEYS_2009 = ("shapeMU", "shapePC", "shapeEV", "tl")
COLOURS_2009 = ("texMU", "texPC", "texEV")


def read(family: Family, file: Path) -> Morphable:
    z = read_h5(file, (CELLS, *NAMES))
    need(z, (CELLS, *NAMES[:6]))
    count = z["shape/model/mean"].size // 3

    def components(model: str) -> tuple[Array, Array]:
        spread = np.sqrt(np.maximum(z[f"{model}/model/pcaVariance"], 0))
        mean = z[f"{model}/model/mean"].reshape(count, 3)
        return mean, modes(z.pop(f"{model}/model/pcaBasis"), count, spread)

    (mean, identity), (offset, expression) = components("shape"), components("expression")
    colours = components("color") if NAMES[-1] in z else (None, None)
    cells = z[CELLS]
    return place(
        **family.terms,
        mean=mean + offset,
        identity=identity,
        expression=expression,
        faces=cells.T if cells.shape[0] == 3 else cells,
        mm=1.0,
        albedo=colours[0],
        albedo_basis=colours[1],
    )


def read_2009(family: Family, file: Path) -> Morphable:
    z = read_mat(file, KEYS_2009)
    need(z, KEYS_2009)
    count = z["shapeMU"].size // 3
    # Despite its name, EV holds standard deviations. Scaled at once: the modes have 128 MB.
    shapes = modes(z.pop("shapePC"), count, z["shapeEV"].astype(np.float64) * 1e-3)
    c = read_mat(file, COLOURS_2009)
    need(c, COLOURS_2009)
    return place(
        **family.terms,
        mean=z["shapeMU"].reshape(count, 3) * 1e-3,
        identity=shapes,
        expression=np.zeros((0, count, 3)),
        faces=z["tl"].astype(np.int64) - 1,
        mm=1.0,
        albedo=c["texMU"].reshape(count, 3) / 255,
        albedo_basis=modes(c.pop("texPC"), count, c["texEV"] / 255),
    )


ASK = "faces.dmi.unibas.ch/bfm"
LICENCE = "Basel, research only"
BFM_2017 = Family(
    "bfm-2017",
    "Basel Face Model 2017: face",
    LICENCE,
    False,
    ASK,
    ("model2017-1_bfm_nomouth.h5", "model2017-1_face12_nomouth.h5"),
    read,
)
BFM_2019 = Family(
    "bfm-2019",
    "Basel Face Model 2019: face or head",
    LICENCE,
    False,
    ASK,
    ("model2019_fullHead.h5", "model2019_bfm.h5", "model2019_face12.h5"),
    read,
)
BFM_2009 = Family(
    "bfm-2009",
    "Basel Face Model 2009: face, no expressions",
    LICENCE,
    False,
    ASK,
    ("01_MorphableModel.mat",),
    read_2009,
)
