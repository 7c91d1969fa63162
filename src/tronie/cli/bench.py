"""How fast is this machine? A few honest figures, and one line of them to put into a report."""

from __future__ import annotations

import os
import platform
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.cli.say import count, say, say_json
from tronie.errors import InputError
from tronie.runtime.atomic_files import scratch
from tronie.runtime.hardware import cores, default_workers, load_by_core, memory, processor, resident
from tronie.version import __version__

if TYPE_CHECKING:
    from tronie.pipelines.photo import Pipeline
    from tronie.settings import Settings

SIDE = 768
"""Pixels of the portrait's longer side, as in docs/performance.md."""
BUSY = 0.25
"""Load by core before the measurement, above which other programs take part in it."""
PER_WORKER = 4
"""Photos that each process works on, beside its first, which loads models and does not count."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured."""

    photo: str
    """What of: its size in pixels, or how it came to it."""
    first: float
    """Seconds: the first photo of a process, imports and models included, without files."""
    warm: float
    """Seconds: a photo with all usual outputs, files written, models loaded; the median."""
    mesh: float
    """Seconds: the same with `--only mesh`."""
    stages: Mapping[str, float]
    """Seconds of `warm` by stage, medians; `files` among them."""
    runs: int
    """How many medians are of."""
    workers: int
    """Processes of `pace`; 0 if it was not measured."""
    pace: float
    """Photos per second of `tronie run` on a folder, once every process has done its first photo."""
    peak: float
    """GB: the largest process so far; 0 where the system does not tell."""
    load: float | None
    """Average load by core before anything was done; None where the system does not tell."""
    devices: tuple[str, ...] = ("cpu",)
    """On which nets ran."""

    @property
    def busy(self) -> bool:
        return self.load is not None and self.load > BUSY

    @property
    def line(self) -> str:
        """All of it on one line."""
        total = memory()[0]
        size = f", {total / 1e9:.1f} GB" if total else ""
        parts = [
            f"tronie {__version__}",
            f"Python {platform.python_version()}",
            f"{platform.system()} {platform.machine()}",
            f"{processor() or 'unknown processor'}, {count(cores(), 'core')}{size}",
            f"{self.photo} {self.warm:.2f} s ({1 / self.warm:.2f} photos/s)",
            f"mesh {self.mesh:.2f} s",
            f"first {self.first:.1f} s",
        ]
        if self.devices != ("cpu",):
            parts.append(f"nets on {' and '.join(self.devices)}")
        if self.workers:
            parts.append(f"{self.workers} {'process' if self.workers == 1 else 'processes'} {self.pace:.2f} photos/s")
        if self.peak:
            parts.append(f"peak {self.peak:.2f} GB")
        if self.load is not None:
            parts.append(f"load {self.load:.2f}{' (BUSY)' if self.busy else ''}")
        return " | ".join(parts)


def bench(
    photo: Path | None, runs: int, workers: int, folder: bool, as_json: bool, settings: Settings | None = None
) -> int:
    """Measure, and tell."""
    load = load_by_core()
    if load is not None and load > BUSY and not as_json:
        say(f"Other programs are at work here (load {load:.1f} by core): all figures will be too slow.", problem=True)
    figures = measure(photo, runs, (workers or default_workers(1000)) if folder else 0, load, settings)
    if as_json:
        say_json(asdict(figures) | {"line": figures.line}, indent=2)
        return 0
    for title, seconds in rows(figures):
        say(f"{title:<52}{seconds:8.3f} s")
    if figures.workers:
        say(f"{f'a folder, {figures.workers} processes, once they run':<52}{figures.pace:8.2f} photos/s")
    if figures.peak:
        say(f"{'largest process':<52}{figures.peak:8.2f} GB")
    say("")
    say(figures.line)
    return 0


def rows(figures: Figures) -> Iterator[tuple[str, float]]:
    yield "first photo of a process, no files", figures.first
    yield f"{figures.photo}, all outputs (median of {figures.runs})", figures.warm
    for stage, seconds in figures.stages.items():
        yield f"    {stage}", seconds
    yield "the same, --only mesh", figures.mesh


def measure(
    photo: Path | None, runs: int, workers: int, load: float | None, settings: Settings | None = None
) -> Figures:
    """Time the photo, or the small portrait that comes along, enlarged to SIDE pixels. Raises InputError."""
    began = time.perf_counter()
    from tronie.pipelines.photo import Pipeline

    with scratch() as place:
        path, what = (photo, photo.suffix.lower().lstrip(".") or "photo") if photo else (_portrait(Path(place)), "")
        pipeline = Pipeline(settings)
        result = pipeline.run(path)
        first = time.perf_counter() - began
        if not any(face.head for face in result.faces):
            raise InputError(f"{path} shows no face of which a head can be made.")
        height, width = result.photo.image.shape[:2]
        what = f"{what} {width}x{height}, {count(len(result.faces), 'face')}" if photo else f"portrait {width}x{height}"
        warm, stages = timed(pipeline, path, Path(place), runs)
        mesh, _ = timed(pipeline.with_settings(only="mesh"), path, Path(place), runs)
        pace = _pace(path, Path(place), workers, pipeline.settings.compute.device) if workers else 0.0
        devices = {model.device for face in result.faces for model in face.models if model.device}
    return Figures(what, first, warm, mesh, stages, runs, workers, pace, _peak(), load, tuple(sorted(devices)))


def timed(pipeline: Pipeline, path: Path, place: Path, runs: int) -> tuple[float, dict[str, float]]:
    """Median seconds of a photo and its files, and of each stage; what loads and compiles comes before."""
    from tronie.export.writer import save

    total: list[float] = []
    stages: dict[str, list[float]] = defaultdict(list)
    for run in range(runs + 1):
        began = time.perf_counter()
        result = pipeline.run(path)
        done = time.perf_counter()
        save(result, place / f"out-{run}", name=str(id(pipeline)))
        ended = time.perf_counter()
        if run:
            spent = dict(result.timings)
            for face in result.faces:
                for stage, seconds in face.timings.items():
                    spent[stage] = spent.get(stage, 0.0) + seconds
            for stage, seconds in (spent | {"files": ended - done}).items():
                stages[stage].append(seconds)
            total.append(ended - began)
    return statistics.median(total), {stage: statistics.median(seconds) for stage, seconds in stages.items()}


def _pace(path: Path, place: Path, workers: int, device: str) -> float:
    """Photos per second of `tronie run` from then on when each process can have done its first."""
    photos = workers * (PER_WORKER + 1)
    folder = place / "photos"
    folder.mkdir()
    data = path.read_bytes()
    for number in range(photos):
        (folder / f"{number:04}{path.suffix}").write_bytes(data)
    command = [sys.executable, "-m", "tronie", "run", str(folder), "-o", str(place / "folder"), "--json"]
    command += ["--workers", str(workers), "--device", device]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        times = [time.perf_counter() for line in process.stdout if '"status": "ok"' in line]
    if len(times) < photos:
        raise InputError("The folder could not be worked on; `tronie run` on it says why.")
    return (photos - workers) / (times[-1] - times[workers - 1])


def _portrait(place: Path) -> Path:
    import cv2
    import numpy as np

    from tronie.io.encode import jpeg
    from tronie.io.images import read_photo
    from tronie.runtime.weights import ASSETS

    image = read_photo(ASSETS / "selftest.jpg").image
    scale = SIDE / max(image.shape)
    large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    path = place / "portrait.jpg"
    path.write_bytes(jpeg(np.asarray(large, np.uint8), 95))
    return path


def _peak() -> float:
    try:
        import resource
    except ImportError:  # Windows
        return (resident(os.getpid()) or 0) / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    most = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return most * unit / 1e9
