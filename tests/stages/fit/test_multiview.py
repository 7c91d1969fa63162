"""Laws of fusing looks: one look says what it says, order does not matter, looks make us surer, liars count less."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.geometry import Camera, rotation_from_euler, transform
from tronie.head.model import default_head
from tronie.stages.fit.fusion import (
    ALIKE,
    LEAST_SURE,
    SUREST,
    Answer,
    Evidence,
    FaceView,
    OutlineSays,
    answer_to,
    answer_weights,
    middle,
    nearness,
    shape_modes,
)
from tronie.stages.fit.map_fit import WARP_SHARE, calibrated_prior, fit_landmarks, head_shapes
from tronie.stages.fit.multiview import fit_known_identity, fit_views, warp_of_fits
from tronie.stages.fit.regressor import default_calibration
from tronie.stages.fit.scale import growth_direction
from tronie.stages.landmarks.net import FEATURES
from tronie.types import Landmarks

CAMERA = Camera(900.0, (320.0, 240.0), (640, 480))


@cache
def look(seed: int, yaw: float = 0.0, pitch: float = 0.0) -> FaceView:
    """A perfect picture of one head from some side, with some net's activations."""
    model, rng = default_head(), np.random.default_rng(seed)
    level = model.level(1)
    identity = np.random.default_rng(5).normal(size=100) * 0.7
    points = level.points478(level.apply(model.shape(identity, np.zeros(52))).astype(float))
    p = points @ rotation_from_euler(yaw, pitch, 3.0).T + [10.0, -20.0, 800.0]
    uv = CAMERA.project(p) + rng.normal(size=(478, 2)) * 0.4
    marks = np.column_stack([uv, (p[:, 2] - 800.0) * 900 / 800])
    features = (rng.normal(size=FEATURES) * 0.3).astype(np.float32)
    return FaceView(Landmarks(marks, np.zeros(52), 1.0, features), CAMERA, 200.0)


@cache
def seen(seed: int, yaw: float = 0.0) -> Answer:
    return answer_to(default_head(), default_calibration(), look(seed, yaw))


def test_an_outline_moves_an_answer_and_makes_it_surer() -> None:
    model, rng = default_head(), np.random.default_rng(0)
    k, plain = len(model.identity), seen(1, 30.0)
    says = OutlineSays(rng.normal(size=k) * 0.1, np.linspace(0.4, 1.0, k), np.full(len(model.mean), 0.9))
    told = answer_to(model, default_calibration(), replace(look(1, 30.0), outline=says))
    assert np.allclose(told.told.identity, plain.told.identity + says.identity)
    modes = shape_modes(model)
    before, after = modes.doubt(plain.told), modes.doubt(told.told)
    free = (before < LEAST_SURE**2) & (after > SUREST**2)
    assert np.allclose(after[free], (before * says.mode_variance)[free])
    # With another photo that tells nothing new, the person follows the outline, and is known better.
    other = seen(2, -30.0)
    one, two = hear([plain, other]).person, hear([told, other]).person
    assert (two.identity - one.identity) @ says.identity > 0
    assert np.median(two.sigma_mm) < np.median(one.sigma_mm)


def nothing(kind: str = "photos") -> Evidence:
    return Evidence.start(default_head(), default_calibration(), kind)


def hear(answers: list[Answer], kind: str = "photos") -> Evidence:
    evidence = nothing(kind)
    for answer in answers:
        evidence = evidence.hear(answer, None)
    return evidence


def test_one_look_is_the_calibrations_own_answer() -> None:
    one = look(1, 10.0)
    person = nothing().add(one).person
    prior, told = calibrated_prior(default_head(), one.landmarks, one.camera, default_calibration())
    assert np.allclose(person.identity, prior.identity, atol=1e-6)
    assert np.allclose(person.sigma_mm, told.sigma_mm, rtol=1e-5)
    assert person.effective == 1


@given(st.permutations(range(5)))
@settings(max_examples=10, deadline=None)
def test_the_order_does_not_matter(order: list[int]) -> None:
    answers = [seen(k, 15.0 * k - 30) for k in range(5)]
    first, second = hear(answers).person, hear([answers[k] for k in order]).person
    assert np.allclose(first.identity, second.identity, atol=1e-9)
    assert np.allclose(first.sigma_mm, second.sigma_mm)


def test_looks_make_us_surer_but_never_as_sure_as_if_they_were_strangers() -> None:
    answers = [seen(k, 12.0 * k - 40) for k in range(8)]
    answers = [replace(a, told=replace(a.told, sigma_mm=answers[0].told.sigma_mm)) for a in answers]
    inner = default_head().inner_face
    sigma = [np.median(hear(answers[:n]).sigma[inner]) for n in (1, 2, 4, 8)]
    assert all(a > b for a, b in pairwise(sigma))
    assert sigma[-1] > 0.6 * sigma[0] > sigma[0] / np.sqrt(8)


def test_a_thousand_frames_of_one_pose_are_worth_one_over_their_correlation() -> None:
    evidence = hear([seen(1)] * 1000, "video")
    assert evidence.person.effective == pytest.approx(1 / ALIKE["video"], rel=0.01)
    assert evidence.looks == 1000
    assert hear([seen(1)] * 4, "video").person.effective < hear([seen(1), seen(2, 30.0)], "video").person.effective


def test_each_shape_is_told_by_the_look_that_is_sure_of_it() -> None:
    model = default_head()
    modes = shape_modes(model)
    usual = 0.7 * modes.spread[::-1]
    told = []
    for k, answer in enumerate((seen(1), seen(2, 30.0))):
        sigma = usual.copy()
        sigma[k], sigma[1 - k] = 0.2 * modes.spread[-1 - k], modes.spread[k - 2]  # one shape told well, one not at all
        told.append(replace(answer, told=replace(answer.told, mode_sigma=sigma)))
    along = hear(told).identity @ modes.axes
    # Growth by the irises moves the largest shapes a little.
    off = [along[-1 - k] - (hear([a]).identity @ modes.axes)[-1 - k] for k, a in enumerate(told)]
    assert np.abs(off).max() < 0.1


def test_what_is_kept_does_not_grow() -> None:
    def held(evidence: Evidence) -> int:
        return sum(value.nbytes for value in vars(evidence).values() if isinstance(value, np.ndarray))

    assert held(hear([seen(1)])) == held(hear([seen(k) for k in range(6)]))


def test_somebody_else_among_the_photos_counts_little() -> None:
    model = default_head()
    axis = shape_modes(model).axes[:, -1]
    good = [seen(k, 10.0 * k - 20) for k in range(5)]
    stranger = replace(good[0], told=replace(good[0].told, identity=good[0].told.identity + 5 * axis))
    answers = [stranger, *good[1:]]
    centre = middle(model, answers)
    near = [nearness(model, a.told.identity, centre) for a in answers]
    assert near[0] < 0.1
    assert min(near[1:]) > 0.9


def test_a_copy_of_a_photo_says_nothing_new() -> None:
    model, calibration = default_head(), default_calibration()
    looks = [look(1), look(2, 20.0), replace(look(1), weight=0.5), look(1)]
    joint, without = fit_views(model, calibration, looks), fit_views(model, calibration, looks[:2])
    assert joint.weights[2:] == (0.0, 0.0)
    assert joint.weights[:2] == without.weights
    assert np.allclose(joint.person.sigma_mm, without.person.sigma_mm)
    assert np.allclose(joint.person.identity, without.person.identity)
    assert answer_weights(model, list(joint.answers), "video")[3] > 0


def test_a_joint_fit_holds_one_identity_and_shows_each_photo() -> None:
    model, calibration = default_head(), default_calibration()
    looks = [look(k, yaw, 5.0) for k, yaw in enumerate((-30.0, 0.0, 25.0))]
    joint = fit_views(model, calibration, looks)
    rest = [head_shapes(model, fit)[1] for fit in joint.fits]
    for fit, one, neutral in zip(joint.fits, looks, rest, strict=True):
        assert np.array_equal(fit.identity, joint.person.identity.astype(np.float32))
        assert np.array_equal(neutral, rest[0])
        assert fit.diagnostics["rms"] < 0.05
        assert fit.slack is not None
        level = model.level(1)
        v = head_shapes(model, fit)[0] + model.smooth_modes.T @ fit.slack
        p = transform(fit.head_to_camera, level.points478(level.apply(v)).astype(float))
        off = one.camera.project(p) - one.landmarks.points[:, :2]
        assert np.sqrt((off**2).sum(axis=1).mean()) < 0.03 * one.size


def test_one_photo_alone_is_nearly_what_a_single_fit_says() -> None:
    model, calibration = default_head(), default_calibration()
    one = look(3, 15.0)
    alone = fit_landmarks(model, one.landmarks, one.camera, one.size, calibration=calibration)
    joint = fit_views(model, calibration, [one]).fits[0]
    off = head_shapes(model, alone)[1] - head_shapes(model, joint)[1]
    assert np.abs(off[model.inner_face]).mean() < 0.8
    assert np.allclose(alone.head_to_camera[:3, :3], joint.head_to_camera[:3, :3], atol=0.02)


def test_a_larger_person_is_further_away() -> None:
    model, calibration = default_head(), default_calibration()
    person = nothing().add(look(1)).person
    larger = replace(person, identity=person.identity + 0.1 * growth_direction(model))
    near, far = (fit_known_identity(model, calibration, look(1), p).head_to_camera[2, 3] for p in (person, larger))
    assert far / near == pytest.approx(np.exp(0.1), rel=0.03)


def test_the_warp_of_one_look_is_the_usual_share_of_it() -> None:
    model, calibration = default_head(), default_calibration()
    fit = fit_known_identity(model, calibration, look(2, 20.0), nothing().add(look(2, 20.0)).person)
    assert np.allclose(warp_of_fits([fit], [1.0]), WARP_SHARE * fit.slack, atol=1e-5)


def test_nothing_seen_and_no_features_are_said() -> None:
    with pytest.raises(ValueError, match="nothing"):
        _ = nothing().person
    blind = replace(look(1), landmarks=replace(look(1).landmarks, features=None))
    with pytest.raises(ValueError, match="features"):
        nothing().add(blind)
