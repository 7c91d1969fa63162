"""Laws of what random people wear: it lies on the head, it is a picture's business only, it knows whom it is on."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("scipy")

from training.landmarks.beards import Barber
from training.landmarks.crowd import SIDE, cropped, nearest_coefficients, uneven
from training.landmarks.hair import Fit, Hatter
from training.landmarks.rays import LEAST_MM, Rays
from training.landmarks.spectacles import glasses
from tronie.head.model import default_head
from tronie.pipelines.calibration.layers import Drawn
from tronie.pipelines.calibration.synthetic import Own, photograph


@pytest.fixture(scope="module")
def rays() -> Rays:
    return Rays.of(default_head(), 1)


def test_hair_lies_over_the_skin(rays: Rays) -> None:
    model, rng = default_head(), np.random.default_rng(2)
    vertices = model.level(1).apply(model.shape(rng.normal(0, 1.3, len(model.identity))))
    points = rays.over(vertices, np.full(rays.skin.shape, 4.0), ears=False)
    met = (vertices[rays.corners] * rays.weights[..., None]).sum(axis=2)
    gap = ((points - met) * rays.direction).sum(axis=-1)[3:26]
    assert gap.min() > LEAST_MM - 1e-3
    assert np.median(gap) == pytest.approx(4, abs=1)


def test_hats_and_glasses_are_drawn_over_the_head(rays: Rays) -> None:
    model, rng = default_head(), np.random.default_rng(4)
    person = Own(model).draw(1.0, np.zeros(52), rng)
    layers = Hatter(rays, rng).make().worn(rays, person.vertices, Fit()) + glasses(person.points, rng)
    skin, nothing = np.full((64, 64, 3), 180, np.uint8), lambda image, points, rng: image
    bare, worn = (
        photograph(
            person,
            np.zeros(52),
            Drawn(person.level, person.vertices, skin, some),
            [skin],
            np.random.default_rng(1),
            nothing,
        )
        for some in ((), layers)
    )
    assert (bare.points == worn.points).all()
    assert (bare.image != worn.image).any(axis=2).mean() > 0.05


def test_beards_grow_on_the_lower_face_and_spare_the_lips() -> None:
    model, rng = default_head(), np.random.default_rng(5)
    mesh = model.level(1)
    mean = mesh.apply(model.mean)
    barber = Barber.of(model, rng)
    for _ in range(6):
        beard = barber.make(rng)
        dense = np.asarray(beard.mask > 0.7)
        assert (barber.place[dense][:, 1] < 20).all()
        assert beard.mask[barber.lips > 0.99].max() < 0.5
    assert (beard.grown(mean, mesh.triangles, np.zeros((len(mean), 2), int)) == mean).all()


def test_coefficients_of_a_shape_are_found_again() -> None:
    model, rng = default_head(), np.random.default_rng(6)
    told = rng.normal(0, 1, len(model.identity))
    moved = np.tensordot(told.astype(np.float32), model.identity, axes=1)
    found = moved.reshape(-1) @ nearest_coefficients(model, 1e-9)
    assert np.corrcoef(found, told)[0, 1] > 0.999
    odd = uneven(model, rng)
    assert np.abs(odd + odd[model.mirror] * [-1, 1, 1]).max() < 1e-3 * max(np.abs(odd).max(), 1)


def test_a_crop_goes_on_with_its_border() -> None:
    rng = np.random.default_rng(7)
    image = rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
    points = rng.uniform(60, 230, (478, 2))
    out = cropped(image, points, rng)
    assert out.shape == image.shape
    assert (out[SIDE // 2, SIDE // 2] == image[SIDE // 2, SIDE // 2]).all()
