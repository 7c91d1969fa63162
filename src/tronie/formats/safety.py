"""What readers of files from elsewhere have in common: what reading one may cost, how they refuse one, and the one
sentence that says so. (Photos and clips have larger bounds, which their owner may raise: `tronie.io.limits`.)"""

from __future__ import annotations

import errno
import os
import stat
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tronie.errors import TronieError, WeightsError

WHOLE = 600_000_000
"""Bytes of the largest file that is read, and of all that is made of one. SPARNet's largest checkpoint has 343 million,
the Basel Face Model of 2019, unpacked, 348 million."""
SPARE, RATIO = 16_000_000, 16
"""A file of n bytes may become SPARE + RATIO n: numbers of models hardly shrink when they are packed, .obj files
fourfold."""
STEPS = 1_000_000
"""Small parts of a file (fields, operations of a pickle, chunks). Models that are known here have 50,000."""
PIXELS = 150_000_000
"""Of all pictures in a file. A head and four shells with textures of 4096 x 4096 have 84 million."""
SECONDS = 60.0
PIECE = 1 << 16
"""Bytes that are unpacked at once."""


class Refused(Exception):
    """Why a file is refused: the end of a sentence."""


@dataclass(slots=True)
class Budget:
    """What reading one file may still cost. It is asked before anything is made or read, by everything that takes part
    in the reading, so that no sum of harmless parts is harmful."""

    bytes: int = WHOLE
    steps: int = STEPS
    pixels: int = PIXELS
    until: float = field(default_factory=lambda: time.monotonic() + SECONDS)
    """By the clock of `time.monotonic`."""

    @classmethod
    def of(cls, size: int, most: int = WHOLE) -> Budget:
        """For a file of so many bytes, of a kind that never needs more than `most`."""
        return cls(min(most, SPARE + RATIO * size))

    def take(self, size: int) -> None:
        """Account for bytes that are about to be made. Raises Refused."""
        self.bytes -= size
        if self.bytes < 0:
            raise Refused("what it describes is far larger than it is, or than it may be")

    def step(self, count: int = 1) -> None:
        """Account for small parts that are about to be read. Raises Refused."""
        self.steps -= count
        if self.steps < 0:
            raise Refused("it is made of far more parts than a file of its kind")
        if (self.steps & 1023) < count:
            self.check_time()

    def picture(self, size: tuple[int, int]) -> None:
        """Account for a picture of so many pixels that is about to be decoded. Raises Refused."""
        self.pixels -= max(size[0], 0) * max(size[1], 0)
        if self.pixels < 0:
            raise Refused("its pictures have far more pixels than they may")
        self.check_time()

    def check_time(self) -> None:
        """Raises Refused when time is up."""
        if time.monotonic() > self.until:
            raise Refused("reading it takes longer than it may")


def clause(reason: Exception) -> str:
    """Why a file is refused, as the end of a sentence: it may repeat a name that stands in the file."""
    return "".join(sign if sign.isprintable() else "?" for sign in str(reason))


@contextmanager
def refusals(file: Path, what: str, error: type[TronieError] = WeightsError) -> Iterator[None]:
    """Turns what goes wrong while `file` is read into an `error`: one sentence. `what` is a file of its kind."""
    try:
        yield
    except TronieError:
        raise
    except Refused as found:
        raise error(f"Cannot read {file}: {clause(found)}.") from None
    except MemoryError as found:
        raise error(f"Cannot read {file}: it needs more memory than there is.") from found
    except Exception as found:
        if isinstance(found, OSError) and found.errno is not None:
            raise error(f"Cannot read {file}: {(found.strerror or str(found)).lower()}.") from found
        # Any class may come out of zipfile, numpy or h5py when bytes make no sense: an index that does not exist, a
        # text in the place of numbers, a header that is no Python. Listing them has been wrong more than once.
        raise error(f"Cannot read {file}: it is damaged or not {what}.") from found


@contextmanager
def reading(
    file: Path, what: str, budget: Budget | None = None, most: int = WHOLE, error: type[TronieError] = WeightsError
) -> Iterator[Budget]:
    """Like `refusals`, with what the reading may cost: `budget` if the file is a part of what is read, else its own.

    Refuses what is larger than `most` bytes, and devices and pipes, which may never end.
    """
    with refusals(file, what, error):
        size = plain_size(file)
        if size > most:
            raise Refused(f"it has {size / 1e6:.0f} MB, and none that is known here has more than {most / 1e6:.0f}")

        yield Budget.of(size, most) if budget is None else budget


def plain_size(file: Path) -> int:
    """Bytes of an ordinary file; OSError or Refused for what is none."""
    found = file.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(file))
    if not stat.S_ISREG(found.st_mode):
        raise Refused("it is no ordinary file")
    return found.st_size


def inflate(packed: memoryview, count: int, budget: Budget) -> bytes:
    """The first `count` bytes of a zlib stream, or as many as there are. The caller has accounted for them."""
    stream = zlib.decompressobj()
    out = bytearray()
    for start in range(0, len(packed), PIECE):
        out += stream.decompress(packed[start : start + PIECE], count - len(out))
        if len(out) >= count or stream.eof:
            break
        budget.check_time()
    return bytes(out)
