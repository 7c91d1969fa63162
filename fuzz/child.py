"""The process in which files are read: a reader may end it, fill it or hold it up, which its parent sees."""

from __future__ import annotations

import json
import os
import shutil
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from fuzz.coverage import Coverage
from fuzz.law import Fault, Watch, broken, highest
from fuzz.mutate import mutated
from fuzz.structure import either
from fuzz.target import Target

KEPT = 400
"""Inputs that led somewhere new; of more the oldest go."""
SPARE = 4_000_000_000
"""Bytes of addresses beyond those in use and a target's memory: whatever goes wrong, the machine survives."""


def prepared(target: Target, work: Path) -> tuple[Path, list[bytes]]:
    """The folder of a target, and its valid files, each of which has been read once: what is loaded or compiled at the
    first time is no part of the law."""
    folder = work / target.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # Readers of the user's own models, and of whatever else, find nothing of this machine's user.
    os.environ["TRONIE_HOME"] = str(folder / "home")
    if target.beside is not None:
        target.beside(folder)
    seeds = list(target.seeds())
    for seed in seeds:
        (folder / target.file).write_bytes(seed)
        with suppress(*(target.errors if target.refused else ())):
            target.read(folder / target.file)
    return folder, seeds


def fuzz(target: Target, work: Path, seed: int, seconds: float, watch: Watch, say: Any) -> bool:
    """Read changed files until time is up; `say` is told of it all. Whether this process can still be used."""
    folder, seeds = prepared(target, work)
    rng, coverage = Random(f"{target.name} {seed}"), Coverage()
    _bound(target)
    most, kept, found = highest() + target.memory, list(seeds), set[str]()
    count, began, told = 0, time.monotonic(), 0.0
    say({"began": target.name})
    while (now := time.monotonic()) - began < seconds:
        data = _next(rng, target, seeds, kept)
        # The parent looks at this file to know since when it is being read, and what it was if this process is lost.
        (folder / target.file).write_bytes(data)
        before = len(coverage.lines)
        coverage.arm()
        try:
            fault = broken(target, folder, watch, most)
        finally:
            coverage.disarm()
        count += 1
        if fault is not None:
            if fault.kind in ("memory", "slow") or fault.key not in found:
                say({"fault": _as_json(fault), "input": data.hex()})
            if fault.kind == "memory":
                coverage.close()
                return False  # what it holds now counts against all that follow
            found.add(fault.key)
        elif len(coverage.lines) > before:
            kept.append(data)
            del kept[len(seeds) : len(kept) - KEPT]
        if now - told > 0.5:
            say({"count": count, "lines": len(coverage.lines), "kept": len(kept) - len(seeds)})
            told = now
    coverage.close()
    say({"count": count, "lines": len(coverage.lines), "kept": len(kept) - len(seeds), "done": True})
    return True


def _next(rng: Random, target: Target, seeds: Sequence[bytes], kept: Sequence[bytes]) -> bytes:
    data = rng.choice(seeds if rng.random() < 0.3 else kept)
    if target.structure is not None and rng.random() < 0.6:
        return either(rng, data, target.structure)
    return mutated(rng, data, kept)


def _bound(target: Target) -> None:
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_bytes().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (ImportError, OSError, ValueError):
        return  # not offered here; the parent watches
    bound = pages + target.memory + SPARE
    resource.setrlimit(resource.RLIMIT_AS, (bound, resource.getrlimit(resource.RLIMIT_AS)[1]))


def _as_json(fault: Fault) -> dict[str, str]:
    return {"kind": fault.kind, "said": fault.said, "place": fault.place, "trace": fault.trace}


def main() -> None:
    """WORK SEED NAME=SECONDS...: one target after the other."""
    from fuzz.targets import TARGETS

    work, seed, asked = Path(sys.argv[1]), int(sys.argv[2]), [one.split("=") for one in sys.argv[3:]]
    out = os.fdopen(os.dup(1), "w")
    # What libraries say is only measured: see `law.NOISE`.
    with (work / "stderr").open("ab") as nowhere:
        os.dup2(nowhere.fileno(), 1)
        os.dup2(nowhere.fileno(), 2)

    def say(what: dict[str, Any]) -> None:
        out.write(json.dumps(what) + "\n")
        out.flush()

    def end_with_parent() -> None:
        os.read(0, 1)
        os._exit(1)

    threading.Thread(target=end_with_parent, daemon=True).start()
    watch = Watch()
    for name, seconds in asked:
        say({"prepares": name})
        try:
            if not fuzz(TARGETS[name], work, seed, float(seconds), watch, say):
                break
        except BaseException as error:  # of ours: a valid file that cannot be read, a broken target
            say({"broken": f"{type(error).__name__}: {error}", "trace": traceback.format_exc()})
    os._exit(0)  # threads of what was fuzzed may still run, and would be waited for


if __name__ == "__main__":
    main()
