"""Wavefront OBJ (with MTL) and PLY, written by hand because speed matters: 25,000 vertices in some milliseconds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tronie.arrays import Array, Image
from tronie.export.shells import colored
from tronie.head.materials import LOOKS, Look, look_of_shell
from tronie.head.model import PARTS, Head
from tronie.head.surface import MATERIALS, Same, quad_vertex_normals, reduced, vertex_uv
from tronie.raster.compositing import sampled
from tronie.runtime.jit import jit
from tronie.shells import Shell

AXES = "+x to the subject's left, +y up, +z out of the face"


def obj(head: Head, material_file: str = "head.mtl", name: str = "head", shells: Sequence[Shell] = ()) -> list[bytes]:
    """The photo's expression in the canonical pose, millimetres, quads kept; chunks to be written in order. Each shell
    is an object, a group and a material of its name."""
    mesh = head.model.level(head.level)
    normals = quad_vertex_normals(head.vertices, mesh.quads)
    lines = [
        f"# Head model {head.model.name}: {head.model.licence}",
        f"# Units: millimetres. Axes: {AXES}.",
        "# Origin: midway between the eyes' centres of rotation. Texture origin: bottom left.",
        f"mtllib {material_file}",
        f"o {_word(name)}",
    ]
    texture_rows, faces = _obj_shared(Same(head.model), head.level)
    return [
        "\n".join(lines).encode() + b"\n",
        numbers("v ", head.vertices, 3),
        texture_rows,
        numbers("vn ", normals, 3),
        faces,
        *_obj_shells(shells, np.array([len(head.vertices), len(mesh.uv), len(normals)])),
    ]


def _obj_shells(shells: Sequence[Shell], before: NDArray[np.int64]) -> Iterator[bytes]:
    """`before`: how many places, texture coordinates and normals there are already."""
    for shell in shells:
        corners = np.repeat(shell.triangles[:, :, None], 3, axis=2) + before + 1
        yield _ascii(f"o {_word(shell.name)}\n")
        yield numbers("v ", shell.vertices, 3)
        yield numbers("vt ", shell.uv * [1, -1] + [0, 1], 5)
        yield numbers("vn ", shell.normals, 3)
        yield _ascii(f"g {_word(shell.name)}\nusemtl {_word(shell.name)}\n")
        yield b"f %d/%d/%d %d/%d/%d %d/%d/%d\n" * len(corners) % tuple(corners.ravel().tolist())
        before = before + len(shell.vertices)


def mtl(
    texture_file: str | None = "texture.png", shells: Sequence[Shell] = (), roughness_file: str | None = None
) -> bytes:
    """Materials for `obj`; plain colours without a texture. A shell's picture is NAME.png. `roughness_file`: a picture
    of how rough the head is, place by place."""
    text = "# tronie\n"
    for name in MATERIALS:
        look = LOOKS[name]
        # Readers multiply Kd and the map, so with a map it is white; MTL colours are sRGB by custom.
        color = (1.0, 1.0, 1.0) if texture_file else tuple(c ** (1 / 2.2) for c in look.color)
        text += _mtl_material(name, look, color, look.roughness)
        if texture_file:
            text += f"map_Kd {texture_file}\n"
            text += f"map_Pr {roughness_file}\n" if roughness_file else ""
    for shell in shells:
        name = _word(shell.name)
        text += _mtl_material(name, look_of_shell(shell.name), (1.0, 1.0, 1.0), shell.roughness)
        text += f"map_Kd {name}.png\nmap_d {name}.png\n"
    return text.encode()


def _mtl_material(name: str, look: Look, color: tuple[float, ...], roughness: float) -> str:
    """Phong's exponent for readers of old, roughness for those that know Pr."""
    shine = round(0.1 * look.specular + 0.4 * look.coat[0], 3)
    return (
        f"\nnewmtl {name}\nKa 0 0 0\nKd {color[0]:.4f} {color[1]:.4f} {color[2]:.4f}\n"
        f"Ks {shine} {shine} {shine}\nNs {round(2 / roughness**4)}\nPr {roughness:.4g}\nillum 2\n"
    )


def ply(
    head: Head, texture: Image | None = None, sigma_mm: Array | None = None, shells: Sequence[Shell] = ()
) -> list[bytes]:
    """Binary PLY, the photo's expression, millimetres: positions, normals, sRGB vertex colours, triangles; those of
    `shells` come last, as far as they are there.

    With `sigma_mm` (C,) of the control vertices each vertex also has its `sigma`, 0 on shells.
    """
    mesh = head.model.level(head.level)
    over = [colored(shell) for shell in shells]
    layout = [("p", "<f4", 3), ("n", "<f4", 3), ("c", "u1", 3)] + [("s", "<f4")] * (sigma_mm is not None)
    rows = np.zeros(len(head.vertices) + sum(len(shell.vertices) for shell, _ in over), dtype=layout)  # packed
    first, faces = rows[: len(head.vertices)], [_ply_faces(Same(head.model), head.level)]
    if sigma_mm is not None:
        first["s"] = mesh.matrix @ np.asarray(sigma_mm, dtype=np.float32)
    first["p"] = head.vertices
    first["n"] = quad_vertex_normals(head.vertices, mesh.quads)
    first["c"] = (200, 170, 150) if texture is None else vertex_colors(head, texture)
    at = len(first)
    for shell, colors in over:
        part = rows[at : at + len(shell.vertices)]
        part["p"], part["n"], part["c"] = shell.vertices, shell.normals, colors
        faces.append(_face_rows(shell.triangles + at))
        at += len(shell.vertices)
    header = [
        "ply",
        "format binary_little_endian 1.0",
        f"comment Head model {head.model.name}: {head.model.licence}",
        "comment Units: millimetres; +x to the subject's left, +y up, +z out of the face",
        f"element vertex {len(rows)}",
        *(f"property float {axis}" for axis in ("x", "y", "z", "nx", "ny", "nz")),
        *(f"property uchar {color}" for color in ("red", "green", "blue")),
        *["property float sigma"] * (sigma_mm is not None),
        f"element face {len(mesh.triangles) + sum(len(shell.triangles) for shell, _ in over)}",
        "property list uchar int vertex_indices",
        "end_header",
    ]
    return [_ascii("\n".join(header)) + b"\n", rows.tobytes(), *faces]


def vertex_colors(head: Head, texture: Image) -> NDArray[np.uint8]:
    """(V, 3): the texture, reduced to 512 pixels at most (a vertex stands for its surroundings), at each vertex.

    Where a vertex has several places in the texture (at a seam), the first counts.
    """
    small = reduced(texture, 512)
    return np.asarray(sampled(small, vertex_uv(head.model, head.level) * small.shape[0]), dtype=np.uint8)


def colored_obj(
    comments: Iterable[str], vertices: Array, colours: NDArray[Any], triangles: NDArray[Any], places: int
) -> list[bytes]:
    """A mesh in one file: vertices (V, 3) to so many decimal places, each with red, green and blue (V, 3) 0..255."""
    lines = "".join(f"# {' '.join(comment.split())}\n" for comment in comments)
    shades = np.clip(colours, 0, 255) / 255
    return [
        _ascii(f"{lines}o face\n"),
        numbers("v ", np.concatenate([vertices, shades], axis=1), places),
        numbers("f ", np.asarray(triangles + 1, dtype=np.float64), 0),
    ]


def head_in_one_file(head: Head, texture: Image | None, shells: Sequence[Shell] = ()) -> list[bytes]:
    """`obj` without its files beside it: triangles, and a colour for each vertex in place of the texture."""
    colours = np.full(head.vertices.shape, (200, 170, 150)) if texture is None else vertex_colors(head, texture)
    comments = (f"Head model {head.model.name}: {head.model.licence}", f"Units: millimetres. Axes: {AXES}.")
    vertices, shades, triangles, at = [head.vertices], [colours], [head.triangles], len(head.vertices)
    for whole in shells:
        shell, own = colored(whole)
        vertices.append(shell.vertices)
        shades.append(own)
        triangles.append(shell.triangles + at)
        at += len(shell.vertices)
    return colored_obj(comments, np.concatenate(vertices), np.concatenate(shades), np.concatenate(triangles), 4)


def numbers(prefix: str, rows: Array, decimals: int) -> bytes:
    """Lines of `prefix` and fixed-point numbers: (N, k) -> `v 1.0000 -2.5000 0.0000\\n`..."""
    values = np.ascontiguousarray(rows, dtype=np.float64)
    if not np.isfinite(values).all() or (values.size and np.abs(values).max() >= 1e9):
        raise ValueError("numbers to write must be finite and below 1e9")
    head = np.frombuffer(prefix.encode(), dtype=np.uint8)
    out = np.empty(len(values) * (len(head) + values.shape[1] * (decimals + 13)), dtype=np.uint8)
    return bytes(out[: _numbers(head, values, decimals, out)])


@jit
def _numbers(head: Any, values: Any, decimals: int, out: Any) -> int:
    scale = 10.0**decimals
    digits = np.empty(20, np.uint8)
    at = 0
    for i in range(values.shape[0]):
        for byte in head:
            out[at] = byte
            at += 1
        for j in range(values.shape[1]):
            x = values[i, j]
            n = np.int64(np.floor(np.abs(x) * scale + 0.5))
            if x < 0 and n > 0:  # never -0.0000
                out[at] = 45
                at += 1
            count = 0
            while n > 0 or count <= decimals:
                digits[count] = 48 + n % 10
                n //= 10
                count += 1
            for k in range(count - 1, -1, -1):
                out[at] = digits[k]
                at += 1
                if k == decimals and k > 0:
                    out[at] = 46
                    at += 1
            out[at] = 32 if j + 1 < values.shape[1] else 10
            at += 1
    return at


@lru_cache(maxsize=4)
def _obj_shared(key: Same, level: int) -> tuple[bytes, bytes]:
    """The lines of the texture coordinates and of the faces, which all heads of one model and level share."""
    mesh = key.value.level(level)
    uv = numbers("vt ", np.stack([mesh.uv[:, 0], 1 - mesh.uv[:, 1]], axis=1), 5)
    text = []
    for material, parts in MATERIALS.items():
        text.append(f"usemtl {material}\n")
        for part in parts:
            rows = np.flatnonzero(mesh.part == PARTS.index(part))
            text.append(f"g {part}\n" if len(rows) else "")
            v, t = mesh.quads[rows] + 1, mesh.quad_uv[rows] + 1
            if v.all():
                text.append(
                    "f %d/%d/%d %d/%d/%d %d/%d/%d %d/%d/%d\n" * len(v) % tuple(np.stack([v, t, v], 2).ravel().tolist())
                )
                continue
            for quad, quad_uv in zip(v.tolist(), t.tolist(), strict=True):  # triangles among them
                corners = [f"{v}/{t}/{v}" for v, t in zip(quad, quad_uv, strict=True) if v]
                text.append("f " + " ".join(corners) + "\n")
    return uv, "".join(text).encode()


@lru_cache(maxsize=4)
def _ply_faces(key: Same, level: int) -> bytes:
    return _face_rows(key.value.level(level).triangles)


def _face_rows(triangles: NDArray[np.int32]) -> bytes:
    rows = np.zeros(len(triangles), dtype=[("n", "u1"), ("v", "<i4", 3)])
    rows["n"], rows["v"] = 3, triangles
    return rows.tobytes()


def _word(name: str) -> str:
    """A name without blanks, line breaks or signs beyond ASCII, for readers that stop at them."""
    return "".join(c if c.isascii() and (c.isalnum() or c in "-_.") else "_" for c in name) or "head"


def _ascii(text: str) -> bytes:
    return text.encode("ascii", errors="replace")
