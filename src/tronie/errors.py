"""What can go wrong, said to a user: every message is one sentence that stands alone."""


class TronieError(Exception):
    """Base of all errors the library raises on purpose."""


class InputError(TronieError):
    """A photo cannot be read or is refused."""


class OutputError(TronieError):
    """A result cannot be written (no permission, it exists already, disk full)."""


class WeightsError(TronieError):
    """A model file is missing, of the wrong kind, or damaged."""


class Stopped(TronieError):
    """Whoever asked for the work wants no more of it."""
