"""One face judged: whose it is to the recogniser, and how frontal our own fit finds its portraits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from tronie.arrays import Array, Image
from tronie.pipelines.photo import Pipeline
from tronie.settings import PortraitSettings, Settings
from tronie.stages.landmarks import recognizer as identity
from tronie.stages.portrait import frontal
from tronie.stages.portrait.plain import plain_portrait
from tronie.types import Face, Photo, Portrait

BINS = (0, 15, 30, 45, 60, 90)
"""Degrees of yaw."""


@dataclass(frozen=True, slots=True)
class Judged:
    name: str
    yaw: float
    """Degrees, in the photo."""
    pose: tuple[float, float, float]
    """Yaw, pitch, roll that our own fit finds in the portrait; nan where it finds no face."""
    distances: dict[str, float]
    """By method, to the reference."""
    shares: tuple[float, float, float]
    """Seen, mirrored, invented of the portrait's head."""


class Judge:
    """The pipeline up to textures, portraits by hand, and the recogniser."""

    def __init__(self, threads: int = 1, size: int = 512) -> None:
        self.whole = Pipeline(Settings.model_validate({"only": "texture", "enhance": {"mode": "off"}}), threads)
        self.mesh = Pipeline(Settings.model_validate({"only": "mesh", "enhance": {"mode": "off"}}), threads)
        self.settings = PortraitSettings.model_validate({"size": size, "expression": "keep"})

    def largest(self, source: Any) -> tuple[Photo, Face] | None:
        """The largest face of a photo with its texture; None without one."""
        result = self.whole.run(source)
        face = next((f for f in result.faces if f.texture is not None), None)
        return None if face is None else (result.photo, face)

    def portraits(self, photo: Photo, face: Face) -> dict[str, Portrait]:
        """The turned photo, and the head alone with its completed texture before grey."""
        assert face.head is not None
        assert face.texture is not None
        turned = frontal(
            face.head, face.texture, self.settings, photo, face.fit, segmentation=face.segmentation, shells=face.shells
        )
        return {"turned": turned, "texture": plain_portrait(face.head, face.texture, self.settings)}

    def look(self, image: Image) -> tuple[Array | None, tuple[float, float, float]]:
        """Embedding (128,) and pose of the largest face of a picture; None and nan without one."""
        result = self.mesh.run(image)
        face = next((f for f in result.faces if f.fit is not None), None)
        if face is None or face.fit is None or face.landmarks is None:
            return None, (np.nan, np.nan, np.nan)
        d = face.fit.diagnostics
        return identity.embedding_of(image, face.landmarks), (d["yaw"], d["pitch"], d["roll"])

    def judge(self, name: str, photo: Photo, face: Face, reference: Array | None = None) -> Judged:
        """`reference` (128,) is whom the portraits should resemble; by default the photo's own face, whom a mere
        alignment of the photo resembles of course."""
        assert face.fit is not None
        assert face.landmarks is not None
        own = identity.embedding_of(photo.image, face.landmarks)
        target = own if reference is None else reference
        distances = {} if reference is None else {"aligned": float(identity.distance(own, target))}
        pose = (np.nan, np.nan, np.nan)
        made = self.portraits(photo, face)
        for method, portrait in made.items():
            found, angles = self.look(portrait.image)
            distances[method] = float("nan") if found is None else float(identity.distance(found, target))
            if method == "turned":
                pose = angles
        head = np.bincount(made["turned"].mask.ravel(), minlength=16)[1:7].astype(float)
        n = max(head.sum(), 1.0)
        shares = ((head[0] + head[4]) / n, head[1] / n, (head[2] + head[3] + head[5]) / n)
        return Judged(name, face.fit.diagnostics["yaw"], pose, distances, shares)


def table(rows: list[Judged], bins: tuple[int, ...] = BINS) -> str:
    """Markdown: means by yaw, and the share of portraits that our fit finds frontal within 3 degrees."""
    methods = list(dict.fromkeys(m for row in rows for m in row.distances))
    head = [
        "yaw",
        "faces",
        *(f"distance, {m}" for m in methods),
        "within 3 degrees",
        "pitch",
        "seen",
        "mirrored",
        "invented",
    ]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    spans = [*pairwise(bins), (0, 30), (0, 45)]
    for low, high in spans:
        some = [r for r in rows if low <= abs(r.yaw) < high]
        if not some:
            continue
        cells = [f"{low} to {high}", str(len(some))]
        cells += [f"{np.nanmean([r.distances.get(m, np.nan) for r in some]):.3f}" for m in methods]
        poses = np.array([r.pose for r in some])
        cells.append(f"{100 * (np.abs(poses) <= 3).all(axis=1).mean():.0f} %")
        cells.append(f"{np.nanmean(poses[:, 1]):+.1f} ± {np.nanstd(poses[:, 1]):.1f}")
        cells += [f"{100 * np.mean([r.shares[k] for r in some]):.0f} %" for k in range(3)]
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)
