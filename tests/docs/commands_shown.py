"""The commands that README.md and docs/ show, word by word."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from places import DOCS, ROOT

PAGES = [
    *sorted(ROOT.glob("*.md")),
    *sorted(DOCS.rglob("*.md")),
    *(ROOT / folder / "README.md" for folder in ("training", "examples")),
]
PROGRAMS = {"tronie", "python", "python3", "pip", "pytest", "nox", "ruff"}
"""Ours, and those that run what is ours: their arguments are looked at."""
OUTSIDE = {"python3.11", "bpy/bin/pip", "blender", "jq", "curl", "docker", "openssl", "mypy", "."}
"""Programs of others."""
FENCED = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"^ {4,}(\S.*)$", re.MULTILINE)
SETTING = re.compile(r"[A-Z_]+=\S*")
"""Of the environment, before a command."""


def lines(page: Path) -> Iterator[str]:
    """Those of shell blocks, and those of other blocks that begin with a program of ours."""
    text = page.read_text(encoding="utf-8")
    for block in FENCED.findall(text):
        yield from block.replace("\\\n", " ").splitlines()
    for line in INDENTED.findall(BLOCK.sub("", text)):
        if line.split()[0] in PROGRAMS:
            yield line


def commands(page: Path) -> Iterator[list[str]]:
    """Each as words, without what the shell keeps to itself."""
    for line in lines(page):
        words: list[str] = []
        for word in [*shlex.split(re.sub(r"\[[A-Z|]+ ?\.*\]", "", line), comments=True), "&&"]:
            if word in ("&&", "|", ";"):
                if command := [*_bare(words)]:
                    yield command
                words = []
            else:
                words.append(word)


def _bare(words: list[str]) -> Iterator[str]:
    began = False
    for word in words:
        if word in (">", ">>", "2>"):
            return
        began = began or not SETTING.fullmatch(word)
        if began:
            yield word


SHOWN = [(page, command) for page in PAGES for command in commands(page)]
