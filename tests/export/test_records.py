"""face.json and manifest.json follow their published schemas."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from places import DOCS
from samples import make_face, make_result

from tronie.export.records import (
    SCHEMAS,
    FaceRecord,
    InputRecord,
    ManifestRecord,
    face_record,
    rounded,
    schema,
    shares,
    to_json,
)
from tronie.geometry import HEAD_TO_CAMERA_AXES, rotation_matrix
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.settings import Settings
from tronie.types import PROVENANCE

DOCS = DOCS / "schemas"


@pytest.mark.parametrize("name", list(SCHEMAS))
def test_the_schemas_in_docs_are_current(name: str) -> None:
    """`python -m tronie.export.records docs/schemas` writes them."""
    assert (DOCS / f"{name}.schema.json").read_text(encoding="utf-8") == schema(name)


def test_a_face_follows_the_schema(tiny_head: HeadModel) -> None:
    jsonschema = pytest.importorskip("jsonschema")
    result = make_result(tiny_head)
    whole = result.faces[0]
    bare = replace(whole, landmarks=None, fit=None, head=None, texture=None, portrait=None, points68=None, error="No.")
    for face in (whole, bare):
        data = json.loads(to_json(face_record(result.photo, face, "someone", ["head.glb"])))
        jsonschema.validate(data, json.loads(schema("face")))
        FaceRecord.model_validate(data)


def test_a_face_says_what_is_known(tiny_head: HeadModel) -> None:
    result = make_result(tiny_head)
    face = result.faces[0]
    assert face.fit is not None
    assert face.landmarks is not None
    text = to_json(face_record(result.photo, face, "someone", []))
    assert len(text) < 30_000
    data = json.loads(text)
    assert np.allclose(data["landmarks"]["points"], face.landmarks.points, atol=0.0051)
    assert list(data["landmarks"]["scores"]) == list(data["fit"]["expression"]) == list(ARKIT_UNITS)
    assert np.allclose(data["points68"], face.points68, atol=0.0051)
    assert np.allclose(data["fit"]["head_to_camera"], face.fit.head_to_camera, atol=1e-6)
    assert data["model"]["licence"] == "CC0-1.0"
    assert data["warnings"] == [str(caution) for caution in face.warnings] == ["the face is small (90 px)"]
    assert data["warning_codes"] == ["small"]


def test_the_stated_convention_of_the_angles_is_true(tiny_head: HeadModel) -> None:
    result = make_result(tiny_head, yaw=33.0)
    pose = json.loads(to_json(face_record(result.photo, result.faces[0], "a", [])))["fit"]
    yaw, pitch, roll = np.radians([pose["pose"][key] for key in ("yaw", "pitch", "roll")])
    assert np.degrees(yaw) == pytest.approx(33)
    turned = rotation_matrix([0, yaw, 0]) @ rotation_matrix([-pitch, 0, 0]) @ rotation_matrix([0, 0, roll])
    assert np.allclose(HEAD_TO_CAMERA_AXES @ np.array(pose["head_to_camera"])[:3, :3], turned, atol=1e-4)


def test_odd_values_can_be_written(tiny_head: HeadModel) -> None:
    result = make_result(tiny_head)
    result = replace(result, photo=replace(result.photo, source="bad\udcff.jpg"))
    face = replace(make_face(tiny_head), points68=np.full((68, 2), np.nan), error='He said "no".')
    data = json.loads(to_json(face_record(result.photo, face, "x", [])))
    assert data["photo"]["source"] == "bad?.jpg"
    assert data["points68"][0] == [0, 0]
    assert str(rounded([-0.0001], 2)) == "[0.0]"


def test_shares_add_up_to_the_used_area() -> None:
    provenance = np.zeros((10, 10), np.uint8)
    provenance[:5] = 1
    provenance[5, :5] = 3
    assert shares(provenance) == {
        "seen": 0.9091,
        "mirrored": 0,
        "filled": 0.0909,
        "synthetic": 0,
        "enhanced": 0,
        "statistical": 0,
    }
    assert set(shares(np.zeros((4, 4), np.uint8))) == set(PROVENANCE[1:]) - {"around", "extended"}


def test_a_manifest_follows_the_schema_and_returns() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    inputs = [
        InputRecord(source="a.jpg", name="a", status="ok", faces=2, size=10, modified=20, settings="f", seconds=0.5),
        InputRecord(source="b.jpg", name="b", status="error", reason="It is empty.", settings="f"),
        InputRecord(source="c.jpg", name="c", status="pending", settings="f"),
    ]
    manifest = ManifestRecord(tronie="1", settings=Settings(), fingerprint="f", inputs=inputs)
    text = to_json(manifest)
    jsonschema.validate(json.loads(text), json.loads(schema("manifest")))
    assert ManifestRecord.model_validate_json(text) == manifest
    assert text.count(b"\n") > len(inputs)  # a line for each input, so that a person can read it
