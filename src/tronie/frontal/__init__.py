"""The frontal portrait: the photo turned until its face looks into the camera, or the head alone before grey."""

from __future__ import annotations

from tronie.frontal.frame import backdrop, portrait_camera
from tronie.frontal.plain import fades, mouth_light, soft_rim
from tronie.frontal.stage import frontal

__all__ = ["backdrop", "fades", "frontal", "mouth_light", "portrait_camera", "soft_rim"]
