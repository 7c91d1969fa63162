"""What is known and what is guessed, as pictures: how unsure the surface is, and where its colours come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera
from tronie.head.model import Head
from tronie.io.encode import PROVENANCE_COLORS
from tronie.render.overlay import Region, cut_out, face_region
from tronie.types import Face

SIDE = 1024
"""Of sigma.png, texels: the standard deviation changes slowly."""
OVERLAY = 768
"""Of the pictures over the photo, pixels, without the legend."""
OPACITY = 0.58
UM_PER_MM = 1000.0
DOUBTFUL = 32
"""Grey levels from which doubt has the brightest colour."""
PAPER, INK = (247, 247, 248), (38, 40, 44)


@dataclass(frozen=True, eq=False)
class Maps:
    """None where the face lacks what it is made from."""

    sigma: NDArray[np.uint16] | None = None
    """(SIDE, SIDE): micrometres of standard deviation at each texel, 0 where there is no surface."""
    sigma_color: Image | None = None
    """The same in colours, with a legend below."""
    uncertainty: Image | None = None
    """In colours over the photo, with a legend below."""
    provenance: Image | None = None
    """PROVENANCE in colours over the photo, with a legend below."""


def maps(photo: Image, face: Face) -> Maps:
    """All maps of one face; 0.25 s for our own head."""
    head, fit = face.head, face.fit
    if head is None or fit is None:
        return Maps()
    region = face_region(face)
    found: dict[str, Any] = {}
    if fit.sigma_mm is not None:
        sigma = vertex_sigma(head, fit.sigma_mm)
        found["sigma"] = sigma_texels(head, sigma)
        found["sigma_color"] = with_scale(colored(found["sigma"]))
        found["uncertainty"] = with_scale(_over(photo, face, region, "uncertainty"))
    if face.texture is not None:
        found["provenance"] = with_names(_over(photo, face, region, "provenance"), face.texture.provenance)
    return Maps(**found)


def doubt_png(doubt: Image) -> bytes:
    """(H, W) grey levels as a PNG with a palette: its indices are the numbers, its colours show them."""
    from tronie.io.png_writer import encode_png
    from tronie.render.renderer import heat_srgb

    palette = heat_srgb()[np.minimum(np.arange(256) * 255 // DOUBTFUL, 255)]
    return encode_png(doubt, palette, {"Comment": "grey levels by which the faithful look may be off, on average"})


def vertex_sigma(head: Head, sigma_mm: Array) -> Array:
    """(C,) of the control vertices -> (V,) float32 of the head's."""
    sigma = np.asarray(sigma_mm, dtype=np.float32)
    return sigma if len(sigma) == len(head.vertices) else head.model.level(head.level).apply(sigma[:, None])[:, 0]


def sigma_texels(head: Head, sigma: Array, side: int = SIDE) -> NDArray[np.uint16]:
    """(V,) mm -> (side, side) micrometres over the texture, 0 outside its islands."""
    from tronie.raster.rasterizer import rasterize

    mesh = head.model.level(head.level)
    points = np.column_stack([mesh.uv * side, np.ones(len(mesh.uv))])
    seen = rasterize(points, mesh.triangle_uv, side, side, cull=False)
    inside = seen.triangle >= 0
    corners = sigma[mesh.triangles[seen.triangle[inside]]]
    out = np.zeros((side, side), np.uint16)
    # What is exactly 0 is still surface.
    out[inside] = np.clip(np.round((corners * seen.barycentric[inside]).sum(axis=1) * UM_PER_MM), 1, 65535)
    return out


def colored(sigma: NDArray[np.uint16]) -> Image:
    """(S, S) micrometres -> (S, S, 3), PAPER outside."""
    from tronie.render.renderer import UNCERTAIN_MM, heat_srgb

    step = np.clip(np.round(sigma * (255 / (UNCERTAIN_MM * UM_PER_MM))), 0, 255).astype(np.uint8)
    out = heat_srgb()[step]
    out[sigma == 0] = PAPER
    return out


def _over(photo: Image, face: Face, region: Region, mode: Any) -> Image:
    """(OVERLAY, OVERLAY, 3): the photo around the face, with the head in a mode of `render.view` over it."""
    from tronie.render.figure import figure_of
    from tronie.render.lights import preset
    from tronie.render.renderer import Look, Scene, render

    assert face.fit is not None
    assert face.head is not None
    scale, camera = OVERLAY / region.side, face.fit.camera
    center = ((camera.center[0] - region.x) * scale, (camera.center[1] - region.y) * scale)
    here = Camera(camera.focal * scale, center, (OVERLAY, OVERLAY), camera.aspect)
    look = Look(mode, preset("flat"), None)
    layer = render(Scene(figure_of(face), here, face.fit.head_to_camera, look, vertices=face.head.vertices))
    picture = cut_out(photo, region, OVERLAY)
    # Greyish beneath, so that the colours are the legend's.
    grey = picture.mean(axis=2, keepdims=True)
    alpha = layer[..., 3:].astype(np.float32) * (OPACITY / 255)
    ground = picture + (grey - picture) * (layer[..., 3:] > 0)
    return np.asarray(ground + (layer[..., :3] - ground) * alpha + 0.5, dtype=np.uint8)


def with_scale(picture: Image) -> Image:
    """The picture over a bar of the colours from 0 to UNCERTAIN_MM."""
    from tronie.render.renderer import UNCERTAIN_MM, heat_srgb

    width = picture.shape[1]
    size = max(11, width // 48)
    margin, thick = 2 * size, round(0.9 * size)
    strip = np.empty((round(5.4 * size), width, 3), np.uint8)
    strip[:] = PAPER
    steps = np.linspace(0, 255, width - 2 * margin).round().astype(int)
    top = round(2.4 * size)
    strip[top : top + thick, margin : width - margin] = heat_srgb()[steps]
    texts = [(margin, 0.7 * size, "standard deviation of the surface along its normal, mm", "la")]
    for mm in range(int(UNCERTAIN_MM) + 1):
        at = margin + (width - 2 * margin) * mm / UNCERTAIN_MM
        more = " or more" if mm == int(UNCERTAIN_MM) else ""
        texts.append((at, top + thick + 0.4 * size, f"{mm}{more}", "ra" if more else "ma" if mm else "la"))
    return np.concatenate([picture, _written(strip, texts, size)])


def with_names(picture: Image, provenance: Image) -> Image:
    """The picture over the names of the colours in a provenance map (S, S), with their shares of its area."""
    from tronie.export.contact_sheet import text_width
    from tronie.export.records import shares

    width = picture.shape[1]
    size = max(11, width // 52)
    words: list[tuple[str, tuple[int, int, int] | None]] = [("of the texture", None)]
    words += [(f"{name} {share:.0%}", PROVENANCE_COLORS[name]) for name, share in shares(provenance).items() if share]
    places, left, row = [], 2.0 * size, 0
    for text, color in words:
        wide = text_width(text, size) + (1.6 if color else 0) * size
        if left + wide > width - size and left > 2.0 * size:
            left, row = 2.0 * size, row + 1
        places.append((left, (0.9 + 1.8 * row) * size))
        left += wide + 1.3 * size
    strip = np.empty((round((2.9 + 1.8 * row) * size), width, 3), np.uint8)
    strip[:] = PAPER
    texts = []
    for (text, color), (x, y) in zip(words, places, strict=True):
        if color:
            strip[round(y) : round(y + 1.2 * size), round(x) : round(x + 1.2 * size)] = color
        texts.append((x + (1.6 * size if color else 0), y + 0.05 * size, text, "la"))
    return np.concatenate([picture, _written(strip, texts, size)])


def _written(strip: Image, texts: list[tuple[float, float, str, str]], size: int) -> Image:
    from PIL import Image as Pillow
    from PIL import ImageDraw, ImageFont

    image = Pillow.fromarray(strip)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(size)
    for x, y, text, anchor in texts:
        draw.text((x, y), text, INK, font, anchor=anchor)
    return np.asarray(image)
