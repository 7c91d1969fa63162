"""The real detectors on real faces, enlarged, shrunk, turned, cut, and on pictures without any."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from places import EXAMPLES, SHARED

from tronie.errors import InputError
from tronie.io.images import read_photo
from tronie.settings import DetectSettings, LandmarkSettings
from tronie.stages.detect import make_detector
from tronie.stages.detect.detector import Detector
from tronie.stages.detect.mtcnn import _cut, _octaves
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.net import LandmarkNet
from tronie.types import Detection

PORTRAITS = SHARED / "faces_cc0"
SOLVAY = SHARED / "photos" / "solvay_conference_1927.jpg"
FACE = (176, 50, 276, 186)
"""Where the astronaut's face is, with a little margin."""


@pytest.fixture(scope="module")
def astronaut() -> np.ndarray:
    return read_photo(EXAMPLES / "astronaut.jpg").image


@pytest.fixture(scope="module", params=["centerface", "mtcnn"])  # dlib is an extra, and slow: see test_dlib.py
def detector(request: pytest.FixtureRequest) -> Detector:
    return make_detector(request.param, 1)


def faces_of(image: np.ndarray, detector: Detector) -> list[Detection]:
    """What the pipeline keeps: MTCNN alone also takes a buckle or a wheel for a face."""
    faces = detect_faces(image, DetectSettings(), detector)
    marked = LandmarkNet(1).detect(image, faces)
    return [f for f, (_, m) in zip(faces, marked, strict=True) if m.presence >= LandmarkSettings().min_presence]


def is_the_face(box: tuple[float, ...], expected: tuple[float, ...]) -> bool:
    cx, cy = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    ratio = (box[3] - box[1]) / (expected[3] - expected[1])
    return expected[0] < cx < expected[2] and expected[1] < cy < expected[3] and 0.6 < ratio < 1.4


def test_the_astronaut(astronaut: np.ndarray, detector: Detector) -> None:
    (face,) = faces_of(astronaut, detector)
    assert is_the_face(face.box, FACE)
    left_eye, right_eye, nose, left_mouth, right_mouth = face.points
    assert left_eye[0] < nose[0] < right_eye[0]
    assert left_mouth[0] < right_mouth[0]
    assert max(left_eye[1], right_eye[1]) < nose[1] < min(left_mouth[1], right_mouth[1])


@pytest.mark.parametrize("scale", [0.22, 0.5, 3.0])
def test_any_scale(astronaut: np.ndarray, detector: Detector, scale: float) -> None:
    image = cv2.resize(astronaut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    (face,) = faces_of(image, detector)
    assert is_the_face(tuple(v / scale for v in face.box), FACE)


@pytest.mark.parametrize("degrees", [-45, 45])
def test_turned(astronaut: np.ndarray, detector: Detector, degrees: float) -> None:
    matrix = cv2.getRotationMatrix2D((226, 118), degrees, 1)
    image = cv2.warpAffine(astronaut, matrix, (512, 512))
    faces = faces_of(image, detector)
    assert len(faces) == 1
    assert is_the_face(faces[0].box, FACE)


def test_filling_and_exceeding_the_frame(astronaut: np.ndarray, detector: Detector) -> None:
    for margin in (0, 15):
        image = astronaut[60 + margin : 180 - margin, 182 + margin // 2 : 270 - margin // 2]
        assert len(faces_of(np.ascontiguousarray(image), detector)) == 1


def test_eight_people(detector: Detector) -> None:
    photo = read_photo(EXAMPLES / "group.jpg")
    assert len(faces_of(photo.image, detector)) == 8


@pytest.mark.parametrize("kind", ["black", "noise", "ramp", "pixel", "line"])
def test_nothing_there(detector: Detector, kind: str) -> None:
    image = {
        "black": np.zeros((300, 400, 3), np.uint8),
        "noise": np.random.default_rng(0).integers(0, 255, (300, 400, 3)).astype(np.uint8),
        "ramp": np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 200, 0).repeat(3, 2),
        "pixel": np.full((1, 1, 3), 128, np.uint8),
        "line": np.full((1, 3000, 3), 128, np.uint8),
    }[kind]
    assert faces_of(image, detector) == []


def test_a_cat_is_no_face(detector: Detector) -> None:
    data = pytest.importorskip("skimage.data")
    cat = data.chelsea()
    assert faces_of(cat, detector) == []


def test_crowd_of_small_faces(detector: Detector) -> None:
    """Portraits shrunk until their faces measure 20 pixels, 36 in one picture."""
    files = sorted(PORTRAITS.glob("*.webp"))[::5][:36]
    if len(files) < 36:
        pytest.skip("needs ../shared/faces_cc0")
    large = make_detector("centerface", 1)
    cells = []
    for file in files:
        image = read_photo(file).image
        small = cv2.resize(image, (256, 256), interpolation=cv2.INTER_AREA)
        face = max(large.detect(small), key=lambda d: d.size)
        side = round(256 * 20 / face.size)
        cell = cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA)
        canvas = np.full((64, 64, 3), 127, np.uint8)
        canvas[: min(side, 64), : min(side, 64)] = cell[:64, :64]
        cells.append(canvas)
    crowd = np.concatenate([np.concatenate(cells[k : k + 6], axis=1) for k in range(0, 36, 6)])
    faces = detect_faces(crowd, DetectSettings(), detector)
    owners = {(int((f.box[0] + f.box[2]) // 128), int((f.box[1] + f.box[3]) // 128)) for f in faces}
    assert len(owners) == 36


def test_solvay_1927() -> None:
    if not SOLVAY.exists():
        pytest.skip("needs ../shared/photos")
    photo = read_photo(SOLVAY)
    assert len(faces_of(photo.image, make_detector("centerface", 1))) == 29


def test_unknown_detector() -> None:
    with pytest.raises(InputError, match="centerface, mtcnn"):
        make_detector("nonsense")


def test_mtcnn_cuts_like_opencv(astronaut: np.ndarray) -> None:
    """The batch of boxes, cut out at once, equals one bilinear warp each where no octave is skipped."""
    boxes = np.array([[100.0, 40, 148, 88], [-10.5, 30.25, 20.5, 61.25], [480, 480, 520, 520]])
    fast = _cut(_octaves(astronaut), boxes, 48)
    for box, got in zip(boxes, fast, strict=True):
        scale = (box[2] - box[0]) / 48
        matrix = np.array([[scale, 0, box[0] + scale / 2 - 0.5], [0, scale, box[1] + scale / 2 - 0.5]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        slow = cv2.warpAffine(
            astronaut.astype(np.float32), matrix, (48, 48), flags=flags, borderMode=cv2.BORDER_REPLICATE
        )
        grid = (np.arange(48) + 0.5) * scale
        inside = ((box[1] + grid)[:, None] > 0) & ((box[1] + grid)[:, None] < 512)
        inside = inside & ((box[0] + grid)[None] > 0) & ((box[0] + grid)[None] < 512)
        difference = np.abs(got.transpose(1, 0, 2) - np.where(inside[..., None], slow, 0))
        assert difference.max() < 6  # OpenCV's bilinear weights have five bits
