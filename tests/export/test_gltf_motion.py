"""An animated head.glb is legal and says how the head moves."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from glb_reader import parse, read
from hypothesis import given
from hypothesis import strategies as st
from node_tools import validator_home
from places import TESTS
from samples import SMILE, make_head

from tronie.export.gltf import glb
from tronie.export.gltf_document import GltfAnimation, quaternions
from tronie.geometry import Camera, rotation_matrix
from tronie.head.model import HeadModel

CAMERA = Camera(800.0, (320.0, 240.0), (640, 480))


def make_course(frames: int = 7, units: int = 52) -> GltfAnimation:
    k = np.arange(frames)
    rotation = np.array([rotation_matrix([0.02 * i, 0.3 * np.sin(i / 3), 0.0]) for i in k])
    place = np.stack([10.0 * k, np.zeros(frames), -700.0 + k], axis=1)
    weights = np.random.default_rng(0).uniform(0, 1, (frames, units))
    return GltfAnimation(k / 30, rotation, place, weights, CAMERA)


def turned(q: np.ndarray) -> np.ndarray:
    """A quaternion (x, y, z, w) as a matrix, by its definition."""
    x, y, z, w = q.astype(float)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@given(st.lists(st.tuples(*[st.floats(-3.1, 3.1)] * 3), min_size=1, max_size=6))
def test_quaternions_are_the_rotations(vectors: list[tuple[float, float, float]]) -> None:
    rotations = np.array([rotation_matrix(v) for v in vectors])
    found = quaternions(rotations)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-6)
    assert np.allclose([turned(q) for q in found], rotations, atol=1e-5)
    assert ((found[1:] * found[:-1]).sum(axis=1) >= -1e-6).all()


@pytest.mark.parametrize("rig", [False, True])
def test_the_file_says_how_the_head_moves(tiny_head: HeadModel, rig: bool) -> None:
    course = make_course()
    document, binary = parse(b"".join(glb(make_head(tiny_head), SMILE, rig=rig, motion=course)))
    (animation,) = document["animations"]
    tracks = {channel["target"]["path"]: channel for channel in animation["channels"]}
    assert set(tracks) == {"translation", "rotation", "weights"}

    def values(path: str) -> np.ndarray:
        sampler = animation["samplers"][tracks[path]["sampler"]]
        assert np.allclose(read(document, binary, sampler["input"])[:, 0], course.time)
        return read(document, binary, sampler["output"])

    assert np.allclose(values("translation"), course.translation * 0.001)
    assert np.allclose(values("weights").reshape(-1, 52), course.weights)
    assert np.allclose([turned(q) for q in values("rotation")], course.rotation, atol=1e-5)
    moving = tracks["rotation"]["target"]["node"]
    assert tracks["weights"]["target"]["node"] == 0
    if rig:  # a skinned mesh goes where its joints go
        assert document["nodes"][moving]["children"] == [document["skins"][0]["skeleton"]]
    else:
        assert moving == 0
    lens = document["cameras"][0]["perspective"]
    assert np.tan(lens["yfov"] / 2) == pytest.approx(240 / 800)


def test_without_motion_nothing_changes(tiny_head: HeadModel) -> None:
    document, _ = parse(b"".join(glb(make_head(tiny_head), SMILE)))
    assert "animations" not in document
    assert "cameras" not in document


def test_the_validator_finds_nothing_in_moving_heads(tiny_head: HeadModel, tmp_path: Path) -> None:
    home, node = validator_home(), shutil.which("node")
    if home is None or node is None:
        pytest.skip("gltf-validator is not installed (tests/tools/install_gltf_validator.sh does it)")
    paths = []
    choices = {"plain": {}, "rig": {"rig": True}, "all": {"rig": True, "lod": 1, "morph_normals": True}}
    for name, options in choices.items():
        paths.append(tmp_path / f"{name}.glb")
        paths[-1].write_bytes(b"".join(glb(make_head(tiny_head), SMILE, motion=make_course(), **options)))
    script = TESTS / "tools" / "validate_gltf.mjs"
    said = subprocess.run([node, script, home, *paths], capture_output=True, text=True, check=True)
    for line in said.stdout.splitlines():
        report = json.loads(line)
        remarks = [m for m in report["messages"] if m["code"] != "UNUSED_OBJECT"]
        assert (report["errors"], report["warnings"], remarks) == (0, 0, []), line
    assert len(said.stdout.splitlines()) == len(paths)
