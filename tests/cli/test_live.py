"""`tronie live` from a clip to a socket on this machine."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from places import EXAMPLES
from pythonosc.osc_bundle import OscBundle

from tronie import cli
from tronie.export.mocap import LIVE_LINK_TURNS
from tronie.head.arkit import ARKIT_UNITS


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind(("127.0.0.1", 0))
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        yield one


def received(one: socket.socket) -> list[bytes]:
    packets = []
    while select.select([one], [], [], 0.05)[0]:
        packets.append(one.recv(65536))
    return packets


def pictures(folder: Path, count: int) -> str:
    image = np.asarray(Pillow.open(EXAMPLES / "astronaut.jpg").convert("RGB").crop((80, 20, 400, 300)))
    for k in range(count):
        Pillow.fromarray(np.roll(image, 2 * k, axis=1)).save(folder / f"{k}.png", compress_level=1)
    return str(folder / "%d.png")


def test_a_clip_is_sent_in_both_formats(
    tmp_path: Path, receiver: socket.socket, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        to = [f"127.0.0.1:{one.getsockname()[1]}" for one in (receiver, phone)]
        command = ["live", pictures(tmp_path, 8), "--fps", "10", "--neutral", "0.3"]
        assert cli.execute([*command, "--osc", to[0], "--livelink", to[1]]) == 0
        frames, bundles = received(phone), received(receiver)
    said = capsys.readouterr().out
    assert f"Sending to {to[0]} and {to[1]}" in said
    assert "The neutral pose is taken." in said
    assert 2 <= len(frames) <= 8
    sent = [message for bundle in bundles for message in OscBundle(bundle)]
    times = [message.params[0] for message in sent if message.address == "/VMC/Ext/T"]
    assert len(times) == len(frames)
    assert times == sorted(times)
    assert [m.params[1] for m in sent if m.address == "/VMC/Ext/OK"][-1] == 3  # calibrated
    blends = [m.params[1] for m in sent if m.address == "/VMC/Ext/Blend/Val"]
    assert len(blends) == len(frames) * len(ARKIT_UNITS)
    assert 0 <= min(blends) <= max(blends) <= 1
    values = np.frombuffer(frames[-1][-4 * 61 :], ">f4")
    assert values[:52].mean() < 0.05  # the same face as at rest
    assert np.abs(values[52:55]).max() < 0.1
    assert len(LIVE_LINK_TURNS) == 9


WRONG = (
    ["--osc", "127.0.0.1"],
    ["x.mp4"],
    ["x.mp4", "--camera", "0", "--osc", "127.0.0.1"],
    ["x.mp4", "--osc", "239.0.0.1"],
    ["x.mp4", "--livelink", "127.0.0.1:99999"],
    ["x.mp4", "--osc", "127.0.0.1", "--gain", "jaw=2"],
    ["x.mp4", "--livelink", "127.0.0.1", "--subject", "a\nb"],
)


def test_wrong_usage_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    for wrong in WRONG:
        assert cli.execute(["live", *wrong]) == 2
        assert "Traceback" not in capsys.readouterr().err


def test_a_clip_that_is_not_there_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.execute(["live", "no-such.mp4", "--osc", "127.0.0.1"]) == 1
    assert "no-such.mp4" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="signals")
def test_ctrl_c_ends_it_cleanly(tmp_path: Path, receiver: socket.socket) -> None:
    to = f"127.0.0.1:{receiver.getsockname()[1]}"
    command = [sys.executable, "-m", "tronie", "live", pictures(tmp_path, 200), "--fps", "1", "--livelink", to]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert select.select([receiver], [], [], 300)[0]
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "frames in" in said
    assert errors == ""
