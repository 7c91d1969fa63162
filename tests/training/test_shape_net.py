"""Laws of the net that reads shape: its export says what it says, and a new training begins with the last net."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tronie.runtime import weights
from tronie.runtime.inference import Session

torch = pytest.importorskip("torch", reason="needs PyTorch")
pytest.importorskip("onnx", reason="needs onnx")

SHAPES = {"early": (32, 32, 32), "late": (128, 8, 8), "middle": (128, 8, 8), "coarse": (256, 4, 4), "embedding": (128,)}


def test_the_export_says_what_the_net_says_and_is_begun_with(tmp_path: Path) -> None:
    from training.landmarks.shape_net import SEEN, ShapeNet, save_onnx

    rng = np.random.default_rng(0)
    seen = {name: rng.random((3, *shape), np.float32) for name, shape in SHAPES.items()}
    torch.manual_seed(0)
    net = ShapeNet(told=20, outputs=30, extra=5, groups=4, blind=np.ones(576 + 20)).eval()
    net.inherit(weights.path("face_shape"))
    with torch.no_grad():
        said = net.features(tuple(torch.from_numpy(seen[name]) for name in SHAPES)).numpy()
    save_onnx(net, tmp_path / "net.onnx")
    exported = Session(tmp_path / "net.onnx").run(seen)["features"]
    shipped = Session(weights.path("face_shape")).run(seen)["features"]
    assert np.abs(exported - said).max() < 0.02 * np.abs(said).max()
    assert np.abs(said - shipped)[:, :SEEN].max() < 0.01 * np.abs(shipped[:, :SEEN]).max()
    assert np.abs(said - shipped)[:, SEEN:].max() > 0.1  # what is over the recogniser begins anew
