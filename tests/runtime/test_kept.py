"""Facts that are kept on disk are those that would be worked out."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tronie.head import lids, model, neck_ring
from tronie.head.model import HeadModel, default_head
from tronie.runtime import kept as kept_module
from tronie.runtime.kept import folder, kept, packed, unpacked
from tronie.stages.fit import basis, eyeballs
from tronie.stages.lighting import fold_places
from tronie.stages.texture import atlas, eyes, skin_fit, synthesis


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


def _plain(function: Any) -> Callable[..., Any]:
    """The function itself, beneath what remembers."""
    while hasattr(function, "__wrapped__"):
        function = function.__wrapped__
    return function  # type: ignore[no-any-return]


def _remembering(function: Any) -> Callable[..., Any]:
    """The function that reads from disk, beneath what remembers in memory."""
    return getattr(function, "__wrapped__", function) if hasattr(function, "cache_info") else function


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and a.shape == b.shape and np.array_equal(a, b)
    if is_dataclass(a):
        return type(a) is type(b) and all(_same(getattr(a, f.name), getattr(b, f.name)) for f in fields(a))
    if isinstance(a, tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(_same, a, b))
    if isinstance(a, dict):
        return list(a) == list(b) and all(_same(a[name], b[name]) for name in a)
    return type(a) is type(b) and bool(a == b)


FACTS: list[tuple[Any, tuple[int, ...]]] = [
    (model._level, (1,)),
    (lids.lids_of, ()),
    (neck_ring._ring, (1,)),
    (neck_ring._above, (64,)),
    (basis.landmark_basis, ()),
    (basis.mirror_map, ()),
    (eyeballs._eyes, (1,)),
    (eyes.eye_texels, (1, 256)),
    (fold_places.places, (1,)),
    (atlas.surface_facts, (1,)),
    (atlas.gutters, (1, 256)),
    (skin_fit._at_vertices, (1,)),
    (synthesis.grain, (1, 256)),
]


@pytest.mark.parametrize(("function", "numbers"), FACTS, ids=lambda one: getattr(one, "__name__", ""))
def test_what_is_read_is_what_is_worked_out(function: Any, numbers: tuple[int, ...]) -> None:
    head, read = default_head(), _remembering(function)
    own = _plain(function)(head, *numbers)
    assert _same(read(head, *numbers), own)
    files = list(folder().rglob("*.facts"))
    assert files
    assert not list(folder().rglob("*.part"))
    assert _same(read(head, *numbers), own)
    arrays = (
        [value for value in vars(own).values() if isinstance(value, np.ndarray)] if hasattr(own, "__dict__") else []
    )
    assert all(value.flags.writeable for value in arrays)


@dataclass(frozen=True)
class _Inner:
    values: NDArray[np.float32]
    name: str


@dataclass(frozen=True)
class _Outer:
    count: int
    share: float
    known: bool
    inner: tuple[_Inner, ...]
    one: _Inner | None
    table: dict[str, NDArray[np.int32]]


def _example(seed: int = 0) -> _Outer:
    rng = np.random.default_rng(seed)
    turned = np.asfortranarray(rng.normal(size=(3, 4)).astype(np.float32))
    inner = (_Inner(turned, "a"), _Inner(rng.normal(size=(9, 9)).astype(np.float32)[::2, ::3], "ö"))
    return _Outer(3, 0.1, True, inner, None, {"x": np.arange(0, dtype=np.int32)})


def test_values_come_back_as_they_were() -> None:
    value = _example()
    back = unpacked(_Outer, packed(value))
    assert _same(back, value)
    assert back.inner[0].values.flags.f_contiguous
    assert back.inner[1].values.flags.c_contiguous
    with pytest.raises(TypeError):
        packed(object())


class _Counted:
    """A model whose facts say how often they were worked out."""

    def __init__(self, digest: str = "d") -> None:
        self.digest, self.times = digest, 0


@kept
def _fact(model: Any, number: int) -> tuple[int, NDArray[np.int64]]:
    model.times += 1
    return number, np.full(1000, number)


def _file() -> Path:
    (file,) = folder().rglob("*.facts")
    return file


@pytest.mark.parametrize("harm", ["empty", "cut", "bit", "other", "folder", "pickle"])
def test_broken_files_are_worked_out_anew_and_mended(harm: str) -> None:
    head = _Counted()
    want = _fact(head, 7)
    file = _file()
    data = bytearray(file.read_bytes())
    if harm == "folder":
        file.unlink()
        file.mkdir()
    else:
        data[500] ^= 4 if harm == "bit" else 0
        array = np.array([object()], dtype=object)
        harmed = {"empty": b"", "cut": bytes(data[:400]), "bit": bytes(data), "other": packed((True, "x"))}
        file.write_bytes(harmed[harm] if harm in harmed else array.dumps())
    assert _same(_fact(head, 7), want)
    assert head.times == 2
    assert _same(_fact(head, 7), want)
    assert head.times == (3 if harm == "folder" else 2)


def test_another_model_and_other_code_have_facts_of_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = _Counted("one"), _Counted("other")
    _fact(one, 1), _fact(other, 1)
    assert (one.times, other.times) == (1, 1)
    monkeypatch.setattr(kept_module, "_code", lambda: "later")
    _fact(one, 1)
    assert one.times == 2


def test_nothing_is_kept_of_a_model_without_a_file() -> None:
    nameless = _Counted("")
    _fact(nameless, 1), _fact(nameless, 1)
    assert nameless.times == 2
    assert not folder().exists()
    assert default_head().digest
    assert not replace(default_head(), licence="other").digest


def test_a_place_that_cannot_be_written_costs_nothing_but_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "file"))
    head = _Counted()
    assert _fact(head, 2)[0] == _fact(head, 2)[0] == 2
    assert head.times == 2


def test_users_without_a_home_work_it_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(kept_module, "folder", nowhere)
    head = _Counted()
    assert _fact(head, 2)[0] == _fact(head, 2)[0] == 2
    assert head.times == 2


def test_old_folders_go() -> None:
    for number in range(kept_module.MOST + 3):
        _fact(_Counted(f"m{number}"), 1)
    assert len(list(folder().iterdir())) == kept_module.MOST


def test_many_may_write_at_once() -> None:
    def work(_: int) -> Any:
        return _fact(_Counted(), 5)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(work, range(64)))
    assert all(_same(one, answers[0]) for one in answers)
    assert _same(unpacked(tuple[int, NDArray[np.int64]], _file().read_bytes()), answers[0])


def test_a_head_from_a_file_is_known_by_it(tmp_path: Path, tiny_head: HeadModel) -> None:
    tiny_head.save(tmp_path / "head.npz")
    one, again = HeadModel.load(tmp_path / "head.npz"), HeadModel.load(tmp_path / "head.npz")
    assert one.digest == again.digest != default_head().digest
