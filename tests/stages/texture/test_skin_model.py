"""The statistical model of skin: colours and back, symmetry, what is saved comes back, who is invented."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.head.harmonics import plain_basis
from tronie.head.model import default_head
from tronie.stages.texture.random_skin import random_texture
from tronie.stages.texture.skin_fit import fit_skin, skin_basis
from tronie.stages.texture.skin_model import SkinModel, colour_of, default_skin, opponent


@given(st.lists(st.tuples(*[st.floats(0, 255)] * 3), min_size=1, max_size=20))
def test_colours_come_back(colours: list[tuple[float, float, float]]) -> None:
    colour = np.array(colours)
    np.testing.assert_allclose(colour_of(opponent(colour)), colour, atol=1e-3)


def small_model(rng: np.random.Generator) -> SkinModel:
    inside = np.zeros((16, 8), bool)
    inside[2:14, 2:] = True
    n, m, k = int(inside.sum()), 24, 4
    return SkinModel(
        inside,
        rng.normal(size=n + 2 * m).astype(np.float32),
        rng.normal(size=(k, n + 2 * m)).astype(np.float32),
        np.array([False, True, False, True]),
        np.full(n + 2 * m, 0.1, np.float32),
        np.ones(9),
        np.ones((2, 4)),
        rng.normal(size=(5, k)).astype(np.float32),
        np.array([-4.0, 0.5]),
    )


def test_what_is_saved_comes_back(tmp_path: Path) -> None:
    model = small_model(np.random.default_rng(0))
    model.save(tmp_path / "skin.npz")
    back = SkinModel.load(tmp_path / "skin.npz")
    assert np.array_equal(back.inside, model.inside)
    assert np.array_equal(back.odd, model.odd)
    step = np.abs(model.modes).max(axis=1, keepdims=True) / 127
    assert (np.abs(back.modes - model.modes) <= 0.51 * step).all()
    np.testing.assert_allclose(back.mean, model.mean, atol=2e-3)


def test_even_modes_are_the_same_in_the_mirror_and_odd_ones_their_opposite() -> None:
    model = small_model(np.random.default_rng(1))
    c = np.array([1.0, 0.5, -0.7, 0.9])
    mirrored = np.where(model.odd, -c, c)
    np.testing.assert_allclose(model.map(c, 32)[:, ::-1], model.map(mirrored, 32), atol=1e-5)
    uv = np.random.default_rng(2).random((50, 2))
    mean, modes, _ = model.at(uv)
    twin_mean, twin_modes, _ = model.at(np.column_stack([1 - uv[:, 0], uv[:, 1]]))
    np.testing.assert_allclose(mean, twin_mean, atol=1e-4)
    np.testing.assert_allclose(modes, np.where(model.odd, -1, 1) * twin_modes, atol=1e-4)


def test_the_map_and_its_samples_agree() -> None:
    model = small_model(np.random.default_rng(3))
    c = np.array([0.3, -1.0, 0.2, 0.8])
    rows, columns = np.nonzero(np.concatenate([model.inside, model.inside[:, ::-1]], axis=1))
    mean, modes, _ = model.at(np.column_stack([columns + 0.5, rows + 0.5]) / 16)
    np.testing.assert_allclose(mean[:, 0] + modes[0] @ c, model.map(c, 16)[rows, columns, 0], atol=1e-5)


def test_a_drawn_skin_is_found_again_from_one_side() -> None:
    """Sampled coefficients and light, seen on half of the face: the hidden half follows."""
    model = default_head()
    base = skin_basis(model, 0)
    assert base is not None
    rng = np.random.default_rng(0)
    normals = model.mean / np.linalg.norm(model.mean, axis=1, keepdims=True)
    even = ~base.skin.odd
    errors, plain = [], []
    for person in base.skin.people[:6]:
        truth = base.mean + np.stack([m @ (person * even).astype(np.float32) for m in base.modes], axis=1)
        truth[:, 0] += plain_basis(normals)[:, 1:4] @ (base.skin.light[1:4] * rng.normal(size=3))
        seen = model.inner_face & (model.mean[:, 0] < 0)
        hidden = model.inner_face & (model.mean[:, 0] > 10)
        noisy = truth + 0.3 * base.noise * rng.normal(size=truth.shape)
        off = rng.choice(np.flatnonzero(seen), 40)
        noisy[off, 0] -= 1.5  # a frame of glasses
        said = fit_skin(base, noisy, seen.astype(np.float32), normals, 1.0)
        errors.append(np.abs(said.fitted - truth)[hidden].mean())
        plain.append(np.abs(base.mean + np.median((truth - base.mean)[seen], axis=0) - truth)[hidden].mean())
        assert np.median(said.off[off]) < -4
    assert np.mean(errors) < 0.6 * np.mean(plain)


@pytest.fixture(scope="module")
def invented() -> list[np.ndarray]:
    rng = np.random.default_rng(4)
    return [random_texture(rng, 256, hair=0.0) for _ in range(12)]


def test_invented_skins_are_skin(invented: list[np.ndarray]) -> None:
    skin = default_skin()
    face = np.zeros((256, 256), bool)
    face[110:190, 80:176] = True
    for image in invented:
        assert image.shape == (256, 256, 3)
        assert image.dtype == np.uint8
        red, green, blue = np.median(image[face], axis=0)
        assert red > green > blue * 0.9
    light = [float(np.median(i[face])) for i in invented]
    assert np.ptp(light) > 40  # light and dark people
    assert skin.inside.shape == (256, 128)


def test_the_same_seed_gives_the_same_bytes() -> None:
    a, b = (random_texture(np.random.default_rng(9), 256) for _ in range(2))
    assert np.array_equal(a, b)
    assert not np.array_equal(a, random_texture(np.random.default_rng(10), 256))
