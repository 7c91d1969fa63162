"""Inputs of a job: files, folders, links and patterns, each photo once, and what is said of all else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.io.inputs import find_inputs
from tronie.io.kinds import left_out_sentence
from tronie.io.paths import identity

SUFFIXES = frozenset({".jpg", ".png"})


def make(folder: Path, *names: str) -> list[Path]:
    paths = [folder / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")
    return paths


def test_a_folder_gives_its_photos_sorted_and_nothing_else(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "a.PNG", "notes.txt", "._a.png", "deep/c.jpg")
    assert [p.name for p in find_inputs([tmp_path], SUFFIXES).paths] == ["a.PNG", "b.jpg"]


def test_recursive_looks_below_but_not_into_the_outputs(tmp_path: Path) -> None:
    make(tmp_path, "b.jpg", "deep/er/c.jpg", ".hidden/d.jpg", "out/b/face-1/texture.png")
    found = find_inputs([tmp_path], SUFFIXES, recursive=True, exclude=tmp_path / "out")
    assert [p.name for p in found.paths] == ["b.jpg", "c.jpg"]


def test_what_is_left_out_is_counted_by_kind(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    names = (
        "a.jpg",
        "b.jxl",
        "c.PSD",
        "d.psd",
        "e.NEF",
        "notes.txt",
        "a.xmp",
        ".hidden.psd",
        "README",
        "f.x\x1b[0m",
        "in/g.svg",
    )
    for name in names:
        (tmp_path / name).touch()
    found = find_inputs([tmp_path, tmp_path / "*", tmp_path / "b.jxl"], SUFFIXES)
    assert [path.name for path in found.paths] == ["a.jpg", "b.jxl"]  # the second was asked for by its name
    assert found.left_out == {".psd": 2, ".nef": 1, "no ending": 1, "others": 1, ".svg": 1}
    text = left_out_sentence(found.left_out)
    assert text is not None
    assert text.startswith("6 files were left out, of kinds that are not read: 2 .psd (")
    assert "1 .nef (camera raw: export as JPEG or TIFF)" in text
    assert "\x1b" not in text
    assert find_inputs([tmp_path], SUFFIXES, recursive=True).left_out[".svg"] == 1
    assert find_inputs([tmp_path / "*.jpg"], SUFFIXES).left_out == {}
    assert left_out_sentence({}) is None


def test_a_file_is_taken_once_however_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (a,) = make(tmp_path, "a.jpg")
    monkeypatch.chdir(tmp_path)
    found = find_inputs([a, "a.jpg", "./a.jpg", tmp_path, "*.jpg", f"../{tmp_path.name}/a.jpg"], SUFFIXES)
    assert found.paths == (a,)
    assert not found.problems


@pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")
def test_a_link_is_the_file_it_points_to(tmp_path: Path) -> None:
    (a,) = make(tmp_path, "a.jpg")
    (tmp_path / "b.jpg").symlink_to(a)
    assert len(find_inputs([tmp_path], SUFFIXES).paths) == 1


def test_patterns_are_expanded_where_the_shell_did_not(tmp_path: Path) -> None:
    make(tmp_path, "x/a.jpg", "x/b.txt", "y/c.png", "y/d.jfif", "top.jpg")

    def names(*patterns: str) -> list[str]:
        return [p.name for p in find_inputs([str(tmp_path / pattern) for pattern in patterns], SUFFIXES).paths]

    assert names("x/*") == ["a.jpg"]
    assert names("*") == ["top.jpg", "a.jpg", "c.png"]
    assert names("**/*.jpg") == ["top.jpg", "a.jpg"]
    assert names("y/*.jfif") == ["d.jfif"]
    assert names("?/[ac].*") == ["a.jpg", "c.png"]


def test_a_name_that_looks_like_a_pattern_is_a_file_if_it_exists(tmp_path: Path) -> None:
    odd, _ = make(tmp_path, "a[1].jpg", "a1.jpg")
    assert find_inputs([odd], SUFFIXES).paths == (odd,)


def test_each_argument_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    make(tmp_path, "a.txt", "deep/b.jpg")
    arguments = [str(tmp_path), str(tmp_path / "none.jpg"), str(tmp_path / "*.png"), "nul\0l.jpg", "x" * 5000]
    found = find_inputs(arguments, SUFFIXES)
    assert not found.paths
    assert [p.source for p in found.problems] == arguments
    assert "--recursive" in found.problems[0].reason
    assert found.problems[1].reason == "no such file or folder"
    assert found.problems[2].reason == "no photo matches"


def test_a_named_file_is_taken_whatever_its_suffix(tmp_path: Path) -> None:
    (path,) = make(tmp_path, "notes.txt")
    assert find_inputs([path], SUFFIXES).paths == (path,)


names = st.text(alphabet="ab1[]-*é .", min_size=1, max_size=6).map(lambda s: f"x{s}x.jpg")


@settings(max_examples=40, deadline=None)
@given(st.sets(names, min_size=1, max_size=6))
def test_a_folder_its_files_and_their_glob_are_the_same_inputs(tmp_path_factory: pytest.TempPathFactory, files) -> None:
    if os.name == "nt":
        files = {name.replace("*", "_") for name in files}
    folder = tmp_path_factory.mktemp("inputs")
    paths = make(folder, *files)
    by_folder = find_inputs([folder], SUFFIXES)
    by_name = find_inputs(sorted(paths), SUFFIXES)
    by_pattern = find_inputs([folder / "*.jpg"], SUFFIXES)
    assert by_folder == by_name == by_pattern
    assert {identity(p) for p in by_folder.paths} == {identity(p) for p in paths}
