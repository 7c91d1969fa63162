"""main.py: the older arguments become those of `tronie run`."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def main() -> ModuleType:
    if not (ROOT / "main.py").exists():
        pytest.skip("main.py lies in the repository, not in the package")
    spec = importlib.util.spec_from_file_location("old_main", ROOT / "main.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_photo(main, tmp_path) -> None:
    photo = tmp_path / "a.jpg"
    photo.touch()
    old = ["--type", "image", "--test_img_path", str(photo), "--objface_results_dir", "out"]
    assert main.arguments(old) == ["run", "-o", "out", "--", str(photo)]


def test_a_folder(main, tmp_path) -> None:
    old = ["--type", "dir", "--test_img_path", str(tmp_path), "--objface_results_dir", "out"]
    assert main.arguments(old) == ["run", "-o", "out", "--", str(tmp_path)]


def test_a_path_that_begins_with_a_dash_is_no_option(main) -> None:
    assert main.arguments(["--test_img_path=-a.jpg"])[-2:] == ["--", "-a.jpg"]


@pytest.mark.parametrize(
    "old",
    [
        [],
        ["--type", "image"],
        ["--type", "film", "--test_img_path", "a.jpg"],
        ["--test_img_path", "a.jpg", "--nope"],
        ["--type", "image", "--test_img_path", str(ROOT)],
        ["--type", "dir", "--test_img_path", str(Path(__file__))],
    ],
)
def test_wrong_usage_is_2(main, old, capsys) -> None:
    with pytest.raises(SystemExit) as end:
        main.arguments(old)
    assert end.value.code == 2
    assert "Traceback" not in capsys.readouterr().err


def test_it_hands_over_to_the_command_line(main, tmp_path, monkeypatch, capsys) -> None:
    missing = str(tmp_path / "none.jpg")
    monkeypatch.setattr(sys, "argv", ["main.py", "--test_img_path", missing])
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as end:
        main.main()
    assert end.value.code == 1
    assert f"{missing}: no such file or folder" in capsys.readouterr().err
