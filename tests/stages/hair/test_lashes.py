"""Lashes: few triangles that root on the lids and stay there whatever the face does, in the person's own colours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from samples import make_face, make_shell

from tronie.export.gltf import glb
from tronie.export.gltf_document import GltfAnimation
from tronie.export.shells import fewer
from tronie.geometry import Camera, rigid, rotation_from_euler
from tronie.head.lids import Lids, lids_of
from tronie.head.model import Head, HeadModel, default_head
from tronie.io.saved_head import load_head
from tronie.shells import Shell
from tronie.stages.hair.lashes import LOWER, UPPER, lash_color, lashes
from tronie.types import Fit, Photo

MODEL = default_head()
UNITS = MODEL.expression_names


def head_of(**units: float) -> Head:
    mesh = MODEL.level(1)
    weights = np.array([units.get(name, 0.0) for name in UNITS], np.float32)
    return Head(MODEL, 1, mesh.apply(MODEL.shape(expression=weights)), mesh.apply(MODEL.mean))


def made() -> Shell:
    found = lashes(head_of(), np.array([50.0, 40, 35]))
    assert found is not None
    return found


def bands(vertices: np.ndarray) -> list[np.ndarray]:
    """(n, m, 3) of each: upper and lower of the left eye, then of the right one."""
    out, start = [], 0
    for band in (UPPER, LOWER, UPPER, LOWER):
        shape = (band.along + 1, band.out + 1)
        out.append(vertices[start : start + shape[0] * shape[1]].reshape(*shape, 3))
        start += shape[0] * shape[1]
    assert start == len(vertices)
    return out


def edges(vertices: np.ndarray) -> list[np.ndarray]:
    both: tuple[Lids, Lids] | None = lids_of(MODEL)
    assert both is not None
    return [vertices[lids.rings[lids.root]] for lids in both for _ in range(2)]


def off(points: np.ndarray, line: np.ndarray) -> float:
    """The largest distance of points from a closed line."""
    a, b = line, np.roll(line, -1, axis=0)
    t = np.clip(((points[:, None] - a) * (b - a)).sum(-1) / ((b - a) ** 2).sum(-1), 0, 1)
    return float(np.linalg.norm(points[:, None] - a - t[..., None] * (b - a), axis=-1).min(axis=1).max())


def test_there_are_few_and_fewer_triangles() -> None:
    shell = made()
    assert len(shell.triangles) <= 600
    assert len(fewer(shell, 1).triangles) < len(shell.triangles) / 2
    assert len(fewer(shell, 2).triangles) == 0
    np.testing.assert_allclose(np.linalg.norm(shell.normals, axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("unit", ["eyeBlink", "eyeSquint", "eyeWide", "eyeLookDown", "eyeLookUp", "cheekSquint"])
def test_roots_stay_on_the_lids_edge(unit: str) -> None:
    units = {f"{unit}{side}": 1.0 for side in ("Left", "Right")}
    moved = made().posed(units).vertices
    for band, edge in zip(bands(moved), edges(head_of(**units).vertices), strict=True):
        assert off(band[:, 0], edge) < 0.3


def test_upper_lashes_turn_down_with_the_lid_and_keep_their_length() -> None:
    shell = made()
    open_, shut = (bands(shell.posed({"eyeBlinkLeft": w}).vertices)[0] for w in (0.0, 1.0))
    middle = slice(6, -6)
    rise = [(band[middle, -1] - band[middle, 0])[:, 1].mean() for band in (open_, shut)]
    assert rise[0] > 0.5
    assert rise[1] < rise[0] - 1.5
    long = [np.linalg.norm(np.diff(band, axis=1), axis=2).sum(axis=1) for band in (open_, shut)]
    np.testing.assert_allclose(long[0], long[1], rtol=0.05)


def test_the_sides_mirror_each_other() -> None:
    left, low, right, low_right = bands(made().vertices)
    for one, other in ((left, right), (low, low_right)):
        np.testing.assert_allclose(one * [-1, 1, 1], other, atol=0.05)


def test_what_does_not_move_is_rigid() -> None:
    shell = make_shell()
    assert not shell.moves
    assert shell.posed({"eyeBlinkLeft": 1.0}) is shell
    posed = made().posed({"eyeBlinkLeft": 1.0, "noSuchUnit": 1.0})
    assert not posed.moves


def test_a_head_without_lids_has_none(tiny_head: HeadModel) -> None:
    face = make_face(tiny_head)
    assert face.head is not None
    assert lashes(face.head, np.zeros(3)) is None


@pytest.mark.parametrize("rig", [False, True])
def test_a_file_keeps_how_they_move(tmp_path: Path, rig: bool) -> None:
    shell, expression = made(), {"eyeBlinkLeft": 0.5}
    file = tmp_path / "head.glb"
    file.write_bytes(b"".join(glb(head_of(), expression, shells=(shell, make_shell()), rig=rig, morph_normals=True)))
    read = load_head(file)
    back, rigid_one = read.shells
    assert (back.name, rigid_one.moves) == ("lashes", {})
    assert set(back.moves) == set(shell.moves)
    np.testing.assert_allclose(back.posed(dict(read.expression)).vertices, shell.posed(expression).vertices, atol=2e-3)


@pytest.mark.parametrize("rig", [False, True])
def test_they_are_animated_as_the_face_is(rig: bool) -> None:
    still, steps = np.tile(np.eye(3), (2, 1, 1)), np.zeros((2, 3))
    motion = GltfAnimation(np.array([0.0, 0.1]), still, steps, np.zeros((2, len(UNITS))))
    chunks = glb(head_of(), {}, shells=(make_shell(), made()), rig=rig, motion=motion)
    data = b"".join(chunks)
    document = json.loads(data[20 : 20 + int.from_bytes(data[12:16], "little")])
    nodes, channels = document["nodes"], document["animations"][0]["channels"]
    moved = [c for c in channels if c["target"]["path"] == "weights"]
    assert [nodes[c["target"]["node"]]["name"] for c in moved] == ["head", "lashes"]
    assert len({c["sampler"] for c in moved}) == 1
    face, lash = (document["meshes"][nodes[c["target"]["node"]]["mesh"]] for c in moved)
    assert face["extras"]["targetNames"] == lash["extras"]["targetNames"]
    assert face["weights"] == lash["weights"]
    assert len(lash["primitives"][0]["targets"]) == len(UNITS)


def test_colour_is_that_of_the_brows_and_grey_in_grey() -> None:
    head, pose, camera = (
        head_of(),
        rigid(rotation_from_euler(0, 0, 0), [0, 0, 600.0]),
        Camera(500.0, (150, 150), (300, 300)),
    )
    fit = Fit(np.zeros(len(MODEL.identity)), {}, pose, camera, np.zeros((len(MODEL.smooth_modes), 3)), diagnostics={})
    image = np.full((300, 300, 3), (200, 150, 120), np.uint8)
    y = np.arange(300)[:, None]
    image[np.broadcast_to((y > 115) & (y < 146), (300, 300))] = (110, 70, 40)
    color = lash_color(Photo(image), head, fit)
    assert color[0] > color[1] > color[2]
    assert color.mean() < 65
    grey = lash_color(Photo(np.repeat(image[..., 1:2], 3, axis=2)), head, fit)
    np.testing.assert_allclose(grey, grey[0])
