"""Paths as a user may write them: the same file under several names, links that lead nowhere."""

from __future__ import annotations

import errno
import os


def identity(path: str | os.PathLike[str]) -> str:
    """The same text for every way to write the path of one file."""
    return os.path.normcase(os.path.realpath(path))


def leads_nowhere(path: str | os.PathLike[str]) -> str | None:
    """What is wrong with a link, as the end of a sentence that begins with its name; None where nothing is."""
    try:
        os.stat(path)
    except OSError as error:
        if not os.path.islink(path):
            return None
        if error.errno == errno.ELOOP:
            return "is a link that leads back to itself"
        return f"is a link to {os.readlink(path)}, which is not there" if error.errno == errno.ENOENT else None
    except ValueError:
        return None
    return None
