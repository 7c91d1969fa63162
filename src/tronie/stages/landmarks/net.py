"""478 landmarks and 52 expression scores of a face, from a square upright crop that the library cuts itself."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.head.arkit import ARKIT_UNITS
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.stages.landmarks import recognizer
from tronie.stages.landmarks.recognizer import chip_of, mirrored_chip_of
from tronie.stages.landmarks.squares import cut, sized, square
from tronie.types import MIRRORED_DOUBTS, Crop, Detection, Landmarks

FEATURES = 576
"""Numbers of `Landmarks.features`."""
NET_SIDE = 256
"""Side of the landmark net's input, pixels."""
BATCH = 8
"""Faces per run of the nets; more brings no speed and costs memory."""
CROP_SIDE = 512
"""Largest side of the crop handed out, pixels; smaller faces get as many pixels as the photo has."""
MARGIN = 1.5
"""Side of the net's crop / longer side of the landmarks' upright box, as the net was trained."""
FIRST_SIDE, FIRST_LOWER = 1.54, 0.06
"""Side of the first crop and how far its centre lies below the box's, in box sizes: the medians of where the crop
settles, on 100 portraits and 29 people of a group (their spread is 4 % and 2 %)."""

ROUNDS, ROUNDS_ASKEW, ASKEW = 2, 3, np.radians(15.0)
"""Passes that put the crop in its place before the one that counts. What is left after 1, 2, 3, 4 of them: 1.4, 0.35,
0.16, 0.08 % of its side (median of 13 people, each held upright, on the side, upside down and askew). Their number is
fixed: a pass more or less, as a bound would decide, moves the head by a third of a millimetre. Boxes of faces that are
tilted by more than ASKEW against the photo's sides fit less well, so these get one more."""

EYE_RIGHT, EYE_LEFT = 33, 263
"""Outer eye corners: the subject's right eye (image left), the subject's left eye."""

BLENDSHAPE_LANDMARKS: tuple[int, ...] = (
    0, 1, 4, 5, 6, 7, 8, 10, 13, 14, 17, 21, 33, 37, 39, 40, 46, 52, 53, 54, 55, 58, 61, 63, 65, 66, 67, 70, 78, 80,
    81, 82, 84, 87, 88, 91, 93, 95, 103, 105, 107, 109, 127, 132, 133, 136, 144, 145, 146, 148, 149, 150, 152, 153,
    154, 155, 157, 158, 159, 160, 161, 162, 163, 168, 172, 173, 176, 178, 181, 185, 191, 195, 197, 234, 246, 249,
    251, 263, 267, 269, 270, 276, 282, 283, 284, 285, 288, 291, 293, 295, 296, 297, 300, 308, 310, 311, 312, 314,
    317, 318, 321, 323, 324, 332, 334, 336, 338, 356, 361, 362, 365, 373, 374, 375, 377, 378, 379, 380, 381, 382,
    384, 385, 386, 387, 388, 389, 390, 397, 398, 400, 402, 405, 409, 415, 454, 466, 468, 469, 470, 471, 472, 473,
    474, 475, 476, 477,
)  # fmt: skip
"""The landmarks that the expression net reads, in its order (MediaPipe's face_blendshapes_graph)."""

NET_UNITS: tuple[str, ...] = (
    "_neutral", "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight", "cheekPuff",
    "cheekSquintLeft", "cheekSquintRight", "eyeBlinkLeft", "eyeBlinkRight", "eyeLookDownLeft", "eyeLookDownRight",
    "eyeLookInLeft", "eyeLookInRight", "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight", "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight", "mouthFunnel",
    "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthPressLeft", "mouthPressRight", "mouthPucker",
    "mouthRight", "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper", "mouthSmileLeft",
    "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "noseSneerLeft", "noseSneerRight",
)  # fmt: skip
"""What the expression net's 52 outputs mean. tongueOut is missing: the landmark net has an output of its own for it."""


def square_from_detection(found: Detection) -> Similarity:
    """First guess of the net's crop: place and size from the box, roll from the five points."""
    points = found.points
    across, down = points[1] - points[0], (points[3] + points[4] - points[0] - points[1]) / 2
    # Both the line of the eyes and the way down to the mouth tell the roll; in profile the first is short.
    direction = across + np.array([down[1], -down[0]])
    roll = float(np.arctan2(direction[1], direction[0]))
    x0, y0, x1, y1 = found.box
    size = max(found.size, 1e-3)
    lower = FIRST_LOWER * size * np.array([-np.sin(roll), np.cos(roll)])
    return square(np.array([(x0 + x1) / 2, (y0 + y1) / 2]) + lower, FIRST_SIDE * size, roll)


def square_from_landmarks(points: Array) -> Similarity:
    """The net's crop from landmarks (478, 2+): level with the eyes, 1.5 times the longer side of their box."""
    p = points[:, :2]
    across = p[EYE_LEFT] - p[EYE_RIGHT]
    roll = float(np.arctan2(across[1], across[0]))
    x = np.array([np.cos(roll), np.sin(roll)])
    axes = np.stack([x, [-x[1], x[0]]])
    level = p @ axes.T
    low, high = level.min(axis=0), level.max(axis=0)
    return square((low + high) / 2 @ axes, MARGIN * max(float((high - low).max()), 1e-3), roll)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """Pixels of a crop's mirror image -> the photo's mirror image about x = 0."""

    to_photo: Similarity
    """Of the crop."""

    @property
    def scale(self) -> float:
        return self.to_photo.scale

    def apply(self, points: Array) -> Array:
        """(n, 2) -> (n, 2)."""
        flip = np.array([-1.0, 1.0])
        return np.asarray(self.to_photo.apply(points * flip + [NET_SIDE, 0]) * flip)


class LandmarkNet:
    """The landmark net and the recogniser, and the nets that read expression, shape and doubts off them. All are loaded
    on first use."""

    def __init__(self, threads: int = 1, device: str = "cpu") -> None:
        """`device` is one of the settings'."""
        names = ("face_landmarks", "blendshapes", "face_shape", "face_doubts")
        nets = (Session(weights.path(name), threads, split=True, device=device) for name in names)
        self._points, self._scores, self._shape, self._doubts = nets
        self._threads = threads
        self.device = device

    def load(self) -> None:
        """Load the nets now."""
        for net in (self._points, self._scores, self._shape, self._doubts):
            net.load()
        recognizer.load(self.device)

    def detect(self, image: Image, detections: Detection | Sequence[Detection]) -> list[tuple[Crop, Landmarks]]:
        """RGB photo and its detections -> one pair for each, in their order."""
        faces = [detections] if isinstance(detections, Detection) else list(detections)
        result: list[tuple[Crop, Landmarks]] = []
        for start in range(0, len(faces), BATCH):
            squares = self._settled(image, [square_from_detection(d) for d in faces[start : start + BATCH]])
            for unit, found in zip(squares, self._run(image, squares, scored=True), strict=True):
                result.append((self._crop(image, unit), found))
        return result

    def _settled(self, image: Image, squares: list[Similarity]) -> list[Similarity]:
        """The crops that the landmarks in them ask for, again and again."""
        squares = list(squares)
        rolls = np.array([np.arctan2(unit.b, unit.a) for unit in squares])
        askew = np.abs(rolls - np.round(rolls / (np.pi / 2)) * (np.pi / 2)) > ASKEW
        for turn in range(ROUNDS_ASKEW):
            rows = [k for k in range(len(squares)) if turn < ROUNDS or askew[k]]
            for k, found in zip(rows, self._run(image, [squares[k] for k in rows]) if rows else (), strict=True):
                squares[k] = square_from_landmarks(found.points)
        return squares

    def refine(self, image: Image, previous: Sequence[Array]) -> list[tuple[Crop, Landmarks]]:
        """Like `detect`, starting from landmarks (478, 2+) of, say, the video's frame before: one pass."""
        squares = [square_from_landmarks(p) for p in previous]
        if not squares:
            return []
        found = self._run(image, squares, scored=True)
        return [(self._crop(image, unit), landmarks) for unit, landmarks in zip(squares, found, strict=True)]

    def look(self, image: Image, square: Similarity) -> Landmarks:
        """One pass over a given square (a unit square's map to the photo)."""
        return self._run(image, [square], scored=True)[0]

    def follow(self, image: Image, squares: Sequence[Similarity]) -> list[Landmarks]:
        """One pass over some squares, without the mirror image's second opinion: half of the time, for video."""
        maps = [sized(unit, NET_SIDE) for unit in squares]
        return self._read(np.stack([cut(image, m, NET_SIDE) for m in maps]), maps, image) if maps else []

    def points(self, image: Image, squares: Sequence[Similarity]) -> list[Landmarks]:
        """One pass of the landmark net alone over some squares: points and presence."""
        return self._run(image, list(squares)) if squares else []

    def places(self, images: Sequence[Image], square: Similarity) -> Array:
        """(n, 478, 2) where one plain pass puts the points in n pictures under the same unit square's map."""
        to_image = sized(square, NET_SIDE)
        crops = np.stack([cut(image, to_image, NET_SIDE) for image in images])
        return np.stack([found.points[:, :2] for found in self._read(crops, [to_image] * len(crops))])

    def _run(self, image: Image, squares: list[Similarity], scored: bool = False) -> list[Landmarks]:
        """What the nets say of each square; without `scored` only the points and the presence of the crop as it is."""
        maps = [sized(unit, NET_SIDE) for unit in squares]
        crops = np.stack([cut(image, m, NET_SIDE) for m in maps])
        if not scored:
            return self._read(crops, maps)
        flipped = [Mirrored(m) for m in maps]
        both = self._read(np.concatenate([crops, crops[:, :, ::-1]]), [*maps, *flipped], image)
        return [_seconded(a, b) for a, b in zip(both[: len(maps)], both[len(maps) :], strict=True)]

    def _read(self, crops: Image, maps: Sequence[Similarity | Mirrored], image: Image | None = None) -> list[Landmarks]:
        """What the nets say of crops (n, 256, 256, 3), in the coordinates that `maps` lead to. Points and presence only
        without the photo `image`, of which the recogniser wants crops of its own."""
        out = self._points.run({"image": crops.transpose(0, 3, 1, 2).astype(np.float32) / 255})
        local = out["points"].reshape(-1, 478, 3).astype(np.float64)
        photo = np.stack(
            [np.concatenate([m.apply(p[:, :2]), p[:, 2:] * m.scale], axis=1) for m, p in zip(maps, local, strict=True)]
        )
        presence = _sigmoid(out["presence"][:, 0].astype(np.float64))
        scores = np.zeros((len(maps), len(ARKIT_UNITS)))
        features: list[Array | None] = [None] * len(maps)
        doubts: list[Array | None] = [None] * len(maps)
        embeddings: list[Array | None] = [None] * len(maps)
        if image is not None:
            activations = {"early": out["early"], "late": out["late"]}
            chips = [
                (mirrored_chip_of if isinstance(m, Mirrored) else chip_of)(image, p)
                for m, p in zip(maps, photo, strict=True)
            ]
            known = recognizer.activations(np.array(chips), self._threads, self.device)
            told = {name: known[name] for name in ("fine", "embedding")}
            features = list(self._shape.run(activations | told)["features"])
            doubts = list(self._doubts.run(activations)["doubts"])
            embeddings = list(known["embedding"].astype(np.float64))
            # From the upright crop, not the photo: the expression net does not know of rolled heads.
            net = self._scores.run({"points": local[:, BLENDSHAPE_LANDMARKS, :2].astype(np.float32)})["scores"]
            for k, name in enumerate(ARKIT_UNITS):
                scores[:, k] = out["tongue"][:, 0] if name == "tongueOut" else net[:, NET_UNITS.index(name)]
        scores = scores.clip(0, 1)
        return [
            Landmarks(photo[k], scores[k], float(presence[k]), features[k], doubts[k], embedding=embeddings[k])
            for k in range(len(maps))
        ]

    @staticmethod
    def _crop(image: Image, unit: Similarity) -> Crop:
        side = int(np.clip(np.ceil(unit.scale), 64, CROP_SIDE))
        to_photo = sized(unit, side)
        return Crop(cut(image, to_photo, side), to_photo)


def _seconded(seen: Landmarks, mirrored: Landmarks) -> Landmarks:
    """With what the net says of the mirror image."""
    doubts = seen.doubts
    if doubts is not None and mirrored.doubts is not None:
        doubts = (doubts + mirrored.doubts[list(MIRRORED_DOUBTS)]) / 2
    return replace(seen, doubts=doubts, mirrored=mirrored)


def _sigmoid(x: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-x)))
