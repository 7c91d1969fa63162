"""Packets to another program, on this machine or another: sent and forgotten, never waited for and never answered."""

from __future__ import annotations

import ipaddress
import re
import socket
from dataclasses import dataclass
from typing import Any

from tronie.errors import InputError

LONGEST_NAME = 253
"""Characters of a host's name."""
NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Destination:
    """Who packets are sent to."""

    text: str
    """HOST:PORT, for people."""
    family: int
    """IPv4 or IPv6, as sockets number them."""
    address: tuple[Any, ...]
    """What sockets want."""

    @classmethod
    def parse(cls, text: str, port: int) -> Destination:
        """`HOST`, `HOST:PORT` or `[IPV6]:PORT`, where `port` is that of one that names none. The name is looked up.

        Raises InputError; also for addresses that stand for many, who would all be shown the face.
        """
        host, given = _parted(text.strip())
        shown = host[:80]
        if len(host) > LONGEST_NAME or not (_is_ipv6(host) if ":" in host else NAME.fullmatch(host)):
            raise InputError(f"{shown!r} is no name or address of a machine: HOST:PORT is wanted, as 127.0.0.1:{port}.")
        if given is not None:
            if not (given.isascii() and given.isdigit() and len(given) <= 5 and 0 < int(given) < 65536):
                raise InputError(f"{text[:80]!r}: the port after the colon should be a number from 1 to 65535.")
            port = int(given)
        try:
            family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
        except (OSError, UnicodeError):
            raise InputError(f"No machine is known by the name {shown!r}.") from None
        ip = ipaddress.ip_address(str(address[0]).split("%")[0])
        if ip.is_multicast or ip.is_unspecified or str(ip) == "255.255.255.255":
            raise InputError(f"{shown!r} stands for no single machine; a face is sent to one only.")
        name = f"[{host}]" if ":" in host else host
        return cls(f"{name}:{port}", int(family), address)


class Sender:
    """Sends packets to one destination. What the network has no room for at once is lost: the next frame is newer."""

    def __init__(self, to: Destination) -> None:
        self.to = to
        self.sent = self.lost = 0
        """Packets."""
        self.reason = ""
        """Why the last one was lost."""
        self._socket = socket.socket(to.family, socket.SOCK_DGRAM)
        self._socket.setblocking(False)

    def send(self, packet: bytes) -> bool:
        """Whether it is under way."""
        try:
            self._socket.sendto(packet, self.to.address)
        except OSError as error:
            self.lost += 1
            self.reason = error.strerror or str(error)
            return False
        self.sent += 1
        return True

    def close(self) -> None:
        self._socket.close()


def _parted(text: str) -> tuple[str, str | None]:
    """Host and port, as far as there are any."""
    if text.startswith("["):
        host, closed, rest = text[1:].partition("]")
        return (host, rest[1:]) if rest.startswith(":") else (host if closed and not rest else "", None)
    if text.count(":") > 1:  # of IPv6, without a port
        return text, None
    host, colon, port = text.partition(":")
    return host, port if colon else None


def _is_ipv6(host: str) -> bool:
    try:
        return bool(ipaddress.IPv6Address(host))
    except ValueError:
        return False
