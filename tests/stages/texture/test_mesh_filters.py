"""Smoothing on the mesh: the membrane solves its equation, erosion and averaging do what they say."""

from __future__ import annotations

import numpy as np

from tronie.head.model import HeadModel
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.mesh_filters import eroded, screened_membrane, smoothed


def test_spread_solves_its_normal_equations(tiny_head: HeadModel) -> None:
    facts = surface_facts(tiny_head, 0)
    start, edges = facts.control_start, facts.control_edges
    n = len(start) - 1
    rng = np.random.default_rng(0)
    weight = (rng.random(n) < 0.2) * rng.random(n)
    prior_weight = np.full(n, 0.05)
    data, prior = rng.random((n, 2)), rng.random((n, 2))
    x = screened_membrane(start, edges, weight, data, prior_weight, prior, 400)
    laplacian = np.zeros((n, n))
    for i in range(n):
        for j in edges[start[i] : start[i + 1]]:
            laplacian[i, i] += 1
            laplacian[i, j] -= 1
    expected = np.linalg.solve(
        laplacian + np.diag(weight + prior_weight), weight[:, None] * data + prior_weight[:, None] * prior
    )
    np.testing.assert_allclose(x, expected, atol=1e-3)


def test_spread_keeps_constants_and_bounds(tiny_head: HeadModel) -> None:
    facts = surface_facts(tiny_head, 0)
    n = len(facts.control_start) - 1
    weight = np.zeros(n)
    weight[::9] = 1
    same = np.full((n, 1), 7.0)
    x = screened_membrane(facts.control_start, facts.control_edges, weight, same, np.full(n, 0.01), same, 60)
    np.testing.assert_allclose(x, 7.0, rtol=1e-4)


def test_least_and_smooth(tiny_head: HeadModel) -> None:
    facts = surface_facts(tiny_head, 0)
    values = np.random.default_rng(1).random(len(facts.start) - 1).astype(np.float32)
    low = eroded(facts.start, facts.edges, values)
    for i in range(0, len(values), 17):
        ring = facts.edges[facts.start[i] : facts.start[i + 1]]
        assert low[i] == min(values[i], *values[ring])
    assert smoothed(facts.start, facts.edges, values, 5).std() < values.std()
    np.testing.assert_allclose(smoothed(facts.start, facts.edges, np.ones_like(values), 3), 1, rtol=1e-6)
