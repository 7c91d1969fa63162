"""One small session over the inference runtime (ONNX Runtime on the processor).

Why only this runtime: measured on one core, the landmark net takes 5.5 ms a face here and 5.6 ms in LiteRT, once
it is translated without channel-last detours (training/landmarks/convert.py).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError
from tronie.runtime.logs import logger
from tronie.runtime.weights import ASSETS

log = logger(__name__)


def onnxruntime() -> Any:
    """The runtime, which must be imported through here only: left alone, its releases write a device id into the user's
    folder when they are loaded, and later report to their maker. The variable counts only before that."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # child processes inherit it
    early = "onnxruntime" in sys.modules  # the program around us was first: what can still be stopped is
    import onnxruntime as ort

    if early:
        ort.disable_telemetry_events()
    return ort


class Session:
    """A net loaded on first use. Safe to share between threads; pickles as its path and thread count."""

    def __init__(self, path: str | Path, threads: int = 1, *, split: bool = False) -> None:
        """`threads` 0 leaves the number to the runtime (one per core). With `split` they share the rows of a batch,
        each with a run of its own: two faces take the landmark net 14 ms so, and 24 ms with two threads in one run."""
        self.path = Path(path)
        self.threads = threads
        self.split = split
        self._lock = threading.Lock()
        self._session: Any = None
        self._pool: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.path, self.threads, self.split)

    def load(self) -> None:
        """Load now rather than at the first run."""
        with self._lock:
            if self._session is None:
                self._session = self._open()

    def _open(self) -> Any:
        ort = onnxruntime()
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1 if self.split else self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Picture sizes vary from call to call: a memory plan per shape would only pile up.
        options.enable_mem_pattern = False
        # Idle workers would spin and steal the core from the stage that follows.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            session = ort.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime raises a class per failure, none of them public
            own = self.path.is_relative_to(ASSETS)
            remedy = "reinstall tronie to repair it" if own else "import it again with --overwrite"
            raise WeightsError(f"The model file {self.path} cannot be loaded; {remedy}.") from error
        log.info("loaded %s for %s threads", self.path.name, self.threads or "all")
        return session

    def run(self, inputs: Mapping[str, NDArray[Any]], threads: int | None = None) -> dict[str, NDArray[np.float32]]:
        """Input arrays by name (any float type) -> output arrays by name. With `split` all of them have a first axis
        of the same length, along which rows do not depend on each other, and `threads` may say how many share them this
        time, at most as many as the session has."""
        self.load()
        names = [output.name for output in self._session.get_outputs()]
        arrays = {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in inputs.items()}
        wanted = self.threads if threads is None else threads
        parts = min(wanted or os.cpu_count() or 1, len(next(iter(arrays.values())))) if self.split else 1
        if parts < 2:
            return dict(zip(names, self._session.run(names, arrays), strict=True))
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(self.threads or os.cpu_count(), "tronie-net")
        shares = [
            dict(zip(arrays, share, strict=True))
            for share in zip(*(np.array_split(array, parts) for array in arrays.values()), strict=True)
        ]
        done = list(self._pool.map(lambda share: self._session.run(names, share), shares))
        return {name: np.concatenate(rows) for name, *rows in zip(names, *done, strict=True)}


def _unpickled(path: Path, threads: int, split: bool) -> Session:
    return Session(path, threads, split=split)
