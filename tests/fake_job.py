"""The command line's job with a stand-in for the pipeline: what it does is written in the names of the photos."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tronie.cli.run import How, run_photos
from tronie.errors import InputError
from tronie.jobs.worker import steady
from tronie.pipelines.outcome import Outcome, Task
from tronie.pipelines.photo import Ahead, Each
from tronie.pipelines.photo_task import Runner, do_photo
from tronie.runtime.job import Job
from tronie.settings import Settings
from tronie.types import Caution, Detection, Face, Photo, Result


class FakePipeline:
    """What it does is written in the name of the photo."""

    def run(
        self, photo: str | Path, /, *, each: Each | None = None, ahead: Ahead | None = None, job: Job | None = None
    ) -> Result:
        job = (job or Job()).part(str(photo))
        with job.stage("detect"):
            return self._run(photo, each)

    def _run(self, photo: str | Path, each: Each | None) -> Result:
        name = Path(photo).stem
        if "bad" in name:
            raise InputError(f"{photo} is not a picture.")
        if "bug" in name:
            raise ValueError("a mistake\nof ours")
        if "kill" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "slow" in name:
            time.sleep(0.12)
        while "wait" in name and not Path(photo).with_name("go").exists():
            time.sleep(0.02)
        detection = Detection((0, 0, 10, 10), np.zeros((5, 2)), 0.9)
        faces = [] if "empty" in name else [Face(1, detection, timings={"fit": 0.01})]
        if "half" in name:
            faces.append(Face(2, detection, error="The fit went wrong."))
        if "doubtful" in name:
            doubts = tuple(Caution("small", f"small: {k} pixels between the eyes") for k in range(8))
            faces.append(Face(2, detection, warnings=(*doubts, Caution("turned", "turned by 62 degrees"))))
        notes = ("only the first of 2 frames was used",) if "noted" in name else ()
        picture = Photo(np.zeros((1, 1, 3), np.uint8), notes=notes)
        return Result(picture, tuple(each(picture, face) if each else face for face in faces), {"detect": 0.1})


def bind(runner: Runner, job: Job | None = None) -> Callable[[Task], Outcome]:
    """The function that does one task with `runner`."""
    return steady(lambda task: do_photo(runner, task, job=job))


@dataclass(frozen=True)
class Fake:
    """Loads in a worker process as the real one does."""

    def __call__(self, job: Job) -> Callable[[Task], Outcome]:
        return bind(FakePipeline(), job=job)


def job(*arguments: Path | str, out: Path, settings: Settings | None = None, **options: object) -> int:
    how = How(start=Fake(), **{"workers": 1, **options})  # type: ignore[arg-type]
    return run_photos([str(a) for a in arguments], out, settings or Settings(), how)


def manifest(out: Path) -> dict[str, dict[str, object]]:
    data = json.loads((out / "manifest.json").read_text())
    return {Path(record["source"]).name: record for record in data["inputs"]}


def made(out: Path) -> dict[str, int]:
    """When each photo's outputs were made."""
    return {path.parent.parent.name: path.stat().st_mtime_ns for path in out.glob("*/face-1/face.json")}


def timeless(value: Any) -> Any:
    """JSON without the seconds that things took."""
    if isinstance(value, dict):
        return {k: timeless(v) for k, v in value.items() if k not in ("seconds", "timings")}
    return [timeless(v) for v in value] if isinstance(value, list) else value


def contents(folder: Path) -> dict[str, Any]:
    """Everything in a folder, hidden things too."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            data = path.read_bytes()
            found[str(path.relative_to(folder))] = timeless(json.loads(data)) if path.suffix == ".json" else data
        else:
            found[str(path.relative_to(folder))] = None
    return found
