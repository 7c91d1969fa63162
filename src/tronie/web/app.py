"""The HTTP service put together: `tronie serve` gives this app to uvicorn."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI

from tronie.service.config import ServiceConfig
from tronie.service.job_table import JobTable
from tronie.service.storage import Storage
from tronie.version import __version__
from tronie.web import about, assets, jobs, results, sending, session, stream
from tronie.web.credentials import Credentials
from tronie.web.documents import document
from tronie.web.follower import Follower
from tronie.web.guard import Guard
from tronie.web.metrics import Metrics
from tronie.web.refusals import answer_errors
from tronie.web.served import Looks, Served


def create_app(config: ServiceConfig, table: JobTable, storage: Storage, inspector: Looks) -> FastAPI:
    """`inspector` looks at files that were sent: a `tronie.service.uploads.Inspector`."""
    follower = Follower(table)
    credentials = Credentials(config.tokens)
    metrics = Metrics(table, lambda: served.warm(), lambda: follower.streams)
    served = Served(config, table, storage, inspector, credentials, follower, metrics)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        # What the first /v1/info wants takes a second to load; nobody has to wait for it here.
        warming = asyncio.create_task(asyncio.to_thread(about.warm_up, config))
        yield
        await warming
        await follower.close()

    # No pages of documentation: theirs load scripts from elsewhere. /openapi.json is what they are made of.
    app = FastAPI(
        title="tronie",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.served = served
    app.add_middleware(Guard, config=config, credentials=credentials, observe=metrics.observe)
    routers = [part.router for part in (sending, jobs, stream, results, about, session, assets)]
    for router in routers:
        app.include_router(router)
    answer_errors(app, [route for router in routers for route in router.routes])
    document(app)
    return app
