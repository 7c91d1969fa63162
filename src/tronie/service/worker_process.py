"""The life of a worker process. Little is imported here, so that what takes longest begins first."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from contextlib import suppress

from tronie.errors import TronieError
from tronie.runtime import logs
from tronie.runtime.logs import logger
from tronie.runtime.pipe import end_with_parent
from tronie.service.config import ServiceConfig

log = logger(__name__)

YIELDING = 5
"""Of the workers' processes: whoever asks the server how far a job is should not wait for the job (`nice`)."""


def work(config: ServiceConfig) -> None:
    """Do jobs until SIGTERM, or until the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the server's
    end_with_parent()
    with suppress(AttributeError, OSError):
        os.nice(YIELDING)
    logs.start(tell, logging.WARNING)
    stopped = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: stopped.set())

    from tronie.service.workbench import bench_process

    process = bench_process(config)
    process.begin()  # it loads models while this process gets to know the table

    from tronie.service.job_table import JobTable
    from tronie.service.runner import Runner
    from tronie.service.storage import Storage
    from tronie.service.worker_names import release_lost

    with process:
        try:
            table = JobTable.open(config.database_url, retention=config.retention, attempts=config.attempts)
            release_lost(table)
            runner = Runner(table, Storage(config.data), config, process)
        except TronieError as error:
            log.error("a worker cannot begin: %s", error)
            sys.exit(1)
        signal.signal(signal.SIGTERM, lambda number, frame: runner.stop())
        if not stopped.is_set():
            runner.run()
        table.close()


def tell(line: str) -> None:
    """What an operator should know, to stderr."""
    with suppress(OSError, ValueError, AttributeError):
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()
