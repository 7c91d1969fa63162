"""The segmentation: its crop follows the face, its shares are shares; a photo's turn and end do not upset it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.io.images import read_photo
from tronie.runtime import weights
from tronie.settings import DetectSettings
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.net import LandmarkNet
from tronie.stages.landmarks.squares import square
from tronie.stages.segment import AROUND, LOWER, SIDE, SegmentNet, crop_square, segment, voted
from tronie.types import Landmarks


@pytest.fixture(scope="module")
def net() -> SegmentNet:
    return SegmentNet(1)


@pytest.fixture(scope="module")
def portrait() -> tuple[Image, Array]:
    """The package's own, and its landmarks."""
    image = read_photo(weights.path("selftest")).image
    found = detect_faces(image, DetectSettings(), make_detector("centerface", 1))[0]
    return image, LandmarkNet(1).detect(image, found)[0][1].points


def marked(points: Array) -> Landmarks:
    return Landmarks(points, np.zeros(52), 1.0)


def moved(points: Array, by: Similarity) -> Array:
    return np.column_stack([by.apply(points[:, :2]), points[:, 2:]])


def sums(found: Segmentation) -> Array:
    return np.asarray(found.shares.sum(axis=0, dtype=np.int64))


@given(st.floats(-300, 300), st.floats(-300, 300), st.floats(0.05, 20), st.floats(-3.1, 3.1))
def test_crop_moves_with_the_face(x: float, y: float, scale: float, turn: float) -> None:
    points = np.random.default_rng(0).normal(0, 40, (478, 3))
    by = Similarity(scale * np.cos(turn), scale * np.sin(turn), x, y)
    corners = [[0, 0], [1, 0], [1, 1]]
    before, after = crop_square(points), crop_square(moved(points, by))
    np.testing.assert_allclose(after.apply(corners), by.apply(before.apply(corners)), atol=1e-6 * (1 + 500 * scale))


def test_crop_has_room_around_the_box() -> None:
    points = np.zeros((478, 3))
    points[:, :2] = np.random.default_rng(1).uniform([100, 200], [180, 300], (478, 2))
    points[33, :2], points[263, :2], points[0, :2], points[1, :2] = (110, 240), (170, 240), (100, 200), (180, 300)
    expected = square(np.array([140.0, 250 + 100 * LOWER]), 100 * AROUND, 0.0)
    np.testing.assert_allclose(crop_square(points).matrix, expected.matrix)


def test_shares_are_shares(net: SegmentNet, portrait: tuple[Image, Array]) -> None:
    image, points = portrait
    found = net.segment(image, [marked(points)])[0]
    assert found.shares.shape == (len(SEGMENTS), SIDE, SIDE)
    assert found.shares.dtype == np.uint8
    assert np.abs(sums(found) - 255).max() <= len(SEGMENTS) / 2
    whole = found.share(*SEGMENTS)
    assert abs(float(whole.mean()) - 1) < 0.01


def test_it_sees_face_hair_and_no_more(net: SegmentNet, portrait: tuple[Image, Array]) -> None:
    image, points = portrait
    found = segment(image, marked(points), net)
    back = found.to_photo.inverse()

    def at(place: Array, name: str) -> float:
        x, y = np.floor(back.apply(place[:2])).astype(int)
        return float(found.share(name)[y - 1 : y + 2, x - 1 : x + 2].mean())

    for cheek in (205, 425):
        assert at(points[cheek], "face") > 0.8
    up = points[10, :2] - points[152, :2]
    assert at(points[10, :2] + 0.22 * up, "hair") > 0.6
    assert at(points[152, :2] - 0.9 * up, "face") < 0.2
    for name in ("covering", "glasses", "other"):
        assert found.share(name).mean() < 0.02


@given(st.integers(0, 2**31))
def test_a_vote_leaves_shares(seed: int) -> None:
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(len(SEGMENTS), 0.3), (8, 8)).transpose(2, 0, 1).astype(np.float32)
    said = voted(shares)
    np.testing.assert_allclose(said.sum(axis=0), 1, atol=1e-5)
    covering, hair = SEGMENTS.index("covering"), SEGMENTS.index("hair")
    grown = said[covering] - shares[covering]
    sign = 1 if shares[covering].sum() > shares[hair].sum() else -1
    assert (sign * grown).min() >= -1e-6


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_photo_gives_the_same(net: SegmentNet, portrait: tuple[Image, Array], quarters: int) -> None:
    image, points = portrait
    h, w = image.shape[:2]
    turn = {1: Similarity(0, -1, 0, w), 2: Similarity(-1, 0, w, h), 3: Similarity(0, 1, h, 0)}[quarters]
    turned = np.ascontiguousarray(np.rot90(image, quarters))
    upright = segment(image, marked(points), net)
    again = segment(turned, marked(moved(points, turn)), net)
    apart = np.abs(upright.shares.astype(int) - again.shares)
    assert apart.mean() < 1.0


def test_each_face_of_a_batch_is_as_alone(net: SegmentNet, portrait: tuple[Image, Array]) -> None:
    image, points = portrait
    faces = [marked(moved(points, Similarity(1, 0, float(3 * k), 0))) for k in range(5)]
    together = net.segment(image, faces)
    for face, found in zip(faces, together, strict=True):
        alone = net.segment(image, [face])[0]
        assert np.abs(alone.shares.astype(int) - found.shares).max() <= 1
    assert net.segment(image, []) == []


def test_the_photos_end(net: SegmentNet, portrait: tuple[Image, Array]) -> None:
    """Of half a face the seen half stays a face."""
    image, points = portrait
    cut = int(points[4, 0])
    found = segment(image[:, :cut], marked(points), net)
    whole = segment(image, marked(points), net)
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    seen = found.to_photo.apply(np.stack([x, y], -1))[..., 0] < cut - 12
    face = seen & (whole.share("face") > 0.8)
    assert found.share("face")[face].mean() > 0.7


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (9, 7)])
def test_tiny_and_flat_pictures(net: SegmentNet, size: tuple[int, int]) -> None:
    points = np.random.default_rng(2).uniform(0, max(size), (478, 3))
    found = segment(np.full((*size, 3), 128, np.uint8), marked(points), net)
    assert np.abs(sums(found) - 255).max() <= len(SEGMENTS) / 2


def test_a_grey_photo(net: SegmentNet, portrait: tuple[Image, Array]) -> None:
    image, points = portrait
    grey = np.repeat(np.rint(image.mean(axis=2, keepdims=True)).astype(np.uint8), 3, axis=2)
    colour, found = (segment(i, marked(points), net) for i in (image, grey))
    for name, least in (("hair", 0.6), ("face", 0.85)):
        one, other = colour.share(name) > 0.5, found.share(name) > 0.5
        assert (one & other).sum() > least * (one | other).sum()
