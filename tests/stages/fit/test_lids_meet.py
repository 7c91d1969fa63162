"""A blink shuts the eyes of everybody, also of those who were seen with wide eyes, and no ball comes through a lid."""

from __future__ import annotations

import numpy as np
import pytest
from synthetic import tiny_head

from tronie.arrays import Array
from tronie.geometry import Camera, rotation_from_euler
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import Head, default_head
from tronie.raster.rasterizer import visible
from tronie.stages.fit.closure import closed, lid_contacts, parting
from tronie.stages.fit.eyeballs import behind_lids
from tronie.stages.fit.map_fit import head_shapes
from tronie.types import Fit

MODEL = default_head()
MESH = MODEL.level(1)
PER_MM, REACH_MM = 6, 24
LOOKS = ("", "eyeLookUp", "eyeLookDown", "eyeLookIn", "eyeLookOut", "eyeSquint")


def moved(weights: dict[str, float]) -> Array:
    """(C, 3) mm of both sides' units."""
    rows = {k: w for k, name in enumerate(ARKIT_UNITS) for stem, w in weights.items() if name.startswith(stem)}
    return np.tensordot(np.array(list(rows.values()), np.float32), MODEL.expression[list(rows)], axes=1)


def ball_seen(vertices: Array, yaw: float = 0.0) -> float:
    """mm2 of both eyeballs that are seen."""
    turn, seen = rotation_from_euler(yaw, 0, 0), 0
    for part in (1, 2):
        middle = vertices[MESH.triangles[MESH.triangle_part == part]].mean(axis=(0, 1))
        at = (vertices - middle) @ turn.T * [PER_MM, PER_MM, 1] + [PER_MM * REACH_MM, PER_MM * REACH_MM, 500]
        ids = visible(at.astype(np.float32), MESH.triangles, 2 * PER_MM * REACH_MM, 2 * PER_MM * REACH_MM)[0]
        seen += int((MESH.triangle_part[ids[ids >= 0]] == part).sum())
    return seen / PER_MM**2


def somebody(seed: int, wide: float = 0.0) -> Array:
    """(C, 3): a random person with a random residual warp, whose eyes are wide open at rest."""
    rng = np.random.default_rng(seed)
    warp = MODEL.smooth_modes.T @ (rng.normal(size=(len(MODEL.smooth_modes), 3)) * [0.03, 0.03, 0])
    return MODEL.shape(rng.normal(size=len(MODEL.identity))) + warp + wide * moved({"eyeWide": 1.0})


def at_rest(control: Array) -> Head:
    """As a fit leaves it."""
    taken = parting(MODEL, control, np.ones(52))
    if taken is not None:
        control = control - np.tensordot(taken, MODEL.expression, axes=1)
    vertices = MESH.apply(control.astype(np.float32))
    return behind_lids(Head(MODEL, 1, vertices, vertices))


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("wide", [0.0, 0.8])
def test_a_blink_shuts_the_eye_wherever_it_looks(seed: int, wide: float) -> None:
    head = at_rest(somebody(seed, wide))
    assert ball_seen(head.neutral) > 100
    for look in LOOKS:
        shut = head.neutral + MESH.apply(moved({"eyeBlink": 1.0, **({look: 1.0} if look else {})}))
        assert ball_seen(shut) == 0, look
        assert ball_seen(shut, 35.0) < 1.5, look


def test_lids_shut_little_by_little() -> None:
    head = at_rest(somebody(3, 0.5))
    seen = [ball_seen(head.neutral + MESH.apply(moved({"eyeBlink": share}))) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert (np.diff(seen) < 0).all()


def test_wide_eyes_would_stay_open_otherwise() -> None:
    vertices = MESH.apply((somebody(0, 0.8) + moved({"eyeBlink": 1.0})).astype(np.float32))
    assert ball_seen(vertices) > 10


def test_what_the_rest_goes_without_the_expression_has() -> None:
    rng = np.random.default_rng(5)
    identity = rng.normal(size=len(MODEL.identity)).astype(np.float32)
    wide = np.zeros(52, np.float32)
    wide[[k for k, name in enumerate(ARKIT_UNITS) if name.startswith("eyeWide")]] = 0.7
    units = dict(zip(ARKIT_UNITS, rng.uniform(0, 0.2, 52).tolist(), strict=True))
    camera, warp = Camera(1800.0, (320.0, 320.0), (640, 640)), np.zeros((len(MODEL.smooth_modes), 3), np.float32)
    fit = Fit(identity, units, np.eye(4), camera, warp, {}, taken=-wide)
    done = closed(MODEL, fit)
    assert done.expression["eyeWideLeft"] > fit.expression["eyeWideLeft"] + 0.2
    np.testing.assert_allclose(head_shapes(MODEL, done)[0], head_shapes(MODEL, fit)[0], atol=1e-3)


def test_a_model_without_lids_has_no_contacts() -> None:
    assert lid_contacts(tiny_head()) == ()
