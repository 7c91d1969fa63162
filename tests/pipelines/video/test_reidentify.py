"""Tracks become people: by face, never two at a time."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.geometry import Similarity
from tronie.pipelines.video.observation import Seen
from tronie.pipelines.video.reidentify import LIMIT, Trait, Traits, difference, link
from tronie.stages.face_parts import FaceLight
from tronie.types import Landmarks

RNG = np.random.default_rng(0)
FACES = RNG.normal(size=(3, 100)) * 0.32
"""As far apart as the calibration's answers for different people are: about 4.5."""


def trait(track: int, person: int, first: float, last: float, x: float = 100.0, looks: int = 20) -> Trait:
    rng = np.random.default_rng(track)
    shape = FACES[person] + rng.normal(size=100) * 0.1
    return Trait(
        track,
        first,
        last,
        (np.array([x, 100.0]), 80.0),
        (np.array([x, 100.0]), 80.0),
        shape=shape * looks,
        weight=float(looks),
        tint=np.array([0.3 + 0.02 * person, -0.2]) * looks,
        looks=looks,
    )


def test_who_leaves_and_returns_keeps_the_number() -> None:
    traits = {0: trait(0, 0, 0, 2), 1: trait(1, 1, 0, 5, 300), 2: trait(2, 0, 4, 6, 500), 3: trait(3, 1, 5.5, 9, 50)}
    assert link(traits) == [[0, 2], [1, 3]]


def test_another_person_in_the_same_place_is_another_person() -> None:
    assert difference(trait(0, 0, 0, 2), trait(1, 1, 2.1, 4)) > LIMIT
    assert difference(trait(0, 0, 0, 2), trait(2, 0, 2.1, 4)) < LIMIT


def test_two_at_the_same_time_are_two_however_alike() -> None:
    assert difference(trait(0, 0, 0, 2), trait(1, 0, 1.5, 3)) == float("inf")
    twins = {0: trait(0, 0, 0, 2), 1: trait(1, 0, 1.5, 3), 2: trait(2, 0, 4, 5)}
    assert sorted(map(len, link(twins))) == [1, 2]


def test_a_face_of_a_few_frames_joins_the_one_lost_beside_it_but_not_in_a_crowd() -> None:
    known, short = trait(0, 0, 0, 2), trait(1, 0, 2.1, 2.2, 110, looks=1)
    assert difference(known, short) < LIMIT
    short.crowded = True
    assert difference(known, short) > LIMIT


def test_the_recogniser_decides_where_it_was_asked() -> None:
    a, b = trait(0, 0, 0, 2), trait(1, 0, 3, 4)
    a.embedding, b.embedding = np.zeros(128), np.full(128, 3 * 0.9 / np.sqrt(128))
    a.recognised, b.recognised = 2.0, 3.0
    assert difference(a, b) > LIMIT
    b.embedding = np.full(128, 3 * 0.3 / np.sqrt(128))
    assert difference(a, b) < LIMIT


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2), st.floats(0, 20), st.floats(0.1, 5)), min_size=1, max_size=8))
def test_every_track_is_somebodys_and_nobody_is_there_twice(pieces: list[tuple[int, float, float]]) -> None:
    traits = {k: trait(k, p, a, a + d) for k, (p, a, d) in enumerate(pieces)}
    people = link(traits)
    assert sorted(t for tracks in people for t in tracks) == list(range(len(pieces)))
    for tracks in people:
        for a, b in pairwise(tracks):
            assert traits[a].last < traits[b].first
    assert [traits[tracks[0]].first for tracks in people] == sorted(traits[tracks[0]].first for tracks in people)


def test_an_empty_clip_has_no_people() -> None:
    assert link({}) == []


def test_a_flash_says_nothing_of_whose_face_it_is() -> None:
    def looked(k: int, light: FaceLight) -> Seen:
        embedding = np.full(128, 0.01 if light.clipped else 1.0)
        marks = Landmarks(np.zeros((478, 3)), np.zeros(52), 1.0, embedding=embedding)
        box, look = (0.0, 0.0, 90.0, 90.0), np.full((24, 24, 3), 120.0)
        return Seen(0, k, k / 25, marks, Similarity(1, 0, 0, 0), box, 1.0, 0.0, 1.0, look, light=light)

    traits, plain = (Traits(None, None, 800.0) for _ in range(2))  # type: ignore[arg-type]
    for k in range(20):
        flash = 8 <= k < 12
        traits.add(looked(k, FaceLight(-0.3, 0.7) if flash else FaceLight(-2.0)))
        if not flash:
            plain.add(looked(k, FaceLight(-2.0)))
    one, other = traits.of_track[0], plain.of_track[0]
    assert one.mean_embedding is not None
    np.testing.assert_allclose(one.mean_embedding, other.mean_embedding)
    assert (one.looks, one.frames) == (other.looks, other.frames + 4)
