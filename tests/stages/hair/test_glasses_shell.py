"""Glasses drawn before a head come back as rims where they were, whole, and dark where they are dark."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.arrays import Array
from tronie.geometry import Camera, Similarity, rigid, rotation_from_euler, transform
from tronie.head.model import Head, default_head
from tronie.shells import SEGMENTS, Segmentation, Shell
from tronie.stages.hair.glasses import CORNERS, SIDES, depth, glasses_shell
from tronie.types import Fit, Photo

MODEL = default_head()
SIDE = 400
AXES = np.array([23.0, 17.0])
MIDDLE = np.array([32.0, -4.0])


def ring(side: int, scale: float = 1.0) -> Array:
    """(60, 3) mm: the outline of a lens before the eye on the side of +x (1) or -x (-1)."""
    turn = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    xy = MIDDLE + scale * AXES * np.column_stack([np.cos(turn), np.sin(turn)])
    return np.column_stack([side * xy[:, 0], xy[:, 1], depth(xy[:, 0], 27.0)])


def shell(yaw: float = 0.0, worn: bool = True, dark: bool = False) -> Shell | None:
    import cv2

    vertices = MODEL.level(1).apply(MODEL.mean)
    pose, camera = rigid(rotation_from_euler(yaw, 0, 0), [0, 0, 1000.0]), Camera(1500.0, (200.0, 200.0), (SIDE, SIDE))
    image, mask = np.full((SIDE, SIDE, 3), (200, 150, 125), np.uint8), np.zeros((SIDE, SIDE), np.uint8)
    for side in (1, -1) if worn else ():
        corners = np.round(camera.project(transform(pose, ring(side)))).astype(np.int32)
        cv2.fillPoly(mask, [corners], 255)
        if dark:
            cv2.fillPoly(image, [corners], (25, 25, 28))
        cv2.polylines(image, [corners], True, (30, 25, 20), 3)
    shares = np.zeros((len(SEGMENTS), SIDE, SIDE), np.uint8)
    shares[SEGMENTS.index("glasses")], shares[SEGMENTS.index("face")] = mask, 255 - mask
    nothing = np.zeros((len(MODEL.smooth_modes), 3))
    fit = Fit(np.zeros(len(MODEL.identity)), {}, pose, camera, nothing, diagnostics={})
    head = Head(MODEL, 1, vertices, vertices)
    return glasses_shell(Photo(image), head, fit, Segmentation(shares, Similarity(1, 0, 0, 0)))


@pytest.mark.parametrize("yaw", [0.0, 25.0])
def test_the_rims_run_where_the_photo_has_them(yaw: float) -> None:
    made = shell(yaw)
    assert made is not None
    rims = made.vertices[: 2 * CORNERS * SIDES].reshape(2, CORNERS, SIDES, 3).mean(axis=2)
    for rim, side in zip(rims, (1, -1), strict=True):
        x, y = ((rim[:, :2] * [side, 1] - MIDDLE) / AXES).T
        assert abs(np.hypot(x, y).mean() - 1) < 0.15
        assert np.hypot(x, y).std() < 0.12
    assert made.image[..., :3].max() < 120


def test_a_shell_is_closed_and_lit_from_outside() -> None:
    made = shell()
    assert made is not None
    for triangles in (made.triangles, *made.lods):
        edges = np.sort(np.concatenate([triangles[:, [k, (k + 1) % 3]] for k in range(3)]), axis=1)
        assert (np.unique(edges, axis=0, return_counts=True)[1] == 2).all()
    a, b, c = (made.vertices[made.triangles[:, k]] for k in range(3))
    outward = (np.cross(b - a, c - a) * made.normals[made.triangles].mean(axis=1)).sum(axis=1)
    assert (outward > 0).mean() > 0.97
    assert len(made.lods[1]) < len(made.lods[0]) < len(made.triangles)


def test_dark_lenses_are_there_and_clear_ones_are_not() -> None:
    clear, dark = shell(), shell(dark=True)
    assert clear is not None
    assert dark is not None
    assert len(dark.triangles) > len(clear.triangles)
    assert dark.image[0, -1, :3].max() < 60


def test_who_wears_none_gets_none() -> None:
    assert shell(worn=False) is None
