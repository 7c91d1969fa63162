"""What goes when: jobs whose time is over, the oldest ones where room is wanted, files that no job has any more.

Any number of servers and workers may do this at a time.
"""

from __future__ import annotations

from contextlib import suppress

from tronie.errors import OutputError
from tronie.service.job_table import JobTable
from tronie.service.storage import Storage
from tronie.service.stored import QuotaFull

FULL = "There is no room left for this on the service's disk; delete some of your jobs, or try again later."


def delete_job(table: JobTable, storage: Storage, id: str, *, ended: bool = False) -> bool:
    """A job with its children: first from the table, so that nobody is sent to its files, then the files at once.
    False: it was not there, or it runs though only an `ended` one was to go."""
    family = table.family(id)
    if not table.delete(id, ended=ended):
        return False
    for each in {id, *family}:
        with suppress(OutputError):  # the next sweep tries again
            storage.remove(each)
    return True


def make_room(table: JobTable, storage: Storage, wanted: int, quota: int) -> None:
    """Delete the oldest jobs that have ended until so many bytes more have room. To be called before a job is added,
    with the bytes of its uploads, and before one is finished, with those of its result. Raises QuotaFull."""
    if wanted > quota:
        raise QuotaFull(FULL)
    while table.stored_bytes() + wanted > quota:
        gone = False
        for id in table.oldest():
            gone = delete_job(table, storage, id, ended=True) or gone
            if table.stored_bytes() + wanted <= quota:
                return
        if not gone:
            raise QuotaFull(FULL)


def keep_house(table: JobTable, storage: Storage, quota: int) -> int:
    """One round, to be done at start and then every minute or so; how many things went."""
    gone = sum(delete_job(table, storage, id, ended=True) for id in table.expired())
    with suppress(QuotaFull):
        make_room(table, storage, 0, quota)
    # The table is asked before the disk: what comes in between is young.
    gone += storage.sweep(table.folders())
    table.tidy()
    return gone
