"""What other photos lend a small face: a picture on a bumpy sheet stands for a person's head."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from tronie.arrays import Array, Image
from tronie.geometry import Similarity
from tronie.raster.rasterizer import rasterize
from tronie.shells import SEGMENTS, Segmentation
from tronie.stages.enhance.enhancer import Restored
from tronie.stages.enhance.lend import HeadInPhoto, lend
from tronie.stages.enhance.reference import Guided, References, guided
from tronie.stages.landmarks.align import FFHQ_TEMPLATE, FIVE
from tronie.types import Crop, Landmarks, Photo

SIDE, GRID = 256, 24
HERE = Similarity(1, 0, 0, 0)


def picture(seed: int) -> Image:
    """Structure of every size, as a face has."""
    rng = np.random.default_rng(seed)
    layers = [cv2.GaussianBlur(rng.normal(size=(SIDE, SIDE, 3)), (0, 0), s) * s * 55 for s in (1.0, 2.5, 6.0, 14.0)]
    return np.asarray((125 + np.sum(layers, axis=0)).clip(0, 255), np.uint8)


def sheet() -> tuple[Array, Array]:
    """Vertices (V, 3), x and y in 0..1, z in mm, and triangles (T, 3), of a sheet that fills most of the crop."""
    y, x = np.meshgrid(*[np.linspace(0.1, 0.9, GRID)] * 2, indexing="ij")
    z = 1000 - 30 * np.sin(np.pi * x) * np.sin(np.pi * y)
    a = (np.arange(GRID - 1)[:, None] * GRID + np.arange(GRID - 1)).ravel()
    triangles = np.concatenate([np.stack([a, a + GRID, a + 1], 1), np.stack([a + 1, a + GRID, a + GRID + 1], 1)])
    return np.stack([x.ravel(), y.ravel(), z.ravel()], axis=1), triangles.astype(np.int32)


VERTICES, TRIANGLES = sheet()


def head(image: Image, to_photo: Similarity = HERE, name: str = "a.jpg") -> HeadInPhoto:
    """The sheet in a photo in which its crop lies at `to_photo`; all of it is face."""
    marks = np.zeros((478, 3))
    marks[:, :2] = 0.5 * SIDE
    marks[list(FIVE), :2] = FFHQ_TEMPLATE * SIDE
    marks[:, :2] = to_photo.apply(marks[:, :2])
    places = np.column_stack([to_photo.apply(VERTICES[:, :2] * SIDE), VERTICES[:, 2]])
    shares = np.zeros((len(SEGMENTS), 64, 64), np.uint8)
    shares[SEGMENTS.index("face")] = 255
    found = Segmentation(shares, Similarity(SIDE / 64, 0, 0, 0).then(to_photo))
    return HeadInPhoto(Photo(image, source=name), Landmarks(marks, np.zeros(52), 1.0), places, found)


MARKS = head(np.zeros((4, 4, 3), np.uint8)).landmarks.points[:, :2]


def near(images: list[Image]) -> Array:
    """A recogniser that takes all for one person."""
    return np.zeros((len(images), 128))


def far(images: list[Image]) -> Array:
    return np.eye(128)[: len(images)]


TRUTH = picture(1)
GIVEN = np.asarray(cv2.resize(TRUTH, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)
SOFT = np.asarray(cv2.resize(GIVEN, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)


def helped(*others: HeadInPhoto, embed=near, given: Image = GIVEN, soft: Image = SOFT, doubt=None) -> Guided | None:
    crop = Crop(soft, HERE)
    return guided(
        Restored(soft, doubt=doubt), soft, given, crop, MARKS, References(head(soft), others, TRIANGLES), embed
    )


def error(image: Image, truth: Image = TRUTH) -> float:
    inner = slice(SIDE // 4, -SIDE // 4)
    return float(((image[inner, inner].astype(float) - truth[inner, inner]) ** 2).mean())


def test_a_face_as_its_own_reference_comes_nearer_to_the_truth() -> None:
    found = helped(head(TRUTH))
    assert found is not None
    assert error(found.image) < 0.25 * error(SOFT)
    assert found.borrowed.photos == ("a.jpg",)
    assert (found.borrowed.share[96:160, 96:160] > 200).all()


def test_what_lies_beyond_the_head_stays() -> None:
    found = helped(head(TRUTH))
    assert found is not None
    np.testing.assert_array_equal(found.image[:12], SOFT[:12])


def test_no_reference_is_no_help() -> None:
    assert helped() is None


def test_what_an_enhancer_knows_it_need_not_borrow() -> None:
    sure, unsure = (np.full((SIDE, SIDE), levels, np.float32) for levels in (0.5, 40.0))
    assert helped(head(TRUTH), doubt=sure) is None
    one, other = helped(head(TRUTH), doubt=unsure), helped(head(TRUTH))
    assert one is not None
    assert other is not None
    np.testing.assert_array_equal(one.image, other.image)


def test_the_same_again_is_the_same() -> None:
    one, two = helped(head(TRUTH)), helped(head(TRUTH))
    assert one is not None
    assert two is not None
    np.testing.assert_array_equal(one.image, two.image)
    np.testing.assert_array_equal(one.borrowed.share, two.borrowed.share)


@pytest.mark.parametrize("embed", [near, far])
def test_somebody_else_is_refused(embed) -> None:
    """By what the photo shows, however near the recogniser takes them to be; and by that, whatever it shows."""
    assert helped(head(picture(2)), embed=embed) is None
    assert (helped(head(TRUTH), embed=embed) is None) == (embed is far)


def test_a_stranger_beside_the_person_lends_nothing() -> None:
    alone, both = helped(head(TRUTH)), helped(head(picture(2), name="b.jpg"), head(TRUTH))
    assert alone is not None
    assert both is not None
    assert both.borrowed.photos == ("a.jpg",)
    np.testing.assert_array_equal(both.image, alone.image)


def test_what_only_the_small_photo_shows_wins() -> None:
    """Glasses, or an open mouth: a dark bar that the reference is without."""
    other = TRUTH.copy()
    other[130:160, 90:166] = 20
    given = np.asarray(cv2.resize(other, (64, 64), interpolation=cv2.INTER_AREA), np.uint8)
    soft = np.asarray(cv2.resize(given, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC), np.uint8)
    found = helped(head(TRUTH), given=given, soft=soft)
    assert found is not None
    np.testing.assert_allclose(found.image[138:152, 104:152], soft[138:152, 104:152], atol=6)
    assert error(found.image, other) < error(soft, other)


def test_matter_that_only_one_photo_shows_is_not_lent() -> None:
    covered = head(TRUTH)
    shares = covered.segmentation.shares.copy()
    shares[:, :32] = 0
    shares[SEGMENTS.index("other"), :32] = 255
    found = helped(replace(covered, segmentation=replace(covered.segmentation, shares=shares)))
    assert found is None or not found.borrowed.share[:110].any()


def test_a_head_that_lies_elsewhere_is_laid_over_its_place() -> None:
    """Turned, larger, moved: what is lent lies where the small photo has it."""
    to_photo = Similarity(2.0 * np.cos(0.4), 2.0 * np.sin(0.4), 180.0, 30.0)
    matrix = to_photo.matrix.copy()
    matrix[:, 2] += matrix[:, :2].sum(axis=1) / 2 - 0.5
    photo = np.asarray(cv2.warpAffine(TRUTH, matrix, (700, 760), flags=cv2.INTER_CUBIC), np.uint8)
    own = head(SOFT).seen(SIDE, HERE)
    drawn = rasterize(own.points, TRIANGLES, SIDE, SIDE)
    lent = lend(head(photo, to_photo).seen(384), own, TRIANGLES, drawn)
    assert lent.trust[64:-64, 64:-64].min() > 0.95
    assert error(lent.picture) < 0.1 * error(SOFT)


def test_what_the_other_photo_hides_is_not_lent() -> None:
    """A sheet folded over: its upper half lies behind its lower half there."""
    folded = head(TRUTH)
    points = folded.points.copy()
    upper = VERTICES[:, 1] < 0.5
    points[upper, 1] = SIDE - points[upper, 1]
    points[upper, 2] += 100
    own = head(SOFT).seen(SIDE, HERE)
    drawn = rasterize(own.points, TRIANGLES, SIDE, SIDE)
    lent = lend(replace(folded, points=points).seen(384), own, TRIANGLES, drawn)
    assert lent.trust[40:110, 64:-64].max() < 0.05
    assert lent.trust[150:220, 64:-64].min() > 0.9
