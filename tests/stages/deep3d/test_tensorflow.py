"""A frozen graph of TensorFlow becomes the ONNX file that the same numbers give from PyTorch."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import vectors
from frozen import Frozen, deep3d, node, part, tensor

from tronie.errors import WeightsError
from tronie.formats.safety import Budget
from tronie.formats.tensorflow_graph import parse_graph, read_graph
from tronie.importers.deep3d_onnx import onnx_bytes as from_pytorch
from tronie.importers.deep3d_tensorflow import onnx_bytes
from tronie.runtime.inference import Session
from tronie.stages.deep3d.net import shapes

pytest.importorskip("onnx")

WIDTH = 8


@pytest.fixture(scope="module")
def state() -> dict[str, np.ndarray]:
    return vectors.filled(shapes(WIDTH))


def _ask(data: bytes, folder: Path, picture: np.ndarray | None = None) -> np.ndarray:
    (folder / "net.onnx").write_bytes(data)
    picture = (vectors.picture(224) + 1) / 2 if picture is None else picture
    return Session(folder / "net.onnx", 1).run({"image": picture})["coefficients"]


@pytest.mark.parametrize(("fused", "more"), [(True, False), (False, False), (True, True)])
def test_the_same_numbers_say_the_same(fused: bool, more: bool, state: dict[str, np.ndarray], tmp_path: Path) -> None:
    file = tmp_path / "FaceReconModel.pb"
    file.write_bytes(deep3d(state, WIDTH, fused=fused, more=more))
    found = _ask(onnx_bytes(read_graph(file), Budget()), tmp_path)
    assert found.shape == (1, 257)
    assert vectors.distance(found, _ask(from_pytorch(state, WIDTH), tmp_path)) < 1e-5


def _one(g: Frozen, x: str) -> dict:
    """A graph whose answer is the mean of `x` over the picture, repeated until there are enough numbers."""
    mean = g.add("Mean", x, g.constant([1, 2], "<i4"), keep_dims=False)
    g.add("Identity", g.add("MatMul", mean, g.constant(np.tile(np.eye(3), 90)[:, :257])), name="coeff")
    return parse_graph(memoryview(g.bytes()), Budget())


@pytest.mark.parametrize("kind", ["MaxPool", "AvgPool", "Conv2D"])
@pytest.mark.parametrize(("size", "stride"), [(3, 2), (2, 1), (1, 2), (4, 3)])
def test_borders_are_those_of_tensorflow(kind: str, size: int, stride: int, tmp_path: Path) -> None:
    """SAME: as many windows as steps fit in, and the odd pixel of the border at the end."""
    g = Frozen()
    x = g.add("Placeholder", name="p")
    kernel = np.random.default_rng(0).normal(size=(3, 3, size, size))
    if kind == "Conv2D":
        x = g.convolution(x, kernel, stride, "SAME")
    else:
        x = g.add(kind, x, ksize=[1, size, size, 1], strides=[1, stride, stride, 1], padding="SAME")
    picture = np.random.default_rng(1).random((1, 3, 224, 224), dtype=np.float32)
    found = _ask(onnx_bytes(_one(g, x), Budget()), tmp_path, picture)[0, :3]

    count = -(-224 // stride)
    border = max((count - 1) * stride + size - 224, 0)
    fill = -np.inf if kind == "MaxPool" else np.nan if kind == "AvgPool" else 0
    pads = ((0, 0), (border // 2, border - border // 2), (border // 2, border - border // 2))
    windows = np.pad(255.0 * picture[0, ::-1], pads, constant_values=fill)
    windows = np.lib.stride_tricks.sliding_window_view(windows, (size, size), (1, 2))[:, ::stride, ::stride]
    if kind == "Conv2D":
        known = np.einsum("cijuv,ocuv->o", windows, kernel) / count**2
    else:
        pooled = windows.max((3, 4)) if kind == "MaxPool" else np.nanmean(windows, (3, 4))
        known = pooled[:, :count, :count].mean((1, 2))
    np.testing.assert_allclose(found, known, rtol=1e-4)


def test_arithmetic_on_both_layouts(tmp_path: Path) -> None:
    g = Frozen()
    x = g.add("Placeholder", name="p")
    x = g.add("Sub", x, g.constant([1.0, 2.0, 3.0]))
    x = g.add("Mul", g.constant(2.0), x)
    x = g.add("ConcatV2", x, x, g.constant(3, "<i4"))
    x = g.add("Reshape", x, g.constant([-1, 224, 448, 3], "<i4"))
    x = g.add("RealDiv", x, g.constant(np.full((1, 1, 1, 3), 4.0)))
    x = g.add("AddV2", x, g.add("Neg", g.add("Rsqrt", g.add("Add", x, g.constant(1000.0)))))
    picture = np.random.default_rng(1).random((1, 3, 224, 224), dtype=np.float32)
    y = (255 * np.moveaxis(picture[:, ::-1], 1, 3) - [1, 2, 3]) * 2
    y = np.concatenate([y, y], axis=3).reshape(-1, 224, 448, 3) / 4
    known = (y - 1 / np.sqrt(y + 1000)).mean((1, 2))
    np.testing.assert_allclose(_ask(onnx_bytes(_one(g, x), Budget()), tmp_path, picture)[:, :3], known, rtol=1e-4)


def test_constants_in_few_numbers() -> None:
    one = part(8, tensor(np.float32([2.5]), (2, 3)))
    (found,) = parse_graph(memoryview(node("c", "Const", value=one)), Budget()).values()
    np.testing.assert_array_equal(found.attributes["value"].tensor, np.full((2, 3), 2.5))
    many = part(8, tensor(np.float32([2.5]), (1 << 20, 1 << 15)))
    with pytest.raises(Exception, match="far larger than it is"):
        parse_graph(memoryview(node("c", "Const", value=many)), Budget())
    with pytest.raises(Exception, match="longer or shorter"):
        parse_graph(
            memoryview(node("c", "Const", value=part(8, tensor(np.zeros(3, "<f4")).replace(part(1, 3), part(1, 4))))),
            Budget(),
        )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("unknown", "operation that is not known here, Switch"),
        ("training", "for training"),
        ("circle", "circle"),
        ("missing", "lacks nothing"),
        ("no answer", "gives out no coeff"),
        ("two pictures", "2 pictures"),
        ("no picture", "does not depend|0 pictures"),
        ("first", "channels first"),
        ("not frozen", "not frozen"),
        ("damaged", "is damaged"),
        ("text", "not of numbers"),
    ],
)
def test_other_graphs_are_refused(change: str, reason: str) -> None:
    g = Frozen()
    x = g.add("Placeholder", name="p")
    match change:
        case "unknown":
            g.add("Switch", x, name="coeff")
        case "training":
            g.add("FusedBatchNorm", x, *[g.constant([1.0] * 3) for _ in range(4)], name="coeff")
        case "circle":
            g.add("Relu", "b", name="a")
            g.add("Relu", "a", name="b")
            g.add("Relu", "a", name="coeff")
        case "missing":
            g.add("Relu", "nothing", name="coeff")
        case "two pictures":
            g.add("Add", x, g.add("Placeholder", name="q"), name="coeff")
        case "no picture":
            g.constant(1.0)
            g.add("Add", g.constant(1.0), g.constant(2.0), name="coeff")
        case "first":
            g.add("MaxPool", x, ksize=[1, 1, 2, 2], strides=[1, 1, 2, 2], data_format="NCHW", name="coeff")
        case "not frozen":
            g.add("Conv2D", x, x, strides=[1, 1, 1, 1], padding="SAME", name="coeff")
        case "damaged":
            g.add("Add", x, name="coeff")
        case "text":
            g.add("Const", value=part(8, part(1, 7)), name="coeff")
    with pytest.raises(ValueError, match=reason):
        onnx_bytes(parse_graph(memoryview(g.bytes()), Budget()), Budget())


def test_damaged_files_are_refused(tmp_path: Path) -> None:
    g = Frozen()
    g.add("Relu", g.add("Add", g.add("Placeholder", name="p"), g.constant([1.0, 2.0, 3.0])), name="coeff")
    whole = g.bytes()
    file = tmp_path / "a.pb"
    for data in (b"", b"\x0a", whole[:-3], b"hello " * 50, b"\xff" * 100, whole + whole):
        file.write_bytes(data)
        with pytest.raises(WeightsError, match=r"^Cannot read .*\.$"):
            read_graph(file)
    with pytest.raises(WeightsError, match="no such file"):
        read_graph(tmp_path / "none.pb")
    rng = np.random.default_rng(0)
    for _ in range(500):
        broken = bytearray(whole)
        for place in rng.integers(0, len(whole), 2):
            broken[place] = rng.integers(256)
        file.write_bytes(broken)
        with suppress(WeightsError, ValueError):
            onnx_bytes(read_graph(file), Budget())
