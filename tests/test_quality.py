"""Warnings: a sentence for people, beside it a code for a batch."""

from __future__ import annotations

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from samples import make_face

import tronie
from tronie.batch.worker import Outcome, numbered
from tronie.head.model import default_head
from tronie.quality import CODES, face_warnings
from tronie.types import Caution, Face, Photo

PACKAGE = Path(tronie.__file__).parent
FILES = Path(__file__).parents[1] / "docs" / "files.md"


def codes_said() -> set[str]:
    """Every code that stands in a call of `Caution` or `say` in the package."""
    said: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Caution", "say"):
                said |= {c.value for c in ast.walk(node.args[0]) if isinstance(c, ast.Constant)} if node.args else set()
    return said


def test_every_code_is_registered_and_every_registered_code_is_said() -> None:
    assert codes_said() == set(CODES)


def test_codes_are_plain_words() -> None:
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*", code) for code in CODES)


def test_the_documentation_knows_every_code() -> None:
    listed = re.findall(r"^\| `([a-z_]+)` \|", FILES.read_text(encoding="utf-8"), re.MULTILINE)
    assert [code for code in listed if code in CODES] == list(CODES)


def face_at(yaw: float) -> Face:
    face = make_face(default_head(), yaw=yaw, texture=False)
    assert face.fit is not None
    fit = replace(face.fit, diagnostics={"yaw": yaw, "pitch": 0.0, "rms": 0.01})
    rng = np.random.default_rng(0)
    assert face.crop is not None
    crop = replace(face.crop, image=rng.integers(60, 190, (256, 256, 3), dtype=np.uint8))
    return replace(face, fit=fit, crop=crop, warnings=())


@pytest.mark.parametrize(("yaw", "codes"), [(0.0, set()), (-70.0, {"turned"})])
def test_a_turned_face_is_told_by_code_and_sentence(yaw: float, codes: set[str]) -> None:
    photo = Photo(np.zeros((240, 320, 3), np.uint8))
    said = [c for c in face_warnings(photo, face_at(yaw)) if c.code == "turned"]
    assert {c.code for c in said} == codes
    assert all("70 degrees" in str(c) for c in said)


def test_an_outcome_counts_the_faces_of_each_code() -> None:
    faces = [
        replace(make_face(default_head(), k, texture=False), warnings=tuple(Caution(c, f"it is {c}") for c in codes))
        for k, codes in enumerate((["small", "turned"], [], ["small"]), start=1)
    ]
    outcome = Outcome("a.jpg", Path("a"), "ok", notes=("only one frame",), warnings=numbered(faces))
    assert outcome.warned == {"small": [1, 3], "turned": [1]}
    assert outcome.remarks == [
        "only one frame", "face 1: it is small", "face 1: it is turned", "face 3: it is small"
    ]  # fmt: skip
