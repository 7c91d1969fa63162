"""Stages of a video have as many steps as was told, whoever fails and however uneven its frames come; what is cancelled
leaves no file open."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tronie.arrays import Image
from tronie.errors import Cancelled
from tronie.geometry import Camera
from tronie.io.video.clip import Frame
from tronie.pipelines.outcome import Task
from tronie.pipelines.video import collect, heads, job
from tronie.runtime.job import Advanced, Event, Job
from tronie.settings import Settings

CAMERA = Camera(800.0, (320.0, 240.0), (640, 480))


def test_who_cannot_be_solved_is_a_step_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(number: int, *_: object, **__: object) -> None:
        raise ValueError(f"nothing to see of {number}")

    monkeypatch.setattr(heads, "solve_person", fails)
    found: Any = SimpleNamespace(people=[[0], [1, 2]])
    pipeline: Any = SimpleNamespace(settings=Settings(), threads=2, model=None, calibration=None)
    failed: list[str] = []
    assert list(heads.heads(found, pipeline, CAMERA, tmp_path, failed, Job())) == [None, None]
    assert failed == ["person 1: nothing to see of 1", "person 2: nothing to see of 2"]


def test_the_film_over_the_clip_has_a_step_for_every_picture(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [0.0, 0.1, 0.2, 0.6, 0.7]
    frames = [Frame(number, time, np.zeros((2, 2, 3), np.uint8)) for number, time in enumerate(times)]
    clip = SimpleNamespace(frames=lambda: iter(frames), close=lambda: None)

    def wired(shown: Iterable[tuple[int, Image]], *_: object) -> Iterable[Image]:
        return (image for _, image in shown)

    monkeypatch.setattr(job, "open_source", lambda *_: clip)
    monkeypatch.setattr(job, "wired", wired)
    monkeypatch.setattr(job, "write_movie", lambda path, pictures, fps, sound: len(list(pictures)))
    found: Any = SimpleNamespace(times=times, info=SimpleNamespace(fps=10.0, sound=None))
    pipeline: Any = SimpleNamespace(settings=Settings(), threads=1)
    heard: list[Event] = []
    job._overlay(found, pipeline, Task("a.mp4", tmp_path, "a"), {}, CAMERA, tmp_path / "overlay.mp4", Job(heard.append))
    steps = [event for event in heard if isinstance(event, Advanced)]
    assert [step.done for step in steps] == list(range(1, 9))
    assert {step.total for step in steps} == {8}


def test_what_was_seen_lies_in_a_closed_file_however_it_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[collect.Spool] = []

    class Kept(collect.Spool):
        def __init__(self, path: Path) -> None:
            super().__init__(path)
            made.append(self)

    monkeypatch.setattr(collect, "Spool", Kept)

    def step(frame: Frame) -> list[object]:
        work.cancel()
        return []

    for name in ("Keyframes", "Tracker", "Traits"):
        monkeypatch.setattr(collect, name, lambda *_, **__: SimpleNamespace(step=step, met=[], cut=False))
    frames = [Frame(0, 0.0, np.zeros((64, 64, 3), np.uint8))]
    clip: Any = SimpleNamespace(info=SimpleNamespace(frames=1, size=(64, 64)), frames=lambda: (f for f in frames))
    pipeline: Any = SimpleNamespace(settings=Settings(), net=None, detector=None, model=None, calibration=None)
    work = Job()
    with pytest.raises(Cancelled):
        collect.collect(clip, pipeline, tmp_path, job=work)
    assert made[0]._file.closed
