"""Is this machine ready, and what is fast or slow on it?"""

from __future__ import annotations

import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Literal

from tronie.errors import sentence
from tronie.runtime.atomic_files import scratch
from tronie.runtime.crash_report import PACKAGES, RUNTIMES
from tronie.runtime.hardware import WORKER_BYTES, cores, default_workers, load_by_core, memory, processor
from tronie.version import __version__

SLOW_PHOTO = 2.0
"""Seconds for the small test picture above which this machine counts as slow."""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the doctor's report."""

    name: str
    state: Literal["good", "warn", "bad"]
    text: str
    hint: str = ""
    """What to do about it; empty where nothing needs doing."""
    figures: dict[str, float] = field(default_factory=dict)
    """Numbers that the text tells, by name."""


def examine(*, self_test: bool = True) -> Iterator[Check]:
    """Check the parts one after another, each on its own: one that fails does not stop the next."""
    checks: list[Callable[[], Iterator[Check]]] = [_system, _packages, _machine, _disk, _models, _extras, _devices]
    if self_test:
        checks += [_nets, _self_test]
    for check in checks:
        try:
            yield from check()
        except Exception as error:
            yield Check(check.__name__.strip("_").replace("_", " "), "bad", sentence(error))


def _system() -> Iterator[Check]:
    version = platform.python_version()
    bits = 64 if sys.maxsize > 2**32 else 32
    text = f"tronie {__version__}, Python {version} ({bits} bit), {platform.system()} {platform.machine()}"
    if sys.version_info < (3, 11) or bits == 32:
        yield Check("system", "bad", text, "A 64-bit Python 3.11 or newer is needed.")
    else:
        yield Check("system", "good", text)


def _packages() -> Iterator[Check]:
    found, missing = [], []
    for name in PACKAGES:
        try:
            found.append(f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            missing.append(name)
    runtimes = [name for name in RUNTIMES if _installed(name)]
    if runtimes and "onnxruntime" in missing:
        missing.remove("onnxruntime")
    found += [f"{name} {metadata.version(name)}" for name in runtimes if name != "onnxruntime"]
    if missing:
        yield Check("packages", "bad", f"missing: {', '.join(missing)}", f"pip install {' '.join(missing)}")
    else:
        yield Check("packages", "good", ", ".join(found))
    if len(runtimes) > 1:
        yield Check(
            "ONNX Runtime",
            "warn",
            f"{', '.join(runtimes)} lie in the same folder",
            f"What came last counts. Keep one: pip uninstall -y {' '.join(runtimes)}, then install that again.",
        )
    others = [
        name
        for name in ("opencv-python", "opencv-contrib-python", "opencv-contrib-python-headless")
        if _installed(name)
    ]
    if others:
        yield Check(
            "OpenCV",
            "warn",
            f"{', '.join(others)} lies in the same folder as opencv-python-headless",
            "Two of them overwrite each other's files; if importing cv2 fails, keep one.",
        )


def _machine() -> Iterator[Check]:
    count = cores()
    total, free = memory()
    name = processor()
    text = f"{count} {'core' if count == 1 else 'cores'}{f' ({name})' if name else ''}"
    workers = default_workers(1000)
    yield Check("processor", "good", f"{text}; a folder of photos is worked on by {workers}")
    if free is None:
        yield Check("memory", "warn", "the system does not tell how much there is")
        return
    of = f" of {total / 1e9:.1f} GB" if total else ""
    if free < WORKER_BYTES:
        yield Check("memory", "warn", f"{free / 1e9:.1f} GB free{of}", "About 1 GB is wanted; close something.")
    else:
        yield Check("memory", "good", f"{free / 1e9:.1f} GB free{of}")


def _disk() -> Iterator[Check]:
    for name, folder in (("temporary folder", Path(tempfile.gettempdir())), ("this folder", Path.cwd())):
        try:
            with tempfile.TemporaryFile(dir=folder) as file:
                file.write(b"0")
        except OSError as error:
            hint = "Outputs cannot be written here; use -o." if name == "this folder" else "Set TMPDIR to another one."
            yield Check(name, "warn", f"{folder}: {error.strerror}", hint)
        else:
            yield Check(name, "good", f"{folder} can be written")
    # numba keeps compiled kernels beside the package, or in the user's folder if that is read-only.
    places = [Path(os.environ["NUMBA_CACHE_DIR"])] if os.environ.get("NUMBA_CACHE_DIR") else [_package(), Path.home()]
    if not any(os.access(place, os.W_OK) for place in places):
        yield Check(
            "compiled kernels",
            "warn",
            f"{' and '.join(map(str, places))} cannot be written, so they are compiled at every start",
            "Set NUMBA_CACHE_DIR to a folder that can be written.",
        )


def _models() -> Iterator[Check]:
    from tronie.errors import WeightsError
    from tronie.runtime.weights import WEIGHTS, path, present, verify

    checked = [name for name, weight in WEIGHTS.items() if weight.vendored or present(name)]
    damaged = False
    for name in checked:
        try:
            verify(name)
        except WeightsError as error:
            damaged = True
            yield Check("models", "bad", str(error))
    if not damaged:
        size = sum(path(name).stat().st_size for name in checked) / 1e6
        yield Check("models", "good", f"{len(checked)} files, {size:.1f} MB, as they should be")


def _extras() -> Iterator[Check]:
    from tronie.runtime import dlib_models

    if dlib_models.available():
        yield Check("dlib", "good", "installed: --detector dlib works")


def _devices() -> Iterator[Check]:
    from tronie.runtime.inference import available, onnxruntime

    names = ["cpu", *(device.name for device in available())]
    yield Check("devices", "good", f"{', '.join(names)} (ONNX Runtime {onnxruntime().__version__})")


def _nets() -> Iterator[Check]:
    """What each net takes on each device; on a machine that is idle `--device auto` goes by that from now on."""
    from tronie.cli.bench import BUSY
    from tronie.cli.nets import measure, used
    from tronie.runtime.devices import DEVICES, untold
    from tronie.runtime.inference import available, machine
    from tronie.runtime.net_speeds import keep

    speeds, load = measure(), load_by_core()
    if available() and (load is None or load < BUSY):
        keep(machine(), speeds)
    elif available():
        text = f"{load:.1f} other programs by core are at work: what nets take is told, but not gone by"
        yield Check("nets", "warn", text, "Run this again when the machine is idle.")
    places, failed = used(speeds), untold()
    for place in ("cpu", *(device.name for device in available())):
        took = {name: ms for name, one in speeds.items() if (ms := one.milliseconds.get(place)) is not None}
        for_these = places.get(place, [])
        use = "all" if len(for_these) == len(speeds) else ", ".join(for_these) or "none"
        times = ", ".join(f"{name} {ms:.1f}" for name, ms in took.items())
        text = f"{times} ms a face; --device auto has {use} there" if took else "no net runs there"
        hint = f"{' '.join(failed)} It takes {DEVICES[place].install}." if not took else ""
        yield Check(f"nets on {place}", "good" if took else "warn", text, hint, took)


def _self_test() -> Iterator[Check]:
    """Reconstruct a small bundled portrait twice and save it: the first time loads and compiles."""
    from tronie.export.writer import save
    from tronie.pipelines.photo import Pipeline

    began = time.perf_counter()
    pipeline = Pipeline()
    with scratch() as folder:
        path = Path(folder, "selftest.jpg")
        path.write_bytes((_package() / "assets" / "selftest.jpg").read_bytes())
        save(pipeline.run(path), Path(folder, "first"))
        cold = time.perf_counter() - began
        began = time.perf_counter()
        result = pipeline.run(path)
        warm = time.perf_counter() - began
        began = time.perf_counter()
        save(result, Path(folder, "out"))
        saving = time.perf_counter() - began
    errors = [face.error for face in result.faces if face.error]
    if len(result.faces) != 1 or errors:
        text = errors[0] if errors else f"{len(result.faces)} faces found where there is one"
        yield Check("self-test", "bad", str(text), "Please report this with the lines above.")
        return
    stages = dict(result.timings)
    for stage, seconds in result.faces[0].timings.items():
        stages[stage] = stages.get(stage, 0.0) + seconds
    parts = ", ".join(f"{stage} {seconds * 1000:.0f} ms" for stage, seconds in stages.items())
    text = f"one face found; {warm + saving:.2f} s warm ({parts}, files {saving * 1000:.0f} ms), {cold:.1f} s cold"
    if warm + saving > SLOW_PHOTO:
        yield Check(
            "self-test", "warn", text, "Slow: another program may be using the processor; --texture-size 1024 helps."
        )
    else:
        yield Check("self-test", "good", text)
    if cold > 20:
        yield Check(
            "start", "warn", f"{cold:.0f} s to load", "Kernels were compiled; run this again: it should be quicker."
        )


def _package() -> Path:
    return Path(__file__).parents[1]


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
