"""How well textures agree with the photos they were made from, and what else is in them.

    python -m benchmarks.texture ../shared/faces_cc0 [--every 10]

For each portrait the textured head is rendered with the photo's camera, without light, where the texture was read off:
with the photo's expression, and with what the head leaves of the landmarks. Agreement is the PSNR of that picture and
the photo, both as they are (sRGB, every pixel, no blur), over the pixels of the inner face (brows to chin, cheek to
cheek) that the texture has from the photo, two pixels away from everything else. Seams: where two triangles meet whose
texture lies apart on the atlas, the mean step of colour at the shared vertex, in sRGB levels, and that over as long a
way within the triangles, which is what grain and hair alone make. Writes nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import cv2
import numpy as np

import tronie
from tronie.raster.shading import UNLIT, render_layers
from tronie.stages.fit.basis import on_photo
from tronie.stages.texture import bake
from tronie.types import PROVENANCE, Texture

BAR = 30.0
"""dB."""
REAL = [PROVENANCE.index("seen"), PROVENANCE.index("enhanced")]


def agreement(photo: tronie.Photo, face: tronie.Face, texture: Texture) -> float:
    """dB; nan where nothing of the inner face is seen."""
    assert face.head is not None
    assert face.fit is not None
    head, fit = face.head, face.fit
    level = head.model.level(head.level)
    inner = np.asarray(level.matrix @ head.model.inner_face.astype(np.float32)) > 0.5
    # The inner face as a second texture, so that it is drawn like the first.
    size = texture.image.shape[0]
    mask = np.zeros((size, size), np.uint8)
    rows = inner[level.triangles].all(axis=1) & (level.triangle_part == 0)
    corners = np.round(level.uv[level.triangle_uv[rows]] * size).astype(np.int32)
    cv2.fillPoly(mask, list(corners), 1)
    use = np.where((mask > 0) & np.isin(texture.provenance, REAL), 1, 2).astype(np.uint8)
    picture, where = render_layers(
        on_photo(head, fit),
        level,
        Texture(texture.image, use),
        fit.camera,
        fit.head_to_camera,
        shading=UNLIT,
        background=(0, 0, 0),
    )[:2]
    kept = cv2.erode((where == 1).astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    if kept.sum() < 100:
        return float("nan")
    error = (picture.astype(float) - photo.image)[kept]
    return float(10 * np.log10(255**2 / max((error**2).mean(), 1e-9)))


def seams(face: tronie.Face, texture: Texture) -> tuple[float, float]:
    """Mean step of colour over the skin's seams, and over as long a way within the triangles there."""
    assert face.head is not None
    level = face.head.model.level(face.head.level)
    skin = level.triangle_part == 0
    size = texture.image.shape[0]
    uv = level.uv[level.triangle_uv[skin]]
    # A little inside the triangle, so that both sides of a seam read their own island; and as far inside again.
    near, far = (_read(texture, uv + share * (uv.mean(axis=1, keepdims=True) - uv), size) for share in (0.05, 0.15))
    vertex, place = level.triangles[skin].ravel(), level.triangle_uv[skin].ravel()
    order = np.lexsort((place, vertex))
    vertex, place, near, far = vertex[order], place[order], near[order], far[order]
    apart = (vertex[1:] == vertex[:-1]) & (place[1:] != place[:-1])
    across, within = np.abs(near[1:] - near[:-1]).mean(axis=1), np.abs(near - far).mean(axis=1)[1:]
    return float(across[apart].mean()), float(within[apart].mean())


def _read(texture: Texture, uv: np.ndarray, size: int) -> np.ndarray:
    at = np.clip((uv.reshape(-1, 2) * size).astype(int), 0, size - 1)
    return texture.image[at[:, 1], at[:, 0]].astype(float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--every", type=int, default=1, help="take every n-th photo")
    parser.add_argument("--size", type=int, default=2048, help="of the texture")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    pipeline = tronie.Pipeline(tronie.Settings(only="mesh"), threads=1)
    settings = tronie.Settings().texture.model_copy(update={"size": options.size})
    values, shares, steps, seconds = {}, [], [], []
    for path in sorted(p for p in options.folder.iterdir() if p.suffix in {".webp", ".jpg", ".png"})[:: options.every]:
        result = pipeline.run(path)
        face = result.faces[0]
        assert face.head is not None
        assert face.fit is not None
        start = time.process_time()
        texture = bake(result.photo, face.head, face.fit, face.landmarks, settings)
        seconds.append(time.process_time() - start)
        values[path.stem] = agreement(result.photo, face, texture)
        counts = np.bincount(texture.provenance.ravel(), minlength=len(PROVENANCE))
        shares.append(counts[1:] / counts[1:].sum())
        steps.append(seams(face, texture))
    v = np.array(list(values.values()))
    low = sorted(values, key=lambda n: values[n])
    print(f"{len(v)} portraits, texture {options.size}, {np.median(seconds):.3f} s of one core each")
    print(
        f"agreement over what is seen of the inner face: median {np.nanmedian(v):.1f} dB, worst {np.nanmin(v):.1f}, "
        f"{(v >= BAR).sum()} of {len(v)} at least {BAR:.0f} dB"
    )
    print("  worst: " + ", ".join(f"{n} {values[n]:.1f}" for n in low[:12]))
    print(
        "share of the texture: "
        + ", ".join(f"{n} {s:.1%}" for n, s in zip(PROVENANCE[1:], np.mean(shares, axis=0), strict=True))
    )
    across, within = np.mean(steps, axis=0)
    print(f"step of colour over the skin's seams {across:.2f} sRGB levels, over as long a way beside them {within:.2f}")


if __name__ == "__main__":
    main()
