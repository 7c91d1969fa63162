"""What makes a face hard to reconstruct, said in plain words next to it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.types import Caution, Face, Photo

CODES: dict[str, str] = {
    "cut_off": "the photo's border cuts the face",
    "small": "few pixels between the eyes",
    "blurred": "little detail at the size of the crop",
    "turned": "turned so far to a side that what is hidden is invented",
    "tilted": "turned far up or down",
    "ill_fitting": "the head does not follow the landmarks",
    "enhancement_weakened": "only a share of super-resolution's detail agrees with the photo",
    "enhancement_refused": "none of it does",
    "not_enhanced": "super-resolution failed",
}
"""What a warning can be about, by the code that stands beside its sentence in every file."""

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


def face_warnings(photo: Photo, face: Face) -> tuple[Caution, ...]:
    """Each reason to trust this face less; () for a good one."""
    said: list[Caution] = []

    def say(code: str, text: str) -> None:
        said.append(Caution(code, text))

    height, width = photo.image.shape[:2]
    if face.landmarks is not None:
        points = face.landmarks.points[:, :2]
        outside = ((points < 0) | (points > [width, height])).any(axis=1).mean()
        if outside > 0.02:
            say("cut_off", f"cut by the border of the photo: {100 * outside:.0f} % of the landmarks lie outside")
        eyes = float(np.linalg.norm(points[468] - points[473]))
        if eyes < SMALL_EYES:
            say("small", f"small: {eyes:.0f} pixels between the eyes, detail is mostly guessed")
    if face.crop is not None and sharpness(face.crop.image) < BLURRED:
        say("blurred", "blurred: little detail for the texture")
    if face.enhanced is not None and face.enhanced.note:
        say("enhancement_weakened" if face.enhanced.accepted else "enhancement_refused", face.enhanced.note)
    if face.fit is not None:
        d = face.fit.diagnostics
        if abs(d["yaw"]) > TURNED:
            much = "most of the portrait" if abs(d["yaw"]) > AWAY else "the far side"
            say("turned", f"turned by {abs(d['yaw']):.0f} degrees: {much} is invented")
        if abs(d["pitch"]) > TILTED:
            say("tilted", f"tilted {'up' if d['pitch'] > 0 else 'down'} by {abs(d['pitch']):.0f} degrees")
        if d["rms"] > ILL_FITTING:
            say("ill_fitting", "the head does not follow the landmarks well")
    return tuple(said)


def sharpness(image: NDArray[np.uint8]) -> float:
    """Energy of the finest detail relative to contrast, 0 (soft) to about 0.2 (crisp); (H, W, 3) -> float.

    Ratio of the Laplacian's spread to that of the grey values in the middle of the picture.
    """
    grey: NDArray[Any] = image[..., 1].astype(np.float32)
    h, w = grey.shape
    grey = grey[h // 5 : h - h // 5, w // 5 : w - w // 5]
    laplacian = 4 * grey[1:-1, 1:-1] - grey[:-2, 1:-1] - grey[2:, 1:-1] - grey[1:-1, :-2] - grey[1:-1, 2:]
    return float(laplacian.std() / (4 * max(float(grey.std()), 1.0)))
