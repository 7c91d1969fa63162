"""Open streams of events, fed together: one look at the table for all streams of this server, a few times a second.

The table is the only channel between workers and servers, so a stream may be open at any server that shares it.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace

from tronie.runtime.logs import logger
from tronie.service.job_table import JobTable
from tronie.service.stored import News
from tronie.web.refusals import Refused

log = logger(__name__)

TICK = 0.2
"""Seconds between two looks."""
QUIET = 15.0
"""Seconds after which a stream that has nothing to tell shows that it lives: proxies cut what is silent for long."""
MOST, MOST_EACH = 2000, 40
"""Open streams: of this server, and of one client."""


@dataclass(eq=False)
class _Stream:
    job: str
    after: int
    """Number of the last event that it has."""
    news: News | None = None
    """What it has not taken yet; while that is something, nothing is fetched for it."""
    stands: object = None
    """How the job stood when it was told last."""
    gone: bool = False
    """Whether the job has been deleted."""
    bell: asyncio.Event = field(default_factory=asyncio.Event)


class Follower:
    """Of one server; all of it runs in the server's loop but for the looks themselves."""

    def __init__(self, table: JobTable, tick: float = TICK) -> None:
        self.table, self.tick = table, tick
        self.closing = False
        self.over: Callable[[], bool] = lambda: False
        """Whether the server is about to end; streams without end would hold it up."""
        self._streams: set[_Stream] = set()
        self._clients: Counter[str] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._hungry = asyncio.Event()
        """Somebody is new, or there is more for somebody: that need not wait for the next tick."""

    @property
    def streams(self) -> int:
        return len(self._streams)

    def check(self, client: str) -> None:
        """Raises Refused where one more stream of this client would be too many."""
        if len(self._streams) >= MOST or self._clients[client] >= MOST_EACH:
            raise Refused(429, "Too many streams of events are open.", wait=10)

    async def follow(self, job: str, client: str, after: int = 0) -> AsyncIterator[News | None]:
        """News of a job as they come, None where there were none for a while; ends when the job is deleted or the
        server is to stop."""
        stream = _Stream(job, after)
        self._streams.add(stream)
        self._clients[client] += 1
        self._hungry.set()
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look())
        try:
            while not (stream.gone or self.closing):
                try:
                    async with asyncio.timeout(QUIET):
                        await stream.bell.wait()
                except TimeoutError:
                    yield None
                    continue
                stream.bell.clear()
                news, stream.news = stream.news, None
                if news is not None:
                    if news.events:
                        stream.after = news.events[-1][0]
                    if news.more:
                        self._hungry.set()
                    yield news
        finally:
            self._streams.discard(stream)
            self._clients[client] -= 1
            if not self._clients[client]:
                del self._clients[client]

    async def close(self) -> None:
        """End all streams."""
        self._end()
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def _end(self) -> None:
        self.closing = True
        for stream in self._streams:
            stream.bell.set()

    async def _look(self) -> None:
        while self._streams and not self.closing:
            if self.over():
                self._end()
                return
            self._hungry.clear()
            hungry = [stream for stream in self._streams if stream.news is None]
            after: dict[str, int] = {}
            for stream in hungry:
                after[stream.job] = min(stream.after, after.get(stream.job, stream.after))
            try:
                found = await asyncio.to_thread(self.table.news, after) if after else {}
            except Exception:
                # A database that is away for a moment must not end the streams: they only wait.
                log.exception("the table cannot be asked")
                await asyncio.sleep(5 * self.tick)
                continue
            for stream in hungry:
                if (news := found.get(stream.job)) is None:
                    stream.gone = True
                    stream.bell.set()
                    continue
                news = replace(news, events=tuple(e for e in news.events if e[0] > stream.after))
                stands = news.state, news.place, news.reason
                if news.events or stands != stream.stands:
                    stream.news, stream.stands = news, stands
                    stream.bell.set()
            with suppress(TimeoutError):
                async with asyncio.timeout(self.tick):
                    await self._hungry.wait()
