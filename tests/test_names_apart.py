"""Modules of tests are imported by their bare names: each has one of its own, whatever the order in which tests run."""

from collections import defaultdict

from places import ROOT, TESTS


def test_no_two_modules_have_one_name() -> None:
    found = defaultdict(list)
    for path in TESTS.rglob("*.py"):
        found[path.stem].append(str(path.relative_to(ROOT)))
    assert {name: paths for name, paths in found.items() if len(paths) > 1} == {}
