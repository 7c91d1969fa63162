"""Frames that are kept: never those lit by a flash, some from every stretch of time, the one that shows the teeth;
however long the clip, no more than the disk is to hold."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.pipelines.video.keyframes import APART, PER_SIDE, STRETCHES, Keyframe, Keyframes, needed
from tronie.pipelines.video.observation import Seen
from tronie.stages.face_parts import FaceLight, light_of, parted, shows_teeth
from tronie.types import Landmarks

NET: Any = SimpleNamespace(look=lambda image, square: Landmarks(np.zeros((478, 3)), np.zeros(52), 1.0))
SQUARE = Similarity(200.0, 0.0, 28.0, 28.0)
FPS = 25


def mouths(open_by: float, inside: int) -> tuple[Image, Landmarks]:
    """A picture and landmarks of lips that are so far apart, shares of a face of 200 pixels, with such grey between."""
    image = np.full((256, 256, 3), 150, np.uint8)
    points = np.zeros((478, 3))
    points[:, :2] = 128
    points[10, 1], points[152, 1] = 28, 228
    points[[454, 234], 0] = 228, 28
    for row, numbers in ((0, (81, 82, 13, 312, 311)), (1, (178, 87, 14, 317, 402))):
        for k, number in enumerate(numbers):
            points[number, :2] = 108 + 10 * k, 170 + row * 200 * open_by
    image[170 : 170 + max(1, int(200 * open_by)), 100:156] = inside
    return image, Landmarks(points, np.zeros(52), 1.0)


def seen(frame: int, image: Image, marks: Landmarks, track: int = 0, confidence: float = 1.0) -> Seen:
    look = np.zeros((2, 2, 3))
    light = light_of(image, marks.points)
    box = (28.0, 28.0, 228.0, 228.0)
    return Seen(track, frame, frame / FPS, replaced(marks, confidence), SQUARE, box, 1.0, 0.0, 1.0, look, light=light)


def replaced(marks: Landmarks, presence: float) -> Landmarks:
    return Landmarks(marks.points, marks.scores, presence)


def lit(image: Image, stops: float) -> Image:
    return np.clip(image * 2 ** (stops / 2.2), 0, 255).astype(np.uint8)


def test_the_frame_that_shows_the_teeth_is_kept_for_them(tmp_path: Path) -> None:
    shots = Keyframes(tmp_path, NET)
    for k, look in enumerate([(0.0, 90), (0.05, 30), (0.06, 210), (0.07, 20), (0.05, 200)]):
        image, marks = mouths(*look)
        assert parted(marks) == pytest.approx(min(look[0] / 0.08, 1.0))
        shots.offer(image, seen(10 * k, image, marks))
    assert shots.parts([0])["teeth"].frame == 20
    assert shows_teeth(*mouths(0.06, 210)) > 5 * shows_teeth(*mouths(0.06, 30))
    shots.forget(0, 0)
    assert not shots.parts([0])
    assert not shots.best([0], 9)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("start", [0, 20, 55])
@pytest.mark.parametrize("stops", [1.6, -2.5, 4.0])
def test_what_a_flash_lights_is_not_among_the_best(tmp_path: Path, start: int, stops: float) -> None:
    """Wherever it comes, and though those frames were the sharpest."""
    shots = Keyframes(tmp_path, NET)
    grain = np.random.default_rng(0).normal(0, 12, (256, 256, 1))
    image, marks = mouths(0.0, 120)
    for k in range(60):
        flash = start <= k < start + 5
        noisy = np.clip(lit(image, stops if flash else 0.05 * (k % 3)) + grain * (1 if flash else 0.5), 0, 255)
        shots.offer(noisy.astype(np.uint8), seen(k, noisy.astype(np.uint8), marks))
    best = shots.best([0], 99)
    assert best
    assert all(not start <= shot.frame < start + 5 for shot in best)


def keyframe(frame: int, quality: float, side: int = 2, level: float = -2.0) -> Keyframe:
    marks: Any = None
    light = FaceLight(level)
    return Keyframe(0, frame, frame / FPS, Path(f"{frame}.jpg"), marks, (0, 0, 1, 1), quality, 0.1, side, True, light)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0.1, 1), st.integers(0, 4)), min_size=1, max_size=300), st.integers(1, 40))
def test_every_stretch_of_time_has_a_frame_and_their_number_is_bounded(
    looks: list[tuple[float, int]], step: int
) -> None:
    kept: list[Keyframe] = []
    for k, (quality, side) in enumerate(looks):
        kept = needed([*kept, keyframe(k * step, quality, side)], 0.0, -2.0)
        assert len(kept) <= STRETCHES + 5 * PER_SIDE
    last = (len(looks) - 1) * step / FPS
    stretch = 1.0
    while last >= STRETCHES * stretch:
        stretch *= 2
    offered = {int(k * step / FPS / stretch) for k in range(len(looks))}
    assert {int(shot.time / stretch) for shot in kept} >= offered - {max(offered)}
    best = max(looks, key=lambda look: look[0])[0]
    assert max(shot.quality for shot in kept) == best


def test_a_followed_person_can_be_cut_in_two_anywhere_but_at_the_ends(tmp_path: Path) -> None:
    image, marks = mouths(0.0, 120)
    for cut in (26, 70):
        shots = Keyframes(tmp_path, NET)
        for k in range(100):
            shots.offer(image, seen(k, image, marks, confidence=0.65 if abs(k - 48) > 8 else 1.0))
        shots.split(0, 1, cut)
        assert shots.best([0], 1)
        assert shots.best([1], 1)
        assert all(shot.frame >= cut and shot.track == 1 for shot in shots.best([1], 99))


def test_the_disk_holds_no_more_than_it_may_however_many_people_there_are(tmp_path: Path) -> None:
    image, marks = mouths(0.0, 120)
    one = len(np.asarray(image).tobytes()) // 8
    shots = Keyframes(tmp_path, NET, most_bytes=one)
    for track in range(12):
        for k in range(0, 90, 15):
            shots.offer(image, seen(k, image, marks, track=track))
            assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= one
    kept = [shot for track in range(12) for shot in shots.best([track], 99)]
    assert {shot.path for shot in kept} == set(tmp_path.iterdir())
    assert len({shot.track for shot in kept}) > 6  # of many a little, rather than much of a few


def test_neighbours_of_one_side_are_not_both_kept_within_a_second() -> None:
    kept: list[Keyframe] = []
    for k in range(20):
        kept = needed([*kept, keyframe(k, 0.5 + 0.01 * k)], 0.0, -2.0)
    frames = sorted(shot.frame for shot in kept)
    assert frames[-1] == 19
    assert all(b - a >= APART for a, b in pairwise(frames))
