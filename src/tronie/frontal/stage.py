"""The stage: portraits with the photo's expression and at rest, in the same frame, and their provenance."""

from __future__ import annotations

import numpy as np

from tronie.fit.warp import on_photo
from tronie.frontal.frame import on_canvas, portrait_camera
from tronie.frontal.plain import plain
from tronie.frontal.source import cut_out, detail_square
from tronie.frontal.turn import Scene, Wishes, turn
from tronie.settings import FrontalSettings
from tronie.texture.seen import look
from tronie.texture.surface import surface
from tronie.types import Enhanced, Fit, Frontal, Head, Photo, Texture

BLINK = 0.45
"""Weight of eyeBlink from which on an eye at rest is the head's."""
PARTED_MM = 1.5
"""Between the lips, from where on a mouth at rest is the head's."""


def frontal(
    head: Head,
    texture: Texture,
    settings: FrontalSettings | None = None,
    photo: Photo | None = None,
    fit: Fit | None = None,
    enhanced: Enhanced | None = None,
) -> Frontal:
    """Portraits of one face. Without photo and fit: of the head alone, before grey. `enhanced` is what super-resolution
    made of the face."""
    settings = settings or FrontalSettings()
    if photo is None or fit is None:
        return plain(head, texture, settings)
    camera, pose = portrait_camera(head, settings.size, settings.crop)
    to_photo = on_canvas(camera, pose, fit.camera, fit.head_to_camera)
    view = look(photo, head, fit, surface(head.model, head.level))
    source = cut_out(photo.image, to_photo, camera.size)
    fine = None
    if enhanced is not None and enhanced.accepted:
        source, fine = source.with_detail(enhanced), detail_square(enhanced)
    scene = Scene(head, texture, view, source, to_photo, camera, pose, fine)
    slack = on_photo(head, fit) - head.vertices
    level = settings.gaze == "level"
    made = []
    if settings.expression != "neutral":
        made.append(turn(scene, np.asarray(head.vertices + slack), Wishes(level_gaze=level)))
    if settings.expression != "keep":
        made.append(turn(scene, np.asarray(head.neutral + slack), at_rest(head, fit, level)))
    (image, mask), (neutral, neutral_mask) = made[0], made[1] if len(made) > 1 else (None, None)
    return Frontal(image, neutral, mask, neutral_mask)


def at_rest(head: Head, fit: Fit, level_gaze: bool) -> Wishes:
    """What the photo's expression hides of the face at rest: eyes behind closed lids, lips stretched round teeth."""
    says = fit.expression
    if not says:  # expressions without names, of a face without eyes and teeth
        return Wishes(level_gaze=level_gaze)
    blinks = tuple(
        max(says.get(f"eyeBlink{side}", 0.0), says.get(f"eyeSquint{side}", 0.0) - 0.3) > BLINK
        for side in ("Left", "Right")
    )
    lips = head.points478(head.vertices)[[13, 14], 1]
    return Wishes(mouth=bool(lips[0] - lips[1] > PARTED_MM), eyes=(blinks[0], blinks[1]), level_gaze=level_gaze)
