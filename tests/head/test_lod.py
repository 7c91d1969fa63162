"""Levels of detail are made of the head's own vertices, in the parts, seams and texture that it has."""

from __future__ import annotations

import numpy as np
import pytest

from tronie.head import lod as module
from tronie.head.lod import lod_pieces
from tronie.head.model import HeadModel, default_head
from tronie.head.surface import pieces


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Targets for the tiny head."""
    monkeypatch.setattr(module, "TRIANGLES", (1500, 600))
    module._fewer.cache_clear()
    yield
    module._fewer.cache_clear()


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("level", [0, 1, 2])
def test_vertices_and_places_in_the_texture_are_the_heads(tiny_head: HeadModel, level: int) -> None:
    whole = pieces(tiny_head, level)
    assert lod_pieces(tiny_head, level, 0) is whole
    counts = []
    for lod in (1, 2):
        split = lod_pieces(tiny_head, level, lod)
        assert [p.material for p in split] == [p.material for p in whole]
        for full, less in zip(whole, split, strict=True):
            known = {(v, *uv) for v, uv in zip(full.vertex.tolist(), full.uv.tolist(), strict=True)}
            assert {(v, *uv) for v, uv in zip(less.vertex.tolist(), less.uv.tolist(), strict=True)} <= known
            assert np.array_equal(np.unique(less.triangles), np.arange(len(less.vertex)))
        counts.append(sum(len(p.triangles) for p in split))
    assert counts[1] < counts[0] <= max(1500, len(tiny_head.level(0).triangles))


@pytest.mark.slow
def test_the_default_head_keeps_lids_lips_and_units() -> None:
    """Distances from the whole head's vertices to the nearest vertex that is left, at rest and in each unit."""
    model = default_head()
    mesh = model.level(1)
    mean = mesh.apply(model.mean)
    for lod, most in ((1, 8000), (2, 2000)):
        split = lod_pieces(model, 1, lod)
        assert [p.material for p in split] == ["skin", "eyes", "mouth"]
        assert 0.98 * most < sum(len(p.triangles) for p in split) <= most
        left = np.concatenate([p.vertex for p in split])
        low, high = mean[left].min(axis=0), mean[left].max(axis=0)
        assert np.allclose(low, mean.min(axis=0), atol=1.5 * lod)
        assert np.allclose(high, mean.max(axis=0), atol=1.5 * lod)
        skin = split[0]
        marks = mesh.embedding68[0][17:]
        distance = np.linalg.norm(mean[marks].mean(axis=1)[:, None] - mean[skin.vertex], axis=2).min(axis=1)
        assert np.median(distance) < (2.5, 5.5)[lod - 1]
        for unit in ("eyeBlinkLeft", "jawOpen", "mouthPucker"):
            move = mesh.apply(model.expression[model.expression_names.index(unit)])
            length = np.linalg.norm(move, axis=1)
            assert length[left].max() > 0.94 * length.max()
