"""CC0 portraits -> skin.npz: the statistical model of skin on the atlas (src/tronie/stages/texture/skin_model.py).

    python -m training.skin.train ../shared/faces_cc0 src/tronie/assets/skin.npz

Textures are baked from the portraits 00 to 79 of each sex; 80 to 99 are held out. Only what a photo shows counts.
Slow light is fitted to each and taken out, and principal components are found in the rest by regularised iterative PCA
(Josse and Husson 2012, "Handling missing values in exploratory multivariate data analysis methods"): what is missing
is put in from the components, those are computed anew, each shrunk by the share of its variance that is noise, and so
on. Texels far from their reconstruction (glasses, strands of hair) lose their weight. The atlas is symmetric, so each
portrait counts as its mirror image too: even and odd parts are separate problems of half the size.
"""

from __future__ import annotations

import argparse
import pickle
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from training.skin.texture_maps import Atlas, Shown, atlas_of, collect
from tronie.head.model import HeadModel, default_head
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.mesh_filters import fold_shade
from tronie.stages.texture.skin_model import SkinModel

SIDE = 256
COMPONENTS = 60
HUE = 3.0
"""Weight of a hue's texel against a lightness's: fewer, and smaller in number but as plain to see."""
ROUNDS = 80
FIRST, SLOW = 4, 25
"""So many components for so many rounds, then more and more."""
FEW = 30.0
"""So many portraits' say has the smooth course of the mean against what they show."""


@dataclass
class Data:
    """Portraits as rows: lightness (S, S) and hues (S / 2, S / 2, 2), less the slow light."""

    light: np.ndarray
    """(P, S, S)."""
    hues: np.ndarray
    """(P, S / 2, S / 2, 2)."""
    light_weight: np.ndarray
    hue_weight: np.ndarray
    """(P, S / 2, S / 2)."""


def folds(model: HeadModel, atlas: Atlas) -> np.ndarray:
    """(S, S, 3) in opponent terms: how dark and red the model's folds are."""
    factor = np.log(fold_shade(surface_facts(model, 1).openness, 1.0))
    factor = np.stack([factor.mean(-1), factor[:, 0] - factor[:, 1], factor[:, 1] - factor[:, 2]], axis=1)
    return atlas.draw(factor.astype(np.float32))


def halved(x: np.ndarray) -> np.ndarray:
    return cv2.resize(x, (x.shape[1] // 2, x.shape[0] // 2), interpolation=cv2.INTER_AREA)


def smooth_mean(total: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A weighted mean whose gaps are filled from ever wider surroundings; sums (S, S, k), weights (S, S)."""
    out = np.broadcast_to(total.sum(axis=(0, 1)) / weight.sum(), total.shape)
    for width in (24.0, 12.0, 6.0, 3.0):
        near = cv2.GaussianBlur(total, (0, 0), width).reshape(total.shape)
        n = cv2.GaussianBlur(weight, (0, 0), width)[..., None]
        out = (near + FEW * out) / (n + FEW)
    return (total + FEW * out) / (weight[..., None] + FEW)


def lights(people: list[Shown], base: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Slow light of each portrait (P, 9, 3), the mean without it (S, S, 3), and weights (P, S, S)."""
    mean = np.zeros_like(base)
    coefficients = np.zeros((len(people), 9, 3))
    ridge = np.tile([[0.0], *([[0.15]] * 3), *([[0.1]] * 5)], (1, 3))
    ridge[:, 1:] *= 0.3
    ridge[4:, 1:] = 1e-4  # hues vary with the first order only
    for turn in range(5):
        total, count = np.zeros_like(base), np.zeros(base.shape[:2], np.float32)
        for i, p in enumerate(people):
            use = p.weight > 0.2
            y = (p.colour - base - mean)[use]
            b = p.light[use].astype(float)
            w = p.weight[use].astype(float)
            for channel in range(3):
                v = w.copy()
                for _ in range(4 if turn else 1):
                    a = (b * v[:, None]).T @ b
                    a[range(1, 9), range(1, 9)] += 60 / ridge[1:, channel] ** 2 * 0.05
                    c = np.linalg.solve(a, (b * v[:, None]).T @ y[:, channel])
                    r = y[:, channel] - b @ c
                    s = 1.48 * np.median(np.abs(r)) + 0.01
                    v = w / (1 + (r / (2 * s)) ** 2) ** 2
                coefficients[i, :, channel] = c
        coefficients[:, 1:] -= coefficients[:, 1:].mean(axis=0) * 0.5  # the common part belongs to the mean
        for i, p in enumerate(people):
            rest = p.colour - base - p.light[..., 1:] @ coefficients[i, 1:].astype(np.float32)
            tone = np.median((rest - mean)[p.weight > 0.5], axis=0)
            for flip in (1, -1):
                total += (p.weight[..., None] * (rest - tone))[:, ::flip]
                count += p.weight[:, ::flip]
        mean = smooth_mean(total, count)
        mean = (mean + mean[:, ::-1]) / 2
    return coefficients, mean, count


def arranged(people: list[Shown], base: np.ndarray, coefficients: np.ndarray) -> Data:
    rest = [
        p.colour - base - p.light[..., 1:] @ c[1:].astype(np.float32) for p, c in zip(people, coefficients, strict=True)
    ]
    weight = [p.weight for p in people]
    coarse = [halved(w) for w in weight]
    hues = [
        halved(r[..., 1:] * w[..., None]) / np.maximum(v, 1e-3)[..., None]
        for r, w, v in zip(rest, weight, coarse, strict=True)
    ]
    return Data(*(np.stack(x).astype(np.float32) for x in ([r[..., 0] for r in rest], hues, weight, coarse)))


class Parts:
    """Rows of full maps <-> their even and odd halves as vectors."""

    def __init__(self, inside: np.ndarray) -> None:
        half = inside.shape[1] // 2
        self.inside = inside[:, :half]
        s = len(inside) // 2
        self.coarse = self.inside.reshape(s, 2, s // 2, 2).any(axis=(1, 3))

    def split(self, light: np.ndarray, hues: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        out = []
        for sign in (1, -1):
            a = (light + sign * light[:, :, ::-1])[:, :, : self.inside.shape[1]][:, self.inside] / 2
            b = (hues + sign * hues[:, :, ::-1])[:, :, : self.coarse.shape[1]][:, self.coarse] / 2
            out.append(np.concatenate([a, b[..., 0], b[..., 1]], axis=1))
        return out[0], out[1]

    def join(self, even: np.ndarray, odd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        n, m = int(self.inside.sum()), int(self.coarse.sum())
        light = np.zeros((len(even), *self.inside.shape[:1], 2 * self.inside.shape[1]), np.float32)
        hues = np.zeros((len(even), len(self.coarse), 2 * self.coarse.shape[1], 2), np.float32)
        left, right = even + odd, even - odd
        for x, side in ((left, 1), (right, -1)):
            light[:, :, ::side][:, :, : self.inside.shape[1]][:, self.inside] = x[:, :n]
            for k in range(2):
                hues[:, :, ::side][:, :, : self.coarse.shape[1]][:, self.coarse, k] = x[:, n + k * m :][:, :m]
        return light, hues


def components(rows: np.ndarray, scale: np.ndarray, count: int, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Modes (count, D), unit length in the scaled space, and eigenvalues (all) of centred rows (P, D)."""
    x = rows * scale
    values, vectors = np.linalg.eigh(x @ x.T / degrees)
    order = np.argsort(values)[::-1]
    values, vectors = np.maximum(values[order], 0), vectors[:, order]
    modes = (vectors[:, :count].T @ x) / np.sqrt(np.maximum(values[:count, None] * degrees, 1e-12))
    return modes, values


def learn(data: Data, mean: np.ndarray, inside: np.ndarray, count: int) -> tuple[np.ndarray, ...]:
    """Mean (D,), modes (K, D) at one deviation, odd (K,), noise (D,), coefficients (P, K)."""
    parts = Parts(inside)
    n = int(parts.inside.sum())
    people = len(data.light)
    scale = np.full(n + 2 * int(parts.coarse.sum()), HUE, np.float32)
    scale[:n] = 1
    mean_light, mean_hues = mean[None, ..., 0], halved(mean[..., 1:])[None]
    centre = parts.split(mean_light, mean_hues)[0][0]
    # To begin with, each is the mean in its own tone.
    tone = np.stack(
        [np.median((x - mean_light[0])[w > 0.3]) for x, w in zip(data.light, data.light_weight, strict=True)]
    )
    hue_tone = np.stack(
        [np.median((x - mean_hues[0])[w > 0.3], axis=0) for x, w in zip(data.hues, data.hue_weight, strict=True)]
    )
    guess = mean_light + tone[:, None, None], mean_hues + hue_tone[:, None, None]
    wl, wh = data.light_weight.copy(), data.hue_weight.copy()
    for turn in range(ROUNDS):
        full = wl * data.light + (1 - wl) * guess[0], wh[..., None] * data.hues + (1 - wh[..., None]) * guess[1]
        even, odd = parts.split(*full)
        centre = even.mean(axis=0)
        found = [components(x, scale, count, people) for x in (even - centre, odd)]
        values = np.concatenate([v[:count] for _, v in found])
        is_odd = np.repeat([False, True], count)
        # Few at first: with all of them from the start, what was put into the gaps would explain itself.
        order = np.argsort(values)[::-1][: min(count, FIRST + count * max(turn - SLOW, 0) // SLOW)]
        rest = np.concatenate([v for _, v in found]).sum() - values[order].sum()
        noise = rest / max(2 * people - len(order), 1)
        modes = np.concatenate([m for m, _ in found])[order]
        sigma2, is_odd = values[order], is_odd[order]
        shrink = np.maximum(sigma2 - noise, 0) / sigma2
        scores = np.where(is_odd, (odd * scale) @ modes.T, ((even - centre) * scale) @ modes.T)
        kept = scores * shrink
        back = [(kept * (is_odd == o)) @ modes / scale for o in (0, 1)]
        guess = parts.join(back[0] + centre, back[1])
        if turn % 10 == 9 and turn < ROUNDS - 5:
            # What is far from its reconstruction, on some area, is no skin: glasses, hair, hands.
            residual = np.stack([cv2.GaussianBlur(r, (0, 0), 1.0) for r in data.light - guess[0]])
            spread = 1.48 * np.median(np.abs(residual[data.light_weight > 0.5]))
            wl = data.light_weight / (1 + (residual / (5 * spread)) ** 2) ** 2
            wh = data.hue_weight * np.stack([halved(w) for w in 1 / (1 + (residual / (5 * spread)) ** 2) ** 2])
            print(
                f"round {turn + 1}: residual {spread:.3f}, components hold {values[order].sum():.0f} of "
                f"{values[order].sum() + rest:.0f}"
            )
    away = [np.abs(a - b) for a, b in ((data.light, guess[0]), (data.hues, guess[1]))]
    hue_weight = np.repeat(data.hue_weight[..., None], 2, -1)
    r = parts.split(away[0] * data.light_weight, away[1] * hue_weight)
    w = parts.split(data.light_weight, hue_weight)
    mean_abs = r[0].sum(axis=0) + 0.06 * 5
    noise_map = 1.25 * mean_abs / (w[0].sum(axis=0) + 5)
    sigma = np.sqrt(np.maximum(sigma2 - noise, 0))
    modes = softened(parts, modes / scale, is_odd, data)
    return centre, modes * sigma[:, None], is_odd, noise_map, kept / sigma


def softened(parts: Parts, modes: np.ndarray, odd: np.ndarray, data: Data) -> np.ndarray:
    """Modes (K, D) without the fine detail where few portraits speak: that would be those few people's."""
    zero = np.zeros_like(modes)
    light, hues = parts.join(np.where(odd[:, None], zero, modes), np.where(odd[:, None], modes, zero))
    for maps, weight, width in ((light, data.light_weight, 5.0), (hues, data.hue_weight, 2.5)):
        n = cv2.GaussianBlur(weight.sum(axis=0) + weight.sum(axis=0)[:, ::-1], (0, 0), width)
        inside = (parts.inside if width > 3 else parts.coarse).astype(np.float32)
        inside = np.concatenate([inside, inside[:, ::-1]], axis=1)
        share = (n / (n + FEW))[..., None] ** 2
        norm = np.maximum(cv2.GaussianBlur(inside, (0, 0), width), 1e-3)[..., None]
        for k in range(len(maps)):
            m = maps[k].reshape(*inside.shape, -1)
            soft = cv2.GaussianBlur(m * inside[..., None], (0, 0), width).reshape(m.shape) / norm
            maps[k] = (soft + share * (m - soft)).reshape(maps[k].shape)
    even, odd_part = parts.split(light, hues)
    return np.where(odd[:, None], odd_part, even)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--maps", type=Path, help="keep what was baked here, and take it from here the next time")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    model = default_head()
    if options.maps and options.maps.exists():
        people = pickle.loads(options.maps.read_bytes())
    else:
        people = collect(options.portraits, model, SIDE, range(80))
        if options.maps:
            options.maps.write_bytes(pickle.dumps(people))
    atlas = atlas_of(model, SIDE)
    base = folds(model, atlas)
    coefficients, mean, _ = lights(people, base)
    data = arranged(people, base, coefficients)
    centre, modes, odd, noise, scores = learn(data, mean, atlas.inside, COMPONENTS)
    light = coefficients[..., 0].std(axis=0)
    light[0] = 0
    hue_light = coefficients[:, :4, 1:].std(axis=0).T
    hue_light[:, 0] = 0
    grain = np.log([p.grain for p in people])
    skin = SkinModel(
        atlas.inside[:, : SIDE // 2],
        centre,
        modes,
        odd,
        noise,
        light,
        hue_light,
        scores,
        np.array([grain.mean(), grain.std()]),
    )
    skin.save(options.out)
    print(f"{len(people)} portraits, {odd.sum()} odd modes, {options.out.stat().st_size} bytes")
    print("light", np.round(light, 3), "hues", np.round(hue_light, 3), "grain", np.round(skin.grain, 2))


if __name__ == "__main__":
    main()
