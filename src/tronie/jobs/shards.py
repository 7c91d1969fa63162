"""Parts of one job that run at once, on one machine or many, into one folder: who is in it, how that comes together.

Each part is the only one to write its own ledger, `.tronie-shard-3-of-16.json`, which is a manifest of its photos. When
a part begins and when it ends, it takes what lies there of parts that are over, its own and those that were killed, and
brings it into manifest.json. That, and giving names to folders, goes on in a gate through which one process at a time
goes.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from tronie.errors import OutputError
from tronie.jobs.place import Place
from tronie.runtime.folder_lock import GATE, PART, WAIT

_LEDGER = re.compile(r"\.tronie-shard-(\d+)-of-(\d+)\.json")


@dataclass(frozen=True, slots=True)
class Shard:
    """One of the parts into which a job is divided by the files' paths below the folder that was given."""

    index: int
    """1 to `count`."""
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """`3/16`; `0/16` is the same as `16/16`, so that one may count from 0 as well as from 1. Raises ValueError."""
        found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text, re.ASCII)
        if found is None:
            raise ValueError(f"should be like 3/16, not {text!r}")
        index, count = int(found[1]), int(found[2])
        if not 0 <= index <= count or count == 0:
            raise ValueError(f"should be from 0/{count} to {count}/{count}, not {text!r}" if count else "divides by 0")
        return cls(index or count, count)

    def holds(self, place: str) -> bool:
        """Whether a file at this place, a path with `/`, is of this part. Every place is of one part only, the same on
        every system and in every release."""
        name = unicodedata.normalize("NFC", place).encode("utf-8", "surrogatepass")
        return int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big") % self.count == self.index - 1

    @property
    def ledger(self) -> str:
        return f".tronie-shard-{self.index}-of-{self.count}.json"

    @property
    def lock(self) -> str:
        return f".tronie-lock-{self.index}-of-{self.count}"

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def ledgers(out: Place) -> list[Shard]:
    """The parts whose ledgers lie in a folder."""
    return _named(out, _LEDGER)


def at_work(out: Place) -> list[Shard]:
    """The parts that are worked on now."""
    return [shard for shard in _named(out, PART) if out.is_locked(shard.lock)]


def _named(out: Place, pattern: re.Pattern[str]) -> list[Shard]:
    found = [pattern.fullmatch(name) for name in out.own()]
    return sorted((Shard(int(m[1]), int(m[2])) for m in found if m), key=lambda shard: (shard.count, shard.index))


@contextmanager
def in_gate(out: Place) -> Iterator[None]:
    """Alone with the ledgers and the manifest."""
    with out.gate(GATE):
        yield


def enter(stack: ExitStack, out: Place, shard: Shard | None) -> None:
    """Take a folder for a run, or its part of it, for as long as the stack is open; to be called in the gate. Raises
    OutputError where others are in it."""
    if shard is None:
        stack.enter_context(out.locked())
        if others := at_work(out):
            raise OutputError(f"A run of shard {others[0]} is writing into {out.address}; {WAIT}")
        return
    with out.locked():  # whoever does the whole has it all the time
        pass
    busy = f"Another run of shard {shard} is writing into {out.address}; {WAIT}"
    stack.enter_context(out.locked(shard.lock, busy))
    for other in at_work(out):
        if other.count != shard.count:
            raise OutputError(
                f"A run of shard {other} is writing into {out.address}, which divides the photos otherwise than "
                f"{shard}; {WAIT}"
            )
