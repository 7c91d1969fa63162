"""The net's ONNX file answers as recorded, and another net is refused."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import vectors

from tronie.importers.deep3d_onnx import onnx_bytes
from tronie.runtime.inference import Session
from tronie.stages.deep3d.net import CoefficientNet, check, shapes

recorded = pytest.mark.skipif(
    not (vectors.VECTORS / "d3d_net_recon.npz").is_file(), reason="needs the recorded answers in ../shared/vectors"
)


@recorded
def test_names_and_shapes_are_those_of_the_checkpoints() -> None:
    known = json.loads((vectors.VECTORS / "d3d_net_recon.json").read_text())["state_dict_keys_in_order"]
    assert list(shapes().items()) == [(name, tuple(shape)) for name, shape in known.items()]


@recorded
def test_answers_are_the_recorded_ones(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    numbers = vectors.filled(shapes())
    (tmp_path / "net.onnx").write_bytes(onnx_bytes(numbers))
    session = Session(tmp_path / "net.onnx", 1)
    x = (vectors.picture(224) + 1) / 2
    moved = np.clip(x + 0.01 * np.cos(0.3 * np.arange(224)), 0, 1)
    with np.load(vectors.VECTORS / "d3d_net_recon.npz") as known:
        for picture, name in ((x, "coeff"), (moved, "coeff_perturbed_input")):
            # Asked for: 1e-4. Measured: 4e-7.
            assert vectors.distance(session.run({"image": picture})["coefficients"], known[name]) < 5e-6


def test_crops_in_any_number(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    (tmp_path / "net.onnx").write_bytes(onnx_bytes(vectors.filled(shapes(8)), 8))
    net = CoefficientNet(tmp_path / "net.onnx", 1)
    crops = np.random.default_rng(0).integers(0, 256, (3, 224, 224, 3), dtype=np.uint8)
    found = net.coefficients(crops)
    assert found.shape == (3, 257)
    np.testing.assert_allclose(net.coefficients(crops[1:2])[0], found[1], rtol=1e-4, atol=1e-5)
    assert np.abs(net.coefficients(crops[..., ::-1]) - found).max() > 1e-3
    with pytest.raises(ValueError, match="224 x 224"):
        net.coefficients(crops[:, :200])


@pytest.mark.parametrize(
    ("name", "change", "reason"),
    [
        ("backbone.layer2.0.conv2.weight", "drop", "lacks backbone.layer2.0.conv2.weight$"),
        ("backbone.fc.weight", "add", "another one"),
        ("final_layers.3.bias", "shape", "has the shape"),
        ("final_layers.3.bias", "nan", "damaged"),
        ("backbone.bn1.running_var", "negative", "damaged"),
        ("backbone.bn1.weight", "whole", "damaged"),
        ("", "empty", "holds no net"),
    ],
)
def test_others_are_refused(name: str, change: str, reason: str) -> None:
    numbers = {key: np.ones(shape, np.float32) for key, shape in shapes(4).items()}
    check(numbers, shapes(4))
    match change:
        case "drop":
            del numbers[name]
        case "add":
            numbers[name] = np.ones((1000, 2048), np.float32)
        case "shape":
            numbers[name] = numbers[name][:-1]
        case "nan":
            numbers[name][0] = np.nan
        case "negative":
            numbers[name] *= -1
        case "whole":
            numbers[name] = numbers[name].astype(np.int64)
        case "empty":
            numbers = {}
    with pytest.raises(ValueError, match=reason):
        check(numbers, shapes(4))
