"""One picture of a head in one call, for programs; films and sheets are in `film`."""

from __future__ import annotations

from collections.abc import Mapping

from numpy.typing import ArrayLike

from tronie.arrays import Image
from tronie.head.model import Head
from tronie.io.saved_head import SavedHead
from tronie.render.figure import Figure, figure_of, figure_of_head
from tronie.render.film import orbit
from tronie.render.lights import PRESETS, light_name, preset
from tronie.render.load import figure_of_saved
from tronie.render.renderer import Look, Mode, Scene, render
from tronie.types import Face


def draw(
    head: Face | Head | SavedHead,
    *,
    size: tuple[int, int] = (640, 640),
    yaw: float = 0.0,
    pitch: float = 0.0,
    zoom: float = 1.0,
    mode: Mode = "textured",
    light: str | None = None,
    expression: Mapping[str, float] | None = None,
    background: ArrayLike | None = (236, 236, 238),
    threads: int = 1,
) -> Image:
    """A head as seen by a camera in front of it, (height, width, 3) RGB uint8; (height, width, 4) without `background`.

    `size` is (width, height); at `zoom` 1 the head fits from every side. It is turned by `yaw` degrees (positive: to
    the image's right) and `pitch` (positive: it looks up). `mode` is `textured`, `clay`, `wireframe`, `provenance`,
    `uncertainty` or `normals`; `light` a name in PRESETS, by default what suits the mode: with `textured` it is
    `photo`, the light that the texture already holds.
    `expression` gives weights by unit, by default the photo's. Raises ValueError for a face without a head, a mode or
    a light that is not there.
    """
    light = light_name(mode) if light is None else light
    if light not in PRESETS:
        raise ValueError(f"there is no light {light!r}, only {', '.join(PRESETS)}")
    figure = _figure(head)
    camera, pose = orbit(figure, size, yaw, pitch, zoom)
    look = Look(mode, preset(light), background)
    return render(
        Scene(figure, camera, pose, look, figure.weights if expression is None else expression), threads=threads
    )


def _figure(head: Face | Head | SavedHead) -> Figure:
    if isinstance(head, Face):
        return figure_of(head)
    return figure_of_saved(head) if isinstance(head, SavedHead) else figure_of_head(head)
