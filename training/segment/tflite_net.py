"""A TensorFlow Lite graph of convolutions, run by PyTorch: for the nets that only label what ours learns from.

MediaPipe's own operators have equals there: pooling that remembers where its largest values stood, its way back, and a
transposed convolution with a bias. Needs PyTorch and `ai-edge-litert` (its flatbuffer schema).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from ai_edge_litert import schema_py_generated as schema
from torch.nn import functional as F

OPERATORS = {v: k for k, v in vars(schema.BuiltinOperator).items() if not k.startswith("_")}
DTYPES = {
    schema.TensorType.FLOAT32: np.float32,
    schema.TensorType.FLOAT16: np.float16,
    schema.TensorType.INT32: np.int32,
}
SAME, RELU = 0, 1


class TfliteNet:
    """Called with an image (1, C, H, W) in [0, 1], it gives back the graph's only output (1, N, H, W)."""

    def __init__(self, path: Path) -> None:
        model = schema.ModelT.InitFromPackedBuf(path.read_bytes(), 0)
        self.sub = model.subgraphs[0]
        self.constants: dict[int, np.ndarray] = {}
        self.operators = []
        for i, tensor in enumerate(self.sub.tensors):
            raw = model.buffers[tensor.buffer].data
            if raw is not None and len(raw):
                value = np.frombuffer(bytes(raw), DTYPES[tensor.type]).reshape(tuple(tensor.shape))
                self.constants[i] = value.astype(np.float32) if value.dtype == np.float16 else value
        for op in self.sub.operators:
            code = model.operatorCodes[op.opcodeIndex]
            kind = OPERATORS[max(code.builtinCode, code.deprecatedBuiltinCode)]
            if kind == "CUSTOM":
                kind = code.customCode.decode()
            if kind == "DEQUANTIZE":
                self.constants[op.outputs[0]] = self.constants[op.inputs[0]].astype(np.float32)
            else:
                self.operators.append((kind, op))

    def __call__(self, image: torch.Tensor) -> torch.Tensor:
        values: dict[int, torch.Tensor] = {self.sub.inputs[0]: image}

        def read(i: int) -> torch.Tensor:
            if i in values:
                return values[i]
            value = torch.from_numpy(self.constants[i].copy())
            if value.ndim == 4:  # a weight (O, H, W, I)
                return value.permute(0, 3, 1, 2)
            return value if value.ndim < 3 else value.permute(2, 0, 1)

        with torch.inference_mode():
            for kind, op in self.operators:
                o = op.builtinOptions
                first, *rest = [read(i) for i in op.inputs]
                if kind in ("CONV_2D", "DEPTHWISE_CONV_2D"):
                    weight, bias = rest
                    deep = kind == "DEPTHWISE_CONV_2D"
                    weight = weight.permute(1, 0, 2, 3) if deep else weight
                    steps, wide = (o.strideH, o.strideW), (o.dilationHFactor, o.dilationWFactor)
                    if o.padding == SAME:
                        first = F.pad(first, padding(first.shape[2:], weight.shape[2:], steps, wide))
                    out = F.conv2d(first, weight, bias, steps, 0, wide, first.shape[1] if deep else 1)
                    out = out.relu() if o.fusedActivationFunction == RELU else out
                elif kind == "Convolution2DTransposeBias":
                    weight, bias = rest
                    out = F.conv_transpose2d(first, weight.permute(1, 0, 2, 3), bias, 2)
                    out = out[:, :, : 2 * first.shape[2], : 2 * first.shape[3]]  # SAME: what is odd goes at the end
                elif kind == "MaxPoolingWithArgmax2D":
                    out, values[op.outputs[1]] = F.max_pool2d(first, 2, 2, return_indices=True)
                elif kind == "MaxUnpooling2D":
                    out = F.max_unpool2d(first, rest[0], 2, 2)
                elif kind == "RESIZE_BILINEAR":
                    size = self.constants[op.inputs[1]].tolist()
                    out = F.interpolate(first, size=size, mode="bilinear", align_corners=not o.halfPixelCenters)
                elif kind == "AVERAGE_POOL_2D":
                    out = F.avg_pool2d(first, (o.filterHeight, o.filterWidth), (o.strideH, o.strideW))
                elif kind == "PRELU":
                    out = torch.where(first < 0, first * rest[0], first)
                elif kind == "CONCATENATION":
                    out = torch.cat([first, *rest], 1)
                else:
                    out = SIMPLE[kind](first, *rest)
                values[op.outputs[0]] = out
        return values[self.sub.outputs[0]]


SIMPLE = {
    "ADD": torch.add,
    "MUL": torch.mul,
    "RELU": torch.relu,
    "LOGISTIC": torch.sigmoid,
    "HARD_SWISH": F.hardswish,
}


def padding(size: torch.Size, kernel: torch.Size, steps: tuple[int, int], wide: tuple[int, int]) -> list[int]:
    """TensorFlow's SAME, as `torch.nn.functional.pad` wants it: left, right, top, bottom."""
    both = []
    for n, k, step, spread in zip(size, kernel, steps, wide, strict=True):
        total = max((-(-n // step) - 1) * step + (k - 1) * spread + 1 - n, 0)
        both.append([total // 2, total - total // 2])
    return [*both[1], *both[0]]
