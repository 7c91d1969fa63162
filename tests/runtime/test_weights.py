"""The table of model files: every vendored file is what the table says."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest
from places import ROOT

from tronie.errors import WeightsError
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.runtime.weights import WEIGHTS, Weight

LICENSES = ROOT / "LICENSES.md"


@pytest.mark.parametrize("name", [name for name, w in WEIGHTS.items() if w.vendored])
def test_vendored_files_are_as_the_table_says(name: str) -> None:
    file = weights.verify(name)
    assert file.stat().st_size == WEIGHTS[name].bytes
    text = LICENSES.read_text(encoding="utf-8")
    assert WEIGHTS[name].sha256 in text
    assert WEIGHTS[name].file in text


def test_every_file_that_is_shipped_has_its_row() -> None:
    assert {file.name for file in weights.ASSETS.iterdir()} == {w.file for w in WEIGHTS.values() if w.vendored}


def test_vendored_files_stay_small() -> None:
    assert sum(w.bytes for w in WEIGHTS.values() if w.vendored) < 38_000_000


def test_missing_and_damaged_files_say_what_to_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "ASSETS", tmp_path)
    with pytest.raises(WeightsError, match="pip install"):
        weights.path("centerface")
    (tmp_path / "centerface.onnx").write_bytes(b"not a net")
    assert weights.path("centerface") == tmp_path / "centerface.onnx"
    with pytest.raises(WeightsError, match="damaged"):
        weights.verify("centerface")
    with pytest.raises(WeightsError, match=r"cannot be loaded; import it again"):
        Session(tmp_path / "centerface.onnx").load()
    monkeypatch.setattr("tronie.runtime.inference.ASSETS", tmp_path)
    with pytest.raises(WeightsError, match=r"cannot be loaded; reinstall tronie"):
        Session(tmp_path / "centerface.onnx").load()
    with pytest.raises(WeightsError, match="tronie models"):
        weights.path("nonsense")


def test_the_users_own_files_lie_in_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    mine = Weight("mine", "mine.onnx", 0, "", "own", "own", "test", False, vendored=False)
    monkeypatch.setitem(WEIGHTS, "mine", mine)
    with pytest.raises(WeightsError, match=r"mine\.onnx"):
        weights.path("mine")
    assert not weights.present("mine")
    weights.store().mkdir()
    (weights.store() / "mine.onnx").touch()
    assert weights.verify("mine") == tmp_path / "models" / "mine.onnx"


def test_a_session_survives_pickling() -> None:
    session = Session(weights.path("blendshapes"))
    points = np.random.default_rng(0).uniform(0, 256, (2, 146, 2))
    scores = session.run({"points": points})["scores"]
    again = pickle.loads(pickle.dumps(session)).run({"points": points})["scores"]
    assert scores.shape == (2, 52)
    assert np.array_equal(scores, again)
