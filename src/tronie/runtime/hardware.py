"""What this machine has to work with, without asking for another package."""

from __future__ import annotations

import os
import platform
import sys
from contextlib import suppress
from pathlib import Path

WORKER_BYTES = 1_000_000_000
"""Memory set aside for one worker process: the bound that a process keeps on ordinary photos."""
SPARE, SPARE_EACH = 1_000_000_000, 64_000_000
"""Bytes that a process may have set aside without using them: as such, and for each core."""


def cores() -> int:
    """Processors this process may use (a container or `taskset` may allow fewer than there are)."""
    count = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    limit = _cgroup_cores()
    return max(1, min(count, limit) if limit else count)


def processor() -> str:
    """The processor's name; empty where the system does not tell."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "")


def memory() -> tuple[int | None, int | None]:
    """Bytes of memory in all, and free for use now; None where the system does not tell."""
    total = available = None
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        table = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith("kB")}
        total, available = table.get("MemTotal"), table.get("MemAvailable")
    except (OSError, ValueError, IndexError):
        if sys.platform == "win32":
            total, available = _windows_memory()
        elif "SC_PHYS_PAGES" in os.sysconf_names:
            total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit, used = _cgroup_number("memory.max"), _cgroup_number("memory.current")
    if limit:
        total = min(total or limit, limit)
        left = max(limit - (used or 0), 0)
        available = min(available, left) if available is not None else left
    return total, available


def load_by_core() -> float | None:
    """How many programs wanted a core in the last minute, for each core; None where the system does not tell."""
    with suppress(OSError, AttributeError):  # Windows has none
        return os.getloadavg()[0] / cores()
    return None


def resident(process: int) -> int | None:
    """Bytes of memory that a process holds now; None where the system does not tell."""
    try:
        if sys.platform == "linux":
            return int(Path(f"/proc/{process}/statm").read_bytes().split()[1]) * os.sysconf("SC_PAGE_SIZE")
        elif sys.platform == "win32":
            return _windows_resident(process)
        elif sys.platform == "darwin":
            return _macos_resident(process)
        else:
            return None
    except (OSError, ValueError, IndexError, AttributeError):
        return None


def bound(process: int | None, most: int) -> None:
    """Have the system refuse a process more than so many bytes of memory; a later call may raise it again. Linux only.

    Not of addresses (RLIMIT_AS), for nets and kernels map far more than they use, but of its own data, which threads'
    stacks count to, used or not: so that it never comes before what watches `resident`, it lies above by SPARE."""
    if sys.platform == "linux" and process:  # 0 would be this one
        import resource

        with suppress(OSError, ValueError):  # it has ended, or was allowed less
            _, hard = resource.prlimit(process, resource.RLIMIT_DATA)
            wanted = most + SPARE + SPARE_EACH * cores()
            resource.prlimit(process, resource.RLIMIT_DATA, (wanted if hard < 0 else min(wanted, hard), hard))


def give_back_memory() -> None:
    """Have the C library hand over to the system what it holds and nobody uses (glibc; elsewhere nothing is done). It
    keeps holes between what is in use, and of a hundred photos of all sizes a few megabytes more than before."""
    import ctypes

    with suppress(OSError, AttributeError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def default_workers(photos: int, *, cpus: int | None = None, free: int | None = None) -> int:
    """How many processes to use for `photos` photos: 1 means this process itself, with all its threads.

    A worker takes about as long to start as a few photos take, so there are at least four photos to each.
    """
    cpus = cores() if cpus is None else cpus
    free = memory()[1] if free is None else free
    by_memory = max(1, free // WORKER_BYTES) if free is not None else cpus
    return max(1, min(cpus, photos // 4, by_memory))


def kernels_missing() -> bool:
    """Whether the numeric kernels will be compiled now and kept: nothing compiled lies in the package yet."""
    package = Path(__file__).parents[1]
    elsewhere = bool(os.environ.get("NUMBA_CACHE_DIR")) or not os.access(package, os.W_OK)
    return not elsewhere and not any(package.glob("raster/__pycache__/*.nbi"))


def _cgroup_number(name: str) -> int | None:
    """A number of the container this process is in (control groups, version 2), if it is limited."""
    try:
        return int(Path("/sys/fs/cgroup", name).read_text())
    except (OSError, ValueError):
        return None


def _cgroup_cores() -> int | None:
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, -(-int(quota) // int(period)))
    except (OSError, ValueError):
        return None


def _windows_memory() -> tuple[int | None, int | None]:
    import ctypes

    class Status(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("load", ctypes.c_ulong)] + [
            (name, ctypes.c_ulonglong) for name in ("total", "available", "a", "b", "c", "d", "e")
        ]

    status = Status()
    status.length = ctypes.sizeof(status)
    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (the name exists on Windows only)
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None, None
    return int(status.total), int(status.available)


def _windows_resident(process: int) -> int | None:
    import ctypes

    class Counters(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ulong), ("faults", ctypes.c_ulong)] + [
            (name, ctypes.c_size_t) for name in ("peak", "now", "a", "b", "c", "d", "e", "f")
        ]

    kernel = getattr(ctypes, "windll").kernel32  # noqa: B009 (the name exists on Windows only)
    kernel.OpenProcess.restype = ctypes.c_void_p
    handle = kernel.OpenProcess(0x1000, False, process)  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    try:
        counters = Counters(ctypes.sizeof(Counters))
        asked = kernel.K32GetProcessMemoryInfo(ctypes.c_void_p(handle), ctypes.byref(counters), counters.length)
        return int(counters.now) if asked else None
    finally:
        kernel.CloseHandle(ctypes.c_void_p(handle))


def _macos_resident(process: int) -> int | None:
    import ctypes

    # struct rusage_info_v0: an identity of 16 bytes and ten numbers, the seventh of which is ri_resident_size.
    info = ctypes.create_string_buffer(16 + 10 * 8)
    if ctypes.CDLL(None).proc_pid_rusage(process, 0, info):
        return None
    return int.from_bytes(info.raw[64:72], "little")
