"""The script for Blender, under Blender: with the program `blender`, or a Python that has the wheel `bpy`.

The variable TRONIE_BPY_PYTHON names such a Python; it may be in an environment of its own.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import shutil
import subprocess
import sys
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from samples import SMILE, make_face, make_shell

from tronie import cli
from tronie.export.gltf import glb
from tronie.export.gltf_document import GltfAnimation
from tronie.geometry import rotation_matrix
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.io import encode

SCRIPT = Path(str(files("tronie.export").joinpath("tronie_blender_import.py")))
GAZE = {"eyeLookOutLeft": 0.5, "eyeLookInRight": 0.5}


def command() -> list[str] | None:
    """What runs a script of Blender's, before its name; None where nothing does."""
    if python := os.environ.get("TRONIE_BPY_PYTHON"):
        return [python]
    if importlib.util.find_spec("bpy"):
        return [sys.executable]
    if blender := shutil.which("blender"):
        return [blender, "--background", "--factory-startup", "--python-exit-code", "1", "--python"]
    return None


def in_blender(script: Path, *arguments: str | Path) -> str:
    before = command()
    if before is None:
        pytest.skip("neither blender nor the wheel bpy is here (TRONIE_BPY_PYTHON names a Python that has it)")
    dashes = ["--"] if "--background" in before else []
    said = subprocess.run([*before, script, *dashes, *arguments], capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stdout + said.stderr
    return said.stdout


def look(path: Path) -> dict[str, Any]:
    lines = in_blender(Path(__file__).with_name("blender_look.py"), path).splitlines()
    found: dict[str, Any] = json.loads(next(line for line in lines if line.startswith("JSON"))[4:])
    return found


@pytest.mark.slow
@pytest.mark.parametrize("rig", [False, True])
def test_a_head_in_blender_and_out_again(tiny_head: HeadModel, tmp_path: Path, rig: bool) -> None:
    face = make_face(tiny_head)
    assert face.texture is not None
    assert face.head is not None
    data = glb(
        face.head,
        SMILE | GAZE,
        encode.jpeg(face.texture.image),
        "someone",
        provenance=face.texture.provenance,
        rig=rig,
        shells=(make_shell(),),
    )
    (tmp_path / "head.glb").write_bytes(b"".join(data))
    out = [tmp_path / "head.blend", tmp_path / "head.fbx"]
    in_blender(SCRIPT, tmp_path / "head.glb", "--save", out[0], "--fbx", out[1])
    blend, fbx = look(out[0]), look(out[1])
    assert blend["vertices"] == len(face.head.vertices)  # seams are closed
    assert blend["keys"] == fbx["keys"] == list(ARKIT_UNITS)
    assert blend["ranges"] == [[0, 1]]
    for unit, value in SMILE.items():
        assert blend["values"][unit] == pytest.approx(value, abs=1e-3)
        assert fbx["values"][unit] == pytest.approx(value, abs=1e-3)
    count, parent, materials, both_sides, cut_out = blend["over"]["hair"]
    assert 0.9 * len(make_shell().triangles) < count <= len(make_shell().triangles)
    assert (parent, materials) == ("ARMATURE" if rig else "MESH", ["hair"])
    assert both_sides
    assert cut_out
    assert "hair" in fbx["over"]
    assert blend["materials"] == ["skin", "eyes", "mouth"]
    assert [coat > 0 for coat, _ in blend["coats"]] == [False, True, True]
    assert [depth > 0 for _, depth in blend["coats"]] == [True, False, True]
    assert "_PROVENANCE" in blend["attributes"]
    assert [512, 512] in blend["images"]
    assert [512, 512] in fbx["images"]
    assert blend["parent"] == fbx["parent"] == ("ARMATURE" if rig else None)
    assert ("eye_left" in fbx["groups"]) == rig
    assert sorted(blend["size"]) == pytest.approx(sorted(fbx["size"]), rel=1e-3)
    assert max(blend["size"]) < 0.5  # metres
    # The eyes look where the photo's do, and follow their target.
    assert blend["trusted"]
    there, left, up = blend["looks"]
    for unit in GAZE:
        assert there[unit] == pytest.approx(0.5, abs=0.25)
    assert left["eyeLookOutLeft"] > 0.9
    assert left["eyeLookInRight"] > 0.9
    assert left["eyeLookInLeft"] == left["eyeLookOutRight"] == 0
    assert min(up["eyeLookUpLeft"], up["eyeLookUpRight"]) > 0.5
    assert max(up["eyeLookDownLeft"], up["eyeLookDownRight"]) == 0


@pytest.mark.slow
@pytest.mark.parametrize("rig", [False, True])
def test_the_motion_of_a_video_gets_into_fbx(tiny_head: HeadModel, tmp_path: Path, rig: bool) -> None:
    face = make_face(tiny_head)
    assert face.head is not None
    count, rate = 12, 30000 / 1001
    weights = np.zeros((count, 52))
    weights[:, ARKIT_UNITS.index("jawOpen")] = np.linspace(0, 1, count)
    turns = np.array([rotation_matrix([0, yaw, 0]) for yaw in np.linspace(0, 0.5, count)])
    course = GltfAnimation(np.arange(count) / rate, turns, np.tile([0, 0, -600.0], (count, 1)), weights)
    (tmp_path / "head.glb").write_bytes(b"".join(glb(face.head, SMILE, None, "someone", rig=rig, motion=course)))
    out = [tmp_path / "head.blend", tmp_path / "head.fbx"]
    in_blender(SCRIPT, tmp_path / "head.glb", "--save", out[0], "--fbx", out[1])
    for path in out:
        moves = look(path)["moves"]
        assert moves["rate"] == pytest.approx(rate, rel=1e-3)
        first, last = (moves[f"jaw {at}"] for at in ("first", "last"))
        assert (first, last) == pytest.approx((0, 1), abs=0.02)
        assert moves["turn"] == pytest.approx(0.5, abs=0.02)


def test_the_command_writes_the_script(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.py"
    assert cli.execute(["blender-script", str(file)]) == 0
    assert file.read_text(encoding="utf-8") == SCRIPT.read_text(encoding="utf-8")
    ast.parse(file.read_text(encoding="utf-8"))
    assert cli.execute(["blender-script", str(file)]) == 1
    assert "already" in capsys.readouterr().err
    assert cli.execute(["blender-script", str(file), "--overwrite"]) == 0
    assert cli.execute(["blender-script", "-"]) == 0
    assert "import bpy" in capsys.readouterr().out
