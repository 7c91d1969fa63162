"""People of a clip put right by hand: two that are one, one that is two."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tronie.errors import InputError
from tronie.pipelines.video.collect import Collected, HandEdit


def edited(found: Collected, edits: Iterable[HandEdit]) -> Collected:
    """With the people put right, one edit after the other; `found` stays as it is. Raises InputError for what cannot
    be."""
    found = replace(found, spool=found.spool.copy(), shots=found.shots.copy())
    for edit in edits:
        found = _merged(found, edit) if edit.what == "merge" else _split(found, edit)
    return found


def _merged(found: Collected, edit: HandEdit) -> Collected:
    one, other = _tracks(found, edit.person), _tracks(found, edit.other)
    if edit.person == edit.other:
        raise InputError("Two people are needed to be made one.")
    rows, numbers = found.spool.rows(), found.spool.numbers
    both = set(rows["frame"][numbers(one)].tolist()) & set(rows["frame"][numbers(other)].tolist())
    if both:
        when = f"{found.times[min(both)]:.2f} s"
        raise InputError(f"Persons {edit.person} and {edit.other} are seen at the same time (at {when}).")
    rest = [tracks for tracks in found.people if tracks not in (one, other)]
    return _with(found, [*rest, [*one, *other]], edit)


def _split(found: Collected, edit: HandEdit) -> Collected:
    early: list[int] = []
    late: list[int] = []
    tracks, rows = _tracks(found, edit.person), found.spool.rows()
    for track in tracks:
        if (new := found.spool.split(track, edit.other)) is not None:
            found.shots.split(track, new, edit.other)
            early.append(track)
            late.append(new)
        else:
            first = int(rows[found.spool.of_track[track][0]]["frame"])
            (late if first >= edit.other else early).append(track)
    if not early or not late:
        raise InputError(f"Person {edit.person} is seen on one side of this frame only.")
    for part, side in ((early, "before"), (late, "from here on")):
        if not found.shots.best(part, 1):
            raise InputError(f"No frame {side} shows the face well enough for a head.")
    return _with(found, [*(other for other in found.people if other != tracks), early, late], edit)


def _tracks(found: Collected, person: int) -> list[int]:
    if not 1 <= person <= len(found.people):
        raise InputError(f"There is no person {person}.")
    return found.people[person - 1]


def _with(found: Collected, people: list[list[int]], edit: HandEdit) -> Collected:
    """In the order in which they appear."""
    rows = found.spool.rows()

    def first(track: int) -> int:
        return int(rows[found.spool.of_track[track][0]]["frame"])

    ordered = sorted((sorted(tracks, key=lambda t: (first(t), t)) for tracks in people), key=lambda p: (first(p[0]), p))
    return replace(found, people=ordered, by_hand=(*found.by_hand, edit))
