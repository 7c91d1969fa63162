"""A statistical model of skin on the atlas: what faces' colours have in common, and how they vary.

Colours are logarithmic: lightness, red against green, green against blue (`opponent`), after the folds' own darkness
(`mesh_filters.fold_shade`) is taken out. A skin is mean + sum_k c_k mode_k, with c_k of deviation sigma_k: principal
components of textures baked from photos, the unseen left out. The atlas is symmetric about u = 0.5 and so is the model:
each mode is even or odd in the mirror, and one half of it is stored. docs/skin.md is the card; training/skin/train.py
learns it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array
from tronie.runtime import weights

DARKEST = 12.0
"""sRGB levels added before the logarithm, which would make too much of the noise of dark places."""
NOISE_STEP = 1 / 100
"""Of the noise as stored."""


def opponent(colour: Array) -> Array:
    """sRGB 0..255 (..., 3) -> log lightness, red against green, green against blue."""
    log = np.log(np.asarray(colour) + np.float32(DARKEST))
    return np.stack([log.mean(-1), log[..., 0] - log[..., 1], log[..., 1] - log[..., 2]], axis=-1)


def colour_of(values: Array) -> Array:
    """The inverse of `opponent`."""
    light, red, yellow = np.moveaxis(np.asarray(values), -1, 0)
    green = light + (yellow - red) / 3
    return np.asarray(np.exp(np.stack([green + red, green, green - yellow], axis=-1)) - np.float32(DARKEST))


@dataclass(frozen=True, eq=False)
class Colours:
    """Colours, and by what they are judged."""

    rgb: Array
    """(N, 3) sRGB 0..255."""
    opponent: Array
    """(N, 3) the same in the terms of `opponent`."""

    @classmethod
    def of(cls, rgb: Array) -> Colours:
        return cls(rgb, opponent(rgb))


@dataclass(frozen=True, eq=False)
class SkinModel:
    """Means and modes as maps over the atlas; the left half of each, the right one follows by symmetry."""

    inside: NDArray[np.bool_]
    """(S, S / 2): texels of skin."""
    mean: Array
    """(N + 2 M,) float32: of the N texels the lightness, then of the M texels at half the resolution both hues."""
    modes: Array
    """(K, N + 2 M) float32, at one deviation."""
    odd: NDArray[np.bool_]
    """(K,) modes that change their sign in the mirror."""
    noise: Array
    """(N + 2 M,) float32: deviation of what the modes leave of a person."""
    light: Array
    """(9,) deviations of the coefficients of slow light (`harmonics.plain_basis`) in lightness; 0 first."""
    hue_light: Array
    """(2, 4) of both hues, up to the first order."""
    people: Array
    """(P, K) coefficients of those it was learned from."""
    grain: Array
    """(2,) mean and deviation of the logarithm of the finest detail's contrast."""

    @classmethod
    def load(cls, path: str | Path) -> SkinModel:
        with np.load(path) as file:
            side = int(file["side"])
            inside = np.unpackbits(file["inside"], count=side * side // 2).reshape(side, side // 2).astype(bool)
            scale = file["scale"].astype(np.float32)[:, None]
            return cls(
                inside,
                file["mean"].astype(np.float32),
                file["modes"].astype(np.float32) * scale,
                file["odd"],
                file["noise"].astype(np.float32) * np.float32(NOISE_STEP),
                file["light"].astype(np.float32),
                file["hue_light"].astype(np.float32),
                file["people"].astype(np.float32),
                file["grain"].astype(np.float32),
            )

    def save(self, path: str | Path) -> None:
        """Write one npz: modes as int8."""
        scale = np.maximum(np.abs(self.modes).max(axis=1), 1e-9) / 127
        np.savez_compressed(
            path,
            side=np.int32(len(self.inside)),
            inside=np.packbits(self.inside),
            mean=self.mean.astype(np.float16),
            modes=np.round(self.modes / scale[:, None]).astype(np.int8),
            scale=scale.astype(np.float32),
            odd=self.odd,
            noise=np.clip(np.round(self.noise / NOISE_STEP), 0, 255).astype(np.uint8),
            light=self.light,
            hue_light=self.hue_light,
            people=self.people.astype(np.float16),
            grain=self.grain,
        )

    @property
    def side(self) -> int:
        return len(self.inside)

    @property
    def coarse(self) -> NDArray[np.bool_]:
        """(S / 2, S / 4): texels of the hues."""
        s = self.side // 2
        return np.asarray(self.inside.reshape(s, 2, s // 2, 2).any(axis=(1, 3)))

    def planes(self, values: Array, odd: bool = False) -> tuple[Array, Array]:
        """(N + 2 M,) -> lightness (S, S) and hues (S / 2, S / 2, 2); around the islands their border goes on."""
        fine, coarse = _continued(self.inside.tobytes(), self.side), _continued(self.coarse.tobytes(), self.side // 2)
        count = int(self.inside.sum())
        light = values[:count][fine]
        hues = values[count:].reshape(2, -1)[:, coarse].transpose(1, 2, 0)
        sign = np.float32(-1 if odd else 1)
        return (
            np.concatenate([light, sign * light[:, ::-1]], axis=1),
            np.concatenate([hues, sign * hues[:, ::-1]], axis=1),
        )

    def at(self, uv: Array) -> tuple[Array, Array, Array]:
        """At places (P, 2) of the atlas: the mean (P, 3), the modes (3, P, K) and the noise (P, 3), float32."""
        count = int(self.inside.sum())
        odd = np.concatenate([self.odd, [False, False]])
        rows = np.ascontiguousarray(np.vstack([self.modes, self.mean, self.noise]).T)
        channels = np.split(rows, [count, count + (len(rows) - count) // 2])
        out = np.stack(
            [
                _sampled(uv, mask, values, odd)
                for mask, values in zip((self.inside, self.coarse, self.coarse), channels, strict=True)
            ]
        )
        k = len(self.modes)
        return out[:, :, k].T.copy(), np.ascontiguousarray(out[:, :, :k]), out[:, :, k + 1].T.copy()

    def map(self, coefficients: Array, size: int) -> Array:
        """(size, size, 3) float32 in the terms of `opponent`, for coefficients (K,) in deviations."""
        import cv2

        c = np.asarray(coefficients, dtype=np.float32)
        even, odd = (self.planes((c * (self.odd == o)) @ self.modes, bool(o)) for o in (0, 1))
        light, hues = (a + b + m for a, b, m in zip(even, odd, self.planes(self.mean), strict=True))
        big = [cv2.resize(x, (size, size), interpolation=cv2.INTER_CUBIC) for x in (light, hues)]
        return np.dstack(big).astype(np.float32)


def _sampled(uv: Array, mask: NDArray[np.bool_], rows: Array, odd: NDArray[np.bool_]) -> Array:
    """(P, K) bilinear samples at places (P, 2) of maps whose left half is rows (N, K) at the mask's texels."""
    side = len(mask)
    number = _continued(mask.tobytes(), side)
    at = np.asarray(uv, dtype=np.float32) * side - np.float32(0.5)
    low = np.floor(at).astype(np.int64)
    share = at - low
    mirrored = np.where(odd, np.float32(-1), np.float32(1))
    out = np.zeros((len(at), rows.shape[1]), np.float32)
    for dx in (0, 1):
        for dy in (0, 1):
            column, row = (np.clip(low[:, k] + d, 0, side - 1) for k, d in ((0, dx), (1, dy)))
            right = column >= side // 2
            weight = np.where(dx, share[:, 0], 1 - share[:, 0]) * np.where(dy, share[:, 1], 1 - share[:, 1])
            values = rows[number[row, np.where(right, side - 1 - column, column)]]
            values[right] *= mirrored
            out += weight[:, None] * values
    return out


@lru_cache(maxsize=4)
def _continued(mask: bytes, side: int) -> NDArray[np.int64]:
    """(S, S / 2) of a mask, its bytes given: for each texel the number of the nearest texel inside."""
    import cv2

    inside = np.frombuffer(mask, dtype=bool).reshape(side, side // 2)
    number = np.cumsum(inside.ravel()) - 1
    labels = cv2.distanceTransformWithLabels(
        (~inside).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )[1]
    of_label = np.zeros(int(labels.max()) + 1, dtype=np.int64)
    of_label[labels[inside]] = number[inside.ravel()]
    return np.asarray(of_label[labels])


@lru_cache(maxsize=1)
def default_skin() -> SkinModel:
    """The model that the package carries."""
    return SkinModel.load(weights.path("skin"))
