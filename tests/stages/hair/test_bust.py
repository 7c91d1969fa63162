"""A bust: closed, joined to the neck, fitted to what is seen of the body, in its colours, and nothing of hair in it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from drawn import drawn_photo, hair_mask, looking
from test_neck import mean_head, open_edges, welded

from tronie.head.model import Head
from tronie.head.neck_ring import neck_ring
from tronie.settings import HairSettings
from tronie.shells import Segmentation, Shell
from tronie.stages.hair import build_hair, with_bust
from tronie.stages.hair.below import lies_over, pushed
from tronie.stages.hair.bust import Build, Outline, bust_rows, fitted, in_photo
from tronie.stages.hair.neck import ring_frame, welded_normals
from tronie.types import Face, Fit, Photo


def bust_of(head: Head, seen: tuple[Photo, Fit, Segmentation] | None = None, **pictures: np.ndarray) -> Shell:
    shells, look = with_bust(head, (), pictures.get("texture"), pictures.get("albedo"), seen)
    assert look is not None
    (made,) = shells
    return made


def dressed(build: Build, yaw: float = 0.0) -> tuple[Head, Photo, Face]:
    """Somebody of that build in red, from the chin down to the picture's end."""
    import cv2

    head, fit = looking(yaw)
    ring = neck_ring(head.model, head.level)
    assert ring is not None
    frame = ring_frame(head, ring)
    rows = in_photo(bust_rows(head, frame, build), frame.points.mean(axis=0), fit)[6:]
    mask = np.zeros((480, 480), np.uint8)
    for upper, lower in pairwise(rows):
        points = fit.camera.project(np.concatenate([upper, lower]))
        cv2.fillConvexPoly(mask, cv2.convexHull(np.round(points).astype(np.int32)), 1)
    photo, face = drawn_photo(head, fit, {"clothes": mask > 0})
    image = photo.image.copy()
    image[mask > 0] = (180, 30, 40)
    return head, Photo(image), face


@pytest.mark.parametrize("level", [0, 1, 2])
def test_it_is_closed_and_joined_to_the_neck(level: int) -> None:
    head = mean_head(level)
    shell, ring = bust_of(head), neck_ring(head.model, level)
    assert ring is not None
    assert np.array_equal(shell.vertices[: len(ring)], head.neutral[ring])
    rim = open_edges(welded(shell))
    assert sorted(rim) == sorted((k, (k + 1) % len(ring)) for k in range(len(ring))) or sorted(rim) == sorted(
        ((k + 1) % len(ring), k) for k in range(len(ring))
    )
    p, t = shell.vertices.astype(float), welded(shell)
    corner = p[t] - p[: len(ring)].mean(axis=0)
    assert np.einsum("ij,ij->i", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() > 0
    np.testing.assert_allclose(np.linalg.norm(shell.normals, axis=1), 1, atol=1e-4)


def test_without_a_photo_it_is_a_usual_one_in_plain_cloth() -> None:
    head = mean_head(1)
    shell = bust_of(head)
    assert shell.name == "bust"
    assert 380 < np.ptp(shell.vertices[:, 0]) < 460
    assert np.abs(shell.vertices[:, 0].max() + shell.vertices[:, 0].min()) < 2
    assert np.array_equal(shell.image, bust_of(head).image)
    assert len(shell.triangles) < 6000
    assert [len(rows) < len(shell.triangles) / step for rows, step in zip(shell.lods, (3, 10), strict=True)]


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_it_wears_what_the_photo_shows(yaw: float) -> None:
    head, photo, face = dressed(Build(), yaw)
    assert face.fit is not None
    assert face.segmentation is not None
    shells, look = with_bust(head, (), None, None, (photo, face.fit, face.segmentation))
    assert look is not None
    assert 0.15 < look.seen < 0.7
    red = shells[0].image[250:420, :, :3].reshape(-1, 3).astype(int)  # before and behind
    assert np.abs(np.median(red, axis=0) - [180, 30, 40]).max() < 12
    assert (np.abs(red - [180, 30, 40]).max(axis=1) < 40).mean() > 0.95


def test_it_is_as_wide_as_the_clothes() -> None:
    widths = []
    for build in (Build(width=0.86), Build(width=1.1)):
        head, photo, face = dressed(build)
        assert face.fit is not None
        assert face.segmentation is not None
        ring = neck_ring(head.model, head.level)
        assert ring is not None
        found, _ = fitted(head, ring_frame(head, ring), Outline.of(photo, face.fit, face.segmentation))
        widths.append(found.width)
    assert widths[0] < 0.95
    assert widths[1] > 1.0


def test_hair_lies_on_it() -> None:
    head, fit = looking()
    photo, face = drawn_photo(head, fit, {"hair": hair_mask(head, fit, lowest=-230.0)})
    assert face.segmentation is not None
    _, (hair,) = build_hair(head, [(photo, fit, face.segmentation)], HairSettings())
    ring = neck_ring(head.model, head.level)
    assert ring is not None
    rows = bust_rows(head, ring_frame(head, ring), Build())
    points, outward = rows[:-1].reshape(-1, 3), welded_normals(rows)[:-1].reshape(-1, 3)
    low = hair.vertices[:, 1] < -110
    deep = np.linalg.norm(pushed(hair.vertices[low].astype(float), points, outward), axis=1)
    assert deep.max() > 10  # without a bust it would hang inside of it
    lying = lies_over(hair, points, outward)
    left = np.linalg.norm(pushed(lying.vertices[low].astype(float), points, outward), axis=1)
    assert left.max() < 6
    above = hair.vertices[:, 1] > -100
    np.testing.assert_allclose(lying.vertices[above], hair.vertices[above], atol=1e-4)


def test_without_the_photos_light_it_is_so_as_a_whole() -> None:
    head = mean_head(1)
    texture = np.full((64, 64, 3), 120, np.uint8)
    shell = bust_of(head, texture=texture, albedo=texture + 30)
    assert shell.unlit is not None
    ratio = shell.unlit[..., :3].astype(float) / np.maximum(shell.image[..., :3], 1)
    assert abs(float(np.median(ratio)) - 150 / 120) < 0.03
