"""Outputs in a store: the results of a photo under its name, the manifest, and beside it, in `.tronie/`, what belongs
to runs. A store has no locks; a lease takes their place, an object that its holder writes anew every few seconds.

How old a lease is, is told by the store's own clock, so it does not matter what machines' clocks say. One whose holder
is gone from this machine counts for nothing at once; of another machine's, once it was not renewed for LEASE seconds.
Who takes it over waits a moment and looks whether somebody else did so too; a holder that finds his lease gone stops.
"""

from __future__ import annotations

import json
import os
import platform
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from tronie.errors import InputError, OutputError
from tronie.io.paths import is_address
from tronie.io.store import Store
from tronie.jobs.place import FACE, OURS, RECORDS, Folder, Place
from tronie.runtime import folder_lock
from tronie.runtime.atomic_files import scratch, sweep, write_file
from tronie.runtime.process_ids import here, mark, runs

OWN = ".tronie/"
"""Where our own files lie."""
UNFINISHED = ".unfinished"
"""In the folder of a photo as long as not all of its files are there."""
LEASE = 60.0
"""Seconds after which a lease that was not renewed is nobody's."""
BEAT = 5.0
"""Seconds between renewals."""
SETTLING = 1.0
"""Seconds after which who took over a lease looks whether it still is his."""


class Bucket:
    """A place in a store. `work` is a folder of this machine for what is on its way there."""

    def __init__(self, url: str, work: Path) -> None:
        self._store = Store.at(url)
        self.address = self.store = self._store.url
        self.work = work
        self._leases: list[_Lease] = []

    @cached_property
    def _names(self) -> set[str]:
        return {item.name for item in self._store.items(deep=False)}

    def shown(self, name: str) -> str:
        return self._store.below(name)

    def prepare(self) -> None:
        self.sweep()

    def sweep(self) -> None:
        sweep(self.work)

    def own(self) -> list[str]:
        return [item.name for item in self._store.items(OWN.rstrip("/"), deep=False)]

    def has(self, name: str) -> bool:
        return name in self._names

    def ours(self, name: str) -> bool:
        inside = [item.name for item in self._store.items(name)]
        return any(one in OURS or one == UNFINISHED or one.endswith("/face.json") for one in inside)

    def faces(self, name: str) -> Iterator[tuple[int, bytes]]:
        found = [FACE.fullmatch(item.name) for item in self._store.items(name, deep=False)]
        for number in sorted(int(one[1]) for one in found if one):
            if text := self._store.read(f"{name}/face-{number}/face.json"):
                yield number, text

    def file(self, name: str) -> Path | None:
        path = self.work / name
        if self._store.version(_placed(name)) is None:
            return None
        self._store.fetch(_placed(name), path)
        return path

    def write(self, name: str, chunks: Iterable[bytes]) -> None:
        for lease in self._leases:
            lease.check()
        write_file(self.work / name, chunks)
        with as_output():
            self._store.put_files({_placed(name): self.work / name})

    def remove(self, name: str) -> None:
        with suppress(InputError):
            self._store.remove([_placed(name)])

    @contextmanager
    def locked(self, name: str = folder_lock.FILE, busy: str = "") -> Iterator[None]:
        lease = _Lease(self._store, _placed(name))
        with as_output():
            taken = lease.take(patience=LEASE + BEAT, living=False)
        if not taken:
            raise OutputError(
                busy
                or f"Another run is writing into {self.address}{lease.told()}; wait until it has ended, or choose "
                "another place with -o."
            )
        with self._held(lease):
            yield

    def is_locked(self, name: str) -> bool:
        return _Lease(self._store, _placed(name)).alive()

    @contextmanager
    def gate(self, name: str) -> Iterator[None]:
        lease = _Lease(self._store, _placed(name))
        with as_output():
            taken = lease.take(patience=folder_lock.PATIENCE, living=True)
        if not taken:
            raise OutputError(
                f"Another run has held {self._store.below(_placed(name))} for ten minutes{lease.told()}; look whether "
                "it has stopped, or choose another place."
            )
        with self._held(lease):
            yield

    @contextmanager
    def _held(self, lease: _Lease) -> Iterator[None]:
        self._leases.append(lease)
        try:
            with lease.kept():
                yield
        finally:
            self._leases.remove(lease)

    @contextmanager
    def sign(self) -> Iterator[str]:
        name = f"{OWN}seen-{os.urandom(6).hex()}"
        with as_output():
            self._store.put(name, b"")
        try:
            yield self._store.below(name)
        finally:
            with suppress(InputError):
                self._store.remove([name])


def _placed(name: str) -> str:
    return f"{OWN}{name}" if name.startswith(".tronie-") else name


@contextmanager
def as_output() -> Iterator[None]:
    """What a store says when something is written to it concerns the outputs."""
    try:
        yield
    except InputError as error:
        raise OutputError(str(error)) from error


@contextmanager
def place(out: str | Path) -> Iterator[Place]:
    """The place that a user means. Raises InputError for an address that nothing here knows."""
    if not is_address(out):
        yield Folder(Path(out))
        return
    with scratch() as work:
        yield Bucket(str(out), work)


def publish(store: Store, name: str, made: Path, *, overwrite: bool) -> None:
    """Bring what was made of one photo, the files and folders in `made`, into a store: the records, by which results
    are found, last. What was under its name before is removed first. Raises OutputError."""
    files = {path.relative_to(made).as_posix(): path for path in sorted(made.rglob("*")) if path.is_file()}
    last = {key: path for key, path in files.items() if path.name in RECORDS}
    with as_output():
        old = [f"{name}/{item.name}" for item in store.items(name)]
        if old and not overwrite:
            raise OutputError(f"Cannot write {store.below(name)}: it exists already; use --overwrite to replace it.")
        store.put(f"{name}/{UNFINISHED}", b"")
        store.remove(key for key in old if key != f"{name}/{UNFINISHED}")
        store.put_files({key: path for key, path in files.items() if key not in last})
        store.put_files(last)
        store.remove([f"{name}/{UNFINISHED}"])


@dataclass(slots=True)
class _Lease:
    """One of the objects by which runs keep each other out."""

    store: Store
    name: str
    token: str = field(default_factory=lambda: os.urandom(12).hex())
    renewed: int = 0
    lost: bool = False
    _end: threading.Event = field(default_factory=threading.Event)

    def take(self, *, patience: float, living: bool) -> bool:
        """Whether it is ours now. One that is not renewed is waited for until it counts for nothing; one that is, only
        where `living` is waited for too."""
        until, seen, over = time.monotonic() + patience, self._version(), False
        while not self.store.put_new(self.name, self._text()):
            if not self.alive():
                self.store.remove([self.name])
                over = True
                continue
            now = self._version()
            if time.monotonic() > until or (not living and seen is not None and now not in (seen, None)):
                return False
            seen = seen or now
            time.sleep(min(1.0, BEAT / 5))
        if over:
            time.sleep(SETTLING)
            return self._holder().get("token") == self.token
        return True

    def alive(self) -> bool:
        """Whether somebody holds it."""
        holder, found = self._holder(), self.store.version(self.name)
        if found is None:
            return False
        if holder.get("host") == here() and not runs(str(holder.get("process"))):
            return False
        now = self._now()
        return now is None or found.modified is None or now - found.modified < LEASE * 1e9

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Renew it as long as the block lasts, then let it go."""
        thread = threading.Thread(target=self._renew, name="tronie-lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._end.set()
            thread.join()
            with suppress(InputError):
                if not self.lost and self._holder().get("token") == self.token:
                    self.store.remove([self.name])

    def check(self) -> None:
        """Raise OutputError if somebody else has it now."""
        if self.lost:
            raise OutputError(
                f"This run could not renew its lease on {self.store.url} for a minute, and another one may be writing "
                "there; it ends. The same command goes on."
            )

    def told(self) -> str:
        """Who holds it, as a clause."""
        with suppress(InputError):
            if machine := str(self._holder().get("machine", ""))[:80]:
                return f" (from {machine})"
        return ""

    def _renew(self) -> None:
        last = time.monotonic()
        while not self._end.wait(BEAT):
            with suppress(InputError):
                if self._holder().get("token", self.token) != self.token:
                    self.lost = True
                else:
                    self.renewed += 1
                    self.store.put(self.name, self._text())
                    last = time.monotonic()
            if self.lost or time.monotonic() - last > LEASE:
                self.lost = True
                return

    def _text(self) -> bytes:
        told = {"token": self.token, "host": here(), "process": mark(), "machine": platform.node()}
        return json.dumps({**told, "renewed": self.renewed}).encode()

    def _holder(self) -> dict[str, object]:
        try:
            found = json.loads(self.store.read(self.name) or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _version(self) -> object:
        return self.store.read(self.name)

    def _now(self) -> int | None:
        """The store's time: that of what was written there just now."""
        name = f"{OWN}time-{self.token}"
        self.store.put(name, b"")
        found = self.store.version(name)
        self.store.remove([name])
        return None if found is None else found.modified
