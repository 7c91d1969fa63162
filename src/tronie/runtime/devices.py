"""What nets can run on beside the processor: providers of the inference runtime, and which of them a net gets.

The runtime comes as packages that hold different providers (docs/devices.md). None of them is needed, and none that
fails is an error: a net that cannot be loaded or run on a device runs on the processor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tronie.errors import InputError
from tronie.runtime.logs import logger
from tronie.runtime.net_speeds import CPU, NetSpeed

log = logger(__name__)

AUTO = "auto"
SMALL = frozenset({"blendshapes", "face_doubts", "mtcnn_pnet", "mtcnn_rnet", "mtcnn_onet"})
"""Nets that take the processor about a millisecond, or are made of many small steps: to send them away takes longer."""
QUANTISED = (b"QLinearConv", b"QLinearMatMul", b"ConvInteger", b"MatMulInteger", b"DynamicQuantizeLinear")
"""Operations on whole numbers, which devices know but in part: what they do not know goes to and fro for every step."""

Options = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Device:
    """A way to run nets that is not the plain processor."""

    name: str
    """As in the settings."""
    provider: str
    """What the runtime calls it."""
    install: str
    """What brings it."""
    options: Callable[[int], tuple[Options, ...]]
    """By the number of threads, 0 for one per core: the provider's options, and others if these fail."""
    usual: bool = False
    """Whether AUTO takes it for large nets before anything was measured."""
    fixed: bool = False
    """Whether it compiles a net for one size of its inputs: rows go one by one, and nets whose pictures vary in size
    stay on the processor."""


def _cuda(threads: int) -> tuple[Options, ...]:
    # The default search tries every algorithm for each new size of a picture, and the detector's differ from photo to
    # photo; TF32 has ten bits of mantissa, too few for landmarks that are told to a hundredth of a pixel.
    tuned = {"cudnn_conv_algo_search": "HEURISTIC", "use_tf32": "0", "arena_extend_strategy": "kSameAsRequested"}
    return tuned, {}


def _coreml(threads: int) -> tuple[Options, ...]:
    return ({"ModelFormat": "MLProgram", "MLComputeUnits": "ALL", "RequireStaticInputShapes": "1"},)


def _openvino(threads: int) -> tuple[Options, ...]:
    # Not OpenVINO's own choice (AUTO), which begins on the processor and changes over in the middle of the work.
    count = str(threads or os.cpu_count() or 1)
    return tuple({"device_type": kind, "precision": "FP32", "num_of_threads": count} for kind in ("GPU", "CPU"))


def _plain(threads: int) -> tuple[Options, ...]:
    return ({},)


INSTEAD = "in place of the package onnxruntime"
DEVICES: dict[str, Device] = {
    device.name: device
    for device in (
        Device("cuda", "CUDAExecutionProvider", f"an NVIDIA card and onnxruntime-gpu {INSTEAD}", _cuda, usual=True),
        Device("directml", "DmlExecutionProvider", f"Windows and onnxruntime-directml {INSTEAD}", _plain, usual=True),
        Device("openvino", "OpenVINOExecutionProvider", f"onnxruntime-openvino {INSTEAD}", _openvino),
        Device("coreml", "CoreMLExecutionProvider", "a Mac", _coreml, fixed=True),
    )
}
"""Best first."""


def among(providers: Iterable[str]) -> tuple[Device, ...]:
    """The devices of these providers, best first."""
    there = set(providers)
    return tuple(device for device in DEVICES.values() if device.provider in there)


def refuse(asked: str, here: Sequence[Device]) -> None:
    """InputError with what to install for a device that was asked for and is not among those that are `here`."""
    if asked in (AUTO, CPU) or asked not in DEVICES or DEVICES[asked] in here:
        return
    raise InputError(
        f"This ONNX Runtime cannot use {asked}: that takes {DEVICES[asked].install} (docs/devices.md). "
        "--device auto takes what there is."
    )


def choose(asked: str, net: Path, here: Sequence[Device], speeds: Mapping[str, NetSpeed]) -> Device | None:
    """On which of the devices that are `here` a net is to run, for a device of the settings; None is the processor.

    AUTO goes by what was measured on this machine. Where nothing was, it trusts graphics cards with nets that are not
    SMALL: how fast OpenVINO and Core ML are hangs on net and machine, and Core ML computes with half the digits.
    """
    if asked == CPU or not here or is_quantised(net):
        return None
    if asked != AUTO:
        return next((device for device in here if device.name == asked), None)
    known = speeds.get(net.stem)
    if known is not None and known.bytes == net.stat().st_size and len(known.milliseconds) > 1:
        return next((device for device in here if device.name == known.best), None)
    return next((device for device in here if device.usual and net.stem not in SMALL), None)


def is_quantised(net: Path) -> bool:
    """Whether the net computes with whole numbers: names of operations stand in its file as they are."""
    data = net.read_bytes()
    return any(name in data for name in QUANTISED)


_lost: set[tuple[str, str]] = set()
"""Device and net, or no net for all, that run on the processor in this process because they cannot on the device."""
_untold: list[str] = []


def give_up(device: Device, net: Path | None, reason: str) -> None:
    """Remember that a net, or all, cannot be used on a device; of the first such failure of a device users are told."""
    log.warning("%s cannot be used on %s: %s", "nets" if net is None else net.name, device.name, reason)
    if not any(name == device.name for name, _ in _lost):
        _untold.append(
            f"{device.name} cannot be used as it should ({reason}); the processor does its work. `tronie doctor` tells "
            "more."
        )
    _lost.add((device.name, "" if net is None else net.stem))


def is_lost(device: Device, net: Path) -> bool:
    """Whether that failed before in this process."""
    return not _lost.isdisjoint({(device.name, net.stem), (device.name, "")})


def untold() -> list[str]:
    """What users should know and have not been told yet; once."""
    told = _untold.copy()
    _untold.clear()
    return told
