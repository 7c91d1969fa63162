"""Beards stand out from the head as far as their outline says."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from drawn import SIZE, drawn_photo, looking, silhouette

from tronie.geometry import transform
from tronie.stages.hair.beard import MOST_MM, beard_of, with_beard


def beard_mask(longer_mm: float) -> np.ndarray:
    """(SIZE, SIZE) chin and jaw below the mouth, and so many mm below the chin."""
    head, fit = looking()
    points = head.points68(head.vertices).astype(np.float64)
    outline = points[3:14].copy()
    outline[1:-1, 1] -= longer_mm
    corners = np.concatenate([outline, points[[54, 57, 48]] - [0, 6, 0]])
    pixels = fit.camera.project(transform(fit.head_to_camera, corners))
    out = np.zeros((SIZE, SIZE), np.uint8)
    cv2.fillPoly(out, [np.round(pixels).astype(np.int32)], 1)
    return out > 0


@pytest.mark.parametrize("longer", [10.0, 22.0])
def test_the_chin_comes_to_the_beards_end(longer: float) -> None:
    head, fit = looking()
    mask = beard_mask(longer)
    photo, face = drawn_photo(head, fit, {"facial_hair": mask})
    thick = beard_of(photo, face)
    assert thick is not None
    bearded = with_beard(head, thick)
    moved = np.linalg.norm(bearded.neutral - head.neutral, axis=1)
    assert moved.max() < MOST_MM + 1
    np.testing.assert_allclose(bearded.vertices - head.vertices, bearded.neutral - head.neutral, atol=1e-4)
    before, after = (np.flatnonzero(silhouette(h, fit)[:, SIZE // 2]).max() for h in (head, bearded))
    last = np.flatnonzero(mask[:, SIZE // 2]).max()
    assert after >= before
    y = head.model.level(1).apply(head.model.mean)[:, 1]
    assert moved[y > -20].max() == 0  # no nose, no eyes
    chin = moved[np.linalg.norm(head.neutral - head.points68(head.neutral)[8], axis=1) < 12].max()
    assert longer * 0.5 < chin < longer * 1.6 + 3, (chin, last)


def test_who_has_none_keeps_the_chin() -> None:
    head, fit = looking()
    for masks in ({}, {"facial_hair": beard_mask(-6.0) & silhouette(head, fit)}):
        photo, face = drawn_photo(head, fit, masks)
        assert beard_of(photo, face) is None


def test_long_hair_beside_the_chin_is_no_beard() -> None:
    head, fit = looking()
    mask = np.zeros((SIZE, SIZE), bool)
    mask[100:440, 80:180] = mask[100:440, 300:400] = True
    photo, face = drawn_photo(head, fit, {"hair": mask})
    assert beard_of(photo, face) is None
