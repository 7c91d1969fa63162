"""The worker processes of one machine: begun, watched, begun anew when they end, and ended with this process."""

from __future__ import annotations

import multiprocessing
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.process import BaseProcess

from tronie.errors import TronieError
from tronie.runtime.logs import logger
from tronie.service.config import ServiceConfig
from tronie.service.job_table import JobTable
from tronie.service.worker_names import GRACE, worker_name
from tronie.service.worker_process import work

log = logger(__name__)

WATCHED = 0.25
"""Seconds between two looks at whether all are there."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds before a worker that ended is begun anew: twice as long each time, unless it lived for long."""
LONG = 60.0


@dataclass(slots=True)
class Place:
    """Where a worker is, or is to be."""

    process: BaseProcess | None = None
    name: str = ""
    begun: float = 0.0
    due: float = 0.0
    """When the next one is to begin."""
    pause: float = FIRST_PAUSE


class Crew:
    """So many workers as the config says, kept alive by a thread until `close`."""

    def __init__(self, config: ServiceConfig, table: JobTable) -> None:
        # What workers need not know they are not told.
        self._config, self._table = config.model_copy(update={"tokens": ()}), table
        self._places = [Place() for _ in range(config.workers)]
        self._over = threading.Event()
        # A worker ends with the thread that began it.
        self._thread = threading.Thread(target=self._keep, name="tronie-crew", daemon=True)

    def begin(self) -> None:
        """Nothing is waited for."""
        self._thread.start()

    def close(self) -> None:
        """Have the workers end: what they are at is finished if that takes a few seconds, else given back."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _keep(self) -> None:
        while not self._over.is_set():
            for place in self._places:
                if place.process is not None and not place.process.is_alive():
                    self._lost(place)
                if place.process is None and time.monotonic() >= place.due:
                    self._start(place)
            self._over.wait(WATCHED)
        running = [place for place in self._places if place.process is not None]
        for place in running:
            assert place.process is not None
            place.process.terminate()
        end = time.monotonic() + GRACE + 4
        for place in running:
            assert place.process is not None
            place.process.join(max(0.0, end - time.monotonic()))
            if place.process.is_alive():
                place.process.kill()
                place.process.join()
            self._release(place)

    def _start(self, place: Place) -> None:
        process = multiprocessing.get_context("spawn").Process(target=work, args=(self._config,), name="tronie-worker")
        process.start()
        place.process, place.name, place.begun = process, worker_name(process.pid), time.monotonic()

    def _lost(self, place: Place) -> None:
        assert place.process is not None
        log.warning("a worker ended (exit code %s); another one begins", place.process.exitcode)
        lived = time.monotonic() - place.begun
        place.pause = FIRST_PAUSE if lived > LONG else min(2 * place.pause, LONGEST_PAUSE)
        place.process, place.due = None, time.monotonic() + place.pause
        self._release(place)

    def _release(self, place: Place) -> None:
        """What it had others may do at once."""
        with suppress(TronieError):
            self._table.release(place.name)
