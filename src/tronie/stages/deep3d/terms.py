"""Deep3D's published files: under which terms, where to get them, and what to do with them."""

from __future__ import annotations

from tronie.errors import WeightsError
from tronie.runtime.model_store import Imported, Terms
from tronie.stages.deep3d import bfm, net

NET, MODEL = "deep3d", "bfm"
"""The kinds of these imports."""


TERMS: dict[str, Terms] = {
    t.name: t
    for t in (
        Terms(
            NET,
            "Deep3D's net: face and light from a crop (needs bfm as well)",
            "MIT, trained on research-only photos",
            "github.com/sicxu/Deep3DFaceRecon_pytorch",
            ("epoch_20.pth", "FaceReconModel.pb"),
        ),
        Terms(
            MODEL,
            "the front of the Basel Face Model 2009 with expressions, for Deep3D",
            "Basel and FaceWarehouse, research only",
            "faces.dmi.unibas.ch/bfm",
            ("BFM_model_front.mat", "01_MorphableModel.mat"),
        ),
    )
}
ORIGINS = {
    "deep3d": "Deep3DFaceRecon_pytorch (Deng et al. 2019, Xu), github.com/sicxu/Deep3DFaceRecon_pytorch",
    "deep3d-tensorflow": "Deep3DFaceReconstruction (Deng et al. 2019), github.com/microsoft/Deep3DFaceReconstruction",
    bfm.NAME: "Basel Face Model 2009 (Paysan et al.), faces.dmi.unibas.ch/bfm, with expressions by Guo et al. (2018)",
}
"""By the name in the store."""


def used() -> tuple[Imported, ...]:
    """The records of the net and the face model that the engine takes. Raises WeightsError where one is missing, with
    all that a user has to know to get what is."""
    found: list[Imported] = []
    missing: list[str] = []
    for kind, record in ((NET, net.record), (MODEL, bfm.record)):
        try:
            found.append(record())
        except WeightsError:
            missing.append(kind)
    if missing:
        raise WeightsError("Deep3D works with files that you download yourself:" + "".join(map(how_to_get, missing)))
    return found[0], found[1]


def how_to_get(kind: str) -> str:
    """Where a file is from, under which terms, and what to do with it: three lines, with the break before them."""
    t = TERMS[kind]
    return (
        f"\n  {t.what}:\n    {' or '.join(t.files)}, from {t.ask} ({t.licence}; no commercial use);"
        f"\n    then: tronie models import {kind} FILE"
    )
