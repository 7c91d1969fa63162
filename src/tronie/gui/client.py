"""Work beside the window: queues of it that another process does, one after the other; see `tronie.service.server`."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Callable
from contextlib import suppress
from itertools import count
from multiprocessing.connection import Connection
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from tronie.gui.i18n import tr
from tronie.gui.plain import plain
from tronie.service.server import PATIENCE, serve


class Bench(QObject):
    """The other process: begun with the first job, and again with the next one should it ever end by itself."""

    said = Signal(int, str, object)
    """Number of a job; told, done, failed, stopped or dropped; and what."""
    gone = Signal()
    """It ended by itself, and with it all that it held."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.numbers = count()
        self.process: Any = None
        self._connection: Connection | None = None
        self._lost.connect(self._forget, Qt.ConnectionType.QueuedConnection)

    _lost = Signal(object)

    def send(self, *message: Any) -> None:
        """Start the process unless it is there, and give it a message."""
        if self._connection is None:
            context = multiprocessing.get_context("spawn")
            here, there = context.Pipe()
            self.process = context.Process(target=serve, args=(there,), name="tronie-bench", daemon=True)
            self.process.start()
            there.close()
            self._connection = here
            threading.Thread(target=self._listen, args=(here,), name="tronie-listener", daemon=True).start()
        with suppress(OSError):  # it has just ended: `gone` tells
            self._connection.send(message)

    def _listen(self, connection: Connection) -> None:
        try:
            while True:
                self.said.emit(*connection.recv())
        except (EOFError, OSError, RuntimeError):
            with suppress(RuntimeError):  # the window has gone before
                self._lost.emit(connection)

    def _forget(self, connection: Connection) -> None:
        if connection is self._connection:
            self._connection = None
            self.gone.emit()

    def close(self) -> None:
        """End the process, and wait until it has: a file being written is finished or taken back."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(OSError):
                connection.send(("quit", ""))
        if self.process is not None:
            self.process.join(PATIENCE + 5)
            if self.process.is_alive():
                self.process.kill()
                self.process.join()


class Queue(QObject):
    """Jobs with a key each, done one after the other. What comes of them arrives as signals."""

    told = Signal(object, object)
    """Key, and what the job told on its way."""
    done = Signal(object, object)
    """Key and result."""
    failed = Signal(object, str)
    """Key and one sentence."""
    stopped = Signal(object)

    def __init__(self, bench: Bench, name: str, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench, self._name = bench, name
        self._keys: dict[int, Any] = {}
        bench.said.connect(self._said)
        bench.gone.connect(self._gone)

    def submit(self, key: Any, function: Callable[..., Any], *given: Any, alone: bool = False) -> None:
        """Do a module-level function of (workspace, job, *given) after those that wait; `alone`: in their place (the
        one in work goes on)."""
        number = next(self._bench.numbers)
        self._keys[number] = key
        self._bench.send("do", self._name, number, function, given, alone)

    @property
    def busy(self) -> bool:
        return bool(self._keys)

    @property
    def keys(self) -> tuple[Any, ...]:
        """Of the job in work and those that wait."""
        return tuple(self._keys.values())

    def cancel(self) -> None:
        """Forget what waits, and stop what is in work at its next step."""
        if self._keys:
            self._bench.send("cancel", self._name)

    def take(self) -> None:
        """What was told last has been shown: a job that waits for it may go on."""
        self._bench.send("take", self._name)

    def _said(self, number: int, said: str, what: Any) -> None:
        if number not in self._keys:
            return
        key = self._keys[number]
        if said == "told":
            self.told.emit(key, what)
            return
        del self._keys[number]
        if said == "done":
            self.done.emit(key, what)
        elif said == "failed":
            self.failed.emit(key, plain(what))
        elif said == "stopped":
            self.stopped.emit(key)

    def _gone(self) -> None:
        keys, self._keys = list(self._keys.values()), {}
        for key in keys:
            self.failed.emit(key, tr("The work ended unexpectedly, perhaps for want of memory. Try again."))
