"""Tables of motion: the columns other programs look for, and angles that lead back to the rotations."""

from __future__ import annotations

import csv
import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tronie.export.mocap import (
    LIVE_LINK_COLUMNS,
    LIVE_LINK_UNITS,
    bvh,
    even_poses,
    even_times,
    live_link_csv,
    timecode,
    zxy_degrees,
)
from tronie.geometry import rotation_matrix
from tronie.head.arkit import ARKIT_UNITS


def rows_of(chunks: object) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(chunks).decode())))  # type: ignore[arg-type]


def test_the_columns_are_live_link_faces() -> None:
    assert len(LIVE_LINK_COLUMNS) == 2 + 52 + 9
    assert sorted(LIVE_LINK_UNITS) == sorted(ARKIT_UNITS)
    assert LIVE_LINK_COLUMNS[:4] == ("Timecode", "BlendShapeCount", "EyeBlinkLeft", "EyeLookDownLeft")
    at = LIVE_LINK_COLUMNS.index
    assert at("JawForward") + 1 == at("JawRight") == at("JawLeft") - 1 == at("JawOpen") - 2
    assert at("MouthPucker") + 1 == at("MouthRight") == at("MouthLeft") - 1
    assert LIVE_LINK_COLUMNS[-10:] == (
        "TongueOut",
        "HeadYaw",
        "HeadPitch",
        "HeadRoll",
        "LeftEyeYaw",
        "LeftEyePitch",
        "LeftEyeRoll",
        "RightEyeYaw",
        "RightEyePitch",
        "RightEyeRoll",
    )


def test_values_stand_under_their_names() -> None:
    weights = np.arange(52)[None] / 100 + np.zeros((3, 1))
    head = np.tile([10.0, 5.0, -2.0], (3, 1))
    gaze = np.zeros((3, 2, 2))
    gaze[:, 0] = 15.0, 20.0  # the left eye looks to the subject's left, and up
    header, *rows = rows_of(live_link_csv(np.arange(3) / 30, weights, head, gaze))
    assert tuple(header) == LIVE_LINK_COLUMNS
    first = dict(zip(header, rows[0], strict=True))
    assert first["BlendShapeCount"] == "61"
    for name in ARKIT_UNITS:
        assert float(first[name[0].upper() + name[1:]]) == ARKIT_UNITS.index(name) / 100
    assert np.isclose(float(first["HeadYaw"]), np.radians(10), atol=1e-6)
    assert np.isclose(float(first["LeftEyePitch"]), -np.radians(20), atol=1e-6)
    assert np.isclose(float(first["LeftEyeYaw"]), -np.radians(15), atol=1e-6)  # negative to the left, as the app has it
    assert [row[0] for row in rows] == ["00:00:00:00.000", "00:00:00:01.000", "00:00:00:02.000"]


def test_timecodes_count_frames() -> None:
    assert timecode(3723.5, 30) == "01:02:03:15.000"
    assert timecode(1 / 60, 30) == "00:00:00:00.500"
    assert timecode(1 - 1e-9, 25) == "00:00:01:00.000"


def read_as_unreal_does(codes: list[str]) -> np.ndarray:
    """Seconds: 60 frames a second where any frame field is above 30, else 30; fields may have fractions."""
    parts = [code.split(":") for code in codes]
    rate = 60 if any(float(frames) > 30 for *_, frames in parts) else 30
    return np.array([int(h) * 3600 + int(m) * 60 + int(s) + float(f) / rate for h, m, s, f in parts])


@pytest.mark.parametrize("fps", [1, 2, 8, 10, 12.5, 15, 23.976, 24, 25, 29.97, 30, 48, 50, 59.94, 60, 90, 120, 240])
@pytest.mark.parametrize("count", [2, 7, 31, 90, 400])
def test_unreal_reads_every_time_at_any_rate(fps: float, count: int) -> None:
    times = np.arange(count) / fps
    _, *rows = rows_of(live_link_csv(times, np.zeros((count, 52)), np.zeros((count, 3)), np.zeros((count, 2, 2))))
    assert np.abs(read_as_unreal_does([row[0] for row in rows]) - times).max() < 2e-5


@given(st.lists(st.floats(0.001, 2), min_size=1, max_size=40))
def test_unreal_reads_every_time_of_a_variable_rate(steps: list[float]) -> None:
    times = np.cumsum([0, *steps])
    count = len(times)
    _, *rows = rows_of(live_link_csv(times, np.zeros((count, 52)), np.zeros((count, 3)), np.zeros((count, 2, 2))))
    assert np.abs(read_as_unreal_does([row[0] for row in rows]) - times).max() < 2e-5


def test_poses_at_even_times_follow_the_true_motion() -> None:
    times = np.cumsum([0.0] + [0.04 if k % 5 else 0.25 for k in range(1, 60)])
    turn = np.array([rotation_matrix([0, 0.3 * t, 0.1 * t]) for t in times])
    even = even_times(times, 25)
    place, turns = even_poses(times, even, np.outer(times, [10.0, 0, -5]), turn)
    assert len(even) == round(times[-1] * 25) + 1
    inside = even <= times[-1]
    assert np.allclose(place[inside], np.outer(even, [10.0, 0, -5])[inside])
    for t, found in zip(even[inside], turns[inside], strict=True):
        assert np.allclose(found, rotation_matrix([0, 0.3 * t, 0.1 * t]), atol=1e-9)
    same, kept = even_poses(times, times, np.outer(times, [1.0, 2, 3]), turn)
    assert np.allclose(same, np.outer(times, [1.0, 2, 3]))
    assert np.allclose(kept, turn)


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
