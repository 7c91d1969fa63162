"""What can go wrong, said to a user: every message is one sentence that stands alone."""

from typing import Literal

Trouble = Literal["unreadable", "not_written", "disk", "timeout", "memory", "crashed", "changed", "faces", "inside"]
"""Kinds of errors: the file cannot be read or is refused; its outputs cannot be written; nothing can be written there
any more; it took too long; too much memory; its process was lost; it changed meanwhile; none of its faces could be
finished; something went wrong inside the library."""


class TronieError(Exception):
    """Base of all errors the library raises on purpose."""


class InputError(TronieError):
    """A photo cannot be read or is refused."""


class OutputError(TronieError):
    """A result cannot be written (no permission, it exists already, disk full)."""


class DiskError(OutputError):
    """Nothing at all can be written there any more: the disk is full or read-only, a quota is used up."""


class WeightsError(TronieError):
    """A model file is missing, of the wrong kind, or damaged."""


class Cancelled(BaseException):
    """Whoever asked for the work wants no more of it. No error, and so not caught where errors are: what fails in one
    photo must not stop the others, but this must stop all."""


def unexpected(error: BaseException) -> bool:
    """Whether it is a mistake of ours, rather than something that a user can do something about."""
    if isinstance(error, OSError):
        return not error.strerror
    return isinstance(error, Exception) and not isinstance(error, (TronieError, MemoryError))


def trouble(error: BaseException) -> Trouble:
    """The kind of an error that concerns one file."""
    if isinstance(error, DiskError):
        return "disk"
    if isinstance(error, OutputError):
        return "not_written"
    if isinstance(error, MemoryError):
        return "memory"
    return "unreadable" if isinstance(error, (InputError, OSError)) else "inside"


def sentence(error: BaseException) -> str:
    """An exception as one sentence for a user: no name of a class, no place in the code. Those are for the log."""
    if isinstance(error, TronieError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory for it."
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}." if error.filename else f"{error.strerror}."
    text = " ".join(str(error).split()).rstrip(".")[:200]
    return f"Something went wrong inside tronie{f' ({text})' if text else ''}; --debug writes down where."
