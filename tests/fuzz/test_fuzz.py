"""The fuzzer sees what breaks the law, changes files without breaking their frame, and says the same twice."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from random import Random

import numpy as np
import pytest

from fuzz import corpus, structure
from fuzz.coverage import Coverage
from fuzz.law import Watch, broken, highest
from fuzz.mutate import LARGEST, mutated
from fuzz.target import Target
from tronie.errors import InputError
from tronie.io.paths import safe_name
from tronie.runtime.hardware import resident


@pytest.fixture(scope="module")
def watch() -> Watch:
    return Watch()


def raises(error: BaseException) -> Callable[[Path], object]:
    def read(path: Path) -> object:
        raise error

    return read


def warns(path: Path) -> None:
    warnings.warn("odd", RuntimeWarning, stacklevel=1)


def fills(path: Path) -> int:
    """More than was held before, which may have been more than now."""
    held = resident(os.getpid()) or 0
    return len(np.ones(highest() - held + 200_000_000, np.uint8))


def hidden(path: Path) -> None:
    try:
        raise MemoryError
    except MemoryError as error:
        raise InputError(f"Cannot read {path}: it needs more memory than there is.") from error


READERS: dict[str, tuple[Callable[[Path], object], str | None]] = {
    "a value": (lambda path: path.read_bytes(), None),
    "a sentence": (raises(InputError("It is damaged.")), None),
    "its own folder": (lambda path: path.with_name("x").write_bytes(b""), None),
    "another error": (raises(KeyError("x")), "error"),
    "endless recursion": (raises(RecursionError()), "error"),
    "no sentence": (raises(InputError("line\nbreak")), "sentence"),
    "a warning": (warns, "warning"),
    "another folder": (lambda path: (path.parents[1] / "x").write_bytes(b""), "outside"),
    "a program": (lambda path: subprocess.run([sys.executable, "-c", ""], check=True), "outside"),
    "too slow": (lambda path: sum(range(1_000_000)), "slow"),
    "too little memory": (hidden, "memory"),
}


@pytest.mark.parametrize("name", READERS)
def test_the_law_is_held_against_readers(tmp_path: Path, watch: Watch, name: str) -> None:
    read, kind = READERS[name]
    folder = tmp_path / "own"
    folder.mkdir()
    (folder / "input").write_bytes(b"x")
    target = Target("planted", lambda: [b"x"], read, seconds=0.01 if kind == "slow" else 5)
    fault = broken(target, folder, watch, highest() + target.memory)
    assert (fault and fault.kind) == kind


@pytest.mark.skipif(not highest(), reason="the system does not tell how much memory was used at most")
def test_memory_is_seen(tmp_path: Path, watch: Watch) -> None:
    (tmp_path / "input").write_bytes(b"x")
    fault = broken(Target("planted", lambda: [b"x"], fills), tmp_path, watch, highest() + 100_000_000)
    assert fault is not None
    assert fault.kind == "memory"


def test_changes_are_the_same_for_a_seed_and_do_not_grow_without_end() -> None:
    for seed in range(60):
        made = [mutated(Random(seed), b"P6 40 30 255\n" + bytes(99), [b"other" * 9]) for _ in range(2)]
        assert made[0] == made[1]
        assert len(made[0]) <= LARGEST


def _chunks(data: bytes) -> Iterator[bytes]:
    at = 8
    while at < len(data):
        (length,) = struct.unpack_from(">I", data, at)
        body = data[at + 4 : at + 8 + length]
        assert struct.unpack_from(">I", data, at + 8 + length) == (zlib.crc32(body),)
        yield body
        at += 12 + length


def test_frames_of_files_stay_whole() -> None:
    import hostile_files as made

    png, stream = made.encoded(made.noise(8, 8), "PNG"), io.BytesIO()
    np.savez(stream, a=np.arange(6.0), b=np.zeros((2, 3)))
    text = json.dumps({"a": [1, {"b": None}], "c": "x"}).encode()
    head = struct.pack("<4sIIII", b"glTF", 2, 0, len(text), 0x4E4F534A) + text
    head += struct.pack("<I4s", 4, b"BIN\0") + bytes(4)
    different = set()
    for seed in range(40):
        rng = Random(seed)
        different.add(changed := structure.chunks(rng, png))
        assert list(_chunks(changed)) or len(changed) == 8
        with suppress(ValueError):
            changed = structure.zip_of(structure.npy)(rng, stream.getvalue())
            assert zipfile.ZipFile(io.BytesIO(changed)).testzip() is None
        with suppress(RecursionError):
            json.loads(structure.json_tree(rng, text).replace(b"9" * 5000, b"9"))
        changed = structure.glb(rng, head)
        (length,) = struct.unpack_from("<I", changed, 12)
        assert struct.unpack_from("<I", changed, 8) == (len(changed),)
        assert length % 4 == 0
    assert len(different) > 20


def test_lines_that_run_are_seen() -> None:
    coverage = Coverage()
    coverage.arm()
    try:
        safe_name("con")
    finally:
        coverage.disarm()
        coverage.close()
    assert any(file.endswith("paths.py") for file, _ in coverage.lines)


def test_the_corpus_is_the_same_for_a_seed(tmp_path: Path) -> None:
    first, second, other = (list(islice(corpus.changed(seed), 12)) for seed in (1, 1, 2))
    assert first == second
    assert first != other
    assert all(ending[0] == "." for ending, _ in first)


@pytest.mark.slow
def test_the_corpus_is_a_folder_full_of_files(tmp_path: Path) -> None:
    names = corpus.write(tmp_path / "new", 300)
    assert len(names) == len(set(names)) >= 300
    assert set(os.listdir(tmp_path / "new")) >= set(names)


@pytest.mark.slow
def test_the_command_runs_keeps_and_reads_again(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "fuzz", "--found", str(tmp_path / "found")]
    root = Path(corpus.__file__).parents[1]
    done = subprocess.run([*command, "--seconds", "1", "environment", "face"], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broke the law" in done.stdout
    assert not (tmp_path / "found").exists()
    (tmp_path / "face-error-1.input").write_bytes(b"{}")
    again = subprocess.run([*command, "--again", str(tmp_path / "face-error-1.input")], cwd=root, capture_output=True)
    assert (again.returncode, b"no fault" in again.stdout) == (0, True)
