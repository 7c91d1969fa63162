"""Scales, tiles, borders and order, with a detector that is told where the faces are."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.arrays import Image
from tronie.settings import DetectSettings
from tronie.stages.detect.search import OVERLAP, TILE, _spans, detect_faces
from tronie.types import Detection

POINTS = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])


@dataclass
class Painted:
    """Finds bright squares that it sees whole and that measure what it can find."""

    finest: float = 15.0
    sure: float = 20.0
    coarsest: float = 400.0
    turns: tuple[float, ...] = ()
    seen: list[tuple[int, ...]] = field(default_factory=list)

    def detect(self, image: Image) -> list[Detection]:
        self.seen.append(image.shape)
        found = []
        stats = cv2.connectedComponentsWithStats((image[..., 0] > 100).astype(np.uint8))[2]
        for x, y, w, h, _ in stats[1:].tolist():
            whole = abs(w - h) <= 2 and x > 0 and y > 0 and x + w < image.shape[1] and y + h < image.shape[0]
            if whole and self.finest - 2 <= w <= self.coarsest:
                points = np.array([x, y]) + POINTS * w
                found.append(Detection((float(x), float(y), float(x + w), float(y + h)), points, 0.9))
        return found


def painted(height: int, width: int, *squares: tuple[int, int, int]) -> Image:
    """Black with bright squares (x, y, side)."""
    image = np.zeros((height, width, 3), np.uint8)
    for x, y, side in squares:
        image[y : y + side, x : x + side, 0] = 200
    return image


@given(st.integers(1, 6000))
def test_tiles_cover_a_side_and_own_every_centre_once(length: int) -> None:
    spans = list(_spans(length))
    assert spans[0][0] == 0
    assert spans[-1][1] == length
    for start, end, low, high in spans:
        assert end - start <= TILE
        # A face of OVERLAP pixels whose centre is the tile's own lies inside the tile, or at the picture's border.
        assert start == 0 or low - OVERLAP / 2 >= start - 1
        assert end == length or high + OVERLAP / 2 <= end + 1
    assert all(a[3] == b[2] for a, b in pairwise(spans))


@pytest.mark.parametrize("size", [(768, 768), (1500, 2100), (2600, 4100)])
def test_faces_of_all_sizes_come_back_in_place_largest_first(size: tuple[int, int]) -> None:
    height, width = size
    squares = [(40, 60, 24), (200, 30, 90), (width - 330, height - 340, 300), (300, 200, 40), (60, height - 200, 150)]
    faces = detect_faces(painted(height, width, *squares), DetectSettings(), Painted())
    assert len(faces) == len(squares)
    assert [f.size for f in faces] == sorted((f.size for f in faces), reverse=True)
    for face, (x, y, side) in zip(faces, sorted(squares, key=lambda s: -s[2]), strict=True):
        # A coarse level knows a large face's border to one of its own pixels.
        assert np.allclose(face.box, (x, y, x + side, y + side), atol=max(3, 0.05 * side))
        assert np.allclose(face.points, np.array([x, y]) + POINTS * side, atol=max(3, 0.05 * side))


@pytest.mark.parametrize("size", [(560, 770), (1500, 2100)])
def test_a_detector_of_large_faces_misses_none_between_the_levels(size: tuple[int, int]) -> None:
    height, width = size
    sides = (50, 64, 78, 100, 125, 160, 190)
    for side in sides:
        detector = Painted(finest=90.0, sure=90.0)
        x, y = (width - side) // 2 + 3, (height - side) // 2 - 5
        (face,) = detect_faces(painted(height, width, (x, y, side)), DetectSettings(), detector)
        assert face.size == pytest.approx(side, rel=0.05)
        assert all(max(shape) <= TILE for shape in detector.seen)


def test_no_picture_shown_is_larger_than_a_tile() -> None:
    detector = Painted()
    detect_faces(painted(3000, 4000), DetectSettings(), detector)
    assert all(max(shape) <= TILE for shape in detector.seen)


def test_a_portrait_is_shown_once() -> None:
    detector = Painted()
    assert len(detect_faces(painted(768, 768, (250, 200, 280)), DetectSettings(), detector)) == 1
    assert detector.seen == [(576, 576, 3)]


def test_equal_faces_are_ordered_from_the_top_then_the_left() -> None:
    squares = [(300, 300, 60), (60, 300, 60), (300, 60, 60), (60, 60, 60)]
    faces = detect_faces(painted(400, 400, *squares), DetectSettings(), Painted())
    corners = [(round(f.box[1] / 10), round(f.box[0] / 10)) for f in faces]
    assert corners == sorted(corners)


def test_settings_limit_number_size_and_score() -> None:
    image = painted(600, 600, (30, 30, 30), (200, 30, 60), (30, 300, 120))
    assert len(detect_faces(image, DetectSettings(max_faces=2), Painted())) == 2
    assert [round(f.size, -1) for f in detect_faces(image, DetectSettings(min_face=50), Painted())] == [120, 60]
    assert detect_faces(image, DetectSettings(min_score=0.95), Painted()) == ()


@pytest.mark.parametrize("size", [(1, 1), (2, 900), (900, 2), (3, 3)])
def test_odd_pictures_have_no_faces(size: tuple[int, int]) -> None:
    assert detect_faces(np.zeros((*size, 3), np.uint8), DetectSettings(), Painted()) == ()


def test_turned_passes_map_back() -> None:
    """A detector that finds only in turned pictures says where the marked spot is."""

    class Turned(Painted):
        def detect(self, image: Image) -> list[Detection]:
            if image.shape[:2] == (300, 400) or image[..., 1].max() < 200:
                return []
            rows, columns = np.nonzero(image[..., 1] > 128)
            x, y = columns.mean() + 0.5, rows.mean() + 0.5
            if max(image.shape) < 480:
                return []
            return [Detection((x - 40, y - 40, x + 40, y + 40), np.full((5, 2), (x, y)), 0.9)]

    image = np.zeros((300, 400, 3), np.uint8)
    image[100:106, 300:306, 1] = 255
    for degrees in (30.0, -75.0, 180.0):
        detector = Turned(finest=20.0, turns=(degrees,))
        (face,) = detect_faces(image, DetectSettings(), detector)
        assert np.allclose(face.points[0], (303, 103), atol=1)
        assert np.allclose([(face.box[0] + face.box[2]) / 2, (face.box[1] + face.box[3]) / 2], (303, 103), atol=1)
