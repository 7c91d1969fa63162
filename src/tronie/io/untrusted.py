"""What readers of files from elsewhere have in common: how they refuse one, and the one sentence that says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tronie.errors import TronieError, WeightsError


class Refused(Exception):
    """Why a file is refused: the end of a sentence."""


@contextmanager
def refusals(file: Path, what: str) -> Iterator[None]:
    """Turns what goes wrong while `file` is read into a WeightsError: one sentence. `what` is a file of its kind."""
    try:
        yield
    except TronieError:
        raise
    except Refused as error:
        raise WeightsError(f"Cannot read {file}: {error}.") from None
    except MemoryError as error:
        raise WeightsError(f"Cannot read {file}: it needs more memory than there is.") from error
    except Exception as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise WeightsError(f"Cannot read {file}: {(error.strerror or str(error)).lower()}.") from error
        # Any class may come out of zipfile, numpy or h5py when bytes make no sense: an index that does not exist, a
        # text in the place of numbers, a header that is no Python. Listing them has been wrong more than once.
        raise WeightsError(f"Cannot read {file}: it is damaged or not {what}.") from error
