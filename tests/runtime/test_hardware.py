"""The machine: what it has, how many processes suit it, and whether its kernels are compiled."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.runtime import hardware
from tronie.runtime.hardware import WORKER_BYTES, cores, default_workers, give_back_memory, memory, resident


def test_the_machine_is_told_in_sensible_numbers() -> None:
    total, free = memory()
    assert cores() >= 1
    assert total is None or free is None or 0 < free <= total


@pytest.mark.skipif(
    platform.libc_ver()[0] != "glibc", reason="what other C libraries hold they give back by themselves"
)
def test_what_nobody_uses_is_given_back() -> None:
    blocks = [b"x" * (1000 * 100 + k) for k in range(600)]
    last = blocks.pop()  # the C library cannot take away what lies below it
    del blocks
    before = resident(os.getpid())
    give_back_memory()
    after = resident(os.getpid())
    assert last
    assert before is not None
    assert after is not None
    assert after < before - 30_000_000


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
