"""How fast are pictures of heads here? python -m benchmarks.render [--photo FILE]

Milliseconds of a 512 x 512 film frame and of a 640 x 640 interactive view by mode, in one thread and in as many as
there are cores; films to files in pictures per second; and how far the outlines are from 8 x 8 samples to the pixel.
Let the machine do nothing else.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import tronie
from tronie.io.video.writer import default_format, write_movie
from tronie.outputs import USUAL
from tronie.render.figure import Figure, figure_of
from tronie.render.film import graded, orbit, pictures, reel, turntable
from tronie.render.lights import preset
from tronie.render.renderer import MODES, Look, Mode, Scene, render
from tronie.runtime.hardware import cores

EXAMPLE = Path(__file__).parent.parent / "examples" / "astronaut.jpg"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--photo", type=Path, default=EXAMPLE)
    parser.add_argument("--runs", type=int, default=20)
    options = parser.parse_args()
    print(f"tronie {tronie.__version__}, Python {platform.python_version()}, {platform.machine()}, {cores()} cores")
    print(f"load average {os.getloadavg()[0]:.1f}\n" if hasattr(os, "getloadavg") else "")
    settings = tronie.Settings(only="texture", outputs=(*USUAL, "albedo"))
    figure = figure_of(tronie.reconstruct(options.photo, settings).faces[0])
    print(f"{len(figure.rest)} vertices, {len(figure.triangles)} triangles, texture of {len(figure.texture)}")
    began = time.perf_counter()
    _ = figure.openness
    print(f"openness, once a person: {time.perf_counter() - began:.2f} s\n")
    modes(figure, options.runs)
    films(figure)
    outlines(figure)


def scene(figure: Figure, side: int, mode: Mode, light: str, samples: int, yaw: float = 30.0) -> Scene:
    camera, pose = orbit(figure, (side, side), yaw)
    return Scene(figure, camera, pose, Look(mode, preset(light), (236, 236, 238), samples), figure.weights)


def milliseconds(work: Callable[[], object], runs: int) -> str:
    """Wall clock and this thread's own time, medians: they differ where the machine is shared."""
    work()
    wall, own = [], []
    for _ in range(runs):
        a, b = time.perf_counter(), time.thread_time()
        work()
        wall.append(time.perf_counter() - a)
        own.append(time.thread_time() - b)
    return f"{1e3 * float(np.median(wall)):6.1f} ms, of them computing {1e3 * float(np.median(own)):6.1f}"


def modes(figure: Figure, runs: int) -> None:
    print("512 x 512, 3 x 3 samples, one thread (a film's frame)")
    for light in ("photo", "studio"):
        shot = scene(figure, 512, "textured", light, 3)
        print(f"  {light:12} {milliseconds(lambda shot=shot: render(shot), runs)}")
    print(f"640 x 640, 2 x 2 samples (an interactive view), one thread; {cores()} threads")
    for mode in MODES:
        light = {"textured": "photo", "clay": "clay", "wireframe": "clay"}.get(mode, "map")
        shot = scene(figure, 640, mode, light, 2)
        one = milliseconds(lambda shot=shot: render(shot), runs)
        print(f"  {mode:12} {one}; {milliseconds(lambda shot=shot: render(shot, cores()), runs).split(',')[0]}")


def films(figure: Figure, frames: int = 90) -> None:
    print(f"\n512 x 512, 3 x 3 samples, {cores()} threads, {frames} pictures")
    look = Look(background=graded((512, 512), dither=False), samples=3)
    for name, shots in (
        ("turntable", turntable(figure, look, (512, 512), frames, figure.weights)),
        ("reel", reel(figure, look, (512, 512), frames)),
    ):
        began = time.perf_counter()
        count = sum(1 for _ in pictures(shots, cores()))
        print(f"  {name:12} {count / (time.perf_counter() - began):5.1f} pictures/s")
    with tempfile.TemporaryDirectory() as folder:
        for ending in dict.fromkeys((default_format(), "webm", "gif", "png")):
            shots = turntable(figure, look, (512, 512), frames, figure.weights)
            began = time.perf_counter()
            write_movie(Path(folder, f"film.{ending}"), pictures(shots, cores()), 30)
            print(f"  to {ending:9} {frames / (time.perf_counter() - began):5.1f} pictures/s")


def outlines(figure: Figure) -> None:
    print("\nerror to 8 x 8 samples, grey levels: mean, 99.9th percentile (512 x 512, three views)")
    for samples in (1, 2, 3, 4):
        errors = []
        for yaw in (20.0, 100.0, 190.0):
            a, b = (render(scene(figure, 512, "textured", "photo", s, yaw)).astype(int) for s in (samples, 8))
            errors.append(np.abs(a - b).max(axis=-1).ravel())
        every = np.concatenate(errors)
        print(f"  {samples} x {samples}        {every.mean():.2f}  {np.percentile(every, 99.9):.0f}")


if __name__ == "__main__":
    main()
