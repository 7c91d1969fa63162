"""Shells over a head (hair, coverings, glasses) as a camera sees them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.geometry import Camera
from tronie.head.materials import Look, look_of_shell
from tronie.head.model import Head
from tronie.raster.compositing import srgb_tables
from tronie.raster.cutouts import Cutout
from tronie.render.figure import HAIR, Figure
from tronie.render.lights import Lighting
from tronie.render.shader import COLUMNS, vertex_stage
from tronie.shells import Shell
from tronie.stages.portrait import fades, soft_rim

SHELLED = ("textured", "clay", "wireframe", "normals")
"""Modes that show a head's shells; the others tell of the head itself."""
HAIR_DULL = 0.8
"""How much less hair that is painted on the scalp mirrors than skin: its gloss is in streaks, which the texture has."""

# How translucent it is; its colour as clay.
_BODIES: dict[str, tuple[float, tuple[int, int, int]]] = {
    "neck": (1.0, (205, 196, 188)),
    "bust": (0.5, (190, 186, 184)),
    "hair": (0.4, (150, 139, 130)),
    "lashes": (0.0, (90, 84, 80)),
    "covering": (0.3, (176, 176, 182)),
    "glasses": (0.0, (84, 84, 90)),
}


@dataclass(frozen=True, eq=False)
class DrawnShell:
    """All of a shell that the shader takes."""

    points: Array
    """(V, 3) float32 x, y in samples, depth mm."""
    in_camera: Array
    """(V, 3) float32 mm."""
    vertex: Array
    """(V, COLUMNS) float32."""
    cutout: Cutout
    part: NDArray[np.uint8]
    """(T,) rows of `material`: 0."""
    wire: NDArray[np.uint8]
    material: Array
    """(1, 7) float32, see `material_row`."""

    @classmethod
    def of(
        cls, figure: Figure, k: int, shell: Shell, pose: Array, camera: Camera, samples: int, light: Lighting
    ) -> DrawnShell:
        """Shell `k` of a figure, as it is posed; `pose` (4, 4) is head to camera."""
        count = len(shell.vertices)
        points, in_camera = np.empty((count, 3), np.float32), np.empty((count, 3), np.float32)
        vertex = np.empty((count, COLUMNS), np.float32)
        lens = np.array([*camera.focals, *camera.center], np.float32) * samples
        v, n = (np.ascontiguousarray(a, dtype=np.float32) for a in (shell.vertices, shell.normals))
        whole, none = np.ones(count, np.float32), np.zeros(count, np.float32)
        vertex_stage(v, n, pose[:3], lens, whole, none, light.harmonics, points, in_camera, vertex)
        vertex[:, 3] = figure.shade[1][k] if light.hollows else 1
        vertex[:, 5] = 0
        vertex[:, 6] = 1
        vertex[:, 10] = shell.roughness
        return cls(
            points,
            in_camera,
            vertex,
            figure.cutouts_in(light.relit)[k],
            np.zeros(len(shell.triangles), np.uint8),
            np.full(len(shell.triangles), 7, np.uint8),
            _material(shell.name),
        )


def has_hair(shells: Iterable[Shell]) -> bool:
    """Whether hair has an outline of its own, so that the head's need not be thinned out."""
    return any(shell.name in HAIR for shell in shells)


def rim(vertices: Array, head: Head, pose: Array, shells: Iterable[Shell], **options: float) -> Array:
    """Opacity (V,): as `soft_rim`, but where hair is a shell only the neck fades, and that not where it has an end."""
    worn = tuple(shells)
    neck = fades(head.model, head.level).neck
    opacity = neck if has_hair(worn) else soft_rim(vertices, head, pose, **options)
    if any(shell.below for shell in worn):
        return np.asarray(np.where(neck > 0, opacity / np.maximum(neck, 1e-6), 1), dtype=np.float32)
    return opacity


@cache
def _material(name: str) -> Array:
    return material_row(look_of_shell(name), *_BODIES.get(name, _BODIES["covering"]))


def material_row(look: Look, translucent: float, clay: tuple[int, int, int]) -> Array:
    """(1, 7) float32 as the shader takes a material: roughness, how much of what a smooth surface mirrors it does, and
    what that would of what falls straight in, how translucent it is, its linear colour as clay."""
    straight = ((look.ior - 1) / (look.ior + 1)) ** 2
    color = srgb_tables()[0][4 * np.array(clay)]
    return np.array([(look.roughness, look.specular, straight, translucent, *color)], np.float32)
