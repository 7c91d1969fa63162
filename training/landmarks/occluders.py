"""Things before a face, painted: masks, scarves, hands, glasses, bars, hair, cups; and what only looks like one.

Every function takes a `Canvas` and paints onto its picture. What is painted opaquely adds to `Canvas.cover`, from which
`Canvas.covered` tells how much of the mouth and of each eye is hidden. Nothing here is a photo of a thing.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np

from training.landmarks.canvas import (
    BRIDGE,
    CHIN,
    EYE_LEFT,
    EYE_RIGHT,
    FOREHEAD,
    LOWER_OVAL,
    MOUTH,
    OVAL,
    REGIONS,
    TIP,
    UNDER_NOSE,
    Canvas,
    cloth,
    plain_colour,
    scrap,
    skin,
    strands,
)


def face_mask(canvas: Canvas) -> None:
    """Of paper, cloth or FFP2; now and then below the nose, or only under the chin."""
    rng = canvas.rng
    where = rng.choice(["nose", "tip", "lip", "chin"], p=[0.62, 0.16, 0.14, 0.08])
    top = {
        "nose": canvas.at(BRIDGE, 0, rng.uniform(0.02, 0.16)),
        "tip": canvas.at(TIP, 0, rng.uniform(-0.06, 0.02)),
        "lip": canvas.at(UNDER_NOSE, 0, rng.uniform(-0.02, 0.03)),
        "chin": canvas.at(17, 0, rng.uniform(0.05, 0.12)),
    }[where]
    drop = {"nose": 0.0, "tip": 0.08, "lip": 0.14, "chin": 0.24}[where]
    ear = rng.uniform(0.02, 0.12)
    narrow = rng.uniform(0.0, 0.1)
    wing, low, bump = rng.uniform(0.0, 0.06), rng.uniform(-0.02, 0.09), rng.uniform(0, 0.03)
    uneven = rng.normal(0, 0.02, 5)
    right = canvas.at(234, narrow, ear + drop + uneven[0])
    left = canvas.at(454, -narrow, ear + drop + uneven[1])
    jaw = (58, 288) if rng.random() < 0.5 else (172, 397)
    outline = [
        right,
        canvas.at((right + top) / 2, 0, wing),
        top,
        canvas.at((left + top) / 2, 0, wing),
        left,
        canvas.at(jaw[1], 0, uneven[2]),
        canvas.at(378, 0.02, low),
        canvas.at(CHIN, uneven[3], low + bump),
        canvas.at(149, -0.02, low),
        canvas.at(jaw[0], 0, uneven[4]),
    ]
    mask = canvas.polygon(outline)
    usual = [
        (150, 195, 220),
        (110, 170, 205),
        (235, 238, 240),
        (245, 245, 245),
        (25, 25, 28),
        (60, 62, 66),
        (160, 215, 200),
        (235, 180, 195),
        (215, 220, 215),
    ]
    colour = None if rng.random() < 0.35 else np.array(usual[rng.integers(len(usual))]) * rng.uniform(0.8, 1.05)
    for ear_at, corner in ((127, right), (356, left)) if rng.random() < 0.8 else ():
        canvas.paint(canvas.line([canvas.at(ear_at, 0, 0.02), corner], 0.012), (235, 235, 235))
    paint = cloth(canvas, colour)
    y, x = np.mgrid[: mask.shape[0], : mask.shape[1]].astype(np.float32)
    along = ((x - top[0]) * canvas.down[0] + (y - top[1]) * canvas.down[1]) / canvas.height
    aside = ((x - top[0]) * canvas.across[0] + (y - top[1]) * canvas.across[1]) / canvas.height
    style = rng.choice(["pleats", "fold", "plain"], p=[0.5, 0.2, 0.3])
    if style == "pleats":
        bend = along + rng.uniform(-0.6, 0.6) * aside**2
        paint *= (1 + rng.uniform(0.04, 0.2) * np.sign(np.sin(2 * np.pi * bend / rng.uniform(0.06, 0.16))))[..., None]
    elif style == "fold":
        paint *= (1 - rng.uniform(0.1, 0.45) * np.tanh(aside / rng.uniform(0.03, 0.2)) * rng.choice([-1, 1]))[..., None]
        paint *= (1 - 0.35 * np.exp(-((aside / 0.006) ** 2)))[..., None]
    canvas.paint(mask, paint, shadow=rng.uniform(0, 0.5))
    if rng.random() < 0.4:  # the wire, or a seam
        edge = [
            right,
            canvas.at((right + top) / 2, 0, wing + 0.02),
            canvas.at(top, 0, 0.02),
            canvas.at((left + top) / 2, 0, wing + 0.02),
            left,
        ]
        canvas.paint(canvas.line(edge, 0.01) * mask, plain_colour(rng), opacity=0.5)


def scarf(canvas: Canvas) -> None:
    """Of thick cloth, from somewhere between nose and chin down to the picture's border."""
    rng = canvas.rng
    level = canvas.at(TIP, 0, rng.uniform(-0.12, 0.42))
    n = 7
    xs = np.linspace(-0.9, 0.9, n)
    top = [canvas.at(level, x, rng.normal(0, 0.025) - rng.uniform(0, 0.15) * x**2) for x in xs]
    mask = canvas.polygon([*top, canvas.at(level, 1.0, 1.6), canvas.at(level, -1.0, 1.6)])
    canvas.paint(mask, cloth(canvas), shadow=rng.uniform(0, 0.6))


def fingers(canvas: Canvas) -> None:
    """A hand laid on mouth, cheek, chin or an eye: a palm and some fingers."""
    rng = canvas.rng
    places = [*(canvas.eye(region) for region in REGIONS), *(canvas.points[k] for k in (205, 425, CHIN, 151))]
    target = places[rng.choice(7, p=[0.36, 0.14, 0.14, 0.08, 0.08, 0.1, 0.1])]
    paint, turn = skin(canvas), rng.uniform(0, 2 * np.pi)
    count, width = int(rng.integers(2, 6)), rng.uniform(0.055, 0.09)
    way = np.cos(turn) * canvas.across + np.sin(turn) * canvas.down
    aside = np.array([-way[1], way[0]])
    centre = target + canvas.height * rng.normal(0, 0.04, 2)
    if rng.random() < 0.6:  # the palm
        half = (rng.uniform(0.16, 0.28), rng.uniform(0.14, 0.22))
        at = centre - way * canvas.height * rng.uniform(0.0, 0.35)
        canvas.paint(canvas.ellipse(at, half, float(np.degrees(turn)), rng.uniform(2, 3)), paint, shadow=0.3)
    for k in range(count):
        off = (k - (count - 1) / 2) * width * rng.uniform(0.95, 1.1)
        tip = centre + canvas.height * (aside * off + way * rng.uniform(0.08, 0.3))
        root = centre + canvas.height * (aside * off * 0.9 - way * rng.uniform(0.25, 0.6))
        mask = canvas.blurred(canvas.line([root, tip], width * 0.96), 0.006)
        canvas.paint(mask, paint * rng.uniform(0.9, 1.08), shadow=rng.uniform(0.15, 0.5))
        if rng.random() < 0.5:  # a nail
            canvas.paint(
                canvas.ellipse(tip, (width * 0.3, width * 0.35), float(np.degrees(turn))), paint * 1.12, opacity=0.7
            )


def thing(canvas: Canvas) -> None:
    """A cup, a phone, a microphone, food, a book: some solid before the face, anywhere."""
    rng = canvas.rng
    region = REGIONS[rng.choice(3, p=[0.6, 0.2, 0.2])]
    centre = canvas.eye(region) + canvas.height * rng.normal(0, [0.14, 0.1]) @ np.stack([canvas.across, canvas.down])
    kind = rng.choice(["ball", "box", "blob"])
    half = rng.uniform(0.08, 0.3, 2)
    if kind == "ball":
        stem = canvas.at(centre, rng.normal(0, 0.2), rng.uniform(0.5, 0.9))
        canvas.paint(canvas.line([centre, stem], rng.uniform(0.03, 0.1)), plain_colour(rng))
        mask = canvas.ellipse(centre, (half[0], half[0] * rng.uniform(0.9, 1.4)), rng.uniform(-30, 30))
    elif kind == "box":
        mask = canvas.ellipse(centre, tuple(half * 1.1), rng.uniform(-40, 40), rng.uniform(5, 12))
    else:
        turn = np.sort(rng.uniform(0, 2 * np.pi, 8))
        r = canvas.height * half.mean() * rng.uniform(0.6, 1.4, 8)
        mask = canvas.polygon(centre + np.stack([r * np.cos(turn), r * np.sin(turn)], 1))
    canvas.paint(mask, cloth(canvas), shadow=rng.uniform(0, 0.5))


def patch(canvas: Canvas) -> None:
    """An eye patch or a dressing, with its strap."""
    rng = canvas.rng
    region = (EYE_LEFT, EYE_RIGHT)[rng.integers(2)]
    centre = canvas.eye(region) + canvas.height * rng.normal(0, 0.015, 2)
    colour = np.full(3, rng.uniform(5, 45)) if rng.random() < 0.65 else plain_colour(rng)
    if rng.random() < 0.7:
        ends = [canvas.at(centre, -0.7, rng.normal(0, 0.2)), centre, canvas.at(centre, 0.7, rng.normal(0, 0.2))]
        canvas.paint(canvas.line(ends, rng.uniform(0.008, 0.03)), colour)
    half = (rng.uniform(0.1, 0.18), rng.uniform(0.08, 0.16))
    canvas.paint(
        canvas.ellipse(centre, half, rng.uniform(-25, 25), rng.uniform(1.7, 4)), cloth(canvas, colour), shadow=0.3
    )


def bar(canvas: Canvas) -> None:
    """A censor's bar over the eyes, one eye, or the mouth."""
    rng = canvas.rng
    left, right, mouth = canvas.eye(EYE_LEFT), canvas.eye(EYE_RIGHT), canvas.eye(MOUTH)
    which = rng.choice(["eyes", "one", "mouth", "all"], p=[0.55, 0.12, 0.28, 0.05])
    centre = {
        "eyes": (left + right) / 2,
        "one": (left, right)[rng.integers(2)],
        "mouth": mouth,
        "all": (left + right + mouth) / 3,
    }[which]
    half = {
        "eyes": (rng.uniform(0.3, 0.6), rng.uniform(0.05, 0.14)),
        "one": (rng.uniform(0.09, 0.14), 0.08),
        "mouth": (rng.uniform(0.17, 0.4), rng.uniform(0.07, 0.16)),
        "all": (0.4, 0.45),
    }[which]
    mask = canvas.ellipse(centre, half, rng.normal(0, 3), 40 if rng.random() < 0.8 else 2.5)
    how = rng.choice(["black", "plain", "pixels", "blur"], p=[0.4, 0.2, 0.25, 0.15])
    if how in ("black", "plain"):
        canvas.paint(mask, np.full(3, rng.uniform(0, 25)) if how == "black" else plain_colour(rng), light=False)
        return
    size = canvas.image.shape[0]
    if how == "pixels":
        small = max(int(size / (canvas.height * rng.uniform(0.07, 0.16))), 2)
        hidden = cv2.resize(
            cv2.resize(canvas.image, (small, small), interpolation=cv2.INTER_AREA),
            (size, size),
            interpolation=cv2.INTER_NEAREST,
        )
    else:
        hidden = cv2.GaussianBlur(canvas.image, (0, 0), canvas.height * rng.uniform(0.06, 0.15))
    canvas.paint(mask, hidden, light=False)


def fringe(canvas: Canvas) -> None:
    """Hair that falls over one eye, or both, or stays beside them."""
    rng = canvas.rng
    side = rng.choice([-1, 1])
    low = rng.uniform(0.1, 0.62)
    inner = rng.uniform(-0.15, 0.3)
    top = canvas.at(FOREHEAD, 0, -0.12)
    outline = [
        canvas.at(top, -side * rng.uniform(0.0, 0.4), 0.0),
        canvas.at(top, -side * inner * 0.5, 0.2 * low),
        canvas.at(top, side * (0.12 - inner * 0.3), 0.14 + low * 0.75),
        canvas.at(top, side * 0.25, 0.2 + low),
        canvas.at(top, side * 0.5, 0.1 + low),
        canvas.at(top, side * 0.7, 0.3),
        canvas.at(top, side * 0.4, -0.05),
    ]
    mask = canvas.polygon(outline, soft=rng.uniform(0.004, 0.02))
    canvas.paint(mask, strands(canvas, rng.uniform(-35, 35)), shadow=rng.uniform(0, 0.4))


def glasses(canvas: Canvas) -> None:
    """Dark ones, which cover, and clear ones, which do not, with frames and reflections."""
    rng = canvas.rng
    dark = rng.random() < 0.6
    opacity = rng.uniform(0.9, 1.0) if dark else rng.choice([0.0, rng.uniform(0, 0.35)])
    lens = np.full(3, rng.uniform(3, 40)) if rng.random() < 0.7 else plain_colour(rng) * 0.6
    frame = plain_colour(rng) if rng.random() < 0.5 else np.full(3, rng.uniform(5, 60))
    half = np.array([rng.uniform(0.11, 0.19), rng.uniform(0.075, 0.155)])
    power, thick = rng.uniform(1.9, 6), rng.uniform(0.004, 0.03)
    lower = rng.uniform(-0.01, 0.04)
    tilt = rng.normal(0, 6)
    centres = [canvas.at(canvas.eye(r), 0, lower) for r in (EYE_RIGHT, EYE_LEFT)]
    gap = float(np.dot(centres[1] - centres[0], canvas.across)) / canvas.height
    wide = np.array([min(half[0], max(abs(gap) * 0.48, 0.05)), half[1]])
    for centre, temple, sign in zip(centres, (127, 356), (-1, 1), strict=True):
        mask = canvas.ellipse(centre, tuple(wide), sign * tilt, power)
        rim = np.clip(canvas.ellipse(centre, tuple(wide + thick), sign * tilt, power) - mask, 0, 1)
        if opacity > 0:
            y = np.mgrid[: mask.shape[0], : mask.shape[1]][0].astype(np.float32)
            fade = np.clip(1 - rng.uniform(-0.3, 0.5) * (y - centre[1]) / (half[1] * canvas.height), 0.6, 1.4)
            canvas.paint(mask, lens * fade[..., None], opacity=float(opacity), light=rng.random() < 0.5)
        canvas.paint(rim, frame)
        canvas.paint(
            canvas.line([canvas.at(centre, sign * wide[0], -0.02), canvas.at(temple, 0, 0)], max(thick, 0.008)), frame
        )
        if rng.random() < 0.5:  # a reflection, across the lens or as a spot
            spot = canvas.ellipse(canvas.at(centre, *rng.normal(0, 0.05, 2)), tuple(rng.uniform(0.01, 0.1, 2)), 45, 3)
            kept = canvas.cover.copy()
            shine = scrap(canvas) if rng.random() < 0.5 else np.full(3, rng.uniform(160, 255))
            canvas.paint(spot * mask, shine, opacity=rng.uniform(0.1, 0.75), light=False)
            if not dark:
                canvas.cover = kept
    canvas.paint(canvas.line(centres, max(thick, 0.006)) * (1 - canvas.cover), frame, shadow=0.0)


COVERS: dict[str, tuple[Callable[[Canvas], None], float]] = {
    "mask": (face_mask, 0.3), "scarf": (scarf, 0.1), "hand": (fingers, 0.12), "thing": (thing, 0.12),
    "patch": (patch, 0.08), "bar": (bar, 0.14), "hair": (fringe, 0.1), "glasses": (glasses, 0.24),
}  # fmt: skip
"""By name, with how often each is painted beside the others."""


# What only looks like it


def beard(canvas: Canvas) -> None:
    """Dark or grey hair around the lips, which stay."""
    rng = canvas.rng
    lips = canvas.polygon(canvas.points[list(MOUTH)], soft=0.008)
    jaw = canvas.polygon(
        [canvas.at(k, 0, 0.03) for k in LOWER_OVAL[2:-2]] + [canvas.at(UNDER_NOSE, 0, -0.02)], soft=0.02
    )
    if rng.random() < 0.35:  # only a moustache
        jaw = canvas.ellipse(canvas.at(UNDER_NOSE, 0, 0.03), (rng.uniform(0.1, 0.2), 0.045), 0, 2)
    kept = canvas.cover.copy()
    canvas.paint(jaw * (1 - lips), strands(canvas, rng.uniform(-40, 40)), opacity=rng.uniform(0.4, 1))
    canvas.cover = kept


def make_up(canvas: Canvas) -> None:
    rng = canvas.rng
    kept = canvas.cover.copy()
    for region in (EYE_LEFT, EYE_RIGHT) if rng.random() < 0.7 else ():
        spot = canvas.ellipse(canvas.eye(region), (rng.uniform(0.08, 0.13), rng.uniform(0.04, 0.07)))
        canvas.image *= 1 - canvas.blurred(spot, 0.015)[..., None] * (1 - plain_colour(rng) / 255) * rng.uniform(
            0.2, 0.7
        )
    if rng.random() < 0.7:
        lips = canvas.polygon(canvas.points[list(MOUTH)], soft=0.006)
        colour = np.array([rng.uniform(90, 220), rng.uniform(0, 80), rng.uniform(20, 110)])
        canvas.paint(lips, colour, opacity=rng.uniform(0.3, 0.7))
    canvas.cover = kept


def shade(canvas: Canvas) -> None:
    """A strong shadow over a part of the face."""
    rng = canvas.rng
    centre = canvas.points[rng.choice([151, BRIDGE, 205, 425, 17, 33, 263])]
    spot = canvas.ellipse(centre, tuple(rng.uniform(0.15, 0.6, 2)), rng.uniform(0, 180), rng.uniform(2, 6))
    canvas.image *= (1 - rng.uniform(0.3, 0.8) * canvas.blurred(spot, rng.uniform(0.005, 0.08)))[..., None]


def hat(canvas: Canvas) -> None:
    """A hat or cap down to the brows, a headscarf or hood around the face."""
    rng = canvas.rng
    if rng.random() < 0.5:
        low = canvas.at(9, 0, -rng.uniform(0.03, 0.15))
        outline = [canvas.at(low, x, rng.uniform(0, 0.2) * (abs(x) - 0.3)) for x in np.linspace(-0.6, 0.6, 6)]
        mask = canvas.polygon([*outline, canvas.at(low, 0.6, -1.0), canvas.at(low, -0.6, -1.0)])
    else:
        middle = canvas.points[list(OVAL)].mean(axis=0)
        hole = canvas.polygon(middle + (canvas.points[list(OVAL)] - middle) * rng.uniform(0.93, 1.05))
        mask = 1 - hole
    kept = canvas.cover.copy()
    canvas.paint(mask, cloth(canvas), shadow=rng.uniform(0, 0.5))
    canvas.cover = np.maximum(kept, canvas.cover * mask)


DECOYS: dict[str, Callable[[Canvas], None]] = {"beard": beard, "make_up": make_up, "shade": shade, "hat": hat}
