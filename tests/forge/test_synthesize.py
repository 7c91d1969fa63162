"""Laws of the calibration's pictures: people, light, what is around them, and what their mirror images say."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from tronie.fit.basis import mirror_signs
from tronie.geometry import euler_degrees, rigid, rotation_from_euler, transform
from tronie.head.model import default_head
from tronie.types import ARKIT_UNITS

ROOT = Path(__file__).resolve().parents[2]
ICT = ROOT.parent / "shared" / "ict" / "ict_facekit.npz"
sys.path.insert(0, str(ROOT / "forge"))


@pytest.mark.parametrize("seed", range(20))
def test_expressions_are_possible(seed: int) -> None:
    from synthesize import random_expression

    e = dict(zip(ARKIT_UNITS, random_expression(np.random.default_rng(seed)), strict=True))
    assert all(0 <= value <= 1 for value in e.values())
    assert e["mouthClose"] <= e["jawOpen"]
    for side in ("Left", "Right"):
        assert min(e["eyeLookUp" + side], e["eyeLookDown" + side]) == 0
        assert min(e["eyeBlink" + side], e["eyeWide" + side]) == 0


@pytest.mark.parametrize("seed", range(12))
def test_light_is_light(seed: int) -> None:
    from lighting import random_light

    model = default_head()
    level = model.level(0)
    pose = rigid(rotation_from_euler(20, 5, 0), np.array([0, 0, 600.0]))
    light = random_light(model.mean, level.triangles, pose, np.random.default_rng(seed))
    assert light.shape == (len(model.mean),)
    assert np.isfinite(light).all()
    assert (light > 0).all()
    assert 0.05 < light[model.inner_face].mean() < 4


@pytest.mark.parametrize("seed", range(6))
def test_props_leave_pictures(seed: int) -> None:
    from props import before, behind, degraded, random_background

    rng = np.random.default_rng(seed)
    points = default_head().level(1).points478(default_head().level(1).apply(default_head().mean))
    points = points[:, :2] * [1, -1] + [144, 110]
    image = behind(random_background(288, [np.full((64, 64, 3), 90, np.uint8)], rng), points, rng)
    image = degraded(before(image, points, rng), rng)
    assert image.shape == (288, 288, 3)
    assert image.dtype == np.uint8


def test_a_mirror_image_of_a_mirror_image_is_the_truth() -> None:
    from synthesize import Sample

    rng = np.random.default_rng(0)
    model = default_head()
    signs = mirror_signs(model)
    seen = rng.normal(size=(478, 3)), rng.random(52), np.zeros((32, 32, 32)), np.zeros((128, 8, 8))
    pose = rigid(rotation_from_euler(25, 10, 5), np.array([30.0, -20, 700]))
    sample = Sample(*seen, rng.normal(size=100), rng.random(52), pose, 900.0, False)
    once = sample.mirrored(seen, signs)
    twice = once.mirrored(seen, signs)
    assert np.allclose(twice.identity, sample.identity)
    assert np.allclose(twice.expression, sample.expression)
    assert np.allclose(twice.head_to_camera, pose)
    yaw, pitch, roll = euler_degrees(once.head_to_camera[:3, :3])
    assert np.allclose((yaw, pitch, roll), (-25, 10, -5))
    # The mirrored head seen by the mirrored camera is the mirror image of what was seen.
    there, here = (
        transform(s.head_to_camera, model.shape(s.identity, s.expression).astype(float)) for s in (once, sample)
    )
    assert np.abs(there[model.mirror] * [-1, 1, 1] - here)[model.inner_face].mean() < 0.02


@pytest.mark.skipif(not ICT.exists(), reason="needs ICT-FaceKit's heads")
def test_icts_people_are_told_in_our_coefficients() -> None:
    from people import ict_people
    from surface import closest_on_surface

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
