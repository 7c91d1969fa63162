"""Compile kernels with numba, keep them on disk where that is possible."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar, cast

import numba

from tronie.runtime.job import CompilingKernels, Job

F = TypeVar("F", bound=Callable[..., Any])


def jit(function: F) -> F:
    """`numba.njit` without the GIL and with IEEE division; cached on disk unless no folder can be written.

    Numba tries the package's own `__pycache__` and then the user's cache folder, and refuses at decoration
    time when both are read-only; compiling in memory is then the better answer than failing to import.
    """
    return _compiled(function)


def fast_jit(function: F) -> F:
    """`jit` for colours: products and sums may be fused and reordered. Infinities and NaN keep their meaning."""
    return _compiled(function, fastmath={"contract", "reassoc", "nsz", "arcp"})


@contextmanager
def compiling(told: Callable[[str], None]) -> Iterator[None]:
    """Within this, `told` gets the name of every kernel whose compilation begins in this process, whichever thread it
    is in; what lies on disk is read and not told."""
    from numba.core import event

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            told(event.data["dispatcher"].py_func.__name__.strip("_"))

        def on_end(self, event: Any) -> None:
            pass

    with event.install_listener("numba:compile", Listener()):
        yield


def telling(job: Job) -> AbstractContextManager[None]:
    """Within this, a job tells of the kernels that are compiled."""
    return compiling(lambda kernel: job.emit(CompilingKernels(kernel)))


def _compiled(function: F, **options: Any) -> F:
    try:
        return cast(F, numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function))
    except RuntimeError:
        return cast(F, numba.njit(nogil=True, error_model="numpy", **options)(function))
