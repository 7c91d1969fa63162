"""How fast nets are on the devices of this machine, as `tronie doctor` measured and kept it: one file of the user's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tronie.errors import OutputError
from tronie.runtime.atomic_files import make_folder, write_file
from tronie.runtime.json_text import parsed
from tronie.runtime.weights import home

CPU = "cpu"
FASTER = 1.2
"""How many times as fast as the processor a device has to be: less may be chance."""


@dataclass(frozen=True, slots=True)
class NetSpeed:
    """How fast a net is here."""

    bytes: int
    """Of its file, by which another one of the same name is told."""
    milliseconds: Mapping[str, float]
    """Device, `cpu` among them -> what a face takes."""

    @property
    def best(self) -> str:
        """The device that is clearly the fastest, or the processor."""
        name, least = min(self.milliseconds.items(), key=lambda item: item[1])
        own = self.milliseconds.get(CPU)
        return name if own is not None and own >= FASTER * least else CPU


def keep(machine: str, speeds: Mapping[str, NetSpeed]) -> None:
    """Let AUTO go by these from now on, in later processes too. Where nothing can be kept, nothing is."""
    nets = {name: {"bytes": one.bytes, "milliseconds": dict(one.milliseconds)} for name, one in speeds.items()}
    with suppress(OutputError):
        make_folder(home())
        write_file(_file(), (json.dumps({"machine": machine, "nets": nets}, indent=2) + "\n").encode())
    kept.cache_clear()


@cache
def kept(machine: str) -> Mapping[str, NetSpeed]:
    """What was measured on `machine`, by the net's name: another processor, another runtime, or other devices ask for
    other figures. Read once by a process, so that its nets stay where they are."""
    with suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
        record = parsed(_file().read_bytes())
        if record["machine"] == machine:
            return {
                str(name): NetSpeed(int(one["bytes"]), {str(k): float(v) for k, v in one["milliseconds"].items()})
                for name, one in record["nets"].items()
                if one["milliseconds"]
            }
    return {}


def _file() -> Path:
    return home() / "devices.json"
