"""main.py: the older arguments become those of `tronie run`."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
from places import EXAMPLES, ROOT


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


def test_the_older_defaults(main) -> None:
    assert main.arguments([]) == ["run", "-o", "./data_output", "--flat", "--", "./data_input"]


def test_a_photo(main, tmp_path) -> None:
    photo = tmp_path / "a.jpg"
    photo.touch()
    for kind in ([], ["--type", "image"]):
        old = [*kind, "--test_img_path", str(photo), "--objface_results_dir", "out"]
        assert main.arguments(old) == ["run", "-o", "out", "--flat", "--", str(photo)]


def test_a_folder(main, tmp_path) -> None:
    for kind in ([], ["--type", "dir"]):
        old = [*kind, "--test_img_path", str(tmp_path), "--objface_results_dir", "out"]
        assert main.arguments(old) == ["run", "-o", "out", "--flat", "--", str(tmp_path)]


def test_all_options_of_run_pass_through(main) -> None:
    chain = ["--engine", "deep3d", "--enhance", "sparnet-hd", "--enhance-for", "all", "-j", "2", "--mat"]
    assert main.arguments([*chain, "--no-flat"]) == ["run", "-o", "./data_output", *chain, "--", "./data_input"]
    # Nothing that begins like one of the older arguments is taken for it.
    assert "--test" in main.arguments(["--test"])


def test_a_path_that_begins_with_a_dash_is_no_option(main) -> None:
    assert main.arguments(["--test_img_path=-a.jpg"])[-2:] == ["--", "-a.jpg"]


@pytest.mark.parametrize(
    "old",
    [
        ["--type", "film", "--test_img_path", "a.jpg"],
        ["--type", "image", "--test_img_path", str(ROOT)],
        ["--type", "dir", "--test_img_path", str(Path(__file__))],
        ["--test_img_path", "a.jpg", "--nope"],
        ["--test_img_path", "a.jpg", "--engine", "steam"],
    ],
)
def test_wrong_usage_is_2(main, old, capsys, monkeypatch) -> None:
    monkeypatch.setattr(sys, "argv", ["main.py", *old])
    with pytest.raises(SystemExit) as end:
        main.main()
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


def _run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """As a user does, in a folder with data_input."""
    command = [sys.executable, str(ROOT / "main.py"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=600, check=False)


@pytest.fixture
def beside(main, tmp_path) -> Path:
    """A folder with the older data_input, in it two photos of which one shows eight people."""
    (tmp_path / "data_input").mkdir()
    for name in ("astronaut.jpg", "group.jpg"):
        shutil.copy(EXAMPLES / name, tmp_path / "data_input")
    return tmp_path


@pytest.mark.slow
def test_the_command_without_arguments(beside) -> None:
    done = _run(beside, "--only", "mesh")
    assert done.returncode == 0, done.stderr
    out = beside / "data_output"
    expected = ["astronaut_face-1.obj", *(f"group_face-{k}.obj" for k in range(1, 9))]
    assert sorted(p.name for p in out.glob("*.obj")) == expected
    first = (out / expected[0]).read_text().split("\n")
    vertices = [line.split() for line in first if line.startswith("v ")]
    assert len(vertices) > 10_000
    assert {len(line) for line in vertices} == {7}  # x, y, z, red, green, blue
    assert all(0 <= float(c) <= 1 for line in vertices[::100] for c in line[4:])
    assert (out / "group" / "face-8" / "head.glb").is_file()
    assert not list(out.glob("group/*.obj"))
    # Where there are fewer faces now, the others' files go.
    again = _run(beside, "--only", "mesh", "--max-faces", "2", "--overwrite")
    assert again.returncode == 0, again.stderr
    assert sorted(p.name for p in out.glob("*.obj")) == expected[:3]


def test_the_command_for_one_photo(beside) -> None:
    given = ["--type", "image", "--test_img_path", "data_input/astronaut.jpg", "--objface_results_dir", "out"]
    done = _run(beside, *given, "--only", "mesh", "--no-flat")
    assert done.returncode == 0, done.stderr
    assert sorted(p.name for p in (beside / "out").iterdir()) == ["astronaut", "manifest.json"]


@pytest.mark.slow
def test_the_window(beside) -> None:
    """It opens and stays."""
    pytest.importorskip("PySide6.QtWidgets")
    environment = os.environ | {"QT_QPA_PLATFORM": "offscreen"}
    command = [sys.executable, str(ROOT / "qt_image.py"), "data_input/astronaut.jpg"]
    with subprocess.Popen(command, cwd=beside, env=environment, stderr=subprocess.PIPE, text=True) as window:
        try:
            window.wait(15)
        except subprocess.TimeoutExpired:
            window.terminate()
        else:
            pytest.fail(f"the window ended: {window.stderr.read() if window.stderr else ''}")
