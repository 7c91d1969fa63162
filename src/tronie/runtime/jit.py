"""Compile kernels with numba, keep them on disk where that is possible."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar, cast

import numba
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys

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


class _Unswept(event.Listener):
    """While a kernel is compiled nothing is looked for that could be thrown away: numba makes small objects by the
    million, and looking through them all again and again takes a fifth of its time."""

    depth = 0
    swept = False
    """Whether it was looked for before."""

    def on_start(self, event: Any) -> None:
        self.depth += 1
        if self.depth == 1:
            self.swept = gc.isenabled()
            gc.disable()

    def on_end(self, event: Any) -> None:
        self.depth -= 1
        if not self.depth and self.swept:
            gc.enable()


event.register("numba:compile", _Unswept())  # type: ignore[no-untyped-call]


def _compiled(function: F, **options: Any) -> F:
    try:
        kernel = numba.njit(cache=True, nogil=True, error_model="numpy", **options)(function)
    except RuntimeError:
        return cast(F, numba.njit(nogil=True, error_model="numpy", **options)(function))
    cache = getattr(kernel, "_cache", None)
    if type(cache) is FunctionCache and hasattr(cache, "_load_overload"):  # as far as numba is built as it was
        cache.__class__ = _LeanCache
    return cast(F, kernel)


class _LeanCache(FunctionCache):
    """Numba's cache, which for a kernel that lies on disk does not first learn all that can be compiled: that takes a
    second at every start. Numba's compiler learns it by itself when there is something to compile."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)  # the memory of arrays, which is all that compiled code asks for
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
