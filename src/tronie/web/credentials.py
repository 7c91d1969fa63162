"""Who may ask: bearer tokens, and the cookie that a browser gets for one."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Callable, Sequence

from tronie.web.rates import Rate

COOKIE = "tronie_session"
LASTS = 7 * 24 * 3600
"""Seconds."""
WRONG_TOKENS = 20
"""A minute, from one address, where a token is so short that it could be guessed."""
LONG_TOKEN = 20
"""Bytes."""


class Credentials:
    """The tokens of the service. Nothing is stored for a session: its cookie is an end and a seal made with the token,
    so that every server with the same tokens knows it, and it is void once the token is taken away."""

    def __init__(self, tokens: Sequence[str], clock: Callable[[], float] = time.time) -> None:
        self._tokens = [token.encode() for token in tokens]
        self._clock = clock
        self._wrong = Rate(WRONG_TOKENS)
        # A long token nobody guesses; then many wrong ones must not keep others out who come by the same proxy.
        self._guessable = any(len(token) < LONG_TOKEN for token in self._tokens)

    @property
    def needed(self) -> bool:
        return bool(self._tokens)

    def locked(self, address: str) -> float:
        """Seconds for which tokens from an address are not even looked at, because too many were wrong."""
        return self._wrong.wait(address) if self._guessable else 0.0

    def was_wrong(self, address: str) -> None:
        self._wrong.take(address)

    def by_token(self, given: str) -> str | None:
        """The client whose token it is."""
        digest = hashlib.sha256(given.encode(errors="surrogateescape")).digest()
        found = None
        for token in self._tokens:  # all of them, so that the time says nothing
            if hmac.compare_digest(hashlib.sha256(token).digest(), digest):
                found = token
        return None if found is None else client_of(found)

    def cookie(self, given: str) -> str | None:
        """What a browser is to keep for a token; None for a wrong one."""
        if self.by_token(given) is None:
            return None
        end = int(self._clock()) + LASTS
        return f"{end}.{_seal(given.encode(), end)}"

    def by_cookie(self, given: str) -> str | None:
        """The client whose cookie it is."""
        end, _, seal = given.partition(".")
        if not (end.isascii() and end.isdigit() and len(end) < 12) or int(end) < self._clock():
            return None
        found = None
        for token in self._tokens:
            if hmac.compare_digest(_seal(token, int(end)).encode(), seal.encode(errors="surrogateescape")):
                found = token
        return None if found is None else client_of(found)


def client_of(token: bytes) -> str:
    """How a token's bearer is called in the table: not by the token."""
    return f"token:{hashlib.sha256(token).hexdigest()[:12]}"


def _seal(token: bytes, end: int) -> str:
    return hmac.new(token, f"tronie session until {end}".encode(), hashlib.sha256).hexdigest()
