"""What lies beside the package still fits it: every module of training/ and benchmarks/ can be imported."""

from __future__ import annotations

import importlib

import pytest
from places import ROOT

MODULES = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("training", "benchmarks")
    for path in (ROOT / folder).rglob("*.py")
)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports(name: str) -> None:
    try:
        importlib.import_module(name.removesuffix(".__init__"))
    except ModuleNotFoundError as error:
        top = str(error.name).split(".")[0]
        if top in {"tronie", "training", "benchmarks"}:
            raise
        pytest.skip(f"needs {top}")
