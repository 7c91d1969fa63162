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
    live_link_rate,
    live_link_turns,
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
    assert np.isclose(float(first["HeadPitch"]), np.radians(5), atol=1e-6)
    assert np.isclose(float(first["HeadRoll"]), np.radians(-2), atol=1e-6)
    assert np.isclose(float(first["LeftEyePitch"]), -np.radians(20), atol=1e-6)
    assert np.isclose(float(first["LeftEyeYaw"]), -np.radians(15), atol=1e-6)  # negative to the left, as the app has it
    assert [row[0] for row in rows] == ["00:00:00:00.000", "00:00:00:01.000", "00:00:00:02.000"]


def test_a_head_that_moves_while_the_eyes_stay_on_the_camera_has_signs_as_in_recordings() -> None:
    """In the app's recordings the turns of head and eyes then go up and down together (see `live_link_turns`)."""
    head = np.array([[12.0, 7.0, 0.0]])
    head_yaw, head_pitch, _, *eyes = live_link_turns(head, -np.tile(head[:, None, :2], (1, 2, 1)))[0]
    assert eyes == pytest.approx([head_yaw, head_pitch, 0] * 2)
    assert head_yaw > 0  # to the subject's left
    assert head_pitch > 0  # up


def test_timecodes_count_frames() -> None:
    assert timecode(3723.5, 30) == "01:02:03:15.000"
    assert timecode(1 / 60, 30) == "00:00:00:00.500"
    assert timecode(1 - 1e-9, 25) == "00:00:01:00.000"


TICKS = 24000
"""A second of Unreal's sequences."""
RATES = [1, 2, 8, 10, 12.5, 15, 24000 / 1001, 24, 25, 30000 / 1001, 30, 48, 50, 60000 / 1001, 60, 90, 120, 240]


def read_as_unreal_does(codes: list[str], *, first: bool = False) -> np.ndarray:
    """Seconds: 60 frames a second where any frame field is above 30, else 30 (the `first` importer: always 60); fields
    have fractions; keys lie on ticks. There is no drop frame: it is real time."""
    parts = [code.split(":") for code in codes]
    rate = 60 if first or any(float(frames) > 30 for *_, frames in parts) else 30
    return np.array(
        [np.floor((int(h) * 3600 + int(m) * 60 + int(s) + float(f) / rate) * TICKS) / TICKS for h, m, s, f in parts]
    )


def codes_of(times: np.ndarray) -> list[str]:
    count = len(times)
    _, *rows = rows_of(live_link_csv(times, np.zeros((count, 52)), np.zeros((count, 3)), np.zeros((count, 2, 2))))
    return [row[0] for row in rows]


@pytest.mark.parametrize("fps", RATES)
@pytest.mark.parametrize("count", [2, 7, 31, 90, 400])
def test_unreal_reads_every_time_at_any_rate(fps: float, count: int) -> None:
    for frames in (np.arange(count), np.r_[np.arange(count), int(3 * 3600 * fps) + np.arange(count)]):
        times = frames / fps
        error = np.abs(read_as_unreal_does(codes_of(times)) - times).max()
        assert error < 1e-4  # far below half a frame of any rate
        if live_link_rate(times) == 60:
            assert np.abs(read_as_unreal_does(codes_of(times), first=True) - times).max() == pytest.approx(error)


@given(st.lists(st.floats(0.001, 2), min_size=1, max_size=40))
def test_unreal_reads_every_time_of_a_variable_rate(steps: list[float]) -> None:
    times = np.cumsum([0, *steps])
    assert np.abs(read_as_unreal_does(codes_of(times)) - times).max() < 1e-4


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
