"""A crowd to photograph: people of several kinds, each of whom can be drawn any number of times.

    crowd = Crowd.open(folder, ict=..., rng=...)
    person = crowd.person(rng)
    picture = crowd.picture(person, rng)    # as often as wanted: the same person, another face, light, camera

`folder` holds wardrobe.npz (wardrobe.py) and, where it is there, wide.npy (wide_people.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from training.head.ict import turn_eyes
from training.landmarks.beards import Barber, Beard, beard_colour
from training.landmarks.canvas import Canvas
from training.landmarks.hair import Fit, Hatter, Piece, grown
from training.landmarks.ict_people import Foreign, ict_people
from training.landmarks.occluders import bar, face_mask, fingers, patch, scarf, thing
from training.landmarks.rays import Rays
from training.landmarks.spectacles import glasses
from training.landmarks.wardrobe import Wardrobe
from tronie.head.model import HeadModel, default_head
from tronie.pipelines.calibration.expressions import random_expression
from tronie.pipelines.calibration.layers import Drawn, Layer
from tronie.pipelines.calibration.skins import painted_skins
from tronie.pipelines.calibration.synthetic import (
    SIDE,
    RandomPerson,
    SyntheticPicture,
    photograph,
    random_texture,
    units_of,
)

FOREIGN, PAINTED, CLAY = 0.45, 0.42, 0.04
"""Shares of people of the other model, with an invented skin, and without any features."""
HAIRY, BARE, OWN_HAIR, BEARDED, HAT, GLASSES, HIDDEN, CUT, CROPPED = 0.76, 0.6, 0.6, 0.2, 0.07, 0.13, 0.07, 0.08, 0.06
"""Shares of people with hair, of those with an invented skin who have at most painted hair, of people with hair on whom
it is that of their skin, of people with beards (of men's kind or not), and of pictures with headgear, glasses,
something before the face, of bare heads cut off as in scans, and of pictures whose border is in the face."""
COVERS = (face_mask, scarf, fingers, thing, patch, bar)
COVER_CHANCES = (0.3, 0.1, 0.27, 0.2, 0.07, 0.06)
HATS, BEARDS, INVENTED = 60, 90, 600
PRIOR = 0.003
"""Price of a coefficient, in mm^2 at each vertex."""
ASYMMETRY_MM = 1.2
"""Deviation of the uneven growth of our own people."""
WIDE = 0.3
"""Share of our own people who begin as one of other age, weight or ancestry, where those are there."""


@dataclass(frozen=True, eq=False)
class Kind:
    """What is known of all people of one model."""

    model: HeadModel
    level: int
    rays: Rays
    atlas: np.ndarray
    """(V, 2) pixel of each vertex in the skin's texture."""
    foreign: Foreign | None = None

    @classmethod
    def of(cls, model: HeadModel, level: int, foreign: Foreign | None = None) -> Kind:
        mesh = model.level(level)
        uv = np.zeros((mesh.matrix.shape[0], 2), np.float32)
        uv[mesh.triangles] = mesh.uv[mesh.triangle_uv]
        return cls(model, level, Rays.of(model, level), np.clip((uv * 512).astype(int), 0, 511), foreign)


@dataclass(frozen=True, eq=False)
class Somebody:
    number: int
    kind: Kind
    rest: np.ndarray
    """(C, 3) mm: control vertices at rest."""
    identity: np.ndarray
    """(K,) of our own model."""
    skin: np.ndarray
    """(S, S, 3), without a beard."""
    hair: Piece | None
    hair_fit: Fit
    beard: Beard | None
    beard_colour: np.ndarray
    spectacled: bool

    def at(self, expression: np.ndarray) -> RandomPerson:
        model, mesh = self.kind.model, self.kind.model.level(self.kind.level)
        control = self.rest + np.tensordot(expression.astype(np.float32), model.expression, axes=1)
        if self.kind.foreign is not None:
            turn_eyes(control, model, expression)
            points = control[self.kind.foreign.points]
            return RandomPerson(mesh, control, self.identity, points, True, self.number)
        vertices = mesh.apply(control)
        return RandomPerson(mesh, vertices, self.identity, mesh.points478(vertices), False, self.number)

    @property
    def vertices_at_rest(self) -> np.ndarray:
        return self.kind.model.level(self.kind.level).apply(self.rest)


@dataclass(frozen=True, eq=False)
class Crowd:
    ours: Kind
    theirs: Kind | None
    skins: Sequence[np.ndarray]
    invented: Sequence[np.ndarray]
    pieces: Sequence[Piece]
    hats: Sequence[Piece]
    beards: Sequence[Beard]
    to_ours: np.ndarray
    """(C 3, K): displacements of our control vertices -> the coefficients that come nearest to them."""
    wide: np.ndarray | None
    """(N, C, 3) shapes of wider people, from our mean head."""
    units: np.ndarray
    """(52,) that move anything."""

    @classmethod
    def open(cls, folder: Path, ict: Path | None = None, seed: int = 0) -> Crowd:
        model, rng = default_head(), np.random.default_rng(seed)
        ours = Kind.of(model, 1)
        foreign = ict_people(ict, model) if ict else None
        theirs = Kind.of(foreign.model, 0, foreign) if foreign else None
        wardrobe = Wardrobe.load(folder / "wardrobe.npz")
        barber, hatter = Barber.of(model, rng), Hatter(ours.rays, rng)
        wide = folder / "wide.npy"
        return cls(
            ours,
            theirs,
            list(wardrobe.skins),
            painted_skins(model, INVENTED),
            grown(wardrobe),
            [hatter.make() for _ in range(HATS)],
            [barber.make(rng) for _ in range(BEARDS)],
            nearest_coefficients(model),
            np.load(wide).astype(np.float32) if wide.exists() else None,
            units_of(model),
        )

    def person(self, rng: np.random.Generator, number: int = -1) -> Somebody:
        kind = self.theirs if self.theirs is not None and rng.random() < FOREIGN else self.ours
        rest, identity = self._foreign(kind.foreign, rng) if kind.foreign is not None else self._own(rng)
        painted = rng.random() < PAINTED
        hairy = rng.random() < (HAIRY * (1 - BARE) if painted else HAIRY)
        worn = self.pieces[int(rng.integers(len(self.pieces)))] if hairy else None
        pool = self.invented if painted else self.skins
        skin, fit = pool[int(rng.integers(len(pool)))], Fit.random(rng, worn is not None and worn.grown)
        own = not painted and rng.random() < OWN_HAIR
        if own and worn is not None and worn.skin >= 0:  # with the face that it grew on
            skin, fit = self.skins[worn.skin], replace(fit, tone=None)
        beard = self.beards[int(rng.integers(len(self.beards)))] if rng.random() < BEARDED else None
        colour = beard_colour(rng)
        if rng.random() < CLAY:
            skin, worn, beard = clay(rng), worn if rng.random() < 0.3 else None, None
        return Somebody(number, kind, rest, identity, skin, worn, fit, beard, colour, rng.random() < GLASSES)

    def picture(
        self, who: Somebody, rng: np.random.Generator, expression: np.ndarray | None = None
    ) -> SyntheticPicture:
        face = random_expression(rng) * self.units if expression is None else expression
        person = who.at(face)
        texture = random_texture([who.skin], rng)
        vertices = person.vertices
        if who.beard is not None:
            texture = who.beard.painted(texture, who.beard_colour)
            vertices = who.beard.grown(vertices, person.level.triangles, who.kind.atlas)
        layers = self._worn(who, person, rng)
        faces = cut_off(person, rng) if not layers and rng.random() < CUT else None
        drawn = Drawn(person.level, vertices, texture, layers, faces)
        return photograph(person, face, drawn, self.skins, rng, self._before, 0.0 if layers else 0.1)

    def _own(self, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        model = self.ours.model
        size = rng.uniform(0.8, 1.25)
        rest, identity = model.mean.copy(), np.zeros(len(model.identity))
        if self.wide is not None and rng.random() < WIDE:
            moved = self.wide[int(rng.integers(len(self.wide)))] * np.float32(rng.uniform(0.4, 1.0))
            rest, identity, size = rest + moved, identity + moved.reshape(-1) @ self.to_ours, rng.uniform(0.2, 0.8)
        if rng.random() < 0.4:
            moved = uneven(model, rng)
            rest, identity = rest + moved, identity + moved.reshape(-1) @ self.to_ours
        own = rng.normal(0, size, len(identity))
        return rest + np.tensordot(own.astype(np.float32), model.identity, axes=1), identity + own

    def _foreign(self, foreign: Foreign, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        size = rng.uniform(0.8, 1.2) if rng.random() < 0.7 else rng.uniform(1.2, 1.5)
        theirs = rng.normal(0, size, len(foreign.model.identity))
        return foreign.model.shape(theirs), theirs @ foreign.into + foreign.offset

    def _worn(self, who: Somebody, person: RandomPerson, rng: np.random.Generator) -> list[Layer]:
        rest = who.vertices_at_rest
        hat = self.hats[int(rng.integers(len(self.hats)))] if rng.random() < HAT else None
        out = []
        if hat is not None:
            out += hat.worn(who.kind.rays, rest, replace(Fit.random(rng, False), fullness=rng.uniform(0.9, 1.2)))
        elif who.hair is not None:
            out += who.hair.worn(who.kind.rays, rest, who.hair_fit)
        if who.spectacled if rng.random() < 0.8 else rng.random() < GLASSES:
            out += glasses(person.points, rng)
        return out

    def _before(self, image: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Now and then something is before the face, or the picture ends in it."""
        if rng.random() < HIDDEN:
            canvas = Canvas(image.astype(np.float32), points, rng, self.skins)
            COVERS[int(rng.choice(len(COVERS), p=COVER_CHANCES))](canvas)
            image = np.clip(canvas.image, 0, 255).astype(np.uint8)
        return cropped(image, points, rng) if rng.random() < CROPPED else image


def nearest_coefficients(model: HeadModel, prior: float = PRIOR) -> np.ndarray:
    """(C 3, K): least squares over the inner face, drawn to zero as far as that costs little."""
    rows = np.flatnonzero(model.inner_face)
    basis = model.identity[:, rows].reshape(len(model.identity), -1).astype(float)
    found = np.linalg.solve(basis @ basis.T + prior * len(rows) * np.eye(len(basis)), basis).T
    out = np.zeros((len(model.mean), 3, len(basis)), np.float32)
    out[rows] = found.reshape(len(rows), 3, -1)
    return out.reshape(-1, len(basis))


def uneven(model: HeadModel, rng: np.random.Generator) -> np.ndarray:
    """(C, 3) mm: smooth growth that is not the same left and right."""
    count = min(30, len(model.smooth_modes))
    weight = rng.normal(0, 1, (count, 3)) / (1 + np.arange(count))[:, None] ** 0.6
    weight[0] = 0
    field = model.smooth_modes[:count].T @ weight
    other = field[model.mirror] * [-1, 1, 1]
    odd = (field - other) / 2
    size = np.sqrt((odd[model.inner_face] ** 2).sum(axis=1).mean())
    return np.asarray(odd * abs(rng.normal(0, ASYMMETRY_MM)) / max(size, 1e-6), np.float32)


def clay(rng: np.random.Generator) -> np.ndarray:
    """A skin without features."""
    return np.full((512, 512, 3), np.clip(rng.uniform(60, 230) * rng.uniform(0.92, 1.08, 3), 0, 255), np.uint8)


def cut_off(person: RandomPerson, rng: np.random.Generator) -> np.ndarray:
    """(T,) the triangles of a head that has no skull above some height, no neck or no back, as scans have."""
    points, at = person.points, person.vertices[person.level.triangles].mean(axis=1)
    ragged = at + cv2.GaussianBlur(rng.normal(0, 6, at.shape), (0, 0), 2.0)
    out = np.ones(len(at), bool)
    kind = rng.integers(1, 8)
    if kind & 1:
        top = points[10, 1] + rng.uniform(-22, 45)
        out &= ragged[:, 1] < top + rng.normal(0, 0.2) * (at[:, 2] - points[10, 2])
    if kind & 2:
        out &= ragged[:, 1] > points[152, 1] - rng.uniform(2, 40) - 0.2 * (points[152, 2] - at[:, 2])
    if kind & 4:
        out &= ragged[:, 2] > points[[127, 356], 2].mean() - rng.uniform(-5, 70)
    return out


def cropped(image: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The picture of a photo that ends within the face: its last pixels go on."""
    low, high = points.min(axis=0), points.max(axis=0)
    share = rng.uniform(-0.05, 0.28)
    edge = (high - share * (high - low)).clip(SIDE // 2, SIDE).astype(int)
    start = (low + share * (high - low)).clip(0, SIDE // 2).astype(int)
    y, x = np.arange(SIDE), np.arange(SIDE)
    side = rng.integers(4)
    y = y.clip(start[1], None) if side == 0 else y.clip(None, edge[1] - 1) if side == 1 else y
    x = x.clip(start[0], None) if side == 2 else x.clip(None, edge[0] - 1) if side == 3 else x
    return np.ascontiguousarray(image[y[:, None], x[None]])
