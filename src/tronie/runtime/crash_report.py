"""What is written down when something goes wrong inside tronie: a report that can be shown to strangers.

It holds versions, the machine, the options, and where it happened. It holds no picture and no numbers of one, and no
name of a person, a folder or a photo: of paths outside of programs only the ending is left. Nothing is sent anywhere.
Only mistakes of ours are reported; a photo that cannot be read, a full disk or missing memory are none.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import platform
import re
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from tronie.errors import unexpected
from tronie.runtime.atomic_files import write_file
from tronie.runtime.hardware import cores, memory, processor
from tronie.runtime.weights import home
from tronie.version import __version__

VARIABLE = "TRONIE_REPORTS"
"""Names another folder for reports; `0`: none are written."""
ABOUT = "TRONIE_REPORT_ABOUT"
"""What `about` was told, for worker processes, which inherit it."""
KEPT = 20
"""Reports, the newest ones."""
MISSING = "missing"
LONGEST = 500
"""Characters of a message."""
PACKAGES = (
    "numpy", "numba", "opencv-python-headless", "onnxruntime", "pillow", "pi-heif", "pydantic",
    "typer", "rich",
)  # fmt: skip
"""What the package needs at run time, as in pyproject.toml."""
RUNTIMES = ("onnxruntime", "onnxruntime-gpu", "onnxruntime-directml", "onnxruntime-openvino")
"""Packages that hold ONNX Runtime, each with other devices (docs/devices.md): one of them is there."""
HEADING = """\
tronie crash report
It holds no picture and no names of people, folders or photos, as far as that can be told: look through it before you
pass it on. Nothing was sent anywhere.
"""

_QUOTED = re.compile(r"""(['"])((?:(?!\1).)*(?:[/\\]|\.\w{1,5}$)(?:(?!\1).)*)\1""")
_PATH = re.compile(r"""[^\s'"<>()\[\],;]*[/\\][^\s'"<>()\[\],;]*""")
_FILE = re.compile(
    r"\S+\.(?:jpe?g|png|webp|gif|bmp|tiff?|jp2|jxl|heic|heif|avif|mp4|mov|mkv|avi|webm|glb|obj|npz|pth|onnx|zip|json|txt|csv)\b",
    re.IGNORECASE,
)
_NUMBERS = re.compile(r"[\[(][\s\d.,eE+\-\[\]()]{24,}")


class CrashHandler(logging.Handler):
    """Writes a report of every mistake that is logged with its exception."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)

    def emit(self, record: logging.LogRecord) -> None:
        error = record.exc_info[1] if record.exc_info else None
        if error is not None and unexpected(error):
            write(error, f"{record.name}: {record.msg}")  # without what stands for %s: a photo's name, mostly


def about(**told: object) -> None:
    """Remember what later reports shall say, in this process and in those that it begins: JSON values by name."""
    os.environ[ABOUT] = json.dumps(_about() | told)


def options_of(words: Sequence[str]) -> str:
    """A command line without its values, for some are names."""
    return " ".join(word.split("=")[0] if word.startswith("-") else "..." for word in words)


def folders() -> list[Path]:
    """Where reports go: into the first of these that can be written."""
    value = os.environ.get(VARIABLE, "")
    if value:
        return [] if value == "0" else [Path(value)]
    return [home() / "reports", Path("tronie-reports").absolute()]


def since(began: float) -> list[Path]:
    """Reports that were written since then (`time.time()`), the newest first."""
    found = [(_time(file), file) for folder in folders() for file in folder.glob("crash-*.txt")]
    return [file for when, file in sorted(found, reverse=True) if when >= began - 0.01]


def write(error: BaseException, doing: str) -> Path | None:
    """Write a report; None where none is wanted or can be written. The same mistake again is the same file."""
    with suppress(Exception):  # whatever happens here must not stop the work that goes on
        text = report(error, doing)
        where = [*_places(error)] if error.__traceback__ else [doing, str(error)]
        mistake = hashlib.sha256("\n".join([__version__, *where]).encode()).hexdigest()[:8]
        for folder in folders():
            with suppress(Exception):
                file = folder / f"crash-{mistake}.txt"
                if not file.exists():
                    folder.mkdir(parents=True, exist_ok=True)
                    write_file(file, text.encode())
                    _forget_old(folder)
                os.utime(file)
                return file
    return None


def report(error: BaseException, doing: str) -> str:
    total, free = memory()
    size = f"{total / 1e9:.1f} GB, {free / 1e9:.1f} GB free" if total and free else "memory unknown"
    kind = f"{platform.system()} {platform.machine()}"
    facts = {
        "when": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "doing": without_names(doing),
        "tronie": f"{__version__}, Python {platform.python_version()}",
        "machine": f"{kind}, {processor() or 'processor unknown'}, {cores()} cores, {size}",
        "packages": ", ".join(f"{name} {_version(name)}" for name in PACKAGES if name not in RUNTIMES),
        "runtime": ", ".join(f"{name} {v}" for name in RUNTIMES if (v := _version(name)) != MISSING) or MISSING,
    } | {name: without_names(str(value)) for name, value in _about().items()}
    lines = [f"{name + ':':<10}{value}" for name, value in facts.items()]
    return "\n".join([HEADING, *lines, "", *_trace(error), ""])


def without_names(text: str) -> str:
    """A text in which paths and files have only their endings, long lists of numbers are left out, and this machine and
    its user have no name."""
    text = _QUOTED.sub(lambda found: f"'{_ending(found[2])}'", text)
    text = _PATH.sub(lambda found: _ending(found[0]) if len(found[0]) > 1 else found[0], text)
    text = _FILE.sub(lambda found: _ending(found[0]), text)
    text = _NUMBERS.sub("[numbers]", text)
    user = {os.environ.get(name, "") for name in ("USER", "LOGNAME", "USERNAME")} | {Path.home().name}
    for names, mark in ((user, "<user>"), ({platform.node()}, "<machine>")):
        for name in sorted(names, key=len, reverse=True):
            if len(name) > 2:
                text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", mark, text, flags=re.IGNORECASE)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ..."


def _ending(path: str) -> str:
    suffix = re.search(r"\.\w{1,5}$", path)
    return f"<file>{suffix[0].lower()}" if suffix else "<path>"


def _trace(error: BaseException) -> list[str]:
    """Like Python's own, the cause first; of programs' files their place inside their package."""
    lines: list[str] = []
    for one in _chain(error):
        lines += ["and then:"] if lines else []
        for frame in traceback.extract_tb(one.__traceback__):
            place = _place(frame.filename)
            lines.append(f"  {place}:{frame.lineno} in {frame.name}")
            if "/" in place:  # a user's own program may name what it likes
                lines.append(f"      {frame.line}")
        name = f"{type(one).__module__}.{type(one).__qualname__}".removeprefix("builtins.")
        lines.append(f"{name}: {without_names(str(one))}")
    return lines


def _chain(error: BaseException) -> list[BaseException]:
    chain: list[BaseException] = []
    next_: BaseException | None = error
    while next_ is not None and next_ not in chain:
        chain.append(next_)
        next_ = next_.__cause__ or (None if next_.__suppress_context__ else next_.__context__)
    return chain[::-1]


def _places(error: BaseException) -> Iterator[str]:
    """What makes it this mistake and no other."""
    for one in _chain(error):
        yield type(one).__qualname__
        for frame in traceback.extract_tb(one.__traceback__):
            yield f"{_place(frame.filename)} {frame.name} {frame.line}"


def _place(file: str) -> str:
    """A file of a program, from its package on; of any other its name only."""
    import sysconfig

    roots = [Path(__file__).parents[2], *map(Path, sysconfig.get_paths().values()), Path(sys.prefix)]
    for root in sorted(roots, key=lambda path: len(path.parts), reverse=True):
        with suppress(ValueError):
            return Path(file).relative_to(root).as_posix() if file.endswith(".py") else Path(file).name
    return Path(file).name


def _about() -> dict[str, object]:
    with suppress(ValueError):
        told = json.loads(os.environ.get(ABOUT) or "{}")
        return told if isinstance(told, dict) else {}
    return {}


def _version(package: str) -> str:
    from importlib import metadata  # takes a while

    with suppress(metadata.PackageNotFoundError):
        return metadata.version(package)
    return MISSING


def _forget_old(folder: Path) -> None:
    for file in sorted(folder.glob("crash-*.txt"), key=_time, reverse=True)[KEPT:]:
        file.unlink()


def _time(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0
