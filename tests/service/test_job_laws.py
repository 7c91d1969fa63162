"""Laws of the job table under any order of events, on both databases: each job is done by one worker at a time, none
is lost, nobody waits while another client is served twice, events have no gaps, and who lost a job cannot harm it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field, replace

import pytest

pytest.importorskip("sqlalchemy")

import sqlalchemy as sa
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from postgres import each_database, running_postgres  # noqa: F401

from tronie.service.database import CLIENTS, EVENTS, JOBS, QUEUE, WORKERS
from tronie.service.job_table import JobTable
from tronie.service.stored import ENDED, Claim, NewJob, QueueFull, Report, ResultFile, State, Upload

UPLOADS = (Upload("ä\0\ud800.jpg", "001.jpg", "photo", 10, "00", 30, 40),)
KEPT = (replace(UPLOADS[0], name="ä\0?.jpg"),)
"""As they come back: there are no halves of letters in JSON."""
LEASE, NOW = 60.0, -1.0
"""A lease that does not run out while a test runs, and one that has run out at once."""
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
"""To make a failing example smaller would take minutes; it is worth that only to somebody who waits for it."""
ATTEMPTS, MOST, MOST_EACH = 2, 12, 6
ANY = st.integers(0, 10**6)
CLIENT, WORKER = st.sampled_from("ABC"), st.sampled_from(["one", "two"])


@dataclass
class Known:
    """A job as it should be."""

    client: str
    parent: str | None = None
    state: State = "queued"
    attempts: int = 0
    served: bool = False
    claim: Claim | None = None
    worker: str = ""
    stop: bool = False
    ran_out: bool = False
    events: list[dict[str, object]] = field(default_factory=list)


class Queue(RuleBasedStateMachine):
    """Two workers, three clients, and all that can come between them."""

    def __init__(self, table: JobTable) -> None:
        super().__init__()
        self.table = table
        with table._writing() as connection:
            for each in (EVENTS, JOBS, CLIENTS, WORKERS):
                connection.execute(sa.delete(each))
            connection.execute(sa.update(QUEUE).values(turn=0, claims=0))
        self.jobs: dict[str, Known] = {}
        self.gone: set[str] = set()
        self.keys: dict[tuple[str, str], str] = {}
        self.lost: list[Claim] = []
        self.ahead: dict[tuple[str, str], int] = defaultdict(int)
        """How much oftener the first client was served than the second since both wait."""
        self.serial = 0

    def waiting(self, client: str | None = None, *, fresh: bool = False) -> list[str]:
        return [
            id
            for id, job in self.jobs.items()
            if job.state == "queued" and client in (None, job.client) and not (fresh and job.served)
        ]

    def pick(self, number: int, *states: str) -> str | None:
        found = [id for id, job in self.jobs.items() if job.state in states]
        return found[number % len(found)] if found else None

    def forget(self, id: str) -> None:
        """A job is held by its worker no more."""
        job = self.jobs[id]
        if job.claim is not None:
            self.lost.append(job.claim)
        job.claim, job.stop, job.ran_out = None, False, False

    def take_back(self, id: str) -> None:
        job = self.jobs[id]
        stop = job.stop
        self.forget(id)
        if stop:
            job.state = "cancelled"
        elif job.attempts >= ATTEMPTS:
            job.state = "failed"
        else:
            job.state = "queued"
            job.events.append({"event": "note"})

    @rule(client=CLIENT, key=st.none() | st.sampled_from("kl"), again=st.none() | ANY)
    def add(self, client: str, key: str | None, again: int | None) -> None:
        self.serial += 1
        id = f"job{self.serial:04}"
        mine = [known for known, job in self.jobs.items() if job.client == client]
        parent = mine[again % len(mine)] if again is not None and mine else None
        full = len(self.waiting(client)) >= MOST_EACH or len(self.waiting()) >= MOST
        known = self.keys.get((client, key or ""))
        new = NewJob(id, client, {"seed": self.serial}, UPLOADS, parent)
        if full and known not in self.jobs:
            with pytest.raises(QueueFull):
                self.table.add(new, key=key, most=MOST, most_each=MOST_EACH)
            return
        job, made = self.table.add(new, key=key, most=MOST, most_each=MOST_EACH)
        assert made == (known not in self.jobs)
        assert job.id == (id if made else known)
        if made:
            root = None if parent is None else self.jobs[parent].parent or parent
            self.jobs[id] = Known(client, root)
            self.keys[client, key or ""] = id if key else ""
            assert (job.parent, job.uploads, job.settings) == (root, KEPT, {"seed": self.serial})

    @rule(worker=WORKER)
    def claim(self, worker: str) -> None:
        for id, job in self.jobs.items():
            if job.state == "running" and job.ran_out:
                self.take_back(id)
        claim = self.table.claim(worker, LEASE, ATTEMPTS)
        if claim is None:
            assert not self.waiting()
            return
        job = self.jobs[claim.job.id]
        assert job.state == "queued", "it is done twice"
        again = [id for id in self.waiting(job.client) if self.jobs[id].served]
        assert claim.job.id in (again or self.waiting(job.client)[:1]), "not the first of its client"
        if not job.served:
            for other in {"A", "B", "C"} - {job.client}:
                if self.waiting(other, fresh=True):
                    self.ahead[job.client, other] += 1
                    self.ahead[other, job.client] -= 1
                    assert self.ahead[job.client, other] <= 1, "somebody was passed over"
        job.state, job.claim, job.worker = "running", claim, worker
        job.served = True
        job.attempts += 1
        assert claim.job.attempts == job.attempts

    @rule(number=ANY, run_out=st.booleans())
    def renew(self, number: int, run_out: bool) -> None:
        if (id := self.pick(number, "running")) is not None:
            job = self.jobs[id]
            assert job.claim is not None
            assert self.table.renew(job.claim, NOW if run_out else LEASE) == ("cancelled" if job.stop else "go")
            job.ran_out = run_out

    @rule(number=ANY, count=st.integers(0, 3))
    def tell(self, number: int, count: int) -> None:
        if (id := self.pick(number, "running")) is not None:
            job = self.jobs[id]
            assert job.claim is not None
            events = [{"event": "advanced", "done": i, "text": "\0ü\ud800"} for i in range(count)]
            assert self.table.tell(job.claim, events)
            job.events += events

    @rule(number=ANY, state=st.sampled_from(sorted(ENDED)))
    def finish(self, number: int, state: State) -> None:
        if (id := self.pick(number, "running")) is not None:
            job = self.jobs[id]
            assert job.claim is not None
            report = Report((), (ResultFile("a/head.glb", 7, "00"),)) if state == "done" else None
            assert self.table.finish(job.claim, state, reason="So.\0\ud800", report=report, retention=60)
            token = job.claim.token
            # Whoever did not hear the answer may ask again, and is not told to remove what is published.
            assert self.table.finish(job.claim, state, report=report, retention=60) == (state == "done")
            self.forget(id)
            job.state = state
            stored = self.table.get(id)
            assert stored is not None
            assert stored.report == report
            assert stored.result == (token if state == "done" else None)
            assert stored.expires == pytest.approx(stored.ended + 60, abs=1e-3)

    @rule(number=ANY)
    def give_back(self, number: int) -> None:
        if (id := self.pick(number, "running")) is not None:
            job = self.jobs[id]
            assert job.claim is not None
            assert self.table.give_back(job.claim)
            job.state = "cancelled" if job.stop else "queued"
            job.attempts -= job.state == "queued"
            self.forget(id)

    @precondition(lambda self: self.lost)
    @rule(number=ANY)
    def late(self, number: int) -> None:
        """A worker that was taken for dead speaks up."""
        claim = self.lost[number % len(self.lost)]
        assert self.table.renew(claim, LEASE) == "lost"
        assert not self.table.tell(claim, [{"event": "advanced"}])
        assert not self.table.give_back(claim)
        stored = self.table.get(claim.job.id)
        published = stored is not None and stored.result == claim.token
        assert self.table.finish(claim, "done", report=Report(), retention=60) == published

    @rule(number=ANY)
    def cancel(self, number: int) -> None:
        if (id := self.pick(number, "queued", "running", *ENDED)) is not None:
            job = self.jobs[id]
            assert self.table.cancel(id) == (job.state not in ENDED)
            if job.state == "queued":
                job.state = "cancelled"
            job.stop = job.state == "running"

    @rule(number=ANY, ended=st.booleans())
    def delete(self, number: int, ended: bool) -> None:
        if (id := self.pick(number, "queued", "running", *ENDED)) is not None:
            family = [each for each, job in self.jobs.items() if id in (each, job.parent)]
            assert set(self.table.family(id)) == set(family)
            kept = ended and any(self.jobs[each].state not in ENDED for each in family)
            assert self.table.delete(id, ended=ended) != kept
            for each in [] if kept else family:
                self.forget(each)
                del self.jobs[each]
                self.gone.add(each)

    @rule(worker=WORKER)
    def release(self, worker: str) -> None:
        mine = [id for id, job in self.jobs.items() if job.state == "running" and job.worker == worker]
        assert self.table.release(worker) == len(mine)
        for id in mine:
            self.take_back(id)

    @invariant()
    def all_is_as_it_should_be(self) -> None:
        for a in "ABC":
            for b in "ABC":
                if not (self.waiting(a, fresh=True) and self.waiting(b, fresh=True)):
                    self.ahead[a, b] = 0
        assert self.table.ids() == set(self.jobs)
        counts = self.table.counts()
        places = []
        for client in "ABC":
            listed = self.table.recent(client, children=True)
            assert {job.id for job in listed} == {id for id, job in self.jobs.items() if job.client == client}
            for job in listed:
                known = self.jobs[job.id]
                assert (job.state, job.attempts, job.parent) == (known.state, known.attempts, known.parent)
                assert (job.place is not None) == (job.state == "queued")
                assert (job.expires is not None) == (job.ended is not None) == (job.state in ENDED)
                assert not (job.state == "failed" and not job.reason)
                counts[job.state] -= 1
                places += [job.place] if job.place is not None else []
        assert not any(counts.values())
        assert sorted(places) == list(range(len(places)))

    def teardown(self) -> None:
        for id, job in self.jobs.items():
            events = self.table.events(id)
            assert [number for number, _ in events] == list(range(1, len(events) + 1))
            assert [event["event"] for _, event in events] == [event["event"] for event in job.events]
        for id in self.gone:
            assert self.table.get(id) is None
            assert self.table.events(id) == []
        # Whatever happened, what waits is done in the end.
        for _ in range(2 * len(self.jobs)):
            self.claim("one")
        assert not self.waiting()


def run(url: str, examples: int, steps: int) -> None:
    table = JobTable.open(url)
    try:
        run_state_machine_as_test(
            lambda: Queue(table), settings=settings(max_examples=examples, stateful_step_count=steps, phases=PHASES)
        )
    finally:
        table.close()


def test_laws(database: str) -> None:
    run(database, 5 if database.startswith("sqlite") else 2, 25)


@pytest.mark.slow
def test_laws_at_length(database: str) -> None:
    run(database, 100, 50)
