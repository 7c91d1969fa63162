"""Kernels compile where no cache folder can be written."""

from __future__ import annotations

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
