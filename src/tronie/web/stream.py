"""GET /v1/jobs/{id}/events: what a job tells, as server-sent events (HTML standard, 9.2)."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Header, Query
from starlette.responses import StreamingResponse

from tronie.service.stored import ENDED
from tronie.web.documents import EVENTS, refuses
from tronie.web.refusals import Refused
from tronie.web.served import Client, JobId, Service

router = APIRouter(tags=["jobs"])

RETRY = 2000
"""Milliseconds after which a browser asks again when the connection broke."""
LARGEST = 2**53
"""No number of an event is larger."""


@router.get(
    "/v1/jobs/{id}/events",
    operation_id="follow_job",
    response_class=StreamingResponse,
    responses={200: EVENTS, **refuses(404)},
)
async def events(
    id: JobId,
    service: Service,
    client: Client,
    after: Annotated[int, Query(ge=0, le=LARGEST, description="Number of the last event that is known already.")] = 0,
    last_event_id: Annotated[str | None, Header(description="The same, as browsers send it; goes before.")] = None,
) -> StreamingResponse:
    """All events of a job from its beginning, then new ones as they come; ends behind its last state.

    Every event has a number (`id`), a name (`event`) and JSON (`data`): those of `tronie run --json events`, with
    `upload`, counted from 0, in place of `source`. Between them `state` tells of the job itself, without a number. The
    stream may be taken up again behind any number, at any server that shares the queue."""
    if last_event_id and last_event_id.isascii() and last_event_id.isdigit():
        after = min(int(last_event_id[:20]), LARGEST)
    if await asyncio.to_thread(service.table.get, id, client) is None:
        raise Refused(404, "There is no such job.")
    service.follower.check(client)
    lines = _lines(service, id, client, after)
    return StreamingResponse(lines, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def _lines(service: Service, id: str, client: str, after: int) -> AsyncIterator[str]:
    yield f"retry: {RETRY}\n\n"
    told: object = None
    async for news in service.follower.follow(id, client, after):
        if news is None:
            yield ": still here\n\n"
            continue
        if news.events:
            yield "".join(_event(event, number) for number, event in news.events)
        now = news.state, news.place, news.reason
        # More to come: the last word must not come before it.
        if now != told and not (news.more and news.state in ENDED):
            told = now
            yield _event({"event": "state", "state": news.state, "place": news.place, "reason": news.reason})
            if news.state in ENDED:
                return


def _event(event: Mapping[str, Any], number: int | None = None) -> str:
    lines = [] if number is None else [f"id: {number}"]
    data = json.dumps({key: value for key, value in event.items() if key != "event"}, ensure_ascii=False)
    return "\n".join([*lines, f"event: {event.get('event', 'note')}", f"data: {data}", "", ""])
