"""`tronie serve` as a program of its own, for tests that kill it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx


class Running:
    """Begun at once; `address` waits until it is told."""

    def __init__(self, log: Path, *arguments: str, **environment: str) -> None:
        self.log = log
        command = [sys.executable, "-m", "tronie", "serve", *arguments]
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                command, stdout=said, stderr=said, stdin=subprocess.DEVNULL, env=os.environ | environment
            )

    @property
    def said(self) -> str:
        return self.log.read_text(errors="replace")

    def address(self, seconds: float = 60) -> str:
        """Where the page is, once it answers."""
        end = time.monotonic() + seconds
        while True:
            assert self.process.poll() is None, self.said
            assert time.monotonic() < end, self.said
            if found := re.findall(r"http://\S+?/", self.said):
                try:
                    if httpx.get(f"{found[-1]}healthz", timeout=10).status_code == 200:
                        return str(found[-1]).rstrip("/")
                except httpx.HTTPError:
                    pass
            time.sleep(0.05)

    def end(self, number: int = signal.SIGKILL) -> int:
        """Have it end by a signal; its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(40)


def children(process: int) -> list[int]:
    """Processes that a process has begun and that run (Linux)."""
    found = []
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = Path("/proc", entry, "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(fields[1]) == process and fields[0] != "Z":
                found.append(int(entry))
    return found


def below(process: int) -> list[int]:
    """The same with their own."""
    found = []
    for child in children(process):
        found += [child, *below(child)]
    return found


def workers(server: int) -> list[int]:
    """Those that have a process of their own for the work."""
    return [child for child in children(server) if children(child)]
