"""Sample a head, project its points, fit: the truth comes back."""

from dataclasses import replace

import numpy as np
import pytest
from synthetic import tiny_head

from tronie.geometry import Camera, euler_degrees, rotation_from_euler, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.stages.fit.basis import WARP_LIMIT_MM, landmark_basis, on_photo, residual_warp
from tronie.stages.fit.camera import guess_camera
from tronie.stages.fit.engine import make_head
from tronie.stages.fit.map_fit import fit_landmarks, head_shapes, plain_prior
from tronie.stages.fit.problem import FAR_SIDE_MM, OVAL_ALONG, contour_pull
from tronie.stages.landmarks.lines import OVAL
from tronie.types import Detection, Landmarks

CAMERA = Camera(900.0, (320.0, 240.0), (640, 480))


def observe(identity, expression, angles, translation, noise=0.0, seed=0):  # type: ignore[no-untyped-def]
    """Landmarks of the tiny head as a perfect net would give them, and the true camera-space points."""
    model = tiny_head()
    level = model.level(1)
    points = level.points478(level.apply(model.shape(identity, expression)).astype(float))
    rotation = rotation_from_euler(*angles)
    p = points @ rotation.T + translation
    uv = CAMERA.project(p) + np.random.default_rng(seed).normal(size=(478, 2)) * noise
    scale = CAMERA.focal / translation[2]
    return Landmarks(np.column_stack([uv, (p[:, 2] - translation[2]) * scale]), np.asarray(expression), 1.0), p


@pytest.mark.parametrize("yaw", [-50, -20, 0, 35])
@pytest.mark.parametrize("pitch", [-20, 10])
def test_pose_and_shape_come_back(yaw: float, pitch: float) -> None:
    model = tiny_head()
    rng = np.random.default_rng(3)
    identity = rng.normal(size=len(model.identity)) * 0.5
    expression = np.zeros(52)
    expression[[17, 23]] = 0.5, 0.3
    landmarks, truth = observe(identity, expression, (yaw, pitch, 12), np.array([30.0, -20.0, 800.0]))
    fit = fit_landmarks(model, landmarks, CAMERA, 150.0)
    found = euler_degrees(fit.head_to_camera[:3, :3])
    assert np.abs(np.subtract(found, (yaw, pitch, 12))).max() < 2.5
    assert fit.diagnostics["rms"] < 0.01
    expressed, _ = head_shapes(model, fit)
    level = model.level(1)
    points = transform(fit.head_to_camera, level.points478(level.apply(expressed)).astype(float))
    assert np.abs(CAMERA.project(points) - landmarks.points[:, :2]).max() < 6
    assert np.linalg.norm(points - truth, axis=1).mean() < 25  # the distance is the weakest part of one view


def test_expression_stays_within_its_bounds() -> None:
    expression = np.zeros(52)
    expression[ARKIT_UNITS.index("jawOpen")] = 1.0
    landmarks, _ = observe(np.zeros(5), expression, (0, 0, 0), np.array([0.0, 0.0, 700.0]), noise=1.0)
    fit = fit_landmarks(tiny_head(), landmarks, CAMERA, 150.0)
    values = np.array([fit.expression[n] for n in ARKIT_UNITS])
    assert (values >= 0).all()
    assert (values <= 1).all()
    assert fit.expression["jawOpen"] > 0.8


def test_the_warp_lowers_the_error_and_is_bounded() -> None:
    model = tiny_head()
    landmarks, _ = observe(np.zeros(5), np.zeros(52), (10, 0, 0), np.array([0.0, 0.0, 700.0]))
    bent = landmarks.points.copy()
    bent[:, 0] += 6 * np.sin(bent[:, 1] / 30)  # a shape that the identity basis does not hold
    crooked = Landmarks(bent, landmarks.scores, 1.0)
    without = fit_landmarks(model, crooked, CAMERA, 150.0, warp=False).diagnostics
    with_warp = fit_landmarks(model, crooked, CAMERA, 150.0).diagnostics
    assert without["rms"] == without["rms_model"]
    assert with_warp["rms"] < without["rms"]
    assert 0 < with_warp["warp_max_mm"] <= WARP_LIMIT_MM + 1e-6


def test_the_texture_follows_the_landmarks_further_than_the_head() -> None:
    """What a calibrated fit does not take of the warp is kept, and the photo is read where it would lie with it."""
    model = tiny_head()
    landmarks, _ = observe(np.zeros(5), np.zeros(52), (10, 0, 0), np.array([0.0, 0.0, 700.0]))
    bent = landmarks.points.copy()
    bent[:, 0] += 6 * np.sin(bent[:, 1] / 30)
    fit = fit_landmarks(model, Landmarks(bent, landmarks.scores, 1.0), CAMERA, 150.0)
    assert fit.slack is None
    quarter = replace(fit, warp=fit.warp / 4, slack=fit.warp * 3 / 4)
    head = make_head(model, quarter, 1)
    level = model.level(1)

    def error(vertices: np.ndarray) -> float:
        points = transform(fit.head_to_camera, level.points478(vertices).astype(float))
        return float(np.linalg.norm(CAMERA.project(points) - bent[:, :2], axis=1).mean())

    seen = on_photo(head, quarter)
    assert np.allclose(seen, make_head(model, fit, 1).vertices, atol=1e-3)
    assert error(seen) < error(head.vertices)
    assert on_photo(head, fit) is head.vertices


def test_the_warp_leaves_depth_alone() -> None:
    model = tiny_head()
    basis = landmark_basis(model)
    rotation = rotation_from_euler(25, 5, 0)
    residual = np.random.default_rng(1).normal(size=(478, 2)) * 2
    moved = basis.modes @ residual_warp(basis, model.smooth_stiffness, residual, rotation)
    assert np.abs(moved @ rotation[2]).max() < 1e-9


def test_initial_pose_is_near_for_a_face_off_the_axis() -> None:
    landmarks, _ = observe(np.zeros(5), np.zeros(52), (20, -10, 5), np.array([150.0, 80.0, 700.0]))
    prior = plain_prior(landmark_basis(tiny_head()), landmarks, CAMERA)
    rotation, translation = prior.rotation, prior.translation
    assert np.abs(np.subtract(euler_degrees(rotation), (20, -10, 5))).max() < 10
    assert np.abs(translation - [150, 80, 700]).max() < 80


def test_points_that_coincide_are_refused() -> None:
    flat = Landmarks(np.full((478, 3), 100.0), np.zeros(52), 1.0)
    with pytest.raises(ValueError, match="do not form a face"):
        fit_landmarks(tiny_head(), flat, CAMERA, 150.0)


def test_the_camera_prefers_what_the_file_says() -> None:
    face = Detection((0, 0, 300, 400), np.zeros((5, 2)), 1.0)
    assert guess_camera((640, 480), 1234.0, [face]).focal == 1234.0
    near, far = guess_camera((640, 480), None, [face]), guess_camera((640, 480), None, [])
    assert near.focal > far.focal == pytest.approx(640 * 50 / 36)
    assert far.center == (320, 240)


def test_offsets_along_the_oval_count_less_and_the_far_side_not_at_all() -> None:
    basis = landmark_basis(tiny_head())
    flat = basis.mean[:, :2] * [1, -1]
    upright = contour_pull(basis.mean, flat, rotation_from_euler(0, 0, 0))
    inner = np.setdiff1d(np.arange(478), OVAL)
    assert np.array_equal(upright[inner], np.tile(np.eye(2), (len(inner), 1, 1)))
    ring = np.array(OVAL)
    along = flat[np.roll(ring, -1)] - flat[np.roll(ring, 1)]
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    across = along[:, ::-1] * [-1, 1]
    kept, lost = (np.linalg.norm(np.einsum("nij,nj->ni", upright[ring], d), axis=1) for d in (across, along))
    assert np.allclose(lost / kept, OVAL_ALONG)
    for yaw in (60, -60):
        rotation = rotation_from_euler(yaw, 0, 0)
        turned = contour_pull(basis.mean, flat, rotation)[ring]
        depth = basis.mean[ring] @ rotation[2]
        assert not turned[(depth > depth.mean()) & (np.abs(basis.mean[ring, 0]) > FAR_SIDE_MM)].any()
        assert turned[depth < depth.mean() - 20].any(axis=(1, 2)).all()
