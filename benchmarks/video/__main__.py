"""How well are faces followed, and how fast? Rendered clips with known truth, and the time of a real run.

    python -m benchmarks.video                            # all of it, with the portraits of ../shared
    python -m benchmarks.video --only cross still --frames 60
    python -m benchmarks.video --photos FOLDER --only speed --seconds 10

Heads made from portraits are rendered before a coloured ground, with a camera's noise: crossings (`cross`), leaving
and returning (`away`), a light that changes (`light`), a face that does not move (`still`), one that talks, turns and
blinks (`talk`). `live` times `tronie.pipelines.video.live`; `speed` times `tronie run` of a 720p clip with two
people, with all outputs but the overlay, in a process of its own with its memory. Times are of this machine as it is:
see its load.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from benchmarks.video import figures
from benchmarks.video.scenes import Actor, Scene, away, hire, nodding, still, walking
from tronie.io.video.writer import default_format, write_movie
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.video.live import Live
from tronie.stages.fit.basis import landmark_basis

PORTRAITS = Path(__file__).resolve().parents[3] / "shared" / "faces_cc0"
CAST = ("female_03", "male_07", "female_21", "male_40", "female_55", "male_81")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--photos", type=Path, default=PORTRAITS, help="folder of portraits (default: ../shared/faces_cc0)"
    )
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--frames", type=int, default=90, help="of each clip (default: 90)")
    parser.add_argument("--seconds", type=float, default=10, help="of the clip for `speed` (default: 10)")
    options = parser.parse_args()
    print(f"load of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores\n")
    cast = [hire(path) for path in people(options.photos)]
    pipeline = Pipeline(threads=1)
    for part in options.only:
        PARTS[part](pipeline, cast, options)


def people(folder: Path) -> list[Path]:
    """The portraits of CAST, or the first six of another folder."""
    named = [folder / f"{name}.webp" for name in CAST]
    found = named if all(path.exists() for path in named) else sorted(p for p in folder.iterdir() if p.is_file())[:6]
    if len(found) < 6:
        raise SystemExit(f"{folder} should hold six portraits")
    return found


def cross(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    total = np.zeros(3, int)
    for k, (near, far, seed) in enumerate([(700, 850, 0.0), (900, 700, 2.0), (750, 800, 4.0)]):
        pair = cast[2 * k : 2 * k + 2]
        plays = [walking(-230, 230, 2.6, near, seed), walking(260, -260, 2.6, far, seed + 1)]
        result = figures.solved(pipeline, Scene(pair, plays, max(options.frames, 84), (480, 360), seed=k))
        said = figures.switches(result)
        total += said
        print(f"crossing {k + 1}: switches {said[0]}, people split {said[1]}, frames hidden or lost {said[2]}")
    print(f"all crossings: switches {total[0]}, people split {total[1]}\n")


def leaving(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    n = options.frames
    plays = [away(nodding(-120, 900), n / 90, n / 50), nodding(130, 950, 2.0)]
    result = figures.solved(pipeline, Scene(cast[:2], plays, n, (640, 360)))
    changes, split, missed = figures.switches(result)
    print(f"leaving and returning: switches {changes}, people split {split}, frames missed {missed}\n")


def light(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    def flicker(t: float) -> float:
        return 1.0 if t < 1 else 0.5 if t < 2 else 1.15

    scene = Scene(cast[3:4], [nodding()], options.frames, (480, 360), light=flicker)
    result = figures.solved(pipeline, scene)
    _changes, split, missed = figures.switches(result)
    print(f"light halved and doubled at once: people {len(result.people)}, split {split}, frames missed {missed}\n")


def quiet(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    basis = landmark_basis(pipeline.model).mean[:468]
    for k, noise in enumerate((2.0, 6.0)):
        result = figures.solved(
            pipeline, Scene(cast[2 + k : 3 + k], [still()], options.frames, (640, 480), noise=noise)
        )
        about, step = figures.jitter(result.people[0], result.camera, basis)
        print(
            f"still face, noise of {noise:.0f} grey levels: landmarks move {about:.3f} % of the face about their mean, "
            f"{step:.3f} % from frame to frame (the net's own points: {figures.raw_jitter(result):.3f} %)"
        )
    print()


def talking(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    units: dict[str, list[tuple[float, float]]] = {}
    errors, lags = [], []
    for k, actor in enumerate(cast[1:4]):
        result = figures.solved(pipeline, Scene([actor], [nodding(seed=1.3 * k)], options.frames, (640, 480), seed=k))
        person = result.people[0]
        errors.append(figures.pose_error(result, person, 0))
        truth = figures.true_angles(result.scene, 0)
        said = np.array([figures.euler_degrees(m[:3, :3]) for m in person.motion.head_to_camera])
        lags += [figures.lag(said[:, axis], truth[:, axis]) for axis in range(3)]
        for name, figure in figures.expressions(result, person, 0).items():
            units.setdefault(name, []).append(figure)
    yaw, pitch, roll = np.mean(errors, axis=0)
    print(
        f"pose: mean error yaw {yaw:.2f}, pitch {pitch:.2f}, roll {roll:.2f} degrees; lag {np.mean(lags):+.2f} frames"
    )
    for name, said in sorted(units.items()):
        correlation, late = np.mean(said, axis=0)
        print(f"    {name:<16} correlation {correlation:.3f}, lag {late:+.2f} frames")
    every = np.array([f for said in units.values() for f in said])
    print(f"expression: mean correlation {every[:, 0].mean():.3f}, median {np.median(every[:, 0]):.3f}\n")


def live(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    frames = list(Scene(cast[1:2], [nodding(z=700)], options.frames, (640, 480)).pictures())
    for threads in (1, 2):
        pipeline = Pipeline(threads=threads)
        warm = Live(pipeline)
        warm.step(frames[0], 0.0)
        warm.draw(frames[0])
        for drawn in (False, True):
            tracker, wall, cpu = Live(pipeline), [], []
            for k, frame in enumerate(frames):
                began, spent = time.perf_counter(), time.process_time()
                tracker.step(frame, k / 30)
                if drawn:
                    tracker.draw(frame)
                wall.append(time.perf_counter() - began)
                cpu.append(time.process_time() - spent)
            print(
                f"live, 640x480, {threads} thread(s){', head drawn' if drawn else '':<12}: {1 / np.median(wall):5.1f} "
                f"frames/s (median), {len(wall) / sum(wall):5.1f} (mean); {1e3 * np.median(cpu):.1f} ms of processor"
            )
    print()


def speed(pipeline: Pipeline, cast: list[Actor], options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"two.{default_format()}"
        # Half as many pictures as frames, each twice: rendering is not what is measured.
        count = round(15 * options.seconds)
        scene = Scene(cast[:2], [nodding(-150, 900), nodding(160, 850, 2.0)], count, (1280, 720))
        write_movie(path, (picture for picture in scene.pictures() for _ in range(2)), 30)
        code = (
            "import sys, time, resource; began = time.perf_counter()\n"
            "from tronie.cli import execute\n"
            f"execute(['run', {str(path)!r}, '-o', {folder + '/out'!r}, '--no-overlay-film', '-v'])\n"
            "used = resource.getrusage(resource.RUSAGE_SELF)\n"
            "print(time.perf_counter() - began, used.ru_utime + used.ru_stime, used.ru_maxrss / 1e6)"
        )
        said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        print(said, end="")
        wall, cpu, gigabytes = map(float, said.splitlines()[-1].split())
        frames = 2 * count
        print(
            f"{frames} frames of 720p, two people, all outputs but the overlay: {frames / wall:.1f} frames/s "
            f"({wall:.1f} s; {cpu:.1f} s of processor, start included), {gigabytes:.2f} GB\n"
        )


PARTS: dict[str, Callable[[Pipeline, list[Actor], argparse.Namespace], None]] = {
    "cross": cross, "away": leaving, "light": light, "still": quiet, "talk": talking, "live": live, "speed": speed,
}  # fmt: skip

if __name__ == "__main__":
    main()
