"""The user's store of imported models."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tronie.errors import OutputError, WeightsError
from tronie.importers import import_file
from tronie.runtime.model_store import Imported, check_free, imported, keep, new_record


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


def _record(file: Path) -> Imported:
    return new_record("a-net", "sparnet", file, purpose="p", licence="l", commercial_use=False, origin="o", side=8)


@pytest.mark.parametrize("name", [b"net.pth", "ünï \U0001f600.pth".encode(), b"no text \xff.pth"])
def test_a_file_of_any_name_can_be_kept(name: bytes, tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    try:
        file.write_bytes(b"numbers")
    except (OSError, UnicodeError):
        pytest.skip("this file system takes no such name")
    kept = keep(_record(file), b"a net")
    assert imported() == {"a-net": kept}
    assert kept.path.read_bytes() == b"a net"
    json.loads(kept.record.read_bytes())
    kept.source.encode()
    with pytest.raises(OutputError, match="imported already"):
        check_free("a-net", overwrite=False)
    check_free("a-net", overwrite=True)


def test_what_a_killed_import_left_is_removed_by_the_next(tmp_path: Path) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(b"numbers")
    store = keep(_record(file), b"a net").path.parent
    # A number that hardly any process ever has.
    (store / f".tronie-{2**22 - 1}-0-abc.part").write_bytes(bytes(10))
    keep(_record(file), b"another")
    assert sorted(p.name for p in store.iterdir()) == ["a-net.json", "a-net.onnx"]


def test_half_an_import_is_none(tmp_path: Path) -> None:
    file = tmp_path / "net.pth"
    file.write_bytes(b"numbers")
    kept = keep(_record(file), b"a net")
    kept.path.write_bytes(b"another net")
    assert imported() == {}
    kept.record.write_text("[]")
    assert imported() == {}


def test_an_unknown_kind_is_one_sentence_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"no kind wishes to import; there are deep3d, bfm, sparnet, .*flame-2023.*\.$"
    ):
        import_file("wishes", tmp_path)
