"""Compile kernels with numba, keep them on disk where that is possible."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
from numba.core import event
from numba.core.caching import FunctionCache
from numba.core.runtime.nrt import rtsys

from tronie.errors import OutputError
from tronie.runtime.atomic_files import make_folder
from tronie.runtime.folder_lock import gate, is_locked
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
    """Of kernels that are compiled because others call them."""
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
        kernel = event.data["dispatcher"]
        if tuple(event.data["args"]) not in kernel.overloads and isinstance(kernel._cache, _LeanCache):
            kernel._cache.let_go()  # there will be nothing to keep


_unswept = _Unswept()
event.register("numba:compile", _unswept)  # type: ignore[no-untyped-call]


class Busy(Exception):
    """Another process compiles this kernel."""


def compiled_for(kernel: Any, types: Any) -> bool:
    """Have a kernel of ours compiled for types of arguments; whether it is on disk then. What another process compiles
    is left to it."""
    _LeanCache.patient = False
    try:
        kernel.compile(types)
    except Busy:
        return False
    finally:
        _LeanCache.patient = True
    return True


def _compiled(function: F, **options: Any) -> F:
    # Nobody calls them from C: to compile what that takes costs a twentieth.
    options |= {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    try:
        kernel = numba.njit(cache=True, **options)(function)
    except RuntimeError:
        return cast(F, numba.njit(**options)(function))
    cache = getattr(kernel, "_cache", None)
    if type(cache) is FunctionCache and hasattr(cache, "_load_overload"):  # as far as numba is built as it was
        cache.__class__ = _LeanCache
    return cast(F, kernel)


class _LeanCache(FunctionCache):
    """Numba's cache, which for a kernel that lies on disk does not first learn all that can be compiled: that takes a
    second at every start. Numba's compiler learns it by itself when there is something to compile.

    What one process compiles, others wait for: a kernel that is not there is behind a gate until it is. Kernels wait
    for those that they call and never the other way round, so no two wait for each other.
    """

    patient = True
    """Whether to wait, or to raise Busy."""
    gate: ExitStack | None = None
    """Held while this process compiles it."""

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)  # the memory of arrays, which is all that compiled code asks for
        found = self._read(sig, target_context)
        if found is not None or self.gate is not None:
            return found
        with ExitStack() as held, suppress(OutputError):  # where nothing can be locked each compiles its own
            place, name = Path(self._cache_path), f".tronie-lock-{self._impl.filename_base}"
            make_folder(place)
            if not self.patient and not _unswept.depth and is_locked(place, name):
                raise Busy
            held.enter_context(gate(place, name))
            found = self._read(sig, target_context)
            if found is None:
                self.gate = held.pop_all()
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        try:
            super().save_overload(sig, data)  # type: ignore[no-untyped-call]
        finally:
            self.let_go()

    def let_go(self) -> None:
        """Others need not wait any longer."""
        held, self.gate = self.gate, None
        if held is not None:
            held.close()

    def _read(self, sig: Any, target_context: Any) -> Any:
        with self._guard_against_spurious_io_errors():
            return self._load_overload(sig, target_context)  # type: ignore[no-untyped-call]
