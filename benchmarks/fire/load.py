"""One run over a folder of good and hostile files: how fast, how large, and whether every file is accounted for."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from benchmarks.fire.folders import Place, told
from benchmarks.fire.watch import Watch
from tronie.io.kinds import counted

MEGA = 1e6


@dataclass(frozen=True, slots=True)
class Bars:
    """What is asked; None: nothing."""

    rate: float | None = None
    """Photos a second."""
    seconds: float | None = None
    """For the whole."""
    thin: bool = False
    """Whether outputs are taken away once a photo is done: of 2,000 they are 35 GB."""


def load(place: Place, good: list[str], hostile: list[str], workers: int, bars: Bars, options: list[str]) -> int:
    """Run and print the figures; how many of them are not as they should be."""
    lines: list[dict[str, Any]] = []
    done: list[float] = []
    began = time.monotonic()
    with (place.root / "said").open("wb") as kept:
        process = place.begin("--json", *options, said=-1, workers=workers)
        assert process.stdout is not None
        reader = threading.Thread(target=_read, args=(process.stdout, lines, done, kept, bars.thin))
        reader.start()
        with Watch(process.pid) as watch:
            process.wait()
        reader.join()
    seconds = time.monotonic() - began
    check = Check()
    files = len(good) + len(hostile)
    check("exit code", process.returncode, process.returncode == 0)
    check("seconds in all", f"{seconds:.0f}", bars.seconds is None or seconds < bars.seconds, bars.seconds)
    check("files a second", f"{files / seconds:.2f}", bars.rate is None or files / seconds >= bars.rate, bars.rate)
    tenths = [size / MEGA for size in watch.parents()]
    flat = tenths[-1] - tenths[len(tenths) // 3] < 10
    check("parent by tenths, MB", " ".join(f"{size:.0f}" for size in tenths), max(tenths) < 300 and flat, 300)
    check("largest process, MB", f"{watch.largest / MEGA:.0f}", watch.largest < 2e9, 2000)
    check("worker processes", len(watch.sizes) - 1, True)
    few = len(hostile) < len(good) / 5  # else sizes hang on which file is in work
    for photos, grown in watch.growth(done, workers):
        name, figure = f"a worker's growth, MB per 100 (of {photos})", f"{grown / MEGA:.2f}"
        check(name, figure, grown < MEGA or not few, 1 if few else None)
    _accounts(check, place, lines, good, hostile)
    _slowest(lines)
    return check.wrong


class Check:
    """A line for each figure, and how many are not as they should be."""

    def __init__(self) -> None:
        self.wrong = 0

    def __call__(self, what: str, figure: object, right: bool, bar: object = None) -> None:
        self.wrong += not right
        print(
            f"{what:<44}{figure!s:>12}{'' if bar is None else f'  (bar {bar})'}{'' if right else '  WRONG'}", flush=True
        )


def _accounts(check: Check, place: Place, lines: list[dict[str, Any]], good: list[str], hostile: list[str]) -> None:
    """Every file once, and sums that agree."""
    records, summary = told(lines, place), next((line for line in lines if "summary" in line), {})
    sources = Counter(line["source"] for line in lines if "source" in line)
    counts, left = summary.get("summary", {}), sum(summary.get("left_out", {}).values())
    fine = [name for name in good if records.get(name, {}).get("status") == "ok"]
    kinds = Counter(record["status"] for record in records.values())
    errors = Counter(record.get("trouble") or "refused" for record in records.values() if record["status"] == "error")
    silent = [name for name in hostile if name not in records]
    check("good ones done", f"{len(fine)} of {len(good)}", len(fine) == len(good))
    for name in good:
        if name not in fine:
            print(f"    {name}: {records.get(name, {}).get('reason')}")
    check("files told of, each once", len(sources), len(sources) == len(records) == sum(sources.values()))
    check("others, of kinds that are not read", left, left == sum(counted(silent).values()))
    check("files in all", len(records) + len(silent), len(records) + len(silent) == len(good) + len(hostile))
    same = all(counts.get(name) == kinds[status] for name, status in
               (("ok", "ok"), ("no_face", "no_face"), ("failed", "error")))  # fmt: skip
    check("ok, no face, failed", f"{kinds['ok']} {kinds['no_face']} {kinds['error']}", same)
    errors_told = Counter(summary.get("errors", {}))
    del errors["refused"]  # before it was tried; not an error of the run
    check("errors by kind", " ".join(f"{kind} {n}" for kind, n in sorted(errors.items())), errors_told == errors)
    with (place.out / "manifest.json").open() as file:
        inputs = Counter(record["status"] for record in json.load(file)["inputs"])
    refused = sum(line.get("trouble") is None and line["status"] == "error" for line in records.values())
    agree = inputs == kinds - Counter(error=refused)
    check("manifest says the same", sum(inputs.values()), agree)
    text = (place.root / "complained").read_text(errors="replace")
    check("lines on stderr", len(text.splitlines()), "Traceback" not in text)


def _slowest(lines: list[dict[str, Any]]) -> None:
    timed = sorted((line for line in lines if "source" in line), key=lambda line: -line.get("seconds", 0.0))
    print("\nfiles that took longest")
    for line in timed[:8]:
        name, said = line["source"].rpartition("/")[2], line.get("reason") or line["status"]
        print(f"{line.get('seconds', 0.0):8.1f} s  {name[:40]}: {said[-90:]}")


def _read(stream: IO[bytes], lines: list[dict[str, Any]], done: list[float], kept: IO[bytes], thin: bool) -> None:
    for text in stream:
        kept.write(text)
        lines.append(json.loads(text))
        if "source" in lines[-1]:
            done.append(time.monotonic())
            if thin and lines[-1].get("status") == "ok":
                for path in Path(lines[-1]["folder"]).rglob("*"):
                    if path.is_file() and path.suffix != ".json":
                        path.unlink()
