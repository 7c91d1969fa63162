"""The lines of `--json events`, as pydantic models: one for each kind of event of a job, and what a command says of its
outcome. docs/schemas/events.schema.json is generated from them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, TypeAdapter

from tronie.errors import Trouble
from tronie.export.schemas import Record, Row4, Status, UnmeasuredRecord
from tronie.runtime import job

SOURCE = Field("", description="The photo, video or person that it is about, as it was given; empty: all of them.")
FACE = Field(0, description="Number of the face or of the video's person, from 1; 0: the whole source.")


class EventLine(Record):
    """Every field stands in every line."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class StageBeganRecord(EventLine):
    """A stage of the work begins."""

    event: Literal["stage_began"] = "stage_began"
    stage: str = Field(description="Its name: `read`, `detect`, `fit`, ... A stage that is not known may come.")
    total: int | None = Field(None, description="Its steps; null where nobody knows, or where they are not counted.")
    done: int = Field(0, description="How many of them were done before.")
    source: str = SOURCE
    face: int = FACE


class AdvancedRecord(EventLine):
    """A stage has come further."""

    event: Literal["advanced"] = "advanced"
    stage: str
    done: int = Field(description="How many of its steps are done.")
    total: int | None = Field(None, description="Of how many; null where nobody knows.")
    source: str = SOURCE
    face: int = FACE


class StageEndedRecord(EventLine):
    """A stage is over, because it is done or because it failed or was given up."""

    event: Literal["stage_ended"] = "stage_ended"
    stage: str
    seconds: float = Field(description="How long it took.")
    source: str = SOURCE
    face: int = FACE


class FoundFaceRecord(EventLine):
    """A face that was found."""

    index: int = Field(description="Its number, from 1, largest first.")
    box: Row4 = Field(description="x0, y0, x1, y1: photo pixels; may reach beyond the border.")
    score: float = Field(description="The detector's, 0..1.")


class FacesFoundRecord(EventLine):
    """The faces of a photo are found and numbered, before any of them is worked on."""

    event: Literal["faces_found"] = "faces_found"
    width: int = Field(description="Of the photo as it is used: pixels, upright.")
    height: int
    faces: list[FoundFaceRecord]
    source: str = SOURCE


class FaceFinishedRecord(EventLine):
    """All stages of a photo's face are over; its files may not be written yet."""

    event: Literal["face_finished"] = "face_finished"
    face: int = Field(description="Its number, from 1.")
    error: str | None = Field(None, description="Why there is no result of it.")
    source: str = SOURCE


class CompilingKernelsRecord(EventLine):
    """A numeric kernel is compiled, once on a machine; how many there will be is not known before."""

    event: Literal["compiling_kernels"] = "compiling_kernels"
    kernel: str = Field(description="Its name.")


class NoteRecord(EventLine):
    """Something that the user should know of."""

    event: Literal["note"] = "note"
    text: str


class ProblemRecord(EventLine):
    """Something that went wrong, or that is doubtful; the work goes on."""

    event: Literal["problem"] = "problem"
    text: str


class PhotoDoneRecord(EventLine):
    """What became of one photo or video of `tronie run`."""

    event: Literal["photo_done"] = "photo_done"
    source: str = Field(description="Its path, as it was given.")
    status: Status
    faces: int = Field(0, description="Faces found, with those that could not be finished.")
    seconds: float = Field(0.0, description="From reading it to the last file.")
    reason: str | None = Field(None, description="One sentence for an error.")
    trouble: Trouble | None = Field(None, description="The kind of an error.")
    face_errors: list[str] = Field([], description="One sentence for each face that could not be finished.")
    warnings: list[str] = Field([], description="What is doubtful about it and its faces, in sentences.")
    warned: dict[str, list[int]] = Field({}, description="Code of a warning -> numbers of the faces that have it.")
    unmeasured: list[UnmeasuredRecord] = Field([], description="Faces that were seen but could not be measured.")
    folder: str | None = Field(None, description="Of its outputs; null where it was not even tried.")


class PhotoPlannedRecord(EventLine):
    """What `tronie run --dry-run` would do with one photo or video."""

    event: Literal["photo_planned"] = "photo_planned"
    source: str = Field(description="Its path, as it was given.")
    action: Literal["do", "redo", "skip", "refuse"] = Field(
        description="Do it; do again what an earlier run did; leave it as it is done; leave alone what is in its way."
    )
    reason: str | None = Field(None, description="Why it is done again or refused, as a clause.")
    folder: str = Field(description="Of its outputs.")


class PlanRecord(EventLine):
    """The last line of `tronie run --dry-run`."""

    event: Literal["plan"] = "plan"
    plan: dict[str, int] = Field(description="How many photos each `action` has.")
    folder: str = Field(description="Of all outputs.")


class PersonDoneRecord(EventLine):
    """What became of one person of `tronie person`."""

    event: Literal["person_done"] = "person_done"
    name: str = Field(description="As people.txt has it.")
    folder: str = Field(description="Of the outputs.")
    status: Literal["ok", "kept", "error"] = Field(
        description="`kept`: it was there already, made of the same photos with the same settings."
    )
    photos: int = Field(0, description="That the head is made of.")
    spread_mm: tuple[float, float] | None = Field(
        None, description="How sure the shape is, as person.json has it: of the first photo alone, and of all."
    )
    reason: str | None = Field(None, description="One sentence for an error.")


class FileDoneRecord(EventLine):
    """One output of `tronie render`."""

    event: Literal["file_done"] = "file_done"
    path: str = Field(description="The film or picture, or the folder of a film's pictures.")
    seconds: float = Field(description="How long it took.")


class CalibratedRecord(EventLine):
    """What came of `tronie models calibrate`."""

    event: Literal["calibrated"] = "calibrated"
    name: str
    error_mm: float | None = Field(description="Of the head on people that it had not seen.")
    share: float | None = Field(description="The same as a part of the mean head's error.")


class SummaryRecord(EventLine):
    """The last line of `tronie run`."""

    event: Literal["summary"] = "summary"
    summary: dict[str, int] = Field(description="How many photos are ok, no_face, failed, skipped; how many faces.")
    warned: dict[str, int] = Field(description="Code of a warning -> how many faces have it.")
    errors: dict[str, int] = Field(description="Kind of an error -> how many photos ended with it.")
    left_out: dict[str, int] = Field(description="Files that were left out, by their ending; `clips of live photos`.")
    seconds: float
    folder: str = Field(description="Of all outputs.")


EventRecord = (
    StageBeganRecord
    | AdvancedRecord
    | StageEndedRecord
    | FacesFoundRecord
    | FaceFinishedRecord
    | CompilingKernelsRecord
    | NoteRecord
    | ProblemRecord
    | PhotoDoneRecord
    | PhotoPlannedRecord
    | PlanRecord
    | PersonDoneRecord
    | FileDoneRecord
    | CalibratedRecord
    | SummaryRecord
)

EVENTS: TypeAdapter[EventRecord] = TypeAdapter(
    Annotated[EventRecord, Field(discriminator="event")], config=ConfigDict(defer_build=True)
)

_OF: dict[type[job.Event], type[Record]] = {
    job.StageBegan: StageBeganRecord,
    job.Advanced: AdvancedRecord,
    job.StageEnded: StageEndedRecord,
    job.FacesFound: FacesFoundRecord,
    job.FaceFinished: FaceFinishedRecord,
    job.CompilingKernels: CompilingKernelsRecord,
    job.Note: NoteRecord,
    job.Problem: ProblemRecord,
}


def event_line(event: job.Event) -> dict[str, Any] | None:
    """What `--json events` writes of an event that is of no command's own; None for any other."""
    record = _OF.get(type(event))
    if record is None:
        return None
    values = asdict(event)  # type: ignore[call-overload]  # they are dataclasses
    # What lies within an event has models of its own.
    made = record.model_validate(values) if isinstance(event, job.FacesFound) else record.model_construct(**values)
    line = made.model_dump(mode="json")
    if isinstance(event, job.StageEnded):
        line["seconds"] = round(event.seconds, 4)
    return line
