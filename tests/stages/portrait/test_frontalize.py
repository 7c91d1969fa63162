"""The photo turned: what laws it obeys on pictures of a head that is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from tronie.arrays import Image
from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import Head, HeadModel
from tronie.raster.shading import UNLIT, render_head
from tronie.settings import PortraitSettings
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.portrait import frontal, portrait_camera
from tronie.stages.portrait.camera import on_canvas
from tronie.types import PROVENANCE, Fit, Photo, Portrait, Texture

SEEN, MIRRORED, AROUND, EXTENDED = (PROVENANCE.index(n) for n in ("seen", "mirrored", "around", "extended"))


def painted(size: int = 256) -> Texture:
    """Smooth colours, the same on both sides."""
    v, u = (np.mgrid[:size, :size] + 0.5) / size
    across = np.abs(u - 0.5)
    image = np.stack(
        [170 + 50 * np.sin(14 * v), 120 + 60 * np.cos(18 * across), 90 + 60 * np.sin(9 * v + 12 * across)], -1
    )
    return Texture(image.astype(np.uint8), np.full((size, size), SEEN, np.uint8))


def scene(
    model: HeadModel, yaw: float, side: int = 400, shift: tuple[float, float] = (0, 0), distance: float = 900.0
) -> tuple[Photo, Head, Fit]:
    """A photo of the mean head before a plain wall."""
    v = model.level(1).apply(model.mean)
    head = Head(model, 1, v, v)
    camera = Camera(2.2 * side, (side / 2, side / 2), (side, side))
    pose = rigid(rotation_from_euler(yaw, 0, 0), [*shift, distance])
    image = render_head(v, model.level(1), painted(), camera, pose, background=(70, 80, 95), shading=UNLIT)
    fit = Fit(
        np.zeros(len(model.identity)),
        dict.fromkeys(ARKIT_UNITS, 0.0),
        pose,
        camera,
        np.zeros((len(model.smooth_modes), 3)),
        diagnostics={"yaw": yaw},
    )
    return Photo(image), head, fit


def turned(model: HeadModel, yaw: float, **options: object) -> Portrait:
    photo, head, fit = scene(model, yaw)
    settings = PortraitSettings.model_validate({"size": 256, **options})
    return frontal(head, painted(), settings, photo, fit)


def truth(model: HeadModel) -> Image:
    v = model.level(1).apply(model.mean)
    camera, pose = portrait_camera(Head(model, 1, v, v), 256)
    return render_head(v, model.level(1), painted(), camera, pose, background=(70, 80, 95), shading=UNLIT)


def face_of(model: HeadModel) -> tuple[slice, slice]:
    """The inner face in the portrait."""
    v = model.level(1).apply(model.mean)
    camera, pose = portrait_camera(Head(model, 1, v, v), 256)
    at = camera.project(transform(pose, v[(model.level(1).matrix @ model.inner_face.astype(np.float32)) > 0.9]))
    (x0, y0), (x1, y1) = at.min(axis=0).astype(int), at.max(axis=0).astype(int)
    return slice(y0 + 4, y1 - 4), slice(x0 + 4, x1 - 4)


def test_a_frontal_photo_stays_what_it_is(tiny_head: HeadModel) -> None:
    result = turned(tiny_head, 0.0)
    face = face_of(tiny_head)
    off = np.abs(result.image.astype(int) - truth(tiny_head))[face]
    assert np.median(off) <= 3
    assert np.quantile(off, 0.9) < 14
    assert (result.mask[face] == SEEN).mean() > 0.9
    assert result.neutral is not None


@pytest.mark.parametrize("yaw", [25.0, -25.0, 40.0])
def test_a_turned_head_looks_into_the_camera(tiny_head: HeadModel, yaw: float) -> None:
    """Nearer to the true frontal picture than what no turn makes of it, and nowhere far from it."""
    # With room around the head, so that the frame is the usual one.
    photo, head, fit = scene(tiny_head, yaw, distance=1400.0)
    result = frontal(head, painted(), PortraitSettings(size=256), photo, fit)
    camera, pose = portrait_camera(head, 256)
    import cv2

    still = on_canvas(camera, pose, fit.camera, fit.head_to_camera).matrix
    flat = cv2.warpAffine(photo.image, still, (256, 256), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
    face = face_of(tiny_head)
    there = truth(tiny_head)[face].astype(int)
    off, before = (np.abs(p[face].astype(int) - there) for p in (result.image, flat))
    assert off.mean() < 0.5 * before.mean()
    assert off.mean() < 12
    away, near = (slice(128, 256), slice(0, 128)) if yaw > 0 else (slice(0, 128), slice(128, 256))
    assert (result.mask[:, away] == MIRRORED).mean() > (result.mask[:, near] == MIRRORED).mean()


def test_left_and_right_are_treated_alike(tiny_head: HeadModel) -> None:
    one, other = turned(tiny_head, 30.0), turned(tiny_head, -30.0)
    off = np.abs(one.image.astype(int) - other.image[:, ::-1])
    assert np.quantile(off, 0.95) <= 12
    assert (one.mask != other.mask[:, ::-1]).mean() < 0.03


def test_what_the_photo_does_not_have_is_said(tiny_head: HeadModel) -> None:
    photo, head, fit = scene(tiny_head, 10.0)
    half = Photo(np.ascontiguousarray(photo.image[:, :190]))
    cut = replace(fit, camera=replace(fit.camera, size=(190, 400)))
    result = frontal(head, painted(), PortraitSettings(size=256), half, cut)
    assert (result.mask == EXTENDED).mean() > 0.1
    assert (turned(tiny_head, 10.0).mask == EXTENDED).mean() < 0.02
    # Nothing black or torn: what is made up lies between the colours of the photo.
    made_up = result.image[result.mask == EXTENDED].astype(int)
    assert (made_up >= photo.image.reshape(-1, 3).min(axis=0) - 3).all()
    assert (made_up <= photo.image.reshape(-1, 3).max(axis=0) + 3).all()


def test_threads_do_not_change_a_byte(tiny_head: HeadModel) -> None:
    photo, head, fit = scene(tiny_head, 25.0)
    one, two = (frontal(head, painted(), PortraitSettings(size=256), photo, fit, threads=n) for n in (1, 2))
    for a, b in ((one.image, two.image), (one.neutral, two.neutral), (one.mask, two.mask)):
        assert a is not None
        assert np.array_equal(a, b)


@pytest.mark.parametrize(("crop", "shape"), [("square", (256, 256)), ("passport", (256, 200)), ("head", (256, 204))])
def test_cuts(tiny_head: HeadModel, crop: str, shape: tuple[int, int]) -> None:
    for background in ("keep", "blur", "plain", "none"):
        result = turned(tiny_head, 15.0, crop=crop, background=background)
        assert (result.cut_out is None) == (background != "none")
        assert result.image.shape == (*shape, 3)
        assert result.mask.shape == shape
        assert result.neutral is not None
        assert result.neutral.shape == result.image.shape


def test_without_a_background_the_head_is_whole_and_the_wall_is_gone(tiny_head: HeadModel) -> None:
    photo, head, fit = scene(tiny_head, 15.0)
    wall = np.abs(photo.image.astype(int) - [70, 80, 95]).max(axis=-1) < 3
    shares = np.zeros((len(SEGMENTS), *wall.shape), np.uint8)
    shares[SEGMENTS.index("background")], shares[SEGMENTS.index("face")] = 255 * wall, 255 * ~wall
    found = Segmentation(shares, Similarity(1, 0, 0, 0))
    settings = PortraitSettings(size=256, background="none")
    for result in (
        frontal(head, painted(), settings, photo, fit, segmentation=found),
        frontal(head, painted(), settings),
    ):
        assert result.cut_out is not None
        assert result.neutral_cut_out is not None
        rows, columns = face_of(tiny_head)
        assert result.cut_out[rows, columns, 3].min() > 250
        assert result.cut_out[:10, :10].max() == 0
        assert result.cut_out.shape == (256, 256, 4)
    keep = turned(tiny_head, 15.0)
    alone = frontal(head, painted(), settings, photo, fit, segmentation=found).cut_out
    assert alone is not None
    assert_allclose(alone[rows, columns, :3], keep.image[rows, columns], atol=1)


def test_one_expression_is_one_picture(tiny_head: HeadModel) -> None:
    both = turned(tiny_head, 20.0)
    kept, rest = (turned(tiny_head, 20.0, expression=e) for e in ("keep", "neutral"))
    assert kept.neutral is None
    assert rest.neutral_mask is None
    assert np.array_equal(kept.image, both.image)
    assert both.neutral is not None
    assert np.array_equal(rest.image, both.neutral)


def test_faces_at_and_beyond_the_border_do_no_harm(tiny_head: HeadModel) -> None:
    for shift in ((-230.0, 0.0), (0.0, 260.0), (900.0, 0.0)):
        photo, head, fit = scene(tiny_head, 20.0, side=120, shift=shift)
        result = frontal(head, painted(), PortraitSettings(size=256), photo, fit)
        assert result.image.shape == (256, 256, 3)
        assert (result.mask == EXTENDED).any()


def test_the_canvas_holds_the_pivot_and_stands_the_head_upright(tiny_head: HeadModel) -> None:
    v = tiny_head.level(1).apply(tiny_head.mean)
    camera, pose = portrait_camera(Head(tiny_head, 1, v, v), 512)
    there = Camera(900.0, (400.0, 300.0), (800, 600))
    for roll in (-40.0, 0.0, 25.0, 120.0):
        photo_pose = rigid(rotation_from_euler(0, 0, roll), [60, -20, 800])
        to_photo = on_canvas(camera, pose, there, photo_pose)
        line = np.array([[0.0, y, -80.0] for y in (-60.0, -40.0, 0.0)])
        here, mapped = (c.project(transform(m, line)) for c, m in ((camera, pose), (there, photo_pose)))
        assert_allclose(to_photo.apply(here)[1], mapped[1], atol=1e-6)
        # The perspective of both pictures leaves a little.
        assert_allclose(to_photo.apply(here), mapped, atol=0.6)
