"""Eight clients at a real `tronie serve`: how long answers take while jobs run, whether all goes well, in what order.

    taskset -c 0,1 python -m benchmarks.service PHOTO ... [--clients 8] [--seconds 60] [--database URL]

Every client comes from a loopback address of its own (Linux), keeps some jobs waiting, asks for the state of one of
them five times a second, and follows the events of another.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

WAITING = 3
"""Jobs that each client keeps in the queue."""
PAUSE = 0.2
"""Seconds between two questions of a client."""
PATIENCE = 300.0
"""Seconds that the service may take to begin."""


@dataclass
class Told:
    """What all clients saw together."""

    answers: Counter[str] = field(default_factory=Counter)
    """What was asked and the status -> how often."""
    errors: list[str] = field(default_factory=list)
    seconds: dict[str, list[float]] = field(default_factory=dict)
    """What was asked -> how long each answer took, while jobs ran."""
    events: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, what: str, status: int, seconds: float) -> None:
        with self.lock:
            self.answers[f"{what} {status}"] += 1
            self.seconds.setdefault(what, []).append(seconds)
            if status >= 400:
                self.errors.append(f"{what}: {status}")

    def wrong(self, what: str, error: Exception) -> None:
        with self.lock:
            self.errors.append(f"{what}: {type(error).__name__} {error}")


class Client(threading.Thread):
    """One of them."""

    def __init__(self, number: int, address: str, photos: Sequence[Path], told: Told, over: threading.Event) -> None:
        super().__init__(name=f"client-{number}")
        self.http = httpx.Client(
            base_url=address, transport=httpx.HTTPTransport(local_address=f"127.0.0.{number + 2}"), timeout=30
        )
        self.photos, self.told, self.over = photos, told, over
        self.dice = random.Random(number)
        self.jobs: dict[str, dict[str, Any]] = {}

    def run(self) -> None:
        listener = threading.Thread(target=self.listen)
        listener.start()
        while not self.over.is_set():
            waiting = [job for job in self.jobs.values() if job["state"] == "queued"]
            if len(waiting) < WAITING:
                self.send()
            open_ = [id for id, job in self.jobs.items() if job["state"] in ("queued", "running")]
            if open_ and (answer := self.ask("status", "GET", f"/v1/jobs/{self.dice.choice(open_)}")):
                self.jobs[answer["id"]] = answer
            self.over.wait(PAUSE * self.dice.uniform(0.5, 1.5))
        listener.join()

    def send(self) -> None:
        photo = self.dice.choice(self.photos)
        if made := self.ask("upload", "POST", "/v1/jobs", files={"files": (photo.name, photo.read_bytes())}):
            self.jobs[made["id"]] = made

    def ask(self, what: str, method: str, url: str, **more: Any) -> dict[str, Any] | None:
        began = time.perf_counter()
        try:
            answer = self.http.request(method, url, **more)
        except httpx.HTTPError as error:
            self.told.wrong(what, error)
            return None
        self.told.add(what, answer.status_code, time.perf_counter() - began)
        return answer.json() if answer.status_code < 300 else None

    def listen(self) -> None:
        """Follow one job after the other to its end."""
        while not self.over.wait(0.1):
            ids = [id for id, job in list(self.jobs.items()) if job["state"] in ("queued", "running")]
            if not ids:
                continue
            try:
                with self.http.stream("GET", f"/v1/jobs/{ids[0]}/events") as stream:
                    if stream.status_code != 200:
                        self.told.wrong("events", RuntimeError(str(stream.status_code)))
                        return
                    for line in stream.iter_lines():
                        self.told.events += line.startswith("event:")
                        if self.over.is_set():
                            return
            except httpx.HTTPError as error:
                if not self.over.is_set():
                    self.told.wrong("events", error)


@contextmanager
def service(data: Path, database: str | None) -> Iterator[tuple[str, int]]:
    """A `tronie serve` that is warm: its address, and its process."""
    command = [sys.executable, "-m", "tronie", "serve", "--port", "0", "--data", str(data)]
    command += ["--database", database] if database else []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        try:
            address = next(word for word in process.stdout.readline().split() if word.startswith("http")).rstrip("/")
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                try:
                    if httpx.get(f"{address}/readyz", timeout=5).status_code == 200:
                        break
                except httpx.HTTPError:
                    pass
                time.sleep(0.2)
            yield address, process.pid
        finally:
            process.terminate()
            process.wait(60)


def overtaken(clients: Sequence[Client]) -> int:
    """How often a client's job was begun though another client's had waited since before this client's last one."""
    begun = [
        (datetime.fromisoformat(job["started"]).timestamp(), datetime.fromisoformat(job["created"]).timestamp(), number)
        for number, client in enumerate(clients)
        for job in client.jobs.values()
        if job["started"]
    ]
    count = 0
    for started, _, number in begun:
        before = max((at for at, _, who in begun if who == number and at < started), default=None)
        if before is not None:
            count += any(made < before and at > started for at, made, who in begun if who != number)
    return count


def share(values: Sequence[float], part: float) -> float:
    return sorted(values)[round(part * (len(values) - 1))]


def memory(pid: int) -> float:
    """MB of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1000 for line in lines if line.startswith("VmRSS"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path, nargs="+")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--database")
    given = parser.parse_args()

    told, over = Told(), threading.Event()
    with tempfile.TemporaryDirectory() as folder, service(Path(folder) / "data", given.database) as (address, pid):
        first = memory(pid)
        clients = [Client(number, address, given.photos, told, over) for number in range(given.clients)]
        for client in clients:
            client.start()
        time.sleep(given.seconds)
        over.set()
        for client in clients:
            client.join()
        for client in clients:
            for job in client.http.get("/v1/jobs?limit=200").json()["jobs"]:
                client.jobs[job["id"]] = job
        last = memory(pid)

    states = Counter(job["state"] for client in clients for job in client.jobs.values())
    print(f"{given.clients} clients, {given.seconds:.0f} s: jobs {dict(states)}, {told.events} events")
    for what, seconds in sorted(told.seconds.items()):
        figures = ", ".join(f"p{round(100 * part)} {1000 * share(seconds, part):.0f}" for part in (0.5, 0.95, 0.99, 1))
        print(f"{what:7} {len(seconds):5} answers, ms: {figures}")
    done = [sum(job["state"] in ("done", "running") for job in client.jobs.values()) for client in clients]
    print(f"jobs begun, by client: {done}; overtaken: {overtaken(clients)}")
    failed = [job["reason"] for client in clients for job in client.jobs.values() if job["state"] == "failed"]
    print(f"errors: {len(told.errors)} {told.errors[:5]}; failed jobs: {failed[:5]}")
    print(f"memory of the server: {first:.0f} MB, then {last:.0f} MB")
    return 1 if told.errors or failed else 0


if __name__ == "__main__":
    sys.exit(main())
