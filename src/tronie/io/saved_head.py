"""A head as a .glb holds it, read back: of a run of ours, or of any program."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from tronie.arrays import Array, Image
from tronie.errors import InputError
from tronie.formats.safety import Budget, Refused, plain_size, refusals
from tronie.head.model import Head, HeadModel, default_head
from tronie.head.surface import pieces, triangle_vertex_normals
from tronie.io.decode import Opener, opener, quiet_pillow
from tronie.io.frames import scan
from tronie.io.gltf_reader import GltfHead, Primitive, read_glb
from tronie.shells import Shell

LARGEST = 8192
"""Pixels of a texture's sides: larger ones are refused."""
TEXTURES: tuple[Opener, ...] = (PngImageFile, JpegImageFile, WebPImageFile)
"""Kinds of pictures that textures are."""


@dataclass(frozen=True, slots=True, eq=False)
class SavedHead:
    """A head from a file: a mesh at rest, what moves it, and what it wears."""

    vertices: Array
    """(V, 3) float32 millimetres, at rest. What the file split at seams is one vertex again."""
    triangles: NDArray[np.int32]
    """(T, 3) indices of vertices."""
    uv: Array
    """(U, 2) float32, origin at the top left."""
    triangle_uv: NDArray[np.int32]
    """(T, 3) indices into `uv`."""
    materials: tuple[str, ...]
    triangle_material: NDArray[np.int32]
    """(T,) indices into `materials`."""
    units: tuple[str, ...]
    """Names of the morph targets: ARKit's, where the head is ours."""
    moves: Array
    """(K, V, 3) float32 millimetres: what each unit adds at 1."""
    expression: Mapping[str, float]
    """Unit -> weight, as the file is set."""
    texture: Image | None
    """(S, S, 3) RGB as the skin wears it; None where the file has none."""
    sigma_mm: Array | None
    """(V,) mm: standard deviation of each vertex, where the file tells it."""
    both_sides: bool
    """Whether its first material is seen from behind too."""
    head: Head | None
    """The same, at rest, with the head model that it is made with; None for heads of other models and programs."""
    shells: tuple[Shell, ...] = ()
    """Over the head; their levels of detail are in other files, so here they are whole."""

    def posed(self, expression: Mapping[str, float] | None = None) -> Array:
        """(V, 3) float32 mm with an expression, by default the file's own. Raises ValueError for a unit it lacks."""
        wanted = self.expression if expression is None else expression
        if unknown := set(wanted) - set(self.units):
            raise ValueError(f"This head has no unit {min(unknown)}.")
        weights = np.array([wanted.get(unit, 0.0) for unit in self.units], np.float32)
        return np.asarray(self.vertices + np.tensordot(weights, self.moves, axes=1), np.float32)


def load_head(path: str | Path) -> SavedHead:
    """Read the head of a .glb file, or head.glb in the folder of a face. Raises InputError with one sentence."""
    place = Path(path)
    file = place / "head.glb" if place.is_dir() else place
    if not file.is_file():
        raise InputError(f"Cannot read {place}: there is no {file.name}.")
    with refusals(file, "a binary glTF", InputError):
        return _saved(file, Budget.of(plain_size(file)))


def _saved(file: Path, budget: Budget) -> SavedHead:
    read = read_glb(file, budget)
    texture = None if read.texture is None else texture_from_bytes(read.texture, file, budget=budget)
    level = _level(read)
    first, group = _whole(read) if level is None else _ours(level)
    start = np.cumsum([0] + [len(part.vertices) for part in read.parts])
    corners = np.concatenate([p.triangles + s for p, s in zip(read.parts, start[:-1], strict=True)])
    vertices = np.concatenate([part.vertices for part in read.parts])[first]
    sigma = None
    if all("_SIGMA_MM" in part.extra for part in read.parts):
        sigma = np.concatenate([part.extra["_SIGMA_MM"] for part in read.parts])[first].astype(np.float32)
    return SavedHead(
        vertices=np.ascontiguousarray(vertices),
        triangles=np.ascontiguousarray(group[corners]),
        uv=np.ascontiguousarray(np.concatenate([part.uv for part in read.parts])),
        triangle_uv=np.ascontiguousarray(corners, dtype=np.int32),
        materials=tuple(part.material for part in read.parts),
        triangle_material=np.repeat(
            np.arange(len(read.parts), dtype=np.int32), [len(part.triangles) for part in read.parts]
        ),
        units=read.names,
        moves=np.ascontiguousarray(np.concatenate([part.moves for part in read.parts], axis=1)[:, first]),
        expression=dict(zip(read.names, read.weights, strict=True)),
        texture=texture,
        sigma_mm=sigma,
        both_sides=read.parts[0].double_sided,
        head=None if level is None else Head(default_head(), level, vertices, vertices),
        shells=tuple(_shell(name, part, units, file, budget) for name, part, units in read.shells),
    )


def _shell(name: str, part: Primitive, units: tuple[str, ...], file: Path, budget: Budget) -> Shell:
    normals = part.normals if part.normals is not None else triangle_vertex_normals(part.vertices, part.triangles)
    image = np.full((1, 1, 4), 255, np.uint8)
    if part.picture is not None:
        image = texture_from_bytes(part.picture, file, "RGBA", budget)
    triangles = np.ascontiguousarray(part.triangles, dtype=np.int32)
    return Shell(
        name,
        np.ascontiguousarray(part.vertices, dtype=np.float32),
        np.ascontiguousarray(normals, dtype=np.float32),
        triangles,
        np.ascontiguousarray(part.uv, dtype=np.float32),
        image,
        (triangles, triangles),
        part.roughness,
        moves={unit: move for unit, move in zip(units, part.moves, strict=True) if move.any()} if units else {},
    )


def _level(read: GltfHead) -> int | None:
    """Of subdivision, if the file has the default head's vertices as `head.surface.pieces` lays them out at one."""
    model: HeadModel = default_head()
    if read.model != model.name:
        return None
    for level in (1, 0, 2):
        expected = pieces(model, level)
        if len(expected) == len(read.parts) and all(
            len(a.vertex) == len(b.vertices) and np.array_equal(a.triangles, b.triangles)
            for a, b in zip(expected, read.parts, strict=True)
        ):
            return level
    return None


def _ours(level: int) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """Of each of the head's vertices one in the file, and of each in the file its vertex."""
    group = np.concatenate([piece.vertex for piece in pieces(default_head(), level)]).astype(np.int32)
    first = np.zeros(default_head().level(level).matrix.shape[0], np.int64)
    first[group] = np.arange(len(group))
    return first, group


def _whole(read: GltfHead) -> tuple[NDArray[np.int64], NDArray[np.int32]]:
    """The same for any file: vertices that it had to split at seams are one, where they agree at rest and in every
    move."""
    vertices = np.concatenate([part.vertices for part in read.parts])
    moves = np.concatenate([part.moves for part in read.parts], axis=1)
    material = np.concatenate([np.full(len(part.vertices), k, np.float32) for k, part in enumerate(read.parts)])
    # One random mixture of the moves stands for all of them.
    mixture = np.random.default_rng(0).normal(size=len(moves))
    moved = np.einsum("k,kvc->vc", mixture, moves.astype(np.float64)) if len(moves) else 0 * vertices
    key = np.column_stack([vertices, material, np.round(moved, 3) + 0.0]).astype(np.float32)
    rows = np.ascontiguousarray(key).view(f"V{4 * key.shape[1]}").ravel()
    _, first, group = np.unique(rows, return_index=True, return_inverse=True)
    return first, group.ravel().astype(np.int32)


def texture_from_bytes(data: bytes, path: Path, mode: str = "RGB", budget: Budget | None = None) -> Image:
    """A texture (H, W, 3), or (H, W, 4) for the mode RGBA, from the bytes of a picture file. `budget`: of the file that
    it is a part of. Raises InputError that names `path`."""
    stream, reader = io.BytesIO(data), opener(data[:32])
    budget = budget or Budget()

    def check(size: tuple[int, int]) -> None:
        if max(size) > LARGEST:
            raise Refused(f"its texture has sides above {LARGEST} pixels")

    with refusals(path, "a texture", InputError), quiet_pillow():
        if reader not in TEXTURES:
            raise Refused("its texture is damaged")
        found = scan(stream)
        if found is not None:
            check(found.size)  # before a reader sets its canvas up
        stream.seek(0)
        try:
            with reader(stream) as image:
                check(image.size)
                budget.picture(image.size)
                return np.asarray(image.convert(mode))
        except (Refused, MemoryError):
            raise
        except Exception:  # decoders raise SyntaxError, struct.error, EOFError, ... on damaged files
            raise Refused("its texture is damaged") from None
