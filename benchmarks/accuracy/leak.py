"""What of an expression leaks into the identity: one person at rest and with a puff, a smile, ..., all else the same.

python -m benchmarks.accuracy --ict ../shared/ict/ict_facekit.npz --leak
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benchmarks.accuracy.evaluate import Scores
from benchmarks.accuracy.metric import umeyama
from benchmarks.accuracy.scene import SHOWN

REST, *FACES = SHOWN


def leaks(scores: Scores) -> dict[str, dict[str, float]]:
    """By expression: `moved`, mm by which it moves the head at rest on the inner face, mean over the people and places;
    `common`, the part of it that all people have in common (mean length of the mean motion); `error` with it, and at
    rest. The heads are laid onto each other with scale."""
    by = {(item.person, item.take): row for item, row in zip(scores.items, scores.rows, strict=True)}
    out = {REST: {"error": float(np.mean([row.error for (_, take), row in by.items() if take == 0]))}}
    for take, name in enumerate(FACES, start=1):
        motions, errors = [], []
        for person in range(scores.renders.people):
            rest, face = by.get((person, 0)), by.get((person, take))
            if rest is not None and face is not None:
                motions.append(umeyama(face.face, rest.face).apply(face.face) - rest.face)
                errors.append(face.error)
        if motions:
            out[name] = {
                "moved": float(np.linalg.norm(motions, axis=2).mean()),
                "common": float(np.linalg.norm(np.mean(motions, axis=0), axis=1).mean()),
                "error": float(np.mean(errors)),
            }
    return out


def markdown(found: Mapping[str, Mapping[str, Mapping[str, float]]]) -> str:
    """Of `leaks` by method."""
    lines = [
        "mm by which an expression moves the head at rest (what all people have in common of it), and error with it:",
        "",
        "| | error at rest | " + " | ".join(FACES) + " |",
        "|---|---|" + "---|" * len(FACES),
    ]
    for name, by in found.items():
        cells = [
            f"{by[f]['moved']:.2f} ({by[f]['common']:.2f}), {by[f]['error']:.2f}" if f in by else "" for f in FACES
        ]
        lines.append(f"| {name} | {by[REST]['error']:.2f} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
