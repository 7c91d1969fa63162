"""While a job is done: the right to it is renewed, its events are passed on, and the wish to end it is heard."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from tronie.errors import TronieError, sentence
from tronie.export.events import event_line
from tronie.runtime.job import Advanced, Event, Job
from tronie.runtime.logs import logger
from tronie.service.job_table import JobTable
from tronie.service.report import public
from tronie.service.stored import Claim, Upload

log = logger(__name__)

Standing = Literal["go", "cancelled", "lost", "given_back"]

TOLD = 0.2
"""Seconds between two looks at what there is to tell."""
RENEWED = 1.0
"""Seconds between two renewals, or a quarter of a short lease: how soon a job hears that it is not wanted any more."""


class Lease:
    """A context in which a claim is kept by a thread of its own, so that it does not matter what the work is at.

    Once the job is cancelled by its client, lost to others, or to be given back because the worker ends (`leave` says
    so), `standing` tells it and `job` is cancelled.
    """

    def __init__(
        self, table: JobTable, claim: Claim, seconds: float, job: Job, leave: Callable[[], bool] = lambda: False
    ) -> None:
        self.standing: Standing = "go"
        self._table, self._claim, self._seconds, self._job, self._leave = table, claim, seconds, job, leave
        self._waiting: list[Mapping[str, Any]] = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="tronie-lease", daemon=True)

    def tell(self, event: Mapping[str, Any]) -> None:
        """Pass it on soon."""
        with self._lock:
            self._waiting.append(event)

    def __enter__(self) -> Lease:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()
        if self.standing == "go":
            try:
                self._pass_on()
            except TronieError as trouble:
                log.warning("the last events of a job are not told: %s", trouble)

    def _keep(self) -> None:
        pause = min(RENEWED, self._seconds / 4)
        held = renewed = time.monotonic()
        while self.standing == "go" and not self._over.wait(min(TOLD, pause)):
            now = time.monotonic()
            try:
                if now - renewed >= pause:
                    renewed = now
                    self.standing = self._table.renew(self._claim, self._seconds)
                    held = now
                if self.standing == "go":
                    self._pass_on()
            except Exception as trouble:  # whatever it is, the job is worked on as long as nobody else may have it
                log.warning("a lease is not renewed: %s", sentence(trouble))
                if now - held > self._seconds:  # others may have it by now
                    self.standing = "lost"
            if self.standing == "go" and self._leave():
                self.standing = "given_back"
        if self.standing != "go":
            self._job.cancel()

    def _pass_on(self) -> None:
        with self._lock:
            some, self._waiting = self._waiting, []
        if not some:
            return
        try:
            if not self._table.tell(self._claim, some):
                self.standing = "lost"
        except TronieError:
            with self._lock:
                self._waiting = [*some, *self._waiting]
            raise


class Teller:
    """What a job's process tells, as its client is to hear it: of uploads by number, and not too often."""

    def __init__(self, folder: Path, uploads: Sequence[Upload]) -> None:
        self.tell: Callable[[Mapping[str, Any]], None] = lambda event: None
        """Where to."""
        self._folder, self._uploads, self._place = folder, uploads, 0
        self._told: dict[tuple[str, int], float] = {}

    def begin(self, place: int) -> None:
        """What is told from now on is of this upload, counted from 0."""
        self._place = place
        self._told.clear()

    def hear(self, event: Event) -> None:
        """To listen to the process."""
        if self._often(event) or (line := event_line(event)) is None:
            return
        if line.pop("source", None) is not None:
            line["upload"] = self._place
        for key in ("text", "error"):
            if isinstance(said := line.get(key), str):
                line[key] = public(said, self._folder, self._uploads[self._place])
        self.tell(line)

    def _often(self, event: Event) -> bool:
        """Of the steps of a stage only some five a second are told, and the last one."""
        if not isinstance(event, Advanced) or event.done == event.total:
            return False
        key, now = (event.stage, event.face), time.monotonic()
        if now - self._told.get(key, -1.0) < TOLD:
            return True
        self._told[key] = now
        return False
