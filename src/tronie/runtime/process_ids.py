"""Which process a temporary file belongs to, and whether that still runs. Numbers alone do not tell: they are used
again, and a process that was killed keeps its own until somebody asks what became of it."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path


@cache
def _mark(process: int) -> str:
    return f"{process}.{born(process) or 0}"


def mark(process: int | None = None) -> str:
    """This process or another one that runs, as part of a file name."""
    return _mark(os.getpid() if process is None else process)


@cache
def here() -> str:
    """The system whose numbers of processes these are: no other one, no other container and no other start of the
    machine has the same."""
    told = [platform.node()]
    with suppress(OSError):
        told.append(Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii"))
        told.append(os.readlink("/proc/self/ns/pid"))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:12]


def runs(mark: str) -> bool:
    """Whether the process that `mark` was made by still runs; True where the system does not tell."""
    number, _, began = mark.partition(".")
    if not number.isdecimal():
        return False
    if int(number) == os.getpid():
        return mark == _mark(os.getpid())
    now = born(int(number))
    return now is None or (now != 0 and str(now) == began)


def born(process: int) -> int | None:
    """When a process began, in some unit since some time: the same number for it as long as it runs; 0 when none of
    that number does, None where the system does not tell."""
    if sys.platform == "linux":
        return _linux(process)
    elif sys.platform == "win32":
        return _windows(process)
    elif sys.platform == "darwin":
        return _macos(process)
    else:
        return None if _signalled(process) else 0


def _linux(process: int) -> int | None:
    try:
        # The second field is the program's name in parentheses, which may hold anything.
        fields = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()
        return 0 if fields[0] in (b"Z", b"X") else int(fields[19])
    except FileNotFoundError:  # it has ended, or /proc does not show it
        return None if _signalled(process) else 0
    except ProcessLookupError:  # it ended between opening and reading
        return 0
    except (OSError, ValueError, IndexError):
        return None


def _macos(process: int) -> int | None:
    import ctypes

    # struct proc_bsdinfo: pbi_status is its second word; pbi_start_tvsec and pbi_start_tvusec are its last two.
    size, status, zombie = 136, 4, 5
    info = ctypes.create_string_buffer(size)
    try:
        got = ctypes.CDLL(None).proc_pidinfo(process, 3, ctypes.c_uint64(0), info, size)
    except (OSError, AttributeError):
        return None
    if got != size:
        return None if _signalled(process) else 0
    words = info.raw
    if int.from_bytes(words[status : status + 4], "little") == zombie:
        return 0
    seconds, micros = (int.from_bytes(words[at : at + 8], "little") for at in (size - 16, size - 8))
    return seconds * 1_000_000 + micros


def _signalled(process: int) -> bool:
    """Whether a process of that number is there at all (not on Windows, where asking so would end it)."""
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _windows(process: int) -> int | None:
    import ctypes

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (the name exists on Windows only)
    kernel.OpenProcess.restype = ctypes.c_void_p
    limited, unknown = 0x1000, 87  # PROCESS_QUERY_LIMITED_INFORMATION, ERROR_INVALID_PARAMETER
    handle = kernel.OpenProcess(limited, False, process)
    if not handle:
        return 0 if kernel.GetLastError() == unknown else None
    try:
        times = [ctypes.c_uint64() for _ in range(4)]  # made, ended, in the kernel, in the program
        if not kernel.GetProcessTimes(ctypes.c_void_p(handle), *map(ctypes.byref, times)):
            return None
        return 0 if times[1].value else int(times[0].value)
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))
