"""What makes a face hard to reconstruct, said in plain words next to it, with a code that a batch can filter on.

How a face is exposed is measured in its own pixels: a dark room behind it, or dark skin, is no dark picture.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.head.arkit import ARKIT_UNITS
from tronie.stages.fit.scale import IRIS_MM, childlike, iris_tells
from tronie.stages.landmarks.lines import OVAL
from tronie.types import DOUBTS, Caution, Crop, Face, Fit, Landmarks, Photo

CODES: dict[str, str] = {
    "cut_off": "the photo's border cuts the face",
    "small": "few pixels between the eyes",
    "blurred": "little detail at the size of the crop",
    "too_dark": "the face itself is nearly black",
    "burnt_out": "much of the face is clipped to white",
    "mouth_covered": "a mask, a scarf, a hand or something else hides the mouth",
    "eye_covered": "something hides one eye",
    "eyes_covered": "something hides both, dark glasses or a bar",
    "drawing": "probably drawn, painted or carved, not photographed",
    "child": "irises larger, for this head, than an adult's: probably a child",
    "turned": "turned so far to a side that what is hidden is invented",
    "tilted": "turned far up or down",
    "ill_fitting": "the head does not follow the landmarks",
    "enhancement_weakened": "only a share of super-resolution's detail agrees with the photo",
    "enhancement_refused": "none of it does",
    "not_enhanced": "super-resolution failed",
}
"""What a warning can be about, by the code that stands beside its sentence in every file."""

BRIDGE, CHIN, FOREHEAD = 6, 152, 10
EYES = (33, 133, 362, 263)
"""Indices of the 478 points, as OVAL's."""
SIDE = 64
"""Pixels of the crop at which light is measured: noise has gone there, and highlights smaller than a pixel."""
FULL, WHITE = 253, 250
"""8-bit values from which a channel counts as clipped, and all of them as white."""
BLACK, MOSTLY = 20, 0.75
NIGHT, DUSK, LAMP = 45.0, 75.0, 110.0
"""The face is too dark when its lightest parts (95 %) stay below NIGHT, or so much of it (MOSTLY) below BLACK; already
below DUSK where nothing around it is lighter than LAMP either, so that it is not just a dark skin. The lightest parts
of 800 portraits of all skins lie between 114 and 253."""
BURNT_ANY, BURNT_ALL = 0.25, 0.12
"""It is burnt out when one channel is clipped in so much of it (0.09 at most in the 800), or all of them (0.06)."""
EYE_BAND = 0.16
"""Half height of what is left out where eyes are covered, by the face's height."""
SMALL_EYES = 30.0
"""Pixels between the irises below which detail is mostly guessed."""
TURNED = 50.0
"""Degrees of yaw beyond which half of the face is invented."""
AWAY = 60.0
"""... beyond which most of a portrait from the front is."""
TILTED = 35.0
"""Degrees of pitch, likewise."""
BLURRED = 0.02
"""`sharpness` below which a picture looks soft at the size of the crop."""
ILL_FITTING = 0.03
"""Landmark error over face size beyond which the head does not follow the picture."""
BLINKS = ("eyeBlinkLeft", "eyeBlinkRight")
DOUBTFUL = 0.5
"""From where on `Landmarks.doubts` count."""
EYE_AWAY = 35.0
"""Degrees of yaw beyond which the eye on the far side is hidden by the face itself, which is no cover."""


def face_warnings(photo: Photo, face: Face) -> tuple[Caution, ...]:
    """Each reason to trust this face less; () for a good one."""
    return tuple(_said(photo, face))


def _said(photo: Photo, face: Face) -> Iterator[Caution]:
    if face.landmarks is not None:
        yield from _of_place(photo, face.landmarks)
    if face.crop is not None and sharpness(face.crop.image) < BLURRED:
        yield Caution("blurred", "blurred: little detail for the texture")
    if face.landmarks is not None:
        yield from _of_picture(face, face.landmarks)
    if face.enhanced is not None and face.enhanced.note:
        code = "enhancement_weakened" if face.enhanced.accepted else "enhancement_refused"
        yield Caution(code, face.enhanced.note)
    if face.fit is not None:
        yield from _of_fit(face.fit)
        if face.landmarks is not None:
            yield from _of_age(face.fit, face.landmarks)


def _of_place(photo: Photo, landmarks: Landmarks) -> Iterator[Caution]:
    """Where the face is in the photo, and how large."""
    height, width = photo.image.shape[:2]
    points = landmarks.points[:, :2]
    outside = ((points < 0) | (points > [width, height])).any(axis=1).mean()
    if outside > 0.02:
        text = f"cut by the border of the photo: {100 * outside:.0f} % of the landmarks lie outside"
        yield Caution("cut_off", text)
    eyes = float(np.linalg.norm(points[468] - points[473]))
    if eyes < SMALL_EYES:
        yield Caution("small", f"small: {eyes:.0f} pixels between the eyes, detail is mostly guessed")


def _of_picture(face: Face, landmarks: Landmarks) -> Iterator[Caution]:
    """What the light does, what hides the face, and whether it is a photograph."""
    covered = covered_parts(landmarks, 0.0 if face.fit is None else face.fit.diagnostics["yaw"])
    eyes = covered & {"eye_left", "eye_right"}
    light = face.crop and exposure(face.crop, landmarks, mouth="mouth" in covered, eyes=bool(eyes))
    if light and light.too_dark:
        yield Caution("too_dark", f"very dark: the face reaches {light.level:.0f} of 255, colours are mostly noise")
    if light and light.burnt_out:
        share = 100 * max(light.clipped, light.white)
        yield Caution("burnt_out", f"burnt out: {share:.0f} % of the face is clipped, its colours are lost")
    if "mouth" in covered:
        yield Caution("mouth_covered", "the mouth is covered: shape and texture there are guessed")
    if len(eyes) == 2:
        yield Caution("eyes_covered", "the eyes are covered: shape, gaze and texture there are guessed")
    elif eyes:
        side = "left" if "eye_left" in eyes else "right"
        yield Caution("eye_covered", f"the {side} eye is covered: shape, gaze and texture there are guessed")
    if landmarks.doubts is not None and landmarks.doubts[DOUBTS.index("drawing")] > DOUBTFUL:
        yield Caution("drawing", "probably no photograph: a drawing, a painting or a sculpture")


def covered_parts(landmarks: Landmarks, yaw: float) -> set[str]:
    """Which of `mouth`, `eye_left`, `eye_right` (the subject's) something hides."""
    if landmarks.doubts is None:
        return set()
    found = {name for name, doubt in zip(DOUBTS, landmarks.doubts, strict=True) if doubt > DOUBTFUL}
    away = {"eye_left"} if yaw > EYE_AWAY else {"eye_right"} if yaw < -EYE_AWAY else set()
    return found - {"drawing"} - away


def _of_fit(fit: Fit) -> Iterator[Caution]:
    d = fit.diagnostics
    if abs(d["yaw"]) > TURNED:
        much = "most of the portrait" if abs(d["yaw"]) > AWAY else "the far side"
        yield Caution("turned", f"turned by {abs(d['yaw']):.0f} degrees: {much} is invented")
    if abs(d["pitch"]) > TILTED:
        yield Caution("tilted", f"tilted {'up' if d['pitch'] > 0 else 'down'} by {abs(d['pitch']):.0f} degrees")
    if d["rms"] > ILL_FITTING:
        yield Caution("ill_fitting", "the head does not follow the landmarks well")


def _of_age(fit: Fit, landmarks: Landmarks) -> Iterator[Caution]:
    """Irises hardly grow after the first years, heads do: on a head taken for an adult's a child's are large."""
    yaw, iris = fit.diagnostics["yaw"], fit.diagnostics.get("iris_mm", IRIS_MM)
    blink = float(max(landmarks.scores[ARKIT_UNITS.index(unit)] for unit in BLINKS))
    # Of a covered face not even the size is sure that the irises are compared with.
    told = iris_tells(landmarks.points, yaw, blink) and not covered_parts(landmarks, yaw)
    if told and childlike(float(np.log(IRIS_MM / iris))) > 0.5:
        text = f"probably a child: the irises would be {iris:.1f} mm wide on an adult's head"
        yield Caution("child", text)


def sharpness(image: NDArray[np.uint8]) -> float:
    """Energy of the finest detail relative to contrast, 0 (soft) to about 0.2 (crisp); (H, W, 3) -> float.

    Ratio of the Laplacian's spread to that of the grey values in the middle of the picture.
    """
    grey: NDArray[Any] = image[..., 1].astype(np.float32)
    h, w = grey.shape
    grey = grey[h // 5 : h - h // 5, w // 5 : w - w // 5]
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(laplacian.std() / (4 * max(float(grey.std()), 1.0)))


@dataclass(frozen=True, slots=True)
class Exposure:
    level: float
    """0..255: 95th percentile of luma in the face."""
    around: float
    """The same, 99th percentile, with what is around the face."""
    black: float
    """0..1: share of the face that is nearly black."""
    clipped: float
    """0..1: share with a channel at its end."""
    white: float
    """0..1: share with all of them there."""

    @property
    def too_dark(self) -> bool:
        return self.level < NIGHT or (self.level < DUSK and self.around < LAMP) or self.black > MOSTLY

    @property
    def burnt_out(self) -> bool:
        return self.clipped > BURNT_ANY or self.white > BURNT_ALL


def exposure(crop: Crop, landmarks: Landmarks, *, mouth: bool = False, eyes: bool = False) -> Exposure | None:
    """None where too little of the face is left to tell. With `mouth` or `eyes` these are covered: what lies there,
    a white mask or a black bar, is no part of the face."""
    import cv2

    side = crop.image.shape[0]
    small = min(side, SIDE)
    points = crop.to_photo.inverse().apply(landmarks.points[:, :2]) * (small / side)
    image = np.asarray(cv2.resize(crop.image, (small, small), interpolation=cv2.INTER_AREA))
    inside = face_mask(points, small, mouth=mouth, eyes=eyes)
    if inside.sum() < small:
        return None
    luma, pixels = image @ LUMA, image[inside]
    return Exposure(
        float(np.percentile(luma[inside], 95)),
        float(np.percentile(luma, 99)),
        float((luma[inside] < BLACK).mean()),
        float((pixels.max(axis=1) >= FULL).mean()),
        float((pixels.min(axis=1) >= WHITE).mean()),
    )


def face_mask(points: Array, side: int, *, mouth: bool, eyes: bool) -> Image:
    """(side, side) bool: the inside of the face's oval, without what is covered."""
    import cv2

    mask = np.zeros((side, side), np.uint8)
    cv2.fillPoly(mask, [np.round(points[list(OVAL)]).astype(np.int32)], 1)
    down = points[CHIN] - points[FOREHEAD]
    height = float(np.linalg.norm(down)) + 1e-6
    y, x = np.mgrid[:side, :side] + 0.5

    def depth(place: Array) -> Array:
        """How far below a place each pixel lies, in face heights."""
        return np.asarray(((x - place[0]) * down[0] + (y - place[1]) * down[1]) / height**2)

    inside = mask > 0
    if mouth:
        inside &= depth(points[BRIDGE]) < 0
    if eyes:
        inside &= np.abs(depth(points[list(EYES)].mean(axis=0))) > EYE_BAND
    return np.asarray(inside)
