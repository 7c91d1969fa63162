"""draw makes of a face, its head, and its saved head the same picture."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from samples import SMILE, make_face, make_result

from tronie.export.writer import save
from tronie.head.model import HeadModel, default_head
from tronie.io.saved_head import load_head
from tronie.render.draw import draw


def test_a_saved_head_looks_as_the_face_that_it_was_made_from(tmp_path: Path) -> None:
    model = default_head()
    saved = load_head(save(make_result(model, level=0), tmp_path, outputs={"glb"}) / "face-1")
    one, two = draw(make_face(model, level=0), size=(90, 120)), draw(saved, size=(90, 120))
    assert one.shape == (120, 90, 3)
    assert np.abs(one.astype(int) - two).mean() < 1.0


def test_options_change_the_picture(tiny_head: HeadModel) -> None:
    face = make_face(tiny_head)
    usual = draw(face, size=(64, 64), mode="clay")
    for option in ({"yaw": 40.0}, {"pitch": 20.0}, {"zoom": 1.5}, {"light": "studio"}, {"expression": {}}):
        assert (draw(face, size=(64, 64), mode="clay", **option) != usual).any(), option
    assert (draw(face, size=(64, 64), mode="clay", expression=SMILE) == usual).all()
    assert draw(face, size=(64, 64), background=None).shape == (64, 64, 4)
    with pytest.raises(ValueError, match="no light"):
        draw(face, light="moon")
