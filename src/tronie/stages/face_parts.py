"""What one picture of a face shows of it: its skin and the light on it, teeth, shut lids, open eyes.

Several pictures of a person are compared by it: each shows something best, and a light that is unlike the usual one
makes a picture no good for any of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from tronie.arrays import Array, Image
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.geometry import smoothstep
from tronie.head.arkit import ARKIT_UNITS
from tronie.raster.compositing import sampled
from tronie.stages.texture.iris import LID_LEFT, LID_RIGHT
from tronie.types import DOUBTS, Landmarks, Photo

SKIN = (
    50, 101, 36, 205, 187, 117, 118, 280, 330, 266, 425, 411, 346, 347,
    9, 151, 108, 337, 69, 299, 67, 297, 104, 333, 197, 6,
)  # fmt: skip
"""Landmarks on cheeks, forehead and the bridge of the nose, where next to nobody has hair."""
FULL = 250
"""8-bit value from which a channel counts as clipped."""
FREE, STOPS = 0.3, 0.4
"""Stops by which a face may be lighter or darker than usual, and within which it is half as good beyond that."""
LEAST_LIKE = 0.25
"""A picture that stands less than that for the usual light is lit by a flash, or nearly black beside the others."""
_LINEAR = srgb_to_linear(np.arange(256))
LARGEST_GAIN = 1.6
"""Natural logarithm of the factor by which the light of two pictures of a person may differ."""
LIPS, BROW_TO_CHIN, WIDE_OPEN = (13, 14), (10, 152), 0.08
"""The lips' inner edges and the ends of the face among the landmarks, and the share of its height that they are apart
in a laugh: the net's jawOpen says little of one that shows the teeth."""
INNER_LIPS = ((81, 82, 13, 312, 311), (178, 87, 14, 317, 402))
"""Landmarks along the upper and the lower lip's inner edge."""
SHUT, NARROW, OPEN = (0.06, 0.18), (0.08, 0.16), (0.16, 0.26)
"""Height of an eye's opening, of its width: shut and not shut; too narrow for an eye at rest and not; not open and wide
open, so that most of the iris shows."""
GAZE = [k for k, name in enumerate(ARKIT_UNITS) if name.startswith("eyeLook")]
QUIET = [ARKIT_UNITS.index(n) for n in ("eyeBlinkLeft", "eyeBlinkRight", "jawOpen", "mouthFunnel", "mouthPucker")]
"""Units that a good picture has little of: open eyes, a mouth at rest."""
GRIMACES = (
    "mouthSmile", "mouthFrown", "mouthShrug", "mouthLeft", "mouthRight", "mouthPress", "mouthRoll", "browDown",
    "noseSneer",
)  # fmt: skip
MILD = [k for k, name in enumerate(ARKIT_UNITS) if name.startswith(GRIMACES)]
LESS, ASIDE = 0.6, 0.5
"""A smile or a frown is worse for a texture than none, but better than an open mouth, and so are eyes that look aside:
so much of them counts."""
BLINKS = [ARKIT_UNITS.index(f"eyeBlink{side}") for side in ("Left", "Right")]
SQUEEZED = ("browDownLeft", "browDownRight", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight")
"""Units that wrinkle the lids of shut eyes."""


@dataclass(frozen=True, slots=True)
class FaceLight:
    """How a face is lit, or rather exposed."""

    level: float = -2.0
    """Binary logarithm of its skin's linear luminance: stops, 0 for white."""
    clipped: float = 0.0
    """0..1: share of it with a channel at its end."""

    def like(self, usual: float | None) -> float:
        """0..1: how well such a picture stands for a face whose level is usually that one."""
        off = 0.0 if usual is None else max(abs(self.level - usual) - FREE, 0.0)
        return (1 - self.clipped) ** 2 / (1 + (off / STOPS) ** 2)


class UsualLight:
    """The usual light of a face that is seen over and over: its levels counted, in constant memory."""

    STEP, DARKEST = 0.125, -12.0

    def __init__(self, counts: Array | None = None) -> None:
        self._counts = np.zeros(round(-self.DARKEST / self.STEP) + 1) if counts is None else counts

    def add(self, light: FaceLight) -> None:
        at = round((light.level - self.DARKEST) / self.STEP)
        self._counts[min(max(at, 0), len(self._counts) - 1)] += 1

    @property
    def level(self) -> float | None:
        """The median; None before the first."""
        total = self._counts.cumsum()
        if not total[-1]:
            return None
        return self.DARKEST + self.STEP * int(np.searchsorted(total, total[-1] / 2))

    @classmethod
    def of(cls, parts: Iterable[UsualLight]) -> UsualLight:
        """Of several together."""
        counts = [part._counts for part in parts]
        return cls(np.sum(counts, axis=0) if counts else None)


def skin_of(image: Image, points: Array) -> Array:
    """(n, 3) linear: a face's skin at the landmarks SKIN of points (478, 2+) in an RGB picture."""
    at = np.nan_to_num(points[list(SKIN), :2])
    reach = 0.006 * float(np.linalg.norm(points[BROW_TO_CHIN[0], :2] - points[BROW_TO_CHIN[1], :2]))
    around = np.array([[0, 0], [-1, 0], [1, 0], [0, -1], [0, 1]]) * max(reach, 0.5)
    values = sampled(image, (at[:, None] + around).reshape(-1, 2)).reshape(len(at), len(around), 3)
    return np.asarray(_LINEAR[values].mean(axis=1))


def light_of(image: Image, points: Array) -> FaceLight:
    """How a face with such landmarks is exposed in an RGB picture."""
    skin = skin_of(image, points)
    level = float(np.log2(max(float(np.median(skin @ LUMINANCE)), 2**-12)))
    return FaceLight(level, float((skin.max(axis=1) >= _LINEAR[FULL]).mean()))


def in_light_of(photo: Photo, landmarks: Landmarks, skin: Array) -> Photo:
    """A photo with the exposure and the white balance of another one of the person, whose skin is (n, 3) as of
    `skin_of`: every channel times the median of what theirs are at the same places."""
    off = np.log(skin + 1e-3) - np.log(skin_of(photo.image, landmarks.points) + 1e-3)
    gain = np.exp(np.clip(np.median(off, axis=0), -LARGEST_GAIN, LARGEST_GAIN))
    levels = _LINEAR[:, None] * gain
    table = np.clip(np.rint(linear_to_srgb(levels)), 0, 255).astype(np.uint8)
    return replace(photo, image=np.stack([table[photo.image[..., k], k] for k in range(3)], axis=-1))


def parted(landmarks: Landmarks) -> float:
    """0..1: how far the lips are apart, 1 as in a laugh."""
    points = landmarks.points[:, :2]
    apart, high = (float(np.linalg.norm(points[a] - points[b])) for a, b in (LIPS, BROW_TO_CHIN))
    return min(apart / max(WIDE_OPEN * high, 1e-6), 1.0)


def shows_teeth(image: Image, landmarks: Landmarks) -> float:
    """0..1: how well teeth are seen. They are light beside the skin; an open throat is not, a covered mouth neither."""
    share = parted(landmarks) * uncovered(landmarks, "mouth")
    if share < 0.3:
        return 0.0
    skin = np.median(linear_to_srgb(skin_of(image, landmarks.points)).mean(axis=1))
    upper, lower = (landmarks.points[list(line), :2] for line in INNER_LIPS)
    steps = np.linspace(0.15, 0.85, 7)[:, None, None]
    between = sampled(image, ((1 - steps) * upper + steps * lower).reshape(-1, 2)).mean(axis=-1)
    return share * float(np.clip(np.quantile(between, 0.75) / max(float(skin), 1.0), 0, 1)) ** 2


def openings(landmarks: Landmarks) -> Array:
    """(2,) heights of the left and the right eye's opening, of its width."""
    out = []
    for marks in (LID_LEFT, LID_RIGHT):
        x, y = landmarks.points[list(marks), :2].T
        area = 0.5 * abs(float((x * np.roll(y, -1) - y * np.roll(x, -1)).sum()))
        out.append(area / max(float((x[8] - x[0]) ** 2 + (y[8] - y[0]) ** 2), 1e-9))
    return np.array(out)


def shows_lids(landmarks: Landmarks) -> float:
    """0..1: how well both upper lids are seen, because the eyes are shut, and not squeezed."""
    shut = 1 - smoothstep(openings(landmarks).max(), *SHUT)
    squeezed = max(float(landmarks.scores[ARKIT_UNITS.index(unit)]) for unit in SQUEEZED)
    # The landmarks' lids meet before those of the eye do; the scores go on.
    shut = shut * (0.3 + 0.7 * float(landmarks.scores[BLINKS].min()))
    return float(shut) * (1 - 0.7 * squeezed) * uncovered(landmarks, "eye_left", "eye_right")


def aside(landmarks: Landmarks) -> float:
    """0..ASIDE: how far the eyes look aside."""
    return ASIDE * float(landmarks.scores[GAZE].max())


def unrest(landmarks: Landmarks) -> float:
    """0..1: how far the eyes are from open and straight ahead, and the face from its rest."""
    loud, mild = float(landmarks.scores[QUIET].max()), LESS * float(landmarks.scores[MILD].max())
    narrow = 1 - float(smoothstep(openings(landmarks).min(), *NARROW))
    return max(loud, mild, parted(landmarks), aside(landmarks), narrow)


def shows_eyes(landmarks: Landmarks) -> float:
    """0..1: how far both eyes are open, and not covered."""
    return float(smoothstep(openings(landmarks).min(), *OPEN)) * uncovered(landmarks, "eye_left", "eye_right")


def uncovered(landmarks: Landmarks, *names: str) -> float:
    """0..1: how sure it is that nothing covers these of DOUBTS."""
    if landmarks.doubts is None:
        return 1.0
    return 1 - max(float(np.clip(landmarks.doubts[DOUBTS.index(name)], 0, 1)) for name in names)
