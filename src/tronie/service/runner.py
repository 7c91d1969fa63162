"""A worker of the queue: it claims one job after the other and has them done in a process beside it."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from tronie.errors import Cancelled, TronieError, sentence
from tronie.io.paths import distinct, safe_name
from tronie.pipelines.outcome import Outcome, Task
from tronie.runtime.atomic_files import sweep
from tronie.runtime.child_process import TICK, Crash
from tronie.runtime.job import Job
from tronie.runtime.logs import logger
from tronie.runtime.warm_process import WarmProcess
from tronie.service.asked import settings_of
from tronie.service.config import ServiceConfig
from tronie.service.housekeeping import make_room
from tronie.service.job_table import JobTable
from tronie.service.lease import Lease, Teller
from tronie.service.report import report_of
from tronie.service.storage import Storage
from tronie.service.stored import Claim, Report, State, StoredJob, Upload
from tronie.service.workbench import LONGEST, Order, bench_process
from tronie.service.worker_names import GRACE, worker_name
from tronie.settings import Settings
from tronie.version import __version__

log = logger(__name__)

IDLE, LAZY = 0.2, 0.5
"""Seconds between two looks for a job: after the last one, and when there was none for long."""
BEAT = 3.0
"""Seconds after which a worker is heard of again."""
TROUBLE = 5.0
"""Seconds that are waited after something that will not be better at once."""


class Runner:
    """One worker. It belongs to the thread that makes it."""

    def __init__(
        self,
        table: JobTable,
        storage: Storage,
        config: ServiceConfig,
        process: WarmProcess[Order, Outcome] | None = None,
    ) -> None:
        self.name = worker_name()
        self._table, self._storage, self._config = table, storage, config
        self._process = process or bench_process(config)
        self._stop = threading.Event()
        self._stopped = 0.0
        self._beat = 0.0

    def stop(self) -> None:
        """Have it end: what is in work is finished if that takes no longer than GRACE, else given back."""
        self._stopped = time.monotonic()
        self._stop.set()

    def run(self) -> None:
        """Until it is stopped."""
        with self._process:
            found = 0.0
            while not self._stop.is_set():
                try:
                    if not self._process.ready(TICK):
                        self._seen(ready=False, busy=False)
                        continue
                    self._seen(ready=True, busy=False)
                    claim = self._table.claim(self.name, self._config.lease, self._config.attempts)
                except TronieError as trouble:
                    log.warning("no job can be done: %s", trouble)
                    self._stop.wait(TROUBLE)
                    continue
                if claim is not None:
                    self.do(claim)
                    found = time.monotonic()
                else:
                    self._stop.wait(IDLE if time.monotonic() - found < 60 else LAZY)
        with suppress(TronieError):
            self._table.release(self.name)

    def do(self, claim: Claim) -> None:
        """One job, from its uploads to its end in the table."""
        log.info("job of %d files begins", len(claim.job.uploads))
        self._seen(ready=True, busy=True, now=True)
        folder: Path | None = None
        published: bool | None = False
        try:
            folder = self._storage.attempt(claim.job.id, claim.token)
            published = self._done(claim, folder)
        except TronieError as trouble:
            log.warning("a job cannot be worked on: %s", trouble)
            published = self._finish(claim, "failed", "The service's disk cannot be written to.", None)
        finally:
            # None: the table did not answer, and may have taken it or not. The next sweep knows.
            if folder is not None and published is False:
                with suppress(TronieError):
                    self._storage.discard(folder)
                self._tidy(claim.job)

    def _done(self, claim: Claim, folder: Path) -> bool | None:
        """Whether the folder is published; None where nobody knows."""
        teller = Teller(folder, claim.job.uploads)
        job = Job(teller.hear)
        state: State = "failed"
        reason: str | None = None
        report: Report | None = None
        with Lease(self._table, claim, self._config.lease, job, self._leaves) as lease:
            teller.tell = lease.tell
            try:
                settings = settings_of(claim.job.settings, self._config)
                outcomes = self._uploads(claim.job, folder, settings, job, teller)
                self._storage.seal(folder)
                report = report_of(folder, claim.job.uploads, outcomes)
                make_room(self._table, self._storage, report.bytes, self._config.quota)
                state, reason = end_of(report, claim.job.uploads)
                report = report if state == "done" else without_files(report)
                job.check()
            except Cancelled:
                state, report = "cancelled", None
            except TronieError as trouble:
                state, reason, report = "failed", str(trouble), None
            except Exception as error:
                log.exception("a job failed")
                state, reason, report = "failed", sentence(error), None
        if lease.standing == "given_back":
            with suppress(TronieError):
                self._table.give_back(claim)
            return False
        if lease.standing == "lost":
            return False
        return self._finish(claim, state, reason, report)

    def _finish(self, claim: Claim, state: State, reason: str | None, report: Report | None) -> bool | None:
        tried = time.monotonic()
        while True:
            try:
                kept = self._config.retention
                ours = self._table.finish(claim, state, reason=reason, report=report, retention=kept)
                return ours and state == "done"
            except TronieError as trouble:
                log.warning("the end of a job is not told: %s", trouble)
                if self._stop.is_set() or time.monotonic() - tried > self._config.lease:
                    return None
                time.sleep(IDLE)

    def _uploads(self, stored: StoredJob, folder: Path, settings: Settings, job: Job, teller: Teller) -> list[Outcome]:
        """Do them one after the other; what fails with one stays with it."""
        names = distinct({place: safe_name(Path(each.name).stem) for place, each in enumerate(stored.uploads)})
        longest = LONGEST * self._config.file_seconds
        outcomes = []
        for place, upload in enumerate(stored.uploads):
            teller.begin(place)
            task = Task(upload.file, folder, names[place], clip=upload.kind == "clip")
            if self._storage.input(stored, place) is None:
                gone = f"{upload.name} is not there any more."
                outcomes.append(Outcome(task.source, task.folder, "error", reason=gone))
                continue
            began = time.monotonic()
            answer = self._process.do(Order(settings, task, self._storage.inputs(stored)), job, longest)
            if isinstance(answer, Crash):
                sweep(folder)  # what the process that was lost had half written
                reason = f"Not finished: {answer.reason}."
                answer = Outcome(task.source, task.folder, "error", seconds=time.monotonic() - began, reason=reason)
            outcomes.append(answer)
        return outcomes

    def _leaves(self) -> bool:
        """Asked by the lease's thread while a job is done."""
        self._seen(ready=True, busy=True)
        return self._stop.is_set() and time.monotonic() - self._stopped > GRACE

    def _seen(self, *, ready: bool, busy: bool, now: bool = False) -> None:
        time_now = time.monotonic()
        if now or time_now - self._beat > BEAT:
            self._beat = time_now
            try:
                self._table.seen(self.name, ready=ready, busy=busy, version=__version__)
            except TronieError as trouble:  # nothing that a job should suffer from
                log.warning("this worker cannot be heard of: %s", trouble)

    def _tidy(self, job: StoredJob) -> None:
        """A job that was deleted while it was in work may have got its folder back by our writing."""
        with suppress(TronieError, OSError):
            if self._table.get(job.id) is None:
                self._storage.folder(job.id).rmdir()


def end_of(report: Report, uploads: Sequence[Upload]) -> tuple[State, str | None]:
    """A job has failed when nothing of it worked: no upload could be worked on."""
    bad = [photo for photo in report.photos if photo.status == "error"]
    if len(bad) < len(uploads):
        return "done", None
    if len(bad) == 1:
        return "failed", bad[0].reason or f"{uploads[0].name} could not be worked on."
    return "failed", f"None of the {len(bad)} files could be worked on; of the first: {bad[0].reason}"


def without_files(report: Report) -> Report:
    """The same of a job of which no files are kept."""
    return Report(tuple(replace(photo, faces=(), files={}) for photo in report.photos))
