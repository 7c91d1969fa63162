"""Kernels compile where no cache folder can be written, and are read from disk where one could."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numba
import pytest

from tronie.runtime.jit import jit


def double(x: int) -> int:
    return 2 * x


def test_without_a_cache_folder_kernels_are_compiled_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    honest = numba.njit

    def read_only(*args: Any, **options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available for file")
        return honest(*args, **options)

    monkeypatch.setattr(numba, "njit", read_only)
    assert jit(double)(21) == 42


def test_a_kernel_on_disk_is_read_without_learning_to_compile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.core.cpu import CPUContext

    file = tmp_path / "kernel_of_a_test.py"
    file.write_text("import numpy as np\n\ndef fill(n, x):\n    return np.full(n, x).sum()\n")
    spec = importlib.util.spec_from_file_location("kernel_of_a_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    first = jit(module.fill)  # which is held: what it names cannot be imported again
    assert first(3, 2.0) == 6

    learned: list[int] = []
    honest = CPUContext.load_additional_registries
    monkeypatch.setattr(CPUContext, "load_additional_registries", lambda self: (learned.append(1), honest(self)))
    again = jit(module.fill)
    assert again(3, 2.0) == 6
    assert not learned
    assert again(3, 2) == 6  # another type has to be compiled
    assert learned
