"""Spherical harmonics: light from all around as nine numbers for each colour.

Ramamoorthi & Hanrahan 2001, "An efficient representation for irradiance environment maps": up to the second order they
hold all but a percent of what diffuse light does. `tronie.render.shader` has a compiled twin of `basis`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from tronie.arrays import Array

COSINE = np.array([1, 2 / 3, 2 / 3, 2 / 3, 1 / 4, 1 / 4, 1 / 4, 1 / 4, 1 / 4])
"""What becomes of each coefficient of the radiance when a matt surface collects it, by pi (their equation 8)."""
FIRST_DEGREE = 0.488603
"""Constant of the three functions of degree 1 in `basis`."""
UNIFORM = 2 * np.sqrt(np.pi)
"""The first coefficient of light that is 1 from everywhere."""
ENVIRONMENT = (32, 64)
"""Rows and columns of an environment map."""


@dataclass(frozen=True, slots=True)
class Light:
    """The light around a head, in linear colour (the primaries of sRGB).

    Axes are the head's: +x to the subject's left, +y up, +z out of the face; `turned` gives it in others. It is 1 where
    a matt white surface would come out just white: an albedo times `irradiance` is what the photo shows.
    """

    coefficients: Array
    """(9, 3): spherical harmonics of the radiance for red, green, blue, in the order of `basis`."""
    environment: Array
    """(32, 64, 3) float32 >= 0: the radiance as an equirectangular map, see `directions`. It has these coefficients."""

    def turned(self, rotation: ArrayLike) -> Array:
        """(9, 3) coefficients in axes that `rotation` (3, 3) leads to: with a face's `head_to_camera[:3, :3]` those of
        the camera (x right, y down, z forward)."""
        d = spiral(64).astype(np.float64)
        there = basis(d @ np.asarray(rotation, dtype=np.float64).T)
        return np.asarray(np.linalg.lstsq(there, basis(d) @ self.coefficients, rcond=None)[0])


def basis(directions: ArrayLike) -> Array:
    """Unit vectors (..., 3) -> (..., 9): the real, orthonormal spherical harmonics of degree 0, 1, 2.

    In the order (0,0), (1,-1), (1,0), (1,1), (2,-2), (2,-1), (2,0), (2,1), (2,2), without the sign of Condon and
    Shortley: 1, y, z, x, xy, yz, 3zz - 1, xz, xx - yy times their equation 3's constants.
    """
    x, y, z = np.moveaxis(np.asarray(directions), -1, 0)
    terms = [
        0.282095 + 0 * x,
        FIRST_DEGREE * y,
        FIRST_DEGREE * z,
        FIRST_DEGREE * x,
        1.092548 * x * y,
        1.092548 * y * z,
        0.315392 * (3 * z * z - 1),
        1.092548 * x * z,
        0.546274 * (x * x - y * y),
    ]
    return np.stack(terms, axis=-1)


def plain_basis(normals: Array) -> Array:
    """(N, 9) float32: the spherical harmonics of `basis` without their constants, the first 1, of unit vectors (N, 3).

    In the order in which the statistical model of skin holds its light: 1, x, y, z, xy, yz, xz, xx - yy, 3zz - 1.
    """
    x, y, z = np.asarray(normals, dtype=np.float32).T
    return np.stack([np.ones_like(x), x, y, z, x * y, y * z, x * z, x * x - y * y, 3 * z * z - 1], axis=-1)


def irradiance(normals: ArrayLike, light: Light | ArrayLike) -> Array:
    """How bright a matt white surface is: unit normals (..., 3) -> (..., 3) float32 linear red, green, blue, >= 0.

    `light` is a `Light`, with normals in the head's axes, or (9, 3) coefficients in the axes of the normals. Multiply
    it with the linear albedo. 1 is white; nothing keeps it below. No shadows: every normal sees the whole sky.
    """
    coefficients = light.coefficients if isinstance(light, Light) else np.asarray(light)
    weighed = (COSINE[:, None] * coefficients).astype(np.float32)
    return np.asarray(np.maximum(basis(np.asarray(normals, dtype=np.float32)) @ weighed, 0), dtype=np.float32)


def directions(rows: int = ENVIRONMENT[0], columns: int = ENVIRONMENT[1]) -> tuple[Array, Array]:
    """Of an equirectangular map's pixels: unit vectors (rows, columns, 3) in the head's axes, and solid angles (rows,
    columns) whose sum is 4 pi.

    The top row is +y. The middle column is +x, three quarters to the right is +z: as Blender and three.js look up a
    world, so that head.glb, as it stands when it is read in, is lit as in the photo.
    """
    edges = np.cos(np.pi * np.arange(rows + 1) / rows)
    polar = np.pi * (np.arange(rows) + 0.5) / rows
    turn = 2 * np.pi * ((np.arange(columns) + 0.5) / columns - 0.5)
    y = np.broadcast_to(np.cos(polar)[:, None], (rows, columns))
    ring = np.sin(polar)[:, None]
    vectors = np.stack([ring * np.cos(turn), y, ring * np.sin(turn)], axis=-1)
    return vectors, np.broadcast_to((edges[:-1] - edges[1:])[:, None] * 2 * np.pi / columns, (rows, columns))


def coefficients_of(environment: ArrayLike) -> Array:
    """(9, 3) of a map (rows, columns, 3) as `directions` lays it."""
    e = np.asarray(environment, dtype=np.float64)
    d, angle = directions(*e.shape[:2])
    return np.asarray(np.einsum("ijk,ijc,ij->kc", basis(d), e, angle))


def spiral(count: int) -> Array:
    """(N, 3) unit vectors spread evenly over the sphere: a spiral of golden angles."""
    z = 1 - (2 * np.arange(count) + 1) / count
    turn = np.pi * (3 - np.sqrt(5)) * np.arange(count)
    r = np.sqrt(1 - z * z)
    return np.column_stack([r * np.cos(turn), r * np.sin(turn), z])
