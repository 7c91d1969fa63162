"""The gate lets detail through and nobody else's face."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from tronie.arrays import Image
from tronie.stages.enhance.gate import (
    ACCEPTED,
    BEST,
    OWN_GATE,
    REFUSED,
    STRANGERS_GATE,
    Gate,
    Scores,
    Verdict,
    compare,
    judge,
)

SIDE = 96


def person(seed: int) -> Image:
    """Something with structure at every size, less the smaller, and little colour; differently for every seed."""
    rng = np.random.default_rng(seed)
    total = np.full((SIDE, SIDE, 3), 128.0, np.float32)
    for cells, strength in ((4, 30), (8, 22), (16, 14), (32, 8), (64, 6)):
        noise = strength * rng.normal(0, 1, (cells, cells, 1)) + rng.normal(0, 2, (cells, cells, 3))
        total += cv2.resize(noise.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.clip(total, 0, 255).astype(np.uint8)


def seen(image: Image, factor: int) -> Image:
    """What a photo coarser by `factor` shows of it, enlarged again."""
    small = cv2.resize(image, (SIDE // factor,) * 2, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))


def verdict(
    before: Image,
    restored: Image,
    factor: float = 4,
    move: float = 0.0,
    apart: float | None = None,
    gate: Gate = OWN_GATE,
) -> Verdict:
    """`move` (of the eyes' distance) and `apart` are what the whole change does to landmarks and embedding; a share
    of it does its share."""
    full = max(float(np.abs(restored.astype(float) - before).mean()), 1e-9)

    def share(image: Image) -> float:
        return float(np.abs(image.astype(float) - before).mean()) / full

    def places(images: list[Image]) -> np.ndarray:
        return np.stack([np.full((5, 2), move * 20 * share(image) / np.sqrt(2)) for image in images])

    def embed(images: list[Image]) -> np.ndarray:
        assert apart is not None
        return np.stack([[apart * share(image), 0.0] for image in images])

    return judge(before, restored, factor, 20.0, places, None if apart is None else embed, gate)


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_true_detail_is_accepted_and_another_person_refused(factor: int) -> None:
    one, before = person(1), seen(person(1), factor)
    good = verdict(before, one, factor)
    assert (good.blend, good.note) == (1.0, None)
    assert good.scores.agreement > ACCEPTED.agreement
    for other in (person(2), before[:, ::-1], seen(person(3), factor), np.zeros_like(one)):
        bad = verdict(before, other, factor)
        assert bad.blend == 0
        assert bad.note is not None
        assert np.array_equal(bad.after, before)
        assert bad.scores.complaint(REFUSED) or bad.scores.complaint(ACCEPTED)


def test_noise_and_blocks_may_go() -> None:
    before = seen(person(1), 3)
    small = cv2.resize(before, (SIDE // 3,) * 2, interpolation=cv2.INTER_AREA)
    small = np.clip(small + np.random.default_rng(0).normal(0, 9, small.shape), 0, 255).astype(np.uint8)
    small = cv2.imdecode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 50])[1], cv2.IMREAD_COLOR)
    spoiled = np.asarray(cv2.resize(small, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC))
    assert verdict(spoiled, person(1), 3).blend == 1


def test_faint_pictures_are_not_all_alike() -> None:
    """At a tenth of the contrast any two pictures agree in dB; not in structure."""
    faint = [np.asarray(120 + (seen(person(k), 4) - 128.0) / 10, dtype=np.uint8) for k in (1, 2)]
    assert compare(*faint, 4)[0] > REFUSED.agreement
    assert verdict(*faint).blend == 0


@pytest.mark.parametrize("factor", [2, 4])
def test_a_part_of_somebody_else_is_found(factor: int) -> None:
    """True detail all over but for one place."""
    one, before = person(1), seen(person(1), factor)
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    spot = np.exp(-((((y - 0.48) / 0.1) ** 2 + ((x - 0.4) / 0.14) ** 2) ** 2))[..., None]
    mixed = [(one + spot * (person(k).astype(float) - one)).astype(np.uint8) for k in range(2, 9)]
    found = [verdict(before, picture, factor).blend for picture in mixed]
    assert sum(blend < 1 for blend in found) >= 6  # two spots may be alike by chance
    assert verdict(before, one, factor).blend == 1


def test_no_change_is_the_best_there_is() -> None:
    before = seen(person(1), 4)
    same = verdict(before, before.copy())
    assert (same.blend, same.note, same.scores) == (1.0, None, Scores(BEST, 1.0, 0.0))
    assert compare(before, before, 4) == (BEST, pytest.approx(1.0))
    flat = np.full_like(before, 90)
    assert compare(flat, flat, 4) == (BEST, 1.0)


def test_what_goes_a_little_too_far_is_blended_back() -> None:
    """Too much sharpening, landmarks that move, an embedding that does: less until it is right, and it says why."""
    before, one = seen(person(1), 4), person(1)
    harsh = before + 2.5 * (before - cv2.GaussianBlur(before.astype(np.float32), (0, 0), 5))
    for case in (
        verdict(before, np.clip(harsh, 0, 255).astype(np.uint8)),
        verdict(before, one, move=1.5 * ACCEPTED.shift),
        verdict(before, one, apart=1.2 * ACCEPTED.identity),
    ):
        assert 0 < case.blend < 1
        assert case.note is not None
        assert f"{100 * case.blend:.0f} %" in case.note
        assert case.scores.complaint(ACCEPTED) is None


def test_what_goes_far_too_far_is_refused_at_once() -> None:
    before, one = seen(person(1), 4), person(1)
    for case in (verdict(before, one, move=2 * REFUSED.shift), verdict(before, one, apart=2 * REFUSED.identity)):
        assert case.blend == 0
        assert case.note is not None
        assert case.note.startswith("not enhanced: ")
        assert np.array_equal(case.after, before)


def test_nets_that_are_not_ours_pass_a_narrower_gate() -> None:
    one, before = person(1), seen(person(1), 4)
    assert verdict(before, one, gate=STRANGERS_GATE).blend == 1.0
    for share in np.linspace(0.1, 0.6, 11):  # somebody else shows through
        strange = cv2.addWeighted(one, 1 - share, person(2), share, 0)
        ours, theirs = verdict(before, strange), verdict(before, strange, gate=STRANGERS_GATE)
        assert theirs.blend <= ours.blend
        if theirs.blend < ours.blend:
            break
    else:
        pytest.fail("both gates let everything through")
    assert verdict(before, one, apart=0.58).blend == 1.0
    assert verdict(before, one, apart=0.58, gate=STRANGERS_GATE).blend < 1.0
