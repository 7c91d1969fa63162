"""A Ray cluster to work on: found soon or not at all, and how its cores and graphics cards are shared out."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from tronie.errors import TronieError, sentence

LOCAL = "local"
"""The address of a cluster of this machine alone, which begins and ends with the run."""
MISSING = "--cluster needs Ray, which is not installed: pip install 'tronie[ray]', here and on the cluster's machines."
KNOCKING, CONNECTING = 5.0, 15.0
"""Seconds until somebody has to be at an address, and that has to prove to be a cluster's; Ray would wait for minutes,
and then end the process."""


def check() -> None:
    """Raise TronieError where Ray is not installed."""
    if importlib.util.find_spec("ray") is None:
        raise TronieError(MISSING)


@contextmanager
def connected(address: str, workers: int = 0) -> Iterator[ModuleType]:
    """Ray, with a cluster to work on; for `local` one of this machine with so many workers, or as many as cores."""
    check()
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # it would tell its makers
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # else it warns of what does not concern us
    import ray

    mine = {"num_cpus": workers or None, "include_dashboard": False} if address == LOCAL else {}
    main = threading.current_thread() is threading.main_thread()
    before = signal.getsignal(signal.SIGTERM) if main else None

    def begin() -> None:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR", **mine)

    try:
        if mine:
            begin()
        else:
            _somebody_at(address)
            _in_time(begin)
    except Exception as error:  # of many kinds, bare ones too
        raise TronieError(f"There is no Ray cluster to work on at {address}: {sentence(error)}") from error
    finally:
        if main:
            signal.signal(signal.SIGTERM, before)  # Ray puts its own there
    try:
        yield ray
    finally:
        ray.shutdown()


def _somebody_at(address: str) -> None:
    """Raise TronieError where nothing answers at the port of an address. Others are not looked at."""
    found = re.fullmatch(r"(?:\w+://)?\[?([^\[\]/]+?)\]?:(\d{1,5})", address)
    if found is None:
        return
    try:
        socket.create_connection((found[1], int(found[2])), timeout=KNOCKING).close()
    except (OSError, OverflowError) as error:
        why = getattr(error, "strerror", None) or "nothing answers"
        raise TronieError(f"{why}.") from error


def _in_time(begin: Callable[[], None]) -> None:
    """Do what may wait for minutes; raise TronieError, and leave it alone, when it has not ended after CONNECTING."""
    failed: list[BaseException] = []

    def attempt() -> None:
        try:
            begin()
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=attempt, name="tronie-ray", daemon=True)
    thread.start()
    thread.join(CONNECTING)
    if thread.is_alive():
        raise TronieError(f"it did not answer within {CONNECTING:g} s; is that the address of the head's GCS port?")
    if failed:
        raise failed[0]


def card_share(nodes: Iterable[dict[str, Any]], device: str) -> float:
    """Of a graphics card, what each actor is to have, by Ray's list of machines and the settings' device: so much that
    each core's has the same. Where nobody chose the device, 0 if there are machines without a card: those with one are
    then found by the runtime, and none is left out."""
    found = [node.get("Resources", {}) for node in nodes if node.get("Alive", True)]
    working = [(one["CPU"], one.get("GPU", 0.0)) for one in found if one.get("CPU", 0.0) >= 1]
    with_card = [cards / cores for cores, cards in working if cards]
    if device == "cpu" or not with_card or (device == "auto" and len(with_card) < len(working)):
        return 0.0
    return min(1.0, int(min(with_card) * 1000) / 1000)
