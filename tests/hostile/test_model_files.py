"""Hostile model files: one sentence each, in bounded memory and time, and no other file is read."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("h5py")
pytest.importorskip("onnx")
from hostile.model_files import HOSTILE

MEMORY = 400_000_000
"""Bytes that reading any of them may add."""
SECONDS = 20
"""Of processor time, for one; they take a second at most."""


EVERY = 12
"""Of the plain tests: one of so many files."""


def _results(folder: Path, names: list[str]) -> tuple[dict[str, dict[str, Any]], str]:
    """What came of each file that was read by a process of its own, and what else the process said."""
    here = Path(__file__).resolve()
    command = [sys.executable, str(here.with_name("read_them.py")), str(folder), *names]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    return {one["name"]: one for one in found}, done.stderr


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is measured by Linux's /proc")
@pytest.mark.parametrize("every", [EVERY, pytest.param(1, marks=pytest.mark.slow)])
def test_each_is_refused_with_one_sentence_in_little_memory(tmp_path: Path, every: int) -> None:
    assert len(HOSTILE) >= 80
    names = list(HOSTILE)[::every]
    found, noise = _results(tmp_path, names)
    assert set(names) == set(found), noise
    for name, one in found.items():
        said = str(one["said"])
        assert (one["error"], "\n" in said, said[-1:]) == ("TronieError", False, "."), (name, one)
        assert len(said) < 600, (name, one)
        assert one["bytes"] < MEMORY, (name, one)
        assert one["seconds"] < SECONDS, (name, one)
    assert "Traceback" not in noise
