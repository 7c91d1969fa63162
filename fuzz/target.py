"""What is fuzzed: a reader, valid files for it, and what reading any file may cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from random import Random

from tronie.errors import TronieError

MEGA = 1_000_000


@dataclass(frozen=True, slots=True)
class Target:
    """A reader, and the law for it: a value, or one of `errors` with one sentence, within the bounds; nothing else."""

    name: str
    seeds: Callable[[], Iterable[bytes]]
    """Valid files of some kilobytes; each leads somewhere else."""
    read: Callable[[Path], object]
    """Reads the file that lies there, and checks what it gets by `assert`."""
    file: str = "input"
    """What the file is called. The folder is the reader's own: it may write there, and nowhere else."""
    structure: Callable[[Random, bytes], bytes] | None = None
    """Changes a part of a file so that the whole stays well-formed; raises ValueError for a file that is not."""
    errors: tuple[type[BaseException], ...] = (TronieError,)
    beside: Callable[[Path], None] | None = None
    """Writes what else is in the folder, once."""
    refused: bool = False
    """Whether the valid files are refused for what they are: the published models are not here."""
    needs: tuple[str, ...] = ()
    """Modules without which there is nothing to fuzz."""
    seconds: float = 5.0
    """Of processor time for one file."""
    memory: int = 400 * MEGA
    """Bytes that the process may grow by, all in all."""

    @property
    def missing(self) -> str | None:
        """A module that it needs and that is not installed."""
        return next((name for name in self.needs if find_spec(name) is None), None)
