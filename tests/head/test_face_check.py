"""The mean of a face model is a face, whatever its shapes are called."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import made_models as made
import numpy as np
import pytest
from places import SHARED

from tronie.errors import OutputError, WeightsError
from tronie.formats.safety import Refused
from tronie.head.face_check import ALIKE, check_face, face_likeness, surface_points
from tronie.head.morphable import NOSE_TIP, Morphable
from tronie.importers.heads import FAMILIES, import_head

ICT = SHARED / "ict" / "ict_facekit.npz"


@pytest.fixture(autouse=True)
def _own_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRONIE_HOME", str(tmp_path / "home"))


def by_the_nose(points: np.ndarray) -> np.ndarray:
    return points - points[points[:, 2].argmax()] + NOSE_TIP


def ball(a: float, b: float, c: float, waves: int = 0, seed: int = 0) -> np.ndarray:
    """(N, 3) mm: an ellipsoid of these half axes, with waves on it."""
    rng = np.random.default_rng(seed)
    t, p = np.meshgrid(np.linspace(0, np.pi, 60), np.linspace(0, 2 * np.pi, 120))
    out = np.stack([a * np.sin(t) * np.cos(p), b * np.cos(t), c * np.sin(t) * np.sin(p)], axis=-1).reshape(-1, 3)
    for _ in range(waves):
        way = rng.normal(size=3)
        height = 10 * np.sin(out @ way / np.linalg.norm(way) / rng.uniform(10, 30) + rng.uniform(0, 6))
        out = out * (1 + height[:, None] / np.linalg.norm(out, axis=1, keepdims=True))
    return by_the_nose(out)


def body() -> np.ndarray:
    """A trunk and two arms."""
    side = np.array([200.0, 0, 0])
    trunk, arm = ball(160, 280, 110), ball(40, 250, 40)
    return by_the_nose(np.concatenate([trunk, arm + side, arm - side]))


@pytest.mark.parametrize(
    "points",
    [
        ball(75, 110, 95),
        ball(70, 100, 60),
        ball(90, 90, 90),
        ball(60, 90, 40),
        body(),
        np.random.default_rng(0).normal(0, 50, (9000, 3)),
        *(ball(75, 110, 95, 4, seed) for seed in range(6)),
    ],
)
def test_other_shapes_are_no_faces(points: np.ndarray) -> None:
    assert face_likeness(points) < ALIKE - 0.1


@pytest.fixture
def flame(tmp_path: Path) -> Morphable:
    made.write_flame_npz(tmp_path, made.face())
    return FAMILIES["flame-2023"].load(tmp_path / "flame2023.npz")


def test_a_face_is_one_and_lying_on_its_side_it_is_said(flame: Morphable) -> None:
    check_face(flame)
    for axes in ([1, 0, 2], [0, 2, 1], [2, 1, 0]):
        turned = replace(flame, mean=(flame.mean * [-1, 1, 1])[:, axes])
        with pytest.raises(Refused, match="turn it first"):
            check_face(turned)


def test_an_ellipsoid_is_no_flame_and_is_told_so_before_an_older_import(tmp_path: Path) -> None:
    face = made.face()
    import_head("flame-2023", made.write_flame_npz(tmp_path, face).file)
    x, y, _ = face.mean.T
    height = 95 * np.sqrt(np.clip(1 - (x / 80) ** 2 - ((y + 20) / 110) ** 2, 0, 1))
    arrays = made.flame_arrays(replace(face, mean=np.column_stack([x, y, np.where(face.label == 0, height - 40, 0)])))
    stream = io.BytesIO()
    np.savez(stream, **arrays)
    (tmp_path / "flame2023.npz").write_bytes(stream.getvalue())
    with pytest.raises(WeightsError, match="its mean is no face"):
        import_head("flame-2023", tmp_path / "flame2023.npz")
    (tmp_path / "flame2023.npz").write_bytes(b"damaged")
    with pytest.raises(WeightsError, match="damaged"):
        import_head("flame-2023", tmp_path / "flame2023.npz")
    with pytest.raises(OutputError, match="imported already"):
        import_head("flame-2023", made.write_flame_npz(tmp_path, face).file)


@pytest.mark.skipif(not ICT.is_file(), reason="ICT-FaceKit is not in ../shared/ict")
def test_heads_of_another_family_are_faces() -> None:
    model = FAMILIES["ict-facekit"].load(ICT)
    check_face(model)
    rng = np.random.default_rng(0)
    for _ in range(3):
        person = by_the_nose(model.shape(rng.normal(size=100)))
        assert face_likeness(surface_points(person, model.triangles)) > ALIKE
