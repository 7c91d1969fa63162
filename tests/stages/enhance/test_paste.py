"""The way back from an enhanced crop: only what was added is laid over the photo, and nothing else changes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.arrays import Image
from tronie.geometry import Camera, Similarity
from tronie.stages.enhance.paste import FEATHER, enlarged, feather, matched, paste, photo_factor, whole_photo
from tronie.stages.enhance.region import cut_region, moved_landmarks
from tronie.stages.landmarks.align import aligned_crop
from tronie.types import Enhanced, Fit, Landmarks, Photo

HERE = Similarity(1, 0, 0, 0)


def picture(height: int = 90, width: int = 120, seed: int = 0) -> Image:
    """Soft blobs of colour with some noise."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(40, 215, (5, 7, 3)).astype(np.float32)
    import cv2

    soft = cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255), dtype=np.uint8)


def square(x: float, y: float, side: float, turn: float = 0.2) -> Similarity:
    """Unit square -> photo, around x, y."""
    a, b = side * np.cos(turn), side * np.sin(turn)
    return Similarity(float(a), float(b), float(x - (a - b) / 2), float(y - (a + b) / 2))


def enhanced_from(image: Image, where: Similarity, change: float | Image = 0, side: int = 64) -> Enhanced:
    crop = aligned_crop(image, where, side)
    after = np.clip(crop.image.astype(int) + change, 0, 255).astype(np.uint8)
    return Enhanced(crop.image, after, crop.to_photo, "test", 1 / crop.to_photo.scale, 1.0, 40.0, 1.0, 0.0)


def face_points(x: float, y: float, size: float) -> np.ndarray:
    """(478, 3) landmarks spread over a box; the eye corners level."""
    rng = np.random.default_rng(3)
    points = np.concatenate([rng.uniform(-0.5, 0.5, (478, 2)) * size + [x, y], rng.normal(0, 1, (478, 1))], axis=1)
    points[33, :2], points[263, :2] = [x - 0.3 * size, y], [x + 0.3 * size, y]
    return points


@settings(max_examples=20, deadline=None)
@given(st.floats(-20, 140), st.floats(-20, 110), st.floats(8, 200), st.floats(-3, 3), st.sampled_from([1, 2, 4]))
def test_a_net_that_changes_nothing_gives_the_photo_back(x, y, side, turn, factor) -> None:
    image = picture()
    one = enhanced_from(image, square(x, y, side, turn))
    given_back = whole_photo(Photo(image), [replace(one, factor=float(factor))])
    assert np.array_equal(given_back, enlarged(image, factor))


def test_nothing_that_was_refused_is_pasted() -> None:
    image = picture()
    one = replace(enhanced_from(image, square(60, 45, 40), 50), blend=0.0)
    assert whole_photo(Photo(image), [one]) is None
    target = image.copy()
    paste(target, HERE, one)
    assert np.array_equal(target, image)


@pytest.mark.parametrize("scale", [0.25, 1.0, 3.0])
def test_what_was_added_arrives_in_its_place_and_fades_out(scale: float) -> None:
    """A soft spot off the crop's middle, pasted into pictures coarser and finer than the crop."""
    image = np.full((200, 240, 3), 100, np.uint8)
    v, u = np.mgrid[:64, :64] + 0.5
    spot = 80 * np.exp(-((u - 44) ** 2 + (v - 20) ** 2) / (2 * 7**2))
    change = np.rint(spot).astype(int)[..., None]
    one = enhanced_from(image, square(130, 90, 64, 0.4), change)
    size = (round(240 * scale), round(200 * scale))
    target = np.full((size[1], size[0], 3), 100, np.uint8)
    paste(target, Similarity(1 / scale, 0, 0, 0), one)
    added = target[..., 0].astype(float) - 100
    assert added.min() >= -2
    assert added.max() == pytest.approx(80, abs=6)
    y, x = np.mgrid[: size[1], : size[0]] + 0.5
    center = np.array([(added * x).sum(), (added * y).sum()]) / added.sum() / scale
    assert np.allclose(center, one.to_photo.apply([44, 20]), atol=0.2)
    assert added.sum() / scale**2 == pytest.approx(change.sum(), rel=0.03)


def test_the_mask_is_a_half_where_the_marks_begin() -> None:
    mask = feather(200)
    assert mask[100, 100] == 1
    assert mask[0].max() < 0.01
    edge = round(200 * FEATHER / 2)
    assert mask[100, edge - 1] < 0.5 < mask[100, edge]


def test_overlapping_crops_share_what_lies_in_both() -> None:
    """Two that brighten alike brighten their common part once, not twice."""
    image = np.full((120, 160, 3), 100, np.uint8)
    faces = [enhanced_from(image, square(x, 60, 80, 0), 40) for x in (60, 85)]
    whole = whole_photo(Photo(image), [replace(face, factor=1.0) for face in faces])
    assert whole is not None
    assert whole.max() <= 141
    assert whole[60, 72, 0] == 140


def test_tints_stay_out_and_detail_stays_in() -> None:
    before = picture(64, 64)
    tinted = np.clip(before * np.array([1.1, 1.0, 0.85]) + [6, 0, -5], 0, 255).astype(np.uint8)
    left = np.abs(matched(before, tinted).astype(float) - before).mean()
    assert left < 0.35 * np.abs(tinted.astype(float) - before).mean()
    checks = (12 * (-1.0) ** np.indices((64, 64)).sum(axis=0))[..., None]
    finer = np.clip(before + checks, 0, 255).astype(np.uint8)
    kept = matched(before, finer).astype(float) - before
    assert np.corrcoef(kept.ravel(), (finer.astype(float) - before).ravel())[0, 1] > 0.98
    assert np.array_equal(matched(before, before), before)


def test_a_grey_photo_stays_grey() -> None:
    before = np.repeat(picture(64, 64)[..., :1], 3, axis=2)
    after = np.roll(picture(64, 64, 1), 1, axis=0)
    made = matched(before, after)
    assert (np.ptp(made.astype(int), axis=2) == 0).all()
    assert not np.array_equal(made, before)


def test_the_photo_is_enlarged_as_far_as_the_smallest_face_needs() -> None:
    assert [photo_factor(1_000_000, [f]) for f in (0.5, 1.05, 1.5, 2.4, 3, 8)] == [1, 1, 2, 2, 4, 4]
    assert photo_factor(1_000_000, [1, 5]) == 4
    assert photo_factor(10_000_000, [8]) == 2
    assert photo_factor(40_000_000, [8]) == 1


@pytest.mark.parametrize("side", [32, 64, 96])
def test_a_detail_is_its_part_of_the_enlarged_photo(side: int) -> None:
    """The camera, the landmarks and the mark of the part say the same as the whole photo's."""
    image = picture(160, 200)
    marks = Landmarks(face_points(90, 70, 20), np.zeros(52), 1.0)
    marks = replace(marks, mirrored=replace(marks, points=marks.points * [-1, 1, 1]))
    where = square(91, 70, 24, 0.1)
    one = enhanced_from(image, where, 0, side)
    part = cut_region(Photo(image, focal=300.0), marks, one)
    factor = round(1 / part.to_photo.scale)
    assert factor >= one.factor - 0.2
    y, x = (int(part.to_photo.ty) * factor, int(part.to_photo.tx) * factor)
    h, w = part.photo.image.shape[:2]
    whole = enlarged(image, factor)[y : y + h, x : x + w].astype(int)
    inner = (slice(3 * factor, -3 * factor),) * 2
    assert np.abs(whole - part.photo.image)[inner].max() <= 1

    fit = Fit(np.zeros(1), {}, np.eye(4), Camera(300.0, (100.0, 80.0), (200, 160)), np.zeros((1, 3)), {})
    points = np.array([[3.0, -5.0, 200.0], [-20.0, 4.0, 300.0]])
    assert np.allclose(part.to_photo.apply(part.fit(fit).camera.project(points)), fit.camera.project(points))
    there = part.landmarks(marks)
    assert np.allclose(part.to_photo.apply(there.points[:, :2]), marks.points[:, :2])
    back = moved_landmarks(there, part.to_photo)
    assert back.mirrored is not None
    assert marks.mirrored is not None
    assert np.allclose(back.points, marks.points)
    assert np.allclose(back.mirrored.points, marks.mirrored.points)
    assert there.mirrored is not None
    assert np.allclose(there.mirrored.points[:, 0], -there.points[:, 0])

    corners = where.apply(np.array([[0.5, 0.5], [FEATHER / 2, FEATHER / 2], [1 - FEATHER / 2, 0.5]]))
    marked = part.square(one).apply(part.to_photo.inverse().apply(corners))
    assert np.allclose(marked, [[0.5, 0.5], [0, 0], [1, 0.5]])


def test_a_detail_holds_the_whole_head_and_is_bounded() -> None:
    image = picture(400, 500)
    marks = Landmarks(face_points(250, 200, 60), np.zeros(52), 1.0)
    part = cut_region(Photo(image), marks, enhanced_from(image, square(250, 200, 60), 0, 512))
    assert max(part.photo.image.shape) <= 2048
    low, high = part.to_photo.apply([[0, 0], part.photo.image.shape[1::-1]])
    assert (low <= [250 - 80, 200 - 90]).all()
    assert (high >= [250 + 80, 200 + 90]).all()


def test_maps_one_after_the_other() -> None:
    one, two = Similarity(1.5, 0.3, 4, -2), Similarity(0.2, -0.7, 1, 9)
    points = np.random.default_rng(0).normal(size=(5, 2))
    assert np.allclose(one.then(two).apply(points), two.apply(one.apply(points)))
    assert np.allclose(one.then(one.inverse()).apply(points), points)
