"""The recogniser's word on a portrait."""

from __future__ import annotations

import pytest
from places import EXAMPLES

import tronie
from tronie.export.records import face_record


def test_a_portrait_is_the_person() -> None:
    settings = tronie.Settings.model_validate(
        {"texture": {"size": 512}, "portrait": {"size": 256, "identity": True, "expression": "keep"}}
    )
    photo = EXAMPLES / "astronaut.jpg"
    result = tronie.Pipeline(settings).run(photo)
    (face,) = result.faces
    assert face.error is None
    assert face.portrait is not None
    assert face.portrait.identity is not None
    assert 0 < face.portrait.identity < 0.3
    record = face_record(result.photo, face, "astronaut", []).frontal
    assert record is not None
    assert record.identity == pytest.approx(face.portrait.identity, abs=1e-4)
    assert record.neutral is None
    assert record.portrait.seen > 0.9
    assert record.portrait.seen + record.portrait.mirrored + record.portrait.invented == pytest.approx(1, abs=1e-3)
