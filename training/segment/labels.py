"""Labels of all SEGMENTS for a base: from the teacher's hair, the person's mask, the fitted head and the skin's colour,
with what was noted by eye (`notes`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from training.landmarks.canvas import EYE_LEFT, EYE_RIGHT, LOWER_OVAL, MOUTH, OVAL, UNDER_NOSE
from training.segment.bases import CANVAS, EAR, NECK, NOTHING, SCALP, SKIN, Base
from training.segment.notes import NOTES, Note
from tronie.shells import SEGMENTS

BACKGROUND, HAIR, FACIAL_HAIR, FACE, BODY, CLOTHES, COVERING, GLASSES, OTHER = range(len(SEGMENTS))
CHIN, NOSE_BRIDGE = 152, 168
BROWS = (70, 63, 105, 66, 107), (300, 293, 334, 296, 336)


@dataclass(frozen=True)
class Labelled:
    base: Base
    hair: np.ndarray
    """(S, S) float32 0..1: the share of hair in each pixel."""
    rest: np.ndarray
    """(S, S) uint8: what the other share is, an index of SEGMENTS."""
    weight: np.ndarray
    """(S, S) float32 0..1: how far the label is believed."""


def polygon(points: np.ndarray | Sequence[Sequence[float]]) -> np.ndarray:
    """(S, S) bool: inside."""
    mask = np.zeros((CANVAS, CANVAS), np.uint8)
    cv2.fillPoly(mask, [np.round(np.asarray(points, np.float64) * 16).astype(np.int32)], 1, cv2.LINE_8, 4)
    return mask > 0


def step(low: float, high: float, x: np.ndarray) -> np.ndarray:
    t = np.clip((x - low) / (high - low), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)


def eroded(mask: np.ndarray, pixels: int) -> np.ndarray:
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * abs(pixels) + 1,) * 2)
    return np.asarray((cv2.erode if pixels > 0 else cv2.dilate)(mask.astype(np.uint8), kernel)) > 0


def shrunk(points: np.ndarray, by: float) -> np.ndarray:
    middle = points.mean(axis=0)
    return np.asarray(middle + (points - middle) * by)


class Colours:
    """Of a base in CIELAB, and how far each pixel is from the person's skin."""

    def __init__(self, base: Base, taken: np.ndarray) -> None:
        smooth = cv2.bilateralFilter(base.image, 5, 30, 3)
        self.lab = cv2.cvtColor(smooth.astype(np.float32) / 255, cv2.COLOR_RGB2Lab)
        pool = self.lab[taken]
        self.skin = np.median(pool, axis=0)
        spread = 1.48 * np.median(np.abs(pool - self.skin), axis=0)
        self.grey = bool(np.abs(self.lab[..., 1:]).mean() < 4 or np.hypot(*self.skin[1:]) < 7)
        self.off = (self.lab - self.skin) / np.maximum(spread, [6.0, 2.2, 2.6])
        chroma = np.hypot(self.off[..., 1], self.off[..., 2])
        self.distance = np.where(self.grey, np.abs(self.off[..., 0]), np.hypot(chroma, 0.45 * self.off[..., 0]))


def labelled(base: Base, note: Note | None = None) -> Labelled:
    note = note or NOTES.get(base.name.split("/")[1], Note())
    p, region = base.points, base.region
    oval = polygon(p[list(OVAL)])
    inner = polygon(shrunk(p[list(OVAL)], 0.86))
    chin = p[CHIN]
    down = chin - p[NOSE_BRIDGE]
    size = float(np.linalg.norm(down)) + 1e-6
    down = down / size
    y, x = np.mgrid[:CANVAS, :CANVAS] + 0.5
    below = ((x - chin[0]) * down[0] + (y - chin[1]) * down[1]) / size
    """How far below the chin, in lengths from the bridge of the nose to it."""
    hair = step(0.25, 0.75, base.hair / 255)
    person = step(0.3, 0.7, base.person / 255)
    lids = [polygon(shrunk(p[list(eye)], 1.5)) for eye in (EYE_LEFT, EYE_RIGHT)]
    lips = polygon(p[list(MOUTH)])
    taken = inner & ~lips & ~lids[0] & ~lids[1] & (hair < 0.1)
    if taken.sum() < 50:
        taken = inner
    colours = Colours(base, taken)
    skinlike = colours.distance < 2.6
    head = np.isin(region, (SKIN, EAR, SCALP)) | oval
    # The teacher takes ears for hair, and now and then a shaded cheek: what is skin by place and colour is none.
    cheeks = inner & (below < 0) & (((x - p[NOSE_BRIDGE, 0]) * down[0] + (y - p[NOSE_BRIDGE, 1]) * down[1]) > 0)
    ears = (region == EAR) & skinlike
    hair = hair * ~(cheeks | (eroded(eroded(ears, 1), -1)))
    if note.bald:
        hair = hair * 0
    for outline in note.no_hair:
        hair = hair * ~polygon(np.asarray(outline))
    named = [polygon(np.asarray(outline)) for outline in note.hair]
    named_hair = np.any(named, axis=0) if named else np.zeros((CANVAS, CANVAS), bool)
    if note.covered:  # the teacher takes cloth for hair
        hair = hair * 0
    for mask in named:
        hair = np.maximum(hair, mask)
    weight = np.ones((CANVAS, CANVAS), np.float32)
    rest = np.full((CANVAS, CANVAS), BACKGROUND, np.uint8)
    seen = (person > 0.5) | inner
    rest[seen] = CLOTHES
    face = head & ((person > 0.4) | oval) & (region != NECK) | ((region == NECK) & oval)
    rest[face] = FACE
    # Below the face: skin or cloth, by colour; what lies between teaches nothing.
    low = seen & ~face & (hair < 0.4)
    body = low & (colours.distance < 2.4)
    body = eroded(eroded(eroded(eroded(body, 1), -1), -1), 1)
    rest[low & body] = BODY
    doubt = low & (np.abs(colours.distance - 2.6) < (1.2 if colours.grey else 0.7)) & (region != NECK)
    weight[doubt] = 0.15
    if colours.grey:
        weight[low & ~doubt & (region != NECK) & body] = 0.15
    # A person beside or above the head that is neither hair nor head: not known (a hat, hair that was not seen).
    above = seen & ~face & (below < -0.15) & (hair < 0.4)
    weight[above] = 0.0
    weight[above & skinlike & eroded(region == EAR, -4)] = 0.5
    rest[above & skinlike & eroded(region == EAR, -4)] = FACE
    # Where both nets are unsure, so are we.
    weight[~base.inside & (hair > 0.3)] = 0.3
    weight *= np.where((np.abs(base.person / 255.0 - 0.5) < 0.25) & (hair < 0.5) & ~face, 0.3, 1)
    beard_zone = beard_area(base, lips, lids)
    if "moustache" in note.beard:
        beard_zone &= polygon(p[[61, 206, 98, 2, 327, 426, 291, 0]] + (p[CHIN] - p[2]) * 0.03)
    elif "chin" in note.beard:
        beard_zone &= polygon(shrunk(p[[206, 2, 426, 291, 379, 152, 150, 61]], 1.15))
    if note.beard != "none":
        dark = -colours.off[..., 0] * 6.0 / 12
        odd = np.maximum(dark, colours.distance / (1.6 if "grey" in note.beard else 2.2)) if note.beard else dark
        grown = beard_zone & (odd > 1.0)
        grown = eroded(eroded(grown, -1), 1)
        if note.beard:
            rest[grown & face] = FACIAL_HAIR
            rest[grown & ~face & beard_zone] = FACIAL_HAIR
            weight[beard_zone & ~grown & (odd > 0.55)] *= 0.2
            hair = hair * ~(grown & (below > -0.75) & oval)
        else:  # nobody looked: dark places of the beard's area teach nothing
            weight[grown] *= 0.1
    for kind, outlines in (
        (COVERING, note.covering),
        (OTHER, note.other),
        (GLASSES, note.glasses),
        (CLOTHES, note.clothes),
    ):
        for outline in outlines:
            mask = polygon(np.asarray(outline))
            if kind == GLASSES:
                mask = eroded(mask, -1)
            mask &= seen | (kind != COVERING) | (base.person > 60)
            rest[mask], weight[mask] = kind, 1.0
            hair = hair * ~mask
            if kind == COVERING:  # outlines are rough: right beside them nothing is taught
                weight[eroded(mask, -3) & ~mask & ~named_hair & (rest != FACE)] *= 0.2
    for outline in note.face:
        mask = polygon(np.asarray(outline))
        hair = hair * ~mask
        rest[mask], weight[mask] = FACE, 1.0
        weight[eroded(mask, -2) & ~eroded(mask, 2)] *= 0.3
    if note.has_glasses:  # bridge and temples are not outlined
        lenses = rest == GLASSES
        weight[glasses_area(p) & ~lenses] *= 0.25 if note.glasses else 0.0
    for outline in note.unknown:
        weight[polygon(np.asarray(outline))] = 0
    return Labelled(base, hair.astype(np.float32), rest, weight)


def beard_area(base: Base, lips: np.ndarray, lids: Sequence[np.ndarray]) -> np.ndarray:
    p = base.points
    jaw = p[list(LOWER_OVAL)]
    middle = p[UNDER_NOSE]
    lower = jaw + (jaw - middle) * 0.08
    upper = [p[323] * 0.8 + p[UNDER_NOSE] * 0.2, p[410], p[UNDER_NOSE], p[186], p[93] * 0.8 + p[UNDER_NOSE] * 0.2]
    chin_low = p[CHIN] + (p[CHIN] - p[UNDER_NOSE]) * 0.25
    lower[len(lower) // 2] = chin_low
    area = polygon(np.concatenate([lower, np.stack(upper)]))
    return area & ~lips


def glasses_area(points: np.ndarray) -> np.ndarray:
    """(S, S) bool: where glasses may be, from temple to temple."""
    outline = points[[127, 70, 105, 8, 334, 300, 356, 454, 425, 5, 205, 234]]
    return eroded(polygon(outline), -2)


def shares(hair: np.ndarray, rest: np.ndarray) -> np.ndarray:
    """(9, S, S) float32."""
    out = np.zeros((len(SEGMENTS), *hair.shape), np.float32)
    np.put_along_axis(out, rest[None].astype(np.int64), (1 - hair)[None], 0)
    out[HAIR] += hair
    return out


PALETTE = np.array(
    [(0, 0, 0), (255, 60, 0), (255, 160, 0), (255, 220, 190), (120, 200, 255), (60, 90, 255), (200, 0, 255),
     (0, 255, 255), (0, 255, 0)], np.float32
)  # fmt: skip


def overlay(image: np.ndarray, share: np.ndarray, weight: np.ndarray | None = None) -> np.ndarray:
    colour = np.einsum("khw,kc->hwc", share, PALETTE)
    out = image * 0.45 + colour * 0.55
    if weight is not None:
        out[weight < 0.4] = out[weight < 0.4] * 0.5 + 60
    return np.asarray(out.clip(0, 255).astype(np.uint8))


__all__ = ["BACKGROUND", "NOTHING", "SKIN", "Labelled", "labelled", "overlay", "polygon", "shares"]
