"""What tronie tells those who look for a fault: the loggers `tronie.*` of Python's own `logging`.

A library says nothing of its own accord, so nothing is heard until somebody listens: `logging.basicConfig` in a program
that uses tronie, `-v` and `--debug` on the command line. What is for users is told by results, events and errors.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from copy import copy
from pathlib import Path

from tronie.runtime.crash_report import CrashHandler

VARIABLE = "TRONIE_DEBUG"
"""Names the file of `--debug`; worker processes inherit it. `1` means FILE in the working folder."""
FILE = "tronie-debug.log"
_started: list[logging.Handler] = []
_LINE = "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"


logging.getLogger("tronie").addHandler(logging.NullHandler())  # or errors would go to stderr where nobody listens


def logger(name: str) -> logging.Logger:
    """Of a module: `log = logger(__name__)`."""
    return logging.getLogger(name)


class _File(logging.FileHandler):
    """The file of `--debug`, into which every process writes for itself."""

    def __init__(self, file: Path) -> None:
        super().__init__(file, encoding="utf-8", errors="backslashreplace", delay=True)
        self.setFormatter(logging.Formatter(_LINE))

    def emit(self, record: logging.LogRecord) -> None:
        if record.process == os.getpid():
            super().emit(record)


class _Sender(logging.Handler):
    """Passes records on, made of nothing but text."""

    def __init__(self, send: Callable[[logging.LogRecord], None], level: int) -> None:
        super().__init__(level)
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        sent = copy(record)
        sent.msg, sent.args, sent.exc_info = record.getMessage(), None, None
        if record.exc_info:
            sent.exc_text = logging.Formatter().formatException(record.exc_info)
        self._send(sent)


class _Teller(logging.Handler):
    """Passes lines on, without tracebacks."""

    def __init__(self, tell: Callable[[str], None], level: int) -> None:
        super().__init__(level)
        self._tell = tell

    def emit(self, record: logging.LogRecord) -> None:
        self._tell(f"{record.name}: {record.getMessage()}")


def debug_file() -> Path | None:
    """The file that tracebacks go to; None where nobody asked for it."""
    value = os.environ.get(VARIABLE, "")
    return None if value in ("", "0") else Path(FILE if value == "1" else value)


def debugging() -> bool:
    """Whether the user asked for tracebacks (`--debug` or the variable TRONIE_DEBUG)."""
    return debug_file() is not None


def start(tell: Callable[[str], None] | None = None, level: int = logging.INFO) -> None:
    """Let this process write into the file of `--debug` if there is one, and `tell` lines of what it does, from that
    level on. The file is made when there is something to write, and lines are added to one that is there. Of mistakes
    a report is kept (`crash_report`). Earlier listeners go."""
    top = logging.getLogger("tronie")
    while _started:
        top.removeHandler(_started[-1])
        _started.pop().close()
    top.setLevel(logging.NOTSET)
    if (file := debug_file()) is not None:
        os.environ[VARIABLE] = str(file.absolute())
        _listen(_File(file), logging.DEBUG)
    if tell is not None:
        _listen(_Teller(tell, level), level)
    _listen(CrashHandler(), logging.ERROR)


def heard() -> int | None:
    """The level from which on somebody hears what is told, beside the file of `--debug`; None if nobody does."""
    top = logging.getLogger("tronie")
    handlers = [*top.handlers, *(logging.getLogger().handlers if top.propagate else ())]
    quiet = (logging.NullHandler, _File, CrashHandler)
    levels = [handler.level for handler in handlers if not isinstance(handler, quiet)]
    return max(top.getEffectiveLevel(), min(levels)) if levels else None


def send(level: int, send: Callable[[logging.LogRecord], None]) -> None:
    """From now on `send` gets what this process tells from that level on, for `relay` in another process."""
    _listen(_Sender(send, level), level)


def relay(record: logging.LogRecord) -> None:
    """Tell what another process has told."""
    logging.getLogger(record.name).handle(record)


def _listen(handler: logging.Handler, level: int) -> None:
    top = logging.getLogger("tronie")
    top.addHandler(handler)
    top.setLevel(min(top.level or level, level))
    _started.append(handler)
