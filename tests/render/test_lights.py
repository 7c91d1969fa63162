"""Light: laws of spherical harmonics, octahedral maps and lamps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.cli.options import LIGHTS
from tronie.errors import InputError
from tronie.geometry import HEAD_TO_CAMERA_AXES
from tronie.head.harmonics import Light, basis, coefficients_of, irradiance, spiral
from tronie.render import lights
from tronie.render.lights import (
    LOBES,
    PRESETS,
    Lamp,
    Lighting,
    octahedral_directions,
    preset,
    surrounding,
)
from tronie.render.panorama import read_panorama
from tronie.render.shader import mirrored

AXES = np.concatenate([np.eye(3), -np.eye(3)])


def lit(harmonics: np.ndarray, normals: np.ndarray) -> np.ndarray:
    return basis(normals) @ harmonics


@pytest.fixture
def small_maps(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Maps of a light that are made quickly."""
    monkeypatch.setattr(lights, "MAP_SIDE", 24)
    octahedral_directions.cache_clear()
    yield
    octahedral_directions.cache_clear()


@pytest.mark.usefixtures("small_maps")
def test_an_even_panorama_lights_everything_alike() -> None:
    light = surrounding(np.full((16, 32, 3), 0.3))
    np.testing.assert_allclose(lit(light.harmonics, AXES), 0.9, rtol=0.01)
    np.testing.assert_allclose(light.mirrored, 0.9, rtol=0.01)
    brighter = surrounding(np.full((16, 32, 3), 0.3), exposure=1.0)
    np.testing.assert_allclose(brighter.harmonics, 2 * light.harmonics)


@pytest.mark.usefixtures("small_maps")
def test_a_panorama_lights_from_where_it_is_bright() -> None:
    """Three quarters to the right lights the front, the middle the head's left, which is right in a picture."""
    for place, toward in (
        ((slice(6, 10), slice(22, 26)), [0, 0, -1]),
        ((slice(6, 10), slice(15, 17)), [1, 0, 0]),
        ((slice(0, 3), slice(None)), [0, -1, 0]),
    ):
        panorama = np.full((16, 32, 3), 0.01)
        panorama[place] = 5
        light = surrounding(panorama)
        level = lit(light.harmonics, AXES)[:, 0]
        assert (AXES[level.argmax()] == toward).all()
        found = octahedral_directions().reshape(-1, 3)[light.mirrored[0, ..., 0].argmax()]
        assert found @ toward > 0.9
    right = np.full((16, 32, 3), 0.01)
    right[6:10, 30:32] = 5
    turned = surrounding(right, turn=80)
    assert lit(turned.harmonics, AXES)[:, 0].argmax() == 5


@pytest.mark.usefixtures("small_maps")
def test_the_light_of_a_photo_is_the_same_here(tmp_path: Path) -> None:
    """light.hdr lights a head that looks into the camera as `tronie.stages.lighting` says, but for the scale."""
    rng = np.random.default_rng(3)
    environment = rng.uniform(0, 1, (32, 64, 3)).astype(np.float32) ** 4
    own = Light(coefficients_of(environment), environment)
    n = spiral(100)
    expected = irradiance(n, own)
    found = lit(surrounding(environment).harmonics, n @ HEAD_TO_CAMERA_AXES.T)
    np.testing.assert_allclose(found / found.mean(), expected / expected.mean(), rtol=0.05)


@pytest.mark.parametrize("bad", [np.zeros((8, 16, 3)), np.ones((8, 16)), np.ones((1, 1, 3))])
def test_no_panorama(bad: np.ndarray) -> None:
    with pytest.raises(ValueError, match="panorama"):
        surrounding(bad)


@given(st.tuples(*[st.floats(-1, 1)] * 3).filter(lambda v: sum(x * x for x in v) > 0.01))
def test_maps_are_looked_up_where_they_were_filled(v: tuple[float, float, float]) -> None:
    toward = np.array(v) / np.linalg.norm(v)
    maps = np.ascontiguousarray(octahedral_directions()[None])
    found = np.array(mirrored(maps, 0, *toward.astype(np.float32)))
    assert found @ toward / np.linalg.norm(found) > 0.998


def test_what_lamps_shed_is_mirrored_undiminished() -> None:
    """Over the sphere each map holds the lamp's irradiance, pi times its colour."""
    lamp = Lamp((0.3, -0.5, -0.9), (0.5, 0.25, 0.125))
    maps = Lighting((lamp,)).maps
    v = octahedral_directions().reshape(-1, 3)
    # The solid angle of an octahedral texel goes with the cube of its point's distance from the octahedron's middle.
    solid = 1 / np.abs(v).sum(axis=1) ** -3
    solid = solid / solid.sum() * 4 * np.pi
    for k in range(len(LOBES)):
        total = (maps[k].reshape(-1, 3) * solid[:, None]).sum(axis=0)
        np.testing.assert_allclose(total, np.pi * np.array(lamp.color), rtol=0.02)


def test_aimed_turns_all_lamps() -> None:
    studio = preset("studio")
    for toward in ([0.0, 0, -1], [1.0, 0, 0], [0.62, 0.55, 0.75]):
        aimed = studio.aimed(toward)
        first = np.array(aimed.lamps[0].direction)
        np.testing.assert_allclose(first, np.array(toward) / np.linalg.norm(toward), atol=1e-9)
        a, b = (
            np.array([np.array(x.direction) / np.linalg.norm(x.direction) for x in s.lamps]) for s in (studio, aimed)
        )
        np.testing.assert_allclose(a @ a.T, b @ b.T, atol=1e-9)
    with pytest.raises(ValueError, match="direction"):
        studio.aimed([0, 0, 0])


def test_panoramas_are_read(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    wide = rng.uniform(0.1, 3, (8, 16, 3)).astype(np.float32)
    cv2.imwrite(str(tmp_path / "a.hdr"), wide[..., ::-1])
    np.testing.assert_allclose(read_panorama(tmp_path / "a.hdr"), wide, atol=0.03)
    cv2.imwrite(str(tmp_path / "b.png"), np.full((8, 16, 3), (10, 20, 188), np.uint8))
    assert read_panorama(tmp_path / "b.png")[0, 0] == pytest.approx([0.503, 0.007, 0.003], abs=0.001)
    (tmp_path / "c.hdr").write_bytes(b"no picture")
    (tmp_path / "d.hdr").write_bytes(b"")
    for name in ("c.hdr", "d.hdr", "missing.hdr"):
        with pytest.raises(InputError, match="Cannot read"):
            read_panorama(tmp_path / name)


def test_the_command_line_knows_the_presets() -> None:
    assert set(LIGHTS) <= set(PRESETS)
