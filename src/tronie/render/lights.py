"""Light for pictures of heads: lamps, and a surrounding given by a panorama.

Diffuse light is that of the lamps, each with a soft terminator, and of the surrounding as spherical harmonics of
order 2 (Ramamoorthi & Hanrahan 2001). What surfaces mirror is looked up between maps of the sphere that are blurred
further and further, by how rough a surface is: there lamp and surrounding are one.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray

from tronie.arrays import Array
from tronie.color import LUMINANCE
from tronie.geometry import HEAD_TO_CAMERA_AXES
from tronie.head.harmonics import COSINE, FIRST_DEGREE, UNIFORM, basis
from tronie.head.harmonics import directions as panorama_directions

Vector = tuple[float, float, float]

MAP_SIDE = 96
"""Of the octahedral maps of what is mirrored, texels."""
FINEST, COARSER = 400.0, 7.0
LOBES = tuple(FINEST / COARSER**k for k in range(4))
"""Sharpness (of a spherical Gaussian) of what surfaces mirror: 0.5 / r^4 of one with roughness r, as GGX has it near
its peak. These are those of 0.19 and less (eyes), 0.31, 0.50 and 0.81."""
GLINT = 5.0
"""Degrees: half width of a lamp that eyes mirror, at most."""
PANORAMA = (96, 48)
"""Panoramas are reduced to so many columns and rows: 3.75 degrees a pixel, finer than any of LOBES."""


@dataclass(frozen=True, slots=True)
class Lamp:
    direction: Vector
    """Towards the lamp, in camera axes (x right, y down, z forward, so z < 0 is on the viewer's side)."""
    color: Vector
    """Linear RGB that it adds to a white surface facing it."""
    wrap: float = 0.25
    """0 is Lambert; above it light reaches round the terminator, as from a wide soft box."""
    width: float = 14.0
    """Degrees: its half width as eyes mirror it."""
    shadow: bool = False
    """Whether it casts a shadow; at most one lamp does, the first of these."""


@dataclass(frozen=True, eq=False)
class Surrounding:
    """A panorama, digested."""

    harmonics: Array
    """(9, 3): `basis(n) @ harmonics` is the linear light on a white surface with normal n, camera axes."""
    mirrored: Array
    """(L, MAP_SIDE, MAP_SIDE, 3) float32: radiance blurred by each of LOBES, in octahedral coordinates; with
    radiance 1 all around it a white surface looks like 1."""


ROOM = np.float32(0.25)
"""Of the light from everywhere, what eyes mirror: rooms are darker than their lamps, and all of it would lie over dark
irises as a grey veil."""


@dataclass(frozen=True, eq=False)
class Lighting:
    lamps: tuple[Lamp, ...] = ()
    ambient: Vector = (0.0, 0.0, 0.0)
    """Linear RGB from everywhere."""
    sky: Vector = (0.0, 0.0, 0.0)
    """Added to it at surfaces that look up, half as much at those that look ahead."""
    surrounding: Surrounding | None = None
    gloss: float = 1.0
    """How much skin mirrors; textures that hold a photo's light hold its gloss as well."""
    soft: float = 1.0
    """How much redder and further light creeps under skin than over stone; 0 for maps and clay."""
    hollows: bool = True
    """Whether hollows are darker (`Figure.openness`, which takes a moment to find)."""
    relit: bool = True
    """Whether it falls on skin without the photo's light (`Figure.albedo`), where that is known."""
    plain: bool = False
    """Colours come out as they are, up to white, without the shoulder that keeps highlights from clipping."""
    maps: Array = field(init=False, repr=False)
    """(L, MAP_SIDE, MAP_SIDE, 3) float32: all that is mirrored."""
    harmonics: Array = field(init=False, repr=False)
    """(9, 3) float32: all that comes from everywhere."""

    def __post_init__(self) -> None:
        maps = np.zeros((len(LOBES), MAP_SIDE, MAP_SIDE, 3), np.float32)
        rest = np.asarray(self.ambient) + 0.5 * np.asarray(self.sky)
        maps += rest.astype(np.float32)
        maps -= 0.5 * np.asarray(self.sky, np.float32) * octahedral_directions()[None, ..., 1:2]
        maps[0] *= ROOM
        for lamp in self.lamps:
            toward = _unit(lamp.direction).astype(np.float32)
            for k, lobe in enumerate(LOBES):
                # Eyes mirror the lamp as a glint: a wide one's is a window's, not a haze over the iris.
                width = min(lamp.width, GLINT) if k == 0 else lamp.width
                s = 1 / (1 / lobe + np.radians(width) ** 2 / 2)
                # A normalised spherical Gaussian, nearly s / (2 pi) at its peak; the lamp's irradiance is pi times its
                # colour.
                bump = np.float32(s / 2 / -np.expm1(-2 * s)) * np.exp(
                    np.float32(s) * (octahedral_directions() @ toward - 1)
                )
                maps[k] += bump[..., None] * np.asarray(lamp.color, np.float32)
        harmonics = np.zeros((9, 3))
        harmonics[0] = rest * UNIFORM
        harmonics[1] = -0.5 * np.asarray(self.sky) / FIRST_DEGREE  # y points down
        if self.surrounding is not None:
            maps += self.surrounding.mirrored
            harmonics += self.surrounding.harmonics
        object.__setattr__(self, "maps", maps)
        object.__setattr__(self, "harmonics", harmonics.astype(np.float32))

    def aimed(self, direction: ArrayLike) -> Lighting:
        """The same with all lamps turned together so that the first comes from `direction` (camera axes)."""
        if not self.lamps:
            return self
        turn = _between(_unit(self.lamps[0].direction), _unit(direction))
        lamps = tuple(replace(lamp, direction=_vector(turn @ _unit(lamp.direction))) for lamp in self.lamps)
        return replace(self, lamps=lamps)


@lru_cache(maxsize=1)
def octahedral_directions() -> NDArray[np.float32]:
    """(MAP_SIDE, MAP_SIDE, 3): the unit vector of each texel of an octahedral map (Engelhardt & Dachsbacher 2008).

    The viewer (-z) is its middle, what lies straight ahead of the camera is at its corners.
    """
    y, x = (np.mgrid[:MAP_SIDE, :MAP_SIDE] + 0.5) / MAP_SIDE * 2 - 1
    z = 1 - np.abs(x) - np.abs(y)
    fold = np.maximum(-z, 0)
    x, y = x - np.sign(x) * fold, y - np.sign(y) * fold
    v = np.stack([x, y, -z], axis=-1)
    return np.asarray(v / np.linalg.norm(v, axis=-1, keepdims=True), dtype=np.float32)


def surrounding(panorama: ArrayLike, *, turn: float = 0.0, exposure: float = 0.0) -> Surrounding:
    """(H, W, 3) linear equirectangular panorama -> the light it sheds.

    It is laid out as `tronie.head.harmonics.directions` says (as Blender and three.js look up a world), around a head
    that looks into the camera: what is three quarters to the right lights the face, the middle its left. `turn` degrees
    more bring what is right of there before the face. It is scaled so that a white surface facing the camera gets light
    0.9, times 2 to the power of `exposure`.
    Raises ValueError for another shape or a panorama without light.
    """
    import cv2

    wide = np.asarray(panorama, dtype=np.float32)
    if wide.ndim != 3 or wide.shape[2] != 3 or min(wide.shape[:2]) < 2:
        raise ValueError(f"a panorama has the shape (H, W, 3), not {wide.shape}")
    wide = np.clip(np.nan_to_num(wide, nan=0.0, posinf=6e4, neginf=0.0), 0, 6e4)
    small = np.asarray(cv2.resize(wide, PANORAMA, interpolation=cv2.INTER_AREA), dtype=np.float64)
    columns, rows = PANORAMA
    around, angle = panorama_directions(rows, columns)
    c, d = np.cos(np.radians(turn)), np.sin(np.radians(turn))
    upright = np.array([[c, 0, d], [0, 1, 0], [-d, 0, c]])
    n = (around.reshape(-1, 3) @ upright.T) @ HEAD_TO_CAMERA_AXES.T
    solid = angle.reshape(-1, 1)
    light = small.reshape(-1, 3) * solid
    harmonics = COSINE[:, None] * (basis(n).T @ light)
    facing = float((basis([0.0, 0.0, -1.0]) @ harmonics) @ LUMINANCE)
    mean = float((light.sum(axis=0) / (4 * np.pi)) @ LUMINANCE)
    if not mean > 0:
        raise ValueError("the panorama is black")
    scale = 0.9 / max(facing, 0.25 * mean) * 2.0**exposure
    mirrored = np.empty((len(LOBES), MAP_SIDE, MAP_SIDE, 3), np.float32)
    v, l32, n32 = octahedral_directions().reshape(-1, 3), light.astype(np.float32), n.T.astype(np.float32)
    for k, s in enumerate(LOBES):
        weight = np.exp(np.float32(s) * (v @ n32 - 1))
        mirrored[k] = ((weight @ l32) / np.maximum(weight @ solid.astype(np.float32), 1e-9)).reshape(MAP_SIDE, -1, 3)
    return Surrounding(harmonics * scale, mirrored * np.float32(scale))


def _grey(value: float, warmth: float = 0.0) -> Vector:
    return value * (1 + warmth), value, value * (1 - 1.3 * warmth)


@lru_cache(maxsize=8)
def preset(name: str) -> Lighting:
    """The lighting of a name in PRESETS."""
    return PRESET_MAKERS[name]()


def _photo() -> Lighting:
    lamps = (Lamp((-0.5, -0.6, -0.8), _grey(0.3), 0.5, 16), Lamp((0.7, -0.2, -0.7), _grey(0.15), 0.5, 12))
    return Lighting(lamps, _grey(0.56), _grey(0.12), gloss=0.15, relit=False)


def _studio() -> Lighting:
    lamps = (
        Lamp((-0.62, -0.55, -0.75), _grey(0.86, 0.03), 0.22, 13, True),
        Lamp((0.85, -0.1, -0.6), _grey(0.2, -0.02), 0.5, 20),
        Lamp((0.55, -0.45, 0.75), _grey(0.45), 0.1, 12),
    )
    return Lighting(lamps, _grey(0.16), _grey(0.1), gloss=0.9)


def _rim() -> Lighting:
    lamps = (
        Lamp((-0.9, -0.35, 0.5), _grey(2.3, -0.08), 0.15, 12, True),
        Lamp((0.9, -0.3, 0.55), _grey(1.9, 0.1), 0.15, 12),
        Lamp((-0.2, -0.5, -0.9), _grey(0.24), 0.4, 20),
    )
    return Lighting(lamps, _grey(0.05), _grey(0.03), gloss=1.0)


def _soft() -> Lighting:
    return Lighting((Lamp((-0.25, -0.55, -0.85), _grey(0.5), 0.6, 30, True),), _grey(0.34), _grey(0.26), gloss=0.7)


def _clay() -> Lighting:
    lamps = (
        Lamp((-0.55, -0.6, -0.75), _grey(0.8), 0.3, 16, True),
        Lamp((0.8, -0.15, -0.45), _grey(0.22), 0.3, 20),
        Lamp((0.3, -0.5, 0.8), _grey(0.25), 0.3, 14),
    )
    return Lighting(lamps, _grey(0.12), _grey(0.14), gloss=0.5, soft=0.0)


def _map() -> Lighting:
    return Lighting((Lamp((-0.3, -0.5, -0.85), _grey(0.5), 0.5),), _grey(0.48), _grey(0.1), gloss=0, soft=0, plain=True)


def _flat() -> Lighting:
    return Lighting(ambient=(1.0, 1.0, 1.0), gloss=0.0, soft=0.0, hollows=False, relit=False, plain=True)


PRESET_MAKERS = {
    "photo": _photo, "studio": _studio, "rim": _rim, "soft": _soft, "clay": _clay, "map": _map, "flat": _flat,
}  # fmt: skip
PRESETS = tuple(PRESET_MAKERS)
"""`photo`: little more than the light the texture holds; `studio`: key, fill and rim; `rim`: from behind; `soft`: a
wide window; `clay` and `map`: for shapes and maps; `flat`: colours as they are."""


def light_name(mode: str, chosen: str = "photo") -> str:
    """The preset that a mode of `tronie.render.renderer` is seen in: the chosen one where there is a texture."""
    return chosen if mode == "textured" else "clay" if mode in ("clay", "wireframe") else "map"


def _unit(v: ArrayLike) -> Array:
    a = np.asarray(v, dtype=np.float64)
    length = float(np.linalg.norm(a))
    if a.shape != (3,) or not np.isfinite(length) or length == 0:
        raise ValueError(f"a direction has three numbers, not all 0: {v!r}")
    return a / length


def _vector(a: Array) -> Vector:
    return float(a[0]), float(a[1]), float(a[2])


def _between(a: Array, b: Array) -> Array:
    """The least rotation that brings unit vector a to b."""
    cosine = float(a @ b)
    if cosine < -0.999999:  # any half turn about an axis across
        across = np.cross(a, [1.0, 0, 0] if abs(a[0]) < 0.9 else [0, 1.0, 0])
        across /= np.linalg.norm(across)
        return np.asarray(2 * np.outer(across, across) - np.eye(3))
    x, y, z = np.cross(a, b)
    k = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + k + k @ k / (1 + cosine))
