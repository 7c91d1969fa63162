"""Who is who: grouping finds planted people, people.txt comes back, wrong files are said."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.errors import InputError
from tronie.pipelines.person.grouping import SAME, Entry, by_person, from_text, group, read_people, to_text

NAME = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp", "Zs"]), min_size=1, max_size=12)


def crowd(people: int, photos: int, seed: int = 0) -> tuple[np.ndarray, list[int], list[int]]:
    """Embeddings 0.2 apart within a person, about 0.8 between people; photos and truth."""
    rng = np.random.default_rng(seed)
    middle = rng.normal(size=(people, 128))
    middle *= 0.57 / np.linalg.norm(middle, axis=1, keepdims=True)
    rows, where, who = [], [], []
    for photo in range(photos):
        for person in rng.permutation(people):
            noise = rng.normal(size=128)
            rows.append(middle[person] + 0.14 * noise / np.linalg.norm(noise))
            where.append(photo)
            who.append(int(person))
    return np.array(rows), where, who


@given(st.integers(1, 4), st.integers(1, 6), st.integers(0, 100))
@settings(max_examples=25, deadline=None)
def test_planted_people_are_found(people: int, photos: int, seed: int) -> None:
    embeddings, where, who = crowd(people, photos, seed)
    found = group(embeddings, where)
    pairs = {(a, int(b)) for a, b in zip(who, found, strict=True)}
    assert len(pairs) == people
    assert len({b for _, b in pairs}) == people
    assert sorted(set(found.tolist())) == list(range(people))


def test_the_order_of_the_faces_does_not_matter() -> None:
    embeddings, where, _ = crowd(3, 5)
    order = np.random.default_rng(1).permutation(len(where))
    first, second = group(embeddings, where), group(embeddings[order], [where[k] for k in order])
    together = first[order][:, None] == first[order][None]
    assert np.array_equal(together, second[:, None] == second[None])


def test_two_faces_of_one_photo_are_two_people() -> None:
    same = np.zeros((2, 128))
    assert len(set(group(same, [0, 0]).tolist())) == 2
    assert len(set(group(same, [0, 1]).tolist())) == 1


def test_the_threshold_is_the_mean_distance() -> None:
    line = np.zeros((2, 128))
    for gap, people in ((SAME - 0.01, 1), (SAME + 0.01, 2)):
        line[1, 0] = gap
        assert len(set(group(line, [0, 1]).tolist())) == people


def test_whom_most_photos_show_comes_first() -> None:
    embeddings = np.zeros((4, 128))
    embeddings[0, 0] = 2.0
    assert group(embeddings, [0, 1, 2, 3]).tolist() == [1, 0, 0, 0]
    assert group(np.zeros((0, 128)), []).tolist() == []


@given(st.lists(st.tuples(NAME, st.integers(1, 99), NAME), max_size=5))
def test_people_txt_comes_back(rows: list[tuple[str, int, str]]) -> None:
    entries = tuple(Entry(*row) for row in rows if not row[0].startswith("#"))
    assert from_text(to_text(entries)) == entries


def test_names_with_spaces_and_files_typed_by_hand() -> None:
    assert from_text(to_text([Entry("my photos/a b.jpg", 2, "anna")])) == (Entry("my photos/a b.jpg", 2, "anna"),)
    assert from_text("\ufeff# a comment\n\nmy photos/a b.jpg   2  anna\n") == (Entry("my photos/a b.jpg", 2, "anna"),)


@pytest.mark.parametrize("line", ["a.jpg", "a.jpg one anna", "a.jpg 1"])
def test_a_line_that_cannot_be_read_is_named(line: str) -> None:
    with pytest.raises(InputError, match="line 2"):
        from_text(f"# first\n{line}\n")


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    faces = {"a": 2, "b": 1}
    assert by_person([Entry("a", 2, "x"), Entry("b", 1, "x"), Entry("a", 1, "-")], faces) == {"x": [("a", 2), ("b", 1)]}
    for entry, word in ((Entry("c", 1, "x"), "not among"), (Entry("b", 2, "x"), "has 1")):
        with pytest.raises(InputError, match=word):
            by_person([entry], faces)
    with pytest.raises(InputError, match="twice"):
        by_person([Entry("a", 1, "x"), Entry("a", 2, "x")], faces)
    with pytest.raises(InputError, match="Cannot read"):
        read_people(tmp_path / "none.txt")
