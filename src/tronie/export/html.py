"""One HTML file to look at heads in: the viewer, its words and styles, the heads. It opens from disk and asks nobody.

Its policy allows no address at all, not even in a picture's or a script's. What all heads of a model share (triangles,
morph targets: three fifths of head.glb) is in it once, and what a browser does without is left out.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import html
import json
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path

import numpy as np

from tronie.arrays import Image
from tronie.errors import InputError
from tronie.export.page_glb import same_beginning, split_glb
from tronie.io import encode
from tronie.render.load import face_folders, title

MOST_FACES = 40
"""In one file: of a crowd's it would be too large for a browser."""
LARGEST = 256 << 20
"""Bytes of a .glb that is read."""
PORTRAIT_SIDE, PORTRAIT_QUALITY = 900, 88
GREY = (233, 233, 235)
"""Behind a portrait without a background."""

FIRST = "single.js"
"""The module that begins."""
STYLES = ("tokens.css", "viewer.css", "single.css")
_IMPORT = re.compile(r"""(\b(?:from|import)\s*)(["'])(\.{1,2}/[^"']+)\2""")


@dataclass(frozen=True, slots=True)
class PageFace:
    """A head of the file."""

    name: str
    glb: bytes
    provenance: bytes | None = None
    """PNG of where each texel comes from."""
    portrait: bytes | None = None
    """JPEG from the front."""


def head_page(faces: Sequence[PageFace], name: str) -> bytes:
    """The file, all ASCII but for its title. Raises InputError for what is no .glb."""
    split = [split_glb(face.name, face.glb, face.provenance is not None) for face in faces]
    shared = same_beginning([binary for _, binary in split])
    blocks = [split[0][1][:shared] if split else b""]
    told = []
    for face, (head, binary) in zip(faces, split, strict=True):
        own: dict[str, bytes | None] = {
            "head": head,
            "rest": binary[shared:],
            "provenance": face.provenance,
            "portrait": face.portrait,
        }
        numbers: dict[str, object] = {"name": face.name}
        for key, content in own.items():
            if content is not None:
                numbers[key] = len(blocks)
                blocks.append(content)
        told.append(numbers)
    data = "\n".join(_block(number, block) for number, block in enumerate(blocks))
    program = _program()
    page = _PAGE.format(
        policy=html.escape(program.policy),
        title=html.escape(name),
        style=program.style,
        imports=program.imports,
        begin=program.begin,
        faces=_json({"name": name, "shared": 0, "faces": told}),
        data=data,
    )
    return page.encode("utf-8", errors="replace")


def page_faces(path: Path) -> tuple[str, list[PageFace]]:
    """Name and faces of what a run has written: the folder of a face, of a photo, a person, a clip, or any .glb.
    Raises InputError."""
    if path.is_file() and path.suffix.lower() == ".glb" and path.name != "head.glb":
        return path.stem, [PageFace(path.stem, _bytes(path))]
    folder = path if path.is_dir() else path.parent
    if not path.is_dir() and path.name != "head.glb":
        there = "is no result of tronie" if path.exists() else "is not there"
        raise InputError(f"{path} {there}: give the folder of a photo, a face, a person or a clip, or a .glb.")
    # With `tronie person` heads lie in folders of people.
    folders = face_folders(folder) or sorted(head.parent for head in folder.glob("*/head.glb"))
    if not folders:
        raise InputError(f"{path} holds no head: give the folder of a photo, a face, a person or a clip, or a .glb.")
    parents = sorted({place.parent for place in folders})
    if len(parents) > 1:
        raise InputError(f"{path} holds results of {len(parents)} photos: give one of them, such as {parents[0]}.")
    if len(folders) > MOST_FACES:
        raise InputError(
            f"{path} holds {len(folders)} faces, more than a page can show: give the folder of one of them."
        )
    place = folders[0].resolve()
    own = len(folders) == 1 and not place.name.startswith("face-")
    named = place.name if own else title(folders[0]) if folders == [folder] else place.parent.name
    return named, [
        PageFace(title(one), _bytes(one / "head.glb"), _maybe(one / "provenance.png"), _portrait(one / "frontal.png"))
        for one in folders
    ]


def small_portrait(image: Image) -> bytes:
    """(H, W, 3) RGB or (H, W, 4) RGBA -> JPEG of no more than PORTRAIT_SIDE."""
    import cv2

    if image.shape[2] == 4:
        alpha = image[..., 3:].astype(np.float32) / 255
        image = np.asarray(image[..., :3] * alpha + np.asarray(GREY, np.float32) * (1 - alpha) + 0.5, dtype=np.uint8)
    height, width = image.shape[:2]
    if (scale := PORTRAIT_SIDE / max(height, width)) < 1:
        size = (max(1, round(width * scale)), max(1, round(height * scale)))
        image = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
    return encode.jpeg(np.ascontiguousarray(image), PORTRAIT_QUALITY)


def viewer_files() -> dict[str, bytes]:
    """The viewer's files by their names below its folder, with `/`: what a server gives out."""
    return {name: _source(name) for name in _names("")}


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"Cannot read {path}: it is larger than {LARGEST >> 20} MB.")
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"Cannot read {path}: {(error.strerror or str(error)).lower()}.") from error


def _maybe(path: Path) -> bytes | None:
    data = _bytes(path) if path.is_file() else None
    return data if data is not None and data.startswith(b"\x89PNG") else None


def _portrait(path: Path) -> bytes | None:
    import cv2

    if (data := _maybe(path)) is None:
        return None
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        image = None
    if image is None or image.ndim != 3 or image.dtype != np.uint8:
        return None  # a page without it is better than none
    order = [2, 1, 0] if image.shape[2] == 3 else [2, 1, 0, 3]
    return small_portrait(np.ascontiguousarray(np.asarray(image, dtype=np.uint8)[..., order]))


def _block(number: int, data: bytes) -> str:
    packed = base64.b64encode(gzip.compress(data, 6, mtime=0)).decode("ascii")
    return f'<script type="application/octet-stream" id="data-{number}">{packed}</script>'


def _json(value: object) -> str:
    """JSON that no reader of HTML takes for the end of its element."""
    return json.dumps(value, ensure_ascii=True).replace("<", "\\u003c").replace(">", "\\u003e")


# The viewer's own files


@dataclass(frozen=True, slots=True)
class _Program:
    """What every page has."""

    policy: str
    style: str
    imports: str
    """The map from names of modules to their text, as data: addresses."""
    begin: str


@cache
def _program() -> _Program:
    addresses = {}
    for name, text in _modules(FIRST).items():
        key = "three" if name == "vendor/three.module.min.js" else f"tronie/{name}"
        addresses[key] = "data:text/javascript;base64," + base64.b64encode(text.encode()).decode("ascii")
    imports = _json({"imports": addresses})
    begin = f'import "tronie/{FIRST}";'
    style = "\n".join(_source(name).decode() for name in STYLES)
    policy = "; ".join(
        (
            "default-src 'none'",
            f"script-src data: {_hash(imports)} {_hash(begin)}",
            f"style-src {_hash(style)}",
            "img-src blob: data:",
            "connect-src blob:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )
    return _Program(policy, style, imports, begin)


def _modules(first: str) -> dict[str, str]:
    """Every module that one needs, its relative imports by names of the map."""
    found: dict[str, str] = {}
    left = [first]
    while left:
        name = left.pop()
        if name in found:
            continue
        text = _source(name).decode()

        def named(match: re.Match[str], name: str = name) -> str:
            other = posixpath.normpath(posixpath.join(posixpath.dirname(name), match[3]))
            left.append(other)
            return f"{match[1]}{match[2]}tronie/{other}{match[2]}"

        found[name] = _IMPORT.sub(named, text)
        if 'from "three"' in text or "from 'three'" in text:
            left.append("vendor/three.module.min.js")
    return dict(sorted(found.items()))


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


@cache
def _source(name: str) -> bytes:
    return files("tronie.export").joinpath("viewer", *name.split("/")).read_bytes()


def _names(folder: str) -> Iterable[str]:
    for entry in files("tronie.export").joinpath("viewer", *filter(None, folder.split("/"))).iterdir():
        name = f"{folder}/{entry.name}".lstrip("/")
        if entry.is_dir():
            yield from _names(name)
        else:
            yield name


_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
<script type="importmap">{imports}</script>
<!-- Written by tronie. The viewer draws with three.js, copyright 2010-2025 three.js authors, under the MIT licence. -->
<body class="single">
<noscript>JavaScript is switched off: this page shows heads in 3D, and cannot do so without.</noscript>
<script type="application/json" id="faces">{faces}</script>
{data}
<script type="module">{begin}</script>
</body>
</html>
"""
