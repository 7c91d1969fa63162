"""A process that does tasks for this one: how it is begun, what it may take, what it says, how it ended."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Any, Generic, Literal, TypeVar

from tronie.errors import TronieError
from tronie.runtime import logs
from tronie.runtime.hardware import bound, resident
from tronie.runtime.job import Job
from tronie.runtime.pipe import serve

T = TypeVar("T")
R = TypeVar("R")

SINGLE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "NUMBA_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
}
"""Libraries read these when they are loaded, so they must be set before the worker imports anything."""


TICK = 0.1
"""Seconds between two looks at what the processes do."""


FAULTS = {"SIGSEGV", "SIGABRT", "SIGBUS", "SIGILL", "SIGFPE"}
"""Signals by which a process ends that went wrong beneath Python, in a decoder or a net's kernels."""
log = logs.logger(__name__)


class ProcessFault(Exception):
    """Why a process ended. Never raised: reports are made of exceptions."""


class WorkerError(TronieError):
    """No worker process can be brought to work."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The process that worked on a task ended without an answer."""

    reason: str
    """One clause."""
    bound: Literal["", "timeout", "memory"] = ""
    """Which of its bounds it broke."""


@dataclass(frozen=True, slots=True)
class Limit:
    """What a process may take for what it does now. If nothing more is heard of it by then, it is stuck."""

    seconds: float | None
    """None: no limit."""
    memory: int | None
    """Bytes; None: no limit."""
    what: str
    """What it does, as the subject of a sentence."""
    whole: bool = False
    """Whether the seconds are those of the task from its beginning, not of what it does now. A task that has had a
    limit of the other kind goes by steps to its end."""
    more: float = 0.0
    """Seconds by which the task as a whole may take longer than was known before."""


@dataclass(slots=True)
class Child(Generic[T]):
    process: BaseProcess
    inbox: Connection
    """What it says."""
    outbox: Connection
    """What it is told. Two pipes of one direction, for one of both would be a socket."""
    ready: bool = False
    task: T | None = None
    limit: Limit | None = None
    since: float = field(default_factory=time.monotonic)
    """When the seconds of the limit began."""
    more: float = 0.0
    """Seconds that the task as a whole has been allowed on top."""
    by_steps: bool = False
    least: int | None = None
    """Bytes of memory that it might hold at any step so far."""
    drained: bool = False

    def expect(self, limit: Limit | None) -> None:
        """Put it under a limit; None leaves it under the one that it has."""
        if limit is not None:
            before, self.limit, self.more = self.limit, limit, self.more + limit.more
            self.by_steps = self.by_steps or not limit.whole
            if self.by_steps:
                self.since = time.monotonic()
            if limit.memory is not None:
                if before is None or before.memory != limit.memory:
                    bound(self.process.pid, limit.memory)
                self.least = min(limit.memory, self.least or limit.memory)

    def drain(self) -> None:
        """Tell it that nothing else is to begin."""
        if self.task is not None and not self.drained:
            self.drained = True
            with contextlib.suppress(OSError):
                self.outbox.send(("drain", None))

    def holds(self) -> int:
        """Bytes of memory, 0 where nobody knows."""
        return resident(self.process.pid or 0) or 0

    def trouble(self) -> Crash | None:
        """Why it must be ended; None where all is well."""
        if (limit := self.limit) is None:
            return None
        if limit.seconds is not None:
            seconds = limit.seconds + (0.0 if self.by_steps else self.more)
            if time.monotonic() > self.since + seconds:
                what = f"{limit.what} took more than {seconds:g} s"
                whole = f"it took more than {seconds:g} s, the last of them for {limit.what}"
                return Crash(what if self.by_steps else whole, "timeout")
        if limit.memory is not None and self.holds() > limit.memory:
            return Crash(f"it took more than {limit.memory / 1e9:g} GB of memory", "memory")
        return None

    def listen(self) -> tuple[str, Any]:
        """What it says; `gone` when it will never say anything again."""
        try:
            kind, value = self.inbox.recv()
        except (EOFError, OSError):
            return "gone", None
        return kind, value

    def give(self, task: T) -> bool:
        """Give it a task; False where it has died, which its pipe will tell."""
        try:
            self.outbox.send(("task", task))
        except OSError:
            return False
        self.task = task
        self.since, self.more, self.by_steps = time.monotonic(), 0.0, False
        return True

    def dismiss(self) -> None:
        """Let it end that has nothing more to do."""
        if not self.ready:  # still loading: do not wait for it
            self.process.terminate()
        with contextlib.suppress(OSError):
            self.outbox.send(("end", None))

    def collect(self) -> str:
        """Take leave of one that has died; how it ended, as a clause."""
        self.close()
        self.process.join(5)
        code = self.process.exitcode
        if code is not None and code < 0:
            name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
            if name in FAULTS:
                what = self.limit.what if self.limit else "starting or waiting"
                log.error(f"a process, {what}", exc_info=ProcessFault(f"the process was ended by {name}"))
            hint = ", perhaps for lack of memory" if name == "SIGKILL" else ""
            return f"the process was ended by {name}{hint}"
        return f"the process ended by itself (exit code {code})"

    def kill(self) -> None:
        """End it at once, and wait until it has."""
        self.process.kill()
        self.process.join()
        self.close()

    def close(self) -> None:
        self.inbox.close()
        self.outbox.close()


_early: list[Child[Any]] = []
"""Begun before there was anything to do: a quiet one with its own choice of threads, or none."""


def begin_early(prepare: Callable[[], None]) -> None:
    """Have a process begun that the next `launch` of such a one takes. It runs `prepare` meanwhile, which fits whatever
    there may be to do; where there is nothing, it ends with this process."""
    _early.append(_begun(0, True, prepare))


def launch(start: Callable[[Job], Callable[[T], R]], threads: int, quiet: bool) -> Child[T]:
    """Begin one; it says `ready` when `start` has run in it."""
    child: Child[T] = _early.pop() if _early and threads != 1 and quiet else _begun(threads, quiet)
    with contextlib.suppress(BrokenPipeError):  # it has ended, which its pipe will tell
        child.outbox.send(("start", (start, logs.heard())))
    return child


def _begun(threads: int, quiet: bool, prepare: Callable[[], None] | None = None) -> Child[Any]:
    # `spawn` everywhere: a fork would copy the threads' locks of numpy, OpenCV and ONNX Runtime in any state.
    context = multiprocessing.get_context("spawn")
    inbox, said = context.Pipe(duplex=False)
    told, outbox = context.Pipe(duplex=False)
    process = context.Process(target=serve, args=(told, said, quiet, prepare), daemon=True)
    with _environment(SINGLE_THREAD if threads == 1 else {}), _interrupt_ignored():
        process.start()
    told.close()
    said.close()
    return Child(process, inbox, outbox)


@contextmanager
def _environment(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Children inherit an ignored Ctrl-C: only the parent reacts to it, and decides when they end."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
