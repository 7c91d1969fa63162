"""The published files of Deep3D that a user may bring along: its net, and the face model it was trained with."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from tronie.errors import WeightsError
from tronie.formats.safety import Refused, clause, reading
from tronie.runtime.inference import onnxruntime
from tronie.runtime.model_store import Imported, check_free, keep, new_record
from tronie.stages.deep3d import bfm, net
from tronie.stages.deep3d.align import SIDE
from tronie.stages.deep3d.terms import MODEL, NET, ORIGINS, TERMS

LARGEST, IN_ALL = 20_000_000, 150_000_000
"""Numbers of one value for one picture, and of all values. ResNet-50's have 0.8 and 50 million."""
PRODUCTS = 50e9
"""For one picture. ResNet-50 needs 4e9."""


def import_deep3d(file: Path, *, overwrite: bool = False) -> Imported:
    """Read the net from epoch_*.pth (PyTorch) or FaceReconModel.pb (TensorFlow 1) and put it into the user's store.

    Needs the package onnx (extra `models`), neither PyTorch nor TensorFlow. Raises WeightsError when the file is
    refused, and OutputError when it cannot be stored or is there already.
    """
    from tronie.runtime.onnx_graph import require_onnx

    require_onnx()
    name = net.NAMES[0] if _is_checkpoint(file) else net.NAMES[1]
    try:
        data = _from_checkpoint(file) if name == net.NAMES[0] else _from_graph(file)
        _ask_once(data)
        check_free(name, overwrite)
    except (ValueError, Refused) as error:
        raise WeightsError(f"Cannot import {file}: {clause(error)}.") from error
    terms = TERMS[NET]
    record = new_record(
        name,
        NET,
        file,
        purpose="reads face, skin, pose and light off a crop (Deep3D)",
        licence=terms.licence,
        commercial_use=False,
        origin=ORIGINS[name],
        side=SIDE,
    )
    return keep(record, data)


def _is_checkpoint(file: Path) -> bool:
    """Whether it begins like one of PyTorch's two formats. A graph begins with 10: its first field is a node."""
    with reading(file, "a net of Deep3D"), file.open("rb") as stream:
        return stream.read(1) in (b"P", b"\x80")


def _from_checkpoint(file: Path) -> bytes:
    from tronie.formats.torch_checkpoint import find_numbers, read_checkpoint
    from tronie.importers.deep3d_onnx import onnx_bytes

    state = find_numbers(read_checkpoint(file), net.ANCHOR)
    net.check(state, net.shapes())
    return onnx_bytes(state)


def _from_graph(file: Path) -> bytes:
    import onnx

    from tronie.formats.tensorflow_graph import LARGEST as LARGEST_FILE
    from tronie.formats.tensorflow_graph import read_graph
    from tronie.importers.deep3d_tensorflow import onnx_bytes

    try:
        with reading(file, "a graph of TensorFlow", most=LARGEST_FILE) as budget:
            nodes = read_graph(file, budget)
        data = onnx_bytes(nodes, budget)
        _check_sizes(data)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise ValueError("the graph is damaged or not Deep3D's") from error
    return data


def _check_sizes(data: bytes) -> None:
    """ValueError if the graph computes values that are larger than those of a net like this, or for longer: a small
    file could ask for any amount of memory and time."""
    import onnx

    graph = onnx.shape_inference.infer_shapes(data, strict_mode=True).graph
    sized = {value.name: value.type.tensor_type.shape.dim for value in (*graph.value_info, *graph.output)}
    stored = {constant.name: list(constant.dims) for constant in graph.initializer}
    in_all, products = 0, 0.0
    for node in graph.node:
        for name in node.output:
            # The number of pictures comes first and is a name; other sizes have to be known.
            sizes = [dim.dim_value for dim in sized.get(name, ())]
            count = max(sizes[0], 1) * math.prod(sizes[1:]) if sizes else 0
            if not sizes or not all(sizes[1:]) or count > LARGEST:
                raise ValueError("the graph computes values that are larger than Deep3D's, or of unknown size")
            in_all += count
            products += float(count) * _products(node, stored)
    if in_all > IN_ALL or products > PRODUCTS:
        raise ValueError("the graph computes far more than Deep3D's")


def _products(node: Any, stored: dict[str, list[int]]) -> int:
    """How many products, at most, an operation computes for each number that it gives out."""
    if node.op_type == "Conv":
        return math.prod(stored.get(node.input[1], [1])[1:])
    if node.op_type == "MatMul":
        return max((size for name in node.input for size in stored.get(name, [])), default=1)
    window = [n for a in node.attribute if a.name == "kernel_shape" for n in a.ints]
    return math.prod(window)


def _ask_once(data: bytes) -> None:
    """ValueError unless the net gives 257 finite numbers for a picture."""
    ort = onnxruntime()
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # which asks for twice what it needs
    grey = np.full((1, 3, SIDE, SIDE), 0.5, dtype=np.float32)
    try:
        session = ort.InferenceSession(data, options, providers=["CPUExecutionProvider"])
        (answer,) = session.run(["coefficients"], {"image": grey})
    except Exception as error:  # the runtime raises a class per failure, none of them public
        raise ValueError("the net cannot be run: it is damaged or not Deep3D's") from error
    if answer.shape != (1, sum(net.HEADS)) or not np.isfinite(answer).all():
        raise ValueError(f"the net gives no {sum(net.HEADS)} coefficients: it is damaged or not Deep3D's")


def import_bfm(file: Path, *, overwrite: bool = False) -> Imported:
    """Read the face model and put it into the user's store.

    `file` is BFM_model_front.mat, or 01_MorphableModel.mat with what belongs to it beside it, or the folder of either.
    BFM_UV.mat (or .npz), if it is there too, says how the texture lies.
    Raises WeightsError with what is missing and where it is to be had, and OutputError.
    """
    from tronie.importers.bfm_front import find, read_arrays, read_uv
    from tronie.stages.deep3d.topology import make_layout

    main = find(file)
    try:
        model = bfm.FaceModel.from_arrays(read_arrays(main))
        uv = read_uv(main.parent, len(model.mean))
    except ValueError as error:
        raise WeightsError(f"Cannot import {main}: {clause(error)}.") from error
    check_free(bfm.NAME, overwrite)
    model = replace(model, layout=make_layout(model.mean, model.triangles, uv))
    terms = TERMS[MODEL]
    record = new_record(
        bfm.NAME,
        MODEL,
        main,
        purpose=f"face model of {len(model.mean)} vertices, for Deep3D",
        licence=terms.licence,
        commercial_use=False,
        origin=ORIGINS[bfm.NAME],
        suffix=".npz",
    )
    return keep(record, model.bytes())
