"""`tronie render`: turntables, reels and stills of finished faces, or of photos."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.arrays import Image
from tronie.cli.interrupt import interrupting
from tronie.cli.options import LIGHTS
from tronie.cli.progress import Bars, JsonLines
from tronie.cli.say import count, duration, say, say_json
from tronie.errors import Cancelled, InputError, TronieError
from tronie.runtime.job import Job, Problem

if TYPE_CHECKING:
    from tronie.render.figure import Figure
    from tronie.render.lights import Lighting
    from tronie.render.renderer import Look, Mode

SAMPLES, STILL_SAMPLES = 3, 4
"""Per pixel and axis: with nine levels of coverage outlines in motion stop crawling."""
SECONDS = {"turntable": 6.0, "reel": 44.0}
"""Length of a film unless told otherwise; the reel's is 0.8 s an expression."""
STILL_LIGHTS = ("studio", "rim", "soft")


@dataclass(frozen=True)
class Wanted:
    """What the command asks for."""

    kinds: tuple[str, ...] = ("turntable",)
    format: str = "auto"
    size: int = 512
    seconds: float | None = None
    fps: float | None = None
    views: tuple[float, ...] = (0.0, 40.0)
    lights: tuple[str, ...] = ()
    turn: float = 0.0
    exposure: float = 0.0
    mode: Mode = "textured"
    background: str = "auto"
    neutral: bool = False
    overwrite: bool = False


def render_inputs(inputs: list[str], out: Path, wanted: Wanted, quiet: bool = False, events: bool = False) -> int:
    """Do everything that can be done; the exit code: 1 if something could not. `events`: all that happens as lines of
    JSON."""
    began, made, failed, stopped = time.monotonic(), 0, 0, False
    with JsonLines() if events else Bars({"turntable": "turntable", "reel": "reel"}, quiet, lines=False) as shown:
        job = Job(shown)
        with interrupting(job, "Stopping after this film or picture; Ctrl-C again stops at once.") as ended:
            try:
                for given in inputs:
                    try:
                        for path, seconds in _all_files(given, out, wanted, job):
                            made += 1
                            if events:
                                say_json({"event": "file_done", "path": str(path), "seconds": round(seconds, 3)})
                            elif not quiet:
                                shown.say(f"{path}  {seconds:.1f} s", problem=False)
                    except TronieError as error:
                        failed += 1
                        job.emit(Problem(str(error)))
            except (Cancelled, KeyboardInterrupt):
                stopped = True
        if not quiet and made:
            shown.say(f"{count(made, 'output')} in {duration(time.monotonic() - began)}.", problem=False)
    if stopped:
        more = "the command for what is left, or with --overwrite for all of it" if made else "the same command again"
        say(f"Stopped; what is finished is kept. To go on, run {more}.", problem=True)
        return ended.code
    return 1 if failed or not made else 0


def _all_files(given: str, out: Path, wanted: Wanted, job: Job) -> Iterator[tuple[Path, float]]:
    """What is to be made of one argument, as it gets finished; see `_files`."""
    job.check(new=True)
    lights = _lights(wanted)
    relit = "stills" in wanted.kinds or any(light.relit for light in lights.values())
    for name, figure in _figures(Path(given), relit, job):
        yield from _files(figure, out / name, wanted, lights, job.part(given))


def _figures(path: Path, relit: bool, job: Job) -> Iterator[tuple[Path, Figure]]:
    """Name below the output folder, and figure, of every face that a path stands for; `relit`: it gets other light."""
    from tronie.io.paths import safe_name
    from tronie.render.figure import figure_of
    from tronie.render.load import face_folders, is_finished, load_figure

    if path.is_file() and is_finished(path) and path.name != "head.glb":
        yield Path(safe_name(path.stem)), load_figure(path)
    elif is_finished(path):
        folders = face_folders(path if path.is_dir() else path.parent)
        if not folders:
            raise InputError(f"{path} holds no face: give the folder of a face, of a photo, or of a whole run.")
        for folder in folders:
            place = folder.resolve()
            yield Path(safe_name(place.parent.name), safe_name(place.name)), load_figure(folder)
    else:
        from tronie.outputs import USUAL
        from tronie.pipelines.photo import Pipeline
        from tronie.settings import Settings

        settings = Settings(only="texture", outputs=(*USUAL, "albedo") if relit else USUAL)
        result = Pipeline(settings).run(path, job=job.part(str(path), finishes=False))
        faces = [face for face in result.faces if face.head is not None]
        if not faces:
            raise InputError(f"There is no face in {path}.")
        for face in faces:
            yield Path(safe_name(result.photo.name), f"face-{face.index}"), figure_of(face)


def _lights(wanted: Wanted) -> dict[str, Lighting]:
    """The lights that were asked for, by the names that files get."""
    from tronie.render.lights import PRESETS, Lighting, preset, surrounding
    from tronie.render.panorama import read_panorama

    found: dict[str, Lighting] = {}
    for name in wanted.lights:
        path = Path(name)
        if name in PRESETS:
            found[name] = preset(name)
        elif not path.suffix:
            raise InputError(f"There is no light {name!r}: choose from {', '.join(LIGHTS)} or give a panorama's file.")
        else:
            try:
                light = surrounding(read_panorama(path), turn=wanted.turn, exposure=wanted.exposure)
            except ValueError as error:
                raise InputError(f"Cannot use {path}: {error}.") from error
            found[path.stem] = Lighting(surrounding=light)
    return found


def _files(
    figure: Figure, folder: Path, wanted: Wanted, lights: Mapping[str, Lighting], job: Job
) -> Iterator[tuple[Path, float]]:
    """Make each wanted film and picture; its path and how long that took. Raises Cancelled when the job is, or when it
    drains and something is to begin."""
    from tronie.render.lights import light_name, preset

    weights = None if wanted.neutral else figure.weights
    if wanted.mode != "textured":
        lights = {wanted.mode: preset(light_name(wanted.mode))}
    for kind in wanted.kinds:
        job.check(new=True)
        if kind == "stills":
            chosen = lights or {name: preset(name) for name in STILL_LIGHTS}
            yield from _stills(figure, folder, wanted, chosen, weights, job)
        else:
            name, light = next(iter(lights.items()), ("photo", preset("photo")))
            yield _film(figure, folder, kind, wanted, _look(wanted, name, light, SAMPLES), weights, job)


def _film(
    figure: Figure, folder: Path, kind: str, wanted: Wanted, look: Look, weights: Mapping[str, float] | None, job: Job
) -> tuple[Path, float]:
    from tronie.io.video.writer import default_format, write_movie
    from tronie.render import film
    from tronie.runtime.atomic_files import taken
    from tronie.runtime.hardware import cores

    began = time.monotonic()
    if kind == "reel" and not figure.names:
        raise InputError(f"{folder} has no expressions to show.")
    ending = default_format() if wanted.format == "auto" else wanted.format
    fps = wanted.fps or (20.0 if ending == "gif" else 30.0)
    frames = max(2, round((wanted.seconds or SECONDS[kind]) * fps))
    size = (wanted.size, wanted.size)
    if kind == "reel":
        shots = list(film.reel(figure, look, size, frames))
    else:
        shots = list(film.turntable(figure, look, size, frames, weights))
    path = folder / f"{kind}.{ending}"
    told = folder / kind if ending == "png" else path
    taken(told, wanted.overwrite)
    sample: list[Image] = []
    if ending == "gif":
        sample = [film.picture(shot) for shot in shots[:: max(1, len(shots) // 12)]]
    with job.stage(kind, len(shots)) as stage:
        pictures = stage.each(film.pictures(shots, cores()))
        write_movie(path, pictures, fps, overwrite=wanted.overwrite, sample=sample)
    return told, time.monotonic() - began


def _stills(
    figure: Figure,
    folder: Path,
    wanted: Wanted,
    lights: Mapping[str, Lighting],
    weights: Mapping[str, float] | None,
    job: Job,
) -> Iterator[tuple[Path, float]]:
    from tronie.io.encode import png
    from tronie.render import film
    from tronie.runtime.atomic_files import make_folder, taken, write_file

    for name, light in lights.items():
        look = _look(wanted, name, light, STILL_SAMPLES)
        size = (wanted.size, wanted.size)
        for file, shot in film.stills(figure, look, size, {name: light}, wanted.views, weights):
            job.check(new=True)
            began = time.monotonic()
            path = folder / f"{file}.png"
            taken(path, wanted.overwrite)
            with job.stage("still"):
                picture = film.picture(shot)
            make_folder(folder)
            write_file(path, png(picture), overwrite=wanted.overwrite)
            yield path, time.monotonic() - began


def _look(wanted: Wanted, name: str, light: Lighting, samples: int) -> Look:
    from tronie.render.film import graded
    from tronie.render.renderer import Look

    choice, size = wanted.background, (wanted.size, wanted.size)
    if choice == "auto":
        choice = "dark" if name == "rim" else "light"
    if choice in ("light", "dark"):
        tones = (232.0, 44.0) if choice == "light" else (58.0, 40.0)
        background = graded(size, *tones, dither=samples == STILL_SAMPLES)
        return Look(wanted.mode, light, background, samples)
    return Look(wanted.mode, light, {"white": (255, 255, 255), "black": (0, 0, 0)}.get(choice), samples)
