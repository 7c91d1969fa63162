"""One small session over the inference runtime (ONNX Runtime on the processor).

Why only this runtime: measured on one core, the landmark net takes 5.5 ms a face here and 5.6 ms in LiteRT, once
it is translated without channel-last detours (forge/convert_landmarks.py).
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError
from tronie.weights import ASSETS


class Session:
    """A net loaded on first use. Safe to share between threads; pickles as its path and thread count."""

    def __init__(self, path: str | Path, threads: int = 1) -> None:
        """`threads` 0 leaves the number to the runtime (one per core)."""
        self.path = Path(path)
        self.threads = threads
        self._lock = threading.Lock()
        self._session: Any = None

    def __reduce__(self) -> tuple[type[Session], tuple[Path, int]]:
        return type(self), (self.path, self.threads)

    def load(self) -> None:
        """Load now rather than at the first run."""
        with self._lock:
            if self._session is None:
                self._session = self._open()

    def _open(self) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Picture sizes vary from call to call: a memory plan per shape would only pile up.
        options.enable_mem_pattern = False
        # Idle workers would spin and steal the core from the stage that follows.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        try:
            return ort.InferenceSession(str(self.path), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # the runtime raises a class per failure, none of them public
            own = self.path.is_relative_to(ASSETS)
            remedy = "reinstall tronie to repair it" if own else "import it again with --overwrite"
            raise WeightsError(f"The model file {self.path} cannot be loaded; {remedy}.") from error

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float32]]:
        """Input arrays by name (any float type) -> output arrays by name."""
        self.load()
        names = [output.name for output in self._session.get_outputs()]
        values = self._session.run(names, {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in inputs.items()})
        return dict(zip(names, values, strict=True))
