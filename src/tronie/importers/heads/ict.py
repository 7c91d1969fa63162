"""ICT-FaceKit: its folder FaceXModel (.obj files and vertex_indices.json), a zip of it, or one npz.

Li et al. 2020, "Learning Formation of Physically-Based Face Attributes". Centimetres, y up; 100 shapes, each a mesh one
standard deviation from the neutral one; named expressions, left and right apart; eyes, teeth, gums, tongue and sockets.
Tear fluid, lashes and the films around the eyes are left out. Texture coordinates lie in several tiles. The npz has the
same as arrays: mean, identity, expression, expression_names, quads, uv_quads, uv, landmarks68, part_names, part_ranges.
"""

from __future__ import annotations

import json
import re
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np

from tronie.formats.archive import texts
from tronie.formats.npz import read_npz
from tronie.formats.safety import Refused
from tronie.head.model import PARTS
from tronie.head.morphable import NO_PART, Morphable, place
from tronie.importers.heads.family import Family, need

KEYS = (
    "mean", "identity", "expression", "expression_names", "quads", "uv_quads", "uv", "landmarks68", "part_names",
    "part_ranges",
)  # fmt: skip
NEUTRAL, INDEX = "generic_neutral_mesh.obj", "vertex_indices.json"
PART_OF = {
    "face": "skin", "head_neck": "skin", "mouth_socket": "mouth", "eye_socket_left": "mouth",
    "eye_socket_right": "mouth", "gums_tongue": "tongue", "teeth": "teeth_upper", "eyeball_left": "eye_left",
    "eyeball_right": "eye_right",
}  # fmt: skip
LAST = {
    "face": 9408, "head_neck": 11247, "mouth_socket": 13293, "eye_socket_left": 13677, "eye_socket_right": 14061,
    "gums_tongue": 17038, "teeth": 21450, "eyeball_left": 23020, "eyeball_right": 24590, "films_and_lashes": 26718,
}  # fmt: skip
"""The last vertex of each geometry, as ICT's README lists them."""
FIRST_LOWER_TOOTH = 19247
MOST_LINES, LONGEST = 100_000, 100
"""Lines of one kind in a mesh, and bytes of a line. The published ones have 26,719 vertices."""
INDEX_LIMIT = 1_000_000
"""Bytes. The published one has 4,000."""


def read(family: Family, file: Path) -> Morphable:
    z: dict[str, Any] = _folder(file) if file.is_dir() or file.suffix != ".npz" else read_npz(file, KEYS)
    need(z, KEYS)
    quads = z["quads"].astype(np.int64)
    label = np.full(len(z["mean"]), NO_PART, np.uint8)
    for name, (first, last) in zip(z["part_names"], z["part_ranges"], strict=True):
        label[int(first) : int(last) + 1] = PARTS.index(PART_OF[str(name)]) if str(name) in PART_OF else NO_PART
        if str(name) == "teeth" and first <= FIRST_LOWER_TOOTH <= last:
            label[FIRST_LOWER_TOOTH : int(last) + 1] = PARTS.index("teeth_lower")
    if quads.ndim != 2 or quads[:, 0].min() < 0 or quads[:, 0].max() >= len(label):
        raise Refused("its faces name vertices that it does not have")
    uv = np.column_stack([z["uv"][:, 0], 1 - z["uv"][:, 1]])  # tiles are in one row
    return place(
        **family.terms,
        mean=z["mean"],
        identity=z["identity"],
        expression=z["expression"],
        faces=quads,
        mm=10.0,
        part=label[quads[:, 0]],
        expression_names=tuple(str(n) for n in z["expression_names"]),
        expression_is_pca=False,
        uv=uv,
        face_uv=z["uv_quads"],
        landmarks68=z["landmarks68"],
    )


def _folder(place_: Path) -> dict[str, Any]:
    with texts(place_, (".obj", ".json")) as files:
        if NEUTRAL not in files or INDEX not in files:
            raise Refused(f"it has no {NEUTRAL if NEUTRAL not in files else INDEX}")
        neutral, index = files[NEUTRAL], json.loads(files[INDEX][:INDEX_LIMIT])
        mean = _rows(neutral, b"v ", 3)
        units = [str(n) for n in index["expressions"] if f"{n}.obj" in files]
        people = sorted(n for n in files.files if n.startswith("identity") and n.endswith(".obj"))
        if not units or not people:
            raise Refused("it has no shapes or no expressions")

        def moves(names: list[str]) -> Any:
            files.budget.take(len(names) * mean.size * 4)
            moved = np.empty((len(names), *mean.shape), np.float32)
            for k, name in enumerate(names):
                mesh = _rows(files[name], b"v ", 3)
                if mesh.shape != mean.shape:
                    raise Refused(f"its {name[:80]} has another number of vertices than {NEUTRAL}")
                moved[k] = mesh - mean
            return moved

        faces = [line.split() for line in _lines(neutral, b"f ")]
        corners = np.array([[c.split(b"/")[:2] for c in (*f, b"0/0")[:4]] for f in faces]).astype(np.int64) - 1
        return {
            "mean": mean,
            "identity": moves(people),
            "expression": moves([f"{n}.obj" for n in units]),
            "expression_names": units,
            "quads": corners[..., 0],
            "uv_quads": corners[..., 1],
            "uv": _rows(neutral, b"vt ", 2),
            "landmarks68": np.array(index["idx_to_landmark_verts"]),
            "part_names": list(LAST),
            "part_ranges": [(a + 1, b) for a, b in pairwise([-1, *LAST.values()])],
        }


def _rows(text: bytes, kind: bytes, width: int) -> Any:
    """(n, width) numbers of the lines of an .obj that begin with `kind`."""
    return np.array(b" ".join(_lines(text, kind)).split(), dtype=np.float64).reshape(-1, width)


def _lines(text: bytes, kind: bytes) -> list[bytes]:
    """What stands behind `kind` in the lines that begin with it, LONGEST bytes at most."""
    every = re.finditer(rb"^%s([^\r\n]{0,%d})" % (kind, LONGEST), text, re.MULTILINE)
    found = [match[1] for match in islice(every, MOST_LINES + 1)]
    if len(found) > MOST_LINES:
        raise Refused("one of its meshes is larger than it may be")
    return found


FAMILY = Family(
    "ict-facekit",
    "ICT-FaceKit: head, eyes, teeth, 53 named expressions",
    "MIT",
    True,
    "github.com/ICT-VGL/ICT-FaceKit",
    (NEUTRAL, "ict_facekit.npz"),
    read,
    folder=True,
)
