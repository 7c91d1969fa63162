"""The stage: portraits with the photo's expression and at rest, in the same frame, their provenance and likeness."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

import numpy as np

from tronie.arrays import Array, Image
from tronie.geometry import Camera, facing_degrees, smoothstep, transform
from tronie.head.model import Head
from tronie.raster.rasterizer import interpolate, rasterize
from tronie.raster.shading import screen_points
from tronie.settings import PortraitSettings
from tronie.shells import Segmentation, Shell
from tronie.stages.enhance.paste import pasted_square
from tronie.stages.enhance.region import finest_mm
from tronie.stages.fit.basis import on_photo
from tronie.stages.fit.closure import lip_contact
from tronie.stages.fit.map_fit import expression_vector, head_shapes
from tronie.stages.landmarks import recognizer
from tronie.stages.portrait.camera import backdrop, eyes_at, framed, height_of, on_canvas
from tronie.stages.portrait.frontalize import PortraitScene, Turned, Wishes, frontalize
from tronie.stages.portrait.matte import blurred, cut_out, laid_over
from tronie.stages.portrait.plain import plain_portrait, soft_rim
from tronie.stages.portrait.source import cut_source
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.visibility import find_visibility
from tronie.types import Enhanced, Fit, Landmarks, Photo, Portrait, Texture

BLUR_MM = 9.0
"""Spread of a background out of focus, at the head's distance."""
EDGE_MM = 0.4
"""Softness of the head's outline before a plain background."""
SLACK_YAW = (15.0, 40.0)
"""Degrees of yaw over which the portrait leaves the landmarks for the head."""
BLINK, FINE_MM = 0.6, 1.0
"""Weight of eyeBlink from which on eyes at rest are the head's, if a pixel of the photo is no larger than this: small
faces squint in the shade, and painted eyes look at one from them."""
WIDER = 1.35
"""Eyes at rest are open at most so many times as wide as in the photo, if they are the photo's."""
OPEN_MM = 8.0
"""Between the lids of painted eyes at rest. 7.3 is the middle of 800 photos, 9.1 wide."""
LIDS = {"Left": (386, 374), "Right": (159, 145)}
"""MediaPipe's landmarks at the middles of the upper and the lower lid."""
OF_EYES = ("eye", "cheekSquint")
"""What the names of the units begin with that open or narrow an eye, or turn it; they end in its side."""
PARTED_MM = 1.5
"""Between the lips, from where on a mouth at rest is the head's."""


def frontal(
    head: Head,
    texture: Texture,
    settings: PortraitSettings | None = None,
    photo: Photo | None = None,
    fit: Fit | None = None,
    enhanced: Enhanced | None = None,
    threads: int = 1,
    segmentation: Segmentation | None = None,
    shells: tuple[Shell, ...] = (),
) -> Portrait:
    """Portraits of one face. Without photo and fit: of the head alone, before grey. `enhanced` is what super-resolution
    made of the face; `segmentation` tells person and background of the photo apart. With several `threads` both
    portraits are made at once, and are the same."""
    settings = settings or PortraitSettings()
    if photo is None or fit is None:
        return plain_portrait(head, texture, settings)
    view = find_visibility(photo, head, fit, surface_facts(head.model, head.level))
    height = height_of(settings, finest_mm(fit, enhanced))
    camera, pose = framed(head, height, settings.crop, fit.camera, fit.head_to_camera)
    to_photo = on_canvas(camera, pose, fit.camera, fit.head_to_camera)
    source = cut_source(photo.image, to_photo, camera.size)
    fine = None
    if enhanced is not None and enhanced.accepted:
        source, fine = source.with_detail(enhanced), pasted_square(enhanced)
    yaw = float(abs(facing_degrees(np.asarray(fit.head_to_camera)[:3, :3])[0]))
    cut = settings.background in ("blur", "none")
    scene = PortraitScene(
        head,
        texture,
        view,
        source,
        to_photo,
        camera,
        pose,
        fine,
        segmentation,
        cut,
        (photo.image.shape[1], photo.image.shape[0]),
        yaw,
        shells,
    )
    slack = bent(head, fit)
    level = settings.gaze == "level"
    shapes, wishes = [], []
    if settings.expression != "neutral":
        shapes.append(np.asarray(head.vertices + slack))
        wishes.append(Wishes(level_gaze=level))
    if settings.expression != "keep":
        wish = at_rest(head, fit, level, view.pixel_mm)
        lids = eyes_narrowed(head, fit, slack, painted=wish.eyes)
        shapes.append(head.neutral + slack + lips_closed(head, fit) + lids)
        wishes.append(wish)
    if threads > 1 and len(shapes) > 1:
        _ = scene.parts, scene.facts, scene.there, scene.colours, scene.outlines  # once, not in each of them
        with ThreadPoolExecutor(len(shapes)) as pool:
            made = list(pool.map(partial(frontalize, scene), shapes, wishes))
    else:
        made = list(map(partial(frontalize, scene), shapes, wishes))
    ready = [_behind(one, head, camera, pose, v, settings) for one, v in zip(made, shapes, strict=True)]
    (image, mask, alone), (neutral, neutral_mask, neutral_alone) = ready[0], ready[1] if len(ready) > 1 else (None,) * 3
    assert image is not None
    assert mask is not None
    return Portrait(image, neutral, mask, neutral_mask, cut_out=alone, neutral_cut_out=neutral_alone)


def bent(head: Head, fit: Fit) -> Array:
    """(V, 3) mm: what the landmarks say beyond the head, as far as it shapes the portrait.

    In a photo from the front all of it, so that the face stays the photo's. It is known in the photo's plane only,
    which a turned head leaves: known heads turned by 30 to 60 degrees came out 0.008 nearer (the recogniser's distance)
    than with all of it at any yaw. To leave out what of it looks like a turn of the head changed nothing.
    """
    return np.asarray(_slack_share(fit) * (on_photo(head, fit) - head.vertices), dtype=np.float32)


def _slack_share(fit: Fit) -> float:
    yaw = abs(facing_degrees(np.asarray(fit.head_to_camera)[:3, :3])[0])
    return float(1 - smoothstep(np.array(yaw), *SLACK_YAW))


def lips_closed(head: Head, fit: Fit) -> Array:
    """(V, 3) mm, or (1, 3) of zeros: what closes the lips of the portrait at rest, which `bent` parts again."""
    model = head.model
    lips = lip_contact(model)
    if fit.slack is None or lips is None:
        return np.zeros((1, 3), np.float32)
    control = head_shapes(model, fit)[1] + model.smooth_modes.T @ (_slack_share(fit) * fit.slack)
    excess = lips.excess(control, np.ones(len(lips.rows)))
    if excess is None:
        return np.zeros((1, 3), np.float32)
    return -model.level(head.level).apply(np.tensordot(excess.astype(np.float32), model.expression[lips.rows], axes=1))


def eyes_narrowed(head: Head, fit: Fit, slack: Array, *, painted: bool = False) -> Array:
    """(V, 3) mm, or (1, 3) of zeros: what keeps eyes at rest as narrow as the photo has them, or nearly: it shows no
    more of the balls than that, and lashes drawn apart are black holes. With `painted` balls they are as wide as usual.
    `slack` (V, 3) as in `bent`."""
    out: Array = np.zeros((1, 3), np.float32)
    model = head.model
    if not set(model.expression_names) >= set(fit.expression) or not fit.expression:
        return out
    photo, rest = (head.points478(v + slack)[:, 1] for v in (head.vertices, head.neutral))
    for side, (upper, lower) in LIDS.items():
        narrow, wide = float(photo[upper] - photo[lower]), float(rest[upper] - rest[lower])
        wanted = min(wide, OPEN_MM if painted else WIDER * max(narrow, 0.0))
        if wide - wanted < 0.1 or wide - narrow < 0.1:
            continue
        rows = [k for k, name in enumerate(model.expression_names) if name.startswith(OF_EYES) and name.endswith(side)]
        weights = expression_vector(fit.expression, model.expression_names)[rows]
        share = np.float32(min((wide - wanted) / (wide - narrow), 1.0))
        out = out + model.level(head.level).apply(np.tensordot(share * weights, model.expression[rows], axes=1))
    return out


def _behind(
    one: Turned, head: Head, camera: Camera, pose: Array, vertices: Array, settings: PortraitSettings
) -> tuple[Image, Image, Image | None]:
    """A turned portrait, its mask, and the person alone, with the background that is wanted."""
    if settings.background == "keep":
        return one.image, one.mask, None
    if one.matte is not None:
        if settings.background == "blur":
            return blurred(one.image, one.matte.person, BLUR_MM * eyes_at(camera, pose)[1]), one.mask, None
        alone = cut_out(one.image, one.matte)
        picture = laid_over(alone, backdrop(camera.size[1], camera.size[0]))
        return picture, np.where(one.matte.person >= 0.5, one.mask, 0).astype(np.uint8), alone
    image, mask, per_mm = one.image, one.mask, eyes_at(camera, pose)[1]
    screen = screen_points(vertices, camera, pose)
    buffers = rasterize(screen, head.triangles, camera.size[1], camera.size[0])
    opacity = interpolate(buffers, head.triangles, soft_rim(vertices, head, pose)[:, None])
    import cv2

    alpha: Array = np.asarray(cv2.GaussianBlur(opacity[..., 0], (0, 0), EDGE_MM * per_mm), np.float32)
    alpha = smoothstep(alpha, 0.4, 0.95)  # a little within: the photo's background is not far
    plain_one = backdrop(camera.size[1], camera.size[0])
    out = plain_one + alpha[..., None] * (image.astype(np.float32) - plain_one) + 0.5
    return out.astype(np.uint8), np.where(alpha >= 0.5, mask, 0).astype(np.uint8), None


def at_rest(head: Head, fit: Fit, level_gaze: bool, pixel_mm: float) -> Wishes:
    """What the photo's expression hides of the face at rest: eyes behind closed lids, lips stretched round teeth."""
    says = fit.expression
    if not says:  # expressions without names, of a face without eyes and teeth
        return Wishes(level_gaze=level_gaze)
    closed = max(says.get(f"eyeBlink{side}", 0.0) for side in ("Left", "Right")) > BLINK and pixel_mm < FINE_MM
    lips = head.points478(head.vertices)[[13, 14], 1]
    return Wishes(mouth=bool(lips[0] - lips[1] > PARTED_MM), eyes=closed, level_gaze=level_gaze)


def with_likeness(
    portrait: Portrait, head: Head, fit: Fit, photo: Photo, landmarks: Landmarks, settings: PortraitSettings
) -> Portrait:
    """`portrait` with its `identity`."""
    camera, pose = framed(head, len(portrait.image), settings.crop, fit.camera, fit.head_to_camera)
    shape = head.neutral if settings.expression == "neutral" else head.vertices
    points = head.points478(shape + (on_photo(head, fit) - head.vertices)) if fit.expression else landmarks.points
    here = camera.project(transform(pose, points.astype(np.float64)))
    (made,) = recognizer.embedding_of_chips(recognizer.chip_of(portrait.image, here)[None])
    return replace(portrait, identity=float(recognizer.distance(recognizer.embedding_of(photo.image, landmarks), made)))
