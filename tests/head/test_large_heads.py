"""Heads of more vertices than 16 bits count, such as users import: our own, as if it came subdivided twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from places import EXAMPLES

from tronie.export.writer import MADE, save_face
from tronie.head.model import Head, HeadModel, default_head
from tronie.io.images import read_photo
from tronie.pipelines.photo import Pipeline
from tronie.settings import ExportSettings, LightSettings, PortraitSettings, Settings, TextureSettings
from tronie.stages.lighting import light_and_detail
from tronie.stages.portrait import frontal
from tronie.stages.texture import bake
from tronie.types import PROVENANCE, Face


def _large() -> HeadModel:
    """108,296 control vertices."""
    from scipy.spatial import cKDTree

    ours = default_head()
    mesh = ours.level(2)
    mean = mesh.apply(ours.mean)
    mirror = cKDTree(mean).query(mean * [-1, 1, 1])[1].astype(np.int32)
    return replace(
        ours,
        name="large",
        mean=mean,
        identity=mesh.apply(ours.identity[:2]),
        expression=mesh.apply(ours.expression),
        quads=mesh.quads,
        quad_uv=mesh.quad_uv,
        uv=mesh.uv,
        part=mesh.part,
        mirror=mirror,
        inner_face=(mesh.matrix @ ours.inner_face.astype(np.float32)[:, None])[:, 0] > 0.5,
        smooth_modes=mesh.apply(ours.smooth_modes[..., None])[..., 0],
        embeddings={"68.0": mesh.embedding68, "478.0": mesh.embedding478},
        uv_colour=None if mesh.uv_colour is None else np.rint(mesh.uv_colour).astype(np.uint8),
    )


@pytest.mark.slow
def test_every_file_of_a_large_head(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    photo = read_photo(EXAMPLES / "astronaut.jpg")
    settings = Settings.model_validate({"only": "mesh", "head": {"subdivide": 2}, "enhance": {"mode": "off"}})
    (face,) = Pipeline(settings).run(photo).faces
    assert face.head is not None
    assert face.fit is not None
    model = _large()
    assert len(model.mean) == len(face.head.vertices) > 65_536
    usual = _finished(photo, face)
    fit = replace(face.fit, identity=face.fit.identity[:2], sigma_mm=None)
    large = _finished(photo, replace(face, head=Head(model, 0, face.head.vertices, face.head.neutral), fit=fit))
    assert usual.texture is not None
    assert large.texture is not None
    seen = PROVENANCE.index("seen")
    both = (usual.texture.provenance == seen) & (large.texture.provenance == seen)
    assert both.sum() > 0.9 * (usual.texture.provenance == seen).sum()
    apart = np.abs(usual.texture.image[both].astype(int) - large.texture.image[both])
    assert apart.mean() < 2
    names = save_face(photo, large, tmp_path, "large", ExportSettings(rig=True), (*MADE, "lod", "maps"))
    assert {"head.glb", "head_lod2.glb", "head.obj", "head.ply", "albedo.png", "normal.png"} <= set(names)
    trimesh = pytest.importorskip("trimesh")
    for name, unit in (("head.obj", 1), ("head.ply", 1), ("head.glb", 1000)):
        mesh = trimesh.load(tmp_path / name, force="mesh", process=False)
        assert len(mesh.faces) == len(face.head.triangles)
        size = np.ptp(mesh.vertices, axis=0) * unit
        np.testing.assert_allclose(size, np.ptp(face.head.vertices, axis=0), rtol=2e-2)


def _finished(photo, face: Face) -> Face:
    assert face.head is not None
    assert face.fit is not None
    texture = bake(photo, face.head, face.fit, face.landmarks, TextureSettings(size=512))
    face = light_and_detail(replace(face, texture=texture), LightSettings(), ("albedo", "detail"))
    return replace(face, portrait=frontal(face.head, texture, PortraitSettings(size=256), photo, face.fit))
