"""Eyes and lids, teeth and lips of the shipped head do not cut into each other.

`training/head/intersections.py` asks more.
"""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import PARTS, default_head

LIMIT = 0.3
"""mm."""


@pytest.fixture(scope="module")
def anatomy():
    from training.head import intersections

    return intersections, intersections.zones(default_head())


@pytest.mark.slow
def test_signed_distances_are_those_of_a_sphere(anatomy) -> None:
    import trimesh

    check, _ = anatomy
    ball = trimesh.creation.icosphere(subdivisions=4, radius=10.0)
    rng = np.random.default_rng(0)
    way = rng.normal(size=(500, 3))
    way /= np.linalg.norm(way, axis=1, keepdims=True)
    radius = rng.uniform(8.0, 12.0, 500)
    d, out = check.signed_distance(way * radius[:, None], ball.vertices, ball.faces)
    np.testing.assert_allclose(d, radius - 10, atol=0.03)
    assert (np.einsum("ij,ij->i", out, way) > 0.98).all()


def test_what_is_closed_is_closed_and_holds_the_teeth(anatomy) -> None:
    check, zones = anatomy
    model = default_head()
    v = model.level(1).apply(model.mean)
    for zone in zones:
        assert check.border(zone.solid) == []
        t = v[zone.solid].astype(float)
        volume = np.einsum("ij,ij->", t[:, 0], np.cross(t[:, 1], t[:, 2])) / 6
        assert volume > 5000, zone.name  # mm^3


def test_a_lid_pushed_into_the_eye_is_found(anatomy) -> None:
    check, zones = anatomy
    model = default_head()
    v = model.level(1).apply(model.mean).astype(float)
    v[zones[0].points.ravel()] -= [0.0, 0.0, 1.0]
    assert check.found(zones[0], v).depth > LIMIT


STATES = [
    (), ("eyeBlinkLeft",), ("eyeWideLeft",), ("eyeLookUpLeft",), ("eyeLookDownLeft",), ("jawOpen",),
    ("mouthSmileLeft", "mouthSmileRight"), ("mouthFunnel",), ("mouthRollUpper",),
]  # fmt: skip


@pytest.mark.parametrize("state", STATES, ids="+".join)
def test_nothing_cuts_deeper_than_a_third_of_a_millimetre(anatomy, state: tuple[str, ...]) -> None:
    check, zones = anatomy
    model = default_head()
    mesh = model.level(1)
    move = sum((model.expression[ARKIT_UNITS.index(u)] for u in state), np.zeros_like(model.mean))
    for person in check.people(model, 1):
        v = mesh.apply(model.shape(person) + move)
        for zone in zones if not state else zones[:1] if state[0].startswith("eye") else zones[2:]:
            found = check.found(zone, v)
            assert found.depth <= LIMIT, (zone.name, found)
            assert found.open <= LIMIT, (zone.name, found)


def test_a_tongue_put_out_passes_over_the_lower_lip() -> None:
    model = default_head()
    mesh = model.level(1)
    v = mesh.apply(model.mean + model.expression[ARKIT_UNITS.index("tongueOut")])
    middle = np.abs(v[:, 0]) < 4
    tongue = np.zeros(len(v), bool)
    tongue[np.unique(mesh.triangles[mesh.triangle_part == PARTS.index("tongue")])] = True
    lip = mesh.points478(v)[14]
    assert v[tongue, 2].max() > lip[2] + 3
    over = v[tongue & middle & (np.abs(v[:, 2] - lip[2] + 3) < 2.5)]
    assert over[:, 1].max() > lip[1] + 2
