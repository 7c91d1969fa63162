"""Of what matter a photo is around a face, and the surfaces beside the head that are made of it: nouns, as `types`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Similarity

SEGMENTS: tuple[str, ...] = (
    "background", "hair", "facial_hair", "face", "body", "clothes", "covering", "glasses", "other"
)  # fmt: skip
"""What a pixel of a photo with a person may be, in the order of a segmentation's shares: `face` is its skin, eyes,
mouth and ears; `body` skin of neck and shoulders; `covering` a hat, hijab, scarf or helmet; `glasses` frames and
lenses; `other` what else is before the face or in the hand."""


@dataclass(frozen=True, slots=True)
class Segmentation:
    """Of what matter each pixel around one face is."""

    shares: Image
    """(9, S, S) uint8 in SEGMENTS' order: how likely each is, their sum about 255."""
    to_photo: Similarity
    """Pixels of the shares -> photo pixels."""

    def share(self, *names: str) -> Array:
        """(S, S) float32 0..1: how likely a pixel is one of those named."""
        rows = [SEGMENTS.index(name) for name in names]
        return np.asarray(self.shares[rows].sum(axis=0, dtype=np.float32) / 255, dtype=np.float32)


BELOW: tuple[str, ...] = ("neck", "bust")
"""Names of shells that go on below the head."""


@dataclass(frozen=True, slots=True)
class Shell:
    """A surface of its own over or below the head: hair, a covering, glasses, lashes, a bust. Lashes move with the
    face, the others are rigid with the head."""

    name: str
    """hair, covering, glasses, lashes, neck or bust: also the name of its mesh and material."""
    vertices: Array
    """(V, 3) float32 mm, in head space at rest."""
    normals: Array
    """(V, 3) float32 unit normals."""
    triangles: NDArray[np.int32]
    """(T, 3) counter-clockwise from outside."""
    uv: Array
    """(V, 2) float32, origin at the top left, v down."""
    image: Image
    """(H, W, 4) RGBA: what it looks like; it is there where alpha is 128 and more."""
    lods: tuple[NDArray[np.int32], NDArray[np.int32]]
    """(T1, 3) and (T2, 3) fewer triangles over the same vertices, for both levels of detail."""
    roughness: float = 0.85
    ring: NDArray[np.int32] | None = field(default=None, kw_only=True)
    """(R,) of what goes on below the head: the head's vertices that its first row lies on, one after the other. It
    then has R + 1 columns, the last one on the first, and goes with the neck rather than the skull."""
    unlit: Image | None = field(default=None, kw_only=True)
    """(H, W, 4): its picture without the photo's light, where that is known."""
    moves: Mapping[str, Array] = field(default_factory=dict, kw_only=True)
    """Unit -> (V, 3) float32 mm at weight 1, of the units of expression that move it; none where it is rigid."""

    @property
    def below(self) -> bool:
        """Whether it goes on below the head, whose neck then need not fade out."""
        return self.name in BELOW

    def posed(self, expression: Mapping[str, float] | None) -> Shell:
        """The shell as it is with an expression, rigid then; itself where nothing moves it."""
        if not self.moves:
            return self
        vertices = self.vertices.copy()
        for unit, weight in (expression or {}).items():
            if weight and unit in self.moves:
                vertices += np.float32(weight) * self.moves[unit]
        return replace(self, vertices=vertices, moves={})


HAIR_KINDS: tuple[str, ...] = ("bald", "short", "long", "covered")
"""What can be said of a head of hair by name: `long` hangs below the jaw, `bald` is bare above the temples, whatever
grows at the sides."""


@dataclass(frozen=True, slots=True)
class HairLook:
    """What was found out of a person's hair."""

    kind: str
    """One of HAIR_KINDS."""
    certainty: float
    """0..1."""
    fullness: float
    """0..1: how much of the scalp above the temples has hair; receding hair is between."""
    color: Array
    """(3,) sRGB 0..255, the median of what the photo shows; the skin's on a bald head."""


@dataclass(frozen=True, slots=True)
class BustLook:
    """What is known of the body below a head."""

    width_mm: float
    """Of the shoulders."""
    seen: float
    """0..1: share of its surface that the photo shows; the rest is continued."""
