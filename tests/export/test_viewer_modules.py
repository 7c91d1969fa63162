"""The browser's viewer says what the library says: lights, expressions, colours, words; in Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tronie.export.html import viewer_files
from tronie.head.arkit import ARKIT_UNITS
from tronie.io.encode import PROVENANCE_COLORS
from tronie.render.film import EXPRESSIONS
from tronie.render.lights import preset

ASK = """
import { LIGHTS } from "./viewer/lights.js";
import { PRESETS, gaze, grouped, spoken } from "./viewer/expressions.js";
import { HEAT, MOST_MM, PROVENANCE } from "./viewer/looks.js";
import { motions } from "./viewer/motion.js";
import { Morphs } from "./viewer/morphs.js";
import { KOREAN, words } from "./viewer/words.js";
import * as THREE from "three";

// Two triangles with a fold between them, whose vertices there are double, as beside a seam of the texture.
function piece(points, index, moves) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(Float32Array.from(points.flat()), 3));
  geometry.setAttribute("normal", new THREE.BufferAttribute(Float32Array.from(points.flatMap(() => [0, 0, 1])), 3));
  geometry.setIndex(index);
  geometry.morphAttributes.position = moves.map((move) => new THREE.BufferAttribute(Float32Array.from(move.flat()), 3));
  const mesh = new THREE.Mesh(geometry);
  mesh.userData.targetNames = ["bend"];
  return mesh;
}
const still = [0, 0, 0];
const left = piece([[-1, 0, 0], [0, 0, 0], [0, 1, 0]], [0, 1, 2], [[[0, 0, -1], still, still]]);
const right = piece([[0, 0, 0], [1, 0, 0], [0, 1, 0]], [0, 1, 2], [[still, [0, 0, -1], still]]);
const morphs = new Morphs([left, right]);
const normals = () => [left, right].map(({ geometry }) => [...geometry.attributes.normal.array]);
morphs.pose([1]);
const bent = { points: [...left.geometry.attributes.position.array], normals: normals() };
morphs.pose([0]);
const flat = normals();

const clip = new THREE.AnimationClip("video", 2, [
  new THREE.VectorKeyframeTrack("head.position", [0, 2], [0, 0, -1, 0, 0.02, -1]),
  new THREE.QuaternionKeyframeTrack("head.quaternion", [0, 2], [0, 0, 0, 1, 0, 1, 0, 0]),
  new THREE.NumberKeyframeTrack("head_mesh.morphTargetInfluences", [0, 2], [0, 1, 1, 0]),
]);
const [motion] = motions([clip]);
const moved = [0, 1, 2].map((time) => motion.at(time))
  .map(({ weights, turn, shift }) => ({ weights, turn: turn.toArray(), shift: shift.toArray() }));
const said = [words("ko-KR")("Front"), words("de")("Front"), words("en")("Face {n}", { n: 3 }), words("ko").language];
const units = JSON.parse(process.argv[2]);
console.log(JSON.stringify({ LIGHTS, PRESETS, HEAT, MOST_MM, PROVENANCE, KOREAN, bent, flat, moved, said,
  groups: grouped(units), spoken: units.map(spoken), gaze: [gaze(1, 0.5), gaze(-0.5, -1), gaze(0, 0)] }));
"""


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> Any:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the program node is not installed")
    folder = tmp_path_factory.mktemp("modules")
    for name, data in viewer_files().items():
        place = folder / "viewer" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    (folder / "package.json").write_text('{"type": "module"}')
    three = folder / "node_modules" / "three"
    three.parent.mkdir()
    shutil.copytree(folder / "viewer" / "vendor", three)
    (three / "package.json").write_text('{"type": "module", "exports": "./three.module.min.js"}')
    (folder / "ask.js").write_text(ASK, encoding="utf-8")
    done = subprocess.run([node, folder / "ask.js", json.dumps(ARKIT_UNITS)], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_light_is_that_of_our_pictures(said: Any) -> None:
    for name, light in said["LIGHTS"].items():
        ours = preset(name)
        assert light["ambient"] == ours.ambient[0]
        assert light["sky"] == ours.sky[0]
        assert light["gloss"] == ours.gloss
        assert light["soft"] == ours.soft
        assert light.get("plain", False) == ours.plain
        assert len(light["lamps"]) == len(ours.lamps)
        for lamp, own in zip(light["lamps"], ours.lamps, strict=True):
            x, y, z = own.direction
            assert np.allclose(lamp["toward"], (x, -y, -z))
            assert np.allclose(lamp["color"], own.color)
            assert lamp.get("shadow", False) == own.shadow


def test_expressions_and_colours_are_those_of_our_pictures(said: Any) -> None:
    from tronie.render.renderer import UNCERTAIN_MM, heat_srgb

    assert said["PRESETS"] == EXPRESSIONS
    for name, color in said["PROVENANCE"].items():
        assert tuple(bytes.fromhex(color[1:])) == PROVENANCE_COLORS[name]
    assert said["MOST_MM"] == UNCERTAIN_MM
    steps = np.linspace(0, 255, len(said["HEAT"])).round().astype(int)
    shown = np.array([list(bytes.fromhex(color[1:])) for color in said["HEAT"]])
    assert np.abs(shown - heat_srgb()[steps].astype(int)).max() == 0


def test_every_unit_is_in_one_group_and_has_its_words(said: Any) -> None:
    assert sorted(unit for group in said["groups"] for unit in group["units"]) == sorted(ARKIT_UNITS)
    assert set(said["spoken"]) <= set(said["KOREAN"])
    assert said["said"] == ["정면", "Front", "Face 3", "ko"]


def test_korean_is_the_windows(said: Any) -> None:
    from tronie.gui.korean import KOREAN

    differ = {text: (word, KOREAN[text]) for text, word in said["KOREAN"].items() if KOREAN.get(text, word) != word}
    assert not differ


def test_gaze_turns_both_eyes_to_one_side(said: Any) -> None:
    right, left, ahead = said["gaze"]
    assert {unit for unit, weight in right.items() if weight} == {
        "eyeLookOutLeft", "eyeLookInRight", "eyeLookUpLeft", "eyeLookUpRight"
    }  # fmt: skip
    assert left["eyeLookInLeft"] == left["eyeLookOutRight"] == 0.5
    assert left["eyeLookDownLeft"] == 1
    assert not any(ahead.values())


def test_normals_follow_a_face_that_moves(said: Any) -> None:
    bent = said["bent"]
    assert bent["points"][:3] == [-1, 0, -1]
    left, right = (np.reshape(normals, (3, 3)) for normals in bent["normals"])
    assert np.allclose(np.linalg.norm(left, axis=1), 1, atol=1e-6)
    assert np.allclose(left[1], right[0], atol=1e-6), "one vertex, two places in the texture"
    assert np.allclose(left[0], (-(0.5**0.5), 0, 0.5**0.5), atol=1e-6)
    assert np.allclose(right[1], (0.5**0.5, 0, 0.5**0.5), atol=1e-6)
    assert np.allclose(said["flat"], [[0, 0, 1] * 3] * 2), "back at rest as before"


def test_a_clip_turns_the_head_and_keeps_it_in_sight(said: Any) -> None:
    first, middle, last = said["moved"]
    assert np.allclose(middle["weights"], 0.5)
    assert (first["weights"], last["weights"]) == ([0, 1], [1, 0])
    assert np.allclose(np.abs(middle["turn"]), (0, 0.5**0.5, 0, 0.5**0.5))
    assert np.allclose(middle["shift"], 0, atol=1e-6)
    assert 0 < last["shift"][1] < 0.01
    assert first["shift"][1] == pytest.approx(-last["shift"][1], abs=1e-6)


def test_every_module_that_is_imported_is_there() -> None:
    import re

    found = viewer_files()
    for name, data in found.items():
        if not name.endswith(".js"):
            continue
        for other in re.findall(r"""from\s*["'](\.[^"']+)["']""", data.decode()):
            assert (Path("/") / Path(name).parent / other).resolve().as_posix().lstrip("/") in found, (name, other)
