"""A model of another family becomes a HeadModel: its own units by name, the others carried over and said its way."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import made_models as made
import numpy as np
import pytest
from places import SHARED

from tronie.head import retarget as adopt
from tronie.head.arkit import ARKIT_UNITS
from tronie.head.model import HeadModel, default_head
from tronie.head.morphable import Joints, Morphable, place
from tronie.importers.heads import FAMILIES

FACE = made.face()
ICT = SHARED / "ict" / "ict_facekit.npz"


def unit(head: HeadModel, name: str) -> np.ndarray:
    return head.expression[ARKIT_UNITS.index(name)]


def ours(expression: np.ndarray, names: tuple[str, ...] = ()) -> Morphable:
    """Our own head's mean and shapes as a foreign model, with other expressions."""
    h = default_head()
    return place(
        name="x",
        licence="x",
        commercial_use=True,
        mean=h.mean,
        identity=h.identity[:3],
        expression=expression,
        faces=h.quads,
        part=h.part,
        mm=1.0,
        expression_names=names,
        expression_is_pca=not names,
        uv=h.uv,
        face_uv=h.quad_uv,
    )


def test_names_are_the_units_of_arkit_whole_or_by_side(tmp_path: Path) -> None:
    model = FAMILIES["ict-facekit"].load(made.write_ict_npz(tmp_path, FACE).file)
    head = adopt.head_model(model)
    assert np.array_equal(unit(head, "jawOpen"), model.expression[0])
    assert np.array_equal(unit(head, "eyeBlinkLeft"), model.expression[1])
    assert not unit(head, "eyeBlinkRight").any()
    both = replace(model, expression_names=("cheekPuff_L", "cheekPuff_R"))
    np.testing.assert_allclose(unit(adopt.head_model(both), "cheekPuff"), model.expression.sum(axis=0), atol=1e-6)


def test_our_own_units_come_back_from_components_that_span_them() -> None:
    h = default_head()
    mixed = np.linalg.qr(np.random.default_rng(0).normal(size=(52, 52)))[0].astype(np.float32)
    model = ours(np.tensordot(mixed, h.expression, axes=1))
    head = adopt.head_model(model)
    skin = h.vertices_of("skin")
    for name in ("jawOpen", "mouthSmileLeft", "browInnerUp", "cheekPuff"):
        wanted, found = (unit(x, name)[skin] for x in (h, head))
        assert np.linalg.norm(found - wanted) < 0.25 * np.linalg.norm(wanted)


def test_the_eyes_turn_about_their_centres() -> None:
    head, h = adopt.head_model(ours(np.zeros((0, *default_head().mean.shape)))), default_head()
    for name in ("eyeLookUpLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookOutRight"):
        rows = h.vertices_of("eye_left" if name.endswith("Left") else "eye_right")
        np.testing.assert_allclose(unit(head, name)[rows], unit(h, name)[rows], atol=0.2)


def test_a_jaw_helps_to_open_the_mouth() -> None:
    h = default_head()
    lower = np.clip(-unit(h, "jawOpen")[:, 1] / 30, 0, 1)
    joint = Joints(
        ("jaw",),
        np.array([-1]),
        np.array([[0.0, -40.0, -60.0]]),
        np.zeros((3, 1, 3)),
        lower[:, None].astype(np.float32),
    )
    without = ours(1e-3 * h.expression[:1])
    head = adopt.head_model(replace(without, joints=joint))
    chin = unit(h, "jawOpen")[:, 1].argmin()
    assert unit(head, "jawOpen")[chin, 1] < -15


def test_mirror() -> None:
    h = default_head()
    model = ours(np.zeros((0, *h.mean.shape)))
    head = adopt.head_model(model)
    assert np.linalg.norm(head.mean[head.mirror] * [-1, 1, 1] - head.mean, axis=1).max() < 0.01
    assert (head.inner_face == (h.inner_face & np.isin(np.arange(len(h.mean)), h.vertices_of("skin")))).mean() > 0.97


def test_heads_with_many_vertices_are_stored_whole(tmp_path: Path) -> None:
    head = replace(adopt.head_model(ours(np.zeros((0, *default_head().mean.shape)))), embeddings={})
    large = replace(head, mirror=np.full(len(head.mean), 50_000, np.int32))
    large.save(tmp_path / "head.npz")
    assert np.array_equal(HeadModel.load(tmp_path / "head.npz").mirror, large.mirror)


@pytest.mark.skipif(not ICT.is_file(), reason="ICT-FaceKit is not in ../shared/ict")
def test_ict_facekit_has_52_expressions_but_the_tongues() -> None:
    head = adopt.head_model(FAMILIES["ict-facekit"].load(ICT))
    still = [n for n in ARKIT_UNITS if not unit(head, n).any()]
    assert still == ["tongueOut"]
    assert head.inner_face.sum() > 4000
    assert head.uv.min() >= 0
    assert head.uv.max() <= 1
