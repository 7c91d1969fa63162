"""Pictures to learn from: labelled bases with other backgrounds, hair, clothes, and with things painted over them.

    python -m training.segment.composites OUT --count 4000 --seed 1

Reads `OUT/bases`, writes shards of bases with their labels, `OUT/shards/SEED-N.npz`. What is done to a picture as a
whole is left to `augment`, at every look anew.
"""

from __future__ import annotations

import argparse
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import cv2
import numpy as np

from training.landmarks import occluders
from training.landmarks.canvas import (
    CHIN,
    EYE_LEFT,
    EYE_RIGHT,
    FOREHEAD,
    MOUTH,
    OVAL,
    Canvas,
    blurred,
    cloth,
    noise,
    plain_colour,
    scrap,
    skin,
    strands,
)
from training.landmarks.canvas import (
    HAIR as HAIR_COLOURS,
)
from training.segment.bases import CANVAS, NECK, NOTHING, Base, load_bases
from training.segment.labels import (
    BACKGROUND,
    CLOTHES,
    COVERING,
    FACE,
    FACIAL_HAIR,
    GLASSES,
    HAIR,
    OTHER,
    Labelled,
    beard_area,
    eroded,
    labelled,
    polygon,
)
from training.segment.notes import NOTES
from tronie.pipelines.calibration.backgrounds import random_background

SHARD = 200


@dataclass
class Scene(Canvas):
    """A base being painted on, with its labels."""

    base: Base | None = None
    hair: np.ndarray = field(default_factory=lambda: np.zeros(0))
    rest: np.ndarray = field(default_factory=lambda: np.zeros(0))
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0))
    kind: int = -1
    """What is being painted, an index of SEGMENTS; -1 leaves the labels."""
    done: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, item: Labelled, rng: np.random.Generator, scraps: list[np.ndarray]) -> Scene:
        base = item.base
        return cls(
            base.image.astype(np.float32),
            base.points.astype(np.float64),
            rng,
            scraps,
            base,
            item.hair.copy(),
            item.rest.copy(),
            item.weight.copy(),
        )

    def paint(
        self, mask: np.ndarray, colour: np.ndarray, *, opacity: float = 1.0, shadow: float = 0.0, light: bool = True
    ) -> None:
        self.image = np.clip(self.image, 0, 255)
        super().paint(mask, colour, opacity=opacity, shadow=shadow, light=light)
        if self.kind >= 0 and opacity > 0.3:
            self.mark(mask, self.kind)

    def mark(self, mask: np.ndarray, kind: int, weight: float = 1.0) -> None:
        """Say that it is `kind` where `mask` (S, S) 0..1 is."""
        if kind == HAIR:
            self.hair = np.maximum(self.hair, mask)
        else:
            self.hair = self.hair * (1 - mask)
            self.rest[mask > 0.5] = kind
        self.weight[mask > 0.5] = weight
        self.weight[(mask > 0.12) & (mask <= 0.5)] *= 0.5

    @property
    def person(self) -> np.ndarray:
        """(S, S) float32 0..1."""
        solid = (self.rest != BACKGROUND).astype(np.float32)
        return np.maximum(blurred(solid, 0.8), self.hair)

    @property
    def level(self) -> np.ndarray:
        """(S, S): how far below the forehead's top, along the face, in face heights."""
        y, x = np.mgrid[:CANVAS, :CANVAS] + 0.5
        top = self.points[FOREHEAD]
        return np.asarray(((x - top[0]) * self.down[0] + (y - top[1]) * self.down[1]) / self.height)

    @property
    def aside(self) -> np.ndarray:
        y, x = np.mgrid[:CANVAS, :CANVAS] + 0.5
        middle = self.points[list(OVAL)].mean(axis=0)
        return np.asarray(((x - middle[0]) * self.across[0] + (y - middle[1]) * self.across[1]) / self.height)


def any_colour(scene: Scene) -> np.ndarray | None:
    """Of a covering: anything, black, white, like skin, like hair, like the background; None leaves it to `cloth`."""
    rng = scene.rng
    kind = rng.choice(
        ["any", "black", "white", "skin", "hair", "ground", "cloth"], p=[0.22, 0.18, 0.15, 0.07, 0.05, 0.06, 0.27]
    )
    if kind == "black":
        return np.full(3, rng.uniform(4, 50)) + rng.normal(0, 4, 3)
    if kind == "white":
        return np.full(3, rng.uniform(170, 245)) + rng.normal(0, 5, 3)
    if kind == "skin":
        return np.asarray(skin(scene).mean(axis=(0, 1)))
    if kind == "hair":
        return np.asarray(HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))] * rng.uniform(0.6, 1.2))
    if kind == "ground" and (scene.rest == BACKGROUND).sum() > 500:
        return np.asarray(np.median(scene.image[scene.rest == BACKGROUND], axis=0) * rng.uniform(0.7, 1.3))
    return None if kind == "cloth" else plain_colour(rng)


def material(scene: Scene) -> np.ndarray:
    """(S, S, 3): cloth, fur, straw or wool in any colour."""
    rng, colour = scene.rng, any_colour(scene)
    paint = cloth(scene, colour)
    kind = rng.random()
    if kind < 0.15:  # knitted, or straw
        y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32)
        a, period = rng.uniform(0, np.pi), rng.uniform(2.0, 5.0)
        wave = np.sin((x * np.cos(a) + y * np.sin(a)) * 2 * np.pi / period)
        paint = paint * (1 + rng.uniform(0.05, 0.25) * wave)[..., None]
    elif kind < 0.25:  # fur
        rough = blurred(noise(scene), 1.0)
        paint = paint * (1 + rng.uniform(0.1, 0.4) * rough / (rough.std() + 1e-6))[..., None]
    elif kind < 0.4:  # folds
        folds = cv2.GaussianBlur(noise(scene), (0, 0), 2.5, sigmaY=14)
        turn = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), rng.uniform(0, 180), 1)
        folds = cv2.warpAffine(folds, turn, (CANVAS, CANVAS), borderMode=cv2.BORDER_REFLECT)
        paint = paint * (1 + rng.uniform(0.1, 0.3) * folds / (folds.std() + 1e-6))[..., None]
    return np.asarray(paint, np.float32)


def head_mask(scene: Scene) -> np.ndarray:
    """(S, S) bool: the bare head with its ears."""
    assert scene.base is not None
    region = scene.base.region
    return np.asarray((region != NOTHING) & (region != NECK)) | polygon(scene.points[list(OVAL)])


# Headgear


def top_of(scene: Scene, line: float, bow: float, slant: float) -> np.ndarray:
    """(S, S) bool: what lies above a bowed line, `line` face heights below the top of the forehead."""
    aside = scene.aside
    return np.asarray(scene.level < line + bow * aside**2 + slant * aside)


def beanie(scene: Scene) -> None:
    rng = scene.rng
    above = top_of(scene, rng.uniform(-0.02, 0.22), rng.uniform(-0.6, 0.9), rng.normal(0, 0.12))
    head = head_mask(scene) | ((scene.hair > 0.4) & (np.abs(scene.aside) < 0.62))
    mask = eroded(head & above, -int(rng.integers(1, 7)))
    mask = mask & (above | (rng.random() < 0.3))
    paint, soft = material(scene), blurred(mask.astype(np.float32), rng.uniform(0.5, 1.4))
    covered(scene, soft, paint)
    if rng.random() < 0.5:  # turned up, or a band
        band = mask & ~top_of(scene, rng.uniform(-0.16, -0.03), rng.uniform(-0.3, 0.3), 0)
        other = paint * rng.uniform(0.6, 1.3) if rng.random() < 0.5 else material(scene)
        covered(scene, blurred((band & mask).astype(np.float32), 0.6), other, shadow=0.1)
    if rng.random() < 0.2:  # a bobble
        at = scene.at(FOREHEAD, rng.normal(0, 0.05), -rng.uniform(0.35, 0.5))
        covered(scene, scene.ellipse(at, (rng.uniform(0.06, 0.14),) * 2), material(scene))


def covered(scene: Scene, mask: np.ndarray, paint: np.ndarray, shadow: float = -1.0) -> None:
    """Headgear: above it no hair is left."""
    scene.kind = COVERING
    scene.paint(mask, paint, shadow=scene.rng.uniform(0, 0.5) if shadow < 0 else shadow)
    scene.kind = -1


def hair_gone_above(scene: Scene, mask: np.ndarray) -> None:
    """Hair that stands out over headgear becomes what is behind."""
    rows = scene.level < float(scene.level[mask > 0.5].max(initial=-9.0)) - 0.02
    gone = (scene.hair > 0.1) & rows & (mask < 0.5) & (np.abs(scene.aside) < 1.0)
    gone |= head_mask(scene) & (scene.level < -0.1) & (mask < 0.5) & (scene.rest != COVERING)
    gone = eroded(gone, -1) & (mask < 0.5)
    if not gone.any():
        return
    known = (scene.rest == BACKGROUND) & (scene.hair < 0.05) & ~gone
    if known.sum() > 300 and scene.rng.random() < 0.7:
        soft = blurred(known.astype(np.float32), 9.0)
        fill = np.dstack([blurred(scene.image[..., k] * known, 9.0) for k in range(3)]) / (soft[..., None] + 1e-3)
        fill = np.where(soft[..., None] > 0.02, fill, np.median(scene.image[known], axis=0))
        alpha = blurred(gone.astype(np.float32), 0.8)[..., None]
        scene.image = scene.image * (1 - alpha) + (fill + scene.rng.normal(0, 1.5, fill.shape)) * alpha
        scene.mark(gone.astype(np.float32), BACKGROUND)


def cap(scene: Scene) -> None:
    """A baseball or peaked cap: a crown and a peak."""
    rng = scene.rng
    line, tall = rng.uniform(0.0, 0.16), rng.uniform(0.32, 0.5)
    half = rng.uniform(0.43, 0.55)
    turn = rng.normal(0, 0.15)
    low = scene.at(FOREHEAD, 0, line)
    outline = [
        scene.at(low, x, -(tall + line) * (1 - abs(x / half) ** rng.uniform(2, 3.4)) + 0.1 * abs(x))
        for x in np.linspace(-half, half, 9)
    ]
    crown = scene.polygon([*outline, scene.at(low, half * 0.6, 0.0), scene.at(low, -half * 0.6, 0.0)])
    hair_gone_above(scene, crown)
    paint = material(scene)
    covered(scene, crown, paint)
    if rng.random() < 0.4:  # a band
        band = crown * (scene.level > line - rng.uniform(0.05, 0.12))
        covered(scene, band, material(scene), shadow=0)
    peak = scene.ellipse(
        scene.at(low, turn, rng.uniform(-0.02, 0.05)), (rng.uniform(0.3, 0.45), rng.uniform(0.05, 0.13)), power=2.2
    )
    covered(
        scene,
        peak,
        paint * rng.uniform(0.5, 1.1) if rng.random() < 0.6 else material(scene),
        shadow=rng.uniform(0.1, 0.6),
    )
    if rng.random() < 0.4:  # a badge
        scene.paint(
            scene.ellipse(scene.at(low, turn, -rng.uniform(0.08, 0.2)), tuple(rng.uniform(0.03, 0.12, 2))),
            plain_colour(rng),
        )


def brimmed(scene: Scene) -> None:
    """A hat with a brim, straw or felt, bowler or wide."""
    rng = scene.rng
    line, tall = rng.uniform(-0.04, 0.14), rng.uniform(0.3, 0.75)
    low = scene.at(FOREHEAD, rng.normal(0, 0.02), line)
    wide, narrow = rng.uniform(0.4, 0.52), rng.uniform(0.3, 0.5)
    crown = scene.polygon(
        [
            scene.at(low, -wide, 0.03), scene.at(low, -wide * 0.98, -0.15), scene.at(low, -narrow, -tall),
            scene.at(low, 0, -tall + rng.uniform(-0.08, 0.08)), scene.at(low, narrow, -tall),
            scene.at(low, wide * 0.98, -0.15), scene.at(low, wide, 0.03),
        ]
    )  # fmt: skip
    reach, flat = rng.uniform(0.5, 1.05), rng.uniform(0.04, 0.22)
    angle = rng.normal(0, 6)
    brim = scene.ellipse(scene.at(low, 0, rng.uniform(-0.06, 0.03)), (reach, flat), angle)
    hair_gone_above(scene, np.maximum(crown, brim))
    paint = material(scene)
    if rng.random() < 0.35:  # seen from below: the brim behind the head
        covered(scene, brim * (1 - head_mask(scene) * (scene.level > line)), paint * rng.uniform(0.4, 0.9))
        covered(scene, crown, paint)
    else:
        covered(scene, crown, paint)
        covered(scene, brim, paint * rng.uniform(0.7, 1.1), shadow=rng.uniform(0.1, 0.7))
    if rng.random() < 0.6:
        band = crown * (scene.level > line - rng.uniform(0.06, 0.16)) * (1 - brim)
        covered(scene, band, material(scene), shadow=0)


def hijab(scene: Scene) -> None:
    """A scarf round the face: hijab, headscarf, hood, coif; shoulders in or out of it."""
    rng = scene.rng
    oval = scene.points[list(OVAL)]
    middle = oval.mean(axis=0)
    head = eroded(head_mask(scene), -int(rng.integers(2, 9)))
    if rng.random() < 0.8:
        head |= eroded((scene.hair > 0.4) & (scene.level < 0.75), -2)
    body = rng.random() < 0.75
    low = rng.uniform(1.1, 2.0)
    wide = rng.uniform(0.45, 0.8)
    drape = scene.polygon(
        [
            scene.at(middle, -0.48, -0.25), scene.at(middle, -0.52, 0.2), scene.at(middle, -wide, 0.62),
            scene.at(middle, -wide * rng.uniform(0.8, 1.9), low),
            scene.at(middle, rng.normal(0, 0.2), low + rng.uniform(0, 0.5)),
            scene.at(middle, wide * rng.uniform(0.8, 1.9), low), scene.at(middle, wide, 0.62),
            scene.at(middle, 0.52, 0.2),
            scene.at(middle, 0.48, -0.25),
        ]
    )  # fmt: skip
    mask = head.astype(np.float32)
    if body:
        mask = np.maximum(mask, drape)
    else:
        mask = np.maximum(mask, drape * (scene.level < rng.uniform(0.9, 1.25)))
        mask[(scene.level > 1.05) & (np.abs(scene.aside) < 0.25)] *= rng.random() < 0.5
    hole = middle + (oval - middle) * rng.uniform([0.86, 0.84], [1.03, 1.06])
    hole = hole + scene.height * rng.normal(0, 0.015, 2)
    open_face = scene.polygon(hole)
    if rng.random() < 0.35:  # hair shows at the forehead
        bare = scene.ellipse(scene.at(FOREHEAD, 0, 0.05), (rng.uniform(0.25, 0.38), rng.uniform(0.1, 0.25)))
        open_face = np.maximum(open_face, bare)
    if rng.random() < 0.25:  # open at the neck
        throat = [scene.at(CHIN, -0.25, -0.2), scene.at(CHIN, 0, 0.6), scene.at(CHIN, 0.25, -0.2)]
        open_face = np.maximum(open_face, scene.polygon(throat))
    mask = blurred(mask, rng.uniform(0.6, 1.5)) * (1 - open_face)
    gone = (scene.hair > 0.2) & (scene.level < 1.4) & (mask < 0.5) & (open_face < 0.3)
    if rng.random() < 0.85:
        mask = np.maximum(mask, blurred(gone.astype(np.float32), 0.8) * (1 - open_face))
    paint = material(scene)
    covered(scene, mask, paint, shadow=rng.uniform(0, 0.5))
    if rng.random() < 0.3:  # an under-scarf
        inner = (
            scene.polygon(middle + (hole - middle) * rng.uniform(1.04, 1.14))
            * (1 - open_face)
            * (scene.level < rng.uniform(0.2, 0.7))
        )
        covered(scene, inner * mask, material(scene), shadow=0.1)


def turban(scene: Scene) -> None:
    rng = scene.rng
    line = rng.uniform(-0.02, 0.18)
    centre = scene.at(FOREHEAD, rng.normal(0, 0.04), -rng.uniform(0.1, 0.28))
    mask = scene.ellipse(
        centre, (rng.uniform(0.46, 0.66), rng.uniform(0.28, 0.5)), rng.normal(0, 10), rng.uniform(2, 2.8)
    )
    above = top_of(scene, line, rng.uniform(-0.2, 0.9), rng.normal(0, 0.15))
    head = eroded((head_mask(scene) | (scene.hair > 0.4)) & above & (scene.level < 0.5), -2)
    mask = np.maximum(mask * above, head)
    mask = blurred(mask.astype(np.float32), 0.8)
    hair_gone_above(scene, mask)
    paint = material(scene)
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32)
    for sign in (-1, 1):  # wound round
        a = np.radians(90 + sign * rng.uniform(15, 60))
        wave = np.sin((x * np.cos(a) + y * np.sin(a)) * 2 * np.pi / (scene.height * rng.uniform(0.07, 0.25)))
        paint = paint * (1 + rng.uniform(0, 0.18) * wave)[..., None]
    covered(scene, mask, paint)


def helmet(scene: Scene) -> None:
    rng = scene.rng
    line = rng.uniform(-0.05, 0.12)
    mask = scene.ellipse(
        scene.at(FOREHEAD, 0, -0.02), (rng.uniform(0.5, 0.62), rng.uniform(0.45, 0.62)), power=rng.uniform(2, 2.6)
    )
    below = rng.uniform(0.3, 1.2) if rng.random() < 0.5 else 0.0
    above = top_of(scene, line, rng.uniform(-0.2, 0.3), 0) | (
        (np.abs(scene.aside) > 0.4) & (scene.level < line + below)
    )
    mask = blurred((mask * above).astype(np.float32), 0.7)
    hair_gone_above(scene, mask)
    colour = any_colour(scene)
    paint = np.broadcast_to(plain_colour(rng) if colour is None else colour, (CANVAS, CANVAS, 3)).astype(np.float32)
    shine = scene.ellipse(scene.at(FOREHEAD, rng.normal(0, 0.2), -0.25), tuple(rng.uniform(0.05, 0.2, 2)))
    paint = paint * (0.7 + 0.6 * blurred(mask, 12)[..., None]) + 120 * rng.random() * blurred(shine, 4)[..., None]
    covered(scene, mask, paint)
    if rng.random() < 0.5:
        rim = scene.line(
            [scene.at(FOREHEAD, x, line + 0.25 * x * x) for x in np.linspace(-0.55, 0.55, 9)], rng.uniform(0.02, 0.07)
        )
        covered(scene, rim, plain_colour(rng))
    if rng.random() < 0.5:
        for ear in (127, 356):
            covered(
                scene,
                scene.line([scene.at(ear, 0, 0), scene.at(CHIN, 0, 0.02)], rng.uniform(0.015, 0.035)),
                np.full(3, rng.uniform(5, 200)),
            )


def band(scene: Scene) -> None:
    """A headband, a bandana, a circlet: hair above it stays."""
    rng = scene.rng
    line, wide = rng.uniform(-0.15, 0.08), rng.uniform(0.04, 0.16)
    bow, slant = rng.uniform(-0.5, 0.2), rng.normal(0, 0.1)
    both = top_of(scene, line + wide, bow, slant) & ~top_of(scene, line, bow, slant)
    head = eroded(head_mask(scene) | ((scene.hair > 0.4) & (np.abs(scene.aside) < 0.6)), -1)
    covered(scene, blurred((both & head).astype(np.float32), 0.6), material(scene))


# Glasses


def glasses(scene: Scene) -> None:
    """Rims full, half, thin or none, of any colour; lenses clear, tinted or dark, with reflections; temples."""
    rng = scene.rng
    kind = rng.choice(["clear", "tinted", "dark"], p=[0.7, 0.1, 0.2])
    rims = rng.choice(["full", "thin", "half", "none"], p=[0.45, 0.3, 0.15, 0.1])
    if kind == "dark" and rims == "none":
        rims = "thin"
    thick = {
        "full": rng.uniform(0.014, 0.038),
        "thin": rng.uniform(0.005, 0.012),
        "half": rng.uniform(0.008, 0.025),
        "none": 0.004,
    }[rims]
    metal = rng.random() < 0.5
    frame = (
        np.full(3, rng.uniform(60, 210)) * [1, rng.uniform(0.85, 1), rng.uniform(0.6, 1)]
        if metal
        else np.full(3, rng.uniform(5, 60))
    )
    if rng.random() < 0.25:
        frame = plain_colour(rng)
    half = np.array([rng.uniform(0.12, 0.2), rng.uniform(0.07, 0.17)])
    half[1] = min(half[1], half[0] * 1.05)
    power, lower, tilt = rng.uniform(1.9, 5), rng.uniform(-0.01, 0.05), rng.normal(0, 5)
    slide = rng.uniform(0.06, 0.14) if rng.random() < 0.12 else 0.0  # low on the nose
    eyes = [scene.eye(r) for r in (EYE_RIGHT, EYE_LEFT)]
    centres = [scene.at(e, 0, lower + slide) for e in eyes]
    gap = abs(float(np.dot(centres[1] - centres[0], scene.across))) / scene.height
    wide = np.array([min(half[0], max(gap * rng.uniform(0.4, 0.47), 0.05)), half[1]])
    scale = np.array([1.0, 1.0])
    nose = scene.points[168]
    reach = [abs(float(np.dot(c - nose, scene.across))) for c in centres]
    scale = np.clip(np.array(reach) / (max(reach) + 1e-6), 0.45, 1)  # the far lens of a turned head is narrower
    lenses = np.zeros((CANVAS, CANVAS), np.float32)
    frames = np.zeros((CANVAS, CANVAS), np.float32)
    for centre, temple, sign, narrower in zip(centres, (127, 356), (-1, 1), scale, strict=True):
        axes = (wide[0] * float(narrower), wide[1])
        lens = scene.ellipse(centre, axes, sign * tilt, power)
        outer = scene.ellipse(centre, (axes[0] + thick, axes[1] + thick), sign * tilt, power)
        rim = np.clip(outer - lens, 0, 1)
        if rims == "half":
            y, x = np.mgrid[:CANVAS, :CANVAS]
            rim = rim * (
                (((x - centre[0]) * scene.down[0] + (y - centre[1]) * scene.down[1]) / scene.height) < 0.2 * axes[1]
            )
        if rims == "none":
            rim = rim * rng.uniform(0.25, 0.6)
        lenses, frames = np.maximum(lenses, lens), np.maximum(frames, rim)
        frames = np.maximum(
            frames,
            scene.line(
                [scene.at(centre, sign * axes[0], -0.03), scene.at(temple, sign * 0.03, -0.02)], max(thick * 0.8, 0.008)
            ),
        )
    inner = [
        scene.at(c, -s * wide[0] * float(k), -0.02 * rng.random())
        for c, s, k in zip(centres, (-1, 1), scale, strict=True)
    ]
    frames = np.maximum(
        frames, scene.line([inner[0], scene.at((inner[0] + inner[1]) / 2, 0, -0.02), inner[1]], max(thick * 0.8, 0.007))
    )
    free = (scene.hair < 0.5) | (rng.random() < 0.3)
    frames, lenses = frames * free, lenses
    tint = plain_colour(rng) * 0.6 if kind == "tinted" else np.full(3, rng.uniform(3, 45)) * rng.uniform(0.8, 1.2, 3)
    if kind != "clear":
        y = np.mgrid[:CANVAS, :CANVAS][0].astype(np.float32)
        fade = np.clip(1 - rng.uniform(-0.3, 0.6) * (y - centres[0][1]) / (half[1] * scene.height), 0.5, 1.5)
        scene.paint(
            lenses,
            tint * fade[..., None],
            opacity=rng.uniform(0.88, 1.0) if kind == "dark" else rng.uniform(0.2, 0.6),
            light=False,
        )
    else:  # glass takes a little light, and bends
        scene.image *= (1 - lenses * rng.uniform(0, 0.15))[..., None]
        if rng.random() < 0.3:
            scene.image += lenses[..., None] * rng.uniform(0, 30)
    for centre in centres:
        if rng.random() < 0.45:
            spot = (
                scene.ellipse(
                    scene.at(centre, *rng.normal(0, 0.05, 2)), tuple(rng.uniform(0.01, 0.09, 2)), rng.uniform(0, 90), 3
                )
                * lenses
            )
            scene.paint(
                spot,
                scrap(scene) if rng.random() < 0.4 else np.full(3, rng.uniform(150, 255)),
                opacity=rng.uniform(0.1, 0.8),
                light=False,
            )
    if rng.random() < 0.6:  # a shadow on the skin
        fallen = blurred(np.roll(frames, int(rng.integers(1, 4)), axis=0), 1.2)
        scene.image *= (1 - rng.uniform(0.1, 0.4) * fallen)[..., None]
    scene.paint(np.clip(frames * rng.uniform(0.85, 1.6), 0, 1), frame, opacity=rng.uniform(0.75, 1.0))
    scene.mark(np.maximum(lenses, (frames > 0.3) * 1.0).astype(np.float32), GLASSES)
    if kind == "clear" and rims in ("none", "thin"):  # next to nothing is seen of these: nobody need be sure
        scene.weight[lenses > 0.5] *= 0.5


# Hair, beards, clothes, backgrounds


def tinted(image: np.ndarray, mask: np.ndarray, colour: np.ndarray, spread: float) -> np.ndarray:
    """The picture with another colour where `mask` is; its own light and dark stay."""
    grey = image.mean(axis=2)
    inside = mask > 0.5
    if inside.sum() < 30:
        return image
    middle = float(np.median(grey[inside])) + 6
    relief = np.clip((grey + 6) / middle, 0.2, 4.0) ** spread
    paint = colour * relief[..., None]
    return np.asarray(image * (1 - mask[..., None]) + np.clip(paint, 0, 255) * mask[..., None])


def dyed(scene: Scene) -> None:
    rng = scene.rng
    colour = HAIR_COLOURS[rng.integers(len(HAIR_COLOURS))] * rng.uniform(0.7, 1.25)
    kind = rng.random()
    if kind < 0.3:  # grey and white
        colour = np.full(3, rng.uniform(110, 235)) + rng.normal(0, 4, 3)
    elif kind < 0.4:  # as the skin
        colour = skin(scene).mean(axis=(0, 1)) * rng.uniform(0.7, 1.2)
    elif kind < 0.47:
        colour = plain_colour(rng)
    scene.image = tinted(scene.image, np.clip(scene.hair * 1.05, 0, 1), colour, rng.uniform(0.5, 1.6))


def streaked(scene: Scene) -> None:
    """Strands lighter and darker than they were, in tufts or fine: hair is hair however striped."""
    rng = scene.rng
    fine, long = rng.uniform(0.7, 2.2), rng.uniform(6, 18)
    rough = cv2.GaussianBlur(noise(scene), (0, 0), fine, sigmaY=long)
    turn = cv2.getRotationMatrix2D((CANVAS / 2, CANVAS / 2), rng.normal(0, 45), 1)
    rough = cv2.warpAffine(rough, turn, (CANVAS, CANVAS), borderMode=cv2.BORDER_REFLECT)
    relief = 1 + rng.uniform(0.1, 0.45) * rough / (rough.std() + 1e-6)
    scene.image = scene.image * (1 + scene.hair * (relief.clip(0.3, 2) - 1))[..., None]


def dressed(scene: Scene) -> None:
    mask = blurred((scene.rest == CLOTHES).astype(np.float32), 0.6) * (1 - scene.hair)
    if mask.sum() < 100:
        return
    colour = any_colour(scene)
    paint = cloth(scene, colour)
    if scene.rng.random() < 0.5:
        scene.image = tinted(scene.image, mask, paint, scene.rng.uniform(0.3, 1))
    else:
        scene.image = scene.image * (1 - mask[..., None]) + np.clip(paint, 0, 255) * mask[..., None]


def bearded(scene: Scene) -> None:
    """A full beard, one round the mouth, or a moustache; short or long."""
    rng = scene.rng
    assert scene.base is not None
    lips = polygon(scene.points[list(MOUTH)])
    kind = rng.choice(["full", "round", "moustache", "long"], p=[0.4, 0.2, 0.2, 0.2])
    area = beard_area(scene.base, lips, ()).astype(np.float32)
    if kind == "moustache":
        area = scene.ellipse(
            scene.at(164, 0, rng.uniform(-0.01, 0.02)), (rng.uniform(0.1, 0.2), rng.uniform(0.025, 0.05)), 0, 2
        )
    elif kind == "round":
        area = area * scene.ellipse(
            scene.at(17, 0, rng.uniform(-0.03, 0.03)), (rng.uniform(0.16, 0.22), rng.uniform(0.2, 0.28))
        )
    elif kind == "long":
        low = rng.uniform(0.15, 0.7)
        hang = scene.polygon(
            [
                scene.at(132, 0.02, 0),
                scene.at(172, 0, 0.1),
                scene.at(CHIN, -0.1, low),
                scene.at(CHIN, 0.1, low),
                scene.at(397, 0, 0.1),
                scene.at(361, -0.02, 0),
            ]
        )
        area = np.maximum(area, hang * (scene.level > 0.72))
    area = blurred(area, rng.uniform(0.8, 2.5)) * (1 - lips)
    opacity = rng.uniform(0.55, 1.0)
    scene.kind = -1
    inside = scene.hair > 0.8
    if rng.random() < 0.6 and inside.sum() > 80:
        colour = np.median(scene.image[inside], axis=0) * rng.uniform(0.7, 1.2)
        streaks = blurred(noise(scene), 1.2)
        paint = colour * (1 + rng.uniform(0.1, 0.35) * streaks / (streaks.std() + 1e-6))[..., None]
    else:
        paint = strands(scene, rng.uniform(-40, 40))
        if rng.random() < 0.3:
            paint = paint.mean() * 0 + np.full(3, rng.uniform(120, 230)) * (paint / (paint.mean() + 1e-6)).clip(
                0.5, 1.5
            )
    scene.paint(area, paint, opacity=opacity)
    scene.mark(area, FACIAL_HAIR, 1.0)


def backdrop(scene: Scene, pictures: list[np.ndarray]) -> None:
    """Something else behind the person: plain, dark, of the hair's colour, shapes, pieces of other photos."""
    rng = scene.rng
    ground = scene_ground(scene, pictures)
    person = scene.person
    gone = person < 0.5
    scene.image = scene.image * person[..., None] + ground * (1 - person[..., None])
    scene.weight[gone] = np.maximum(scene.weight[gone], 0.9)
    edge = (person > 0.02) & (person < 0.98)
    scene.image[edge] = scene.image[edge] * 0.9 + blurred3(scene.image, 0.8)[edge] * 0.1
    scene.rest[gone & (scene.hair < 0.5)] = BACKGROUND
    del rng


def blurred3(image: np.ndarray, sigma: float) -> np.ndarray:
    return np.asarray(cv2.GaussianBlur(image.astype(np.float32), (0, 0), sigma))


def scene_ground(scene: Scene, pictures: list[np.ndarray]) -> np.ndarray:
    rng = scene.rng
    kind = rng.choice(["photo", "random", "dark", "light", "hair", "cloth"], p=[0.36, 0.2, 0.14, 0.12, 0.12, 0.06])
    if kind == "photo":
        other = pictures[rng.integers(len(pictures))]
        if rng.random() < 0.5:
            other = other[:, ::-1]
        side = int(rng.uniform(0.3, 0.7) * CANVAS)  # beside the other's head, so that it is no person of the middle
        left = 0 if rng.random() < 0.5 else CANVAS - side
        top = int(rng.integers(0, CANVAS - side))
        piece = cv2.resize(
            np.ascontiguousarray(other[top : top + side, left : left + side]),
            (CANVAS, CANVAS),
            interpolation=cv2.INTER_CUBIC,
        )
        ground = blurred3(piece, rng.uniform(0.3, 5)) if rng.random() < 0.7 else piece.astype(np.float32)
        return np.asarray(ground * rng.uniform(0.4, 1.3))
    if kind == "random":
        return random_background(CANVAS, pictures[:40], rng).astype(np.float32)
    if kind == "cloth":
        return cloth(scene)
    inside = scene.hair > 0.7
    level = {"dark": rng.uniform(2, 60), "light": rng.uniform(170, 252)}.get(str(kind), 0.0)
    colour = np.full(3, level) + rng.normal(0, 5, 3)
    if kind == "hair":
        colour = np.median(scene.image[inside], axis=0) if inside.sum() > 50 else skin(scene).mean(axis=(0, 1))
        colour = colour * rng.uniform(0.75, 1.35)
    y, x = np.mgrid[:CANVAS, :CANVAS].astype(np.float32) / CANVAS - 0.5
    slope = rng.normal(0, 0.3, 2)
    rough = blurred(noise(scene), rng.uniform(3, 30))
    shade = 1 + slope[0] * x + slope[1] * y + rng.uniform(0, 0.15) * rough / (rough.std() + 1e-6)
    return np.asarray(colour * shade[..., None] + rng.uniform(0, 3) * noise(scene)[..., None])


def neighbour(scene: Scene, other: Labelled) -> None:
    """Somebody else beside, mostly behind: background; before our person: other."""
    rng = scene.rng
    solid = np.maximum(blurred((other.rest != BACKGROUND).astype(np.float32), 0.7), other.hair) * (
        other.base.person > 40
    )
    scale = float(np.exp(rng.normal(-0.05, 0.18)))
    side = rng.choice([-1.0, 1.0])
    shift = np.array([side * rng.uniform(0.9, 1.9), rng.normal(0.05, 0.3)]) * scene.height
    move = np.float32(
        [[scale, 0, CANVAS / 2 * (1 - scale) + shift[0]], [0, scale, CANVAS / 2 * (1 - scale) + shift[1]]]
    )
    image = cv2.warpAffine(other.base.image, move, (CANVAS, CANVAS), borderMode=cv2.BORDER_REPLICATE).astype(np.float32)
    mask = cv2.warpAffine(solid.astype(np.float32), move, (CANVAS, CANVAS), borderMode=cv2.BORDER_REPLICATE)
    image *= rng.uniform(0.7, 1.25)
    if rng.random() < 0.88:
        mask = mask * (1 - scene.person)
        scene.image = scene.image * (1 - mask[..., None]) + image * mask[..., None]
        scene.weight[mask > 0.5] = 1.0
        scene.rest[(mask > 0.5)] = BACKGROUND
    else:
        oval = blurred(head_mask(scene).astype(np.float32), 1.0)
        mask = mask * (1 - oval)
        scene.image = scene.image * (1 - mask[..., None]) + image * mask[..., None]
        scene.mark(mask, OTHER)
        scene.weight[mask > 0.5] = 0.5


def microphone(scene: Scene) -> None:
    rng = scene.rng
    head = scene.at(CHIN, rng.normal(0, 0.25), rng.uniform(-0.25, 0.5))
    end = scene.at(head, rng.normal(0, 0.5), rng.uniform(0.7, 1.6))
    dark = np.full(3, rng.uniform(5, 90))
    scene.kind = OTHER
    scene.paint(scene.line([head, end], rng.uniform(0.03, 0.1)), dark)
    scene.paint(
        scene.ellipse(head, tuple(rng.uniform(0.05, 0.14, 2))),
        dark * rng.uniform(0.5, 2) if rng.random() < 0.6 else plain_colour(rng),
    )
    scene.kind = -1


def branches(scene: Scene) -> None:
    """Thin things before everything: branches, wires, straps."""
    rng = scene.rng
    colour = plain_colour(rng)
    scene.kind = OTHER
    for _ in range(int(rng.integers(1, 5))):
        ends = rng.uniform(0, CANVAS, (2, 2))
        ends[rng.integers(2), rng.integers(2)] = rng.choice([0, CANVAS])
        middle = ends.mean(axis=0) + rng.normal(0, 20, 2)
        scene.paint(scene.line([ends[0], middle, ends[1]], rng.uniform(0.015, 0.06)), colour)
    scene.kind = -1


def occluded(scene: Scene, how: Callable[[Canvas], None]) -> None:
    scene.kind = OTHER
    how(scene)
    scene.kind = -1


def scarfed(scene: Scene) -> None:
    """A scarf up to the mouth: a covering above the chin, clothes below."""
    before = scene.rest.copy()
    scene.kind = CLOTHES
    occluders.scarf(scene)
    scene.kind = -1
    new = (scene.rest == CLOTHES) & (before != CLOTHES)
    scene.rest[new & (scene.level < 0.98)] = OTHER


def locks(scene: Scene) -> None:
    """A fringe, or strands that fall over the face's side and the shoulder, in the hair's own colour."""
    rng = scene.rng
    inside = scene.hair > 0.8
    if inside.sum() < 100:
        return
    colour = np.median(scene.image[inside], axis=0) * rng.uniform(0.85, 1.15)
    side = rng.choice([-1, 1])
    top = scene.at(FOREHEAD, side * rng.uniform(0.1, 0.35), -0.12)
    low, out = rng.uniform(0.2, 1.7), rng.uniform(0.3, 0.6)
    edge = [(-0.08, 0.4 * low), (-0.12, low), (0.1, low * 1.02), (0.15, 0.4 * low)]
    outline = [top, scene.at(top, side * 0.12, 0.15)]
    outline += [scene.at(FOREHEAD, side * (out + right), below) for right, below in edge]
    outline.append(scene.at(FOREHEAD, side * 0.4, -0.1))
    mask = scene.polygon(outline, soft=rng.uniform(0.004, 0.02))
    streaks = cv2.GaussianBlur(noise(scene), (0, 0), 0.9, sigmaY=10)
    paint = colour * (1 + rng.uniform(0.1, 0.35) * streaks / (streaks.std() + 1e-6))[..., None]
    scene.kind = HAIR
    scene.paint(mask, paint, shadow=rng.uniform(0, 0.4))
    scene.kind = -1


def shaven(scene: Scene) -> None:
    """A bald head of one with short hair: skin drawn over the scalp."""
    rng = scene.rng
    assert scene.base is not None
    outside = (scene.hair > 0.3) & ~eroded(head_mask(scene), -3)
    if outside.sum() > 0.12 * (scene.hair > 0.3).sum():
        return
    spot = scene.points[[151, 9, 108, 337]].round().astype(int).clip(0, CANVAS - 1)
    colour = np.median(scene.image[spot[:, 1], spot[:, 0]], axis=0)
    mask = np.clip(blurred((scene.hair > 0.15).astype(np.float32), 1.5) * 1.2, 0, 1)
    if rng.random() < 0.4:  # hair at the sides stays
        mask = mask * blurred(
            ((scene.level < rng.uniform(-0.02, 0.1)) & (np.abs(scene.aside) < rng.uniform(0.25, 0.45))).astype(
                np.float32
            ),
            2,
        )
    shape = blurred(head_mask(scene).astype(np.float32), 7)
    slow = blurred(scene.image.mean(axis=2), 14)
    light = (slow / (slow[spot[:, 1], spot[:, 0]].mean() + 1)) ** 0.5 * (0.62 + 0.45 * shape)
    paint = colour * light.clip(0.4, 1.25)[..., None] + rng.uniform(0.5, 2.5) * noise(scene)[..., None]
    gloss = scene.ellipse(
        scene.at(FOREHEAD, rng.normal(0, 0.12), -rng.uniform(0.05, 0.2)), tuple(rng.uniform(0.05, 0.14, 2))
    )
    paint = paint + rng.uniform(0, 60) * blurred(gloss, 3)[..., None]
    above = np.clip(0.1 - scene.level, 0, 0.5)
    paint = paint * (1 + rng.uniform(-0.1, 0.5) * above)[..., None]
    scene.image = scene.image * (1 - mask[..., None]) + np.clip(paint, 0, 255) * mask[..., None]
    scene.mark(mask, FACE)
    scene.weight[(mask > 0.05) & (mask < 0.9)] *= 0.4


HEADGEAR: dict[str, tuple[Callable[[Scene], None], float]] = {
    "beanie": (beanie, 0.18), "cap": (cap, 0.2), "brimmed": (brimmed, 0.17), "hijab": (hijab, 0.22),
    "turban": (turban, 0.1), "helmet": (helmet, 0.08), "band": (band, 0.05),
}  # fmt: skip
THINGS: dict[str, tuple[Callable[[Canvas], None], float]] = {
    "mask": (occluders.face_mask, 0.3), "hand": (occluders.fingers, 0.3), "thing": (occluders.thing, 0.2),
}  # fmt: skip


def compose(items: list[Labelled], odds: np.ndarray, rng: np.random.Generator, only: str | None = None) -> Scene:
    item = items[rng.choice(len(items), p=odds)]
    note = NOTES.get(item.base.name.split("/")[1])
    pictures = [items[k].base.image for k in rng.integers(0, len(items), 4)]
    scene = Scene.of(item, rng, pictures)
    worn = note is not None and note.covered
    spectacles = bool((item.rest == GLASSES).any()) or (note is not None and note.has_glasses)
    chance = rng.random(12)
    if only is None and not worn and chance[0] < 0.25:
        shaven(scene)
    if only is None and chance[1] < 0.3:
        dyed(scene)
    if only is None and chance[10] < 0.35:
        streaked(scene)
    if only is None and chance[2] < 0.35:
        dressed(scene)
    if not worn and (only is None and chance[3] < 0.1):
        locks(scene)
    if (only is None and chance[4] < 0.1 and not (scene.rest == FACIAL_HAIR).any()) or only == "beard":
        bearded(scene)
    if not spectacles and ((only is None and chance[5] < 0.3) or only == "glasses"):
        glasses(scene)
        scene.done.append("glasses")
    if not worn and ((only is None and chance[6] < 0.13) or only in HEADGEAR or only == "covering"):
        share = np.array([often for _, often in HEADGEAR.values()])
        name = only if only in HEADGEAR else str(rng.choice(list(HEADGEAR), p=share / share.sum()))
        HEADGEAR[name][0](scene)
        scene.done.append(name)
    if only is None and chance[7] < 0.55:
        backdrop(scene, [items[k].base.image for k in rng.integers(0, len(items), 6)])
    if only is None and chance[8] < 0.27:
        for _ in range(int(rng.integers(1, 4))):
            neighbour(scene, items[rng.choice(len(items), p=odds)])
    if only is None and chance[9] < 0.17:
        name = str(
            rng.choice(
                ["mask", "hand", "thing", "microphone", "branches", "scarf"], p=[0.25, 0.25, 0.15, 0.15, 0.1, 0.1]
            )
        )
        if name == "microphone":
            microphone(scene)
        elif name == "branches":
            branches(scene)
        elif name == "scarf":
            scarfed(scene)
        else:
            occluded(scene, THINGS[name][0])
        scene.done.append(name)
    return scene


def held_out(name: str) -> bool:
    number = re.search(r"(\d+)$", name)
    if number is None:
        return False
    k = int(number[1])
    return k % 2 == 1 if name.startswith("portraits_pd") else k >= 80


def learnt(out: Path, held: bool = False) -> tuple[list[Labelled], np.ndarray]:
    """Labelled bases of the people to learn from (or of those held out), and how often each is shown."""
    items, odds = [], []
    for path in sorted((out / "bases").glob("*.npz")):
        if path.stem not in ("faces_cc0", "portraits_pd"):
            continue
        for base in load_bases(path):
            if held_out(base.name) != held:
                continue
            note = NOTES.get(base.name.split("/")[1])
            if note is not None and note.skip:
                continue
            item = labelled(base)
            often = 1.6 if path.stem == "faces_cc0" else 1.0
            if note is not None and note.covered:
                often *= 2.5
            if (item.hair > 0.5).sum() < 1200 and not (note is not None and note.covered):
                often *= 2.0
            if (item.hair > 0.5).sum() > 9000:
                often *= 1.3
            items.append(item)
            odds.append(often)
    chances = np.array(odds)
    return items, chances / chances.sum()


def packed(scene: Scene) -> tuple[np.ndarray, ...]:
    return (
        scene.image.clip(0, 255).astype(np.uint8),
        np.round(scene.hair.clip(0, 1) * 255).astype(np.uint8),
        scene.rest.astype(np.uint8),
        np.round(scene.weight.clip(0, 1) * 255).astype(np.uint8),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    cv2.setNumThreads(1)
    items, odds = learnt(options.out)
    folder = options.out / "shards"
    folder.mkdir(exist_ok=True)
    began = time.monotonic()
    for number in range(-(-options.count // SHARD)):
        goal = folder / f"{options.seed}-{number}.npz"
        if goal.exists():
            continue
        rng = np.random.default_rng([options.seed, number])
        rows = [packed(compose(items, odds, rng)) for _ in range(SHARD)]
        image, hair, rest, weight = (np.stack(column) for column in zip(*rows, strict=True))
        np.savez(goal, image=image, hair=hair, rest=rest, weight=weight)
        print(f"{(number + 1) * SHARD} pictures, {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
