"""Folder names: valid everywhere, each once."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.io.paths import LONGEST, fold, safe_name, unique_names

RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{i}" for p in ("com", "lpt") for i in range(10))}


@given(st.text(st.characters(), max_size=300))
def test_a_safe_name_is_safe_and_stays(stem: str) -> None:
    name = safe_name(stem)
    assert name
    assert 0 < len(name.encode()) <= LONGEST + 1
    assert not set(name) & set('<>:"/\\|?*\0\n\r\t')
    assert name[-1] not in ". "
    assert name[0] not in ". "
    assert name.split(".")[0].lower() not in RESERVED
    assert safe_name(name) == name
    assert Path(name).name == name


@pytest.mark.parametrize(
    ("stem", "name"),
    [
        ("holiday 1", "holiday 1"),
        ("a/b", "a_b"),
        ("..", "photo"),
        ("", "photo"),
        (".hidden", "hidden"),
        ("NUL", "_NUL"),
        ("con.x", "_con.x"),
        ("COM¹", "_COM¹"),
        ("what?", "what_"),
        ("end. ", "end"),
        ("manifest.json", "_manifest.json"),
        ("Ünï", "Ünï"),
        ("U\u0308", "Ü"),
        ("bad\udcff", "bad_"),
        ("日本", "日本"),
        ("ab\u202egpj", "ab_gpj"),
    ],
)
def test_examples(stem: str, name: str) -> None:
    assert safe_name(stem) == name


@given(st.lists(st.text(st.sampled_from("aAbBäÄß-23._ ß"), min_size=1, max_size=5), unique=True, max_size=20))
def test_no_two_names_are_alike(stems: list[str]) -> None:
    paths = [f"{i}/{stem}.jpg" for i, stem in enumerate(stems)]
    names = unique_names(paths)
    assert list(names) == paths
    assert len({fold(name) for name in names.values()}) == len(paths)


def test_the_first_keeps_its_name_and_nobody_loses_his_own() -> None:
    paths = ["x/a.jpg", "y/A.png", "z/a-2.jpg", "z/a.webp"]
    assert list(unique_names(paths).values()) == ["a", "A-3", "a-2", "a-4"]
    assert unique_names(["a.jpg"], taken=["A"]) == {"a.jpg": "a-2"}
    assert unique_names([Path("d/b.jpg")]) == {Path("d/b.jpg"): "b"}
