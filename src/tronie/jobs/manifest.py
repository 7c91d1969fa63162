"""OUT/manifest.json while a job runs: what was asked, what became of it, and so what is left to do."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from tronie.errors import OutputError
from tronie.export.fingerprint import fingerprint, text
from tronie.export.records import InputRecord, ManifestRecord, to_json, unmeasured_records, used_records
from tronie.io.inputs import stamp
from tronie.io.paths import fold, identity, is_safe, unique_names
from tronie.pipelines.model_usage import models_used
from tronie.pipelines.outcome import Outcome
from tronie.runtime.atomic_files import make_folder, sweep, write_file
from tronie.settings import Settings
from tronie.version import __version__

FILE = "manifest.json"
OURS = frozenset(("sheet.jpg", "clip.json", "enhanced_photo.png"))
"""Files by which the folder of a photo or clip can be told, beside the faces."""


@dataclass(slots=True)
class Manifest:
    """The manifest of one output folder. Only the parent process of a job writes it."""

    out: Path
    settings: Settings
    records: dict[str, InputRecord] = field(default_factory=dict)
    """By the identity of the photo's path, in the order in which the photos came."""
    left_out: dict[str, int] = field(default_factory=dict)
    """Files of the given folders whose kind is not read, by their ending."""
    _keys: dict[str, str] = field(default_factory=dict)
    """Path -> identity when it was first asked for: a link may lead elsewhere by the time its photo is done."""
    _written: float = 0.0
    _cost: float = 0.0

    @classmethod
    def open(cls, out: Path, settings: Settings, *, overwrite: bool = False) -> Manifest:
        """Make or find the output folder and read its manifest.

        Raises OutputError if the folder cannot be written, or if a manifest is there that is none of ours
        (`overwrite` replaces it).
        """
        make_folder(out)
        sweep(out)
        manifest = cls(out, settings)
        try:
            if os.path.lexists(out / FILE):
                if not (out / FILE).is_file():  # a pipe would be waited for
                    raise ValueError("it is not an ordinary file")
                manifest.records = _believed((out / FILE).read_bytes())
        except (OSError, ValueError) as error:
            if not overwrite:
                reason = error.strerror if isinstance(error, OSError) else str(error)
                if isinstance(error, ValidationError):
                    reason = "it is no manifest of this version of tronie"
                raise OutputError(
                    f"Cannot read {out / FILE}: {reason}; use another folder, or --overwrite to replace it."
                ) from None
        manifest.write()  # shows now, not after the first photo, that the folder can be written
        return manifest

    def key(self, path: str | Path) -> str:
        """What the record of a photo is found by."""
        return self._keys.setdefault(str(path), identity(path))

    def left_over(self, record: InputRecord) -> bool:
        """Whether the folder of a photo that is not done is what a stopped run of this job left there: only that may
        be replaced unasked. The manifest alone is not believed, for it may come from anywhere."""
        folder = self.out / record.name
        if record.status not in ("pending", "error") or folder.is_symlink() or not folder.is_dir():
            return False
        try:
            inside = set(os.listdir(folder))
        except OSError:
            return False
        return not inside or bool(inside & OURS) or any((folder / one / "face.json").is_file() for one in inside)

    @property
    def fingerprint(self) -> str:
        return fingerprint(self.settings)

    def claim(self, paths: Iterable[Path]) -> None:
        """Give every path a record: its own from an earlier run, or a new one with a name that nobody has.

        A record also belongs to a file of the same name, size and time whose old path is gone from here: the same
        job given from another working folder, or photos that were moved.
        """
        fresh = [path for path in paths if self.key(path) not in self.records]
        orphans = {_look(record): key for key, record in self.records.items() if not os.path.lexists(record.source)}
        for path in list(fresh):
            size, modified = stamp(path)
            if size is not None and (key := orphans.pop((text(path.name), size, modified), None)) is not None:
                old = self.records.pop(key)
                self.records[self.key(path)] = old.model_copy(update={"source": text(path)})
                fresh.remove(path)
        names = unique_names(fresh, taken=[record.name for record in self.records.values()])
        for path in fresh:
            # `modified` stays open until the photo is done: it says to which content the status belongs.
            self.records[self.key(path)] = InputRecord(
                source=text(path), name=names[path], status="pending", settings=self.fingerprint
            )

    def reopen(self, path: Path) -> None:
        """The photo is to be done (again): until it is, its outputs may be older than the manifest's settings."""
        update = {"status": "pending", "reason": None, "settings": self.fingerprint}
        self.records[self.key(path)] = self.records[self.key(path)].model_copy(update=update)

    def finish(self, outcome: Outcome) -> None:
        """Write down what became of a photo, on disk at least about once a second."""
        key = self.key(outcome.source)
        reason = outcome.reason
        if reason is None and outcome.status == "no_face":
            reason = "No face could be measured." if outcome.unmeasured else "No face was found."
        self.records[key] = self.records[key].model_copy(
            update={
                "source": text(outcome.source),
                "status": outcome.status,
                "reason": reason,
                "faces": outcome.faces - len(outcome.face_errors),
                "enhanced": outcome.enhanced,
                "warnings": [*outcome.face_errors, *outcome.remarks],
                "warned": outcome.warned,
                "unmeasured": unmeasured_records(outcome.unmeasured),
                "seconds": round(outcome.seconds, 3),
                "size": outcome.stamp[0],
                "modified": outcome.stamp[1],
                "settings": self.fingerprint,
            }
        )
        # A manifest of many thousand photos takes a while to write: at most a twentieth of the time goes there.
        if time.monotonic() - self._written > max(1.0, 20 * self._cost):
            self.write()

    def write(self) -> None:
        began = time.monotonic()
        record = ManifestRecord(
            tronie=__version__,
            settings=self.settings,
            fingerprint=self.fingerprint,
            engine=self.settings.fit.engine,
            models=used_records(models_used(self.settings)),
            inputs=list(self.records.values()),
            left_out=self.left_out,
        )
        write_file(self.out / FILE, to_json(record))
        self._written = time.monotonic()
        self._cost = self._written - began


def _believed(data: bytes) -> dict[str, InputRecord]:
    """The records of a manifest, by the identity of their photos. It is a file like any other: ValueError with a clause
    if a name in it is none that this program gives, for folders of these names are replaced."""
    records: dict[str, InputRecord] = {}
    names: set[str] = set()
    for record in ManifestRecord.model_validate_json(data).inputs:
        if not is_safe(record.name):
            raise ValueError(f"it gives {record.name!r} as the name of a folder")
        if fold(record.name) in names:
            raise ValueError(f"it gives two photos the folder {record.name}")
        if "\0" in record.source:
            raise ValueError("it gives a photo a path that is none")
        names.add(fold(record.name))
        records[identity(record.source)] = record
    return records


def _look(record: InputRecord) -> tuple[str, int | None, int | None]:
    return Path(record.source).name, record.size, record.modified


@contextmanager
def written(manifest: Manifest) -> Iterator[Manifest]:
    """Write the manifest when the block ends, however it ends."""
    try:
        yield manifest
    finally:
        manifest.write()
