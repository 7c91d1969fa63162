"""Targets one after the other, each in a process that may be lost; what they found, kept as files."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from fuzz import ROOT
from fuzz.law import Fault
from fuzz.target import Target
from tronie.runtime.hardware import resident

WAIT = 6
"""Times a target's seconds of processor time after which a file that is still being read is a hang: others may use the
processors too."""
PREPARING = 300.0
"""Seconds: kernels may have to be compiled."""
TICK = 0.05
STARTS = 30
"""Of processes for one target: one that finds a crash in every other file has told enough."""


@dataclass(slots=True)
class Score:
    """What came of a target."""

    target: Target
    inputs: int = 0
    lines: int = 0
    """Of tronie's, that ran."""
    kept: int = 0
    """Inputs that led somewhere new."""
    faults: dict[str, Fault] = field(default_factory=dict)
    files: list[Path] = field(default_factory=list)
    """Inputs of the faults."""
    broken: str | None = None
    """Why it could not be fuzzed: a fault of the target, not of what it fuzzes."""
    seconds: float = 0.0
    starts: int = 0


class Runner:
    """Fuzzes targets for so many seconds each. Faults go to `found`; `tell` gets a line of progress at a time."""

    def __init__(self, work: Path, found: Path, seed: int, tell: Any) -> None:
        self.work, self.found, self.seed, self.tell = work, found, seed, tell

    def run(self, targets: Sequence[Target], seconds: float) -> list[Score]:
        scores = {target.name: Score(target) for target in targets}
        todo = list(scores)
        while todo:
            todo = self._process([scores[name] for name in todo], seconds)
        return list(scores.values())

    def _process(self, scores: list[Score], seconds: float) -> list[str]:
        """One process; the names of the targets that it left."""
        asked = [f"{score.target.name}={max(0.2, seconds - score.seconds):.1f}" for score in scores]
        seed = self.seed + scores[0].starts
        command = [sys.executable, "-m", "fuzz.child", str(self.work), str(seed), *asked]
        # Its stdin is never written to: it ends where this process does, however that ends.
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, cwd=ROOT, text=True)
        lines: Queue[str | None] = Queue()
        threading.Thread(target=_pump, args=(process.stdout, lines), daemon=True).start()
        left = list(scores)
        score, began, fuzzing, before = left[0], time.monotonic(), False, 0
        try:
            while True:
                try:
                    line = lines.get(timeout=TICK)
                except Empty:
                    fault = self._trouble(process.pid, score.target, began, fuzzing)
                    if fault is None:
                        continue
                    process.kill()
                    if fuzzing:
                        self._keep(score, fault, self._input(score.target))
                    else:
                        score.broken = fault.said
                    break
                if line is None:
                    if process.wait() and fuzzing:
                        self._keep(score, Fault("crash", f"the process ended with {process.returncode}"),
                                   self._input(score.target))  # fmt: skip
                    elif process.returncode:
                        score.broken = f"its process ended with {process.returncode}"
                    break
                told = json.loads(line)
                if "prepares" in told:
                    while left[0].target.name != told["prepares"]:
                        left.pop(0)
                    score, began, fuzzing, before = left[0], time.monotonic(), False, left[0].inputs
                    score.starts += 1
                elif "began" in told:
                    began, fuzzing = time.monotonic(), True
                elif "fault" in told:
                    self._keep(score, Fault(**told["fault"]), bytes.fromhex(told["input"]))
                elif "broken" in told:
                    score.broken = told["broken"] + "\n" + told["trace"]
                    left.pop(0)
                if "count" in told:
                    score.inputs, score.lines = before + told["count"], max(score.lines, told["lines"])
                    score.kept = told["kept"]
                    self.tell(score)
                if told.get("done"):
                    left.pop(0)
                    fuzzing = False
                    if not left:
                        break
        finally:
            process.kill()
            process.wait()
            if process.stdin is not None:
                process.stdin.close()
        if left and fuzzing:
            score.seconds += time.monotonic() - began
        if left and (score.broken or score.seconds >= seconds or score.starts >= STARTS):
            left = [one for one in left if one is not score]
        return [one.target.name for one in left]

    def _trouble(self, pid: int, target: Target, began: float, fuzzing: bool) -> Fault | None:
        if not fuzzing:
            late = time.monotonic() - began > PREPARING
            return Fault("hang", "does not get ready to be fuzzed") if late else None
        try:
            since = time.time() - (self.work / target.name / target.file).stat().st_mtime
        except OSError:
            since = 0.0
        if since > WAIT * target.seconds:
            return Fault("hang", f"still being read after {since:.0f} s")
        if (resident(pid) or 0) > 3_000_000_000 + target.memory:
            return Fault("memory", "fills the memory")
        return None

    def _input(self, target: Target) -> bytes:
        try:
            return (self.work / target.name / target.file).read_bytes()
        except OSError:
            return b""

    def _keep(self, score: Score, fault: Fault, data: bytes) -> None:
        if fault.key in score.faults:
            return
        score.faults[fault.key] = fault
        self.found.mkdir(parents=True, exist_ok=True)
        name = f"{score.target.name}-{fault.kind}-{hashlib.sha256(data).hexdigest()[:10]}"
        path = self.found / f"{name}.input"
        path.write_bytes(data)
        (self.found / f"{name}.txt").write_text(f"{fault.kind}: {fault.said}\n{fault.place}\n{fault.trace}")
        score.files.append(path)
        self.tell(score)


def _pump(stream: Any, lines: Queue[str | None]) -> None:
    for line in stream:
        lines.put(line)
    lines.put(None)


def again(path: Path, target: Target, work: Path) -> Fault | None:
    """What an input that was kept does now, in this process."""
    from fuzz.child import prepared
    from fuzz.law import Watch, broken, highest

    folder, _ = prepared(target, work)
    (folder / target.file).write_bytes(path.read_bytes())
    return broken(target, folder, Watch(), highest() + target.memory)


def target_of(path: Path, targets: dict[str, Target]) -> Target | None:
    """Whose input a file is, by its name."""
    return targets.get(os.path.basename(path).split("-")[0])
