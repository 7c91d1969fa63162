"""People put right by hand: nobody's frames get lost or doubled, and what cannot be is refused in a sentence."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tronie.errors import InputError
from tronie.pipelines.video.collect import ROW, Collected, HandEdit, Spool
from tronie.pipelines.video.hand_edits import edited
from tronie.pipelines.video.keyframes import Keyframe, Keyframes, _Track

STAYS = {0: range(10), 1: range(12, 20), 2: range(5, 30)}
"""Frames of each track: 0 and 1 are apart, 2 is there with both."""


@pytest.fixture
def found(tmp_path: Path) -> Collected:
    spool = Spool(tmp_path / "seen")
    shots: Any = Keyframes(tmp_path, None)  # type: ignore[arg-type]
    order = sorted((frame, track) for track, stay in STAYS.items() for frame in stay)
    for number, (frame, track) in enumerate(order):
        row = np.zeros((), ROW)
        row["frame"], row["track"] = frame, track
        spool._file.write(row.tobytes())
        spool.of_track.setdefault(track, []).append(number)
        spool._count += 1
        marks: Any = SimpleNamespace()
        shot = Keyframe(track, frame, frame / 25, tmp_path, marks, (0, 0, 1, 1), 1.0, 0.1, 2, True)
        shots._tracks.setdefault(track, _Track(0.0)).shots.append(shot)
    spool.close()
    times = [k / 25 for k in range(30)]
    info: Any = SimpleNamespace()
    return Collected(info, times, [], spool, shots, [[0], [2], [1]], ())


def frames(found: Collected) -> list[list[int]]:
    rows = found.spool.rows()
    return [rows["frame"][found.spool.numbers(tracks)].tolist() for tracks in found.people]


def test_two_are_made_one_and_one_two_again(found: Collected) -> None:
    before = frames(found)
    merged = edited(found, [HandEdit("merge", 1, 3)])
    assert frames(merged) == [[*STAYS[0], *STAYS[1]], list(STAYS[2])]
    assert frames(edited(merged, [HandEdit("split", 1, 12)])) == before
    assert merged.by_hand == (HandEdit("merge", 1, 3),)


def test_a_track_is_cut_in_two_with_its_best_frames(found: Collected) -> None:
    made = edited(found, [HandEdit("split", 2, 20)])
    assert frames(made) == [list(STAYS[0]), list(range(5, 20)), list(STAYS[1]), list(range(20, 30))]
    late = made.people[3]
    assert {shot.frame for shot in made.shots.best(late, 99)} == set(range(20, 30))
    assert all(shot.track in late for shot in made.shots.best(late, 99))
    assert frames(found) == [list(STAYS[0]), list(STAYS[2]), list(STAYS[1])]  # what it was made of stays


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (HandEdit("merge", 1, 2), "seen at the same time"),
        (HandEdit("merge", 1, 1), "Two people"),
        (HandEdit("merge", 1, 9), "no person 9"),
        (HandEdit("split", 1, 10), "on one side"),
        (HandEdit("split", 1, 0), "on one side"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(found: Collected, edit: HandEdit, said: str) -> None:
    before = frames(found)
    with pytest.raises(InputError, match=said):
        edited(found, [edit])
    assert frames(found) == before
