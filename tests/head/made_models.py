"""Tiny made-up files of every family of face models: the right names and shapes, invented numbers.

Each writer takes a folder and the same small face in millimetres (`Face`), and gives the file to import.
"""

from __future__ import annotations

import json
import pickle
import struct
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tronie.formats.matlab import mat_bytes
from tronie.head.model import default_head
from tronie.head.retarget import nearest_points

ROWS, COLUMNS = 25, 21
EYE = 12
"""Vertices of each made-up eyeball."""


@dataclass(frozen=True)
class Face:
    mean: np.ndarray
    """(V, 3) mm: our own head's mask on a grid, then the left and the right eyeball."""
    quads: np.ndarray
    triangles: np.ndarray
    label: np.ndarray
    """(V,) 0 skin, 1 and 2 the eyeballs."""

    def modes(self, count: int, seed: int, size: float = 1.0) -> np.ndarray:
        """(count, V, 3) mm."""
        return np.random.default_rng(seed).normal(0, size, (count, *self.mean.shape))


def face() -> Face:
    head = default_head()
    inner = head.mean[head.inner_face]
    (left, low, _), (right, high, _) = inner.min(axis=0), inner.max(axis=0)
    y, x = np.mgrid[high : low : ROWS * 1j, left : right : COLUMNS * 1j]
    index, weight, _ = nearest_points(np.stack([x, y], axis=-1).reshape(-1, 2), inner[:, :2])
    z = (inner[index, 2] * weight).sum(axis=1).reshape(x.shape).astype(np.float64)
    skin = np.stack([x, y, z], axis=-1).reshape(-1, 3)
    i, j = (a.ravel() for a in np.mgrid[: ROWS - 1, : COLUMNS - 1])
    quads = [np.stack([i * COLUMNS + j, (i + 1) * COLUMNS + j, (i + 1) * COLUMNS + j + 1, i * COLUMNS + j + 1], axis=1)]
    parts, label = [skin], [np.zeros(len(skin), int)]
    for side, sign in ((1, 1), (2, -1)):
        turn = np.linspace(0, 2 * np.pi, EYE // 3, endpoint=False)
        rings = [
            (12 * np.sin(a) * np.cos(turn), 12 * np.sin(a) * np.sin(turn), np.full(len(turn), 12 * np.cos(a)))
            for a in (0.5, 1.4, 2.4)
        ]
        ball = np.concatenate([np.stack(r, axis=1) for r in rings]) + np.array([sign * 32.0, 20.0, 10.0])
        start, n = len(skin) + (side - 1) * EYE, EYE // 3
        k = np.arange(n)
        after = (k + 1) % n
        ring = [np.stack([r * n + k, (r + 1) * n + k, (r + 1) * n + after, r * n + after], 1) for r in (0, 1)]
        quads.append(np.concatenate(ring) + start)
        parts.append(ball)
        label.append(np.full(EYE, side))
    faces = np.concatenate(quads)
    triangles = np.concatenate([faces[:, :3], faces[:, [0, 2, 3]]])
    return Face(np.concatenate(parts), faces, triangles, np.concatenate(label))


def flat(values: np.ndarray) -> np.ndarray:
    """(K, V, 3) -> (3 V, K)."""
    return values.reshape(len(values), -1).T


@dataclass(frozen=True)
class Made:
    """A written file and what has to be read from it."""

    file: Path
    identity: np.ndarray
    """(K, V, 3) mm per deviation."""
    expression: np.ndarray
    mean: np.ndarray
    """(V, 3) mm, wherever its origin is."""


def write_bfm2009(folder: Path, f: Face) -> Made:
    identity, spread, colours = f.modes(3, 1), np.array([[3.0], [2.0], [1.0]]), f.modes(2, 2)
    file = folder / "01_MorphableModel.mat"
    file.write_bytes(
        mat_bytes(
            {
                "shapeMU": flat(f.mean[None]).astype("f4") * 1e3,
                "shapePC": (flat(identity) / spread.T * 1e3).astype("f4"),
                "shapeEV": spread,
                "texMU": np.full((f.mean.size, 1), 100.0),
                "texPC": flat(colours),
                "texEV": np.full((2, 1), 51.0),
                "tl": (f.triangles[:, [0, 2, 1]] + 1).astype(float),
            }
        )
    )
    return Made(file, identity, np.zeros((0, *f.mean.shape)), f.mean)


def write_bfm_h5(folder: Path, f: Face, name: str = "model2017-1_bfm_nomouth.h5") -> Made:
    import h5py

    identity, expression = f.modes(3, 1), f.modes(2, 2)
    file = folder / name
    with h5py.File(file, "w") as h5:
        h5["shape/representer/cells"] = f.triangles.T
        for model, mean, modes in (
            ("shape", f.mean - 1, identity),
            ("expression", np.ones_like(f.mean), expression),
            ("color", np.full_like(f.mean, 0.4), f.modes(2, 3, 0.1)),
        ):
            variance = np.arange(1, len(modes) + 1) ** 2.0
            h5[f"{model}/model/mean"] = mean.ravel()
            h5[f"{model}/model/pcaBasis"] = flat(modes) / np.sqrt(variance)
            h5[f"{model}/model/pcaVariance"] = variance
    return Made(file, identity, expression, f.mean)


def flame_arrays(f: Face) -> dict[str, Any]:
    eyes = [np.flatnonzero(f.label == k) for k in (1, 2)]
    regressor, weights = np.zeros((5, len(f.mean))), np.zeros((len(f.mean), 5))
    regressor[:3, :4] = 0.25
    for joint, rows in zip((3, 4), eyes, strict=True):
        regressor[joint, rows] = 1 / len(rows)
        weights[rows, joint] = 1
    weights[f.label == 0, 1] = 1
    directions = np.moveaxis(f.modes(400, 1, 1e-3), 0, 2)
    tree = np.array([[2**32 - 1, 0, 1, 1, 1], [0, 1, 2, 3, 4]], np.uint32)
    return {
        "v_template": f.mean / 1e3,
        "f": f.triangles.astype(np.uint32),
        "shapedirs": directions,
        "weights": weights,
        "J_regressor": regressor,
        "kintree_table": tree,
        "posedirs": np.zeros((len(f.mean), 3, 36)),
        "bs_type": "lrotmin",
    }


def _made_flame(file: Path, f: Face) -> Made:
    basis = f.modes(400, 1, 1.0)
    return Made(file, basis[:300], basis[300:], f.mean)


def write_flame_npz(folder: Path, f: Face) -> Made:
    np.savez(folder / "flame2023.npz", **flame_arrays(f))
    return _made_flame(folder / "flame2023.npz", f)


def write_flame_pkl(folder: Path, f: Face) -> Made:
    """With chumpy's wrapping and a sparse matrix, as the published files have them."""
    from scipy import sparse

    arrays = flame_arrays(f)
    for name in ("v_template", "shapedirs", "posedirs", "weights"):
        arrays[name] = chumpy_like(arrays[name])
    arrays["J_regressor"] = sparse.csc_matrix(arrays["J_regressor"])
    (folder / "generic_model.pkl").write_bytes(dump_chumpy(arrays))
    return _made_flame(folder / "generic_model.pkl", f)


def _chumpy() -> types.ModuleType:
    module = types.ModuleType("chumpy.ch")
    module.Ch = type("Ch", (), {"__module__": "chumpy.ch"})  # type: ignore[attr-defined]
    return module


CHUMPY = _chumpy()


def chumpy_like(array: np.ndarray) -> Any:
    made = CHUMPY.Ch()
    made.__dict__ |= {"x": array, "_dirty_vars": set(), "_itr": None, "_depends_on_deps": {}}
    return made


def dump_chumpy(value: Any, protocol: int = 2) -> bytes:
    """A pickle that names chumpy's class, which is not installed."""
    sys.modules |= {"chumpy": types.ModuleType("chumpy"), "chumpy.ch": CHUMPY}
    try:
        return pickle.dumps(value, protocol)
    finally:
        del sys.modules["chumpy"], sys.modules["chumpy.ch"]


def write_gnm(folder: Path, f: Face) -> Made:
    identity, expression = f.modes(4, 1), f.modes(3, 2)
    n, cornea = len(f.mean), f.label == 3
    groups = np.stack([f.label == 0, f.label == 1, f.label == 2, cornea]).astype(np.float32)
    joints = np.array([[0, -90, -40], [0, -60, -40], [32, 20, 10], [-32, 20, 10]]) / 1e3
    weights = np.zeros((4, n))
    weights[1, f.label == 0], weights[2, f.label == 1], weights[3, f.label == 2] = 1, 1, 1
    uv = np.random.default_rng(3).uniform(0, 1, (len(f.quads), 4, 2))
    np.savez(
        folder / "gnm_head.npz",
        template_vertex_positions=f.mean / 1e3,
        vertex_identity_basis=identity / 1e3,
        expression_basis=expression / 1e3,
        expression_names=np.array(["tongue_000", "tongue_001", "pupils_000"]),
        quads=f.quads,
        quad_uvs=uv,
        vertex_groups=groups,
        vertex_group_names=np.array(["skin", "left_eye", "right_eye", "eye_exteriors"]),
        template_joint_positions=joints,
        joint_identity_basis=np.zeros((4, 4, 3)),
        joint_names=np.array(["neck", "head", "left_eye", "right_eye"]),
        joint_parent_indices=np.array([-1, 0, 1, 1]),
        skinning_weights=weights,
        version=np.array("3.0"),
    )
    return Made(folder / "gnm_head.npz", identity, expression, f.mean)


def write_tddfa(folder: Path, f: Face) -> Made:
    identity, expression = f.modes(40, 1), f.modes(10, 2)
    mean, std = np.zeros(62, np.float32), np.ones(62, np.float32)
    std[12:52], std[52:], mean[12] = 1e5, 2.0, 1e4
    shapes = flat(identity) * 1e3 / 1e5
    z = {
        "u": flat(f.mean[None]) * 1e3 - shapes[:, :1] * 1e4,
        "w_shp": np.column_stack([shapes, shapes]),
        "w_exp": flat(expression) * 1e3 / 2,
        "keypoints": (np.arange(68)[:, None] % len(f.mean) * 3 + np.arange(3)).ravel(),
    }
    (folder / "bfm_noneck_v3.pkl").write_bytes(pickle.dumps(z, 4))
    (folder / "tri.pkl").write_bytes(pickle.dumps(f.triangles.T.astype(np.int32), 4))
    (folder / "param_mean_std_62d_120x120.pkl").write_bytes(pickle.dumps({"mean": mean, "std": std}, 3))
    return Made(folder / "bfm_noneck_v3.pkl", identity, expression, f.mean)


def _matrix(values: np.ndarray) -> bytes:
    columns = np.atleast_2d(values.T).T
    return struct.pack("<ii", *columns.shape) + columns.astype("<f4").tobytes(order="F")


def _pca(mean: np.ndarray, basis: np.ndarray, variance: np.ndarray, triangles: np.ndarray) -> bytes:
    table = struct.pack("<Q", len(triangles)) + triangles.astype("<i4").tobytes()
    return _matrix(mean.reshape(-1, 1)) + _matrix(basis) + _matrix(variance.reshape(-1, 1)) + table


def _blendshapes(expression: np.ndarray) -> bytes:
    out = struct.pack("<Q", len(expression))
    for k, unit in enumerate(expression):
        name = f"unit{k}".encode()
        out += struct.pack("<Q", len(name)) + name + _matrix(unit.reshape(-1, 1))
    return out


def write_sfm(folder: Path, f: Face, version: int = 1) -> Made:
    identity, expression, variance = f.modes(3, 1), f.modes(2, 2), np.array([4.0, 2.0, 1.0])
    uv = f.mean[:, :2] / 200 + 0.5
    data = struct.pack("<I", version) + _pca(f.mean, flat(identity) / np.sqrt(variance), variance, f.triangles)
    data += _pca(np.zeros((0, 1)), np.zeros((0, 0)), np.zeros((0, 1)), np.zeros((0, 3)))
    if version >= 2:
        data += struct.pack("<Bi", 0, 1) + _blendshapes(expression)
    else:
        (folder / "expression_blendshapes_3448.bin").write_bytes(_blendshapes(expression))
    if version >= 3:
        data += struct.pack("<BQQ", 0, 1, 4) + b"nose" + struct.pack("<i", 5)
    data += struct.pack("<Q", len(uv)) + uv.astype("<f8").tobytes()
    (folder / "sfm_shape_3448.bin").write_bytes(data + (struct.pack("<Q", 0) if version == 4 else b""))
    return Made(folder / "sfm_shape_3448.bin", identity, expression, f.mean)


def write_ict_npz(folder: Path, f: Face) -> Made:
    identity, expression = f.modes(3, 1), f.modes(2, 2)
    ends = [int(np.flatnonzero(f.label == k)[-1]) for k in range(3)]
    np.savez(
        folder / "ict_facekit.npz",
        mean=f.mean / 10,
        identity=identity / 10,
        expression=expression / 10,
        expression_names=np.array(["jawOpen", "eyeBlink_L"]),
        quads=f.quads,
        uv_quads=f.quads,
        uv=np.abs(f.mean[:, :2]) / 100,
        landmarks68=np.arange(68),
        part_names=np.array(["face", "eyeball_left", "eyeball_right"]),
        part_ranges=np.array([[0, ends[0]], [ends[0] + 1, ends[1]], [ends[1] + 1, ends[2]]]),
    )
    return Made(folder / "ict_facekit.npz", identity, expression, f.mean)


def write_ict_folder(folder: Path, f: Face) -> Made:
    """Its README's ranges of vertices are far larger: here everything is face."""
    made = folder / "FaceXModel"
    made.mkdir()
    identity, expression = f.modes(3, 1), f.modes(2, 2)

    def obj(vertices: np.ndarray) -> str:
        lines = [f"v {x:.9g} {y:.9g} {z:.9g}" for x, y, z in vertices / 10]
        lines += [f"vt {x:.6f} {y:.6f}" for x, y, _ in np.abs(f.mean) / 100]
        lines += ["f " + " ".join(f"{v + 1}/{v + 1}" for v in quad) for quad in f.quads]
        return "\n".join(["# made up", "g face", *lines, "f 1/1 2/2 3/3", ""])

    meshes = {"generic_neutral_mesh": f.mean, "jawOpen": f.mean + expression[0], "eyeBlink_L": f.mean + expression[1]}
    meshes |= {f"identity{k:03d}": f.mean + identity[k] for k in range(3)}
    for name, vertices in meshes.items():
        (made / f"{name}.obj").write_text(obj(vertices))
    index = {"expressions": ["jawOpen", "eyeBlink_L"], "idx_to_landmark_verts": list(range(68))}
    (made / "vertex_indices.json").write_text(json.dumps(index))
    return Made(made, identity, expression, f.mean)


WRITERS: dict[str, tuple[str, Callable[[Path, Face], Made]]] = {
    "bfm-2009": ("bfm-2009", write_bfm2009),
    "bfm-2017": ("bfm-2017", write_bfm_h5),
    "bfm-2019": ("bfm-2019", lambda d, f: write_bfm_h5(d, f, "model2019_fullHead.h5")),
    "flame npz": ("flame-2023", write_flame_npz),
    "flame pkl": ("flame-2020", write_flame_pkl),
    "gnm": ("gnm", write_gnm),
    "3ddfa": ("3ddfa", write_tddfa),
    "sfm": ("sfm", write_sfm),
    "sfm version 4": ("sfm", lambda d, f: write_sfm(d, f, 4)),
    "ict npz": ("ict-facekit", write_ict_npz),
    "ict folder": ("ict-facekit", write_ict_folder),
}
"""What is written -> the family, the writer."""
