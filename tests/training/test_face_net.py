"""Laws of the net that restores small faces, of its export, and of what it learns from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="training needs PyTorch")
pytest.importorskip("onnx", reason="training needs onnx")

from training.superres.degrade import bicubic, degrade, tinted  # noqa: E402
from training.superres.export import begin_with_own, save_onnx  # noqa: E402
from training.superres.net import BLOCKS, FaceNet, begin_with_span, read_span  # noqa: E402
from training.superres.onnx_to_torch import Graph  # noqa: E402
from tronie.runtime import weights  # noqa: E402
from tronie.runtime.inference import Session  # noqa: E402


def picture(seed: int, side: int = 64) -> np.ndarray:
    """Blobs of colour, (side, side, 3) uint8."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (side // 8, side // 8, 3)).astype(np.uint8)
    return bicubic(coarse, side)


@pytest.fixture(scope="module")
def span_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A made-up file in the layout of SPAN x4 with 48 channels."""
    rng = np.random.default_rng(0)
    shapes = [(48, 3, 3), *[(48, 48, 3)] * (3 * BLOCKS + 1), (48, 192, 1), (48, 48, 3)]
    content = np.array([0.4, 0.5, 0.6], "<f4").tobytes()
    for o, i, side in shapes:
        weight = rng.normal(0, 0.3 / np.sqrt(i * side * side), (o, i, side, side)).astype("<f2").tobytes()
        content += bytes.fromhex("476b3001") + weight + b"\0" * (-len(weight) % 4)
        content += rng.normal(0, 0.1, o).astype("<f4").tobytes()
    path = tmp_path_factory.mktemp("span") / "spanx4_ch48.bin"
    path.write_bytes(content)
    return path


def test_the_face_path_is_silent_before_it_has_learned(span_file: Path) -> None:
    net = FaceNet().eval()
    begin_with_span(net, span_file)
    image = torch.rand(1, 3, 32, 32)
    before = net(image)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if name.startswith(("halve", "down", "quarter", "body", "eighth", "deep", "widen", "up", "spread", "last")):
                value.normal_(0, 0.02)
    assert torch.equal(before, net(image))
    assert before.shape == (1, 3, 128, 128)
    restored, vivid, doubt = net.paintings(image)
    assert torch.equal(restored, before)
    assert torch.equal(vivid, before)
    assert doubt.shape == (1, 1, 128, 128)


def test_what_is_learned_late_leaves_the_restored_picture_alone() -> None:
    net = FaceNet()
    restored, vivid, doubt = net.paintings(torch.rand(1, 3, 32, 32))
    (vivid.mean() + doubt.mean()).backward()
    late = {id(p) for part in net.late for p in part.parameters()}
    learned = {id(p) for p in net.parameters() if p.grad is not None}
    assert not restored.requires_grad
    assert learned
    assert learned <= late


def test_the_file_of_span_is_read_whole_or_refused(span_file: Path, tmp_path: Path) -> None:
    layers, mean = read_span(span_file)
    assert len(layers) == 3 * BLOCKS + 4
    assert mean.tolist() == pytest.approx([0.4, 0.5, 0.6])
    for spoiled in (span_file.read_bytes()[:-4], b"\1" * 1000, span_file.read_bytes() + b"\0\0\0\0"):
        (tmp_path / "bad.bin").write_bytes(spoiled)
        with pytest.raises(ValueError, match="SPAN"):
            read_span(tmp_path / "bad.bin")


def loud(seed: int) -> FaceNet:
    """A net that has something to say everywhere."""
    torch.manual_seed(seed)
    net = FaceNet().eval()
    with torch.no_grad():
        net.see.weight /= 255
        for value in net.parameters():
            if not value.any():
                value.normal_(0, 0.01)
    return net


def test_the_exported_net_answers_as_the_trained_one(tmp_path: Path) -> None:
    net = loud(0)
    save_onnx(net, tmp_path / "net.onnx")
    image = np.random.default_rng(0).random((2, 3, 32, 48)).astype(np.float32)
    with torch.no_grad():
        expected = dict(zip(("restored", "vivid", "doubt"), net.paintings(torch.from_numpy(image)), strict=True))
    got = Session(tmp_path / "net.onnx").run({"image": image})
    for name, picture in expected.items():
        assert np.abs(got[name] - picture.numpy()).max() < 2e-3 * float(picture.abs().max()), name


def test_a_net_begins_with_what_another_has_learned(tmp_path: Path) -> None:
    net, other = loud(0), loud(1)
    save_onnx(net, tmp_path / "net.onnx")
    image = torch.rand(1, 3, 32, 32)
    begin_with_own(other, tmp_path / "net.onnx")
    with torch.no_grad():
        for a, b in zip(net.paintings(image), other.paintings(image), strict=True):
            assert (a - b).abs().max() < 2e-3 * a.abs().max()
    with pytest.raises(ValueError, match="not a net for small faces"):
        begin_with_own(other, weights.path("segment"))


def test_a_graph_in_torch_answers_as_in_the_runtime() -> None:
    path = weights.path("face_landmarks")
    image = np.random.default_rng(0).random((1, 3, 256, 256)).astype(np.float32)
    expected = Session(path).run({"image": image})
    with torch.no_grad():
        early, late = Graph(path, ("early", "late"))(torch.from_numpy(image))
    assert np.abs(early.numpy() - expected["early"]).max() < 1e-3
    assert np.abs(late.numpy() - expected["late"]).max() < 1e-3


@pytest.mark.parametrize("fold", [2, 4])
@pytest.mark.parametrize("seed", range(40))
def test_a_loss_keeps_the_place(seed: int, fold: int) -> None:
    """The same seed gives the same loss, and what is left still looks most like the picture at the same place."""
    sharp = bicubic(picture(seed, 32), 128)
    worn = degrade(sharp, np.random.default_rng(seed), fold)
    assert worn.shape == (128 // fold, 128 // fold, 3)
    assert worn.dtype == np.uint8
    assert np.array_equal(worn, degrade(sharp, np.random.default_rng(seed), fold))
    large = bicubic(worn, 128)

    def alike(down: int, aside: int) -> float:
        a, b = sharp[20:-20, 20:-20].astype(float), np.roll(large, (down, aside), (0, 1))[20:-20, 20:-20].astype(float)
        return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

    assert alike(0, 0) > max(alike(-5, 0), alike(5, 0), alike(0, -5), alike(0, 5))


def test_other_light_keeps_range() -> None:
    for seed in range(20):
        x = tinted(picture(seed), np.random.default_rng(seed))
        assert x.min() >= 0
        assert x.max() <= 255
