"""Modules that are imported by their bare names have names of their own, whatever the order in which tests run."""

from collections import defaultdict

import pytest
from places import ROOT

IMPORTED = ("forge", "benchmarks")
"""Folders whose modules tests import (`pythonpath` in pyproject.toml); beside them all folders of tests."""


def test_no_two_modules_have_one_name() -> None:
    if not all((ROOT / folder).is_dir() for folder in IMPORTED):
        pytest.skip("forge/ and benchmarks/ come with the repository only")
    places = defaultdict(list)
    for folder in (
        *(ROOT / name for name in IMPORTED),
        ROOT / "tests",
        *(p for p in (ROOT / "tests").rglob("*") if p.is_dir()),
    ):
        for path in folder.glob("*.py"):
            # A script beside a package of its name is run, the package imported.
            if path.name != "__init__.py" and not path.with_suffix("").is_dir():
                places[path.stem].append(str(path.relative_to(ROOT)))
        for path in folder.glob("*/__init__.py"):
            places[path.parent.name].append(str(path.parent.relative_to(ROOT)))
    assert {name: found for name, found in places.items() if len(found) > 1} == {}
