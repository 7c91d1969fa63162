"""The gate: an enhanced face must stay what the photo shows, or it is blended back until it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.color import LUMA
from tronie.stages.enhance.paste import blended, matched

INNER = 0.2
"""Share of the crop's side that is left out at each border: hair and background say nothing of the person."""
WINDOW = 0.075
"""Spread of the window within which the structure is compared, by the side of what is left: about an eye."""
FAINT = 2.0
"""Grey levels of contrast below which there is nothing to compare."""
STEPS = (1.0, 0.75, 0.5, 0.25)
"""Shares of the enhancer's change that are tried."""
BEST = 99.0
"""dB: what no change at all is called."""


@dataclass(frozen=True, slots=True)
class GateLimits:
    """What an enhanced face must keep to."""

    agreement: float
    """dB, at least."""
    structure: float
    """Least local correlation, at least."""
    shift: float
    """Of the landmarks by the distance between the eyes, at most."""
    identity: float
    """Distance of embeddings, at most."""


ACCEPTED = GateLimits(23.0, 0.88, 0.1, 0.6)
"""Measured with the true detail in place of a net's, on photos with noise and JPEG too: docs/design.md."""
REFUSED = GateLimits(19.0, 0.8, 0.2, 0.75)


@dataclass(frozen=True, slots=True)
class Gate:
    """What is accepted in full, and what is refused at once."""

    accepted: GateLimits
    refused: GateLimits
    """A whole change that goes beyond this is no restoration of this face; a share of it would be none either."""


OWN_GATE = Gate(ACCEPTED, REFUSED)
STRANGERS_GATE = Gate(GateLimits(27.0, 0.90, 0.1, 0.55), GateLimits(25.5, 0.87, 0.2, 0.75))
"""For nets that are not ours. On 25 people at an eighth of the size a generative net (Real-ESRGAN), whose faces are
somebody else's there, passes the other gate in full with 72 of 100, this one with 16, and half of its answers are
refused; of the true detail in its place 92 pass in full, and none is refused. The recogniser hardly tells them apart at
that size (0.44 and 0.48 in the median), the agreement at the photo's own resolution does."""


@dataclass(frozen=True, slots=True)
class Scores:
    agreement: float
    structure: float
    shift: float
    identity: float | None = None

    def complaint(self, limits: GateLimits) -> str | None:
        """The first limit that is not kept, in words."""
        if self.agreement < limits.agreement or self.structure < limits.structure:
            return f"at the photo's resolution it is another picture ({self.agreement:.1f} dB)"
        if self.shift > limits.shift:
            return f"the landmarks move by {100 * self.shift:.0f} % of the distance between the eyes"
        if self.identity is not None and self.identity > limits.identity:
            return f"the recogniser takes it for somebody else (distance {self.identity:.2f})"
        return None


@dataclass(frozen=True, slots=True)
class Verdict:
    after: Image
    """(S, S, 3): what may be used; `before` itself where all was refused."""
    blend: float
    """0..1."""
    scores: Scores
    """Of `after`, or of the whole change where it was refused."""
    note: str | None
    """One sentence where not all was accepted."""


Places = Callable[[list[Image]], Array]
"""Crops -> (n, N, 2) landmarks in their pixels."""
Embed = Callable[[list[Image]], Array]
"""Crops -> (n, D) embeddings."""


def judge(
    before: Image,
    restored: Image,
    factor: float,
    eyes: float,
    places: Places,
    embed: Embed | None = None,
    gate: Gate = OWN_GATE,
) -> Verdict:
    """How much of an enhancer's answer to a crop (S, S, 3) is accepted.

    `factor` is the crop's pixels per pixel of the photo, `eyes` the distance between the eyes in the crop's pixels.
    The answer is first brought to the photo's colours and light. `embed` is asked last, and only if all else is right.
    """
    whole = matched(before, restored)
    change = whole.astype(np.float32) - before
    if not change.any():
        return Verdict(before, 1.0, Scores(BEST, 1.0, 0.0), None)
    accepted, refused = gate.accepted, gate.refused
    first: Scores | None = None
    known: Array | None = None
    for share in STEPS:
        after = whole if share == 1 else blended(before, change, share)
        scores = Scores(*compare(before, after, factor), moved_by(places([before, after]), eyes))
        if embed is not None and scores.complaint(accepted) is None:
            known = embed([before])[0] if known is None else known
            scores = replace(scores, identity=float(np.linalg.norm(embed([after])[0] - known)))
        if scores.complaint(accepted) is None:
            why = None if first is None else first.complaint(accepted)
            note = None if why is None else f"enhanced by {100 * share:.0f} % only: {why}"
            return Verdict(after, share, scores, note)
        if first is None:
            first = scores
            if scores.complaint(refused):
                break
    assert first is not None
    return Verdict(before, 0.0, first, f"not enhanced: {first.complaint(refused) or first.complaint(accepted)}")


def moved_by(points: Array, eyes: float) -> float:
    """RMS distance of two sets of landmarks (2, N, 2) by the distance between the eyes."""
    return float(np.sqrt(((points[1] - points[0]) ** 2).sum(axis=-1).mean())) / max(eyes, 1e-6)


def compare(before: Image, after: Image, factor: float) -> tuple[float, float]:
    """Agreement in dB at the photo's resolution, and the structure's: the correlation of what is seen there in the part
    of the face where it is least.

    The second at half that resolution, where noise and blocks of compression, which an enhancer should take away, are
    averaged out, and without light that varies slowly. Unlike the first it does not call all faint pictures alike, and
    somebody else's eyes in an otherwise faithful face do not escape it.
    """
    a, b = (_reduced(_inner(image), factor) for image in (before, after))
    error = float(((a - b) ** 2).mean())
    agreement = BEST if error <= 0 else min(BEST, 10 * float(np.log10(255**2 / error)))
    seen, made = (_structure(_reduced(_inner(image), 2 * max(factor, 1))) for image in (before, after))
    both, one, other = (_local(x) for x in (seen * made, seen * seen, made * made))
    # Where the photo shows next to nothing, nothing can be contradicted.
    floor = 0.02 * float(one.mean()) + FAINT**2
    return agreement, float(((both + floor) / np.sqrt((one + floor) * (other + floor))).min())


def _local(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean around every pixel."""
    import cv2

    spread = max(WINDOW * image.shape[0], 1.0)
    return np.asarray(cv2.GaussianBlur(image, (0, 0), spread, borderType=cv2.BORDER_REFLECT), dtype=np.float32)


def _inner(image: Image) -> NDArray[np.float32]:
    edge = round(INNER * image.shape[0])
    return image[edge : image.shape[0] - edge, edge : image.shape[1] - edge].astype(np.float32)


def _reduced(image: NDArray[np.float32], factor: float) -> NDArray[np.float32]:
    import cv2

    side = max(round(image.shape[0] / max(factor, 1.0)), 4)
    if side >= image.shape[0]:
        return image
    return np.asarray(cv2.resize(image, (side, side), interpolation=cv2.INTER_AREA), dtype=np.float32)


def _structure(image: NDArray[np.float32]) -> NDArray[np.float32]:
    """(n, n) lightness without its slow course."""
    import cv2

    grey = image @ LUMA.astype(np.float32)
    slow = cv2.GaussianBlur(grey, (0, 0), max(grey.shape[0] / 6, 1.0), borderType=cv2.BORDER_REFLECT)
    return np.asarray(grey - slow, dtype=np.float32)
