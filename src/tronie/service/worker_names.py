"""What workers are called, so that those that were killed are known to be gone, and how long one has to end."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tronie.runtime import process_ids

if TYPE_CHECKING:
    from tronie.service.job_table import JobTable

DAY = 24 * 3600
GRACE = 8.0
"""Seconds that a job has to be finished when its worker is to end; then it is given back."""


def worker_name(process: int | None = None) -> str:
    """Of this process or another one of this machine, in the table of workers."""
    return f"{process_ids.here()}-{process_ids.mark(process)}"


def release_lost(table: JobTable) -> int:
    """Take back what workers of this machine had that do not run any more; how many jobs those were."""
    count = 0
    for worker in table.workers(DAY):
        found = re.fullmatch(r"(\w+)-(\d+\.\d+)", worker.name)
        if found and found[1] == process_ids.here() and not process_ids.runs(found[2]):
            count += table.release(worker.name)
    return count
