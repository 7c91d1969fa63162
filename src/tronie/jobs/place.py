"""Where the outputs of a job lie: a folder of this machine, or a place in a store that is treated like one."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Protocol

from tronie.runtime import folder_lock
from tronie.runtime.atomic_files import make_folder, scratch, sweep, write_file

FILE = "manifest.json"
OURS = frozenset(("sheet.jpg", "clip.json", "enhanced_photo.png", "restored.json"))
"""Files by which the folder of a photo or clip can be told, beside the faces."""
RECORDS = frozenset(("face.json", "clip.json", "restored.json"))
"""What whoever reads results goes by: where a folder does not appear in one step, these come last."""

FACE = re.compile(r"face-(\d+)")


class Place(Protocol):
    """What a job needs of the place for its outputs. Names of its own files begin with `.tronie-`."""

    @property
    def address(self) -> str:
        """As it is shown."""

    @property
    def work(self) -> Path:
        """A folder of this machine: the place itself, or what is being made for it."""

    @property
    def store(self) -> str:
        """Its address where it is in a store, else nothing."""

    def shown(self, name: str) -> str:
        """Where the outputs of a photo are, or are to be."""

    def prepare(self) -> None:
        """Make it, and take away what killed processes left half written."""

    def sweep(self) -> None:
        """The latter alone."""

    def own(self) -> list[str]:
        """The names of files of ours that begin with `.tronie-`."""

    def has(self, name: str) -> bool:
        """Whether there is something of that name, as far as was known when the place was first asked."""

    def ours(self, name: str) -> bool:
        """Whether the folder of a photo looks like one that this program has made."""

    def faces(self, name: str) -> Iterator[tuple[int, bytes]]:
        """The numbers of a photo's faces and their records; what cannot be read is left out."""

    def file(self, name: str) -> Path | None:
        """A path at which one of the files can be read; None where it is not there."""

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        """Replace one of the files in one step. Raises OutputError."""

    def remove(self, name: str) -> None:
        """Take one of the files away."""

    def locked(self, name: str = folder_lock.FILE, busy: str = "") -> AbstractContextManager[None]:
        """As `folder_lock.locked`."""

    def is_locked(self, name: str) -> bool:
        """As `folder_lock.is_locked`."""

    def gate(self, name: str) -> AbstractContextManager[None]:
        """As `folder_lock.gate`."""

    def sign(self) -> AbstractContextManager[str]:
        """Something in it that is there only as long as the block lasts, by which others know that they see it."""


class Folder:
    """A folder of this machine, or of a disk that it has."""

    store = ""

    def __init__(self, path: Path) -> None:
        self.work = path

    @property
    def address(self) -> str:
        return str(self.work)

    def shown(self, name: str) -> str:
        return str(self.work / name)

    def prepare(self) -> None:
        make_folder(self.work)
        self.sweep()

    def sweep(self) -> None:
        sweep(self.work)

    def own(self) -> list[str]:
        with suppress(OSError):
            return [name for name in os.listdir(self.work) if name.startswith(".tronie-")]
        return []

    def has(self, name: str) -> bool:
        return os.path.lexists(os.path.join(self.work, name))  # of a million names; a Path takes ten times as long

    def ours(self, name: str) -> bool:
        folder = self.work / name
        if folder.is_symlink() or not folder.is_dir():
            return False
        try:
            inside = set(os.listdir(folder))
        except OSError:
            return False
        return not inside or bool(inside & OURS) or any((folder / one / "face.json").is_file() for one in inside)

    def faces(self, name: str) -> Iterator[tuple[int, bytes]]:
        numbers: list[int] = []
        with suppress(OSError):
            numbers = sorted(int(found[1]) for one in os.listdir(self.work / name) if (found := FACE.fullmatch(one)))
        for number in numbers:
            with suppress(OSError):
                yield number, (self.work / name / f"face-{number}" / "face.json").read_bytes()

    def file(self, name: str) -> Path | None:
        return self.work / name if os.path.lexists(self.work / name) else None

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        write_file(self.work / name, chunks)

    def remove(self, name: str) -> None:
        with suppress(OSError):
            (self.work / name).unlink()

    def locked(self, name: str = folder_lock.FILE, busy: str = "") -> AbstractContextManager[None]:
        return folder_lock.locked(self.work, name, busy)

    def is_locked(self, name: str) -> bool:
        return folder_lock.is_locked(self.work, name)

    def gate(self, name: str) -> AbstractContextManager[None]:
        return folder_lock.gate(self.work, name)

    @contextmanager
    def sign(self) -> Iterator[str]:
        with scratch(self.work) as sign:
            yield str(sign)
