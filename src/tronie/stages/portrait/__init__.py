"""The frontal portrait: the photo turned until its face looks into the camera, or the head alone before grey."""

from __future__ import annotations

from tronie.stages.portrait.camera import backdrop, portrait_camera
from tronie.stages.portrait.plain import fades, mouth_light, soft_rim
from tronie.stages.portrait.stage import frontal

__all__ = ["backdrop", "fades", "frontal", "mouth_light", "portrait_camera", "soft_rim"]
