"""Light from one side goes, a face whose sides agree stays as it is, and paint is never touched."""

from __future__ import annotations

import numpy as np

from tronie.arrays import Array
from tronie.head.model import HeadModel, default_head
from tronie.stages.texture.atlas import surface_facts
from tronie.stages.texture.evening import SYNTHETIC, apply, evening
from tronie.stages.texture.mesh_filters import MeshGraph

SKIN = np.array([190.0, 145.0, 120.0])


def lit(model: HeadModel, amount: float) -> Array:
    """Skin lit from the side of +x."""
    return SKIN * np.exp(0.5 * amount * np.tanh(model.mean[:, :1] / 30))


def factors(model: HeadModel, colour: Array) -> Array | None:
    facts = surface_facts(model, 1)
    graph = MeshGraph(facts.control_start, facts.control_edges, facts.steps)
    return evening(graph, model, facts, colour, np.ones(len(colour)))


def difference(model: HeadModel, colour: Array) -> float:
    inner = surface_facts(model, 1).inner
    log = np.log(colour + 8).mean(axis=1)
    return float(np.abs(log - log[model.mirror])[inner].mean())


def test_sides_that_agree_stay() -> None:
    model = default_head()
    assert factors(model, lit(model, 0.0)) is None
    assert factors(model, lit(model, 0.15)) is None


def test_strong_light_from_one_side_is_evened_out() -> None:
    model = default_head()
    colour = lit(model, 0.8)
    even = factors(model, colour)
    assert even is not None
    assert difference(model, colour * even) < 0.6 * difference(model, colour)
    # Neither side wins: what one gains the other loses.
    np.testing.assert_allclose(even * even[model.mirror], 1, atol=1e-5)


def test_what_is_painted_is_left_alone(tiny_head: HeadModel) -> None:
    image = np.full((256, 256, 3), 100, np.uint8)
    provenance = np.ones((256, 256), np.uint8)
    provenance[:40] = SYNTHETIC
    count = tiny_head.level(1).matrix.shape[0]
    apply(image, provenance, np.full((count, 3), 1.5, np.float32), tiny_head, 1)
    assert (image[:40] == 100).all()
    assert (image[40:] == 150).all()
