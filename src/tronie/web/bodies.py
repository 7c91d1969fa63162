"""The body of a request while it comes in: not too much, and not too slowly."""

from __future__ import annotations

import asyncio
import math
import time

from starlette.datastructures import Headers
from starlette.types import Message, Receive

from tronie.web.refusals import Refused

PAUSE = 30.0
"""Seconds after which a body of which nothing more comes is given up."""
GRACE, SLOWEST = 60.0, 2000
"""After so many seconds fewer bytes a second, all in all, are too few: somebody only holds the connection."""

DIGITS = 18
"""Of a length: Python makes no number of thousands of them."""


class Body:
    """To be called in place of `receive`. Raises Refused."""

    def __init__(self, receive: Receive, headers: Headers, most: int, beside: int = 0) -> None:
        """`beside`: bytes that may come in addition, for what is around files; nobody is told of them."""
        self._receive, self._told, self._most = receive, most, most + beside
        self._began, self._got, self._whole = time.monotonic(), 0, False
        self._more = "content-length" in headers or "transfer-encoding" in headers
        """Whether there is a body to wait for."""
        length = headers.get("content-length", "0")
        told = int(length) if length.isdecimal() and len(length) <= DIGITS else math.inf
        if told > self._most:
            # What is only a little too large is let come and thrown away: a browser that is cut off while it sends
            # says that the network failed, and never shows the sentence.
            raise self._too_large(close=told > 4 * self._most)

    async def __call__(self) -> Message:
        if self._whole or not self._more:
            return await self._receive()
        try:
            async with asyncio.timeout(PAUSE):
                message = await self._receive()
        except TimeoutError:
            raise Refused(408, "The request came too slowly.", headers={"Connection": "close"}) from None
        if message["type"] == "http.request":
            self._got += len(message.get("body", b""))
            self._whole = not message.get("more_body", False)
            if self._got > self._most:
                raise self._too_large()
            seconds = time.monotonic() - self._began
            if seconds > GRACE and self._got < SLOWEST * seconds and not self._whole:
                raise Refused(408, "The request came too slowly.", headers={"Connection": "close"})
        return message

    def _too_large(self, close: bool = True) -> Refused:
        most = f"{self._told / 1e6:.0f} MB" if self._told >= 1e6 else f"{self._told / 1e3:.0f} kB"
        return Refused(413, f"The request is larger than {most}.", headers={"Connection": "close"} if close else {})
