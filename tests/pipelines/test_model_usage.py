"""Every job names the models that it uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tronie.errors import InputError
from tronie.pipelines.choices import choices
from tronie.pipelines.engines import ENGINES, engine_info
from tronie.pipelines.model_usage import enhancers_used, models_used
from tronie.runtime.weights import WEIGHTS
from tronie.settings import Settings
from tronie.stages.detect import DETECTORS, detector_info


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))


def _names(**branches: object) -> list[str]:
    return [model.name for model in models_used(Settings.model_validate(branches))]


def test_default() -> None:
    names = _names(enhance={"mode": "off"})
    bare = [
        "centerface",
        "face_landmarks",
        "blendshapes",
        "face_doubts",
        "recognizer",
        "face_shape",
        "calibration",
        "head",
    ]
    assert names == [*bare, "fit_errors", "segment"]
    assert _names(enhance={"mode": "off"}, only="mesh") == bare
    assert all(m.licence and m.commercial_use for m in models_used(Settings()))
    assert [n for n in _names() if n not in names] == ["face_enhance"]


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_detector_is_named(detector: str) -> None:
    assert len(_names(detect={"detector": detector}, enhance={"mode": "off"})) >= 6
    assert set(detector_info(detector).weights) <= set(WEIGHTS)
    assert {model.name for model in detector_info(detector).models} <= set(_names(detect={"detector": detector}))
    assert detector_info(detector).name == detector


def test_models_that_are_not_there() -> None:
    assert "head" not in _names(fit={"engine": "deep3d"})
    assert enhancers_used("somebody's") == ()


@pytest.mark.parametrize("engine", ENGINES)
def test_every_engine_is_declared_under_its_name(engine: str) -> None:
    assert engine_info(engine).name == engine
    with pytest.raises(InputError, match="choose one of calibrated, deep3d"):
        engine_info("guess")


def test_what_is_offered_is_what_there_is() -> None:
    assert choices("detect.detector") == tuple(DETECTORS)
    assert choices("fit.engine") == tuple(ENGINES)
    assert choices("enhance.mode") == ("auto", "off", "always", "tronie")
    assert choices("head.name") == ("tronie",)
    assert choices("texture.size") == ()
