"""Face models as large as the published ones: 35,709 vertices, and the whole Basel model's 53,490.

Some of what a face goes through counts in 16 bits, or takes no list that long; small models do not tell.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import full_front
import numpy as np
import pytest
import vectors
from numpy.testing import assert_allclose
from places import EXAMPLES

from tronie import cli
from tronie.export.writer import MADE, save_face
from tronie.formats.matlab import mat_bytes
from tronie.importers.deep3d_onnx import onnx_bytes
from tronie.runtime.model_store import keep, new_record
from tronie.settings import ExportSettings, LightSettings, PortraitSettings, TextureSettings
from tronie.stages.deep3d.align import POINTS, SIZE
from tronie.stages.deep3d.convert import head_model, make_fit, make_head
from tronie.stages.deep3d.net import shapes
from tronie.stages.deep3d.reconstruct import Deep3DResult, reconstruct
from tronie.stages.deep3d.terms import NET
from tronie.stages.lighting import light_and_detail
from tronie.stages.portrait import frontal
from tronie.stages.texture import bake
from tronie.types import Detection, Face, Photo

FIVE = POINTS[:, :2] * [1, -1] * SIZE * 1.4 + [260, 300]


class Still:
    """A net that sees the mean face, a little turned."""

    def coefficients(self, crops: np.ndarray) -> np.ndarray:
        values = np.zeros((len(crops), 257))
        values[:, 225] = 0.2
        return values


def _photo() -> Photo:
    """Skin that tells the place, before a wall."""
    y, x = np.mgrid[:640, :560]
    image = np.stack([210 - y / 8, 140 + x / 16, 115 + 0 * x], axis=-1)
    image[np.hypot((x - 262) / 170, (y - 300) / 240) > 1] = 60, 70, 90
    return Photo(image.astype(np.uint8), "someone")


def _whole(vertices: int) -> tuple[Photo, Deep3DResult, Face]:
    model, photo = full_front.model(vertices), _photo()
    result = reconstruct(photo.image, FIVE, Still(), model)
    head = make_head(result, head_model(model, "nobody's"))
    detection = Detection((110, 130, 410, 470), FIVE, 0.9)
    fit = make_fit(result, detection, FIVE)
    face = Face(1, detection, fit=fit, head=head, engine_result=result, points68=result.points68)
    face = replace(face, texture=bake(photo, head, fit, None, TextureSettings(size=512)))
    face = light_and_detail(face, LightSettings(), ("albedo", "detail"))
    assert face.texture is not None
    return photo, result, replace(face, portrait=frontal(head, face.texture, PortraitSettings(size=256), photo, fit))


@pytest.mark.parametrize(
    ("vertices", "everything"),
    [
        pytest.param(full_front.FRONT, False, marks=pytest.mark.slow),
        pytest.param(full_front.FRONT, True, marks=pytest.mark.slow),
        pytest.param(full_front.WHOLE, True, marks=pytest.mark.slow),
    ],
)
def test_a_face_with_its_files(vertices: int, everything: bool, tmp_path: Path) -> None:
    photo, result, face = _whole(vertices)
    usd = everything and _usd_works()
    export = ExportSettings(rig=everything, morph_normals=everything)
    outputs = (*MADE, "mat", *(("lod", "maps") if everything else ()), *(("usd",) if usd else ()))
    names = save_face(photo, face, tmp_path, "someone", export, outputs)
    wanted = {
        "head.glb",
        "head.obj",
        "head.mtl",
        "head.ply",
        "texture.png",
        "albedo.png",
        "light.hdr",
        "normal.png",
        "provenance.png",
        "frontal.png",
        "frontal_mask.png",
        "overlay.jpg",
        "deep3d.obj",
        "deep3d.mat",
        "face.json",
    }
    if everything:
        wanted |= {"head_lod1.glb", "head_lod2.glb", "provenance.jpg"}
    assert wanted | ({"head.usdz"} if usd else set()) <= set(names)
    assert face.texture is not None
    assert (face.texture.provenance == 1).sum() > 0.5 * (face.texture.provenance > 0).sum()
    _read_by_others(tmp_path, vertices, result)


def _usd_works() -> bool:
    try:
        import pxr  # noqa: F401
    except ImportError:
        return False
    return True


def _read_by_others(place: Path, vertices: int, result: Deep3DResult) -> None:
    """Every vertex is there, once in files without seams, and no triangle leads astray."""
    trimesh = pytest.importorskip("trimesh")
    triangles = len(result.model.triangles)
    longest = np.ptp(result.vertices[result.model.triangles], axis=1).max()
    for name, unit in (("deep3d.obj", 1), ("head.obj", 1), ("head.ply", 1), ("head.glb", 1000)):
        mesh = trimesh.load(place / name, force="mesh", process=False)
        assert (len(mesh.vertices), len(mesh.faces)) == (vertices, triangles), name
        assert_allclose(np.ptp(mesh.vertices, axis=0) * unit, np.ptp(result.vertices, axis=0), rtol=1e-3)
        assert np.ptp(mesh.vertices[mesh.faces], axis=1).max() * unit < longest * 1.001, name
    colours = trimesh.load(place / "head.ply", process=False).visual.vertex_colors[:, :3].astype(int)
    assert colours[result.model.keypoints].std(axis=0).max() < 30  # skin everywhere, not the wall
    for name in sorted(file.name for file in place.glob("head_lod*.glb")):
        assert 1000 < len(trimesh.load(place / name, force="mesh").faces) < 9000


@pytest.mark.slow
def test_every_face_of_a_group(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the command line, with all that can be asked for."""
    pytest.importorskip("onnx")
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))
    files = tmp_path / "BFM"
    files.mkdir()
    (files / "BFM_model_front.mat").write_bytes(mat_bytes(full_front.arrays()))
    assert cli.execute(["models", "import", "bfm", str(files)]) == 0
    numbers = vectors.filled(shapes(4))
    for name in numbers:
        if name.startswith("final_layers"):
            numbers[name] *= 0.02
    terms = {"purpose": "a test", "licence": "nobody's", "commercial_use": False, "origin": "nowhere"}
    source = files / "BFM_model_front.mat"
    keep(new_record("deep3d", NET, source, **terms, side=224), onnx_bytes(numbers, 4))
    usd = ["--usd"] if _usd_works() else []
    wanted = ["--mat", "--flat", "--albedo", "--detail", "--maps", "--rig", "--lod", "--texture-size", "1024", *usd]
    out, photo = tmp_path / "out", EXAMPLES / "group.jpg"
    assert cli.execute(["run", str(photo), "-o", str(out), "--engine", "deep3d", "-j", "1", *wanted]) == 0
    for k in range(1, 9):
        record = json.loads((out / "group" / f"face-{k}" / "face.json").read_text())
        assert record["error"] is None
        assert record["model"]["vertices"] == full_front.FRONT
        there = {p.name for p in (out / "group" / f"face-{k}").iterdir()}
        assert {
            "head.glb",
            "head_lod2.glb",
            "deep3d_posed.obj",
            "deep3d_pytorch.mat",
            "albedo.png",
            "normal.png",
            "frontal.png",
            "provenance.jpg",
        } <= there
        flat = (out / f"group_face-{k}.obj").read_bytes()
        assert flat == (out / "group" / f"face-{k}" / "deep3d_posed.obj").read_bytes()
        assert flat.count(b"\nv ") == full_front.FRONT
