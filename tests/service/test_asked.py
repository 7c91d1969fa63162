"""What clients may ask for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tronie.errors import InputError
from tronie.service.asked import settings_of
from tronie.service.config import ServiceConfig
from tronie.settings import Settings

CONFIG = ServiceConfig(data=Path("data"), max_megapixels=50, max_seconds=60)


@pytest.mark.parametrize(
    ("asked", "sentence"),
    [
        ({"head": {"name": "../../etc/passwd"}}, "The setting head.name can be tronie here."),
        ({"fit": {"engine": "a" * 5000}}, "The setting fit.engine can be calibrated or deep3d here."),
        ({"detect": {"detector": "<script>"}}, "The setting detect.detector can be"),
        ({"enhance": {"mode": "net"}}, "The setting enhance.mode can be"),
        ({"texture": {"size": 100_000}}, "The setting texture.size is not valid: input should be 'auto', 512"),
        ({"<script>": 1}, "There is no such setting."),
        ({"texture": {"<script>": 1}}, "There is no such setting in texture."),
        ({"texture": 5}, "The setting texture is not valid"),
        ({"outputs": ["<script>"]}, "The setting outputs is not valid"),
        ({"fit": {"focal": float("inf")}}, "infinite"),
        ({"video": {"bridge": float("nan")}}, "infinite"),
        ({"outputs": ["\ud800"]}, "halves of letters"),
    ],
)
def test_what_is_not_there_is_told_in_a_sentence_that_repeats_nothing(asked: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        settings_of(asked, CONFIG)
    said = str(error.value)
    assert said.startswith(sentence) or sentence in said
    assert "<script>" not in said
    assert "passwd" not in said
    assert said.endswith(".")
    assert len(said) < 300


def test_a_part_of_the_tree_is_enough_and_the_services_bounds_hold() -> None:
    plain = settings_of({}, CONFIG)
    assert (plain.read.max_megapixels, plain.video.seconds) == (50, 60)
    assert plain.model_copy(update={"read": Settings().read, "video": Settings().video}) == Settings()
    less = settings_of({"read": {"max_megapixels": 5}, "video": {"seconds": 2, "smooth": 0}}, CONFIG)
    assert (less.read.max_megapixels, less.video.seconds, less.video.smooth) == (5, 2, 0)
    more = settings_of({"read": {"max_megapixels": 500}, "video": {"seconds": 2000}}, CONFIG)
    assert (more.read.max_megapixels, more.video.seconds) == (50, 60)
    assert settings_of(more.model_dump(mode="json"), CONFIG) == more


NAMES = [*Settings.model_fields, "size", "mode", "name"]
KEYS = st.text() | st.sampled_from(NAMES)
JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=40)
@given(st.dictionaries(KEYS, JSON, max_size=4))
def test_whatever_is_asked_is_settings_or_a_sentence(asked: dict[str, Any]) -> None:
    said = "A sentence."
    try:
        assert isinstance(settings_of(asked, CONFIG), Settings)
    except InputError as error:
        said = str(error)
    assert said.isprintable()
    assert len(said) < 400
