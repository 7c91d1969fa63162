"""What `tronie` itself offers: all of it is there, it says what it is, and the documentation uses nothing deeper."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import subprocess
import sys

import pytest
from places import DOCS, EXAMPLES, ROOT

import tronie
from tronie import Pipeline, Settings

PROMISED = {
    *("reconstruct", "reconstruct_person", "reconstruct_video", "save", "load_head", "draw"),
    *("Pipeline", "Live", "Job", "Settings"),
}
ERRORS = {"TronieError", "InputError", "OutputError", "WeightsError", "Cancelled"}
EXTENSIONS = {"tronie.importers.heads", "tronie.outputs", "tronie.export.outputs"}
"""Modules that those write against who add something: a family of heads, an output."""
PAGES = (ROOT / "README.md", *sorted(DOCS.rglob("*.md")))


def test_everything_that_is_promised_is_there() -> None:
    assert set(tronie.__all__) >= PROMISED | ERRORS
    assert len(set(tronie.__all__)) == len(tronie.__all__)
    for name in tronie.__all__:
        assert getattr(tronie, name) is not None
        assert name in dir(tronie)


def test_names_that_are_not_there_are_an_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'reconstrukt'"):
        _ = tronie.reconstrukt


@pytest.mark.parametrize("name", sorted(set(tronie.__all__) - {"__version__", "ARKIT_UNITS", "PROVENANCE"}))
def test_everything_says_what_it_is(name: str) -> None:
    thing = getattr(tronie, name)
    assert inspect.getdoc(thing)
    if dataclasses.is_dataclass(thing):
        assert thing.__dataclass_params__.frozen, "nouns do not change"


def test_types_of_all_names_are_known_to_type_checkers() -> None:
    tree = ast.parse((ROOT / "src" / "tronie" / "__init__.py").read_text(encoding="utf-8"))
    checked = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tronie")
        for alias in node.names
    }
    assert checked == set(tronie.__all__)


def test_importing_loads_nothing() -> None:
    code = "import sys, tronie; print(sorted({m.split('.')[0] for m in sys.modules} & {'numpy', 'cv2', 'pydantic'}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_documentation_uses_nothing_deeper(page) -> None:
    for block in re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL):
        for node in ast.walk(ast.parse(block)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "tronie":
                assert node.module == "tronie" or node.module in EXTENSIONS, node.module
                if node.module == "tronie":
                    assert {alias.name for alias in node.names} <= set(tronie.__all__)
            elif isinstance(node, ast.Import):
                assert not any(alias.name.startswith("tronie.") for alias in node.names)


# Pipeline.with_settings


def test_another_pipeline_shares_the_models_that_are_the_same() -> None:
    one = Pipeline(Settings.model_validate({"detect": {"max_faces": 1}, "texture": {"size": 512}, "only": "mesh"}))
    one.run(EXAMPLES / "astronaut.jpg")
    other = one.with_settings(texture={"size": 1024}, only="texture")
    assert (other.settings.texture.size, other.settings.only, other.settings.detect.max_faces) == (1024, "texture", 1)
    assert (other.net, other.detector, other.engine) == (one.net, one.detector, one.engine)
    assert one.settings.only == "mesh"
    third = one.with_settings(Settings(), fit={"warp": False})
    assert third.net is one.net
    assert third.engine is not one.engine
    assert third.settings.texture.size == Settings().texture.size
    with pytest.raises(ValueError, match="texture"):
        one.with_settings(texture={"size": 7})
