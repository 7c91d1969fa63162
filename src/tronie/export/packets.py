"""Motion as packets that other programs listen for: VMC over Open Sound Control, and the app Live Link Face's own.

Open Sound Control 1.0: addresses and arguments padded to four bytes, numbers big-endian; several messages are a bundle.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from tronie.arrays import Array
from tronie.export.mocap import live_link_turns
from tronie.geometry import HEAD_TO_CAMERA_AXES, euler_degrees, rotation_vector
from tronie.head.arkit import ARKIT_UNITS

PACKET_BYTES = 1400
"""Of a packet at most: larger ones would be cut into pieces on the way, and lost with any of them."""
LIVE_LINK_VERSION, LIVE_LINK_RATE = 6, 60
"""Of the app's packets, and the frames a second in which it counts time."""
DAY = 24 * 3600
VMC_NAMES: tuple[str, ...] = tuple(name[0].upper() + name[1:] for name in ARKIT_UNITS)
"""What avatars with "Perfect Sync" call ARKit's units, of which receivers may tell upper and lower case apart."""


@dataclass(frozen=True, slots=True, eq=False)
class FaceValues:
    """What is sent of a face in one frame."""

    units: Array
    """(52,) in ARKit's order, 0..1."""
    turn: Array
    """(3, 3) from the axes of a head that looks straight ahead to the head's: x to the subject's left, y up, z out."""
    gaze: Array
    """(2, 2) degrees of the left and the right eye: to the subject's left, and up."""


def osc_message(address: str, *values: float | int | str) -> bytes:
    """One message; an int is sent with 32 bits, a float as single."""
    tags, body = ",", b""
    for value in values:
        if isinstance(value, str):
            tags, body = tags + "s", body + _padded(value)
        elif isinstance(value, int):
            tags, body = tags + "i", body + struct.pack(">i", value)
        else:
            tags, body = tags + "f", body + struct.pack(">f", value)
    return _padded(address) + _padded(tags) + body


def osc_bundles(messages: Iterable[bytes]) -> list[bytes]:
    """Bundles for "at once", as few as there is room for the messages, in their order."""
    bundles: list[bytes] = []
    for message in messages:
        part = struct.pack(">i", len(message)) + message
        if not bundles or len(bundles[-1]) + len(part) > PACKET_BYTES:
            bundles.append(b"#bundle\0" + struct.pack(">Q", 1))
        bundles[-1] += part
    return bundles


def vmc_packets(seconds: float, face: FaceValues | None, *, calibrated: bool = True, head: bool = True) -> list[bytes]:
    """A frame by the Virtual Motion Capture protocol: whether somebody is seen, the time, the turn of the bone `Head`
    (unless `head` is false), a value for every unit, and that they are to be applied. Without a face the first two.

    The protocol's axes are Unity's: x to the subject's right, y up, z ahead, left-handed.
    """
    messages = [
        osc_message("/VMC/Ext/OK", 1, 3 if calibrated else 2, 0, 0 if face is None else 1),
        osc_message("/VMC/Ext/T", float(seconds)),
    ]
    if face is not None:
        if head:
            messages.append(osc_message("/VMC/Ext/Bone/Pos", "Head", 0.0, 0.0, 0.0, *_unity_quaternion(face.turn)))
        values = zip(VMC_NAMES, face.units.tolist(), strict=True)
        messages += [osc_message("/VMC/Ext/Blend/Val", name, float(value)) for name, value in values]
        messages.append(osc_message("/VMC/Ext/Blend/Apply"))
    return osc_bundles(messages)


def live_link_packet(subject: str, device: str, time_of_day: float, face: FaceValues | None) -> bytes:
    """A frame as the app Live Link Face sends it: version, the device's id, the subject's name, the time of day
    (seconds) in frames of 60, then 61 values: the units in ARKit's order and nine turns in radians. Without a face it
    ends with the time."""
    frames = time_of_day % DAY * LIVE_LINK_RATE
    whole = int(frames)
    packet = struct.pack(">B", LIVE_LINK_VERSION) + _counted(device) + _counted(subject)
    packet += struct.pack(">ifii", whole, frames - whole, LIVE_LINK_RATE, 1)
    if face is None:
        return packet
    angles = euler_degrees(HEAD_TO_CAMERA_AXES @ face.turn)
    values = [*face.units.tolist(), *live_link_turns(np.array([angles]), face.gaze[None])[0].tolist()]
    return packet + struct.pack(f">B{len(values)}f", len(values), *values)


def _padded(text: str) -> bytes:
    data = text.encode() + b"\0"
    return data + b"\0" * (-len(data) % 4)


def _counted(text: str) -> bytes:
    data = text.encode()
    return struct.pack(">i", len(data)) + data


def _unity_quaternion(rotation: Array) -> tuple[float, float, float, float]:
    """x, y, z, w of a turn in axes whose x points the other way."""
    vector = rotation_vector(rotation)
    angle = float(np.linalg.norm(vector))
    x, y, z = vector * (np.sin(angle / 2) / angle if angle > 1e-9 else 0.5)
    return float(x), float(-y), float(-z), float(np.cos(angle / 2))
