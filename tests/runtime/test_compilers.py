"""Kernels are compiled once, whoever asks for them, and by several processes together."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from numba import types

from tronie.runtime import compilers
from tronie.runtime.compilers import Compilers, compile_listed, listed
from tronie.runtime.folder_lock import gate
from tronie.runtime.jit import compiled_for, compiling, jit
from tronie.runtime.job import CompilingKernels, Job, Note


def _module(folder: Path) -> Any:
    file = folder / "kernels_of_a_test.py"
    file.write_text("def twice(x):\n    return 2 * x\n")
    spec = importlib.util.spec_from_file_location("kernels_of_a_test", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_list_names_kernels_and_types() -> None:
    found = list(listed())
    assert len(found) > 20
    assert all(
        hasattr(kernel, "py_func") and all(isinstance(one, types.Type) for one in wanted) for kernel, wanted in found
    )
    assert len({(id(kernel), wanted) for kernel, wanted in found}) == len(found)


def test_the_list_is_of_the_kernels_as_they_are() -> None:
    for kernel, wanted in listed():
        assert kernel.py_func.__code__.co_argcount == len(wanted), "python -m training.kernels writes the list anew"


def test_what_another_process_compiles_is_left_to_it(tmp_path: Path) -> None:
    kernel = jit(_module(tmp_path).twice)
    cache = kernel._cache
    place, name = Path(cache._cache_path), f".tronie-lock-{cache._impl.filename_base}"
    place.mkdir(exist_ok=True)
    names: list[str] = []
    with compiling(names.append):
        with gate(place, name):
            assert not compiled_for(kernel, (types.int64,))
            assert not names
        assert compiled_for(kernel, (types.int64,))
        assert names == ["twice"]
        assert kernel(4) == 8
        assert compiled_for(kernel, (types.int64,))
    assert names == ["twice"]
    assert not [one for one in os.listdir(place) if one.startswith(".tronie-")]


def test_a_kernel_that_cannot_be_compiled_holds_up_nobody(tmp_path: Path) -> None:
    kernel = jit(_module(tmp_path).twice)
    with pytest.raises(Exception, match=r".*"):
        kernel.compile((types.none,))
    assert kernel._cache.gate is None
    assert kernel(4) == 8


def test_helpers_begin_with_the_first_kernel_and_end_with_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    alive: list[object] = []

    class Helper:
        def __init__(self, start: object, threads: int, quiet: bool) -> None:
            assert start is compile_listed
            alive.append(self)

        def kill(self) -> None:
            alive.remove(self)

    monkeypatch.setattr(compilers, "launch", Helper)
    monkeypatch.setattr(compilers, "cores", lambda: 4)
    job = Job()
    with Compilers(1) as helpers:
        part = job.part(listen=helpers.hear)
        part.emit(Note("nothing to do with it"))
        assert not alive
        part.emit(CompilingKernels("a"))
        part.emit(CompilingKernels("b"))
        assert len(alive) == 3
    assert not alive
    with Compilers(4) as helpers:
        helpers.hear(CompilingKernels("a"))
        assert not alive


@pytest.mark.slow
def test_several_processes_compile_a_kernel_once(tmp_path: Path) -> None:
    _module(tmp_path)
    script = (
        "from tronie.runtime.jit import compiling, jit\n"
        "import kernels_of_a_test as m\n"
        "with compiling(print):\n"
        "    assert jit(m.twice)(21) == 42\n"
    )
    path = os.pathsep.join([str(tmp_path), *sys.path])
    crew = [
        subprocess.Popen([sys.executable, "-c", script], env=os.environ | {"PYTHONPATH": path}, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    said = [process.communicate(timeout=120)[0] for process in crew]
    assert all(process.returncode == 0 for process in crew)
    assert b"".join(said).split() == [b"twice"]
