"""The Basel Face Models of 2017 and 2019: statismo's HDF5 files.

Gerig et al. 2018, "Morphable Face Models - An Open Framework". For each of shape, expression and colour a mean, an
orthonormal basis (3 V, K) and variances (K,); lengths in millimetres, colours 0..1. The expressions are principal
components without names, with a mean of their own, which belongs to the face at rest. No eyes, no texture layout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tronie.arrays import Array
from tronie.formats.hdf5 import read_h5
from tronie.head.morphable import Morphable, place
from tronie.importers.heads.family import Family, modes, need

CELLS = "shape/representer/cells"
MODELS, STATISTICS = ("shape", "expression", "color"), ("mean", "pcaBasis", "pcaVariance")
NAMES = tuple(f"{model}/model/{statistic}" for model in MODELS for statistic in STATISTICS)


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
        **family.terms, mean=mean + offset, identity=identity, expression=expression,
        faces=cells.T if cells.shape[0] == 3 else cells, mm=1.0, albedo=colours[0], albedo_basis=colours[1],
    )  # fmt: skip


ASK = "faces.dmi.unibas.ch/bfm"
LICENCE = "Basel, research only"
BFM_2017 = Family(
    "bfm-2017", "Basel Face Model 2017: face", LICENCE, False, ASK,
    ("model2017-1_bfm_nomouth.h5", "model2017-1_face12_nomouth.h5"), read,
)  # fmt: skip
BFM_2019 = Family(
    "bfm-2019", "Basel Face Model 2019: face or head", LICENCE, False, ASK,
    ("model2019_fullHead.h5", "model2019_bfm.h5", "model2019_face12.h5"), read,
)  # fmt: skip
