"""One run at a time in a folder: a lock that the system lets go of when its process ends, however that happens."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tronie.errors import OutputError

FILE = ".tronie-lock"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder that is there. Raises OutputError if one is in it. On a disk that knows no locks
    nothing is kept out."""
    path = folder / FILE
    handle = _taken(path)
    if handle is None:
        raise OutputError(
            f"Another run is writing into {folder}; wait until it has ended, or choose another folder with -o."
        )
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
            raise OutputError(f"Cannot write {path}: {(error.strerror or str(error)).lower()}.") from error
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
