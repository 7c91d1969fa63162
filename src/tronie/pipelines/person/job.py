"""Photos into people: every photo is read, its faces told apart, and each person made one head with its files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tronie.errors import InputError, TronieError
from tronie.export.outputs import check
from tronie.io import encode
from tronie.io.inputs import find_inputs
from tronie.io.kinds import left_out_sentence
from tronie.io.paths import distinct, safe_name
from tronie.pipelines.person.files import done_before, people_sheet, save_person
from tronie.pipelines.person.grouping import (
    Found,
    as_said,
    entries_of,
    find_faces,
    grouped,
    largest,
    read_people,
    to_text,
)
from tronie.pipelines.person.reconstruct import reconstruct_shots
from tronie.pipelines.photo import Pipeline
from tronie.pipelines.shot import Shot
from tronie.runtime.atomic_files import make_folder, sweep, write_file
from tronie.runtime.folder_lock import alone
from tronie.runtime.hardware import kernels_missing
from tronie.runtime.jit import telling
from tronie.runtime.job import Event, Job, Note, Problem
from tronie.runtime.threads import single_blas_thread
from tronie.settings import Settings


@dataclass(frozen=True, slots=True)
class PersonDone(Event):
    """What became of a person."""

    name: str
    """As people.txt has it."""
    folder: str
    """Of the outputs."""
    status: Literal["ok", "kept", "error"]
    """`kept`: it was there already, made of the same photos with the same settings."""
    photos: int = 0
    """That the head is made of."""
    spread_mm: tuple[float, float] | None = None
    """How sure the shape is, as person.json has it: of the first photo alone, and of all."""
    reason: str | None = None
    """One sentence for an error."""


def make_people(
    photos: Sequence[str | Path],
    out: Path,
    settings: Settings,
    *,
    people: Path | None = None,
    overwrite: bool = False,
    recursive: bool = False,
    job: Job | None = None,
) -> tuple[PersonDone, ...]:
    """A folder below `out` for each person in the photos, and what became of each. `people` is a people.txt by which it
    is known who is who.

    `job` is told of the stages `faces` (whose steps are photos), `recognise`, `people`, and of each person `fit`,
    `texture`, `light`, `frontal` and `files`. Raises TronieError when there is nothing to do, Cancelled when the job
    is, or when it drains while there is a head to begin or a texture to look at; people who are finished are kept.
    """
    from tronie.io.kinds import IMAGE_SUFFIXES

    job = job or Job()
    check(settings.wanted)
    entries = None if people is None else read_people(people)
    inputs = find_inputs(photos, IMAGE_SUFFIXES, recursive=recursive, exclude=out)
    for problem in inputs.problems:
        job.emit(Problem(f"{problem.source}: {problem.reason}"))
    if told := left_out_sentence(inputs.left_out):
        job.emit(Note(told))
    if kernels_missing():
        job.emit(Note("This is the first run: compiling the numeric kernels takes some 15 seconds, once."))
    pipeline = Pipeline(settings)
    with telling(job):
        found = find_faces(pipeline, inputs.paths, job)
        if not any(one.shots for one in found):
            raise InputError("There is no face in any of the photos.")
        with alone(make_folder(out)), single_blas_thread():
            sweep(out)
            if entries is not None:
                chosen: Mapping[str, Sequence[Shot]] = as_said(found, entries, str(people))
            else:
                with job.stage("recognise"):
                    chosen = _recognised(found, out, any(Path(p).is_dir() for p in photos), job)
            return _made(chosen, out, pipeline, overwrite, job)


def _made(
    people: Mapping[str, Sequence[Shot]], out: Path, pipeline: Pipeline, overwrite: bool, job: Job
) -> tuple[PersonDone, ...]:
    """Each person's head and files."""
    folders = distinct({name: _folder(name) for name in people}, taken=("people.txt", "people.jpg"))
    done: list[PersonDone] = []
    with job.stage("people", total=len(people)) as stage:
        for name, shots in people.items():
            job.check(new=True)
            one = _one(name, shots, out / folders[name], pipeline, overwrite, job.part(name))
            job.emit(one)
            done.append(one)
            stage.advance()
    return tuple(done)


def _one(name: str, shots: Sequence[Shot], folder: Path, pipeline: Pipeline, overwrite: bool, job: Job) -> PersonDone:
    settings = pipeline.settings
    if not overwrite and done_before(folder, shots, settings):
        return PersonDone(name, str(folder), "kept", len(shots))
    try:
        if not overwrite and folder.exists():
            raise InputError(f"{folder} was made of other photos or settings; --overwrite replaces it.")
        result = reconstruct_shots(
            pipeline.model,
            pipeline.calibration,
            shots,
            settings,
            segmenter=pipeline.segmenter,
            enhancer=pipeline.enhancer,
            net=pipeline.net,
            job=job,
        )
        with job.stage("files"):
            save_person(result, folder, name, overwrite=overwrite)
    except (TronieError, ValueError) as error:
        return PersonDone(name, str(folder), "error", len(shots), reason=f"Person {name}: {error}")
    return PersonDone(name, str(folder), "ok", len(shots), (result.curve[0][1], result.curve[-1][1]))


def _folder(name: str) -> str:
    return f"person-{name}" if name.isdecimal() else safe_name(name)


def _recognised(found: Sequence[Found], out: Path, folder: bool, job: Job) -> Mapping[str, Sequence[Shot]]:
    """Person -> shots, and the files that tell it: people.txt, people.jpg. Photos given one by one with a face each are
    of one person, for the user says so; a `folder` may hold anybody."""
    chosen, groups = largest(found), grouped(found)
    if folder or any(len(one.shots) > 1 for one in found):
        several = {name: shots for name, shots in groups.items() if len(shots) > 1}
        chosen = several or dict([next(iter(groups.items()))])
    elif len(groups) > 1:
        others = ", ".join(shot.photo.name for name, shots in groups.items() if name != "1" for shot in shots)
        doubt = f"{others} may show somebody else than the other photos; one head is made of all."
        job.emit(Problem(f"{doubt} If that is wrong, edit {out / 'people.txt'} and give it back with --people."))
    write_file(out / "people.txt", to_text(entries_of(dict(chosen), found)).encode("utf-8", errors="replace"))
    taken = {id(shot) for shots in chosen.values() for shot in shots}
    left = [shot for one in found for shot in one.shots if id(shot) not in taken]
    write_file(out / "people.jpg", encode.jpeg(people_sheet(chosen, left), 88))
    return chosen
