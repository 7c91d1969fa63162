"""A new unwrapping of the head's skin: the face upright and large in the middle, everything else around it.

One island holds all of the skin. Its seam runs from the neck's rim up the back of the head to the crown, and on each
side from the rim to the jaw below the ear, behind the ear, and along temple and hairline to the top of the forehead,
where the hair's part stays attached. Without the second cut no map can do what is wanted: the ring of skin around the
face is far longer than what is left of the square, so that its smaller scale has to be bought with stretch (tried: mean
anisotropy 1.9 with 33 % of the atlas for the face, against 1.09 with 46 %).

Only the subject's left half is flattened; the other half is its mirror image. Flattening works in units in which the
face is about true to scale in millimetres, y up.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from training.head.flatten import Elements, Pull, newton_step, rest_gradient, tutte
from training.head.mpfb import Body
from training.head.pack import GUTTER, STEP, Chart, pack_charts
from training.head.seams import border_loops, cut_open, ladder, regions, rotated, sides
from training.head.skin_mesh import Skin

FACE_LOOP = (
    780, 7464, 7466, 7615, 7622, 7463, 10364, 7462, 7461, 7460, 7459, 7613, 7571, 11712, 7564, 12010, 12001, 11997,
    11993, 7042, 7669, 7672, 7676, 7677, 7000, 7707, 1015,
)  # fmt: skip
"""Vertices of the body on one of the rings of edges that run around the face, from below the chin over jaw line, front
of the ear and temple to the top of the forehead."""
HAIRLINE = (1015, 7707, 7000, 7677, 7676)
"""The row of faces below this part of the ring lies above the hairline (72 mm above the eyes) and is not the face."""
CUT = (
    7493, 7491, 7489, 7487, 7485, 7483, 7481, 7692, 7459, 7613, 7458,  # from the rim up to jaw and ear lobe
    7586, 7635, 12006, 12009, 12008, 12162, 12007, 7580, 7581, 11983, 7579, 11973, 7578, 7570, 7577, 12002,  # behind it
    12003, 12004, 12161, 12001, 11997, 11993, 7042, 7669, 7672, 7676, 7677, 7000,  # along the hairline
)  # fmt: skip
"""Vertices of the body along the cut on the subject's left."""
HINGE = (7000, 7707, 1015)
"""From the end of the cut to the midline: here the hair stays attached to the forehead."""
CROWN = 879
"""Vertex of the body where the seam of the back ends."""
SIDE = 298.0
"""Side of the atlas in the units of flattening."""
WEDGE = 2.4
"""Least width of the opened cut, where it is wide."""
MOUTH = 1.0
"""Least opening between the lips."""
SHARES = {"lining": 0.014, "socket": 0.010}
"""Share of the atlas, both halves together."""
ROOM = {"eye": (0.131, 0.131), "crowns": (0.105, 0.052), "gum": (0.1, 0.046), "tongue": (0.062, 0.082)}
"""Width and height kept free for other charts in either half of the atlas (of crowns and gums two each)."""


@dataclass(frozen=True)
class Wish:
    """What a kind of skin asks for in the flattening."""

    scale: float
    """Atlas units per mm."""
    price: float
    """How much it matters, against an angle price of 1."""


WISHES = {"face": Wish(1.4, 0.12), "ear": Wish(0.65, 0.04), "neck": Wish(0.6, 0.04), "hair": Wish(0.34, 0.04)}
"""Found by trial: the smallest anisotropy that leaves 45 % of the atlas to the face."""
HINGE_WISH, HINGE_REACH = Wish(1.0, 1.0), 20.0
"""The hair near the end of the cut, and how far that is in mm."""
TEMPLE = 128.0
"""Half the width of the face's part, in the units of flattening: wider temples would take more of the picture than eyes
and mouth, and leave no strips for other charts."""


@dataclass(frozen=True)
class SkinUV:
    uv: np.ndarray
    """(U, 2) in 0..1, origin at the top left, v down; exactly symmetric about u = 0.5, also in float32."""
    quad_uv: np.ndarray
    """(F, 4) rows of `uv` for each of the skin's quads."""
    mirror: np.ndarray
    """(U,) the row at (1 - u, v)."""
    face: np.ndarray
    """(F,) bool: forehead below the hairline, temples, cheeks up to the ears, nose, lids, lips, chin, jaw."""
    reserved: dict[str, np.ndarray]
    """name -> (x0, y0, x1, y1) on the subject's left (u > 0.5), its mirror image is free too: room that was kept for
    the other charts. `pack_charts` may use it otherwise."""


@dataclass(frozen=True)
class Half:
    """The left half of the main island, cut open."""

    faces: np.ndarray
    """(F',) rows of the skin's quads."""
    quads: np.ndarray
    """(F', 4) into `vertex`."""
    vertex: np.ndarray
    """(N,) rows of the skin's vertices."""
    air: np.ndarray
    """(A, 3) triangles that fill eye and mouth, so that their rims cannot cross."""
    border: list[int]
    """Outer border without the midline: front of the rim, cut, back of the rim, seam up to the crown."""
    midline: list[int]
    """From the crown over the face down to the rim, with both lips."""
    hair_border: np.ndarray
    """The part of `border` behind the cut's end."""
    loop: np.ndarray
    """Border vertices on FACE_LOOP."""
    lips: np.ndarray
    """(K, 2) vertices that face each other on the upper and the lower lip's rim, from the corner to the midline."""


def within_loop(body: Body, skin: Skin) -> np.ndarray:
    """(F,) bool: faces inside FACE_LOOP and its mirror image, without the pockets."""
    index = {int(b): i for i, b in enumerate(skin.source)}
    loops = [[index[int(b)] for b in side] for side in (FACE_LOOP, body.mirror[list(FACE_LOOP)])]
    main = np.flatnonzero(~skin.lining & ~skin.socket)
    piece = regions(skin.quads[main], [e for loop in loops for e in itertools.pairwise(loop)])
    nose = body.vertices[skin.source][skin.quads[main]].mean(axis=1)[:, 2].argmax()
    inside = np.zeros(len(skin.quads), dtype=bool)
    inside[main[piece == piece[nose]]] = True
    return inside


def face_mask(body: Body, skin: Skin) -> np.ndarray:
    """(F,) bool, see `SkinUV.face`."""
    top = np.isin(skin.source, [*HAIRLINE, *body.mirror[list(HAIRLINE)]])
    return within_loop(body, skin) & (top[skin.quads].sum(axis=1) < 2)


def left_half(body: Body, skin: Skin) -> Half:
    v = body.vertices[skin.source]
    faces = np.flatnonzero((v[skin.quads][:, :, 0].min(axis=1) > -1e-6) & ~skin.lining & ~skin.socket)
    row = {int(b): i for i, b in enumerate(skin.source)}
    cut = [row[b] for b in CUT]
    quads, vertex = cut_open(skin.quads[faces], itertools.pairwise(cut))
    p = v[vertex]
    middle = np.abs(p[:, 0]) < 1e-6
    eye, outer = border_loops(quads)
    ends = np.argmin(p[eye, 0]), np.argmax(p[eye, 0])
    loop = rotated(eye, eye[ends[0]])
    far = loop.index(eye[ends[1]])
    lids = _facing(ladder([loop[0], *loop[far:][::-1]], loop[: far + 1]), loop)
    rim = middle & np.isin(vertex, skin.rim)
    front = max(np.flatnonzero(rim), key=lambda i: p[i, 2])
    outer = rotated(outer, int(front))
    crown = outer.index(int(np.flatnonzero(vertex == row[CROWN])[0]))
    chain = [*outer[crown:], outer[0]]
    inside = [i for i, a in enumerate(chain) if not middle[a]]  # the rim of the left half of the mouth
    mouth = chain[inside[0] - 1 : inside[-1] + 2]
    corner = int(np.argmax(p[mouth, 0]))
    upper, lower = mouth[: corner + 1][::-1], mouth[corner:]
    lips = _facing(ladder(upper, lower), mouth)
    pairs = np.arange(1, len(upper)), np.round(np.linspace(0, len(lower) - 1, len(upper))).astype(int)[1:]
    facing = np.stack([np.array(upper)[pairs[0]], np.array(lower)[pairs[1]]], axis=1)
    tip = outer.index(int(np.flatnonzero(vertex == cut[-1])[0]))
    return Half(
        faces,
        quads,
        vertex,
        np.concatenate([lids, lips]),
        outer[: crown + 1],
        [*chain[: inside[0]], *chain[inside[-1] + 1 :]],
        np.array(outer[tip : crown + 1]),
        np.array([a for a in outer[:tip] if skin.source[vertex[a]] in FACE_LOOP]),
        facing,
    )


def _facing(triangles: np.ndarray, border: list[int]) -> np.ndarray:
    """Wind triangles so that they continue the surface across `border` (surface to its left)."""
    wanted = {(b, a) for a, b in itertools.pairwise(border)}
    edges = {tuple(e) for e in sides(triangles).reshape(-1, 2).tolist()}
    return triangles if wanted & edges else triangles[:, ::-1]


def four_ways(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both ways to halve each quad: triangles (4 F, 3) and the quad of each."""
    t = np.concatenate([quads[:, [0, 1, 2]], quads[:, [0, 2, 3]], quads[:, [0, 1, 3]], quads[:, [1, 2, 3]]])
    return t, np.tile(np.arange(len(quads)), 4)


def elements(p: np.ndarray, quads: np.ndarray, scale: np.ndarray, price: np.ndarray) -> Elements:
    """Of surface points p (N, 3); scale and price for each quad."""
    triangles, owner = four_ways(quads)
    gradient, area = rest_gradient(p[triangles])
    wanted = scale[owner] ** 2
    return Elements(triangles, gradient, area / area.sum(), np.ones(len(area)), 2, price[owner], wanted)


def air_elements(air: np.ndarray, x: np.ndarray) -> list[Elements]:
    """A weak wish of the holes to stay as they are; what matters is that their triangles cannot flip."""
    if not len(air):
        return []
    one = np.ones(len(air))
    return [Elements(air, rest_gradient(x[air])[0], one * 1e-3 / len(air), one, 1, one, one)]


def spread(p: np.ndarray, chain: list[int]) -> np.ndarray:
    """Arc length along vertices of a chain, 0..1; doubled points are kept apart."""
    steps = np.maximum(np.linalg.norm(np.diff(p[chain], axis=0), axis=1), 5.0)
    return np.concatenate([[0], np.cumsum(steps)]) / steps.sum()


def flatten_half(body: Body, skin: Skin, half: Half, kind: np.ndarray) -> np.ndarray:
    """(N, 2) positions, midline at x = 0; `kind` (F',) names of WISHES."""
    p = body.vertices[skin.source[half.vertex]]
    main = elements(p, half.quads, *wanted_scale(p, half, kind))
    angle = np.pi * (spread(p, half.border) - 0.5)
    down = 1 - 2 * spread(p, half.midline)[1:-1]
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    fixed = np.array([*half.border, *half.midline[1:-1]])
    start = np.concatenate([circle, np.stack([0 * down, down], axis=1)]) * SIDE / 2
    x = tutte(np.concatenate([main.triangles, half.air]), len(p), fixed, start)
    x[half.midline, 0] = 0
    free = np.ones(x.size, dtype=bool)
    free[2 * np.array(half.midline)] = False
    free[2 * half.border[0] + 1] = False
    x = minimise(x, main, half.air, free)
    free[2 * half.border[0] + 1] = True
    for weight in (1e-6, 1e-5, 1e-4, 1e-3):
        x = minimise(x, main, half.air, free, partial(confine, half=half, weight=weight))
    return x


def wanted_scale(p: np.ndarray, half: Half, kind: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(scale, price) for each quad: as WISHES has it, but the hair starts with the forehead's scale at the hinge.

    Without this the edges on both sides of the cut's end differ so much that subdivision, which rounds that corner,
    would fold the hair's first quad."""
    scale, price = (np.array([getattr(WISHES[k], what) for k in kind]) for what in ("scale", "price"))
    gap = p[half.quads].mean(axis=1) - p[half.hair_border[0]]
    gap[:, 0] = np.maximum(gap[:, 0], 0)  # the hinge reaches from the cut's end to the midline
    distance = np.linalg.norm(gap, axis=1)
    hair = kind == "hair"
    scale = np.where(hair, scale + (HINGE_WISH.scale - scale) * np.exp(-((distance / HINGE_REACH) ** 2)), scale)
    return scale, np.where(hair, price + HINGE_WISH.price * np.exp(-((distance / HINGE_REACH) ** 2)), price)


def minimise(
    x: np.ndarray,
    main: Elements,
    air: np.ndarray,
    free: np.ndarray,
    pull: Callable[[np.ndarray], Pull] | None = None,
    steps: int = 40,
) -> np.ndarray:
    for _ in range(steps):
        x, gain = newton_step(x, [main, *air_elements(air, x)], pull(x) if pull else None, free)
        if gain < 1e-6:
            break
    return x


def confine(x: np.ndarray, half: Half, weight: float) -> Pull:
    """Keep the border inside the square and right of the midline, and the hair's part off the face's."""
    reach = SIDE * (0.5 - GUTTER)
    border = np.array(half.border[:-1])
    wishes = []
    bounds = (
        (border, 0, reach, 1),
        (border, 1, reach, 1),
        (border, 1, -reach, -1),
        (half.loop, 0, TEMPLE, 1),
        (np.setdiff1d(border, half.midline), 0, WEDGE / 2, -1),
    )
    for which, axis, bound, sign in bounds:
        out = which[sign * (x[which, axis] - bound) > 0]
        normal = np.eye(2)[axis]
        wishes.append((out, np.tile(normal * bound, (len(out), 1)), np.tile(normal, (len(out), 1))))
    hair = half.hair_border[2:]
    front = np.array(half.border[: len(half.border) - len(half.hair_border) + 1])
    distance, normal, foot = signed_distance(x[hair], x[front])
    near = distance < WEDGE
    wishes.append((hair[near], foot[near] + WEDGE * normal[near], normal[near]))
    gap = np.minimum(MOUTH, np.arange(1, len(half.lips) + 1) * MOUTH / 3)
    shut = x[half.lips[:, 0], 1] - x[half.lips[:, 1], 1] < gap
    pairs, middle = half.lips[shut], x[half.lips[shut]].mean(axis=1)
    for lip, side in ((0, 0.5), (1, -0.5)):
        wishes.append((pairs[:, lip], middle + side * gap[shut, None] * [0, 1], np.tile([0.0, 1.0], (len(pairs), 1))))
    vertex, point, normal = (np.concatenate(w) for w in zip(*wishes, strict=True))
    return Pull(vertex, point, normal, np.full(len(vertex), weight))


def signed_distance(points: np.ndarray, line: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Distance to a polyline (positive on its right), unit normal to the right, nearest point."""
    a, d = line[:-1], np.diff(line, axis=0)
    t = np.clip(((points[:, None] - a) * d).sum(axis=2) / (d**2).sum(axis=1), 0, 1)
    gap = points[:, None] - (a + t[..., None] * d)
    k = np.linalg.norm(gap, axis=2).argmin(axis=1)
    gap = gap[np.arange(len(points)), k]
    right = np.stack([d[k, 1], -d[k, 0]], axis=1) / np.linalg.norm(d[k], axis=1)[:, None]
    length = np.linalg.norm(gap, axis=1)
    sign = np.where((gap * right).sum(axis=1) < 0, -1.0, 1.0)
    normal = np.where(length[:, None] > 1e-6, sign[:, None] * gap / np.maximum(length, 1e-9)[:, None], right)
    return sign * length, normal, points - gap


def kinds(body: Body, skin: Skin, half: Half) -> np.ndarray:
    """(F',) "face", "ear", "neck" or "hair"."""
    quads = skin.quads[half.faces]
    index = {int(b): i for i, b in enumerate(skin.source)}
    chains = (CUT, HINGE, FACE_LOOP)
    fence = [(index[a], index[b]) for chain in chains for a, b in itertools.pairwise(chain)]
    piece = regions(quads, fence)
    face = within_loop(body, skin)[half.faces]
    hair = piece == piece[(quads == index[CROWN]).any(axis=1)][0]
    neck = np.isin(piece, piece[np.isin(quads, skin.rim).any(axis=1)])
    return np.select([face, hair, neck], ["face", "hair", "neck"], "ear")


def flatten_pocket(p: np.ndarray, quads: np.ndarray, price: float = 0.05) -> np.ndarray:
    """(N, 2) free-standing chart of a disc of skin, true to scale; y up."""
    loop = border_loops(quads)[-1]
    main = elements(p, quads, np.ones(len(quads)), np.full(len(quads), price))
    angle = 2 * np.pi * spread(p, [*loop, loop[0]])[:-1]
    x = tutte(main.triangles, len(p), np.array(loop), 50 * np.stack([np.cos(angle), np.sin(angle)], axis=1))
    free = np.ones(x.size, dtype=bool)
    free[[2 * loop[0], 2 * loop[0] + 1, 2 * loop[len(loop) // 2] + 1]] = False  # position and turn are of no matter
    return np.asarray(minimise(x, main, np.zeros((0, 3), int), free, steps=100))


def pocket_chart(name: str, body: Body, skin: Skin, mask: np.ndarray) -> tuple[Chart, np.ndarray, np.ndarray]:
    """The left half of the faces in `mask`: (chart, rows of the skin's quads, rows of the skin's vertices)."""
    v = body.vertices[skin.source]
    faces = np.flatnonzero(mask & (v[skin.quads][:, :, 0].min(axis=1) > -1e-6))
    vertex, quads = np.unique(skin.quads[faces], return_inverse=True)
    quads = quads.reshape(-1, 4)
    flat = flatten_pocket(v[vertex], quads) * [1, -1]
    return Chart(name, flat, quads, SHARES[name] / 2), faces, vertex


def box_chart(name: str, width: float, height: float) -> Chart:
    uv = np.array([[0, 0], [width, 0], [width, height], [0, height]])
    return Chart(name, uv, np.array([[0, 1, 2, 3]]), width * height, turns=(0, 90))


def unwrap(body: Body, skin: Skin) -> SkinUV:
    face = face_mask(body, skin)
    half = left_half(body, skin)
    x = flatten_half(body, skin, half, kinds(body, skin, half))
    x[:, 1] -= (x[:, 1].max() + x[:, 1].min()) / 2
    reach = SIDE * (0.5 - GUTTER)
    right = x * min(1.0, reach / np.abs(x).max()) / SIDE * [1, -1] + 0.5
    right = np.round(right / STEP) * STEP
    right[half.midline, 0] = 0.5
    left = right * [-1, 1] + [1, 0]
    boxes = [box_chart(n, *size) for n, size in ROOM.items() for _ in range(2 if n in ("crowns", "gum") else 1)]
    pockets = [pocket_chart("lining", body, skin, skin.lining), pocket_chart("socket", body, skin, skin.socket)]
    both = np.concatenate([half.quads, half.quads + len(right)])
    placed, _ = pack_charts(np.concatenate([right, left]), both, [c for c, _, _ in pockets] + boxes)
    islands = [(half.faces, half.quads, half.vertex, right)]
    islands += [(f, c.faces, v, place.uv) for (c, f, v), place in zip(pockets, placed, strict=False)]
    uv, quad_uv, mirror = _both_sides(body, skin, islands)
    reserved = {f"{b.name}{i}": np.concatenate([b.uv.min(axis=0), b.uv.max(axis=0)]) for i, b in enumerate(placed[2:])}
    return SkinUV(uv, quad_uv, mirror, face, reserved)


def _both_sides(
    body: Body, skin: Skin, islands: Sequence[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Left islands (rows of quads, quads, rows of vertices, uv) and their mirror images: (uv, quad_uv, mirror)."""
    index = -np.ones(len(body.vertices), dtype=int)
    index[skin.source] = np.arange(len(skin.source))
    twin = index[body.mirror[skin.source]]
    where = {tuple(sorted(q)): i for i, q in enumerate(skin.quads.tolist())}
    quad_uv = -np.ones(skin.quads.shape, dtype=int)
    rows, mirrors, count = [], [], 0
    for faces, quads, vertex, uv in islands:
        own = uv[:, 0] == 0.5  # the midline is its own mirror image
        other = np.where(own, np.arange(len(uv)), len(uv) + np.cumsum(~own) - 1)
        quad_uv[faces] = quads + count
        for _f, q in zip(faces, quads, strict=True):
            g = where[tuple(sorted(twin[vertex[q]].tolist()))]
            at = {int(twin[vertex[c]]): int(other[c]) for c in q}
            quad_uv[g] = [at[int(w)] + count for w in skin.quads[g]]
        rows += [uv, uv[~own] * [-1, 1] + [1, 0]]
        mirrors += [other + count, np.flatnonzero(~own) + count]
        count += len(uv) + int((~own).sum())
    return np.concatenate(rows), quad_uv, np.concatenate(mirrors)
