"""The data folder of the web service: what clients sent and what was made of it.

    jobs/ID/inputs/001.jpg, 001.preview.jpg      what was sent
    jobs/ID/TOKEN/...                            what one attempt made; published by the table, which names it
    spool/                                       what is being received
    trash/                                       what is being removed

Nothing a client says becomes a path: ids and tokens are the service's own, and files are those that a job's report
lists. Nothing behind a symbolic link is read, counted or removed.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path, PurePosixPath

from tronie.errors import InputError
from tronie.runtime.atomic_files import explain
from tronie.service.stored import StoredJob

YOUNG = 600
"""Seconds for which a folder that the table does not know is left alone: it may be about to be told of."""
STALE = 3600
"""Seconds after which nobody is still at a spooled file that nobody wrote to."""

NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
UPLOAD = re.compile(r"[0-9]{3,6}\.[a-z0-9]{1,8}")


class Storage:
    """Folders are its owner's alone (0700). Several servers and workers may use one at a time."""

    def __init__(self, data: Path) -> None:
        """Makes what is missing. Raises OutputError."""
        self.data = data.absolute()
        self.jobs, self._spool, self.trash = (self.data / name for name in ("jobs", "spool", "trash"))
        for folder in (self.data, self.jobs, self._spool, self.trash):
            _private_folder(folder)

    def inputs(self, job: StoredJob) -> Path:
        """What was sent: of a job that uses another one's files again, that one's."""
        return self.folder(job.parent or job.id) / "inputs"

    def input(self, job: StoredJob, upload: int) -> Path | None:
        """One upload, counted from 0; None if it is not there."""
        if not 0 <= upload < len(job.uploads) or not UPLOAD.fullmatch(job.uploads[upload].file):
            return None
        return _plain(self.inputs(job), job.uploads[upload].file)

    def preview(self, job: StoredJob, upload: int) -> Path | None:
        """Where a small JPEG of one upload, counted from 0, is or is to be; None where there is no such upload."""
        if not 0 <= upload < len(job.uploads) or not UPLOAD.fullmatch(job.uploads[upload].file):
            return None
        return self.inputs(job) / f"{Path(job.uploads[upload].file).stem}.preview.jpg"

    def receive(self, id: str, spooled: Path) -> Path:
        """Make a spooled folder the inputs of a job that is about to be added."""
        folder = self.folder(id)
        try:
            folder.mkdir(0o700)
            os.rename(spooled, folder / "inputs")
        except OSError as error:
            raise explain(folder, error) from error
        self.seal(folder)
        return folder / "inputs"

    def attempt(self, id: str, token: str) -> Path:
        """Where one attempt writes; the folder is there."""
        folder = self.folder(id) / _checked(token)
        try:
            os.makedirs(folder, 0o700, exist_ok=True)
            for path in (folder.parent, folder):
                path.chmod(0o700)
        except OSError as error:
            raise explain(folder, error) from error
        return folder

    def result(self, job: StoredJob) -> Path | None:
        """The published folder; None for a job that is not done."""
        return None if job.state != "done" or job.result is None else self.folder(job.id) / _checked(job.result)

    def file(self, job: StoredJob, name: str) -> Path | None:
        """A file of the result, by the name that the report has; None for every other one."""
        folder = self.result(job)
        if folder is None or job.report is None or all(file.name != name for file in job.report.files):
            return None
        return _plain(folder, name)

    def spool(self) -> Path:
        """A new folder for one request's files."""
        folder = self._spool / secrets.token_urlsafe(12)
        try:
            folder.mkdir(0o700)
        except OSError as error:
            raise explain(folder, error) from error
        return folder

    def folder(self, id: str) -> Path:
        """Of a job. Raises InputError for what can be no id."""
        return self.jobs / _checked(id)

    def seal(self, folder: Path) -> None:
        """Make all that is in a folder its owner's alone, whatever the umask was."""
        with suppress(OSError):
            folder.chmod(0o700)
        for entry in _walk(folder):
            if not entry.is_symlink():
                with suppress(OSError):
                    os.chmod(entry.path, 0o700 if entry.is_dir(follow_symlinks=False) else 0o600)

    def remove(self, id: str) -> bool:
        """All files of a job. It vanishes at once, so that none of it is served while the rest goes."""
        return self._discard(self.folder(id))

    def discard(self, folder: Path) -> bool:
        """An attempt's folder, or a spooled one."""
        if folder.parent != self._spool and folder.parent.parent != self.jobs:
            raise ValueError(f"{folder} is none of the storage's")
        gone = self._discard(folder)
        if folder.parent != self._spool:
            with suppress(OSError):
                folder.parent.rmdir()  # where its job was deleted meanwhile, nothing else is in it
        return gone

    def sweep(self, known: Mapping[str, frozenset[str]], *, young: float = YOUNG, stale: float = STALE) -> int:
        """Remove what nobody wants any more; how many things that were. `known`: of all jobs of the table the attempts
        that are under way or published. What is new since the table was asked is young, and stays."""
        now = self._clock()
        gone = 0
        for job in _entries(self.jobs):
            if job.name not in known:
                gone += now - _newest(job) > young and self._discard(Path(job.path))
                continue
            for part in _entries(Path(job.path)):
                if part.name != "inputs" and part.name not in known[job.name]:
                    gone += now - _newest(part) > young and self._discard(Path(part.path))
        for spooled in _entries(self._spool):
            gone += now - _newest(spooled) > stale and self._discard(Path(spooled.path))
        for left in _entries(self.trash):
            _remove(Path(left.path))
        return gone

    def used(self) -> int:
        """Bytes of all files."""
        return sum(_size(entry) for folder in (self.jobs, self._spool, self.trash) for entry in _walk(folder))

    def _discard(self, path: Path) -> bool:
        rubbish = self.trash / secrets.token_urlsafe(12)
        try:
            os.rename(path, rubbish)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise explain(path, error) from error
        _remove(rubbish)
        return True

    def _clock(self) -> float:
        """What the disk thinks the time is: another machine may have it, with another clock."""
        path = self.trash / secrets.token_urlsafe(12)
        try:
            with path.open("xb") as file:  # which another one may sweep at once
                return os.fstat(file.fileno()).st_mtime
        except OSError as error:
            raise explain(path, error) from error
        finally:
            path.unlink(missing_ok=True)


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise InputError("There is no such job.")
    return name


def _private_folder(folder: Path) -> None:
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        if stat.S_IMODE(folder.stat().st_mode) & 0o077:
            folder.chmod(0o700)
    except OSError as error:
        raise explain(folder, error) from error


def _plain(folder: Path, name: str) -> Path | None:
    """The file of that name below a folder, if no link is on the way to it."""
    parts = PurePosixPath(name).parts
    if not parts or name.startswith("/") or "\\" in name or "\0" in name or ".." in parts:
        return None
    path = folder
    try:
        for part in ("", *parts[:-1]):
            path = path / part
            if not stat.S_ISDIR(path.lstat().st_mode):
                return None
        path = path / parts[-1]
        return path if stat.S_ISREG(path.lstat().st_mode) else None
    except (OSError, ValueError):
        return None


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """Others may remove it, or parts of it, at any time."""
    try:
        with os.scandir(folder) as found:
            return list(found)
    except OSError:
        return []


def _walk(folder: Path) -> Iterator[os.DirEntry[str]]:
    for entry in _entries(folder):
        yield entry
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))


def _size(entry: os.DirEntry[str]) -> int:
    try:
        return 0 if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
    except OSError:
        return 0


def _newest(entry: os.DirEntry[str]) -> float:
    """When anything in it was last changed."""
    newest = 0.0
    inside = _walk(Path(entry.path)) if entry.is_dir(follow_symlinks=False) else iter(())
    for each in (entry, *inside):
        with suppress(OSError):
            newest = max(newest, each.stat(follow_symlinks=False).st_mtime)
    return newest


def _remove(path: Path) -> None:
    """What cannot go now goes with the next sweep."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        with suppress(OSError):
            path.unlink(missing_ok=True)
