"""How a restored photo is put together: what is spared, where changes are marked, and that nothing else changes."""

from __future__ import annotations

import cv2
import numpy as np

from tronie.geometry import Similarity
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.enhance.restoration import CHANGES, clothes_spared, put_together
from tronie.types import Enhanced


def test_what_is_round_and_worn_is_no_damage() -> None:
    shares = np.zeros((len(SEGMENTS), 50, 50), np.uint8)
    shares[0, :25], shares[SEGMENTS.index("clothes"), 25:] = 255, 255
    matter = Segmentation(shares, Similarity(4.0, 0.0, 0.0, 0.0))
    damage = np.zeros((200, 200), np.float32)
    cv2.circle(damage, (50, 50), 12, 1.0, -1)
    cv2.circle(damage, (50, 160), 12, 1.0, -1)
    cv2.line(damage, (100, 120), (190, 190), 1.0, 2)
    left = clothes_spared(damage, [matter])
    assert left[50, 50] == 1
    assert left[160, 50] == 0
    assert (left[:, 90:] == damage[:, 90:]).all()
    assert (clothes_spared(damage, []) == damage).all()


def face(change: int) -> Enhanced:
    rng = np.random.default_rng(0)
    before = rng.integers(60, 190, (64, 64, 3)).astype(np.uint8)
    return Enhanced(
        before, (before + change).astype(np.uint8), Similarity(0.5, 0, 20, 10), "made up", 2.0, 1.0, 30, 1, 0
    )


def test_nothing_changes_but_what_is_marked() -> None:
    rng = np.random.default_rng(1)
    toned = rng.integers(60, 190, (60, 80, 3)).astype(np.uint8)
    clean = (toned // 2 + 50).astype(np.uint8)
    damage = np.zeros((60, 80), np.float32)
    damage[50:, :5] = 1
    image, changes = put_together(toned, clean, damage, [])
    assert (image == clean).all()
    assert (changes[50:, :5] == CHANGES.index("filled")).all()
    assert (changes != 0).sum() == 50
    image, changes = put_together(toned, clean, damage, [face(20)])
    assert image.shape == (120, 160, 3)
    assert changes.shape == (120, 160)
    inside = changes == CHANGES.index("enhanced")
    assert 0.1 < inside.mean() < 0.5
    far = cv2.dilate(inside.astype(np.uint8), np.ones((31, 31))) == 0
    plain, _ = put_together(toned, clean, damage, [face(0)])
    assert (image[far] == plain[far]).all()
    middle = image[54:62, 72:80].astype(int) - plain[54:62, 72:80]
    assert abs(middle.mean() - 20) < 3
