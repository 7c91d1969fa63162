"""Deep3D in the pipeline and on the command line, with made-up files."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import tiny_front
import vectors
from jsonschema import validate
from numpy.testing import assert_allclose
from places import DOCS, EXAMPLES

from tronie import cli
from tronie.export.records import face_record, to_json
from tronie.importers.deep3d_onnx import onnx_bytes
from tronie.io.images import read_photo
from tronie.pipelines.photo import Pipeline
from tronie.runtime.model_store import keep, new_record
from tronie.settings import Settings
from tronie.stages.deep3d.align import POINTS
from tronie.stages.deep3d.bfm import FaceModel
from tronie.stages.deep3d.engine import five_points
from tronie.stages.deep3d.net import CoefficientNet, shapes
from tronie.stages.deep3d.reconstruct import from_coefficients
from tronie.stages.deep3d.terms import MODEL, NET
from tronie.stages.enhance.enhancer import Restored
from tronie.types import Photo

SCHEMA = DOCS / "schemas" / "face.schema.json"


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


def _bring(folder: Path) -> None:
    """A narrow net that says little, so that its faces look to the front, and the small face model."""
    numbers = vectors.filled(shapes(4))
    for i in range(7):
        numbers[f"final_layers.{i}.weight"] *= 0.02
        numbers[f"final_layers.{i}.bias"] *= 0.02
    (folder / "file").write_bytes(b"")
    terms = {"purpose": "a test", "licence": "nobody's", "commercial_use": False, "origin": "nowhere"}
    keep(new_record("deep3d", NET, folder / "file", **terms, side=224), onnx_bytes(numbers, 4))
    model = FaceModel.from_arrays(tiny_front.arrays())
    keep(new_record("bfm-front", MODEL, folder / "file", **terms, suffix=".npz"), model.bytes())


def test_five_points_are_where_the_eyes_nose_and_mouth_are() -> None:
    points = np.zeros((478, 3))
    points[[33, 133, 362, 263, 4, 61, 291], :2] = [[10, 20], [30, 22], [60, 22], [80, 20], [45, 45], [25, 70], [65, 70]]
    assert_allclose(five_points(points), [[20, 21], [70, 21], [45, 45], [25, 70], [65, 70]])


def test_without_the_files_one_screen_says_what_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    photo = str(EXAMPLES / "astronaut.jpg")
    assert cli.execute(["run", photo, "-o", str(tmp_path / "out"), "--engine", "deep3d", "-j", "1"]) == 1
    said = capsys.readouterr().err
    for line in (
        "epoch_20.pth or FaceReconModel.pb, from github.com/sicxu",
        "tronie models import deep3d FILE",
        "BFM_model_front.mat or 01_MorphableModel.mat, from faces.dmi.unibas.ch/bfm (Basel",
        "tronie models import bfm FILE",
    ):
        assert line in said
    assert len(said.splitlines()) < 12
    assert "Traceback" not in said
    assert cli.execute(["models"]) == 0
    said = capsys.readouterr().out
    assert "github.com/sicxu/Deep3DFaceRecon_pytorch" in said
    assert "faces.dmi.unibas.ch/bfm" in said


def test_a_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("onnx")
    _bring(tmp_path)
    photo, out = EXAMPLES / "astronaut.jpg", tmp_path / "out"
    assert (
        cli.execute(["run", str(photo), "-o", str(out), "--engine", "deep3d", "--mat", "--enhance", "off", "-j", "1"])
        == 0
    )
    assert "nobody's (no commercial use)" in capsys.readouterr().err
    place = out / "astronaut" / "face-1"
    assert {p.name for p in place.iterdir()} == {
        "face.json",
        "deep3d.obj",
        "deep3d_posed.obj",
        "deep3d.mat",
        "deep3d_pytorch.mat",
        "overlay.jpg",
        "head.glb",
        "head.obj",
        "head.mtl",
        "head.ply",
        "texture.png",
        "provenance.png",
        "frontal.png",
        "frontal_neutral.png",
        "frontal_mask.png",
    }
    assert (out / "astronaut" / "sheet.jpg").is_file()
    record = json.loads((place / "face.json").read_text())
    validate(record, json.loads(SCHEMA.read_text()))
    assert record["error"] is None
    assert record["engine"] == "deep3d"
    assert {m["name"]: m["licence"] for m in record["models"]} == {
        "centerface": "MIT",
        "face_landmarks": "Apache-2.0",
        "blendshapes": "Apache-2.0",
        "face_doubts": "CC0-1.0",
        "segment": "Apache-2.0",
        "deep3d": "nobody's",
        "bfm-front": "nobody's",
    }
    manifest = json.loads((out / "manifest.json").read_text())
    validate(manifest, json.loads(SCHEMA.with_name("manifest.schema.json").read_text()))
    assert manifest["engine"] == "deep3d"
    assert {m["name"] for m in record["models"]} <= {m["name"] for m in manifest["models"]}
    assert record["fit"]["expression"] == {}
    assert record["fit"]["pose"] == record["deep3d"]["pose"]
    assert record["model"]["vertices"] == 100
    assert record["provenance"]["seen"] > 0.3  # the made-up head lies partly on hair
    assert record["provenance"]["synthetic"] == 0
    _read_by_others(place)
    found = record["deep3d"]
    assert len(found["coefficients"]) == 257
    assert any("nobody's" in source for source in found["sources"])
    assert b"nobody's" in (place / "deep3d.obj").read_bytes()[:500]
    assert abs(found["pose"]["yaw"]) < 30
    # The net says that the face is in the middle of its crop, where the alignment put it.
    width = record["photo"]["width"]
    x0, y0, x1, y1 = record["box"]
    middle = np.mean(record["points68"], axis=0)
    assert_allclose(middle, [(x0 + x1) / 2, (y0 + y1) / 2], atol=0.1 * width)


class Sharp:
    """Stands in for a net of large crops, such as sparnet-hd."""

    name, side = "sharp", 512

    def wants(self, pixels: float) -> int:
        return self.side

    def restore(self, crops: np.ndarray) -> Restored:
        return Restored(np.stack([cv2.addWeighted(c, 1.6, cv2.GaussianBlur(c, (0, 0), 6), -0.6, 0) for c in crops]))


def test_the_net_sees_what_super_resolution_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a large face only where all faces are to be enhanced; what is found lies where it does without."""
    pytest.importorskip("onnx")
    _bring(tmp_path)
    seen: list[np.ndarray] = []
    ask = CoefficientNet.coefficients

    def spy(net: CoefficientNet, crops: np.ndarray) -> np.ndarray:
        seen.append(crops[0])
        return ask(net, crops)

    monkeypatch.setattr(CoefficientNet, "coefficients", spy)
    image = cv2.resize(read_photo(EXAMPLES / "astronaut.jpg").image, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    photo = Photo(np.asarray(image, np.uint8), "large")
    faces = []
    for wanted in ("small", "all"):
        options = {"fit": {"engine": "deep3d"}, "enhance": {"faces": wanted}, "only": "mesh"}
        (face,) = Pipeline(Settings.model_validate(options), enhancer=Sharp()).run(photo).faces
        assert face.error is None
        faces.append(face)
    assert faces[0].enhanced is None
    assert faces[1].enhanced is not None
    assert faces[1].enhanced.accepted
    plain, crisp = (np.abs(cv2.Laplacian(crop, cv2.CV_32F))[40:180, 40:180].mean() for crop in seen)
    assert crisp > 1.2 * plain
    size = faces[0].detection.size
    assert np.abs(faces[1].points68 - faces[0].points68).max() < 0.04 * size
    assert faces[1].fit.camera.size == faces[0].fit.camera.size == (1024, 1024)
    record = json.loads(to_json(face_record(photo, faces[1], "a", [])))
    validate(record, json.loads(SCHEMA.read_text()))
    assert record["enhancement"]["name"] == "sharp"


def _read_by_others(place: Path) -> None:
    trimesh = pytest.importorskip("trimesh")
    meshes = {name: trimesh.load(place / name, force="mesh", process=False) for name in ("head.obj", "head.ply")}
    glb = trimesh.load(place / "head.glb", force="mesh", process=False)
    assert glb.visual.material.baseColorTexture.size == (1024, 1024)
    assert glb.visual.material.doubleSided
    for mesh in (*meshes.values(), glb):
        assert mesh.faces.shape == (162, 3)
        assert np.isfinite(mesh.vertices).all()
    assert_allclose(meshes["head.obj"].bounds, meshes["head.ply"].bounds, atol=2e-3)


def test_pictures() -> None:
    image = read_photo(EXAMPLES / "astronaut.jpg").image
    from tronie.stages.deep3d.align import align

    aligned = align(image, POINTS[:, :2] * [1, -1] * 100 + 200)
    result = from_coefficients(aligned, np.zeros(257), FaceModel.from_arrays(tiny_front.arrays()))
    picture = np.full((128, 128, 3), 7, np.uint8)
    front = result.view(picture)
    assert (picture == 7).all()
    changed = (front != 7).any(axis=2)
    assert 0.3 < changed.mean() < 0.95
    assert_allclose(changed, changed[:, ::-1], atol=1)
    right = (result.view(picture, 40) != 7).any(axis=2)
    assert right.sum() < changed.sum()
    whole = image.copy()
    result.draw_over(whole, (0, 0), 1.0)
    inside = (whole != image).any(axis=2)
    x, y = result.points68.mean(axis=0).astype(int)
    assert inside[y, x]
    lower = result.points68.min(axis=0) - 60
    assert not inside[: max(int(lower[1]), 0)].any()
