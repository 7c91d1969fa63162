"""Files and folders that are either wholly there or not at all.

Everything is written under a temporary name in the same folder (so on the same disk) and renamed when it is
complete. Temporary names begin with `.tronie-` and say which process of which machine writes (see `process_ids`), so
that what a killed one left behind can be told from what another one is writing.
"""

from __future__ import annotations

import errno
import itertools
import os
import shutil
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tronie.errors import DiskError, OutputError
from tronie.runtime.process_ids import here, mark, runs

PREFIX = ".tronie-"

LONGEST = 86400.0
"""Seconds after which what a process of another machine writes counts as left behind: whether that lives, nobody can
tell from here."""

_serial = itertools.count()


def _temporary(path: Path, kind: str) -> Path:
    """A new name beside `path`. Its length does not depend on `path`, so it never gets too long."""
    return path.with_name(f"{PREFIX}{mark()}-{here()}-{next(_serial)}-{os.urandom(3).hex()}.{kind}")


def explain(path: Path, error: OSError) -> OutputError:
    """The one sentence for a user when writing to `path` failed."""
    known = {
        errno.EEXIST: "it exists already; use --overwrite to replace it",
        errno.ENOTEMPTY: "it exists already; use --overwrite to replace it",
        errno.ENOSPC: "the disk is full",
        errno.EDQUOT: "the disk quota is used up",
        errno.EACCES: "no permission",
        errno.EPERM: "no permission",
        errno.EROFS: "the disk is read-only",
        errno.ENOTDIR: "a part of its path is a file, not a folder",
        errno.ENAMETOOLONG: "its name is too long",
    }
    reason = known.get(error.errno or 0) or (error.strerror or str(error)).rstrip(".").lower()
    kind = DiskError if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EROFS) else OutputError
    return kind(f"Cannot write {path}: {reason}.")


def make_folder(path: Path) -> Path:
    """`path` as a folder, made with its parents where it is missing. Raises OutputError."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(f"Cannot write {path}: it is a file, not a folder.") from None
    except OSError as error:
        raise explain(path, error) from error
    return path


def write_file(path: Path, chunks: bytes | Iterable[bytes | memoryview], *, overwrite: bool = True) -> None:
    """Write one file, replacing another in one step. Raises OutputError."""
    if not overwrite and os.path.lexists(path):
        raise explain(path, FileExistsError(errno.EEXIST, "exists"))
    temporary = _temporary(path, "part")
    try:
        with open(temporary, "xb") as file:
            file.writelines([chunks] if isinstance(chunks, bytes) else chunks)
        os.replace(temporary, path)
    except OSError as error:
        raise explain(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink()


def taken(path: Path, overwrite: bool) -> None:
    """Raise OutputError if there is something at `path` that may not be replaced."""
    if not overwrite and os.path.lexists(path):
        raise explain(path, FileExistsError(errno.EEXIST, "exists"))


@contextmanager
def new_file(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary path with the same ending to write to (encoders go by the ending), which becomes `path` when the
    block ends well and vanishes when it does not. Raises OutputError, also for an OSError from inside the block."""
    taken(path, overwrite)
    make_folder(path.parent)
    folder = _temporary(path, "part")
    try:
        folder.mkdir()
        file = folder / f"new{path.suffix}"
        yield file
        os.replace(file, path)
    except OSError as error:
        raise explain(path, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def scratch(folder: Path | None = None) -> Iterator[Path]:
    """A folder for what is wanted for a while only, inside `folder` (default: the system's temporary one). It vanishes
    with the block; what a killed process leaves of it is taken away by `sweep`, of the default by the next one.
    Raises OutputError."""
    if folder is None:
        folder = Path(tempfile.gettempdir())
        sweep(folder)
    temporary = _temporary(make_folder(folder) / "scratch", "part")
    try:
        temporary.mkdir(0o700)
    except OSError as error:
        raise explain(folder, error) from error
    try:
        yield temporary
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def new_folder(path: Path, *, overwrite: bool = False) -> Iterator[Path]:
    """A temporary folder to fill, which becomes `path` when the block ends well and vanishes when it does not.

    An older `path` is replaced only with `overwrite`, and only at the end: until then it stays as it is.
    Raises OutputError, also for an OSError from inside the block.
    """
    if not overwrite and os.path.lexists(path):
        raise explain(path, FileExistsError(errno.EEXIST, "exists"))
    make_folder(path.parent)
    temporary = _temporary(path, "part")
    try:
        temporary.mkdir()
        yield temporary
        if overwrite and os.path.lexists(path):
            _replace(temporary, path)
        else:
            os.rename(temporary, path)
    except OSError as error:
        raise explain(path, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def _replace(new: Path, path: Path) -> None:
    """Put `new` in the place of `path`; should the second rename fail, the old one is put back."""
    old = _temporary(path, "old")
    os.rename(path, old)
    try:
        os.rename(new, path)
    except BaseException:
        os.rename(old, path)
        raise
    if old.is_dir() and not old.is_symlink():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink()


def sweep(folder: Path) -> int:
    """Remove what killed processes left half written directly in `folder`; how many things that were.

    A folder that was set aside (`.old`) when its process died between two renames is removed too: its
    replacement was complete or is being written anew.
    """
    removed = 0
    with suppress(OSError):
        for entry in list(os.scandir(folder)):
            name = entry.name
            if not name.startswith(PREFIX) or not name.endswith((".part", ".old")):
                continue
            if _written_now(name.removeprefix(PREFIX).split("-"), entry):
                continue
            if entry.is_dir(follow_symlinks=False):
                shutil.rmtree(entry.path, ignore_errors=True)
            else:
                with suppress(OSError):
                    os.unlink(entry.path)
            removed += 1
    return removed


def _written_now(parts: list[str], entry: os.DirEntry[str]) -> bool:
    """Whether the process of a temporary name may still write."""
    if len(parts) == 4 and parts[1] != here():
        with suppress(OSError):
            return abs(time.time() - entry.stat(follow_symlinks=False).st_mtime) < LONGEST
        return True
    return runs(parts[0])
