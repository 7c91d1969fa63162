"""Faces are followed through motion, loss and meetings; with a detector and a net that see discs of one colour.
The Hungarian method finds what SciPy's finds, and leaves out what costs too much."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.arrays import Image
from tronie.geometry import Similarity
from tronie.io.video.clip import Frame
from tronie.pipelines.video.assignment import assign
from tronie.pipelines.video.collect import Spool
from tronie.pipelines.video.look_for import face_at
from tronie.pipelines.video.observation import FIVE, VOUCHED, Seen, correlation
from tronie.pipelines.video.track import Tracker
from tronie.settings import DetectSettings
from tronie.stages.landmarks.net import square_from_landmarks
from tronie.types import Detection, Landmarks

SIZE = (160, 120)


def shape() -> np.ndarray:
    """(478, 3) a face of width 1 about the origin."""
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-0.5, 0.5, (478, 2)), np.zeros((478, 1))], axis=1)
    known = {468: (-0.2, -0.1), 473: (0.2, -0.1), 1: (0.0, 0.05), 61: (-0.15, 0.25), 291: (0.15, 0.25)}
    known |= {33: (-0.3, -0.1), 263: (0.3, -0.1), 234: (-0.5, 0.0), 454: (0.5, 0.0), 10: (0, -0.5), 152: (0, 0.5)}
    for index, place in known.items():
        points[index, :2] = place
    return points


SHAPE = shape()


class World:
    """Discs at places; those that are hidden are not drawn."""

    def __init__(self) -> None:
        self.places: dict[int, tuple[float, float, float]] = {}

    def picture(self) -> Image:
        y, x = np.mgrid[: SIZE[1], : SIZE[0]] + 0.5
        picture = np.full((SIZE[1], SIZE[0], 3), 60, np.uint8)
        picture[:, :, 0] += (x / 4).astype(np.uint8)
        for who, (cx, cy, width) in self.places.items():
            inside = np.hypot(x - cx, y - cy) < width / 2
            # Every person has a pattern of their own.
            pattern = np.random.default_rng(who + 3).integers(0, 255, (5, 5), dtype=np.uint8)
            row, column = (np.clip((v / width + 0.5) * 5, 0, 4).astype(int) for v in (y - cy, x - cx))
            picture[inside] = pattern[row, column][inside][:, None]
        return picture

    def nearest(self, x: float, y: float) -> tuple[float, float, float] | None:
        reach = [(np.hypot(x - p[0], y - p[1]) / p[2], p) for p in self.places.values()]
        least = min(reach, default=(np.inf, None), key=lambda r: r[0])
        return least[1] if least[0] < 0.8 else None


class Eye:
    """A detector."""

    finest, sure, coarsest, turns = 15.0, 15.0, 400.0, ()

    def __init__(self, world: World) -> None:
        self.world, self.calls = world, 0

    def detect(self, image: Image) -> list[Detection]:
        self.calls += 1
        scale = image.shape[1] / SIZE[0]
        out = []
        for cx, cy, width in self.world.places.values():
            points = (SHAPE[list(FIVE), :2] * width + [cx, cy]) * scale
            half = width / 2
            box = tuple(scale * v for v in (cx - half, cy - half, cx + half, cy + half))
            out.append(Detection(box, points, 0.95))
        return out


class Net:
    """A landmark net: in a square it sees the disc that is nearest to its middle."""

    def __init__(self, world: World) -> None:
        self.world = world

    def follow(self, image: Image, squares: Sequence[Similarity]) -> list[Landmarks]:
        out = []
        for square in squares:
            x, y = square.apply([0.5, 0.5])
            place = self.world.nearest(float(x), float(y))
            cx, cy, width = place or (float(x), float(y), square.scale / 1.5)
            points = SHAPE * width + [cx, cy, 0]
            out.append(Landmarks(points, np.zeros(52), 0.99 if place else 0.05))
        return out

    points = follow


def run(world: World, moves: Sequence[dict[int, tuple[float, float, float]]], every: int = 12) -> list[list[Seen]]:
    tracker = Tracker(Eye(world), Net(world), every=every)  # type: ignore[arg-type]
    out = []
    for k, places in enumerate(moves):
        world.places = places
        out.append(tracker.step(Frame(k, k / 30, world.picture())))
    return out


def test_a_face_that_moves_is_one_track() -> None:
    seen = run(World(), [{0: (40 + 2.0 * k, 60, 40)} for k in range(30)])
    assert {s.track for frame in seen for s in frame} == {0}
    assert all(len(frame) == 1 for frame in seen)
    assert seen[-1][0].landmarks.points[1, 0] == 40 + 58
    assert min(s.confidence for frame in seen for s in frame) > 0.8


def test_the_detector_looks_seldom() -> None:
    world = World()
    eye = Eye(world)
    tracker = Tracker(eye, Net(world), every=10)  # type: ignore[arg-type]
    world.places = {0: (80, 60, 40)}
    counts = []
    for k in range(31):
        tracker.step(Frame(k, k / 30, world.picture()))
        counts.append(eye.calls)
    per_search = counts[0]
    assert counts[-1] == 4 * per_search


def test_who_leaves_ends_and_who_comes_begins() -> None:
    moves = [{0: (80, 60, 40)} if not 10 <= k < 20 else {} for k in range(40)]
    seen = run(World(), moves)
    assert [len(frame) for frame in seen[:10]] == [1] * 10
    assert all(not frame for frame in seen[10:20])
    assert all(len(frame) == 1 for frame in seen[25:])
    assert seen[-1][0].track != seen[0][0].track


def test_two_that_stand_apart_are_two_and_keep_their_tracks() -> None:
    seen = run(World(), [{0: (40 + k / 2, 60, 36), 1: (120 - k / 2, 60, 36)} for k in range(20)])
    assert all([s.track for s in frame] == [0, 1] for frame in seen)
    assert all(s.clear and s.sure for frame in seen[:5] for s in frame)


def test_a_hidden_face_does_not_become_the_one_before_it() -> None:
    """Person 1 passes behind person 0: its track ends, and it begins another where it comes out."""
    moves = []
    for k in range(60):
        x = 20 + 2.2 * k
        places = {0: (80.0, 60.0, 44.0)}
        if abs(x - 80) > 30:
            places[1] = (x, 60.0, 36.0)
        moves.append(places)
    seen = run(World(), moves)
    for frame, places in zip(seen, moves, strict=True):
        assert len(frame) <= len(places)
    first = {s.track for s in seen[0]}
    assert all(any(s.track in first and abs(s.landmarks.points[1, 0] - 80) < 1 for s in frame) for frame in seen[12:])
    late = {s.track for s in seen[-1]} - first
    assert len(late) == 1
    after = next(k for k, places in enumerate(moves) if k > 30 and 1 in places)
    assert any(not s.clear for s in seen[after + 4])


def test_somebody_else_in_the_same_place_is_another_track() -> None:
    moves = [{0: (80.0, 60.0, 40.0)}] * 10 + [{1: (80.0, 60.0, 40.0)}] * 10
    seen = run(World(), moves)
    assert {s.track for frame in seen[:10] for s in frame}.isdisjoint({s.track for frame in seen[10:] for s in frame})


def test_a_cut_ends_every_track() -> None:
    world = World()
    tracker = Tracker(Eye(world), Net(world))  # type: ignore[arg-type]
    world.places = {0: (80.0, 60.0, 40.0)}
    (before,) = tracker.step(Frame(0, 0.0, world.picture()))
    (after,) = tracker.step(Frame(1, 1 / 30, 255 - world.picture()))
    assert tracker.cut
    assert tracker.ended == [before.track]
    assert after.track != before.track


def test_correlation_knows_no_light() -> None:
    rng = np.random.default_rng(1)
    a = rng.uniform(0, 200, (24, 24, 3))
    assert correlation(a, 0.5 * a + 20) > 0.999
    assert abs(correlation(a, rng.uniform(0, 200, (24, 24, 3)))) < 0.3


def test_the_square_of_the_fake_face_is_around_it() -> None:
    square = square_from_landmarks(SHAPE * 40 + [80, 60, 0])
    assert np.allclose(square.apply([0.5, 0.5]), [80, 60], atol=2)


# Assignment


@settings(max_examples=80, deadline=None)
@given(st.integers(1, 7), st.integers(1, 7), st.integers(0, 10_000))
def test_the_total_is_the_least(rows: int, columns: int, seed: int) -> None:
    cost = np.random.default_rng(seed).normal(size=(rows, columns)) * 5
    optimize = pytest.importorskip("scipy.optimize")
    pairs = assign(cost)
    row, column = optimize.linear_sum_assignment(cost)
    assert len(pairs) == min(rows, columns)
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    assert sum(cost[pair] for pair in pairs) == pytest.approx(cost[row, column].sum())


def test_what_costs_too_much_is_left_alone_and_bends_nothing() -> None:
    cost = np.array([[0.1, 0.5], [0.2, 9.0]])
    assert assign(cost) == [(0, 1), (1, 0)]
    assert assign(cost, 0.45) == [(0, 0)]
    assert assign(np.array([[np.inf, 1.0], [np.inf, 2.0]])) == [(0, 1)]
    assert assign(np.zeros((0, 3))) == []


class Profiles(Net):
    """A net that doubts whoever stands in profile, `wrong` ones so much that its points lie elsewhere."""

    def __init__(self, world: World, profile: set[int], wrong: set[int] | None = None) -> None:
        super().__init__(world)
        self.profile, self.wrong = profile, wrong or set()

    def follow(self, image: Image, squares: Sequence[Similarity]) -> list[Landmarks]:
        return [self._doubted(found) for found in super().follow(image, squares)]

    points = follow

    def _doubted(self, found: Landmarks) -> Landmarks:
        x, y = found.points[1, :2]
        who = next((w for w, p in self.world.places.items() if np.hypot(p[0] - x, p[1] - y) < p[2]), None)
        if who not in self.profile:
            return found
        mirrored = found.points * [-1, 1, 1] + [2 * x, 0, 0] if who in self.wrong else found.points
        return Landmarks(mirrored, found.scores, 0.01)


def in_profile(monkeypatch: pytest.MonkeyPatch, profile: Sequence[int], wrong: Sequence[int] = ()) -> list[list[Seen]]:
    """A face that walks, in profile in some frames and, of those, in some with landmarks that are wrong."""
    monkeypatch.setattr("tronie.stages.finder.misfit", lambda *found: 0.02)
    world = World()
    net, eye = Profiles(world, set()), Eye(world)
    monkeypatch.setattr("tronie.pipelines.video.track.face_at", lambda image, *about: eye.detect(image)[0])
    tracker = Tracker(eye, net)  # type: ignore[arg-type]
    out = []
    for k in range(40):
        world.places = {0: (40.0 + 2 * k, 60.0, 40.0)}
        net.profile, net.wrong = ({0} if k in profile else set()), ({0} if k in wrong else set())
        out.append(tracker.step(Frame(k, k / 30, world.picture())))
    return out


def test_a_face_that_turns_to_profile_stays_followed_and_is_not_sure(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = in_profile(monkeypatch, range(10, 30))
    assert [len(frame) for frame in seen] == [1] * 40
    assert {s.track for frame in seen for s in frame} == {0}
    assert [frame[0].vouched for frame in seen] == [10 <= k < 30 for k in range(40)]
    assert all(frame[0].confidence <= VOUCHED for frame in seen[10:30])


def test_landmarks_that_the_detector_contradicts_are_never_shown_but_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = in_profile(monkeypatch, range(10, 30), range(14, 30))
    assert [len(frame) for frame in seen] == [0 if 14 <= k < 30 else 1 for k in range(40)]
    assert {s.track for frame in seen for s in frame} == {0}


def test_a_face_that_begins_in_profile_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = in_profile(monkeypatch, range(20))
    assert [len(frame) for frame in seen] == [1] * 40
    assert {s.track for frame in seen for s in frame} == {0}


def test_what_neither_the_net_nor_the_fit_believes_is_no_face(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = in_profile(monkeypatch, range(40), range(40))
    assert not any(seen)


class Bright:
    """A detector of the one bright square in a picture."""

    def detect(self, image: Image) -> list[Detection]:
        y, x = np.nonzero(image[..., 1] > 128)
        if not len(x):
            return []
        box = (float(x.min()), float(y.min()), float(x.max()) + 1, float(y.max()) + 1)
        return [Detection(box, np.array([box[:2], box[2:], box[:2], box[2:], box[:2]]), 0.9)]


@given(st.integers(20, 100), st.integers(20, 70), st.floats(-0.4, 0.4), st.floats(0.7, 1.4))
@settings(max_examples=20, deadline=None)
def test_a_face_is_looked_for_where_it_is_expected(left: int, top: int, off: float, size: float) -> None:
    picture = np.zeros((SIZE[1], SIZE[0], 3), np.uint8)
    picture[top : top + 24, left : left + 24] = 255
    middle_of_it = np.array([left + 12, top + 12])
    corners = np.array([[-12.0, -12.0], [12.0, 12.0]]) * size + middle_of_it + 24 * size * off
    found = face_at(picture, corners, DetectSettings(), Bright())  # type: ignore[arg-type]
    assert found is not None
    assert np.allclose(found.box, (left, top, left + 24, top + 24), atol=0.6)
    assert np.allclose(found.points[:2], [found.box[:2], found.box[2:]])
    assert face_at(picture, corners + np.array([90, 0]), DetectSettings(), Bright()) is None  # type: ignore[arg-type]


@pytest.mark.parametrize("gain", [0.25, 0.5, 3.0, 6.0])
def test_an_exposure_that_jumps_is_no_cut_and_breaks_no_track(gain: float) -> None:
    world = World()
    tracker = Tracker(Eye(world), Net(world))  # type: ignore[arg-type]
    world.places = {0: (80.0, 60.0, 40.0)}
    picture = np.clip(world.picture() * 0.5, 0, 255)
    for k in range(20):
        image = np.clip(picture * (gain if k // 5 % 2 else 1.0), 0, 255).astype(np.uint8)
        seen = tracker.step(Frame(k, k / 30, image))
        assert [s.track for s in seen] == [0]
        assert not tracker.cut


def test_tracks_that_are_in_profile_throughout_are_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, profile, doubted in (("never", (), set()), ("turns", range(20), set()), ("always", range(40), {0})):
        spool = Spool(tmp_path / name)
        for frame in in_profile(monkeypatch, profile):
            for face in frame:
                spool.add(face)
        spool.close()
        assert spool.doubted == doubted
