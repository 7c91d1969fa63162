"""A user's head model calibrated from end to end, on few pictures: it is stopped, goes on, and is used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from places import ROOT
from typer.testing import CliRunner

import tronie
from tronie.cli.app import app
from tronie.errors import Cancelled, WeightsError
from tronie.head.model import HeadModel, default_head
from tronie.head.morphable import Morphable
from tronie.importers.heads.calibrated import Calibrated, calibrated, find, folder_of, made_of
from tronie.pipelines.calibration.job import baked, calibrate
from tronie.runtime.job import Advanced, Event, Job, StageBegan
from tronie.runtime.model_store import keep, new_record


def bring(source: Path) -> None:
    """Our own head, as if it were somebody else's, in the store: three shapes, a turned head."""
    ours = default_head()
    m = Morphable(
        "gnm",
        "CC0-1.0",
        True,
        ours.mean,
        ours.identity[:3],
        ours.expression,
        ours.quads,
        ours.part,
        expression_names=ours.expression_names,
        expression_is_pca=False,
    )
    source.write_bytes(b"a made-up file")
    record = new_record(
        "gnm", "gnm", source, purpose="p", licence="CC0-1.0", commercial_use=True, origin="o", suffix=".npz"
    )
    keep(record, m.to_bytes())


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Event], Calibrated]]:
    folder = tmp_path_factory.mktemp("home")
    patch = pytest.MonkeyPatch()
    patch.setenv("TRONIE_HOME", str(folder))
    bring(folder / "file.npz")
    told: list[Event] = []

    def hear(event: Event) -> None:
        told.append(event)
        if isinstance(event, Advanced) and (event.stage, event.done) == ("pictures", 6):
            job.drain()

    job = Job(hear)
    with pytest.raises(Cancelled):
        calibrate("gnm", pictures=120, shard=6, workers=1, job=job)
    yield folder, told, calibrate("gnm", pictures=120, shard=6, workers=1, job=Job(told.append))
    patch.undo()


@pytest.mark.slow
def test_it_is_stopped_and_goes_on(home: tuple[Path, list[Event], Calibrated]) -> None:
    _, told, second = home
    stages = [event for event in told if isinstance(event, StageBegan)]
    assert [event.stage for event in stages] == ["landmarks", "pictures", "pictures", "learning"]
    assert stages[1].total == stages[2].total == 20
    drawn = [event.done for event in told if isinstance(event, Advanced) and event.stage == "pictures"]
    assert 6 <= stages[2].done < 9  # what was drawn is not drawn again
    assert drawn == list(range(1, 21))
    assert sorted(p.name for p in second.folder.iterdir()) == ["calibration.npz", "card.json", "head.npz"]
    assert not folder_of("gnm.work").exists()
    assert 0 < second.card["held_out_figures"]["share"] < 1.3  # so few pictures hardly teach anything
    assert set(calibrated()) == {"gnm"}


@pytest.mark.slow
def test_the_landmarks_are_where_ours_are(home: tuple[Path, list[Event], Calibrated]) -> None:
    ours, theirs = default_head(), HeadModel.load(home[2].folder / "head.npz")
    off = [h.level(1).points478(h.level(1).apply(h.mean)) for h in (ours, theirs)]
    assert np.median(np.linalg.norm(off[0] - off[1], axis=1)) < 2.0


@pytest.mark.slow
def test_photos_are_fitted_with_it(home: tuple[Path, list[Event], Calibrated], tmp_path: Path) -> None:
    photo = ROOT / "src/tronie/assets/selftest.jpg"
    result = tronie.reconstruct(photo, tronie.Settings.model_validate({"head": {"name": "gnm"}}))
    face = result.faces[0]
    assert face.error is None
    assert face.head is not None
    assert face.head.model.name == "gnm"
    assert face.fit is not None
    assert face.fit.diagnostics["rms"] < 0.03
    assert {"gnm"} <= {m.name for m in face.models}
    said = CliRunner().invoke(app, ["run", str(photo), "-o", str(tmp_path / "out"), "--head", "gnm", "--only", "mesh"])
    assert said.exit_code == 0, said.output
    assert (tmp_path / "out/selftest/face-1/head.glb").exists()


def test_skins_are_not_read_to_the_end_once_it_drains(tmp_path: Path) -> None:
    job = Job()
    job.drain()
    with pytest.raises(Cancelled):
        baked([tmp_path / "none.jpg"], job)


def test_what_is_missing_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    with pytest.raises(WeightsError, match=r"flame\.is\.tue\.mpg\.de.*models import flame-2020.*models calibrate"):
        find("flame-2020")
    with pytest.raises(WeightsError, match="no head called nobody; there are tronie, ict-facekit"):
        find("nobody")
    bring(tmp_path / "file.npz")
    with pytest.raises(WeightsError, match="not calibrated yet; run: tronie models calibrate gnm"):
        find("gnm")
    said = CliRunner().invoke(app, ["run", "x.jpg", "--head", "nobody"])
    assert said.exit_code == 2
    said = CliRunner().invoke(app, ["run", "x.jpg", "--head", "gnm", "--engine", "deep3d"])
    assert said.exit_code == 2


def test_a_damaged_result_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tronie.importers.heads.calibrated import load

    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    bring(tmp_path / "file.npz")
    from tronie.runtime.model_store import imported

    folder = folder_of("gnm")
    folder.mkdir(parents=True)
    (folder / "card.json").write_text(json.dumps(made_of(imported()["gnm"])))
    (folder / "head.npz").write_bytes(b"no zip")
    load.cache_clear()
    assert set(calibrated()) == {"gnm"}
    with pytest.raises(WeightsError, match="damaged or not an npz"):
        load("gnm")


def test_what_was_made_with_other_nets_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path))
    bring(tmp_path / "file.npz")
    from tronie.runtime.model_store import imported

    folder = folder_of("gnm")
    folder.mkdir(parents=True)
    card = made_of(imported()["gnm"])
    (folder / "card.json").write_text(json.dumps(card | {"nets": {"face_shape": "of last year"}}))
    assert not calibrated()
    with pytest.raises(WeightsError, match="calibrated for other files than there are now; run"):
        find("gnm")
