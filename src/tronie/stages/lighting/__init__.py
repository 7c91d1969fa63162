"""Light and detail of one face: what light a photo was taken in, skin without it (albedo), fine relief (normal map)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

import numpy as np

from tronie.geometry import transform
from tronie.settings import LightSettings
from tronie.stages.lighting.albedo import delight
from tronie.stages.lighting.normal_map import relief
from tronie.stages.lighting.shading_estimate import estimate_shading
from tronie.types import Face

__all__ = ["light_and_detail"]


def light_and_detail(face: Face, settings: LightSettings, wanted: Collection[str]) -> Face:
    """The face, which has a head, a fit and a texture, with `albedo` and `detail` as far as they are `wanted`."""
    texture, head, fit = face.texture, face.head, face.fit
    assert texture is not None
    assert head is not None
    assert fit is not None
    found = estimate_shading(texture, head, fit)
    if "albedo" in wanted or settings.base_color == "albedo":
        face = replace(face, albedo=delight(texture, head, found, settings.base_color == "albedo"))
    if "detail" in wanted:
        depth = float(np.median(transform(fit.head_to_camera, head.points68(head.vertices))[:, 2]))
        face = replace(face, detail=relief(texture, head, fit, found, depth / fit.camera.focal))
    return face
