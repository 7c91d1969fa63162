"""One small session over the inference runtime (ONNX Runtime), on the processor or another device.

Why only this runtime: measured on one core, the landmark net takes 5.5 ms a face here and 5.6 ms in LiteRT, once
it is translated without channel-last detours (training/landmarks/convert.py).
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError
from tronie.runtime import devices
from tronie.runtime.devices import AUTO, Device
from tronie.runtime.forks import about_to_work
from tronie.runtime.hardware import processor
from tronie.runtime.logs import logger
from tronie.runtime.net_speeds import CPU, kept
from tronie.runtime.weights import ASSETS

log = logger(__name__)

TOGETHER = 8
"""Rows that a device gets at once, as in the stages' own batches: their memory is bounded."""

placed: dict[tuple[str, str], str] = {}
"""Device of the settings, and net -> where this process runs it."""
_turn = threading.Lock()
"""Devices take one run at a time: DirectML stands still otherwise, and the others gain nothing."""


def onnxruntime() -> Any:
    """The runtime, which must be imported through here only: left alone, its releases write a device id into the user's
    folder when they are loaded, and later report to their maker. The variable counts only before that."""
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # child processes inherit it
    early = "onnxruntime" in sys.modules  # the program around us was first: what can still be stopped is
    import onnxruntime as ort

    if early:
        ort.disable_telemetry_events()
    return ort


@cache
def available() -> tuple[Device, ...]:
    """The devices that the installed runtime knows, best first. That it can use them is seen when a net is loaded."""
    ort = onnxruntime()
    ort.set_default_logger_severity(4)  # what does not work is told in a sentence of ours
    if getattr(ort, "cuda_version", ""):
        with suppress(Exception), redirect_stdout(StringIO()):
            ort.preload_dlls()  # CUDA's libraries, where they come as packages, lie where the system does not look
    names = set(ort.get_available_providers())
    with suppress(Exception):  # of releases from 1.22 on; some have CUDA as a library that is registered
        names |= {found.ep_name for found in ort.get_ep_devices()}
    return devices.among(names)


def require(device: str) -> None:
    """InputError with what to install for a device of the settings that is not there."""
    if device not in (AUTO, CPU):
        devices.refuse(device, available())


@cache
def machine() -> str:
    """What figures of nets hang on: the processor, the runtime, and what it can use."""
    return f"{processor()}, ONNX Runtime {onnxruntime().__version__}: {', '.join(d.name for d in available())}"


class Session:
    """A net loaded on first use. Safe to share between threads; pickles as what it was made with."""

    def __init__(self, path: str | Path, threads: int = 1, *, split: bool = False, device: str = CPU) -> None:
        """`threads` 0 leaves the number to the runtime (one per core). With `split` they share the rows of a batch,
        each with a run of its own: two faces take the landmark net 14 ms so, and 24 ms with two threads in one run.
        `device` is one of the settings' (`tronie.runtime.devices`)."""
        self.path = Path(path)
        self.threads = threads
        self.split = split
        self.device = device
        self._on: Device | None = None
        self._lock = threading.Lock()
        self._session: Any = None
        self._pool: ThreadPoolExecutor | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (self.path, self.threads, self.split, self.device)

    def load(self) -> None:
        """Load now rather than at the first run. Raises TronieError in a process that was forked too late."""
        about_to_work()
        with self._lock:
            if self._session is not None:
                return
            wanted = None if self.device == CPU else self._chosen()
            if wanted is None or not self._opened_on(wanted):
                self._session = self._open("CPUExecutionProvider", {}, self._options())
            placed[self.device, self.path.stem] = self.place
        log.info("loaded %s for %s threads on %s", self.path.name, self.threads or "all", self.place)

    @property
    def shapes(self) -> dict[str, tuple[int | str, ...]]:
        """Of its inputs, by name; where it takes any size, that has a name."""
        self.load()
        return {given.name: tuple(given.shape) for given in self._session.get_inputs()}

    @property
    def place(self) -> str:
        """On which device it runs, once it is loaded."""
        return CPU if self._on is None else self._on.name

    @property
    def sharing(self) -> int:
        """How many rows it works on at the same time, where none costs less in a batch than alone."""
        if self.place == CPU:
            return (self.threads or os.cpu_count() or 1) if self.split else 1
        assert self._on is not None
        return 1 if self._on.fixed else TOGETHER

    def _chosen(self) -> Device | None:
        if not (here := available()):
            return None
        wanted = devices.choose(self.device, self.path, here, kept(machine()))
        return None if wanted is None or devices.is_lost(wanted, self.path) else wanted

    def _opened_on(self, device: Device) -> bool:
        """Whether it could be loaded there."""
        options, reason = self._options(), ""
        if device.fixed:
            shapes = [given.shape for given in self._open("CPUExecutionProvider", {}, options).get_inputs()]
            if any(isinstance(size, str) for shape in shapes for size in shape[1:]):
                return False
            for name in {shape[0] for shape in shapes if isinstance(shape[0], str)}:
                options.add_free_dimension_override_by_name(name, 1)
        for given in device.options(self.threads):
            try:
                session = self._open(device.provider, given, options)
            except WeightsError as error:
                reason = brief(error.__cause__)
                continue
            if device.provider in session.get_providers():  # else the runtime has given up on it without an error
                self._session, self._on = session, device
                return True
        devices.give_up(device, self.path if reason else None, reason or "its libraries or drivers do not load")
        return False

    def _options(self) -> Any:
        options = onnxruntime().SessionOptions()
        options.intra_op_num_threads = 1 if self.split else self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Picture sizes vary from call to call: a memory plan per shape would only pile up.
        options.enable_mem_pattern = False
        # Idle workers would spin and steal the core from the stage that follows.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        return options

    def _open(self, provider: str, given: Mapping[str, str], options: Any) -> Any:
        try:
            # The runtime's own way back to the processor says so on stdout, and not everything makes it take that way.
            return onnxruntime().InferenceSession(
                str(self.path), options, providers=[provider], provider_options=[dict(given)], enable_fallback=0
            )
        except Exception as error:  # the runtime raises a class per failure, none of them public
            own = self.path.is_relative_to(ASSETS)
            remedy = "reinstall tronie to repair it" if own else "import it again with --overwrite"
            raise WeightsError(f"The model file {self.path} cannot be loaded; {remedy}.") from error

    def run(self, inputs: Mapping[str, NDArray[Any]], threads: int | None = None) -> dict[str, NDArray[np.float32]]:
        """Input arrays by name (any float type) -> output arrays by name. With `split` all of them have a first axis
        of the same length, along which rows do not depend on each other, and `threads` may say how many share them this
        time, at most as many as the session has."""
        self.load()
        arrays = {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in inputs.items()}
        if (device := self._on) is not None:
            try:
                with _turn:
                    return self._run_rows(arrays) if device.fixed else self._run(arrays)
            except Exception as error:  # such as too little memory of the card: the work goes on without it
                self._leave(device, error)
        wanted = self.threads if threads is None else threads
        parts = min(wanted or os.cpu_count() or 1, len(next(iter(arrays.values())))) if self.split else 1
        if parts < 2:
            return self._run(arrays)
        with self._lock:
            self._pool = self._pool or ThreadPoolExecutor(self.threads or os.cpu_count(), "tronie-net")
        shares = [
            dict(zip(arrays, share, strict=True))
            for share in zip(*(np.array_split(array, parts) for array in arrays.values()), strict=True)
        ]
        return _joined(list(self._pool.map(self._run, shares)))

    def _run(self, arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        names = [output.name for output in self._session.get_outputs()]
        return dict(zip(names, self._session.run(names, arrays), strict=True))

    def _run_rows(self, arrays: Mapping[str, NDArray[np.float32]]) -> dict[str, NDArray[np.float32]]:
        count = len(next(iter(arrays.values())))
        return _joined([self._run({k: v[row : row + 1] for k, v in arrays.items()}) for row in range(count)])

    def _leave(self, device: Device, error: Exception) -> None:
        """Go on upon the processor."""
        with self._lock:
            if self._on is not device:
                return  # another thread was first
            devices.give_up(device, self.path, brief(error))
            self._session, self._on = self._open("CPUExecutionProvider", {}, self._options()), None
            placed[self.device, self.path.stem] = CPU


def _joined(parts: Sequence[Mapping[str, NDArray[np.float32]]]) -> dict[str, NDArray[np.float32]]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def brief(error: BaseException | None) -> str:
    """Why something did not work, on a line, as the runtime says it."""
    return " ".join(str(error).split())[:200].rstrip(". ") or type(error).__name__


def _unpickled(path: Path, threads: int, split: bool, device: str) -> Session:
    return Session(path, threads, split=split, device=device)
