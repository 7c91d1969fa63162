"""What the photo hides of a turned head, and what lies beyond its border: laws on pictures of a head that is known."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.testing import assert_allclose

from tests.stages.portrait.test_frontalize import EXTENDED, MIRRORED, face_of, painted, scene, truth
from tronie.arrays import Array, Image
from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler
from tronie.head.model import Head, HeadModel
from tronie.settings import PortraitSettings
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.portrait import frontal, portrait_camera
from tronie.stages.portrait.camera import STYLES, eyes_at, framed, on_canvas
from tronie.types import Photo, Portrait

WALL = np.array([70, 80, 95])


def told_apart(image: Image) -> Segmentation:
    """Wall and head of a photo of a `scene`."""
    wall = np.abs(image.astype(int) - WALL).max(axis=-1) < 3
    shares = np.zeros((len(SEGMENTS), *wall.shape), np.uint8)
    shares[SEGMENTS.index("background")], shares[SEGMENTS.index("face")] = 255 * wall, 255 * ~wall
    return Segmentation(shares, Similarity(1, 0, 0, 0))


def turned(model: HeadModel, yaw: float, threads: int = 1, **options: object) -> Portrait:
    """In a photo that has more around the head than its portrait takes in."""
    photo, head, fit = scene(model, yaw, side=400, shift=(0, 0), distance=1400.0)
    settings = PortraitSettings.model_validate({"size": 256, **options})
    found = told_apart(photo.image)
    return frontal(head, painted(), settings, photo, fit, threads=threads, segmentation=found)


def is_head(image: Image) -> Array:
    """(256, 256) bool: what is not wall, down to the chin."""
    return np.asarray((np.abs(image.astype(int) - WALL).max(axis=-1) > 25) & (np.arange(256) < 180)[:, None])


@pytest.mark.parametrize("yaw", [24.0, -35.0, 45.0, -55.0, 70.0])
def test_a_turned_head_comes_back_and_leaves_no_profile(tiny_head: HeadModel, yaw: float) -> None:
    result, true = turned(tiny_head, yaw), truth(tiny_head)
    face = face_of(tiny_head)
    error = float(((result.image[face].astype(float) - true[face]) ** 2).mean())
    assert 10 * np.log10(255**2 / error) > (24 if abs(yaw) < 50 else 21)
    # No more on the side that the photo hides than on the other one.
    there, expected = is_head(result.image), is_head(true)
    far = slice(128, 256) if yaw > 0 else slice(0, 128)
    wider = cv2.dilate((there | expected)[:, ::-1].astype(np.uint8), np.ones((5, 5), np.uint8)) > 0
    assert not (there & ~wider)[:, far].any()


def test_what_is_hidden_is_told(tiny_head: HeadModel) -> None:
    result = turned(tiny_head, 40.0)
    rows, _ = face_of(tiny_head)
    far, near = result.mask[rows, 128:], result.mask[rows, :128]
    assert (far == MIRRORED).mean() > 2 * (near == MIRRORED).mean()
    assert (near == EXTENDED).mean() < 0.02
    # Behind the profile there is wall that nobody has seen.
    assert (far == EXTENDED).sum() > 20


def test_sides_are_treated_alike_and_threads_change_nothing(tiny_head: HeadModel) -> None:
    one, other = turned(tiny_head, 40.0), turned(tiny_head, -40.0, threads=2)
    off = np.abs(one.image.astype(int) - other.image[:, ::-1])
    assert np.quantile(off, 0.95) <= 12
    again = turned(tiny_head, 40.0, threads=2)
    assert np.array_equal(one.image, again.image)
    assert np.array_equal(one.mask, again.mask)


@pytest.mark.parametrize("background", ["blur", "plain", "none"])
@pytest.mark.parametrize("yaw", [40.0, 70.0])
def test_a_head_that_is_drawn_anew_is_cut_out_whole(tiny_head: HeadModel, background: str, yaw: float) -> None:
    result = turned(tiny_head, yaw, background=background)
    rows, columns = face_of(tiny_head)
    if background == "none":
        assert result.cut_out is not None
        assert result.cut_out[rows, columns, 3].min() > 240
        assert result.cut_out[:20, :20, 3].max() == 0
    apart = np.abs(result.image[rows, columns].astype(int) - truth(tiny_head)[rows, columns])
    assert np.median(apart) < 14


@pytest.mark.parametrize("yaw", [0.0, 35.0])
@pytest.mark.parametrize("crop", ["square", "passport", "head"])
def test_nothing_at_the_border_is_repeated_in_streaks(tiny_head: HeadModel, crop: str, yaw: float) -> None:
    """A wall of stripes that end at the photo's border: beyond it is their mean."""
    photo, head, fit = scene(tiny_head, yaw)
    found = told_apart(photo.image)
    stripes = photo.image.copy()
    wall = found.shares[0] > 0
    stripes[wall] = np.where(np.arange(400) % 8 < 4, 40, 160)[:, None, None].repeat(400, 1)[wall]
    x0, x1 = 120, 280
    half = Photo(np.ascontiguousarray(stripes[:, x0:x1]))
    camera = replace(fit.camera, center=(fit.camera.center[0] - x0, fit.camera.center[1]), size=(x1 - x0, 400))
    some = Segmentation(np.ascontiguousarray(found.shares[:, :, x0:x1]), found.to_photo)
    settings = PortraitSettings.model_validate({"size": 256, "crop": crop})
    result = frontal(head, painted(), settings, half, replace(fit, camera=camera), segmentation=some)
    assert (result.mask == EXTENDED).any()
    for column in (1, -2):
        edge, beyond = result.image[:, column], (result.mask[:, 5 * column] == EXTENDED)
        above = edge[:100].astype(float).mean(axis=-1)
        there = cv2.erode(beyond[:100, None].astype(np.uint8), np.ones((13, 1), np.uint8))[:, 0] > 0
        assert np.abs(np.diff(above)[there[:-1] & there[1:]]).max(initial=0) < 12
        assert (np.abs(above[there] - 100) < 40).all()


def test_the_frame_stays_inside_the_photo_where_it_can(tiny_head: HeadModel) -> None:
    v = tiny_head.level(1).apply(tiny_head.mean)
    head = Head(tiny_head, 1, v, v)
    pose = rigid(rotation_from_euler(10, 0, 5), [0, 0, 900.0])
    for crop, style in STYLES.items():
        usual = portrait_camera(head, 256, crop)
        roomy = framed(head, 256, crop, Camera(900.0, (500, 500), (1000, 1000)), pose)
        assert_allclose(roomy[1], usual[1])
        assert roomy[0] == usual[0]
        for half in (170.0, 150.0, 100.0):
            there = Camera(900.0, (half, 500.0), (int(2 * half), 1000))
            camera, new = framed(head, 256, crop, there, pose)
            share = eyes_at(*usual)[1] / eyes_at(camera, new)[1]
            assert style.nearer - 1e-6 <= share <= 1
            corners = np.array([[x, y] for x in (0, camera.size[0]) for y in (0, camera.size[1])], dtype=float)
            x = on_canvas(camera, new, there, pose).apply(corners)[:, 0]
            assert share < style.nearer + 1e-6 or ((x >= 0) & (x <= 2 * half)).all()
