"""Laws of the net that reads shape: its export says what it says, and a new training begins with the last net."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.runtime import weights
from tronie.runtime.inference import Session

torch = pytest.importorskip("torch", reason="needs PyTorch")
pytest.importorskip("onnx", reason="needs onnx")

SHAPES = {"early": (32, 32, 32), "late": (128, 8, 8), "fine": (64, 17, 17), "embedding": (128,)}


def test_the_export_says_what_the_net_says_and_a_training_begins_with_it(tmp_path: Path) -> None:
    from training.landmarks.shape_net import ShapeNet, save_onnx

    rng = np.random.default_rng(0)
    seen = {name: rng.random((3, *shape), np.float32) for name, shape in SHAPES.items()}
    net = ShapeNet(told=20, outputs=30, extra=5, groups=4, blind=np.ones(576 + 20)).eval()
    net.inherit(weights.path("face_shape"), weights.path("recognizer"))
    with torch.no_grad():
        said = net.features(tuple(torch.from_numpy(seen[name]) for name in SHAPES)).numpy()
    save_onnx(net, tmp_path / "net.onnx")
    exported = Session(tmp_path / "net.onnx").run(seen)["features"]
    shipped = Session(weights.path("face_shape")).run(seen)["features"]
    assert np.abs(exported - said).max() < 0.02 * np.abs(said).max()
    assert np.abs(said - shipped).max() < 0.02 * np.abs(shipped).max()


def test_the_tables_that_are_saved_are_those_that_a_training_begins_with() -> None:
    from training.landmarks.shape_net import FEATURES, ShapeNet, tables

    torch.manual_seed(0)
    first, second = (ShapeNet(told=20, outputs=30, extra=5, groups=4, blind=np.ones(FEATURES + 20)) for _ in range(2))
    with torch.no_grad():
        first.nearness.weight.copy_(first.direct.weight[-1:])
        first.nearness.bias.copy_(first.direct.bias[-1:])
    found = tables(first)
    second.inherit_tables(
        found["hidden"], np.concatenate([found["hidden_bias"], found["bias"]]), found["out"], found["direct"][:, :30]
    )
    again = tables(second)
    assert all(np.abs(again[name] - value).max() < 1e-5 for name, value in found.items())


def test_the_recognizer_goes_on_from_its_fine_activations_as_the_net_does() -> None:
    from training.landmarks.shape_net import ShapeNet

    chip = np.random.default_rng(1).uniform(0, 255, (2, 3, 150, 150)).astype(np.float32)
    said = Session(weights.path("recognizer")).run({"chip": chip})
    net = ShapeNet(told=20, outputs=30, extra=5, groups=4, blind=np.ones(596))
    net.inherit(weights.path("face_shape"), weights.path("recognizer"))
    blocks = [block for _, block in sorted(own_blocks().items())]
    x = torch.from_numpy(said["fine"])
    with torch.no_grad():
        for block, (one, two) in zip(net.blocks, blocks, strict=True):
            for layer, held in ((block.one, one), (block.two, two)):
                layer.weight.copy_(torch.from_numpy(held.weight))
                layer.bias.copy_(torch.from_numpy(held.bias))
            x = block(x)
    assert np.abs(x.numpy() - said["coarse"]).max() < 1e-3 * np.abs(said["coarse"]).max()


def own_blocks() -> dict[int, tuple[Any, Any]]:
    from training.landmarks.residual import UPPER, read_blocks

    return {k: pair for k, pair in read_blocks(weights.path("recognizer")).items() if k in UPPER}
