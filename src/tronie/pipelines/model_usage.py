"""Which models a job uses, for the records beside its results: their names and licences."""

from __future__ import annotations

from tronie.runtime.weights import WEIGHTS
from tronie.settings import Settings
from tronie.types import UsedModel

DETECTORS: dict[str, tuple[str, ...]] = {
    "centerface": ("centerface",),
    "mtcnn": ("mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet"),
}
"""Detector -> its files in `weights.WEIGHTS`; that of dlib comes with a package of its own."""
DLIB = UsedModel("cnn_face_detection_model_v1", "CC0-1.0 (face-recognition-models)", True)
CALIBRATED = ("face_shape", "calibration", "head")


def models_used(settings: Settings, *, enhance: bool = True) -> tuple[UsedModel, ...]:
    """What the stages of these settings use, in their order; models that are not there are left out. `enhance` counts
    the net of super-resolution, which works on small faces only."""
    detector = settings.detect.detector
    found = (DLIB,) if detector == "dlib" else _shipped(*DETECTORS.get(detector, ()))
    found += _shipped("face_landmarks", "blendshapes", "face_doubts")
    found += _brought() if settings.fit.engine == "deep3d" else _head(settings.head.name)
    if enhance and settings.enhance.mode != "off":
        from tronie.stages.enhance import MODES, OWN

        found += enhancers_used(OWN if settings.enhance.mode in MODES else settings.enhance.mode)
    return found


def enhancers_used(name: str) -> tuple[UsedModel, ...]:
    """The net behind an enhancer; () for one that nobody has told the licence of."""
    from tronie.runtime.model_store import imported
    from tronie.stages.enhance import OWN, OWN_WEIGHT

    if name == OWN:
        return _shipped(OWN_WEIGHT)
    there = imported().get(name)
    return () if there is None else (UsedModel(there.name, there.licence, there.commercial_use),)


def _head(name: str) -> tuple[UsedModel, ...]:
    """Of a user's own head, the net that reads faces is ours, and what the calibration says is of the head's terms."""
    from tronie.importers.heads.calibrated import OWN, calibrated

    if name == OWN:
        return _shipped(*CALIBRATED)
    there = calibrated().get(name)  # what is missing is said when the head is loaded
    own = () if there is None else (UsedModel(name, there.record.licence, there.record.commercial_use),)
    return (*_shipped(CALIBRATED[0]), *own)


def _shipped(*names: str) -> tuple[UsedModel, ...]:
    return tuple(UsedModel(w.name, w.licence, w.commercial_use) for n in names if (w := WEIGHTS.get(n)) is not None)


def _brought() -> tuple[UsedModel, ...]:
    from tronie.errors import WeightsError
    from tronie.stages.deep3d.terms import used

    try:
        return tuple(UsedModel(one.name, one.licence, one.commercial_use) for one in used())
    except WeightsError:  # said when the engine is loaded
        return ()
