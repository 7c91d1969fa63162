"""What is drawn over a photo lies where it belongs; a sheet has room for every face."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from samples import make_face, make_result

from tronie.export.contact_sheet import LONGEST, Drawn, layout_for, portrait_view, sheets, shortened, text_width
from tronie.head.model import HeadModel
from tronie.render.overlay import (
    BEYOND,
    DOT,
    Region,
    cut_out,
    dot_mask,
    face_region,
    overlay,
    paint,
    project,
    wire_mask,
)


@pytest.mark.parametrize("size", [40, 80, 200])
@pytest.mark.parametrize("place", [(20, 30, 80), (-30, 10, 100), (150, 100, 90), (500, 0, 50)])
def test_a_cut_out_is_the_photo_at_that_place(size: int, place: tuple[int, int, int]) -> None:
    """On a picture that is linear in x and y, every pixel has the value of the place its centre maps to."""
    y, x = np.mgrid[:180, :200] + 0.5
    image = np.stack([x, y, 100 + 0 * x], axis=-1).astype(np.uint8)
    region = Region(*place)
    out = cut_out(image, region, size)
    at = (np.arange(size) + 0.5) * region.side / size
    ex, ey = np.meshgrid(region.x + at, region.y + at)
    edge = 2 + 2 * region.side / size
    inside = (ex > edge) & (ex < 200 - edge) & (ey > edge) & (ey < 180 - edge)
    outside = (ex < -edge) | (ex > 200 + edge) | (ey < -edge) | (ey > 180 + edge)
    assert (out[outside] == BEYOND).all()
    assert np.abs(out[inside][:, 0] + 0.5 - ex[inside]).max(initial=0) < 1.2
    assert np.abs(out[inside][:, 1] + 0.5 - ey[inside]).max(initial=0) < 1.2


def test_dots_lie_on_their_points() -> None:
    points = np.array([[10.5, 20.5], [40.25, 8.0], [np.nan, 3.0], [1e9, 0.0]])
    mask = dot_mask(points, 64, 2.0).astype(float)
    for x, y in points[:2]:
        rows, columns = np.mgrid[:64, :64] + 0.5
        near = np.hypot(columns - x, rows - y) < 6
        weight = mask * near
        assert abs((weight * columns).sum() / weight.sum() - x) < 0.2
        assert abs((weight * rows).sum() / weight.sum() - y) < 0.2
    assert mask.sum() > 0


def test_paint_equals_its_formula() -> None:
    rng = np.random.default_rng(0)
    picture, mask = rng.integers(0, 256, (9, 11, 3), np.uint8), rng.integers(0, 256, (9, 11), np.uint8)
    expected = picture + (np.array(DOT) - picture.astype(float)) * (mask[..., None] / 255.0 * 0.5)
    paint(picture, mask, DOT, 0.5)
    assert np.abs(picture - expected).max() <= 0.51


def test_the_wire_covers_the_head_and_nothing_else(tiny_head: HeadModel) -> None:
    face = make_face(tiny_head)
    assert face.head is not None
    assert face.fit is not None
    region = face_region(face)
    mask = wire_mask(face.head, face.fit, region, 256)
    points = (project(face.head.vertices, face.fit) - [region.x, region.y]) * 256 / region.side
    rows, columns = np.nonzero(mask)
    assert rows.min() >= points[:, 1].min() - 3
    assert rows.max() <= points[:, 1].max() + 3
    assert columns.min() >= points[:, 0].min() - 3
    assert columns.max() <= points[:, 0].max() + 3
    assert (np.ptp(rows), np.ptp(columns)) > (0.7 * np.ptp(points[:, 1]), 0.7 * np.ptp(points[:, 0]))
    away = wire_mask(face.head, replace(face.fit, head_to_camera=np.diag([1.0, 1, 1, 1]) * -1), region, 256)
    assert not away.any()  # behind the camera


def test_overlay_changes_only_a_copy(tiny_head: HeadModel) -> None:
    result = make_result(tiny_head)
    before = result.photo.image.copy()
    picture = overlay(result.photo.image, result.faces[0])
    assert picture.shape == (512, 512, 3)
    assert np.array_equal(result.photo.image, before)
    bare = replace(result.faces[0], landmarks=None, fit=None, head=None)
    assert np.array_equal(
        overlay(before, bare, 128), cut_out(before, face_region(bare), 128)
    )  # nothing known, nothing drawn


def test_a_fit_gone_wrong_keeps_the_region_sane(tiny_head: HeadModel) -> None:
    face = make_face(tiny_head)
    assert face.fit is not None
    for z in (5.0, 80.0, 1e7, -600.0):
        pose = face.fit.head_to_camera.copy()
        pose[2, 3] = z
        wrong = replace(face, fit=replace(face.fit, head_to_camera=pose))
        region = face_region(wrong)
        assert np.isfinite([region.x, region.y, region.side]).all()
        assert 0.9 * face.detection.size < region.side < 5 * face.detection.size
        assert overlay(np.zeros((240, 320, 3), np.uint8), wrong, 64).shape == (64, 64, 3)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_sheet_shows_every_face(tiny_head: HeadModel, count: int) -> None:
    pages = sheets(make_result(tiny_head, faces=count))
    assert len(pages) == 1
    assert pages[0].shape[1] > 1000
    assert pages[0].dtype == np.uint8


def test_the_faces_are_spread_over_pages_of_a_sane_size() -> None:
    for count in (1, 2, 6, 7, 12, 13, 29, 60, 61, 500):
        layout = layout_for(count)
        rows = -(-min(count, layout.per_page) // layout.columns)
        assert rows * layout.row + 900 <= LONGEST
        assert layout.columns * (layout.block + 60) < LONGEST
    assert layout_for(29).per_page >= 29


def test_many_faces_make_pages(tiny_head: HeadModel) -> None:
    face = replace(make_face(tiny_head, texture=False), head=None, fit=None)
    many = replace(make_result(tiny_head), faces=tuple(replace(face, index=i + 1) for i in range(200)))
    pages = sheets(many, Drawn({i + 1: np.zeros((64, 64, 3), np.uint8) for i in range(200)}))
    assert len(pages) > 1
    assert all(max(page.shape) <= LONGEST for page in pages)


def test_side_views_hold_the_whole_head(tiny_head: HeadModel) -> None:
    from tronie.geometry import transform

    vertices = tiny_head.mean.astype(np.float64)
    for yaw in (-45.0, 0.0, 45.0):
        camera, pose = portrait_view(100, yaw)
        pixels = camera.project(transform(pose, vertices))
        assert pixels.min() > 0
        assert pixels.max() < 100


@pytest.mark.parametrize("text", ["a" * 500, "naïve Łódź 日本 \udcff\n", "", "short"])
def test_texts_fit_their_width(text: str) -> None:
    assert text_width(shortened(text, 16, 120), 16) <= 120
    assert shortened("short", 16, 120) == "short"
