"""The Basel Face Model of 2009: `01_MorphableModel.mat`, MATLAB version 5.

Paysan et al. 2009, "A 3D Face Model for Pose and Illumination Invariant Face Recognition". 199 modes of shape and of
colour; lengths in micrometres, colours 0..255, triangles counted from 1. No expressions, no eyes, no texture layout.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tronie.formats.matlab import read_mat
from tronie.head.morphable import Morphable, place
from tronie.importers.heads.family import Family, modes, need

KEYS = ("shapeMU", "shapePC", "shapeEV", "tl")
COLOURS = ("texMU", "texPC", "texEV")


def read(family: Family, file: Path) -> Morphable:
    z = read_mat(file, KEYS)
    need(z, KEYS)
    count = z["shapeMU"].size // 3
    # Despite its name, EV holds standard deviations. Scaled at once: the modes have 128 MB.
    shapes = modes(z.pop("shapePC"), count, z["shapeEV"].astype(np.float64) * 1e-3)
    c = read_mat(file, COLOURS)
    need(c, COLOURS)
    return place(
        **family.terms, mean=z["shapeMU"].reshape(count, 3) * 1e-3, identity=shapes, expression=np.zeros((0, count, 3)),
        faces=z["tl"].astype(np.int64) - 1, mm=1.0, albedo=c["texMU"].reshape(count, 3) / 255,
        albedo_basis=modes(c.pop("texPC"), count, c["texEV"] / 255),
    )  # fmt: skip


FAMILY = Family(
    "bfm-2009", "Basel Face Model 2009: face, no expressions", "Basel, research only", False,
    "faces.dmi.unibas.ch/bfm", ("01_MorphableModel.mat",), read,
)  # fmt: skip
