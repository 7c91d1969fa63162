"""`tronie bench` tells what it has measured, on many lines and on one."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from tronie import cli
from tronie.cli import bench
from tronie.cli.bench import BUSY, Figures, measure
from tronie.version import __version__

FIGURES = Figures("portrait 768x768", 3.0, 0.5, 0.1, {"detect": 0.05, "files": 0.2}, 5, 2, 3.5, 0.8, 0.1)


def test_one_line_holds_it_all() -> None:
    line = FIGURES.line
    assert "\n" not in line
    for part in (f"tronie {__version__}", "portrait 768x768 0.50 s (2.00 photos/s)", "mesh 0.10 s", "3.50 photos/s"):
        assert part in line
    assert str(Path.home()) not in line


def test_a_busy_machine_says_so() -> None:
    assert "BUSY" not in FIGURES.line
    assert "BUSY" in dataclasses.replace(FIGURES, load=2 * BUSY).line
    assert "load" not in dataclasses.replace(FIGURES, load=None).line


def test_what_is_told(monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    asked = []
    monkeypatch.setattr(bench, "measure", lambda *given: asked.append(given) or FIGURES)
    assert cli.execute(["bench", "--runs", "3", "--workers", "2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == FIGURES.line
    assert any("files" in line and "0.200 s" in line for line in lines)
    assert cli.execute(["bench", "--json", "--no-folder"]) == 0
    assert json.loads(capsys.readouterr().out)["line"] == FIGURES.line
    assert [given[1:3] for given in asked] == [(3, 2), (5, 0)]


@pytest.mark.slow
def test_it_measures() -> None:
    figures = measure(None, 1, 1, None)
    assert figures.photo == "portrait 768x768"
    assert 0 < figures.mesh < figures.warm
    assert sum(figures.stages.values()) > 0.5 * figures.warm
    assert figures.pace > 0
