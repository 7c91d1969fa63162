"""Runs that are killed, and disks that are full: the same command again has to end as if nothing had been."""

from __future__ import annotations

import random
import shutil
import signal
import subprocess
import time

from benchmarks.fire.folders import Place, differences, made


def kills(place: Place, count: int, workers: int, shards: int, options: list[str], seed: int) -> int:
    """Kill a run, or one of several parts of it, at so many random moments; how often the end was not the same."""
    began = time.monotonic()
    _whole(place.begin("-q", *options, workers=workers))
    length, expected = time.monotonic() - began, made(place.out)
    outside = place.outside()
    print(f"undisturbed: {length:.0f} s, {len(expected)} files and folders", flush=True)
    draw, wrong, hit = random.Random(seed), 0, 0
    parts = [("--shard", f"{k}/{shards}") for k in range(1, shards + 1)] if shards else [()]
    for number in range(count):
        shutil.rmtree(place.out)
        running = [place.begin("-q", *part, *options, workers=workers) for part in parts]
        moment, chosen = length * (number + draw.random()) / count, number % len(parts)
        try:
            running[chosen].wait(moment)
        except subprocess.TimeoutExpired:
            running[chosen].send_signal(signal.SIGKILL)
            hit += 1
        done = len(list(place.out.glob("*/face-*/face.json")))
        for process in running:
            process.communicate()
        began = time.monotonic()
        said = _whole(place.begin("-q", *parts[chosen], *options, workers=workers))
        faults = [f"said {said!r}"] if said else []
        faults += [f"{name} differs" for name in differences(made(place.out), expected)]
        faults += [f"{name} was touched" for name in differences(place.outside(), outside)]
        wrong += bool(faults)
        print(
            f"{number + 1:3} killed after {moment:5.1f} s with {done} done, again {time.monotonic() - began:.1f} s: "
            f"{'; '.join(faults) or 'the same'}",
            flush=True,
        )
    print(f"{hit} of {count} runs were killed, {wrong} came out otherwise")
    return wrong


def full(place: Place, megabytes: float, workers: int, options: list[str]) -> int:
    """A disk of so many megabytes that fills up, then is made larger (needs the right to mount one)."""
    _whole(place.begin("-q", *options, workers=workers))
    expected = made(place.out)
    size = sum(path.stat().st_size for path in place.out.rglob("*") if path.is_file()) / 1e6
    shutil.rmtree(place.out)
    place.out.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={int(megabytes * 1e6)}", "tmpfs", str(place.out))
    try:
        outside = place.outside()
        first = place.begin("-q", *options, workers=workers)
        said = first.communicate()[1].decode(errors="replace")
        print(f"outputs of {size:.0f} MB, a disk of {megabytes:.0f}: exit code {first.returncode}")
        print("    " + "\n    ".join(said.splitlines()))
        done = len(list(place.out.glob("*/face-*/face.json")))
        _mount("-o", f"remount,size={int((2 * size + 100) * 1e6)}", str(place.out))
        again = _whole(place.begin("-q", *options, workers=workers))
        faults = [f"said {again!r}"] if again else []
        faults += [f"{name} differs" for name in differences(made(place.out), expected)]
        faults += [f"{name} was touched" for name in differences(place.outside(), outside)]
        faults += [] if "disk is full" in said and first.returncode == 1 else ["nobody was told"]
        print(f"{done} done on the full disk; run again on a larger one: {'; '.join(faults) or 'the same'}")
        return len(faults)
    finally:
        subprocess.run(["umount", str(place.out)], check=False)


def _whole(process: subprocess.Popen[bytes]) -> str:
    """Wait for a run to end well; what it complained of."""
    said = process.communicate()[1].decode(errors="replace")
    return said if process.returncode == 0 else f"exit code {process.returncode}: {said}"


def _mount(*options: str) -> None:
    subprocess.run(["mount", *options], check=True)
