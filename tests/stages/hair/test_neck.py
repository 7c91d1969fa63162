"""The neck's end: it closes the head where its mesh is open, in the same place and in the same colours."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tronie.export.shells import fewer
from tronie.head.lod import lod_pieces
from tronie.head.model import Head, default_head
from tronie.head.neck_ring import neck_ring
from tronie.head.surface import quad_vertex_normals
from tronie.shells import Shell
from tronie.stages.hair.neck import neck_end


def mean_head(level: int) -> Head:
    model = default_head()
    vertices = model.level(level).apply(model.mean)
    return Head(model, level, vertices, vertices)


def made(head: Head, texture: np.ndarray | None = None, albedo: np.ndarray | None = None) -> Shell:
    shell = neck_end(head, texture, albedo)
    assert shell is not None
    return shell


def edges(triangles: np.ndarray) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for t in triangles for a, b in ((t[0], t[1]), (t[1], t[2]), (t[2], t[0]))]


def welded(shell: Shell) -> np.ndarray:
    """Its triangles over places: those of the ring are numbered as in the ring."""
    _, first, place = np.unique(np.round(shell.vertices, 3), axis=0, return_index=True, return_inverse=True)
    return np.asarray(first[place.ravel()][shell.triangles])


def open_edges(triangles: np.ndarray) -> list[tuple[int, int]]:
    """Those without a triangle that runs along them the other way."""
    every = edges(triangles)
    known = set(every)
    assert len(known) == len(every), "an edge is used twice in one direction"
    return [(a, b) for a, b in every if (b, a) not in known]


@pytest.mark.parametrize("level", [0, 1, 2])
def test_it_closes_the_head_at_every_level(level: int) -> None:
    head = mean_head(level)
    shell, ring = made(head), neck_ring(head.model, level)
    assert ring is not None
    count = len(ring)
    assert np.array_equal(shell.vertices[:count], head.neutral[ring])
    normals = quad_vertex_normals(head.neutral, head.model.level(level).quads)[ring]
    np.testing.assert_allclose(shell.normals[:count], normals, atol=1e-6)
    # Its only open edge runs along the head's, the other way.
    mesh = head.model.level(level)
    skin = set(edges(mesh.triangles[mesh.triangle_part == 0]))
    rim = open_edges(welded(shell))
    assert len(rim) == count
    assert all((int(ring[b]), int(ring[a])) in skin and (int(ring[a]), int(ring[b])) not in skin for a, b in rim)


def test_it_is_a_small_rounded_base() -> None:
    head = mean_head(1)
    shell = made(head)
    p, t = shell.vertices.astype(float), welded(shell)
    assert shell.ring is not None
    middle = p[: len(shell.ring)].mean(axis=0)
    corner = p[t] - middle
    assert np.einsum("ij,ij->i", corner[:, 0], np.cross(corner[:, 1], corner[:, 2])).sum() > 0
    facing = np.cross(corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0])
    assert (np.einsum("ij,ij->i", facing, shell.normals[t].mean(axis=1)) > 0).all()
    assert 8 < middle[1] - p[-1, 1] < 30
    assert len(shell.triangles) < 2500


@pytest.mark.parametrize("lod", [1, 2])
def test_levels_of_detail_meet_the_heads(lod: int) -> None:
    head = mean_head(1)
    left = np.concatenate([piece.vertex for piece in lod_pieces(head.model, 1, lod)])
    shell = fewer(made(head), lod, left)
    skin = lod_pieces(head.model, 1, lod)[0]
    border = {(int(skin.vertex[a]), int(skin.vertex[b])) for a, b in edges(skin.triangles)}
    border = {(a, b) for a, b in border if (b, a) not in border}
    place = {tuple(p): k for k, p in enumerate(np.round(head.neutral, 4).tolist())}
    for a, b in open_edges(welded(shell)):
        ends = (place[tuple(np.round(shell.vertices[k], 4).tolist())] for k in (b, a))
        assert tuple(ends) in border
    assert len(shell.triangles) < len(made(head).triangles) / 2


def test_expressions_do_not_reach_it() -> None:
    model = default_head()
    ring = neck_ring(model, 1)
    assert np.abs(model.level(1).apply(model.expression)[:, ring]).max() < 1e-4


def test_it_goes_on_in_the_texture_above_it() -> None:
    head = mean_head(1)
    v, u = np.mgrid[:256, :256].astype(np.float32) / 256
    texture = np.dstack([255 * u, 255 * v, 0 * u + 60]).astype(np.uint8)
    shell = made(head, texture, 255 - texture)
    mesh, ring = head.model.level(1), shell.ring
    assert ring is not None
    for column in range(3, len(ring), 7):
        rows = mesh.triangle_uv[mesh.triangles == ring[column]]
        there = 255 * mesh.uv[rows]
        own = shell.image[0, int(column / len(ring) * shell.image.shape[1]), :2]
        assert np.abs(there - own).max(axis=1).min() < 8
    assert shell.unlit is not None
    assert np.abs(shell.unlit[..., :3].astype(int) - (255 - shell.image[..., :3])).max() <= 2
    assert (shell.image[..., 3] == 255).all()


def test_a_mask_has_none() -> None:
    model = default_head()
    front = model.quads[(model.mean[model.quads, 2] > -40).all(axis=1)]
    mask = replace(model, quads=front, quad_uv=front, part=np.zeros(len(front), np.uint8), uv=model.mean[:, :2])
    assert neck_ring(mask, 0) is None


def test_it_goes_with_a_ring_that_expressions_move() -> None:
    model = default_head()
    ring = neck_ring(model, 0)
    assert ring is not None
    moved = model.expression.copy()
    moved[3, ring] = [0.0, -1.0, 0.5]
    other = replace(model, expression=moved)
    head = Head(other, 1, other.level(1).apply(other.mean), other.level(1).apply(other.mean))
    shell = made(head)
    assert list(shell.moves) == [model.expression_names[3]]
    posed = shell.posed({model.expression_names[3]: 1.0})
    ring = neck_ring(other, 1)
    assert ring is not None
    whole = head.neutral + other.level(1).apply(moved[3])
    np.testing.assert_allclose(posed.vertices[: len(ring)], whole[ring], atol=1e-4)
    assert made(mean_head(1)).moves == {}
