"""A head of several photos, corrected in one of them."""

from __future__ import annotations

import numpy as np
import pytest
from places import EXAMPLES

from tronie.api import reconstruct_person
from tronie.pipelines.photo import Pipeline
from tronie.settings import Settings
from tronie.stages.fit.pins import landmarks_shown

NOSE = 4


@pytest.mark.slow
def test_a_pin_in_one_photo_bends_the_head_of_all() -> None:
    if not (photo := EXAMPLES / "astronaut.jpg").exists():
        pytest.skip("the examples lie in the repository, not in the package")
    pipeline = Pipeline(Settings.model_validate({"only": "mesh", "enhance": {"mode": "off"}}))
    plain = reconstruct_person([photo, photo], pipeline=pipeline)
    fit, model = plain.shots[0].face.fit, pipeline.model
    assert fit is not None
    x, y = landmarks_shown(model, fit)[NOSE]
    wanted = (float(x) + 4, float(y) + 2)
    made = reconstruct_person([photo, photo], pipeline=pipeline, pins={0: {NOSE: wanted}})
    bent = made.shots[0].face
    assert bent.fit is not None
    assert bent.landmarks is not None
    assert bent.landmarks.pins == {NOSE: wanted}
    assert np.abs(landmarks_shown(model, bent.fit)[NOSE] - wanted).max() < 0.6
    first, other = (shot.face.head.neutral for shot in made.shots)
    before = plain.shots[1].face.head.neutral
    np.testing.assert_allclose(first, other, atol=0.05)  # mm: one head
    assert np.abs(other - before).max() > 0.5
    assert not made.shots[1].face.landmarks.pins
