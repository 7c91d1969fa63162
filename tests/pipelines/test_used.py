"""Every job names the models that it uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tronie.pipelines.model_usage import DETECTORS as FILES
from tronie.pipelines.model_usage import enhancers_used, models_used
from tronie.runtime.weights import WEIGHTS
from tronie.settings import Settings
from tronie.stages.detect import DETECTORS


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))


def _names(**branches: dict[str, object]) -> list[str]:
    return [model.name for model in models_used(Settings.model_validate(branches))]


def test_default() -> None:
    names = _names(enhance={"mode": "off"})
    assert names == ["centerface", "face_landmarks", "blendshapes", "face_doubts", "face_shape", "calibration", "head"]
    assert all(m.licence and m.commercial_use for m in models_used(Settings()))
    assert [n for n in _names() if n not in names] == [n for n in ("face_enhance",) if n in WEIGHTS]


@pytest.mark.parametrize("detector", DETECTORS)
def test_every_detector_is_named(detector: str) -> None:
    assert len(_names(detect={"detector": detector}, enhance={"mode": "off"})) >= 6
    assert set(FILES.get(detector, ())) <= set(_names(detect={"detector": detector}))


def test_models_that_are_not_there() -> None:
    assert "head" not in _names(fit={"engine": "deep3d"})
    assert enhancers_used("somebody's") == ()
