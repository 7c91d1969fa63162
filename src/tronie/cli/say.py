"""The one way to the terminal: what stands in names of files and in messages cannot steer it."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any

_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""Control characters, those that turn the direction of writing, and halves that are no character."""


def plain(text: str) -> str:
    """One line, in which such characters are spelled out."""
    return _STEERING.sub(lambda m: f"\\x{ord(m[0]):02x}" if m[0] < "\x80" else f"\\u{ord(m[0]):04x}", text)


def say(text: str, *, problem: bool = False, stream: IO[str] | None = None) -> None:
    """A line to stdout, of a problem to stderr (or to `stream`). Should nobody listen any more, the work goes on."""
    _write(plain(text), stream or (sys.stderr if problem else sys.stdout))


def say_json(value: Any, *, indent: int | None = None, stream: IO[str] | None = None) -> None:
    """A value as JSON to stdout (or to `stream`), on one line or indented."""
    text = json.dumps(value, ensure_ascii=False, indent=indent)
    # What JSON itself has to escape it has escaped; its own line breaks stay.
    lines = (_STEERING.sub(lambda m: f"\\u{ord(m[0]):04x}", line) for line in text.split("\n"))
    _write("\n".join(lines), stream or sys.stdout)


def count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def _write(text: str, stream: IO[str] | None) -> None:
    if stream is None:  # closed before we began, where nothing has taken its place
        return
    try:
        print(text, file=stream, flush=True)
    except UnicodeEncodeError:
        code = getattr(stream, "encoding", None) or "ascii"
        print(text.encode(code, "backslashreplace").decode(code), file=stream, flush=True)
    except (OSError, ValueError):  # the reader has gone, or the disk behind it is full
        with suppress(OSError, ValueError):  # or the end of Python would try again, and complain
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


@contextmanager
def hushed() -> Iterator[None]:
    """What libraries print to stderr's number of their own accord is kept back; ours is not."""
    try:
        ours = os.dup(2) if sys.stderr.fileno() == 2 else -1
    except (OSError, ValueError, AttributeError):
        ours = -1
    if ours < 0:
        yield
        return
    before, nowhere = sys.stderr, os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)
    with open(ours, "w", encoding=before.encoding, errors=before.errors, closefd=False) as sys.stderr:
        try:
            yield
        finally:
            sys.stderr.flush()
            sys.stderr = before
            os.dup2(ours, 2)
            os.close(ours)


def mend_streams() -> None:
    """Give a process that was started without stdin, stdout or stderr something in their place. Else the first files
    that it opens get their numbers, and what libraries print goes into them."""
    for number in (0, 1, 2):
        try:
            os.fstat(number)
        except OSError:
            with suppress(OSError):
                os.open(os.devnull, os.O_RDWR)
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115 (open as long as we are)
