"""Join skin, parts, UV and statistics to one HeadModel (without embeddings)."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sp
from identity import principal_components, read_macros, read_sliders, sample_people
from mpfb import Body
from skin import Skin
from tronie.head.model import PARTS, HeadModel
from tronie.head.subdivide import triangulate
from tronie.types import ARKIT_UNITS

LICENCE = "CC0-1.0 (shapes: MakeHuman/MPFB and ARKit face units by Mika Suominen)"


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


def assemble(
    body: Body, skin: Skin, parts: Any, uv: np.ndarray, quad_uv: np.ndarray, *,
    people: int = 1500, components: int = 80, modes: int = 80, seed: int = 0, skin_correctives: np.ndarray | None = None,
) -> HeadModel:  # fmt: skip
    """`parts` as from anatomy.build_parts; `uv`, `quad_uv` for skin faces then part faces."""
    count = len(skin.source)
    columns = np.unique(parts.follow.indices)
    rows = np.unique(np.concatenate([skin.source, columns]))
    follow = sp.csr_array(parts.follow[:, rows])
    skin_rows = np.searchsorted(rows, skin.source)

    def to_head(displacement: np.ndarray) -> np.ndarray:
        """Displacements of `rows` (..., R, 3) -> of the head's control vertices (..., C, 3)."""
        flat = displacement.reshape(-1, len(rows), 3)
        part = np.stack([follow @ d for d in flat]).reshape(*displacement.shape[:-2], -1, 3)
        return np.concatenate([displacement[..., skin_rows, :], part], axis=-2)

    average, samples = sample_people(read_sliders(body, rows), read_macros(body, rows), people, seed)
    base = np.concatenate([body.vertices[skin.source], parts.vertices])
    rest = base + to_head(average)
    shapes = base + to_head(samples.astype(np.float64))

    quads = np.concatenate([skin.quads, np.where(parts.quads >= 0, parts.quads + count, -1)])
    part = np.concatenate([np.where(skin.lining | skin.socket, PARTS.index("mouth"), 0), parts.part]).astype(np.uint8)
    eyes = [np.unique(quads[part == PARTS.index(n)]) for n in ("eye_left", "eye_right")]
    weight = face_weight(base)
    near = weight > 0.5

    def at_origin(v: np.ndarray) -> np.ndarray:
        return v - np.mean([v[e].mean(axis=0) for e in eyes], axis=0)

    rest = at_origin(rest)
    rest_mean = rest
    for _ in range(2):
        aligned = []
        for s in shapes:
            r, t = kabsch(s[near], rest_mean[near])
            aligned.append(at_origin(s @ r.T + t))
        shapes = np.array(aligned)
        rest_mean = at_origin(shapes.mean(axis=0))
    mirror = head_mirror(body, skin, parts)
    flip = np.array([-1.0, 1.0, 1.0])
    both = np.concatenate([shapes, shapes[:, mirror] * flip])  # a face and its mirror image are equally likely
    mean, identity, variance = principal_components(both, weight, components)
    share = variance[:components].sum() / variance.sum()
    print(f"{components} components hold {100 * share:.1f} % of the weighted variance")
    mean[:count] = flatten_rim(mean[:count], skin.rim)

    expression = []
    for i, name in enumerate(ARKIT_UNITS):
        full = body.target(body.units / f"{name}.target")
        d = np.concatenate([full[skin.source], parts.expression[i]])
        expression.append(d)
    units = np.array(expression)
    if skin_correctives is not None:
        units[:, :count] += skin_correctives
    units = symmetric_units(units, mirror)

    fields, stiffness = smooth_modes(mean[:count], skin.quads, modes)
    carry = nearest_skin(mean[:count], mean[count:], parts, skin)
    fields = np.concatenate([fields, (carry @ fields.T).T], axis=1)
    return HeadModel(
        name="tronie-head", licence=LICENCE, mean=mean.astype(np.float32), identity=identity,
        expression=units.astype(np.float32), quads=quads.astype(np.int32), quad_uv=quad_uv.astype(np.int32),
        uv=uv.astype(np.float32), part=part, mirror=mirror.astype(np.int32), inner_face=weight > 0.9,
        smooth_modes=fields.astype(np.float32), smooth_stiffness=stiffness.astype(np.float32), embeddings={},
    )  # fmt: skip


def symmetric_units(units: np.ndarray, mirror: np.ndarray) -> np.ndarray:
    """Left and right units made exact mirror images of each other (the artist's differ by up to a few mm)."""
    partner = [ARKIT_UNITS.index(_other_side(n)) for n in ARKIT_UNITS]
    return (units + units[partner][:, mirror] * np.array([-1.0, 1.0, 1.0])) / 2


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


def head_mirror(body: Body, skin: Skin, parts: Any) -> np.ndarray:
    where = np.full(len(body.vertices), -1)
    where[skin.source] = np.arange(len(skin.source))
    return np.concatenate([where[body.mirror[skin.source]], parts.mirror + len(skin.source)])


def nearest_skin(skin_vertices: np.ndarray, part_vertices: np.ndarray, parts: Any, skin: Skin) -> sp.csr_array:
    """(P, S): each part moves as one with the mean motion of the skin of the face nearest to it (rigidly shifted)."""
    outside = np.unique(skin.quads[~(skin.lining | skin.socket)])
    rows, cols, vals = [], [], []
    for label in np.unique(parts.part):
        members = np.unique(parts.quads[parts.part == label])
        members = members[members >= 0]
        centre = part_vertices[members].mean(axis=0)
        distance = np.linalg.norm(skin_vertices[outside] - centre, axis=1)
        near = outside[np.argsort(distance)[:120]]
        rows.append(np.repeat(members, len(near)))
        cols.append(np.tile(near, len(members)))
        vals.append(np.full(len(members) * len(near), 1 / len(near)))
    shape = (len(part_vertices), len(skin_vertices))
    return sp.csr_array((np.concatenate(vals), (np.concatenate(rows), np.concatenate(cols))), shape=shape)
