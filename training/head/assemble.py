"""Join skin, parts, UV and statistics to one HeadModel (without embeddings)."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import scipy.sparse as sp

from training.head.anatomy import Parts
from training.head.eyelids import LidSystem, lid_correctives, lid_system, seat, settle
from training.head.identity import macro_displacement, principal_components, read_macros, read_sliders, sample_people
from training.head.lips import close_lips
from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, HeadModel, sphere_center
from tronie.head.subdivide import triangulate

FLIP = np.array([-1.0, 1.0, 1.0])
NEAREST = 120
"""Skin vertices whose average a part follows in the smooth modes."""
LICENCE = "CC0-1.0 (shapes: MakeHuman/MPFB and ARKit face units by Mika Suominen)"


@dataclass(frozen=True)
class Atlas:
    """The texture's layout for all faces, skin first."""

    uv: np.ndarray
    """(U, 2) in 0..1, v down."""
    quad_uv: np.ndarray
    """(F, 4), -1 for triangles."""
    colour: np.ndarray
    """(U, 3) uint8, 0 on the skin."""


def kabsch(source: np.ndarray, target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotation (3, 3) and shift (3,) with source @ R.T + t close to target."""
    ms, mt = source.mean(axis=0), target.mean(axis=0)
    u, _, vt = np.linalg.svd((target - mt).T @ (source - ms))
    d = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    r = u @ d @ vt
    return r, mt - r @ ms


def laplacian(triangles: np.ndarray, vertices: np.ndarray) -> tuple[sp.csc_array, np.ndarray]:
    """Cotangent Laplacian (n, n), positive semi-definite, and lumped vertex areas (n,) (Pinkall & Polthier 1993)."""
    n = len(vertices)
    rows, cols, vals = [], [], []
    area = np.zeros(n)
    p = vertices[triangles]
    double = np.linalg.norm(np.cross(p[:, 1] - p[:, 0], p[:, 2] - p[:, 0]), axis=1)
    for i in range(3):
        a, b, c = triangles[:, i], triangles[:, (i + 1) % 3], triangles[:, (i + 2) % 3]
        u, v = vertices[b] - vertices[a], vertices[c] - vertices[a]
        cot = np.clip((u * v).sum(axis=1) / np.maximum(double, 1e-9), 0.02, 20) / 2  # bounded: slivers stay tame
        rows += [b, c, b, c]
        cols += [c, b, b, c]
        vals += [-cot, -cot, cot, cot]
        np.add.at(area, a, double / 6)
    flat = (np.concatenate(vals), (np.concatenate(rows), np.concatenate(cols)))
    return sp.csc_array(sp.coo_array(flat, shape=(n, n))), area


def smooth_modes(skin_vertices: np.ndarray, skin_quads: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Lowest eigenvectors of the skin's Laplacian: (count, n) of unit RMS, eigenvalues (count,) in 1/mm^2."""
    triangles, _ = triangulate(skin_quads)
    stiff, area = laplacian(triangles, skin_vertices)
    mass = sp.diags_array(area).tocsc()
    values, vectors = sp.linalg.eigsh(stiff, k=count, M=mass, sigma=-1e-6, v0=np.ones(len(area)))
    modes = vectors.T / np.sqrt((vectors.T**2 @ area) / area.sum())[:, None]
    modes *= np.sign(modes[np.arange(count), np.abs(modes).argmax(axis=1)])[:, None]
    return modes, np.maximum(values, 0.0)


def flatten_rim(vertices: np.ndarray, rim: np.ndarray) -> np.ndarray:
    """The neck's open ring moved into its own plane."""
    out = vertices.copy()
    ring = vertices[rim]
    centre = ring.mean(axis=0)
    normal = np.linalg.svd(ring - centre)[2][2]
    out[rim] -= ((ring - centre) @ normal)[:, None] * normal
    return out


def mean_adult(body: Body) -> Body:
    """The body with the average of ancestries, sexes and adult ages applied to every vertex and helper."""
    every = np.arange(len(body.vertices))
    return replace(body, vertices=body.vertices + macro_displacement(read_macros(body, every), None))


def base_shape(body: Body, skin: Skin, parts: Parts, settled: np.ndarray) -> np.ndarray:
    """(C, 3) the head at rest in the body's place: lids on the eyeballs (`eyelids.settle`), lips closed."""
    return np.concatenate([body.vertices[skin.source] + settled + close_lips(body, skin), parts.vertices])


def expression_units(
    body: Body, skin: Skin, parts: Parts, settled: np.ndarray, lids: LidSystem, mirror: np.ndarray
) -> np.ndarray:
    """(52, C, 3) ARKit units, symmetric, with lids that stay on the eyeballs."""
    units = np.array([body.target(body.units / f"{name}.target")[skin.source] for name in ARKIT_UNITS])
    units = units + lid_correctives(body, skin, parts, settled, lids)
    return symmetric_units(np.concatenate([units, parts.expression], axis=1), mirror)


def assemble(
    body: Body, skin: Skin, parts: Parts, atlas: Atlas, *, people: int = 300, components: int = 40, seed: int = 0
) -> HeadModel:
    """The head of `mean_adult(body)` with rough statistics; `parts` were built for that body."""
    count = len(skin.source)
    lids = lid_system(body, skin)
    settled = settle(body, skin, parts, lids)
    base = base_shape(body, skin, parts, settled)
    quads = np.concatenate([skin.quads, np.where(parts.quads >= 0, parts.quads + count, -1)])
    lining = np.where(skin.lining | skin.socket, PARTS.index("mouth"), 0)
    mirror = head_mirror(body, skin, parts)
    shapes = sample_shapes(body, skin, parts, lids, base, people, seed)
    mean, identity = identity_statistics(shapes, base, eye_rows(skin, parts), mirror, components)
    model = HeadModel(
        name="tronie-head",
        licence=LICENCE,
        mean=mean,
        identity=identity,
        expression=expression_units(body, skin, parts, settled, lids, mirror).astype(np.float32),
        quads=quads.astype(np.int32),
        quad_uv=atlas.quad_uv.astype(np.int32),
        uv=atlas.uv.astype(np.float32),
        part=np.concatenate([lining, parts.part]).astype(np.uint8),
        mirror=mirror.astype(np.int32),
        inner_face=np.zeros(len(base), dtype=bool),
        smooth_modes=np.zeros((1, len(base))),
        smooth_stiffness=np.zeros(1),
        embeddings={},
        uv_colour=atlas.colour,
    )
    return with_shape(model, skin, parts, mean, identity)


def with_shape(
    model: HeadModel, skin: Skin, parts: Parts, mean: np.ndarray, identity: np.ndarray, modes: int = 80
) -> HeadModel:
    """The model with another mean (moved so that the origin lies between the eyes) and identity basis."""
    count = len(skin.source)
    mean = at_origin(mean, eye_rows(skin, parts))
    mean[:count] = flatten_rim(mean[:count], skin.rim)
    fields, stiffness = smooth_modes(mean[:count], skin.quads, modes)
    fields = np.concatenate([fields, (nearest_skin(mean, parts, skin) @ fields.T).T], axis=1)
    return replace(
        model,
        mean=mean.astype(np.float32),
        identity=identity.astype(np.float32),
        smooth_modes=fields.astype(np.float32),
        smooth_stiffness=stiffness.astype(np.float32),
    )


def eye_rows(skin: Skin, parts: Parts) -> list[np.ndarray]:
    """Control vertices of the left and the right eye."""
    return [parts.rows(name) + len(skin.source) for name in ("eye_left", "eye_right")]


def at_origin(v: np.ndarray, eyes: list[np.ndarray]) -> np.ndarray:
    """(C, 3) moved so that the origin lies midway between the eyes' centres."""
    return np.asarray(v - np.mean([sphere_center(v[e]) for e in eyes], axis=0))


def sample_shapes(
    body: Body, skin: Skin, parts: Parts, lids: LidSystem, base: np.ndarray, people: int, seed: int
) -> np.ndarray:
    """(people, C, 3) random heads in the body's place and posture, eyes and lids seated."""
    rows = np.unique(np.concatenate([skin.source, np.unique(parts.follow.indices)]))
    follow = sp.csr_array(parts.follow[:, rows])
    skin_rows = np.searchsorted(rows, skin.source)
    average, samples = sample_people(read_sliders(body, rows), read_macros(body, rows), people, seed)
    out = np.empty((people, *base.shape))
    for i, sample in enumerate(samples):
        d = sample - average
        out[i] = np.concatenate([d[skin_rows], follow @ d])
    return base + seat(parts, body, skin, out, lids)


def identity_statistics(
    shapes: np.ndarray, base: np.ndarray, eyes: list[np.ndarray], mirror: np.ndarray, components: int
) -> tuple[np.ndarray, np.ndarray]:
    """Mean (C, 3), origin between the eyes' centres, and components (K, C, 3) of rigidly aligned shapes."""
    weight = face_weight(base)
    near = weight > 0.5
    mean = at_origin(base, eyes)
    for _ in range(2):
        for i, s in enumerate(shapes):
            r, t = kabsch(s[near], mean[near])
            shapes[i] = at_origin(s @ r.T + t, eyes)
        mean = at_origin(shapes.mean(axis=0), eyes)
    both = np.concatenate([shapes, shapes[:, mirror] * FLIP])  # a face and its mirror image are equally likely
    mean, identity, variance = principal_components(both, weight, components)
    print(f"{components} components hold {100 * variance[:components].sum() / variance.sum():.1f} % of the variance")
    return (mean + mean[mirror] * FLIP) / 2, identity


def symmetric_units(units: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Left and right units made exact mirror images of each other (the artist's differ by up to a few mm)."""
    partner = [ARKIT_UNITS.index(_other_side(n)) for n in ARKIT_UNITS]
    return (units + units[partner][:, mirror] * FLIP) / 2


def _other_side(name: str) -> str:
    for a, b in (("Left", "Right"), ("Right", "Left")):
        if name.endswith(a):
            return name.removesuffix(a) + b
    return name


def face_weight(v: np.ndarray) -> np.ndarray:
    """(C,) 1 on the face, falling to 0.15 on scalp, back and neck; body coordinates, mm."""
    centre, radius = np.array([0.0, 695.0, 140.0]), np.array([75.0, 95.0, 85.0])
    r = np.linalg.norm((v - centre) / radius, axis=1)
    return 0.15 + 0.85 * np.clip((1.25 - r) / 0.35, 0, 1)


def head_mirror(body: Body, skin: Skin, parts: Parts) -> np.ndarray:
    where = np.full(len(body.vertices), -1)
    where[skin.source] = np.arange(len(skin.source))
    return np.concatenate([where[body.mirror[skin.source]], parts.mirror + len(skin.source)])


def nearest_skin(mean: np.ndarray, parts: Parts, skin: Skin) -> sp.csr_array:
    """(P, S): each part moves as one, with the average of the skin nearest to it."""
    count = len(skin.source)
    outside = np.unique(skin.quads[~(skin.lining | skin.socket)])
    rows, cols = [], []
    for label in np.unique(parts.part):
        members = parts.rows(PARTS[label])
        centre = mean[count + members].mean(axis=0)
        near = outside[np.argsort(np.linalg.norm(mean[outside] - centre, axis=1))[:NEAREST]]
        rows.append(np.repeat(members, NEAREST))
        cols.append(np.tile(near, len(members)))
    index = (np.concatenate(rows), np.concatenate(cols))
    shape = (len(parts.vertices), count)
    return sp.csr_array((np.full(len(index[0]), 1 / NEAREST), index), shape=shape)
