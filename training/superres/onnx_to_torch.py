"""An ONNX graph as a PyTorch module, so that gradients go through a net that we only have as a file.

Knows the operators of face_landmarks.onnx; the weights are constants.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import nn
from torch.nn import functional as F


class Graph(nn.Module):
    def __init__(self, path: Path, outputs: tuple[str, ...]) -> None:
        """`outputs` names the values that are wanted; nodes that do not lead to them are dropped."""
        super().__init__()
        graph = onnx.load(path).graph
        self.input, self.outputs = graph.input[0].name, outputs
        self.names: dict[str, str] = {}
        for i, constant in enumerate(graph.initializer):
            self.names[constant.name] = f"w{i}"
            value = torch.from_numpy(np.array(numpy_helper.to_array(constant)))
            self.register_buffer(f"w{i}", value.float() if value.is_floating_point() else value)
        wanted, self.nodes = set(outputs), []
        for node in reversed(graph.node):
            if wanted & set(node.output):
                wanted |= set(node.input)
                self.nodes.insert(0, (node, {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}))

    def forward(self, image: torch.Tensor) -> list[torch.Tensor]:
        values: dict[str, torch.Tensor] = {self.input: image}
        for node, attributes in self.nodes:
            read = [values[n] if n in values else getattr(self, self.names[n]) for n in node.input if n]
            values[node.output[0]] = _run(node.op_type, read, attributes)
        return [values[n] for n in self.outputs]


def _run(kind: str, x: list[torch.Tensor], a: dict[str, object]) -> torch.Tensor:
    if kind in ("Cast", "Identity"):
        return x[0]
    if kind == "Add":
        return x[0] + x[1]
    if kind == "Relu":
        return F.relu(x[0])
    if kind == "Pad":
        before, after = np.split(x[1].cpu().numpy(), 2)
        return F.pad(x[0], [int(n) for pair in zip(before[::-1], after[::-1], strict=True) for n in pair])
    if kind in ("Conv", "MaxPool"):
        top, left, bottom, right = a.get("pads", [0, 0, 0, 0])  # type: ignore[misc]
        padded = F.pad(x[0], [left, right, top, bottom], value=-np.inf if kind == "MaxPool" else 0.0)
        if kind == "MaxPool":
            return F.max_pool2d(padded, a["kernel_shape"], a["strides"])
        return F.conv2d(padded, x[1], x[2] if len(x) > 2 else None, a.get("strides", 1), groups=a.get("group", 1))
    raise ValueError(f"no operator {kind} here")
