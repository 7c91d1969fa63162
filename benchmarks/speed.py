"""How fast is it here? Prints the figures of the README: python -m benchmarks.speed [--photos FOLDER]

What `tronie bench` does for users, and more: installed size, start-up, one portrait warm by stage, the mesh
alone, a folder with two processes (start-up counted), and the largest process. Let the machine do nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from importlib import metadata
from pathlib import Path

from PIL import Image

import tronie
from tronie.cli.bench import timed

EXAMPLE = Path(__file__).parent.parent / "examples" / "astronaut.jpg"
SIDE = 768
"""Pixels of the square portrait that the figures are for."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photos", type=Path, help="folder of portraits (default: copies of the example)")
    parser.add_argument("--count", type=int, default=40, help="how many photos for the folder figure (default: 40)")
    parser.add_argument("--runs", type=int, default=15, help="warm runs of one photo (default: 15)")
    parser.add_argument("--workers", type=int, default=2, help="processes for the folder figure (default: 2)")
    options = parser.parse_args()

    print(f"tronie {tronie.__version__}, Python {platform.python_version()}, {platform.system()} {platform.machine()}")
    print(f"{processor()}, {os.cpu_count()} cores\n")
    with tempfile.TemporaryDirectory(prefix="tronie-speed-") as name:
        work = Path(name)
        folder = portraits(options.photos, options.count, work / "photos")
        photo = sorted(folder.iterdir())[0]
        installed()
        line("tronie --version", seconds([sys.executable, "-m", "tronie", "--version"], times=7))
        line("import tronie", seconds([sys.executable, "-c", "import tronie"], times=7))
        line("(python alone)", seconds([sys.executable, "-c", "pass"], times=7))
        code = f"import tronie; tronie.reconstruct({str(photo)!r})"
        line("first photo in a new process, no files", seconds([sys.executable, "-c", code], times=3))
        print()
        warm("one portrait, all outputs", tronie.Settings(), photo, work, options.runs)
        warm("--only mesh", tronie.Settings(only="mesh"), photo, work, options.runs)
        throughput(folder, work / "out", options.workers)
    memory()


def installed() -> None:
    """The size of tronie and all that it needs, as installed (compiled Python files counted)."""
    from packaging.requirements import Requirement

    names, total = ["tronie"], 0
    for name in names:
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:  # run from a source tree
            continue
        total += sum(os.path.getsize(path) for file in package.files or () if os.path.isfile(path := file.locate()))
        wanted = map(Requirement, package.requires or ())
        needed = [want.name for want in wanted if want.marker is None or want.marker.evaluate({"extra": ""})]
        names += [name for name in needed if name not in names]
    print(f"{'installed, with dependencies':<48}{total / 1e6:9.0f} MB")


def portraits(source: Path | None, count: int, folder: Path) -> Path:
    """A folder of `count` files: portraits of the user as they are, or the example at SIDE pixels."""
    folder.mkdir(parents=True)
    if source is None:
        Image.open(EXAMPLE).convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS).save(
            folder / "0.jpg", quality=95
        )
        for index in range(1, count):
            shutil.copy(folder / "0.jpg", folder / f"{index}.jpg")
    else:
        for path in sorted(path for path in source.iterdir() if path.suffix.lower() in (".jpg", ".png", ".webp"))[
            :count
        ]:
            shutil.copy(path, folder)
    return folder


def seconds(command: list[str], times: int) -> float:
    """Median wall seconds of a command."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        spent.append(time.perf_counter() - began)
    return statistics.median(spent)


def warm(title: str, settings: tronie.Settings, photo: Path, work: Path, runs: int) -> None:
    """Median seconds of one photo with the models loaded, and of its stages."""
    total, stages = timed(tronie.Pipeline(settings), photo, work / title, runs)
    line(f"{title} (median of {runs}, warm)", total)
    for stage, value in stages.items():
        line(f"    {stage}", value)


def throughput(folder: Path, out: Path, workers: int) -> None:
    """Photos a second of `tronie run FOLDER`, start-up counted."""
    count = len(list(folder.iterdir()))
    command = [sys.executable, "-m", "tronie", "run", str(folder), "-o", str(out), "-q", "--workers", str(workers)]
    began = time.perf_counter()
    subprocess.run(command, check=True)
    spent = time.perf_counter() - began
    print(f"{f'folder of {count}, {workers} processes, all outputs':<48}{count / spent:9.2f} photos/s ({spent:.1f} s)")


def memory() -> None:
    """The largest process so far, in MB."""
    try:
        import resource
    except ImportError:  # Windows
        return
    unit = 1 if sys.platform == "darwin" else 1024
    for title, who in (("this process", resource.RUSAGE_SELF), ("the largest worker", resource.RUSAGE_CHILDREN)):
        print(f"{f'peak memory, {title}':<48}{resource.getrusage(who).ru_maxrss * unit / 1e6:9.0f} MB")


def line(title: str, value: float) -> None:
    print(f"{title:<48}{value:9.3f} s", flush=True)


def processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((text.split(":", 1)[1].strip() for text in lines if text.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
