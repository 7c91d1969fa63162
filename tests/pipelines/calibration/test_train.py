"""Laws of the learner: its slopes, its tables, and that it learns what there is to learn."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.model import HeadModel, default_head
from tronie.pipelines.calibration import train as room
from tronie.pipelines.calibration.synthetic import SIDE
from tronie.pipelines.calibration.train import Layers, learn, ridge, slopes
from tronie.stages.fit.basis import landmark_basis, mirror_map, weak_perspective
from tronie.stages.fit.regressor import Calibration, default_calibration
from tronie.stages.landmarks.net import FEATURES
from tronie.types import Landmarks

SMALL = 6
"""Components of the model that is learned."""


def small_model() -> HeadModel:
    ours = default_head()
    return replace(ours, identity=ours.identity[:SMALL])


def test_slopes_are_those_of_the_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "NET_DROP", 0.0)
    rng = np.random.default_rng(0)
    sizes = {"hidden": (7, 4), "hidden_bias": (4,), "out": (4, 3), "direct": (7, 3), "bias": (3,)}
    layers = Layers(**{name: rng.normal(size=shape) for name, shape in sizes.items()})
    x, y, weight = rng.normal(size=(20, 7)), rng.normal(size=(20, 3)), rng.random(3)

    def error() -> float:
        return float((((layers(x) - y) ** 2) @ weight).mean())

    # The mask of hidden inputs is single precision, so with none hidden it is still exactly 1.
    found = slopes(layers, x, y, weight, rng)
    for name in sizes:
        values, base = getattr(layers, name), error()
        at = tuple(rng.integers(s) for s in values.shape)
        values[at] += 1e-6
        assert (error() - base) / 1e-6 == pytest.approx(found[name][at], rel=1e-3, abs=1e-5)
        values[at] -= 1e-6


def test_ridge_finds_a_line() -> None:
    rng = np.random.default_rng(0)
    x, true = rng.normal(size=(5000, 6)), rng.normal(size=(7, 2))
    found = ridge(x.astype(np.float32), (x @ true[:-1] + true[-1]).astype(np.float32))
    assert np.abs(found - true).max() < 0.01


def invented(model: HeadModel, count: int, seed: int) -> dict[str, np.ndarray]:
    """People whose points are seen truly but for a little noise, and whose features tell more."""
    rng = np.random.default_rng(seed)
    basis = landmark_basis(model)
    read = np.random.default_rng(99).normal(size=(SMALL, FEATURES)) / 2
    camera = Camera(700.0, (SIDE / 2, SIDE / 2), (SIDE, SIDE))
    out: dict[str, list[np.ndarray]] = {
        n: [] for n in ("points", "scores", "features", "identity", "expression", "head_to_camera", "focal")
    }
    for _ in range(count):
        identity, expression = rng.normal(size=SMALL), rng.random(52) * (rng.random(52) < 0.1)
        pose = rigid(rotation_from_euler(rng.uniform(-40, 40), rng.normal(0, 8), 0), np.array([0, 0, 700.0]))
        points = basis.mean + basis.shape @ np.concatenate([identity, expression])
        seen = points @ pose[:3, :3].T + pose[:3, 3]
        depth = seen[:, 2:] - pose[2, 3]
        out["points"].append(np.concatenate([camera.project(seen) + rng.normal(0, 0.3, (478, 2)), depth], axis=1))
        values = (expression, identity @ read + rng.normal(0, 0.3, FEATURES), identity, expression, pose, camera.focal)
        for name, value in zip(list(out)[1:], values, strict=True):
            out[name].append(np.asarray(value))
    return {name: np.array(values, np.float32) for name, values in out.items()}


@pytest.fixture(scope="module")
def learned() -> tuple[HeadModel, dict[str, np.ndarray], Calibration, room.Figures]:
    model = small_model()
    data = invented(model, 1200, 0)
    held = np.arange(1200) % 5 == 4
    return model, data, *learn(model, data, held, default_calibration())


def test_it_learns(learned: tuple[HeadModel, dict[str, np.ndarray], Calibration, room.Figures]) -> None:
    model, _, calibration, figures = learned
    assert figures.share < 0.25
    assert figures.learned, figures.held_out == (960, 240)
    assert calibration.spread.shape == (1, len(model.mean))
    assert np.isfinite(calibration.out).all()
    assert (calibration.pose_sigma[:3] > 0).all()


def test_what_it_learned_holds_in_the_fit(
    learned: tuple[HeadModel, dict[str, np.ndarray], Calibration, room.Figures],
) -> None:
    """The tables that are saved say what the learner's layers said: people not seen before are told."""
    model, _, calibration, _ = learned
    new = invented(model, 60, 1)
    errors, sizes = [], []
    for i in range(60):
        marks = Landmarks(new["points"][i], new["scores"][i], 1.0, new["features"][i])
        told = calibration.predict(
            weak_perspective(landmark_basis(model).mean, marks.points), new["features"][i], new["scores"][i], 700.0
        )
        errors.append(np.linalg.norm(told.identity - new["identity"][i]))
        sizes.append(np.linalg.norm(new["identity"][i]))
        assert told.sigma_mm.shape == (len(model.mean),)
    assert np.mean(errors) < 0.35 * np.mean(sizes)
    near = [
        calibration.nearness_of(model, Landmarks(new["points"][i], new["scores"][i], 1.0, new["features"][i]))
        for i in range(60)
    ]
    assert abs(np.mean([n for _, n in near]) - 1000 / 700) < 0.1


def test_a_model_of_odd_and_even_components_has_a_mirror_of_signs() -> None:
    twin = mirror_map(small_model())
    assert np.allclose(np.abs(twin), np.eye(SMALL), atol=1e-4)
    assert np.allclose(twin @ twin, np.eye(SMALL), atol=1e-4)
