"""The machine: what it has, how many processes suit it, and whether its kernels are compiled."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.runtime import hardware
from tronie.runtime.hardware import WORKER_BYTES, cores, default_workers, memory


def test_the_machine_is_told_in_sensible_numbers() -> None:
    total, free = memory()
    assert cores() >= 1
    assert total is None or free is None or 0 < free <= total


@given(st.integers(0, 10_000), st.integers(1, 256), st.integers(0, 10**12))
def test_the_default_number_of_workers_is_bounded_by_all_it_needs(photos: int, cpus: int, free: int) -> None:
    workers = default_workers(photos, cpus=cpus, free=free)
    assert 1 <= workers <= cpus
    assert workers == 1 or (workers * WORKER_BYTES <= free and workers * 4 <= photos)


def test_compiled_kernels_are_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hardware, "__file__", str(tmp_path / "runtime" / "hardware.py"))
    monkeypatch.delenv("NUMBA_CACHE_DIR", raising=False)
    assert hardware.kernels_missing()
    monkeypatch.setenv("NUMBA_CACHE_DIR", "anywhere")
    assert not hardware.kernels_missing()
    monkeypatch.delenv("NUMBA_CACHE_DIR")
    (tmp_path / "raster" / "__pycache__").mkdir(parents=True)
    (tmp_path / "raster" / "__pycache__" / "rasterizer.snap-1.nbi").touch()
    assert not hardware.kernels_missing()
