"""Every module of the package can be imported; those that want an extra are skipped without it."""

from __future__ import annotations

import importlib
import pkgutil

import pytest

import tronie

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(tronie.__path__, "tronie.")
    if module.name.rpartition(".")[2] not in {"__main__", "tronie_blender_import"}  # a program; Blender's
)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_imports(name: str) -> None:
    try:
        importlib.import_module(name)
    except ImportError as error:
        if str(error.name).split(".")[0] == "tronie":
            raise
        pytest.skip(f"needs {error.name}")
