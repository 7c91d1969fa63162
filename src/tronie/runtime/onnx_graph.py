"""An ONNX file as it is built node by node. Only importing nets needs this module and the package onnx."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.errors import WeightsError

OPSET, IR = 17, 9

Port = tuple[str, tuple[int, ...]]
"""Name, and shape without the batch."""


class OnnxGraph:
    """Nodes and constants as they pile up; its methods take names of values and return one."""

    def __init__(self, name: str) -> None:
        from onnx import ModelProto, helper

        self.model = ModelProto(ir_version=IR, producer_name="tronie", opset_import=[helper.make_opsetid("", OPSET)])
        self.model.graph.name = name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        """A value that stays: float64 becomes float32."""
        from onnx import numpy_helper

        if value.dtype == np.float64:
            value = value.astype(np.float32)
        self.model.graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], out: str, **attributes: Any) -> str:
        from onnx import helper

        self.model.graph.node.append(helper.make_node(kind, inputs, [out], name=out, **attributes))
        return out

    def finished(self, given: Port, made: Port) -> bytes:
        """The file, checked, with one input and one output of float32. The graph is empty afterwards: nets hold up to
        340 MB, and no copy may live longer than it must."""
        import onnx
        from onnx import helper

        for ports, (name, shape) in ((self.model.graph.input, given), (self.model.graph.output, made)):
            ports.append(helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["batch", *shape]))
        data: bytes = self.model.SerializeToString()
        self.model.Clear()
        onnx.checker.check_model(data)
        return data


def require_onnx() -> None:
    """WeightsError if the package is missing."""
    try:
        import onnx  # noqa: F401
    except ImportError:
        raise WeightsError('Importing a net needs the package onnx; run `pip install "tronie[models]"`.') from None
