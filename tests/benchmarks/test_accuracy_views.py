"""Several photos of each person: disjoint groups, and a table with one line for each number of photos."""

from __future__ import annotations

import pytest

from benchmarks.accuracy.views import groups, markdown


@pytest.mark.parametrize(("count", "n", "expected"), [(8, 1, 8), (8, 3, 2), (8, 8, 1), (7, 8, 0)])
def test_groups_are_disjoint_and_full(count: int, n: int, expected: int) -> None:
    found = list(groups(range(count), n))  # type: ignore[arg-type]
    assert len(found) == expected
    assert all(len(group) == n for group in found)
    flat = [k for group in found for k in group]
    assert len(set(flat)) == len(flat)


def test_the_table_relates_every_line_to_the_first() -> None:
    row = {
        "error": 1.0,
        "rigid": 1.4,
        "scale": 0.04,
        "covered": 0.68,
        "covered_scaled": 0.75,
        "sigma": 1.2,
        "geodesic": 3,
    }
    lines = markdown({1: row, 4: row | {"error": 0.8}}).splitlines()
    assert len(lines) == 4
    assert lines[2].startswith("| 1 | 1.00 | 1.00 |")
    assert lines[3].startswith("| 4 | 0.80 | 0.80 |")
    assert lines[0].count("|") == lines[1].count("|") == lines[3].count("|")
