"""The law for readers, held against one file: a value or the project's own error in one sentence, within bounds of time
and memory, no warning, nothing written or begun elsewhere."""

from __future__ import annotations

import os
import sys
import time
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tronie
from fuzz.target import Target
from tronie.errors import TronieError

PACKAGE = Path(tronie.__file__).parent
LONGEST = 900
"""Signs of a sentence."""
NOISE = 20_000
"""Bytes that a library may say on stderr about one file; more is a storm."""
DOORS = frozenset(
    (
        "subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.startfile",
        "socket.connect", "socket.getaddrinfo", "pickle.find_class", "webbrowser.open",
    )
)  # fmt: skip
"""Audit events that no file may lead to."""
WRITES = frozenset(
    (
        "os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.symlink", "os.link", "os.truncate", "os.chmod",
        "shutil.move", "shutil.rmtree",
    )
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Fault:
    """A broken law."""

    kind: str
    """`error`, `sentence`, `slow`, `memory`, `warning`, `noise`, `outside`; told from outside: `hang`, `crash`."""
    said: str
    """One line."""
    place: str = ""
    """Where in the code; two faults of one kind at one place are one."""
    trace: str = ""

    @property
    def key(self) -> str:
        return f"{self.kind} {self.place or self.said[:60]}"


class Watch:
    """Sees what a reader opens, writes and begins, by Python's audit events. They cannot be taken back: one for a
    process."""

    def __init__(self) -> None:
        self._allowed: str | None = None
        self.seen: list[str] = []
        sys.addaudithook(self._hear)

    @contextmanager
    def over(self, folder: Path) -> Iterator[None]:
        """Only there may be written."""
        self.seen.clear()
        self._allowed = os.path.realpath(folder)
        try:
            yield
        finally:
            self._allowed = None

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self._allowed is None:
            return
        if event in DOORS:
            self.seen.append(f"{event} {str(arguments[:2])[:120]}")
        elif event == "open":
            path, mode, flags = arguments
            changes = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (not mode and flags & changes):
                self._written(event, path)
        elif event in ("os.remove", "os.rmdir") and arguments[1] not in (-1, None):
            pass  # a step of shutil.rmtree, which was told already
        elif event in WRITES:
            for path in arguments[:2] if event in ("os.rename", "os.link", "shutil.move") else arguments[:1]:
                self._written(event, path)

    def _written(self, event: str, path: Any) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return
        allowed, self._allowed = self._allowed, None
        try:
            real = os.path.realpath(os.fsdecode(path))
        except ValueError:
            return
        finally:
            self._allowed = allowed
        # Compiled code, kernels', is kept by Python and numba beside the sources.
        if allowed is None or real.startswith((allowed, os.path.realpath(os.devnull))) or "__pycache__" in real:
            return
        if real.startswith(os.environ.get("NUMBA_CACHE_DIR", "\0")):
            return
        self.seen.append(f"{event} {real[-120:]}")


def highest() -> int:
    """Bytes of memory that this process has held at most; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else 1024 * most


def is_sentence(text: str) -> bool:
    """Whether a user can be told this: a line that can be printed, and ends."""
    return text.isprintable() and text.endswith((".", ")", "?")) and len(text) < LONGEST and "Traceback" not in text


def broken(target: Target, folder: Path, watch: Watch, most: int) -> Fault | None:
    """Read the file of a target in `folder`; what law that broke. `most`: bytes that the process may have held."""
    path, began, noise = folder / target.file, time.process_time(), _noise()
    fault: Fault | None = None
    with warnings.catch_warnings(record=True) as warned, watch.over(folder):
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", ResourceWarning)
        try:
            target.read(path)
        except target.errors as error:
            fault = _told(error, folder)
        except (KeyboardInterrupt, SystemExit):
            raise
        except BaseException as error:
            fault = Fault("error", f"{type(error).__name__}: {str(error)[:200]}", _place(error), _trace(error))
    seconds = time.process_time() - began
    if fault is None and watch.seen:
        fault = Fault("outside", watch.seen[0])
    if fault is None and warned:
        one = warned[0]
        fault = Fault("warning", f"{one.category.__name__}: {str(one.message)[:200]}", f"{one.filename}:{one.lineno}")
    if fault is None and seconds > target.seconds:
        fault = Fault("slow", f"took {seconds:.1f} s")
    if fault is None and highest() > most:
        fault = Fault("memory", f"{(highest() - most) / 1e6:.0f} MB more than it may")
    if fault is None and _noise() - noise > NOISE:
        fault = Fault("noise", f"{_noise() - noise} bytes on stderr")
    return fault


def _told(error: BaseException, folder: Path) -> Fault | None:
    """An error that may come: is it a sentence?"""
    text = str(error).replace(str(folder), "IT")
    if isinstance(error, TronieError) and not is_sentence(text):
        return Fault("sentence", repr(text)[:300], _place(error), _trace(error))
    # That there is not enough memory is no answer to a file of some kilobytes.
    if "memory than there is" in text:
        return Fault("memory", text[:200], _place(error.__cause__ or error), _trace(error))
    return None


def _place(error: BaseException) -> str:
    """The innermost line of ours, else the innermost at all."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [f for f in frames if f.filename.startswith(str(PACKAGE))] or frames
    return f"{type(error).__name__} {Path(own[-1].filename).name}:{own[-1].lineno}" if own else ""


def _trace(error: BaseException) -> str:
    return "".join(traceback.format_exception(error, limit=-12))[-6000:]


def _noise() -> int:
    """Bytes on stderr, where that is a file."""
    try:
        return os.fstat(2).st_size
    except OSError:
        return 0
