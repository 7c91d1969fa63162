"""Packets as their receivers read them: python-osc for Open Sound Control, a reader of our own for the phone's app."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pythonosc.osc_bundle import OscBundle
from pythonosc.osc_message import OscMessage

from tronie.export.mocap import LIVE_LINK_TURNS
from tronie.export.packets import FaceValues, live_link_packet, osc_bundles, osc_message, vmc_packets
from tronie.geometry import HEAD_TO_CAMERA_AXES, rotation_from_euler, rotation_matrix
from tronie.head.arkit import ARKIT_UNITS


def face(yaw: float = 0.0, pitch: float = 0.0, roll: float = 0.0) -> FaceValues:
    turn = HEAD_TO_CAMERA_AXES.T @ rotation_from_euler(yaw, pitch, roll)
    return FaceValues(np.arange(52) / 60, turn, np.array([[10.0, 5.0], [8.0, 5.0]]))


def messages(packets: list[bytes]) -> list[OscMessage]:
    return [message for packet in packets for message in OscBundle(packet)]


def read_live_link(data: bytes) -> dict[str, Any]:
    """A packet of the app, field by field."""
    at = 0

    def take(layout: str) -> Any:
        nonlocal at
        values = struct.unpack_from(f">{layout}", data, at)
        at += struct.calcsize(f">{layout}")
        return values if len(values) > 1 else values[0]

    read: dict[str, Any] = {"version": take("B")}
    for name in ("device", "subject"):
        read[name] = take(f"{take('i')}s").decode()
    frame, part, rate, over = take("ifii")
    read |= {"frame": frame, "part": part, "rate": rate / over, "values": ()}
    if at < len(data):
        read["values"] = take(f"{take('B')}f")
    assert at == len(data)
    return read


def test_a_frame_by_vmc_is_read_by_another_library() -> None:
    packets = vmc_packets(1.5, face())
    assert max(map(len, packets)) <= 1400  # one piece each on usual networks
    sent = messages(packets)
    assert [m.address for m in sent[:3]] == ["/VMC/Ext/OK", "/VMC/Ext/T", "/VMC/Ext/Bone/Pos"]
    assert sent[0].params == [1, 3, 0, 1]
    assert sent[1].params == [1.5]
    assert sent[2].params == pytest.approx(["Head", 0, 0, 0, 0, 0, 0, 1])
    assert sent[-1].address == "/VMC/Ext/Blend/Apply"
    values = {m.params[0]: m.params[1] for m in sent if m.address == "/VMC/Ext/Blend/Val"}
    assert list(values) == [name[0].upper() + name[1:] for name in ARKIT_UNITS]
    assert list(values.values()) == pytest.approx((np.arange(52) / 60).tolist(), abs=1e-6)
    assert [m.params for m in messages(vmc_packets(2.0, None, calibrated=False))] == [[1, 2, 0, 0], [2.0]]
    assert "/VMC/Ext/Bone/Pos" not in {m.address for m in messages(vmc_packets(0.0, face(), head=False))}


@pytest.mark.parametrize(
    ("angles", "axis"),
    [((30, 0, 0), (0, -1, 0)), ((0, 30, 0), (-1, 0, 0)), ((0, 0, 30), (0, 0, -1))],
    ids=["to the subject's left", "up", "counter-clockwise in the picture"],
)
def test_the_head_turns_in_unitys_axes(angles: tuple[float, ...], axis: tuple[float, ...]) -> None:
    """There a positive turn about y is to the right, one about x down, and one about z to the left shoulder."""
    (bone,) = (m for m in messages(vmc_packets(0.0, face(*angles))) if m.address == "/VMC/Ext/Bone/Pos")
    assert bone.params[4:] == pytest.approx([*(np.sin(np.radians(15)) * np.array(axis)), np.cos(np.radians(15))])


@settings(max_examples=25)
@given(st.tuples(*[st.floats(-1.7, 1.7)] * 3))
def test_unitys_head_is_the_mirrored_head(vector: tuple[float, float, float]) -> None:
    values = FaceValues(np.zeros(52), rotation_matrix(vector), np.zeros((2, 2)))
    (bone,) = (m for m in messages(vmc_packets(0.0, values)) if m.address == "/VMC/Ext/Bone/Pos")
    x, y, z, w = bone.params[4:]
    made = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )
    mirror = np.diag([-1.0, 1, 1])
    assert np.allclose(made, mirror @ values.turn @ mirror, atol=1e-6)


def test_a_frame_of_live_link_has_the_apps_layout() -> None:
    day = 5 * 3600 + 4 * 60 + 23.925
    read = read_live_link(live_link_packet("Ann's phone", "1EACAA6D", day, face(20, 10, -5)))
    assert (read["version"], read["device"], read["subject"], read["rate"]) == (6, "1EACAA6D", "Ann's phone", 60)
    assert (read["frame"] + read["part"]) / 60 == pytest.approx(day, abs=1e-4)
    assert 0 <= read["part"] < 1
    values = dict(zip([*ARKIT_UNITS, *LIVE_LINK_TURNS], read["values"], strict=True))
    assert [values[name] for name in ARKIT_UNITS] == pytest.approx((np.arange(52) / 60).tolist(), abs=1e-6)
    turns = {name: np.degrees(values[name]) for name in LIVE_LINK_TURNS}
    assert (turns["HeadYaw"], turns["HeadPitch"], turns["HeadRoll"]) == pytest.approx((20, 10, -5), abs=1e-4)
    assert (turns["LeftEyeYaw"], turns["LeftEyePitch"]) == pytest.approx((-10, -5), abs=1e-4)
    assert read_live_link(live_link_packet("a", "b", 24 * 3600 + 1.0, None)) == {
        "version": 6, "device": "b", "subject": "a", "frame": 60, "part": 0, "rate": 60, "values": (),
    }  # fmt: skip


@settings(max_examples=25)
@given(
    st.lists(st.integers(-(2**31), 2**31 - 1) | st.floats(width=32, allow_nan=False) | st.text(max_size=9), max_size=5)
)
def test_any_message_is_read_back(values: list[Any]) -> None:
    values = [value.replace("\0", "") if isinstance(value, str) else value for value in values]
    (message,) = OscBundle(osc_bundles([osc_message("/a/b", *values)])[0])
    assert message.address == "/a/b"
    assert message.params == values
