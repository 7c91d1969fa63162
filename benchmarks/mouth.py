"""How light teeth and tongue are in the textures of a folder's portraits, against the skin and the lips beside them.

    python -m benchmarks.mouth ../shared/faces_cc0 [--every 10] [--albedo] [--like sepia]

Luminance is linear (Rec. 709), read from the texture as it is written, over the texels that the triangles of the mesh
cover: of the teeth's crowns (not the gums, which the same parts hold), the tongue, the lips, and for the skin what the
photo shows of the inner face (of all the skin, where that is little). Means over texels, and the part of the folder
that reaches the bars. Teeth count as seen where the photo told their colour. `--albedo` measures the texture without
light instead; `--like` changes the photos before: dark, bright, blue, orange, sepia, grey. Writes nothing.
"""

from __future__ import annotations

import argparse
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

import tronie
from tronie.color import LUMINANCE, linear_to_srgb, srgb_to_linear
from tronie.head.model import PARTS, HeadModel
from tronie.io.images import photo_from_array, read_photo
from tronie.stages.lighting.albedo import delight
from tronie.stages.lighting.shading_estimate import estimate_shading
from tronie.stages.texture import mouth as parts
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.white_balance import tint_of
from tronie.types import PROVENANCE

TEETH, TONGUE = 1.1, 0.5
"""Least luminance of unseen teeth, of the skin's, and of the tongue, of the lips'."""
LIKE = {"dark": (0.15, 0.15, 0.15), "bright": (1.8, 1.8, 1.8), "blue": (0.6, 0.9, 1.4), "orange": (1.4, 0.85, 0.45)}
"""Factors on linear light."""


def changed(image: np.ndarray, like: str | None) -> np.ndarray:
    """The photo in another light, or without colours."""
    if like in LIKE:
        return np.round(linear_to_srgb(srgb_to_linear(image) * LIKE[like])).astype(np.uint8)
    if like in {"sepia", "grey"}:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(float)
        return np.clip(grey * ([1.15, 1.0, 0.78] if like == "sepia" else [1, 1, 1]), 0, 255).astype(np.uint8)
    return image


@lru_cache(maxsize=1)
def regions(model: HeadModel, level: int, size: int) -> dict[str, np.ndarray]:
    """(S, S) masks of texels on the atlas."""
    mesh = model.level(level)
    facts, crowns = surface_facts(model, level), parts.patterns(model, level)[2]
    lips = (mesh.matrix @ facts.lips.astype(np.float32))[mesh.triangles].mean(axis=1) > 0.8
    inner = (mesh.matrix @ facts.inner.astype(np.float32))[mesh.triangles].mean(axis=1) > 0.8
    part = mesh.triangle_part
    teeth = np.isin(part, [PARTS.index("teeth_upper"), PARTS.index("teeth_lower")])
    rows = {
        "teeth": teeth & crowns[mesh.triangle_uv].all(axis=1),
        "tongue": part == PARTS.index("tongue"),
        "lips": (part == 0) & lips,
        "inner": (part == 0) & inner & ~lips,
        "skin": part == 0,
    }
    out = {}
    for name, chosen in rows.items():
        mask = np.zeros((size, size), np.uint8)
        corners = np.round(mesh.uv[mesh.triangle_uv[chosen]] * size * 16 - 8).astype(np.int32)
        for corner in corners:
            cv2.fillConvexPoly(mask, corner, 1, shift=4)
        out[name] = mask > 0
    return out


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument("--albedo", action="store_true", help="measure the texture without light")
    parser.add_argument("--like", choices=[*LIKE, "sepia", "grey"], help="change the photos before")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = tronie.Pipeline(tronie.Settings(only="texture", texture={"size": 512}), threads=1)
    found = []
    for path in sorted(p for p in options.folder.iterdir() if p.suffix in {".webp", ".jpg", ".png"})[:: options.every]:
        result = pipeline.run(photo_from_array(changed(read_photo(path).image, options.like)))
        for face in result.faces[:1]:
            if face.head is None or face.texture is None or face.fit is None:
                print(f"  {path.name}: {face.error}")
                continue
            image = face.texture.image
            if options.albedo:
                image = delight(face.texture, face.head, estimate_shading(face.texture, face.head, face.fit)).image
            where = regions(face.head.model, face.head.level, image.shape[0])
            shown = np.isin(face.texture.provenance, [PROVENANCE.index(n) for n in ("seen", "enhanced")])
            skin = where["inner"] & shown if (where["inner"] & shown).sum() > 1000 else where["skin"]
            colours = {
                name: srgb_to_linear(image[mask]).mean(axis=0) for name, mask in (where | {"skin": skin}).items()
            }
            tone = np.median(image[skin], axis=0)
            seen = parts.teeth_seen(result.photo, face.landmarks, tone, tint_of(tone, result.photo, face.landmarks))
            found.append((path.stem, seen is not None, colours))
    light = {name: np.array([c[name] @ LUMINANCE for *_, c in found]) for name in ("teeth", "skin", "tongue", "lips")}
    seen = np.array([s for _, s, _ in found])
    teeth, tongue = light["teeth"] / light["skin"], light["tongue"] / light["lips"]
    print(
        f"{len(found)} portraits, teeth seen in {seen.sum()}; skin's luminance {light['skin'].min():.3f} to "
        f"{light['skin'].max():.3f}"
    )
    for name, some, bar in (
        ("unseen teeth of skin", teeth[~seen], TEETH),
        ("seen teeth of skin", teeth[seen], TEETH),
        ("tongue of lips", tongue, TONGUE),
    ):
        if len(some):
            print(
                f"{name}: median {np.median(some):.2f}, least {some.min():.2f}, largest {some.max():.2f}; "
                f"{(some >= bar).sum()} of {len(some)} at least {bar}"
            )
    hue = np.log([c["teeth"] for *_, c in found])
    for name, some in (("seen", seen), ("unseen", ~seen)):
        if some.any():
            red, blue = (np.median((hue[:, k] - hue[:, 1])[some]) for k in (0, 2))
            print(f"hue of {name} teeth: red over green {np.exp(red):.2f}, blue over green {np.exp(blue):.2f}")
    low = np.argsort(teeth)[:6]
    print("  least: " + ", ".join(f"{found[k][0]} {teeth[k]:.2f}" for k in low))


if __name__ == "__main__":
    main()
