"""The published face enhancers that a user may bring along: SPARNet's checkpoints, made into ONNX files once."""

from __future__ import annotations

from pathlib import Path

from tronie.errors import WeightsError
from tronie.runtime.model_store import Imported, check_free, keep, new_record
from tronie.stages.enhance.published import LICENCE, ORIGIN, PURPOSES, SPARNET


def import_sparnet(file: Path, *, overwrite: bool = False) -> Imported:
    """Read a SPARNet checkpoint (.pth), find out which of the published nets it is, and put it into the user's store.

    Needs the package onnx (extra `models`), not PyTorch. Raises WeightsError when the file is refused, and OutputError
    when it cannot be stored or is there already.
    """
    from tronie.formats.safety import clause
    from tronie.formats.torch_checkpoint import read_checkpoint
    from tronie.importers.sparnet_architecture import ARCHITECTURES, find_state, recognise
    from tronie.importers.sparnet_onnx import onnx_bytes
    from tronie.runtime.onnx_graph import require_onnx

    require_onnx()
    state = find_state(read_checkpoint(file))
    try:
        name = recognise(state)
        check_free(name, overwrite)
        onnx = onnx_bytes(state, ARCHITECTURES[name])
    except ValueError as error:
        raise WeightsError(f"Cannot import {file}: {clause(error)}.") from error
    record = new_record(
        name,
        SPARNET,
        file,
        purpose=PURPOSES[name],
        licence=LICENCE,
        commercial_use=False,
        origin=ORIGIN,
        side=ARCHITECTURES[name].side,
    )
    return keep(record, onnx)
