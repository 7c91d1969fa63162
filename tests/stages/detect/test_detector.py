"""One box per face: the fast suppression equals its definition."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tronie.stages.detect.detector import areas, intersections, suppress

box = st.tuples(st.floats(0, 50), st.floats(0, 50), st.floats(0.5, 30), st.floats(0.5, 30), st.floats(0, 1))


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Shared area, the slow way."""
    w = min(a[2], b[2]) - max(a[0], b[0])
    h = min(a[3], b[3]) - max(a[1], b[1])
    return max(w, 0.0) * max(h, 0.0)


@given(st.lists(box, min_size=1, max_size=12), st.one_of(st.none(), st.floats(0.2, 0.9)))
def test_suppression_as_defined(rows: list[tuple[float, ...]], inside: float | None) -> None:
    values = np.array(rows)
    boxes = np.concatenate([values[:, :2], values[:, :2] + values[:, 2:4]], axis=1)
    scores = values[:, 4]
    area = areas(boxes)
    kept: list[int] = []
    for i in sorted(range(len(boxes)), key=lambda i: (-scores[i], i)):
        shared = [overlap(boxes[i], boxes[k]) for k in kept]
        union = [area[i] + area[k] - s for k, s in zip(kept, shared, strict=True)]
        smaller = [min(area[i], area[k]) for k in kept]
        clear = all(s <= 0.4 * u for s, u in zip(shared, union, strict=True))
        if inside is not None:
            clear &= all(s <= inside * m for s, m in zip(shared, smaller, strict=True))
        if clear:
            kept.append(i)
    assert suppress(boxes, scores, 0.4, inside).tolist() == kept
    assert intersections(boxes, boxes).shape == (len(boxes), len(boxes))


def test_nothing_in_nothing_out() -> None:
    assert len(suppress(np.empty((0, 4)), np.empty(0), 0.5)) == 0
