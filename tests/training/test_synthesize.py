"""Laws of the pictures that our calibration learns from: people, and what their mirror images say."""

from __future__ import annotations

import numpy as np
import pytest
from places import SHARED

from tronie.geometry import euler_degrees, rigid, rotation_from_euler, transform
from tronie.head.model import default_head
from tronie.stages.fit.basis import mirror_map

ICT = SHARED / "ict" / "ict_facekit.npz"


def test_a_mirror_image_of_a_mirror_image_is_the_truth() -> None:
    from training.landmarks.synthesize import Sample

    rng = np.random.default_rng(0)
    model = default_head()
    twin = mirror_map(model)
    activations = [np.zeros(shape) for shape in ((32, 32, 32), (128, 8, 8), (128,), (64, 17, 17))]
    seen = rng.normal(size=(478, 3)), rng.random(52), *activations
    pose = rigid(rotation_from_euler(25, 10, 5), np.array([30.0, -20, 700]))
    sample = Sample(*seen, rng.normal(size=100), rng.random(52), pose, 900.0, False, 0)
    once = sample.mirrored(seen, twin)
    twice = once.mirrored(seen, twin)
    assert np.allclose(twice.identity, sample.identity, atol=1e-4)
    assert np.allclose(twice.expression, sample.expression)
    assert np.allclose(twice.head_to_camera, pose)
    yaw, pitch, roll = euler_degrees(once.head_to_camera[:3, :3])
    assert np.allclose((yaw, pitch, roll), (-25, 10, -5))
    # The mirrored head seen by the mirrored camera is the mirror image of what was seen.
    there, here = (
        transform(s.head_to_camera, model.shape(s.identity, s.expression).astype(float)) for s in (once, sample)
    )
    assert np.abs(there[model.mirror] * [-1, 1, 1] - here)[model.inner_face].mean() < 0.02


@pytest.mark.slow
@pytest.mark.skipif(not ICT.exists(), reason="needs ICT-FaceKit's heads")
def test_icts_people_are_told_in_our_coefficients() -> None:
    from training.head.closest_points import closest_on_surface
    from training.landmarks.ict_people import ict_people

    model = default_head()
    crowd = ict_people(ICT, model)
    person = crowd.draw(1.0, np.zeros(52), np.random.default_rng(3))
    level = model.level(1)
    ours = level.apply(model.shape(person.identity)).astype(float)
    rows = np.flatnonzero(crowd.model.inner_face)[:2500:5]
    skin = level.triangles[level.triangle_part == 0]
    assert np.median(closest_on_surface(person.vertices[rows].astype(float), ours, skin)[2]) < 0.3
    assert np.linalg.norm(person.points - level.points478(ours), axis=1).mean() < 3
    assert person.foreign
