"""`tronie serve` as a user starts it, in a folder of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def running(folder: Path, *options: str, warm: float = 300.0) -> Iterator[str]:
    """The address of a service whose worker is warm, for at most `warm` seconds of waiting."""
    log = folder / "serve.log"
    with log.open("w") as out:
        command = [sys.executable, "-m", "tronie", "serve", "--port", "0", "--data", str(folder / "data"), *options]
        process = subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, env={**os.environ, "COLUMNS": "200"})
    try:
        address = _wait(lambda: _address(log), process, 60)
        _wait(lambda: json.load(urllib.request.urlopen(f"{address}readyz", timeout=5)), process, warm)
        yield address
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()


def _address(log: Path) -> str | None:
    return next((word for word in log.read_text().split() if word.startswith("http://")), None)


def _wait(ask: Callable[[], Any], process: subprocess.Popen[bytes], seconds: float) -> Any:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert process.poll() is None, "the service has ended"
        try:
            if answer := ask():
                return answer
        except OSError:
            pass
        time.sleep(0.3)
    raise AssertionError("the service is not there in time")
