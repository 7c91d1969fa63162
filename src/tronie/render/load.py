"""A figure from what a run has written: the folder of a face, or any .glb with a head."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np

from tronie.arrays import Array, Image
from tronie.errors import InputError
from tronie.head.model import Head, HeadModel, default_head
from tronie.head.surface import pieces
from tronie.io.gltf_reader import GltfHead, read_glb
from tronie.render.figure import PHOTO, Figure, figure_of_head, parts_of_materials
from tronie.types import PROVENANCE

LARGEST = 8192
"""Pixels of a texture's sides: larger ones are refused."""


def is_finished(path: Path) -> bool:
    """Whether a path is something `load_figure` reads, not a photo."""
    return path.is_dir() or path.suffix.lower() == ".glb"


def face_folders(path: Path) -> list[Path]:
    """The folders of faces in `path`: itself, or those of a photo or of a whole job in it, in order."""
    if (path / "head.glb").is_file():
        return [path]
    found = [p.parent for pattern in ("face-*/head.glb", "*/face-*/head.glb") for p in path.glob(pattern)]
    return sorted(set(found), key=lambda p: (str(p.parent), len(p.name), p.name))


def load_figure(path: Path) -> Figure:
    """`path` is a .glb, or a face's folder with its head.glb, where texture.png, albedo.png, provenance.png and
    head.ply count if they are there. Raises InputError."""
    folder = path if path.is_dir() else path.parent if path.name == "head.glb" else None
    file = path / "head.glb" if path.is_dir() else path
    if not file.is_file():
        raise InputError(f"Cannot read {path}: there is no {file.name}.")
    read = read_glb(file)
    texture = albedo = provenance = None
    if folder is not None:
        texture = _picture(folder / "texture.png")
        albedo = _picture(folder / "albedo.png")
        provenance = _provenance(folder / "provenance.png")
    if texture is None and read.texture is not None:
        texture = _decoded(read.texture, file)
    weights = dict(zip(read.names, read.weights, strict=True))
    ours = _our_head(read)
    if ours is None:
        return replace(_any_head(read, texture, provenance, weights), albedo=albedo)
    head, sigma = ours
    if sigma is None and folder is not None:
        sigma = _sigma(folder / "head.ply", len(head.neutral))
    return figure_of_head(head, texture, provenance, sigma, weights, albedo)


def _our_head(read: GltfHead) -> tuple[Head, Array | None] | None:
    """The default head, if the file has its vertices as `io.surface.pieces` lays them out at some level."""
    model: HeadModel = default_head()
    if read.model != model.name:
        return None
    for level in (1, 0, 2):
        expected = pieces(model, level)
        fits = len(expected) == len(read.parts) and all(
            len(a.vertex) == len(b.vertices) and np.array_equal(a.triangles, b.triangles)
            for a, b in zip(expected, read.parts, strict=True)
        )
        if fits:
            count = model.level(level).matrix.shape[0]
            neutral = np.zeros((count, 3), np.float32)
            sigma = np.zeros(count, np.float32)
            known = all("_SIGMA_MM" in part.extra for part in read.parts)
            for piece, part in zip(expected, read.parts, strict=True):
                neutral[piece.vertex] = part.vertices
                if known:
                    sigma[piece.vertex] = part.extra["_SIGMA_MM"]
            return Head(model, level, neutral, neutral), sigma if known else None
    return None


def _any_head(read: GltfHead, texture: Image | None, provenance: Image | None, weights: dict[str, float]) -> Figure:
    """Vertices that the file had to split at seams are one again, where they agree at rest and in every move."""
    vertices = np.concatenate([p.vertices for p in read.parts])
    moves = np.concatenate([p.moves for p in read.parts], axis=1)
    start = np.cumsum([0] + [len(p.vertices) for p in read.parts])
    corners = np.concatenate([p.triangles + s for p, s in zip(read.parts, start[:-1], strict=True)])
    part = np.concatenate([np.full(len(p.triangles), parts_of_materials(p.material), np.uint8) for p in read.parts])
    material = np.concatenate([np.full(len(p.vertices), k, np.float32) for k, p in enumerate(read.parts)])
    # One random mixture of the moves stands for all of them.
    mixture = np.random.default_rng(0).normal(size=len(moves))
    moved = np.einsum("k,kvc->vc", mixture, moves.astype(np.float64)) if len(moves) else 0 * vertices
    key = np.column_stack([vertices, material, np.round(moved, 3) + 0.0]).astype(np.float32)
    _, first, group = np.unique(
        np.ascontiguousarray(key).view(f"V{4 * key.shape[1]}").ravel(), return_index=True, return_inverse=True
    )
    group = group.ravel().astype(np.int32)
    triangles = np.ascontiguousarray(group[corners])
    sigma = None
    if all("_SIGMA_MM" in p.extra for p in read.parts):
        sigma = np.concatenate([p.extra["_SIGMA_MM"] for p in read.parts])[first].astype(np.float32)
    return Figure(
        faces=np.column_stack([triangles, np.full(len(triangles), -1, np.int32)]).astype(np.int32),
        triangles=triangles, triangle_uv=np.ascontiguousarray(corners, dtype=np.int32),
        uv=np.ascontiguousarray(np.concatenate([p.uv for p in read.parts])), part=part,
        rest=np.ascontiguousarray(vertices[first]), names=read.names,
        moves=np.ascontiguousarray(moves[:, first]) if read.names else None, weights=weights or None, texture=texture,
        provenance=provenance, sigma=sigma,
        both_sides=read.parts[0].double_sided and parts_of_materials(read.parts[0].material) == 0,
    )  # fmt: skip


def _picture(path: Path) -> Image | None:
    if not path.is_file():
        return None
    try:
        return _decoded(path.read_bytes(), path)
    except OSError as error:
        raise InputError(f"Cannot read {path}: {(error.strerror or str(error)).lower()}.") from error


def _decoded(data: bytes, path: Path) -> Image:
    from PIL import Image as Pillow

    try:
        with Pillow.open(io.BytesIO(data), formats=("PNG", "JPEG", "WEBP")) as image:
            if max(image.size) > LARGEST:
                raise InputError(f"Cannot read {path}: its texture has sides above {LARGEST} pixels.")
            return np.asarray(image.convert("RGB"))
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"Cannot read {path}: its texture is damaged.") from error


def _provenance(path: Path) -> Image | None:
    from PIL import Image as Pillow

    if not path.is_file():
        return None
    try:
        with Pillow.open(path, formats=("PNG",)) as image:
            if image.mode != "P" or max(image.size) > LARGEST:
                return None
            return np.asarray(np.minimum(np.asarray(image), len(PROVENANCE) - 1), dtype=np.uint8)
    except (OSError, ValueError, SyntaxError) as error:
        raise InputError(f"Cannot read {path}: it is damaged.") from error


def _sigma(path: Path, count: int) -> Array | None:
    """(V,) mm from the `sigma` of head.ply's vertices, if it is there and has as many."""
    if not path.is_file():
        return None
    data = path.read_bytes()
    head, _, body = data.partition(b"end_header\n")
    lines = head.decode("ascii", errors="replace").splitlines()
    if "format binary_little_endian 1.0" not in lines or f"element vertex {count}" not in lines:
        return None
    kinds = {"float": "<f4", "uchar": "u1", "double": "<f8", "int": "<i4"}
    fields: list[tuple[str, str]] = []
    for line in lines[lines.index(f"element vertex {count}") + 1 :]:
        words = line.split()
        if words[:1] != ["property"] or len(words) != 3 or words[1] not in kinds:
            break
        fields.append((words[2], kinds[words[1]]))
    layout = np.dtype(fields)
    if "sigma" not in (layout.names or ()) or len(body) < layout.itemsize * count:
        return None
    return np.frombuffer(body, layout, count)["sigma"].astype(np.float32)


def title(path: Path) -> str:
    """What a face is called, from its face.json, else by its file's name."""
    try:
        told = json.loads((path / "face.json").read_bytes())
        return f"{told['photo']['name']} face {told['index']}"
    except (OSError, ValueError, KeyError, TypeError):
        return path.stem


__all__ = ["PHOTO", "face_folders", "is_finished", "load_figure", "title"]
