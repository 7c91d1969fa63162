"""`tronie restore`: what it asks the job for, and what it refuses."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tronie.cli.app import app
from tronie.settings import RestoreSettings


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    calls: list[tuple[Any, ...]] = []

    def run_photos(*given: Any) -> int:
        calls.append(given)
        return 0

    monkeypatch.setattr("tronie.cli.run.run_photos", run_photos)
    return calls


def test_options_reach_the_job(asked: list[tuple[Any, ...]]) -> None:
    given = "restore a.jpg b -o out --colour --keep-tone --damage off --update -j 2 -r"
    assert CliRunner().invoke(app, given.split()).exit_code == 0
    ((photos, out, settings, how),) = asked
    assert (photos, out) == (["a.jpg", "b"], "out")
    assert settings.job == "restore"
    assert settings.restore == RestoreSettings(damage="off", keep_tone=True, colour=True)
    assert (how.update, how.overwrite, how.workers, how.recursive) == (True, False, 2, True)


def test_usual_is_without_invented_colours(asked: list[tuple[Any, ...]]) -> None:
    assert CliRunner().invoke(app, ["restore", "a.jpg"]).exit_code == 0
    assert asked[0][2].restore == RestoreSettings()
    assert not asked[0][2].restore.colour


@pytest.mark.parametrize(
    "given", [["restore"], ["restore", "a.jpg", "-q", "-v"], ["restore", "a.jpg", "--enhance", "no"]]
)
def test_wrong_usage_is_said(given: list[str], asked: list[tuple[Any, ...]]) -> None:
    assert CliRunner().invoke(app, given).exit_code == 2
    assert not asked


def test_what_is_no_photo_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no photo")
    found = CliRunner().invoke(app, ["restore", str(tmp_path / "gone.jpg"), "-o", str(tmp_path / "out")])
    assert found.exit_code == 1
    assert "gone.jpg" in found.output
    assert "Traceback" not in found.output
    assert not (tmp_path / "out").exists()
