"""What examples/viewer.html reads from head.glb, in Node."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from places import EXAMPLES
from samples import SMILE, make_face, make_head, make_shell

from tronie.export.gltf import SMALLEST_MOVE, glb
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.head.surface import pieces
from tronie.io import encode
from tronie.types import PROVENANCE

PAGE = EXAMPLES / "viewer.html"

ASK = """
globalThis.createImageBitmap = async (blob) => ({ type: blob.type, size: blob.size });
const data = require("fs").readFileSync(process.argv[2]);
load(data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength)).then((head) => {
  const parts = head.parts.map((part) => {
    const now = Float32Array.from(part.rest);
    part.targets.forEach(({ rows, moves }, unit) => {
      for (let i = 0; i < rows.length; i++)
        for (let k = 0; k < 3; k++) now[3 * rows[i] + k] += head.weights[unit] * moves[3 * i + k];
    });
    return { now: [...now], triangles: [...part.triangles], kind: [...(part.kind ?? [])], material: part.material.name,
      picture: part.picture };
  });
  console.log(JSON.stringify({ parts, names: head.names, picture: head.picture, name: head.name }));
});
"""


FILM = """
const course = { times: [0, 1, 3], values: [0, 10, 2, 20, 4, 0] };
console.log(JSON.stringify([-1, 0, 0.5, 1, 2, 9].map((time) => at(course, time))));
"""


def test_the_viewer_finds_what_lies_between_two_frames(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the program node is not installed")
    text = PAGE.read_text(encoding="utf-8")
    (tmp_path / "page.cjs").write_text(text[text.index("const ARRAYS") : text.index("// Drawing")] + FILM, "utf-8")
    said = subprocess.run([node, tmp_path / "page.cjs"], capture_output=True, text=True, check=True)
    assert json.loads(said.stdout) == [[0, 10], [0, 10], [1, 15], [2, 20], [3, 10], [4, 0]]


def test_the_viewer_reads_the_photos_face(tiny_head: HeadModel, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the program node is not installed")
    head, texture = make_head(tiny_head), make_face(tiny_head).texture
    assert texture is not None
    picture = encode.jpeg(texture.image)
    (tmp_path / "head.glb").write_bytes(b"".join(glb(head, SMILE, picture, "me", provenance=texture.provenance)))
    text = PAGE.read_text(encoding="utf-8")
    (tmp_path / "page.cjs").write_text(text[text.index("const ARRAYS") : text.index("// Drawing")] + ASK, "utf-8")
    said = subprocess.run(
        [node, tmp_path / "page.cjs", tmp_path / "head.glb"], capture_output=True, text=True, check=True
    )
    found = json.loads(said.stdout)
    assert found["names"] == list(ARKIT_UNITS)
    assert found["name"] == "me"
    assert found["picture"] == {"type": "image/jpeg", "size": len(picture)}
    for part, piece in zip(found["parts"], pieces(tiny_head, 1), strict=True):
        assert part["material"] == piece.material
        assert part["triangles"] == piece.triangles.ravel().tolist()
        now = np.reshape(part["now"], (-1, 3)) * 1000
        assert np.abs(now - head.vertices[piece.vertex]).max() < SMALLEST_MOVE * sum(SMILE.values()) + 1e-3
        assert set(part["kind"]) <= set(range(len(PROVENANCE)))


def test_the_viewer_needs_nothing_else() -> None:
    text = PAGE.read_text(encoding="utf-8")
    assert not any(word in text for word in ("http:", "https:", "import ", "fetch(", "src="))


def test_the_viewer_finds_hair_with_its_own_picture(tiny_head: HeadModel, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("the program node is not installed")
    shell, picture = make_shell(), encode.jpeg(np.full((8, 8, 3), 200, np.uint8))
    (tmp_path / "head.glb").write_bytes(b"".join(glb(make_head(tiny_head), SMILE, picture, "me", shells=(shell,))))
    text = PAGE.read_text(encoding="utf-8")
    (tmp_path / "page.cjs").write_text(text[text.index("const ARRAYS") : text.index("// Drawing")] + ASK, "utf-8")
    said = subprocess.run(
        [node, tmp_path / "page.cjs", tmp_path / "head.glb"], capture_output=True, text=True, check=True
    )
    parts = json.loads(said.stdout)["parts"]
    assert [part["material"] for part in parts] == ["skin", "eyes", "mouth", "hair"]
    assert parts[0]["picture"] == {"type": "image/jpeg", "size": len(picture)}
    assert parts[-1]["picture"]["type"] == "image/png"
    assert np.abs(np.reshape(parts[-1]["now"], (-1, 3)) * 1000 - shell.vertices).max() < 1e-3
