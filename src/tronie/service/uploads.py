"""What clients send is looked at before it becomes part of a job: in a process that may be lost."""

from __future__ import annotations

import re
import threading
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path

from tronie.errors import Cancelled, TronieError
from tronie.runtime.child_process import Crash, Limit
from tronie.runtime.job import Event, Job, StageBegan
from tronie.runtime.warm_process import WarmProcess
from tronie.service.config import ServiceConfig
from tronie.service.inspection import Answer, Inspection, Most, No, Question
from tronie.service.stored import Upload, UploadRefused

LONGEST_NAME = 120
"""Signs of a name that is shown."""
_UNSHOWN = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")
KEPT = 600_000_000
"""Bytes that a process may hold on to between two files."""


def shown_name(name: str) -> str:
    """What a client calls a file, as it is shown and told: no path, nothing that a terminal or a page obeys."""
    name = _UNSHOWN.sub("", unicodedata.normalize("NFC", name)).replace("\\", "/").rpartition("/")[2].strip()
    if len(name) > LONGEST_NAME:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: LONGEST_NAME - 12]}.{ending}" if dot and len(ending) < 8 else name[:LONGEST_NAME]
    return name or "file"


class Inspector:
    """Looks at files, several at a time. Any thread may ask. A file that ends, fills or holds up its process costs
    itself one sentence; the next one gets a fresh process."""

    def __init__(self, config: ServiceConfig, processes: int = 2) -> None:
        most = Most(config.max_megapixels, config.max_seconds)
        self._limit = Limit(config.file_seconds, int(config.file_memory * 1e9), "reading it")
        self._recipe = Inspection(most)
        # A process ends with the thread that began it: each has one of its own for good.
        self._pool = ThreadPoolExecutor(processes, "tronie-inspector")
        self._mine = threading.local()
        self._all: list[WarmProcess[Question, Answer | No]] = []
        self._whole = Job()
        """Of which each look is a part."""
        self._lock = threading.Lock()

    def begin(self) -> None:
        """Have a process ready for the first file."""
        self._pool.submit(lambda: self._process().begin())

    def look(self, path: Path, name: str, number: int, preview: Path) -> Upload:
        """What a file is that a client calls `name`, the `number`th (from 1) of its job. A small upright copy is
        written to `preview`: JPEG, sRGB, nothing beside the picture. Raises UploadRefused."""
        shown = shown_name(name)
        question = Question(path.absolute(), shown, Path(shown).suffix.lower(), preview.absolute())
        answer = self._pool.submit(self._ask, question).result()
        if isinstance(answer, No):
            raise UploadRefused(answer.wrong, answer.reason)
        told = asdict(answer)
        return Upload(name=shown, file=f"{number:03d}{told.pop('suffix')}", **told)

    def close(self) -> None:
        """End the processes, whatever they look at."""
        self._whole.cancel()
        self._pool.shutdown(wait=True, cancel_futures=True)
        for process in self._all:
            process.close()

    def _ask(self, question: Question) -> Answer | No:
        try:
            # Also where the process comes to tell nothing at all.
            answer = self._process().do(question, self._whole.part(), longest=self._limit.seconds)
        except Cancelled:
            return No("unreadable", f"{question.name} cannot be looked at any more: the service ends.")
        except TronieError as error:
            return No("unreadable", f"{question.name} cannot be looked at now ({str(error).rstrip('.')}).")
        if not isinstance(answer, Crash):
            return answer
        question.preview.unlink(missing_ok=True)
        if answer.bound == "memory":
            return No("too_large", f"{question.name} takes more memory to read than a file may.")
        if answer.bound == "timeout":
            return No("too_large", f"{question.name} takes longer to read than a file may.")
        return No("unreadable", f"{question.name} is damaged: what reads it broke down.")

    def _process(self) -> WarmProcess[Question, Answer | No]:
        """This thread's own."""
        found: WarmProcess[Question, Answer | No] | None = getattr(self._mine, "process", None)
        if found is None:
            found = self._mine.process = WarmProcess(self._recipe, limit=self._of, most=KEPT, threads=1)
            with self._lock:
                self._all.append(found)
        return found

    def _of(self, event: Event) -> Limit | None:
        return self._limit if isinstance(event, StageBegan) else None
