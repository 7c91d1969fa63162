"""The documentation as a site: every page has its place, all that pages link to is on it, its reference is whole."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

import tronie
from docs.make_reference import reference
from docs.make_site import LINK, MOVED, place_of, sources, write_pages

NAV = re.findall(r"^ +- .*?: ([\w/-]+\.md)$", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "pages"
    write_pages(folder)
    return folder


def test_every_page_stands_in_the_table_of_contents_once(pages: Path) -> None:
    assert sorted(NAV) == sorted(page.relative_to(pages).as_posix() for page in pages.rglob("*.md"))


def test_links_and_pictures_lead_to_what_the_site_has(pages: Path) -> None:
    texts = [(page, page.read_text(encoding="utf-8")) for page in pages.rglob("*.md")]
    links = [(page, link[3]) for page, text in texts for link in LINK.finditer(text)]
    assert len(links) > 150
    assert not [(page.name, link) for page, link in links if not (page.parent / link).exists()]


def test_pages_say_what_the_repository_says(pages: Path) -> None:
    for source in sources():
        lines = (pages / place_of(source)).read_text(encoding="utf-8").splitlines()
        assert len(lines) == len(source.read_text(encoding="utf-8").splitlines())
    assert set(MOVED) <= {path.name for path in ROOT.glob("*.md")}


def test_the_reference_has_every_command_every_name_every_record() -> None:
    made = reference(ROOT / "docs" / "schemas")
    for command in ("run", "person", "render", "view", "serve", "models import", "models calibrate", "doctor"):
        assert f"## `tronie {command}`" in made["commands.md"]
    assert "`--crop` `square\\|passport\\|head`" in made["commands.md"]
    assert all(name in made["python.md"] for name in tronie.__all__)
    assert "`warning_codes`" in made["records.md"]


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("mkdocs") is None, reason="needs the extra docs")
def test_the_site_is_built_without_a_warning() -> None:
    command = [sys.executable, "-m", "docs.make_site"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
