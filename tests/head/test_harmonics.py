"""Nine numbers say how matt surfaces look under any light; the map says the same; the file gives it back."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from tronie.geometry import rotation_matrix
from tronie.head.harmonics import UNIFORM, Light, basis, coefficients_of, directions, irradiance, spiral
from tronie.io.encode import hdr

ANGLES = st.tuples(*[st.floats(-2, 2)] * 3)


def test_the_basis_is_orthonormal() -> None:
    d, angle = directions(64, 128)
    y = basis(d)
    assert np.isclose(angle.sum(), 4 * np.pi)
    assert np.allclose(np.einsum("ijk,ijl,ij->kl", y, y, angle), np.eye(9), atol=2e-3)


def test_uniform_light_leaves_the_albedo() -> None:
    assert np.allclose(irradiance(spiral(50), UNIFORM * np.eye(9)[:, :1] * np.ones(3)), 1, atol=1e-4)


def test_shade_is_what_a_matt_surface_collects() -> None:
    """Against the integral over a smooth sky with a sun: Ramamoorthi & Hanrahan promise 1 % on average, 9 % of a
    single direction's light at worst."""
    d, angle = directions(64, 128)
    sun = np.array([0.5, 0.6, 0.6]) / np.linalg.norm([0.5, 0.6, 0.6])
    sky = (0.3 + 0.2 * d[..., 1:2]) * np.array([0.8, 0.9, 1.0]) + 4 * np.maximum(d @ sun, 0)[..., None] ** 8
    n = spiral(80)
    truth = np.einsum("nij,ijc,ij->nc", np.maximum(np.einsum("nk,ijk->nij", n, d), 0), sky, angle) / np.pi
    error = np.abs(irradiance(n, coefficients_of(sky)) - truth)
    assert error.max() < 0.09 * truth.max()
    assert error.mean() < 0.025 * truth.mean()


@given(arrays(float, (9, 3), elements=st.floats(-1, 1)), ANGLES)
def test_turning_light_and_normals_changes_nothing(coefficients: np.ndarray, turn: tuple[float, float, float]) -> None:
    rotation = rotation_matrix(turn)
    n = spiral(20)
    light = Light(coefficients, np.zeros((32, 64, 3), np.float32))
    assert np.allclose(irradiance(n @ rotation.T, light.turned(rotation)), irradiance(n, light), atol=1e-4)


def test_where_the_map_has_its_axes() -> None:
    d, _ = directions(32, 64)
    assert np.allclose(d[0].mean(axis=0), [0, 1, 0], atol=0.01)
    assert np.allclose(d[15:17, 31:33].mean(axis=(0, 1)), [1, 0, 0], atol=0.01)
    assert np.allclose(d[15:17, 47:49].mean(axis=(0, 1)), [0, 0, 1], atol=0.01)


@given(arrays(np.float32, (3, 5, 3), elements=st.floats(0, 1000, width=32)))
def test_another_reader_finds_the_same_light(picture: np.ndarray) -> None:
    found = cv2.imdecode(np.frombuffer(hdr(picture, "of a test"), np.uint8), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert found.shape == picture.shape
    assert (np.abs(found - picture) <= 0.004 * picture.max(axis=-1, keepdims=True) + 1e-30).all()
