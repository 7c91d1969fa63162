"""Read files that are nearly right, with everything that reads files: python -m fuzz [--seconds N] [TARGET...]

What breaks the law (a value or one sentence, in bounds of time and memory, nothing else) is kept as a file, and how to
read it again is said. Ends with 1 where something was found.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

from fuzz.runner import Runner, Score, again, target_of
from fuzz.targets import TARGETS


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m fuzz", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("targets", nargs="*", metavar="TARGET", help="which (default: all); --list shows them")
    parser.add_argument("--seconds", type=float, default=10, help="for each target (default: 10)")
    parser.add_argument("--seed", type=int, default=0, help="another one makes other files (default: 0)")
    parser.add_argument("--found", type=Path, default=Path("fuzz-found"), help="folder for what breaks the law")
    parser.add_argument("--again", type=Path, nargs="+", metavar="FILE", help="read files of that folder once more")
    parser.add_argument("--list", action="store_true", help="show the targets")
    options = parser.parse_args()
    if options.list:
        print("\n".join(TARGETS))
        return 0
    if unknown := [name for name in options.targets if name not in TARGETS]:
        parser.error(f"there is no target {unknown[0]}; --list shows them")
    with tempfile.TemporaryDirectory(prefix="tronie-fuzz-") as name:
        work = Path(name).resolve()
        if options.again:
            return _again(options.again, work)
        chosen = [TARGETS[name] for name in options.targets or TARGETS]
        for target in chosen:
            if target.missing:
                print(f"{target.name:14} left out: it needs {target.missing}")
        progress = Progress()
        runner = Runner(work, options.found, options.seed, progress)
        scores = runner.run([target for target in chosen if not target.missing], options.seconds)
        return progress.end(scores)


class Progress:
    """A line for each target, which grows on a terminal."""

    def __init__(self) -> None:
        self._last: Score | None = None
        self._began = time.monotonic()
        self._live = sys.stdout.isatty()

    def __call__(self, score: Score) -> None:
        if self._live:
            if self._last not in (None, score):
                print()
            print(f"\r{_line(score)}", end="", flush=True)
        elif self._last not in (None, score):
            print(_line(self._last), flush=True)
        self._last = score

    def end(self, scores: list[Score]) -> int:
        if self._live:
            print()
        elif self._last is not None:
            print(_line(self._last))
        faults = [(score, fault) for score in scores for fault in score.faults.values()]
        for score in scores:
            if score.broken:
                print(f"\n{score.target.name} cannot be fuzzed: {score.broken}")
            for (_, fault), path in zip(score.faults.items(), score.files, strict=True):
                print(f"\n{score.target.name}: {fault.kind}: {fault.said} {fault.place}")
                print(f"  python -m fuzz --again {path}")
        inputs = sum(score.inputs for score in scores)
        print(f"\n{inputs:,} files in {time.monotonic() - self._began:.0f} s, {len(faults)} broke the law")
        return 1 if faults or any(score.broken for score in scores) else 0


def _line(score: Score) -> str:
    found = f", {len(score.faults)} FOUND" if score.faults else ""
    return f"{score.target.name:14}{score.inputs:9,} files, {score.lines:5,} lines, {score.kept:4} kept{found}"


def _again(paths: list[Path], work: Path) -> int:
    wrong = 0
    for path in paths:
        target = target_of(path, TARGETS)
        if target is None:
            print(f"{path} belongs to no target.")
            return 2
        fault = again(path, target, work)
        print(f"{path}: {'no fault' if fault is None else f'{fault.kind}: {fault.said} {fault.place}'}")
        if fault is not None:
            print(fault.trace)
            wrong = 1
    return wrong


if __name__ == "__main__":
    result = main()
    sys.stdout.flush()
    os._exit(result)  # threads of what was fuzzed may still run, and would be waited for
