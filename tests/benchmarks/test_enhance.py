"""Laws of the comparison of enhancers: what is the same measures best, spoiling repeats itself, results are kept."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from places import EXAMPLES

from benchmarks.enhance.faces import DEGRADATIONS, SIDE, aligned_faces, enlarged, held_out, pictures, spoiled
from benchmarks.enhance.figures import Judge, psnr, table
from benchmarks.enhance.methods import Method, bicubic, ours, restored, save_picture


@pytest.fixture
def crops() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE]
    waves = [128 + 60 * np.sin(x / (5 + k)) + 50 * np.cos(y / 7 + k) for k in range(6)]
    return np.stack(waves).reshape(2, 3, SIDE, SIDE).transpose(0, 2, 3, 1).astype(np.uint8)


def test_every_way_to_spoil_repeats_itself(crops: np.ndarray) -> None:
    for name in DEGRADATIONS:
        small = spoiled(crops, name)
        assert small.shape == (2, *(SIDE // int(name[1]),) * 2, 3)
        assert small.dtype == np.uint8
        assert np.array_equal(small, spoiled(crops, name))
        # A face is spoiled in the same way whatever the others are.
        assert np.array_equal(small[:1], spoiled(crops[:1], name))
    assert not np.array_equal(spoiled(crops, "x4 worn"), spoiled(crops, "x4 worn", seed=1))


def test_less_is_lost_where_less_is_taken(crops: np.ndarray) -> None:
    loss = [psnr(bicubic(spoiled(crops, name)), crops) for name in ("x2", "x4", "x8")]
    assert loss[0] > loss[1] > loss[2]
    assert psnr(bicubic(spoiled(crops, "x4 worn")), crops) < loss[1]
    assert psnr(crops, crops) > 70


def test_a_constant_stays_itself() -> None:
    grey = np.full((1, SIDE, SIDE, 3), 90, np.uint8)
    assert np.array_equal(bicubic(spoiled(grey, "x8")), grey)
    assert enlarged(np.full((32, 32, 3), 7, np.uint8)).shape == (SIDE, SIDE, 3)


def test_psnr_of_one_grey_level() -> None:
    a = np.full((8, 8, 3), 100, np.uint8)
    assert psnr(a, a + 1) == pytest.approx(20 * np.log10(255))


def test_results_are_made_once(crops: np.ndarray, tmp_path: Path) -> None:
    calls = []

    def restore(small: np.ndarray) -> np.ndarray:
        calls.append(len(small))
        return bicubic(small)

    small = spoiled(crops, "x4")
    first, _ = restored(Method("a", restore, "a"), small, tmp_path)
    made = len(calls)
    again, seconds = restored(Method("a", restore, "a"), small, tmp_path)
    assert np.array_equal(first, again)
    assert len(calls) == made
    assert seconds is not None
    restored(Method("b", restore, "b"), small, tmp_path)
    assert len(calls) > made


def test_what_cannot_be_measured_is_left_out(
    crops: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judge = Judge(None, ("alex",), tmp_path)
    judge._ssim = False
    assert any("LPIPS" in remark for remark in judge.remarks)
    found = judge.judge(bicubic(spoiled(crops, "x4")), crops)
    assert set(found) == {"PSNR", "PSNR inner", "identity"}
    text = table("x4", {"bicubic": found, "truth": judge.judge(crops, crops)}, {"bicubic": 0.5, "truth": None})
    assert "LPIPS" not in text
    assert text.count("**") == 6  # the best of three columns
    assert "| 500 |" in text


def test_ssim_of_the_same_is_one(crops: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("skimage")
    assert np.allclose(Judge(None, (), tmp_path).judge(crops, crops)["SSIM"], 1)


def test_a_net_sees_the_face_at_its_own_size(crops: np.ndarray, tmp_path: Path) -> None:
    """A net that repeats each pixel four times, both ways: the mean of what comes out is that of what goes in."""
    onnx = pytest.importorskip("onnx")
    from onnx import TensorProto, helper, numpy_helper

    graph = helper.make_graph(
        [helper.make_node("Resize", ["image", "", "four"], ["restored"], mode="nearest")],
        "repeats",
        [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("restored", TensorProto.FLOAT, ["n", 3, "4h", "4w"])],
        [numpy_helper.from_array(np.array([1, 1, 4, 4], np.float32), "four")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(model, tmp_path / "repeats.onnx")
    for name in ("x2", "x4", "x8"):
        small = spoiled(crops, name)
        (method,) = ours(tmp_path / "repeats.onnx", 1)
        large = method.restore(small)
        assert large.shape == crops.shape
        assert np.abs(large.mean(axis=(1, 2)) - small.mean(axis=(1, 2))).max() < 1


def test_faces_of_photos(tmp_path: Path) -> None:
    (tmp_path / "broken.jpg").write_bytes(b"no picture")
    found = aligned_faces([*pictures([tmp_path]), EXAMPLES / "astronaut.jpg"], 30)
    assert found.names == ["astronaut"]
    assert found.crops.shape == (1, SIDE, SIDE, 3)
    assert len(aligned_faces([EXAMPLES / "astronaut.jpg"], 200).names) == 0
    assert held_out(tmp_path) == []


def test_a_sheet(crops: np.ndarray, tmp_path: Path) -> None:
    small = spoiled(crops, "x8")
    save_picture(tmp_path / "new" / "grid.png", [[s, c] for s, c in zip(small, crops, strict=True)], ["input", "truth"])
    assert (tmp_path / "new" / "grid.png").stat().st_size > 1000
