"""Beards of some length, as relief of the head itself, so that they move with the jaw."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tronie.arrays import Array
from tronie.geometry import smoothstep, transform
from tronie.head.model import Head, HeadModel
from tronie.head.surface import quad_vertex_normals
from tronie.stages.hair.cutout import Canvas, canvas_of, enlarged
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.mesh_filters import screened_membrane
from tronie.types import Face, Photo

MOST_MM, STEP_MM = 40.0, 1.5
"""How far a beard stands out at most, and in what steps its end is looked for."""
SLANT = 0.35
"""Cosine to the view at which a direction still tells of the outline."""
STUBBLE_MM, LONG_MM = 2.5, 6.0
"""What stands out less is left to the texture, and a beard that does so nowhere by more than the second."""
CHIN_MM = (-78.0, -125.0), 26.0
"""Heights between which the mean head has its chin, and its half width: without hair there it is no beard."""
SIDE_MM = 55.0
"""Hair further out is that of the head."""
CLEAR_MM = 6.0
"""So far outwards from an outline there is nothing of the head, so near to the camera at least."""
FEW = 5
"""Vertices at which a beard is long, at least."""
SWEEPS = 60


def beard_of(photo: Photo, face: Face) -> Array | None:
    """(C,) mm by which the beard of a face stands out over its head's control mesh; None where it has none worth it."""
    head, fit, segmentation = face.head, face.fit, face.segmentation
    if head is None or fit is None or segmentation is None or head.model.is_mask:
        return None
    return relief(head, canvas_of(photo, head, fit, segmentation))


def with_beard(head: Head, thick: Array) -> Head:
    """A head with a beard's relief (C,)."""
    mesh = head.model.level(head.level)
    out = mesh.apply(thick[:, None])
    vertices, neutral = (v + out * quad_vertex_normals(v, mesh.quads) for v in (head.vertices, head.neutral))
    return replace(head, vertices=vertices, neutral=neutral)


def relief(head: Head, canvas: Canvas) -> Array | None:
    """(C,) mm over the control mesh's skin; None where no beard stands out."""
    model, control = head.model, len(head.model.mean)
    facts = surface_facts(model, head.level)
    grows = beard_region(model) * facts.skin[:control]
    share = np.maximum(enlarged(canvas.segmentation, "facial_hair"), enlarged(canvas.segmentation, "hair"))
    points = transform(canvas.fit.head_to_camera, head.vertices[:control].astype(np.float64))
    at_rest = quad_vertex_normals(head.vertices, model.level(head.level).quads)[:control]
    normals: Array = at_rest @ np.asarray(canvas.fit.head_to_camera)[:3, :3].T
    toward = (normals * points).sum(-1) / np.linalg.norm(points, axis=-1)
    here = at(canvas, share, points)
    mean = model.mean
    chin = (mean[:, 1] < CHIN_MM[0][0]) & (mean[:, 1] > CHIN_MM[0][1]) & (np.abs(mean[:, 0]) < CHIN_MM[1])
    chin &= (grows > 0.5) & (toward < -0.3)
    if not chin.any() or np.mean(here[chin] > 0.5) < 0.5:
        return None
    steps = np.arange(0, MOST_MM + 2 * STEP_MM, STEP_MM)
    # At an outline, behind which the neck or the background lies; no fold of the chin.
    off = points + CLEAR_MM * normals
    asked = (np.abs(toward) < 2 * SLANT) & (grows > 0.5)
    asked &= off[:, 2] * at(canvas, canvas.nearness, off) < 1 - CLEAR_MM / off[:, 2]
    spots = points[asked][:, None] + steps[:, None] * normals[asked][:, None]
    inside = at(canvas, share, spots) > 0.5
    inside[:, 0] = True
    last = np.argmin(np.concatenate([inside, np.zeros((len(inside), 1), bool)], axis=1), axis=1) - 1
    value, weight = np.zeros(control), np.zeros(control)
    value[asked] = steps[np.minimum(last, len(steps) - 1)].clip(0, MOST_MM)
    weight[asked] = np.exp(-((toward[asked] / SLANT) ** 2)) * (here[asked] + inside[:, 1:3].any(axis=1)).clip(0, 1)
    bare = (toward < -0.4) & (here < 0.3)
    weight[bare] = 1.0
    if ((value > LONG_MM) & (weight > 0.6)).sum() < FEW:
        return None
    prior = np.zeros((control, 1), np.float32)
    table = (weight[:, None], value[:, None], np.where(grows > 0.5, 0.01, 2.0)[:, None])
    w, v, p = (np.asarray(x, np.float32) for x in table)
    found = screened_membrane(facts.control_start, facts.control_edges, w[:, 0], v, p[:, 0], prior, SWEEPS)[:, 0]
    found = found * smoothstep(grows, 0.2, 0.8) * smoothstep(np.asarray(found), 0.5, STUBBLE_MM)
    return found if float(found.max()) > LONG_MM else None


def at(canvas: Canvas, values: Array, points: Array) -> Array:
    """(...,) values on the canvas where camera points (..., 3) are seen, 0 outside of it."""
    pixels = canvas.from_photo.apply(canvas.fit.camera.project(points))
    j, i = np.moveaxis(np.floor(pixels).astype(int), -1, 0)
    side = len(values)
    ok = (i >= 0) & (j >= 0) & (i < side) & (j < side)
    return np.where(ok, values[i.clip(0, side - 1), j.clip(0, side - 1)], 0.0)


def beard_region(model: HeadModel) -> Array:
    """(C,) 0..1: where beards grow on the mean head: lip, cheeks, chin and under it."""
    x, y, z = model.mean.T
    before = smoothstep(z, -75, -55)
    below = smoothstep(-y, 32, 44) * smoothstep(y, -150, -135)
    within = 1 - smoothstep(np.abs(x), SIDE_MM, SIDE_MM + 10)
    return np.asarray(before * below * within)
