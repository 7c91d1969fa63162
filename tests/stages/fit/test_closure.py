"""Lips meet at rest, whatever of a smile got into the shape, and the head as the photo shows it stays the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from synthetic import tiny_head

from tronie.arrays import Array
from tronie.geometry import Camera, transform
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, Head, default_head
from tronie.raster.rasterizer import rasterize
from tronie.stages.fit.closure import OPENERS, closed, lip_contact, parting
from tronie.stages.fit.engine import make_head
from tronie.stages.fit.map_fit import expression_vector, fit_landmarks, head_shapes
from tronie.stages.fit.teeth import front_teeth
from tronie.stages.portrait.stage import bent, lips_closed
from tronie.types import Fit, Landmarks

CAMERA = Camera(1800.0, (320.0, 320.0), (640, 640))
PER_MM = 6


def teeth_shown(head: Head) -> float:
    """mm2 of teeth and tongue that are seen straight on, of the head at rest."""
    mesh = head.model.level(head.level)
    middle = mesh.points478(head.neutral)[[13, 14]].mean(axis=0)
    flat = (head.neutral - middle) * [PER_MM, -PER_MM, -1] + [240, 120, 500]
    drawn = rasterize(flat, mesh.triangles, 240, 480).triangle
    inside = [PARTS.index(name) for name in ("teeth_upper", "teeth_lower", "tongue")]
    return float((np.isin(mesh.triangle_part[drawn], inside) & (drawn >= 0)).sum()) / PER_MM**2


def smiling(seed: int, scale: float = 0.5) -> Fit:
    """What is fitted to a random person's smile, into whose shape some of the smile got."""
    rng, model = np.random.default_rng(seed), default_head()
    expression: Array = np.zeros(52)
    for name in ("mouthSmileLeft", "mouthSmileRight", "mouthUpperUpLeft", "mouthUpperUpRight", "mouthLowerDownLeft"):
        expression[ARKIT_UNITS.index(name)] = rng.uniform(0.2, 0.9)
    expression[ARKIT_UNITS.index("jawOpen")] = rng.uniform(0, 0.15)
    mesh = model.level(1)
    shape = model.shape(rng.normal(size=len(model.identity)) * scale, expression)
    points = mesh.points478(mesh.apply(shape)).astype(float)
    points[:, 1:] *= [-1, -1]
    seen = CAMERA.project(points + np.array([0, 0, 900.0])) + rng.normal(size=(478, 2)) * 0.7
    scores = np.clip(expression * rng.uniform(0.3, 0.9), 0, 1)
    return fit_landmarks(model, Landmarks(np.column_stack([seen, points[:, 2] * 2]), scores, 1.0), CAMERA, 300.0)


@pytest.mark.parametrize("seed", range(4))
def test_a_smile_at_rest_shows_no_teeth_and_stays_in_the_photo(seed: int) -> None:
    model = default_head()
    # Some of what opens the mouth is in the person's shape, as a fit that knows no better leaves it there.
    more = expression_vector(dict.fromkeys(OPENERS, 0.03), ARKIT_UNITS)
    own = replace(smiling(seed), taken=-more)
    assert teeth_shown(make_head(model, own, 1)) > 10
    head = make_head(model, closed(model, own), 1)
    assert teeth_shown(head) < 10
    move = -3.0 * front_teeth(model, 1)[:, None] * np.array([0, 1, 0], np.float32)  # long teeth, as a photo may ask for
    assert teeth_shown(replace(head, neutral=head.neutral + move)) < 10


@pytest.mark.parametrize("seed", range(3))
def test_the_head_in_the_photo_does_not_move(seed: int) -> None:
    model, fit = default_head(), smiling(seed, 1.0)
    done = closed(model, fit)
    assert np.allclose(head_shapes(model, fit)[0], head_shapes(model, done)[0], atol=1e-3)
    values = np.array(list(done.expression.values()))
    assert values.min() >= 0
    assert values.max() <= 1
    assert np.array_equal(done.head_to_camera, fit.head_to_camera)
    one, other = (transform(f.head_to_camera, head_shapes(model, f)[0]) for f in (fit, done))
    assert np.abs(CAMERA.project(one) - CAMERA.project(other)).max() < 0.01


def test_lips_meet_as_far_as_the_bounds_let_them() -> None:
    model = default_head()
    lips = lip_contact(model)
    assert lips is not None
    opened = model.shape(None, expression_vector(dict.fromkeys(OPENERS, 0.05), ARKIT_UNITS))
    taken = parting(model, opened, np.ones(52))
    assert taken is not None
    assert lips.parted(opened - np.tensordot(taken.astype(np.float32), model.expression, axes=1)).max() < 0.1
    held = parting(model, opened, np.full(52, 0.01))
    assert held is not None
    assert held.max() <= 0.01
    assert set(np.flatnonzero(taken)) <= {ARKIT_UNITS.index(name) for name in OPENERS}


def test_closing_a_closed_mouth_does_nothing() -> None:
    model = default_head()
    assert parting(model, model.mean, np.ones(52)) is None
    for seed in range(3):
        done = closed(model, smiling(seed, 1.0))
        assert closed(model, done) is done


def test_a_model_without_teeth_is_left_alone() -> None:
    bare = replace(default_head(), part=np.minimum(default_head().part, 2))
    assert lip_contact(bare) is None
    assert parting(bare, bare.mean, np.ones(52)) is None
    fit = smiling(0)
    assert closed(bare, fit) is fit
    assert parting(tiny_head(), tiny_head().mean, np.ones(52)) is None


def test_the_portrait_at_rest_closes_what_the_landmarks_part_beyond_the_head() -> None:
    model, fit = default_head(), closed(default_head(), smiling(2))
    lips = lip_contact(model)
    assert lips is not None
    assert fit.slack is None
    # What the head leaves of the landmarks pulls the lips apart.
    apart = (np.sign(model.mean[:, 1] - model.mean[lips.upper, 1].mean() + 0.3) * model.inner_face)[:, None]
    slack = model.smooth_modes @ (apart * [0, 1.0, 0]) / (model.smooth_modes**2).sum(axis=1, keepdims=True)
    loose = replace(fit, slack=slack.astype(np.float32), head_to_camera=np.diag([1.0, -1, -1, 1]))
    head = make_head(model, fit, 1)
    open_lips = head.neutral + bent(head, loose)
    assert teeth_shown(replace(head, neutral=open_lips)) > 10
    assert teeth_shown(replace(head, neutral=open_lips + lips_closed(head, loose))) < 3
    assert not lips_closed(head, fit).any()
