"""Connections on which no request comes: uvicorn itself waits for the headers of one without end."""

from __future__ import annotations

import asyncio
import socket

from uvicorn.protocols.http.h11_impl import H11Protocol

LONGEST = 20.0
"""Seconds that a request's line and headers may take to come."""


class PatientProtocol(H11Protocol):
    """For `http` of uvicorn's configuration. What takes too long is closed without an answer; bodies have limits of
    their own (`tronie.web.bodies`)."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        # Headers and body are two writes; together with slow acknowledgements each answer would take 40 ms longer.
        if (line := transport.get_extra_info("socket")) is not None and line.family != getattr(socket, "AF_UNIX", None):
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._begin_waiting()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_waiting()
        elif self._deadline is None:
            self._begin_waiting()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def _begin_waiting(self) -> None:
        self._deadline = self.loop.call_later(LONGEST, self._give_up)

    def _stop_waiting(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _give_up(self) -> None:
        # A request may have come and gone in the meantime: between two of them another limit holds.
        if (self.cycle is None or self.cycle.response_complete) and self.timeout_keep_alive_task is None:
            self.transport.close()
