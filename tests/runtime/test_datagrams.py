"""Who packets may be sent to, and that sending never waits."""

from __future__ import annotations

import errno
import socket
import threading
import time
from typing import Any

import pytest

from tronie.errors import InputError
from tronie.runtime.datagrams import Destination, Sender
from tronie.runtime.threads import newest


@pytest.mark.parametrize(
    ("text", "shown", "port"),
    [
        ("127.0.0.1", "127.0.0.1:11111", 11111),
        ("127.0.0.1:9000", "127.0.0.1:9000", 9000),
        ("[::1]:9000", "[::1]:9000", 9000),
        ("::1", "[::1]:11111", 11111),
        (" localhost:1 ", "localhost:1", 1),
    ],
)
def test_a_destination_is_a_host_and_a_port(text: str, shown: str, port: int) -> None:
    to = Destination.parse(text, 11111)
    assert to.text == shown
    assert to.address[1] == port


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", ":9000", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:-1", "127.0.0.1:1e3"),
        *("127.0.0.1:٣", "a b:1", "a\n:1", "[::1", "[::1]x", "x" * 300, "é" * 70 + "..:1", "::1:2:3:4:5:6:7:8:9"),
        *("239.0.0.1:1", "255.255.255.255", "0.0.0.0:1", "[ff02::1]:1", "[::]:1", "http://127.0.0.1:1/"),
    ],
)
def test_what_is_no_single_machine_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(InputError, match=r"\.$"):
        Destination.parse(text, 11111)


def test_a_machine_that_nobody_knows_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(InputError, match="No machine is known by the name 'elsewhere'"):
        Destination.parse("elsewhere", 1)


def test_packets_arrive_in_their_order() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        sender = Sender(Destination.parse(f"127.0.0.1:{receiver.getsockname()[1]}", 1))
        for number in range(20):
            assert sender.send(b"%d" % number)
            assert receiver.recv(100) == b"%d" % number
        assert (sender.sent, sender.lost) == (20, 0)
        sender.close()


def test_a_network_that_is_full_loses_packets_and_stops_nobody() -> None:
    class Full:
        def sendto(self, packet: bytes, address: Any) -> None:
            raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    sender = Sender(Destination.parse("127.0.0.1:1", 1))
    assert not sender._socket.getblocking()
    sender.close()
    sender._socket = Full()  # type: ignore[assignment]
    assert not sender.send(b"x")
    assert (sender.sent, sender.lost, sender.reason) == (0, 1, "Resource temporarily unavailable")


def test_who_is_slow_misses_some_and_is_never_behind() -> None:
    """Items for every 10 ms to somebody who takes 35 ms for each."""
    began = time.monotonic()
    late, seen = [], []
    for item in newest(range(60), lambda item: item / 100):
        late.append(time.monotonic() - began - item / 100)
        seen.append(item)
        time.sleep(0.035)
    assert seen == sorted(set(seen))
    assert seen[-1] == 59  # the last one is not missed
    assert 3 <= len(seen) <= 30
    assert late[-1] < 1.2  # in turn they would be 1.5 s late


def test_items_wait_until_they_are_due() -> None:
    began = time.monotonic()
    for item in newest(range(6), lambda item: item / 20):
        assert time.monotonic() - began >= item / 20
    assert item == 5


def test_items_end_when_they_are_to_and_errors_come_through() -> None:
    def endless() -> Any:
        while True:
            time.sleep(0.01)
            yield 1

    over = threading.Event()
    for item in newest(endless(), ended=over.is_set):
        assert item == 1
        over.set()

    def failing() -> Any:
        yield 1
        raise InputError("It broke.")

    with pytest.raises(InputError, match=r"It broke\."):
        list(newest(failing()))
