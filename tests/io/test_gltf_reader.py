"""What glb() writes is read back; what is damaged is refused in one sentence."""

from __future__ import annotations

import json
import struct
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from samples import SMILE, make_face, make_head, make_result

from tronie.errors import InputError
from tronie.export.gltf import SMALLEST_MOVE, glb
from tronie.export.writer import save
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel
from tronie.head.surface import pieces
from tronie.io.gltf_reader import read_glb
from tronie.render import load
from tronie.render.figure import figure_of


def written(model: HeadModel, path: Path, texture: bytes | None = None) -> Path:
    path.write_bytes(b"".join(glb(make_head(model), SMILE, texture)))
    return path


def test_a_head_comes_back(tiny_head: HeadModel, tmp_path: Path) -> None:
    head = make_head(tiny_head)
    read = read_glb(written(tiny_head, tmp_path / "head.glb", b"\xff\xd8a picture"))
    assert read.names == ARKIT_UNITS
    assert dict(zip(read.names, read.weights, strict=True))["jawOpen"] == SMILE["jawOpen"]
    assert read.model == "tiny"
    assert read.texture == b"\xff\xd8a picture"
    moves = tiny_head.level(1).apply(tiny_head.expression)
    for part, piece in zip(read.parts, pieces(tiny_head, 1), strict=True):
        assert part.material == piece.material
        np.testing.assert_allclose(part.vertices, head.neutral[piece.vertex], atol=1e-4)
        np.testing.assert_allclose(part.uv, piece.uv)
        assert (part.triangles == piece.triangles).all()
        assert np.abs(part.moves - moves[:, piece.vertex]).max() <= SMALLEST_MOVE + 1e-4


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The file with another document."""
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    change(document)
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    path.write_bytes(data[:12] + struct.pack("<I4s", len(text), b"JSON") + text + data[20 + length :])
    return path


def many_targets(document: dict[str, Any]) -> None:
    """Gigabytes of zeros, each in some letters."""
    document["accessors"].append({"componentType": 5126, "type": "VEC3", "count": 1 << 23})
    for primitive in document["meshes"][0]["primitives"]:
        primitive["targets"] = [{"POSITION": len(document["accessors"]) - 1}] * 1000


def one_mesh_often(document: dict[str, Any]) -> None:
    document["nodes"] = [{"mesh": 0}] * 20_000
    document["scenes"] = [{"nodes": list(range(20_000))}]


def endless(document: dict[str, Any]) -> None:
    document["nodes"] = [{"mesh": 0, "scale": [1e39, 1, 1]}]


@pytest.mark.parametrize(
    ("change", "why"),
    [(many_targets, "far larger than it is"), (one_mesh_often, "far larger than it is"), (endless, "infinite")],
)
def test_a_file_may_not_become_more_than_it_is(
    tiny_head: HeadModel, tmp_path: Path, change: Callable[[dict[str, Any]], object], why: str
) -> None:
    path = rewritten(written(tiny_head, tmp_path / "head.glb"), change)
    tracemalloc.start()
    with pytest.raises(InputError, match=why):
        read_glb(path)
    assert tracemalloc.get_traced_memory()[1] < 200_000_000
    tracemalloc.stop()


def test_nodes_place_meshes(tiny_head: HeadModel, tmp_path: Path) -> None:
    path = written(tiny_head, tmp_path / "head.glb")
    before = read_glb(path).parts[0].vertices
    data = path.read_bytes()
    length = struct.unpack_from("<I", data, 12)[0]
    document = json.loads(data[20 : 20 + length])
    document["nodes"] = [
        {"children": [1], "scale": [2, 2, 2]},
        {"mesh": 0, "translation": [0.1, 0, 0], "rotation": [0, 0, 0.70710678, 0.70710678]},
    ]
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    path.write_bytes(data[:12] + struct.pack("<I4s", len(text), b"JSON") + text + data[20 + length :])
    after = read_glb(path).parts[0].vertices
    turned = np.stack([-before[:, 1], before[:, 0], before[:, 2]], axis=1)
    expected = 2 * (turned + np.array([100, 0, 0]))
    np.testing.assert_allclose(after, expected, atol=1e-3)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_refused_or_harmless(tiny_head: HeadModel, tmp_path: Path, data: st.DataObject) -> None:
    whole = bytearray(b"".join(glb(make_head(tiny_head, 0), SMILE)))
    for _ in range(data.draw(st.integers(1, 4))):
        whole[data.draw(st.integers(0, min(len(whole), 60_000) - 1))] = data.draw(st.integers(0, 255))
    path = tmp_path / "bad.glb"
    path.write_bytes(bytes(whole[: data.draw(st.integers(0, len(whole)))]))
    with suppress(InputError):
        load.load_figure(path)


def test_what_is_no_head(tmp_path: Path) -> None:
    for name, content in (("a.glb", b""), ("b.glb", b"glTF" + bytes(40)), ("c.glb", b"{}")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(InputError, match="Cannot read"):
            read_glb(tmp_path / name)
    with pytest.raises(InputError, match="no such file"):
        read_glb(tmp_path / "missing.glb")


def test_any_heads_figure_is_welded(tiny_head: HeadModel, tmp_path: Path) -> None:
    """Of a model that is not ours: as many vertices as before the file split them at seams."""
    save(make_result(tiny_head), tmp_path)
    figure = load.load_figure(tmp_path / "someone" / "face-1")
    face = make_face(tiny_head)
    own = figure_of(face)
    used = len(np.unique(own.triangles))
    assert used - 30 < len(figure.rest) < used + 30  # its mouth has some vertices at one place
    assert face.texture is not None
    assert (figure.texture == face.texture.image).all()
    assert (figure.provenance == face.texture.provenance).all()
    corners = np.sort(figure.posed(SMILE)[figure.triangles].reshape(len(figure.triangles), -1), axis=0)
    np.testing.assert_allclose(
        corners, np.sort(own.posed(SMILE)[own.triangles].reshape(len(own.triangles), -1), axis=0), atol=0.02
    )
    assert load.face_folders(tmp_path) == [tmp_path / "someone" / "face-1"]
    assert load.face_folders(tmp_path / "someone") == load.face_folders(tmp_path / "someone" / "face-1")


def test_our_own_head_is_known_again(tmp_path: Path) -> None:
    """With its hair, neck and control mesh, and sigma from head.ply."""
    from dataclasses import replace

    from tronie.head.model import Head, default_head

    model = default_head()
    result = make_result(model, level=0)
    face = result.faces[0]
    assert face.head is not None
    assert face.fit is not None
    fit = replace(face.fit, sigma_mm=np.linspace(1, 2, len(model.mean)))
    still = Head(model, 0, face.head.vertices, face.head.neutral)
    save(replace(result, faces=(replace(face, head=still, fit=fit),)), tmp_path, outputs={"glb", "ply"})
    figure = load.load_figure(tmp_path / "someone" / "face-1")
    np.testing.assert_allclose(figure.rest, still.neutral, atol=1e-3)
    assert figure.hairy is not None
    assert figure.sigma is not None
    np.testing.assert_allclose(figure.sigma, np.linspace(1, 2, len(model.mean)), atol=1e-4)
