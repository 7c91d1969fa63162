"""Tables of motion: the columns other programs look for, and angles that lead back to the rotations."""

from __future__ import annotations

import csv
import io

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tronie.geometry import rotation_matrix
from tronie.io.capture import LIVE_LINK_COLUMNS, LIVE_LINK_UNITS, bvh, live_link_csv, timecode, zxy_degrees
from tronie.types import ARKIT_UNITS


def rows_of(chunks: object) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(chunks).decode())))  # type: ignore[arg-type]


def test_the_columns_are_live_link_faces() -> None:
    assert len(LIVE_LINK_COLUMNS) == 2 + 52 + 9
    assert sorted(LIVE_LINK_UNITS) == sorted(ARKIT_UNITS)
    assert LIVE_LINK_COLUMNS[:4] == ("Timecode", "BlendshapeCount", "EyeBlinkLeft", "EyeLookDownLeft")
    at = LIVE_LINK_COLUMNS.index
    assert at("JawForward") + 1 == at("JawRight") == at("JawLeft") - 1 == at("JawOpen") - 2
    assert at("MouthPucker") + 1 == at("MouthRight") == at("MouthLeft") - 1
    assert LIVE_LINK_COLUMNS[-10:] == (
        "TongueOut", "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw", "LeftEyePitch", "LeftEyeRoll", "RightEyeYaw",
        "RightEyePitch", "RightEyeRoll",
    )  # fmt: skip


def test_values_stand_under_their_names() -> None:
    weights = np.arange(52)[None] / 100 + np.zeros((3, 1))
    head = np.tile([10.0, 5.0, -2.0], (3, 1))
    gaze = np.zeros((3, 2, 2))
    gaze[:, 0, 1] = 20.0  # the left eye looks up
    header, *rows = rows_of(live_link_csv(np.arange(3) / 30, 30, weights, head, gaze))
    assert tuple(header) == LIVE_LINK_COLUMNS
    first = dict(zip(header, rows[0], strict=True))
    assert first["BlendshapeCount"] == "61"
    for name in ARKIT_UNITS:
        assert float(first[name[0].upper() + name[1:]]) == ARKIT_UNITS.index(name) / 100
    assert np.isclose(float(first["HeadYaw"]), np.radians(10), atol=1e-6)
    assert np.isclose(float(first["LeftEyePitch"]), -np.radians(20), atol=1e-6)
    assert [row[0] for row in rows] == ["00:00:00:00.000", "00:00:00:01.000", "00:00:00:02.000"]


def test_timecodes_count_frames() -> None:
    assert timecode(3723.5, 30) == "01:02:03:15.000"
    assert timecode(1 / 60, 30) == "00:00:00:00.500"
    assert timecode(1 - 1e-9, 25) == "00:00:01:00.000"


@given(st.tuples(*[st.floats(-1.2, 1.2)] * 3))
def test_the_angles_of_bvh_lead_back(vector: tuple[float, float, float]) -> None:
    rotation = rotation_matrix(vector)
    z, x, y = np.radians(zxy_degrees(rotation[None])[0])
    made = rotation_matrix([0, 0, z]) @ rotation_matrix([x, 0, 0]) @ rotation_matrix([0, y, 0])
    assert np.allclose(made, rotation, atol=1e-9)


def test_bvh_has_a_line_for_each_frame() -> None:
    text = b"".join(bvh(25, np.full((300, 3), 10.0), np.zeros((300, 3)))).decode()
    assert "Frames: 300\nFrame Time: 0.04" in text
    assert text.count("\n1.00000 1.00000 1.00000 0.0") == 300
