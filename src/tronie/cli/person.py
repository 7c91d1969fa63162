"""`tronie person`: photos of one person, or of several, into one head each."""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from tronie.cli.interrupt import Stop, stop_on_signals
from tronie.cli.say import hushed, say
from tronie.cli.show import count, duration
from tronie.errors import InputError, TronieError
from tronie.io.inputs import find_inputs
from tronie.io.kinds import left_out_sentence
from tronie.io.paths import distinct, safe_name
from tronie.pipelines.outcome import debugging
from tronie.runtime.atomic_files import make_folder, sweep
from tronie.runtime.folder_lock import locked
from tronie.runtime.hardware import kernels_missing
from tronie.settings import Settings

if TYPE_CHECKING:
    from tronie.pipelines.multiview import Shot
    from tronie.pipelines.person.gather import Found
    from tronie.pipelines.person.grouping import Entry


def make_people(
    photos: list[str],
    out: Path,
    settings: Settings,
    *,
    people: Path | None = None,
    overwrite: bool = False,
    recursive: bool = False,
    quiet: bool = False,
) -> int:
    """Do the people in the photos; the exit code."""
    if settings.fit.engine == "deep3d":
        say("tronie person works with tronie's own engine only.", problem=True)
        return 2

    def stopping() -> None:
        say("Stopping after this photo; Ctrl-C again stops at once.", problem=True)

    with stop_on_signals(stopping) as stop, nullcontext() if debugging() else hushed():
        try:
            code = _work(photos, out, settings, people, overwrite, recursive, quiet, stop)
        except TronieError as error:
            say(str(error), problem=True)
            code = 1
        except KeyboardInterrupt:
            code = 128 + signal.SIGINT
    if stop.signal or code > 128:
        say("Stopped. People who are finished are kept; the same command goes on.", problem=True)
        return 128 + (stop.signal or signal.SIGINT)
    return code


def _work(
    photos: list[str], out: Path, settings: Settings, people: Path | None, overwrite: bool, recursive: bool,
    quiet: bool, stop: Stop,
) -> int:  # fmt: skip
    from tronie.io.images import IMAGE_SUFFIXES
    from tronie.pipelines.person.files import done_before, save_person
    from tronie.pipelines.person.gather import find_faces
    from tronie.pipelines.person.grouping import read_people
    from tronie.pipelines.person.reconstruct import reconstruct_person
    from tronie.pipelines.photo import Pipeline, single_blas_thread

    began = time.monotonic()
    entries = None if people is None else read_people(people)
    inputs = find_inputs(photos, IMAGE_SUFFIXES, recursive=recursive, exclude=out)
    for problem in inputs.problems:
        say(f"{problem.source}: {problem.reason}", problem=True)
    if not quiet and (told := left_out_sentence(inputs.left_out)):
        say(told, problem=True)
    if kernels_missing() and not quiet:
        say("This is the first run: compiling the numeric kernels takes some 15 seconds, once.", problem=True)
    pipeline = Pipeline(settings)
    found = []
    for one in find_faces(pipeline, inputs.paths, lambda: stop.requested):
        found.append(one)
        if one.problem:
            say(one.problem, problem=True)
    if stop.requested:
        return 1
    if not any(one.shots for one in found):
        say("There is no face in any of the photos.", problem=True)
        return 1
    with locked(make_folder(out)), single_blas_thread():
        sweep(out)
        chosen = _who(found, out, entries, str(people), any(Path(p).is_dir() for p in photos))
        folders = distinct({name: _folder(name) for name in chosen}, taken=("people.txt", "people.jpg"))
        made = failed = kept = 0
        for name, shots in chosen.items():
            folder = out / folders[name]
            if not overwrite and done_before(folder, shots, settings):
                kept += 1
                if not quiet:
                    say(f"{folder} is done already; --overwrite does it again.", problem=True)
                continue
            try:
                if not overwrite and folder.exists():
                    raise InputError(f"{folder} was made of other photos or settings; --overwrite replaces it.")
                many = reconstruct_person(
                    pipeline.model, pipeline.calibration, shots, settings, stopping=lambda: stop.requested
                )  # fmt: skip
                if many is None:
                    return 1
                save_person(many, folder, name, settings, overwrite=overwrite)
            except (TronieError, ValueError) as error:
                failed += 1
                say(f"Person {name}: {error}", problem=True)
                continue
            made += 1
            if not quiet:
                first, last = many.curve[0][1], many.curve[-1][1]
                say(f"{folder}  {count(len(shots), 'photo')}, spread {first:.2f} -> {last:.2f} mm")
    if not quiet:
        say(f"{count(made, 'head')} in {duration(time.monotonic() - began)}. Outputs: {out}")
    return 1 if failed or not made + kept else 0


def _folder(name: str) -> str:
    return f"person-{name}" if name.isdecimal() else safe_name(name)


def _who(
    found: Sequence[Found], out: Path, entries: Sequence[Entry] | None, source: str, folder: bool
) -> Mapping[str, Sequence[Shot]]:
    """Person -> shots, and the files that tell it: people.txt, people.jpg where there is anything to tell. Photos given
    one by one with a face each are of one person, for the user says so; a `folder` may hold anybody."""
    from tronie.io import encode
    from tronie.pipelines.person.gather import entries_of, grouped, largest, said
    from tronie.pipelines.person.grouping import to_text
    from tronie.pipelines.person.sheets import people_sheet
    from tronie.runtime.atomic_files import write_file
    from tronie.stages.landmarks import recognizer

    if entries is not None:
        return said(found, entries, source)
    crowded = any(len(one.shots) > 1 for one in found)
    chosen = largest(found)
    if recognizer.available():
        groups = grouped(found)
        if crowded or folder:
            several = {name: shots for name, shots in groups.items() if len(shots) > 1}
            chosen = several or dict([next(iter(groups.items()))])
        elif len(groups) > 1:
            others = [shot.photo.name for name, shots in groups.items() if name != "1" for shot in shots]
            say(
                f"{', '.join(others)} may show somebody else than the other photos; one head is made of all. If that "
                f"is wrong, edit {out / 'people.txt'} and give it back with --people.", problem=True,
            )  # fmt: skip
    elif crowded or (folder and len(found) > 1):
        what = (
            "Some photos have several faces: the largest of each is taken." if crowded
            else "All photos are taken for one person's."
        )  # fmt: skip
        say(
            f"{what} To tell people apart, install the extra `identity` (pip install 'tronie[identity]'), or edit "
            "people.txt and give it back with --people.", problem=True,
        )  # fmt: skip
    write_file(out / "people.txt", to_text(entries_of(dict(chosen), found)).encode("utf-8", errors="replace"))
    taken = {id(shot) for shots in chosen.values() for shot in shots}
    left = [shot for one in found for shot in one.shots if id(shot) not in taken]
    write_file(out / "people.jpg", encode.jpeg(people_sheet(chosen, left), 88))
    return chosen
