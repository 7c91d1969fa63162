"""Processes that compile kernels beside those that work, when a machine does so for the first time.

`kernels.txt` beside this module says which kernels a usual photo needs, in that order, and for what types; a script,
`training/kernels.py`, writes it. Whoever works compiles what it comes to and finds missing. The processes begin at the
other end of the list, so they meet in the middle; what one compiles the others leave alone, or wait for (`jit`). A list
that is out of date costs time only.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn

from tronie.runtime.child_process import Child, launch
from tronie.runtime.hardware import cores
from tronie.runtime.job import CompilingKernels, Event, Job

LIST = Path(__file__).with_name("kernels.txt")
"""Rows of a kernel's module, a blank, its name, a blank, and its arguments' types as numba writes them."""
MOST = 6
"""Processes at most; each takes 200 MB."""


class Compilers:
    """As a context: once `hear` is told that a kernel is compiled, as many processes help as cores are left over by the
    `workers`. They end with it."""

    def __init__(self, workers: int) -> None:
        self._wanted = min(cores() - workers, MOST)
        self._children: list[Child[Any]] = []

    def hear(self, event: Event) -> None:
        if isinstance(event, CompilingKernels) and not self._children:
            self._children = [launch(compile_listed, 1, True) for _ in range(self._wanted)]

    def __enter__(self) -> Compilers:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for child in self._children:
            child.kill()


def listed() -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Kernels and the types they are wanted for."""
    from numba.core.sigutils import normalize_signature

    for row in LIST.read_text(encoding="utf-8").splitlines():
        module, name, types = row.split(" ", 2)
        yield getattr(importlib.import_module(module), name), normalize_signature(types)[0]  # type: ignore[no-untyped-call]


def compile_listed(job: Job) -> NoReturn:
    """What such a process does; it ends when that is done."""
    from tronie.runtime.jit import compiled_for

    for kernel, types in reversed([*listed()]):
        with suppress(Exception):  # who needs it will meet it again
            compiled_for(kernel, types)
    raise SystemExit
