"""Whether a portrait is still the person: the recogniser's distance between it and the photo's face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tronie.geometry import transform
from tronie.head.model import Head
from tronie.settings import PortraitSettings
from tronie.stages.fit.warp import on_photo
from tronie.stages.landmarks import recognizer
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.stages.portrait.camera import portrait_camera
from tronie.types import Fit, Landmarks, Photo, Portrait

SIDE = 256
"""Pixels of the aligned crops."""


def measured(
    portrait: Portrait, head: Head, fit: Fit, photo: Photo, landmarks: Landmarks, settings: PortraitSettings
) -> Portrait:
    """`portrait` with its `identity`. 0.2 to 0.6 s; TronieError when the extra is not installed."""
    camera, pose = portrait_camera(head, settings.size, settings.crop)
    shape = head.neutral if settings.expression == "neutral" else head.vertices
    points = head.points478(shape + (on_photo(head, fit) - head.vertices)) if fit.expression else landmarks.points
    here = camera.project(transform(pose, points.astype(np.float64)))
    crops = [
        aligned_crop(image, aligned_square(where), SIDE).image
        for image, where in ((photo.image, landmarks.points), (portrait.image, here))
    ]
    one, other = recognizer.embedding(np.stack(crops))
    return replace(portrait, identity=float(recognizer.distance(one, other)))
