"""A figure from what a run has written: the folder of a face, or any .glb with a head."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from tronie.arrays import Array, Image
from tronie.errors import InputError
from tronie.formats.safety import Refused, reading
from tronie.io.decode import opener, quiet_pillow
from tronie.io.saved_head import LARGEST, SavedHead, load_head, texture_from_bytes
from tronie.render.figure import PHOTO, Figure, figure_of_head, parts_of_materials
from tronie.runtime.json_text import parsed
from tronie.types import PROVENANCE


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
    read = load_head(path)
    texture = albedo = provenance = None
    if folder is not None:
        texture = _picture(folder / "texture.png")
        albedo = _picture(folder / "albedo.png")
        provenance = _provenance(folder / "provenance.png")
    if texture is None:
        texture = read.texture
    sigma = read.sigma_mm
    if sigma is None and folder is not None and read.head is not None:
        sigma = _sigma(folder / "head.ply", len(read.vertices))
    return replace(figure_of_saved(read), texture=texture, provenance=provenance, sigma=sigma, albedo=albedo)


def figure_of_saved(read: SavedHead) -> Figure:
    """As it stands in its file."""
    if read.head is not None:
        return figure_of_head(read.head, read.texture, None, read.sigma_mm, dict(read.expression), shells=read.shells)
    parts = np.array([parts_of_materials(material) for material in read.materials], np.uint8)
    return Figure(
        faces=np.column_stack([read.triangles, np.full(len(read.triangles), -1, np.int32)]).astype(np.int32),
        triangles=read.triangles,
        triangle_uv=read.triangle_uv,
        uv=read.uv,
        part=parts[read.triangle_material],
        rest=read.vertices,
        names=read.units,
        moves=read.moves if read.units else None,
        weights=dict(read.expression) or None,
        texture=read.texture,
        provenance=None,
        sigma=read.sigma_mm,
        both_sides=read.both_sides and parts[0] == 0,
        shells=read.shells,
    )


def _picture(path: Path) -> Image | None:
    if not path.is_file():
        return None
    with reading(path, "a picture", error=InputError) as budget:
        return texture_from_bytes(path.read_bytes(), path, budget=budget)


def _provenance(path: Path) -> Image | None:
    if not path.is_file():
        return None
    with reading(path, "a picture of provenance", error=InputError) as budget, path.open("rb") as stream:
        if opener(stream.read(32)) is not PngImageFile:
            raise Refused("it is no PNG")
        stream.seek(0)
        with quiet_pillow(), PngImageFile(stream) as image:
            if image.mode != "P" or max(image.size) > LARGEST:
                return None
            budget.picture(image.size)
            return np.asarray(np.minimum(np.asarray(image), len(PROVENANCE) - 1), dtype=np.uint8)


def _sigma(path: Path, count: int) -> Array | None:
    """(V,) mm from the `sigma` of head.ply's vertices, if it is there and has as many; those of shells follow."""
    if not path.is_file():
        return None
    with reading(path, "a .ply of a run", error=InputError):
        return _ply_sigma(path.read_bytes(), count)


def _ply_sigma(data: bytes, count: int) -> Array | None:
    head, _, body = data.partition(b"end_header\n")
    lines = head.decode("ascii", errors="replace").splitlines()
    start = next((k for k, line in enumerate(lines) if line.startswith("element vertex ")), None)
    if "format binary_little_endian 1.0" not in lines or start is None:
        return None
    if not (there := lines[start].split()[2]).isdecimal() or int(there) < count:
        return None
    kinds = {"float": "<f4", "uchar": "u1", "double": "<f8", "int": "<i4"}
    fields: list[tuple[str, str]] = []
    for line in lines[start + 1 :]:
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
        told = parsed((path / "face.json").read_bytes())
        return f"{told['photo']['name']} face {told['index']}"
    except (OSError, ValueError, KeyError, TypeError):
        return path.stem


__all__ = ["PHOTO", "face_folders", "is_finished", "load_figure", "title"]
