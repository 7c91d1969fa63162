"""The page: its words in both languages, its logic (with the program node), and what it may not do."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tronie.gui.korean import KOREAN as WINDOW
from tronie.settings import Settings
from tronie.web import __file__ as web

PAGE = Path(web).parent / "page"
MODULES = sorted(PAGE.rglob("*.js"))
TEXT = r'"((?:[^"\\]|\\.)*)"'


def node(tmp_path: Path, *arguments: str) -> str:
    """What node says. Modules ask for /page/...: in the copy these are files beside them."""
    program = shutil.which("node")
    if program is None:
        pytest.skip("the program node is not installed")
    shutil.copytree(PAGE, tmp_path / "page")
    for module in (tmp_path / "page").rglob("*.js"):
        text = module.read_text("utf-8").replace('"/page/', f'"{(tmp_path / "page").as_uri()}/')
        module.write_text(text, "utf-8")
    (tmp_path / "package.json").write_text('{"type": "module"}', "utf-8")
    done = subprocess.run([program, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def said() -> set[str]:
    """All that the page says in English."""
    texts: set[str] = set()
    for module in MODULES:
        source = module.read_text("utf-8")
        texts.update(re.findall(rf"\bt\(\s*{TEXT}", source))
        for one, many in re.findall(rf"\bcount\([^\"]*?{TEXT},\s*{TEXT}", source):
            texts.update((one, many))
    return texts


def asked_settings() -> set[str]:
    """The descriptions of the settings that the page asks for."""
    source = (PAGE / "parts" / "settings.js").read_text("utf-8")
    pairs = re.findall(r'\["(\w+)", "(\w+)"\]', source[: source.index("];")])
    assert len(pairs) > 4
    found = set()
    for branch, name in pairs:
        model = Settings.model_fields[branch].annotation
        assert model is not None
        found.add(str(model.model_fields[name].description))
    return found


def test_everything_is_said_in_korean_too(tmp_path: Path) -> None:
    ask = "import(process.argv[1]).then(({ KOREAN }) => console.log(JSON.stringify(KOREAN)))"
    korean = json.loads(node(tmp_path, "--input-type=module", "-e", ask, (tmp_path / "page/korean.js").as_uri()))
    wanted = said() | asked_settings()
    assert len(wanted) > 100
    assert wanted == set(korean)
    for english, text in korean.items():
        assert set(re.findall(r"\{\w+\}", english)) == set(re.findall(r"\{\w+\}", text)), english
        assert text == WINDOW.get(english, text), f"the window calls it otherwise: {english}"


def test_the_logic_of_the_page(tmp_path: Path) -> None:
    laws = Path(__file__).with_name("page_laws.mjs")
    shutil.copy(laws, tmp_path)
    node(tmp_path, "--test", laws.name)


def test_the_page_asks_nobody_else_and_writes_no_markup() -> None:
    for path in (*MODULES, *PAGE.rglob("*.css"), PAGE / "index.html"):
        source = path.read_text("utf-8").replace("http://www.w3.org/", "")
        assert not re.search(r"https?://|[\"'(]//\w", source), path.name
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(", source), path.name


def test_all_modules_of_the_page_are_there() -> None:
    for path in (*MODULES, PAGE / "index.html"):
        for name in re.findall(r"[\"']/page/([\w./-]+)[\"']", path.read_text("utf-8")):
            assert (PAGE / name).is_file(), f"{path.name} asks for {name}"
