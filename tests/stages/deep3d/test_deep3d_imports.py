"""Bringing Deep3D's files: what is right is kept with a record, what is wrong is refused with one sentence."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_front
import vectors
from frozen import Frozen, deep3d
from numpy.testing import assert_allclose, assert_array_equal

from tronie.errors import OutputError, WeightsError
from tronie.formats.matlab import mat_bytes
from tronie.importers import KINDS
from tronie.importers.bfm_front import BASEL, NEEDED
from tronie.importers.deep3d import import_bfm, import_deep3d
from tronie.runtime.model_store import imported
from tronie.stages.deep3d import net
from tronie.stages.deep3d.bfm import FaceModel, load_face_model
from tronie.stages.deep3d.net import load_net, shapes
from tronie.stages.deep3d.terms import TERMS

WIDTH = 8


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, np.ndarray]:
    """Numbers of a narrow net that passes for the published one."""
    blocks = net.blocks
    monkeypatch.setattr(net, "shapes", lambda: shapes(WIDTH))
    monkeypatch.setattr("tronie.importers.deep3d_onnx.blocks", lambda width: blocks(WIDTH))
    return vectors.filled(shapes(WIDTH))


def _save(file: Path, content: Any) -> Path:
    torch = pytest.importorskip("torch")

    def tensors(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: tensors(inner) for key, inner in value.items()}
        return torch.tensor(value) if isinstance(value, np.ndarray) else value

    torch.save(tensors(content), file)
    return file


def test_a_checkpoint_of_pytorch(state: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    optimizer = {
        "state": {0: {"step": 3, "exp_avg": np.ones(3)}},
        "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999)}],
    }
    file = _save(tmp_path / "epoch_20.pth", {"net_recon": state, "opt_00": optimizer, "sched_00": {"last_epoch": 20}})
    record = import_deep3d(file)
    assert imported() == {"deep3d": record}
    assert (record.kind, record.side, record.source, record.path.suffix) == ("deep3d", 224, "epoch_20.pth", ".onnx")
    assert not record.commercial_use
    crops = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    assert load_net(1).coefficients(crops).shape == (1, 257)
    with pytest.raises(OutputError, match="--overwrite"):
        import_deep3d(file)
    import_deep3d(file, overwrite=True)
    assert sorted(p.name for p in record.path.parent.iterdir()) == ["deep3d.json", "deep3d.onnx"]


def test_a_graph_of_tensorflow(state: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    with pytest.raises(WeightsError, match="models import deep3d"):
        load_net()
    (tmp_path / "FaceReconModel.pb").write_bytes(deep3d(state, WIDTH))
    record = import_deep3d(tmp_path / "FaceReconModel.pb")
    assert record.name == "deep3d-tensorflow"
    crops = np.random.default_rng(0).integers(0, 256, (1, 224, 224, 3), dtype=np.uint8)
    first = load_net(1).coefficients(crops)
    import_deep3d(_save(tmp_path / "epoch_20.pth", {"net_recon": state}))
    assert len(imported()) == 2
    assert vectors.distance(load_net(1).coefficients(crops), first) < 1e-5


def test_wrong_nets_are_refused(state: dict[str, np.ndarray], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    graph = deep3d(state, WIDTH)
    lacking = dict(state)
    del lacking["final_layers.6.bias"]
    damaged = dict(state)
    damaged["final_layers.6.bias"] = np.array([np.inf], np.float32)
    files = [
        _save(tmp_path / "a.pth", {"net_recon": lacking}),
        _save(tmp_path / "b.pth", {"net_recon": damaged}),
        _save(tmp_path / "c.pth", {"w": np.ones(3)}),
    ]
    narrow = dict(state)
    for kind in ("weight", "bias"):
        narrow[f"final_layers.0.{kind}"] = narrow[f"final_layers.0.{kind}"][:79]
    contents = [graph[:-100], graph.replace(b"coeff", b"other"), deep3d(narrow, WIDTH), b"", b"P", b"text"]
    for i, data in enumerate(contents):
        files.append(tmp_path / f"{i}.pb")
        files[-1].write_bytes(data)
    for file in (*files, tmp_path / "none.pth", tmp_path):
        with pytest.raises(WeightsError, match=r"^Cannot (read|import) .*\.$") as caught:
            import_deep3d(file)
        assert "\n" not in str(caught.value)
    assert imported() == {}


def test_graphs_that_ask_for_much_memory_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    g = Frozen()
    x = g.add("Placeholder", name="p")
    for _ in range(30):
        x = g.add("ConcatV2", x, g.add("Relu", x), g.constant(3, "<i4"))
    g.add("Mean", x, g.constant([1, 2], "<i4"), name="coeff")
    h = Frozen()
    wide = h.add("Add", h.constant(np.zeros((10_000, 1))), h.constant(np.zeros((1, 10_000))))
    h.add("Add", wide, h.add("Placeholder", name="p"), name="coeff")
    k = Frozen()
    border = k.constant([[0, 0], [0, 1_000_000], [0, 1_000_000], [0, 0]], "<i4")
    k.add("Mean", k.add("Pad", k.add("Placeholder", name="p"), border), k.constant([1, 2], "<i4"), name="coeff")
    for graph in (g, h, k):
        (tmp_path / "a.pb").write_bytes(graph.bytes())
        with pytest.raises(WeightsError, match=r"larger|not Deep3D"):
            import_deep3d(tmp_path / "a.pb")


def test_a_ready_front_model(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="models import bfm"):
        load_face_model()
    file = tmp_path / "files" / "BFM_model_front.mat"
    file.parent.mkdir()
    file.write_bytes(mat_bytes(tiny_front.arrays()))
    record = import_bfm(file)
    assert (record.name, record.path.name, record.kind, record.side) == ("bfm-front", "bfm-front.npz", "bfm", 0)
    assert imported() == {"bfm-front": record}
    assert "research only" in json.loads(record.record.read_text())["licence"]
    assert_array_equal(load_face_model().triangles, tiny_front.arrays()["tri"] - 1)
    with pytest.raises(OutputError, match="--overwrite"):
        import_bfm(file.parent)
    import_bfm(file.parent, overwrite=True)


def _parts(folder: Path) -> FaceModel:
    """Files as the published ones, of a model of 130 vertices, of which 115 have expressions; the front they give."""
    known = tiny_front.arrays()
    rng = np.random.default_rng(0)
    trim = rng.permutation(130)[:115] + 1
    front = rng.permutation(115)[:100] + 1
    rows = trim[front - 1] - 1

    def whole(values: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """The front's numbers in the places of a whole head, others elsewhere."""
        found = rng.normal(size=(130, 3, values.size // 300))
        found[rows] = values.reshape(100, 3, -1) * scale
        return found.reshape(390, -1).astype(np.float32)

    deviations = rng.uniform(0.5, 2, 199).astype(np.float32)
    spare = rng.normal(size=(390, 119)).astype(np.float32)
    (folder / BASEL).write_bytes(
        mat_bytes(
            {
                "shapeMU": whole(known["meanshape"], 1e5),
                "texMU": whole(known["meantex"]),
                "shapePC": np.hstack([whole(known["idBase"], 1e5) / deviations[:80], spare]),
                "shapeEV": deviations[:, None],
                "texPC": np.hstack([whole(known["texBase"]) / deviations[:80], spare]),
                "texEV": deviations[:, None],
                "tl": np.ones((5, 3)),
            }
        )
    )
    modes = rng.normal(size=(79, 115, 3)).astype(np.float32)
    strengths = rng.uniform(0.5, 2, 79)
    expressions = known["exBase"].reshape(100, 3, 64) * 1e5 / strengths[:64]
    modes[:64, front - 1] = np.moveaxis(expressions, 2, 0)
    (folder / "Exp_Pca.bin").write_bytes(struct.pack("<i", 79) + np.zeros(345, "<f4").tobytes() + modes.tobytes())
    (folder / "std_exp.txt").write_text("\n".join(map(repr, strengths.tolist())))
    (folder / "BFM_front_idx.mat").write_bytes(mat_bytes({"idx": front[:, None].astype(np.uint16)}))
    (folder / "BFM_exp_idx.mat").write_bytes(mat_bytes({"trimIndex": trim[:, None].astype(np.float64)}))
    names = ("tri", "point_buf", "keypoints", "tri_mask2", "frontmask2_idx", "skinmask")
    (folder / "facemodel_info.mat").write_bytes(mat_bytes({name: known[name] for name in names}))
    return FaceModel.from_arrays(known)


def test_a_front_model_from_its_parts(tmp_path: Path) -> None:
    folder = tmp_path / "BFM"
    folder.mkdir()
    known = _parts(folder)
    assert import_bfm(tmp_path).source == BASEL
    found = load_face_model()
    for name in ("mean", "identity", "expression", "albedo", "texture"):
        # The lengths are near 1e5 in the files, in single precision.
        assert_allclose(getattr(found, name), getattr(known, name), rtol=1e-5, atol=1e-6, err_msg=name)
    for name in ("triangles", "ring", "keypoints"):
        assert_array_equal(getattr(found, name), getattr(known, name))


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"no BFM_model_front.mat and no 01_MorphableModel.mat") as caught:
        import_bfm(tmp_path)
    for needed in NEEDED:
        assert needed.name in str(caught.value)
        assert needed.ask in str(caught.value)
    _parts(tmp_path)
    (tmp_path / "Exp_Pca.bin").unlink()
    with pytest.raises(WeightsError, match=r"Exp_Pca.bin is missing; get Exp_Pca.bin from github.com/Juyong/3DFace"):
        import_bfm(tmp_path / BASEL)
    (tmp_path / "std_exp.txt").unlink()
    (tmp_path / "facemodel_info.mat").unlink()
    with pytest.raises(WeightsError, match=r"Exp_Pca.bin, std_exp.txt, facemodel_info.mat are missing") as caught:
        import_bfm(tmp_path)
    assert "get std_exp.txt and facemodel_info.mat from" not in str(caught.value)
    assert "std_exp.txt and facemodel_info.mat from the folder BFM" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("Exp_Pca.bin", b"abc"),
        ("Exp_Pca.bin", struct.pack("<i", 2_000_000_000) + bytes(500)),
        ("Exp_Pca.bin", struct.pack("<i", -1)),
        ("std_exp.txt", b"1 2 3"),
        ("std_exp.txt", b"word " * 79),
        ("std_exp.txt", b"\xff\xfe" * 100),
        ("std_exp.txt", b"1 " * 100_000),
        ("BFM_front_idx.mat", mat_bytes({"idx": np.array([1, 500])})),
        ("BFM_front_idx.mat", mat_bytes({"idx": np.array([0.5, np.nan])})),
        ("BFM_front_idx.mat", mat_bytes({"other": np.array([1])})),
        ("BFM_exp_idx.mat", mat_bytes({"trimIndex": np.arange(1, 116) * 100})),
        ("BFM_exp_idx.mat", b"none"),
        ("facemodel_info.mat", mat_bytes({"tri": np.ones((3, 3))})),
        (BASEL, mat_bytes({"shapeMU": np.zeros(390)})),
        (BASEL, mat_bytes({"meanshape": np.zeros(390)})),
        (BASEL, mat_bytes({})),
    ],
)
def test_wrong_parts_are_refused(name: str, content: bytes, tmp_path: Path) -> None:
    _parts(tmp_path)
    (tmp_path / name).write_bytes(content)
    with pytest.raises(WeightsError, match=r"^Cannot (read|import) .*\.$") as caught:
        import_bfm(tmp_path)
    assert "\n" not in str(caught.value)
    assert imported() == {}


def test_kinds_have_terms() -> None:
    assert set(TERMS) <= set(KINDS)
    for terms in TERMS.values():
        assert terms.licence
        assert terms.ask
