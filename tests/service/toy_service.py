"""A server that adds twenty jobs and a worker that does them, as programs to be killed: `toy_service.py ROLE URL DATA`.

What they did stands in DATA/log, a line each: `added N ID`, `began ID TOKEN`, `finished ID TOKEN`, `lost ID TOKEN`.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import sys
import time
from pathlib import Path

from tronie.service.housekeeping import keep_house
from tronie.service.job_table import JobTable
from tronie.service.storage import Storage
from tronie.service.stored import Claim, NewJob, PhotoReport, Report, ResultFile, Upload

JOBS, CLIENTS, FILES = 20, 4, 5
LEASE, STEP = 0.8, 0.02
BYTES = 20_000


def log(data: Path, *words: object) -> None:
    handle = os.open(data / "log", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(handle, (" ".join(map(str, words)) + "\n").encode())
    os.close(handle)


def serve(table: JobTable, storage: Storage, data: Path) -> None:
    """Add the jobs under keys, as a client would that asks again until it has an answer; then keep house."""
    for number in range(JOBS):
        id = secrets.token_urlsafe(16)
        spooled = storage.spool()
        (spooled / "001.jpg").write_bytes(b"x" * 1000)
        storage.receive(id, spooled)
        upload = Upload(f"{number}.jpg", "001.jpg", "photo", 1000, "", 1, 1)
        new = NewJob(id, f"client {number % CLIENTS}", {"number": number}, (upload,))
        job, made = table.add(new, key=f"job {number}", most=JOBS, most_each=JOBS)
        if not made:
            storage.remove(id)
        log(data, "added", number, job.id)
        time.sleep(STEP)
        storage.sweep(table.folders(), young=5)
    while True:
        keep_house(table, storage, 10**9)
        time.sleep(0.1)


def work(table: JobTable, storage: Storage, data: Path, name: str) -> None:
    while True:
        claim = table.claim(name, LEASE, 2)
        if claim is None:
            time.sleep(STEP)
            continue
        log(data, "began", claim.job.id, claim.token)
        report = do(table, storage, claim)
        if report is not None and table.finish(claim, "done", report=report, retention=3600):
            log(data, "finished", claim.job.id, claim.token)
        else:
            log(data, "lost", claim.job.id, claim.token)
            storage.discard(storage.attempt(claim.job.id, claim.token))


def do(table: JobTable, storage: Storage, claim: Claim) -> Report | None:
    """Files that are written a bit at a time; None where the job was lost meanwhile."""
    folder = storage.attempt(claim.job.id, claim.token)
    files = []
    for index in range(FILES):
        content = secrets.token_bytes(BYTES)
        with (folder / f"{index}.bin").open("wb") as file:
            for start in range(0, BYTES, BYTES // 2):
                file.write(content[start : start + BYTES // 2])
                file.flush()
                time.sleep(STEP / 2)
        files.append(ResultFile(f"{index}.bin", BYTES, hashlib.sha256(content).hexdigest()))
        if table.renew(claim, LEASE) == "lost" or not table.tell(claim, [{"event": "advanced", "done": index}]):
            return None
    return Report((PhotoReport(0, "ok"),), tuple(files))


if __name__ == "__main__":
    role, url, place = sys.argv[1], sys.argv[2], Path(sys.argv[3])
    the_table, the_storage = JobTable.open(url), Storage(place)
    if role == "server":
        serve(the_table, the_storage, place)
    else:
        work(the_table, the_storage, place, role)
