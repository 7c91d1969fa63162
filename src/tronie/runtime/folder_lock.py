"""One run at a time in a folder, or in a part of it: locks that the system lets go of when their process ends, however
that happens."""

from __future__ import annotations

import os
import random
import re
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from tronie.errors import OutputError
from tronie.runtime.atomic_files import explain

FILE = ".tronie-lock"
GATE = ".tronie-lock-gate"
PART = re.compile(r"\.tronie-lock-(\d+)-of-(\d+)")
"""Lock of a part of a job: its number, and of how many."""
WAIT = "wait until it has ended, or choose another folder with -o."

PATIENCE = 600.0
"""Seconds for which a gate is waited at: who is in it only reads and writes lists."""


@contextmanager
def locked(folder: Path, name: str = FILE, busy: str = "") -> Iterator[None]:
    """Keep other runs out of a folder that is there. Raises OutputError if one is in it, with the sentence `busy`. On a
    disk that knows no locks nothing is kept out."""
    path = folder / name
    handle = _taken(path)
    if handle is None:
        raise OutputError(busy or f"Another run is writing into {folder}; {WAIT}")
    with _let_go(path, handle):
        yield


def is_locked(folder: Path, name: str = FILE) -> bool:
    """Whether a run that lives holds that lock; one that was left over goes."""
    path = folder / name
    if not os.path.lexists(path):
        return False
    handle = _taken(path)
    if handle is None:
        return True
    with _let_go(path, handle):
        return False


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Keep all other runs out of a folder that is there, those of parts of a job too. Raises OutputError if one is in
    it."""
    with ExitStack() as held:
        with gate(folder):
            held.enter_context(locked(folder))
            for name in sorted(os.listdir(folder)):
                if (part := PART.fullmatch(name)) and is_locked(folder, name):
                    raise OutputError(f"A run of shard {part[1]}/{part[2]} is writing into {folder}; {WAIT}")
        yield


@contextmanager
def gate(folder: Path, name: str = GATE) -> Iterator[None]:
    """What only one process at a time may do, and briefly: others wait. Raises OutputError where nobody comes out."""
    path, began = folder / name, time.monotonic()
    while (handle := _taken(path)) is None:
        if time.monotonic() > began + PATIENCE:
            raise OutputError(
                f"Another run has held {path} for ten minutes; look whether it has stopped, or choose another folder."
            )
        time.sleep(0.02 + 0.06 * random.random())
    with _let_go(path, handle):
        yield


@contextmanager
def _let_go(path: Path, handle: int) -> Iterator[None]:
    try:
        yield
    finally:
        # The name goes before the lock does: who waits for the lock then finds that it locks nothing any more.
        if sys.platform == "win32":  # where an open file cannot go
            os.close(handle)
        with suppress(OSError):
            path.unlink()
        if sys.platform != "win32":
            os.close(handle)


def _taken(path: Path) -> int | None:
    """The open, locked file; None if somebody else has it locked."""
    while True:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        except PermissionError:
            if sys.platform == "win32":  # it is going away
                return None
            raise OutputError(f"Cannot write {path}: no permission.") from None
        except OSError as error:
            raise explain(path, error) from error
        if not _lock(handle):
            os.close(handle)
            return None
        with suppress(OSError):
            if sys.platform == "win32" or os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False)):
                return handle
        os.close(handle)  # its owner was just removing it: the next one by that name counts


def _lock(handle: int) -> bool:
    """Whether the file is ours now."""
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:
        return True
    return True
