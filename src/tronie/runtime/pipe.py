"""The worker's end of a process of the pool: what it is told, what it says, and that it ends when nobody listens."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from multiprocessing import parent_process
from multiprocessing.connection import Connection, wait
from typing import Any

from tronie.errors import Cancelled, TronieError, sentence
from tronie.runtime import logs
from tronie.runtime.job import Job
from tronie.runtime.logs import logger

log = logger(__name__)


class Channel:
    """To and from the process that gives the tasks. What the worker's job tells goes there, and the wish to end comes
    from there."""

    def __init__(self, told: Connection, said: Connection) -> None:
        self.job = Job(lambda event: self.say("event", event))
        self.tasks: queue.SimpleQueue[tuple[Any] | None] = queue.SimpleQueue()
        """Each alone in a tuple, the first is how to begin; None at the end."""
        self._told, self._said = told, said
        self._lock = threading.Lock()
        threading.Thread(target=self._hear, name="tronie-channel", daemon=True).start()

    def say(self, kind: str, value: Any) -> None:
        with self._lock, contextlib.suppress(BrokenPipeError):
            self._said.send((kind, value))

    def _hear(self) -> None:
        while True:
            try:
                kind, value = self._told.recv()
            except (EOFError, OSError):  # the parent is gone
                kind, value = "end", None
            except Exception:  # a task that cannot be read: to wait for the next one would be to wait for ever
                log.exception("a worker process does not understand its task")
                kind, value = "end", None
            if kind in ("start", "task"):
                self.tasks.put((value,))
            elif kind == "drain":
                self.job.drain()
            else:
                self.tasks.put(None)
                return


def serve(told: Connection, said: Connection, quiet: bool, prepare: Callable[[], None] | None = None) -> None:
    """The life of a worker process. It first hears how to begin, and from which level on what it logs is sent to the
    parent too; until then it may `prepare`. `quiet` keeps back what decoders write to stderr of their own accord."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    end_with_parent()
    logs.start()
    if quiet:
        _hush()
    channel = Channel(told, said)
    if prepare is not None:
        with contextlib.suppress(Exception):  # it will be met again by what is in need of it
            prepare()
    if (first := channel.tasks.get()) is None:
        return
    start: Callable[[Job], Callable[[Any], Any]]
    ((start, level),) = first
    if level is not None:
        logs.send(level, lambda record: channel.say("log", record))
    try:
        function = start(channel.job)
    except TronieError as error:
        channel.say("failed", str(error))
        return
    except Exception as error:
        log.exception("a worker process does not start")
        channel.say("failed", sentence(error))
        return
    channel.say("ready", None)
    while (task := channel.tasks.get()) is not None:
        try:
            answer = function(*task)
        except Cancelled:
            channel.say("stopped", None)
        except Exception:
            log.exception("a worker process ends")
            raise
        else:
            channel.say("done", answer)


def end_with_parent() -> None:
    """Should the parent be killed, end at once: a worker that went on would write beside the next run's."""
    parent = parent_process()
    if parent is None:
        return
    if sys.platform == "linux":  # also while a decoder holds the interpreter's lock
        import ctypes

        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="tronie-parent", daemon=True).start()


def _hush() -> None:
    """stderr to nowhere, beneath Python too: libpng, FFmpeg and OpenCV write to its number."""
    with contextlib.suppress(OSError):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 2)
        os.close(nowhere)
