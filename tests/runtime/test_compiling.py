"""Whoever waits for a kernel to be compiled hears of it."""

from __future__ import annotations

import io

import numpy as np

from tronie.cli.show import Show
from tronie.runtime.jit import compiling
from tronie.runtime.job import Advanced, CompilingKernels


def test_each_compilation_is_told_and_nothing_else() -> None:
    import numba

    @numba.njit
    def _once_more(x: float) -> float:
        return x + 1

    names: list[str] = []
    with compiling(names.append):
        assert _once_more(1.0) == 2
        assert names == ["once_more"]
        assert _once_more(2.0) == 3
        assert names == ["once_more"]  # it is there
        assert _once_more(np.float32(1)) == 2
        assert names == ["once_more"] * 2  # another type
    _once_more(1)
    assert len(names) == 2


def test_a_run_says_once_that_kernels_are_compiled() -> None:
    for inner in (True, False):
        err = io.StringIO()
        with Show(1, inner=inner, err=err, out=io.StringIO()) as show:
            for kernel in "abc":
                show(CompilingKernels(kernel))
            show(Advanced("follow", 1, 2))
        assert err.getvalue().count("\n") == 1
        assert "--warm" in err.getvalue()
    err = io.StringIO()
    with Show(1, "quiet", err=err, out=io.StringIO()) as show:
        show(CompilingKernels("a"))
    assert not err.getvalue()
