"""Light, albedo and detail reach their files, and head.glb wears what it is told to."""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from lit import picture, sun
from samples import make_result

from tronie.cli.options import settings_from
from tronie.export.writer import save
from tronie.head.harmonics import coefficients_of
from tronie.head.model import HeadModel
from tronie.settings import LightSettings, Settings
from tronie.stages.lighting import light_and_detail
from tronie.types import Result


def lit_result(model: HeadModel, settings: LightSettings, wanted: tuple[str, ...]) -> Result:
    texture, head, fit, _ = picture(model, sun((1.0, 0.4, 0.6)))
    result = make_result(model)
    face = replace(result.faces[0], texture=texture, head=head, fit=fit)
    return replace(result, faces=(light_and_detail(face, settings, wanted),))


def gltf(path: Path) -> Any:
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack_from("<I", data, 12)[0]])


def test_all_of_it(tiny_head: HeadModel, tmp_path: Path) -> None:
    result = lit_result(tiny_head, LightSettings(base_color="albedo"), ("detail",))
    place = save(result, tmp_path, outputs=("glb", "obj", "texture", "albedo", "detail")) / "face-1"
    face = result.faces[0]
    assert face.albedo is not None
    assert face.detail is not None
    record = json.loads((place / "face.json").read_text())
    assert {"albedo.png", "light.hdr", "normal.png"} <= set(record["files"])
    assert np.allclose(record["light"]["coefficients"], face.albedo.light.coefficients, atol=1e-5)
    assert record["detail"]["side"] == len(face.detail.normals)
    # The file of the light says the same as the numbers.
    found = cv2.imread(str(place / "light.hdr"), cv2.IMREAD_UNCHANGED)[..., ::-1]
    assert found.shape == (32, 64, 3)
    assert np.allclose(coefficients_of(found), face.albedo.light.coefficients, atol=0.02)
    assert np.array_equal(cv2.imread(str(place / "albedo.png"))[..., ::-1], face.albedo.image)
    assert np.array_equal(cv2.imread(str(place / "normal.png"))[..., ::-1], face.detail.normals)
    assert "albedo.png" in (place / "head.mtl").read_text()
    document = gltf(place / "head.glb")
    assert "normalTexture" in document["materials"][0]
    assert "TANGENT" in document["meshes"][0]["primitives"][0]["attributes"]


def test_nothing_of_it_unless_asked(tiny_head: HeadModel, tmp_path: Path) -> None:
    assert not Settings().runs("light")
    result = lit_result(tiny_head, LightSettings(), ("albedo",))
    place = save(result, tmp_path, outputs=("glb", "obj")) / "face-1"
    assert not (place / "albedo.png").exists()
    assert "texture.png" in (place / "head.mtl").read_text()
    assert "normalTexture" not in gltf(place / "head.glb")["materials"][0]


@pytest.mark.parametrize("given", [{"albedo": True}, {"detail": True}, {"base_color": "albedo"}])
def test_options(given: dict[str, Any]) -> None:
    assert settings_from(given).runs("light")
