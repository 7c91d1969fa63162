"""Heads read back: glTF of any program, what lies beside it in the folder of a face, and a calibrated head model."""

from __future__ import annotations

import io
import shutil
from collections.abc import Iterator
from pathlib import Path

import hostile_files as made
import numpy as np
from samples import SMILE, make_head, make_shell
from synthetic import tiny_head

from fuzz.structure import chunks, glb, npy, zip_of
from fuzz.target import MEGA, Target
from tronie.errors import WeightsError
from tronie.export import gltf
from tronie.export.obj_ply import ply


def _glb(shell: bool = True, rest: bool = False) -> bytes:
    texture = made.encoded(made.noise(16, 16), "PNG")
    shells = (make_shell(size=16),) if shell else ()
    return b"".join(gltf.glb(make_head(tiny_head(), 0), {} if rest else SMILE, texture, shells=shells))


def _glbs() -> Iterator[bytes]:
    yield _glb()
    yield _glb(shell=False)


def _head(path: Path) -> None:
    from tronie.io.saved_head import load_head
    from tronie.render.load import figure_of_saved

    head = load_head(path)
    assert len(head.triangles) == len(head.triangle_uv) == len(head.triangle_material)
    assert not len(head.triangles) or 0 <= head.triangles.min() <= head.triangles.max() < len(head.vertices)
    assert not len(head.triangle_uv) or 0 <= head.triangle_uv.min() <= head.triangle_uv.max() < len(head.uv)
    assert head.moves.shape == (len(head.units), *head.vertices.shape)
    for shell in head.shells:
        assert not len(shell.triangles) or 0 <= shell.triangles.min() <= shell.triangles.max() < len(shell.vertices)
        assert len(shell.vertices) == len(shell.normals) == len(shell.uv)
    figure_of_saved(head)


def _page(path: Path) -> None:
    from tronie.export.page_glb import split_glb

    for told in (True, False):
        first, rest = split_glb("head.glb", path.read_bytes(), told)
        assert first[:4] == b"glTF"
        assert isinstance(rest, bytes)


def _sigma(path: Path) -> None:
    from tronie.render import load

    for count in (0, 5, len(tiny_head().mean)):
        sigma = load._sigma(path, count)
        assert sigma is None or sigma.shape == (count,)


def _provenance(path: Path) -> None:
    from tronie.render import load
    from tronie.types import PROVENANCE

    told = load._provenance(path)
    assert told is None or told.max(initial=0) < len(PROVENANCE)


def _ply() -> Iterator[bytes]:
    head = make_head(tiny_head(), 0)
    sigma = np.linspace(0, 3, len(head.vertices)).astype(np.float32)
    yield b"".join(ply(head, sigma_mm=sigma))
    yield b"".join(ply(head))


def _masks() -> Iterator[bytes]:
    from PIL import Image

    picture = Image.fromarray(made.noise(16, 16)[..., 0] % 5, "P")
    picture.putpalette(list(range(15)))
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    yield buffer.getvalue()


def _head_npz() -> Iterator[bytes]:
    stream = io.BytesIO()
    tiny_head().save(stream)
    yield stream.getvalue()


def _calibration() -> Iterator[bytes]:
    """Of the right names and dimensions, and tiny."""
    from tronie.stages.fit.regressor import Calibration

    rng = np.random.default_rng(0)
    shapes = {"mean": (9,), "components": (9, 2), "hidden_bias": (3,), "bias": (6,), "mode_sigma": (2,)}
    stream = io.BytesIO()
    np.savez(stream, **{n: rng.normal(size=shapes.get(n, (3, 4))) for n in Calibration.__dataclass_fields__})
    yield stream.getvalue()


def _read_head(path: Path) -> None:
    """As `importers.heads.calibrated.load` does, which finds it in the user's store."""
    from tronie.importers.heads.calibrated import read_calibrated

    _whole(path.parent)
    name = {"fuzzed-head.npz": "head.npz", "fuzzed-calibration.npz": "calibration.npz"}[path.name]
    shutil.copyfile(path, path.parent / name)
    read_calibrated(path.parent)


def _whole(folder: Path) -> None:
    (folder / "head.npz").write_bytes(next(_head_npz()))
    (folder / "calibration.npz").write_bytes(next(_calibration()))


ZIP = zip_of(npy)
TARGETS = (
    Target("glb", _glbs, _head, "input.glb", structure=glb),
    Target("page", _glbs, _page, "input.glb", structure=glb),
    Target("ply", _ply, _sigma, "head.ply"),
    Target("provenance", _masks, _provenance, "provenance.png", structure=chunks),
    Target("head", _head_npz, _read_head, "fuzzed-head.npz", structure=ZIP, errors=(WeightsError,), memory=300 * MEGA),
    Target("calibration", _calibration, _read_head, "fuzzed-calibration.npz", structure=ZIP, errors=(WeightsError,)),
)
