"""OUT/manifest.json while a job runs: what was asked, what became of it, and so what is left to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tronie.errors import OutputError
from tronie.export.fingerprint import fingerprint, scope, text
from tronie.export.records import InputRecord, ManifestRecord, unmeasured_records, used_records
from tronie.io.inputs import content, stamp
from tronie.io.listing import Listing
from tronie.io.paths import distinct, identity, is_address, wanted_name
from tronie.io.store import Version
from tronie.io.video.clip import may_move
from tronie.jobs import ledger
from tronie.jobs.ledger import Records
from tronie.jobs.place import FILE, Folder, Place
from tronie.jobs.shards import Shard, at_work, in_gate, ledgers
from tronie.pipelines.model_usage import models_used
from tronie.pipelines.outcome import Outcome
from tronie.settings import Settings
from tronie.version import __version__


@dataclass(slots=True)
class Manifest:
    """The manifest of one output folder, or the ledger of a part of a divided job. Only the parent process of a job
    writes it."""

    place: Place
    settings: Settings
    shard: Shard | None = None
    records: Records = field(default_factory=Records)
    """By the identity of the photo's path, in the order in which the photos came."""
    fresh: set[str] = field(default_factory=set)
    """Those of photos that no earlier run knew."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Files of the given folders whose kind is not read, by their ending."""
    _others: Records = field(default_factory=Records)
    """Of the parts that are done elsewhere now."""
    _keys: dict[str, str] = field(default_factory=dict)
    """Path -> identity when it was first asked for: a link may lead elsewhere by the time its photo is done."""
    _prints: dict[tuple[bool, bool] | None, str] = field(default_factory=dict)
    _written: float = 0.0
    _cost: float = 0.0

    @classmethod
    def open(
        cls,
        out: Place | Path,
        settings: Settings,
        *,
        overwrite: bool = False,
        shard: Shard | None = None,
        only_look: bool = False,
    ) -> Manifest:
        """Make or find the output folder and read its manifest, with what parts of the job have left there. With other
        processes about, this belongs in the gate. With `only_look` nothing is written.

        Raises OutputError if the folder cannot be written, or if a manifest is there that is none of ours
        (`overwrite` replaces it).
        """
        where = Folder(out) if isinstance(out, Path) else out
        if not only_look:
            where.prepare()
        manifest = cls(where, settings, shard)
        over = manifest._gather(overwrite)
        if not only_look:
            if over or overwrite or shard is None:
                manifest._write_to(FILE)  # shows now, not after the first photo, that the folder can be written
            manifest._forget(over)
        return manifest

    def _gather(self, overwrite: bool = False) -> list[Shard]:
        """Read all that is known of this folder; the parts that are over, whose ledgers are in it now."""
        self.records = self._read(FILE, overwrite)
        now, over = at_work(self.place), []
        for shard in ledgers(self.place):
            if shard in now and shard != self.shard:
                self._others.take(self._read(shard.ledger, True))
            else:
                self.records.take(self._read(shard.ledger, overwrite))
                over.append(shard)
        if len(self._others):
            self.records.without(self._others.names())
        return over

    def _read(self, name: str, overwrite: bool) -> Records:
        path = self.place.file(name)
        try:
            return Records() if path is None else ledger.read(path)
        except (OSError, ValueError) as error:
            if overwrite:
                return Records()
            raise OutputError(
                f"Cannot read {self.place.shown(name)}: {ledger.reason(error)}; use another folder, or --overwrite to "
                "replace it."
            ) from None

    def _forget(self, over: list[Shard]) -> None:
        """Take the ledgers away of parts that stand in the manifest."""
        for shard in over:
            self.place.remove(shard.ledger)

    def known(self) -> Records:
        """The records of all photos, also those that other parts have."""
        every = Records()
        every.take(self.records)
        if len(self._others):
            every.take(self._others)
        return every

    def key(self, path: str | Path) -> str:
        """What the record of a photo is found by."""
        return self._keys.get(str(path)) or identity(path)

    def hold(self, path: str, key: str) -> None:
        """Stay with this identity of a path until it is finished."""
        self._keys[path] = key

    def left_over(self, record: InputRecord) -> bool:
        """Whether the folder of a photo that is not done is what a stopped run of this job left there: only that may
        be replaced unasked. The manifest alone is not believed, for it may come from anywhere."""
        return record.status in ("pending", "error") and self.ours(record)

    def ours(self, record: InputRecord) -> bool:
        """Whether the folder of a photo looks like one that this program has made."""
        return self.place.ours(record.name)

    @property
    def fingerprint(self) -> str:
        return self._once(None)

    def scope(self, source: str, status: str) -> str:
        """Of the settings that a result hangs on."""
        return self._once((may_move(source), status == "no_face"))

    def _once(self, kind: tuple[bool, bool] | None) -> str:
        """The fingerprint of the settings, or of what a kind of result hangs on; each is worked out once."""
        if kind not in self._prints:
            if kind is None:
                self._prints[kind] = fingerprint(self.settings)
            else:
                self._prints[kind] = scope(self.settings, moves=kind[0], no_face=kind[1])
        return self._prints[kind]

    def claim(self, listing: Listing) -> None:
        """Give every file a record: its own from an earlier run, or a new one with a name that nobody has. Names are
        those that all files of the listing would get, so that all parts of a divided job agree on them.

        A record also belongs to a file of the same name, size and content (or time) whose old path is gone from here:
        the same job given from another working folder, or photos that were moved.
        """
        fresh = {
            key: path for key, path in listing.files.items() if key not in self.records and key not in self._others
        }
        gone = [key for key in self.records if key not in listing.files] if fresh else []
        orphans = _Orphans()
        for key in gone:
            orphans.add(key, self.records[key])
        for key, path in list(fresh.items()) if orphans.any() else []:
            if (old := orphans.of(path, self.records)) is not None:
                self.records[key] = self.records.pop(old).model_copy(update={"source": text(path)})
                del fresh[key]
        taken = self.records.names() | self._others.names()
        names = distinct({key: wanted_name(path) for key, path in fresh.items()}, taken)
        if self.shard is not None:
            self.records.keep(key for key in listing.files if key not in listing.elsewhere)
        self.fresh = {key for key in fresh if key not in listing.elsewhere}
        now = self.fingerprint
        for key in fresh:
            if key not in listing.elsewhere:
                # `modified` stays open until the photo is done: it says to which content the status belongs.
                self.records[key] = InputRecord(
                    source=text(fresh[key]), name=names[key], status="pending", settings=now
                )

    def reopen(self, key: str, record: InputRecord) -> None:
        """The photo of this record is to be done (again): until it is, its outputs may be older than the manifest's
        settings."""
        update = {"status": "pending", "reason": None, "trouble": None, "settings": self.fingerprint}
        if any(getattr(record, name) != value for name, value in update.items()):
            self.records[key] = record.model_copy(update=update)

    def finish(self, outcome: Outcome) -> None:
        """Write down what became of a photo, on disk at least about once a second."""
        key = self.key(outcome.source)
        self._keys.pop(outcome.source, None)
        reason = outcome.reason
        if reason is None and outcome.status == "no_face":
            reason = "No face could be measured." if outcome.unmeasured else "No face was found."
        self.records[key] = self.records[key].model_copy(
            update={
                "source": text(outcome.source),
                "status": outcome.status,
                "reason": reason,
                "trouble": outcome.trouble,
                "faces": outcome.faces - len(outcome.face_errors),
                "enhanced": outcome.enhanced,
                "warnings": [*outcome.face_errors, *outcome.remarks],
                "warned": outcome.warned,
                "unmeasured": unmeasured_records(outcome.unmeasured),
                "seconds": round(outcome.seconds, 3),
                "size": outcome.stamp[0],
                "modified": outcome.stamp[1],
                "settings": self.fingerprint,
                "depends": self.scope(outcome.source, outcome.status),
                "content": outcome.content,
            }
        )
        # A manifest of many thousand photos takes a while to write: at most a twentieth of the time goes there.
        if time.monotonic() - self._written > max(1.0, 20 * self._cost):
            self.write()

    def write(self) -> None:
        began = time.monotonic()
        self._write_to(FILE if self.shard is None else self.shard.ledger)
        self._written = time.monotonic()
        self._cost = self._written - began

    def _write_to(self, name: str) -> None:
        head = ManifestRecord(
            tronie=__version__,
            settings=self.settings,
            fingerprint=self.fingerprint,
            engine=self.settings.fit.engine,
            models=used_records(models_used(self.settings)),
            inputs=[],
            left_out=self.left_out,
        )
        self.place.write(name, ledger.written(head, self.records.lines()))

    def settle(self) -> None:
        """Bring the ledger of a part, which is over, into the manifest of all; nothing else has one."""
        if self.shard is not None:
            with in_gate(self.place):
                whole = Manifest(self.place, self.settings, self.shard, left_out=self.left_out)
                over = whole._gather()
                whole._write_to(FILE)
                self._forget(over)


@dataclass(slots=True)
class _Orphans:
    """Records whose files are gone from where they were, by what a moved file keeps."""

    _timed: dict[tuple[str, int | None, int | None], list[str]] = field(default_factory=dict)
    """By name, size and time."""
    _sized: dict[tuple[str, int | None], list[str]] = field(default_factory=dict)

    def add(self, key: str, record: InputRecord) -> None:
        if record.size is not None and not is_address(record.source) and not os.path.lexists(record.source):
            name = os.path.basename(record.source)
            self._timed.setdefault((name, record.size, record.modified), []).append(key)
            self._sized.setdefault((name, record.size), []).append(key)

    def any(self) -> bool:
        return bool(self._sized)

    def of(self, path: str, records: Records) -> str | None:
        """The record that is a file's; it is given once."""
        name, (size, modified) = text(os.path.basename(path)), stamp(path)
        found = self._timed.get((name, size, modified), [])
        near = self._sized.get((name, size), [])
        while found:
            if (key := found.pop(0)) in records:
                return key
        tried = [key for key in near[:MOST_TRIED] if key in records and same_file(records[key], path)]
        return tried[0] if tried else None


MOST_TRIED = 8
"""Moved files of one name and size whose content is compared with a new one's."""


def same_file(record: InputRecord, path: str, stored: Version | None = None) -> bool:
    """Whether a file is the one that a record is of: of the same size and time, or else of the same content. Of what is
    `stored` somewhere the content counts first, for times there are those of copies, and rough."""
    if stored is not None:
        if stored.content is not None and record.content is not None:
            return (record.size, record.content) == (stored.size, stored.content)
        return (record.size, record.modified) == (stored.size, stored.modified)
    now = stamp(path)
    if (record.size, record.modified) == now:
        return True
    return record.content is not None and record.size == now[0] and record.content == content(path)


@contextmanager
def written(manifest: Manifest) -> Iterator[Manifest]:
    """Write the manifest when the block ends, however it ends."""
    try:
        yield manifest
    finally:
        manifest.write()
