"""The films that come of a clip: the heads drawn over it, and a person's head talking to the camera."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.geometry import Camera
from tronie.head.model import Head
from tronie.head.surface import reduced
from tronie.io.video.clip import Frame
from tronie.pipelines.video.motion import ABSENT, BRIDGED, SEEN, Motion
from tronie.pipelines.video.posed_head import PosableHead
from tronie.raster.shading import render_layers
from tronie.render.overlay import WIRE, Region, draw_axes, face_region, paint, project, wire_mask
from tronie.render.shells import rim
from tronie.runtime.threads import spread
from tronie.shells import Shell
from tronie.stages.letterbox import shifted
from tronie.stages.portrait import backdrop, mouth_light, portrait_camera
from tronie.stages.portrait.plain import SOFT
from tronie.types import Face, Fit, Photo, Texture

TALKING = 512
"""Side of the talking head's film, pixels."""
LEAST_WIDE = 640
"""Films of the heads over a smaller clip are enlarged by a whole number to at least so many pixels: in a face of 70
pixels the wires would be one patch of colour."""
COLOURS = (WIRE, (255, 214, 140), (170, 240, 170), (255, 170, 200), (200, 185, 255), (240, 240, 160))
"""Of the wires, by person."""
WIDER = 1.15
"""Side of what is shown of a frame, by that of the head's region."""


def steady(frames: Iterable[Frame], fps: float) -> Iterator[tuple[int, Image]]:
    """Frames of any times as so many a second: (number of the frame shown, its picture) for every tick."""
    tick, shown = 0, None
    for frame in frames:
        while shown is not None and (tick + 0.5) / fps < frame.time:
            yield shown.index, shown.image
            tick += 1
        shown = frame
    if shown is not None:
        yield shown.index, shown.image


def ticks(times: Array, fps: float) -> NDArray[np.intp]:
    """The same for frames that need not be there: the number of the frame shown at every tick."""
    count = max(1, int(np.ceil(times[-1] * fps - 0.5)) + 1)
    moments = (np.arange(count) + 0.5) / fps
    return np.clip(np.searchsorted(times, moments, side="right") - 1, 0, len(times) - 1)


def talking(
    posable: PosableHead,
    texture: Texture,
    motion: Motion,
    fps: float,
    threads: int = 1,
    shells: tuple[Shell, ...] = (),
) -> Iterator[Image]:
    """The head from the front, its expression as in the clip; it waits where the person is absent."""
    head = posable.head
    mesh = head.model.level(head.level)
    camera, pose = portrait_camera(head, TALKING)
    names = head.model.expression_names
    behind, worn = backdrop(TALKING), reduced(texture.image, 1024)
    opacity = rim(head.neutral, head, pose, shells)  # hair and neck hardly move with the face

    def draw(expression: Array) -> Image:
        vertices = posable.vertices(expression)
        posed = Head(head.model, head.level, vertices, head.neutral)
        return render_layers(
            vertices,
            mesh,
            worn,
            camera,
            pose,
            background=behind,
            shading=SOFT,
            opacity=opacity,
            occlusion=mouth_light(vertices, posed),
            shells=tuple(shell.posed(dict(zip(names, expression.tolist(), strict=True))) for shell in shells),
        )[0]

    # Of the frames shown, the ones that are drawn, and how often each is repeated.
    runs: list[list[int]] = []
    for number in ticks(motion.time, fps).tolist():
        if runs and (number == runs[-1][0] or motion.state[number] == ABSENT):
            runs[-1][1] += 1
        else:
            runs.append([number, 1])
    pictures = spread(draw, (motion.expression[number] for number, _ in runs), threads)
    for picture, (_, times) in zip(pictures, runs, strict=True):
        for _ in range(times):
            yield picture


def wired(
    frames: Iterable[tuple[int, Image]],
    people: Mapping[int, tuple[PosableHead, Motion]],
    camera: Camera,
    threads: int = 1,
) -> Iterator[Image]:
    """The clip with every person's mesh, axes and number; pale where the person is hidden for a moment."""
    larger = max(1, -(-LEAST_WIDE // max(camera.size)))
    width, height = camera.size
    camera = replace(
        camera,
        focal=larger * camera.focal,
        center=(larger * camera.center[0], larger * camera.center[1]),
        size=(larger * width, larger * height),
    )

    def draw(shown: tuple[int, Image]) -> Image:
        number, image = shown
        picture = _enlarged(image, larger) if larger > 1 else image.copy()
        for person, (posable, motion) in people.items():
            if number < len(motion.state) and motion.state[number] != ABSENT:
                _draw(picture, person, posable, motion, number, camera)
        return picture

    return spread(draw, frames, threads)


def _enlarged(image: Image, larger: int) -> Image:
    import cv2

    return np.asarray(cv2.resize(image, None, fx=larger, fy=larger, interpolation=cv2.INTER_CUBIC), dtype=np.uint8)


def _draw(picture: Image, person: int, posable: PosableHead, motion: Motion, number: int, camera: Camera) -> None:
    head = posable.posed(motion.expression[number])
    nothing = np.zeros((0, 3))
    fit = Fit(nothing[:, 0], {}, motion.head_to_camera[number], camera, nothing, diagnostics={})
    points = project(head.vertices[::37], fit)
    rim = 4 + 0.04 * float(np.ptp(points, axis=0).max())  # the outermost vertices may not be among those looked at
    low, high = np.floor(points.min(axis=0) - rim), np.ceil(points.max(axis=0) + rim)
    side = int(max(high - low))
    height, width = picture.shape[:2]
    if not np.isfinite(points).all() or side > 4 * max(height, width):
        return
    x, y = int(low[0]), int(low[1])
    mask = wire_mask(head, fit, Region(x, y, side), side)
    x0, y0, x1, y1 = max(x, 0), max(y, 0), min(x + side, width), min(y + side, height)
    if x1 <= x0 or y1 <= y0:
        return
    part = np.ascontiguousarray(picture[y0:y1, x0:x1])
    inner = np.ascontiguousarray(mask[y0 - y : y1 - y, x0 - x : x1 - x])
    paint(part, inner, COLOURS[(person - 1) % len(COLOURS)], 0.7 if motion.state[number] == SEEN else 0.3)
    picture[y0:y1, x0:x1] = part
    if motion.state[number] != BRIDGED:
        _axes_and_number(picture, person, fit, (x0, max(y0, 0)))


def _axes_and_number(picture: Image, person: int, fit: Fit, corner: tuple[int, int]) -> None:
    import cv2

    height, width = picture.shape[:2]
    draw_axes(picture, fit, Region(0, 0, height))
    side = max(height, width)
    scale = max(side / 1600, 0.4)
    at = corner[0] + round(6 * scale), corner[1] + round(22 * scale)
    for colour, thick in (((20, 20, 22), 3), (COLOURS[(person - 1) % len(COLOURS)], 1)):
        cv2.putText(picture, str(person), at, cv2.FONT_HERSHEY_SIMPLEX, scale, colour, thick, cv2.LINE_AA)


def montage(views: Sequence[tuple[Photo, Face]], name: str, source: str) -> tuple[Photo | None, list[Face]]:
    """One photo and the faces in its pixels. Of one face: its own frame. None where there is none."""
    if len(views) == 1:
        photo, face = views[0]
        return replace(photo, name=name), [face]
    pieces = []
    for photo, face in views:
        region = face_region(face)
        x, y, side = region.x, region.y, region.side * WIDER
        x0, y0 = int(max(x - 0.08 * side, 0)), int(max(y - 0.08 * side, 0))
        x1, y1 = int(min(x0 + side, photo.image.shape[1])), int(min(y0 + side, photo.image.shape[0]))
        if x1 - x0 > 4 and y1 - y0 > 4:
            pieces.append((photo.image[y0:y1, x0:x1], (x0, y0), face))
    if not pieces:
        return None, []
    height = max(piece.shape[0] for piece, *_ in pieces)
    canvas = np.full((height, sum(piece.shape[1] for piece, *_ in pieces), 3), 38, np.uint8)
    faces, left = [], 0
    for piece, (x0, y0), face in pieces:
        h, w = piece.shape[:2]
        canvas[:h, left : left + w] = piece
        faces.append(shifted(face, left - x0, -y0, (canvas.shape[1], height)))
        left += w
    return Photo(canvas, name=name, source=source), faces
