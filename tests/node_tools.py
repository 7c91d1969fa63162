"""What some tests want beside Python: Khronos' glTF validator, a browser and what drives it."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@dataclass(frozen=True, slots=True)
class Browser:
    """Where they are."""

    node: str
    tools: Path
    """A folder whose node_modules has playwright-core and axe-core."""
    chromium: str


def find_browser() -> Browser | None:
    """None where something is missing. TRONIE_PLAYWRIGHT and TRONIE_CHROMIUM name other places than the usual ones."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tronie" / "browser-tools"
    tools = Path(os.environ.get("TRONIE_PLAYWRIGHT", cache))
    chromium = os.environ.get("TRONIE_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    node = shutil.which("node")
    if node is None or chromium is None or not (tools / "node_modules" / "playwright-core").is_dir():
        return None
    return Browser(node, tools, chromium)


BROWSER = find_browser()
wants_browser = pytest.mark.skipif(
    BROWSER is None, reason="wants node, Chromium and what tests/tools/install_browser_tools.sh installs"
)


def validator_home() -> Path | None:
    """The folder of Khronos' validator, or the one that `tests/tools/install_gltf_validator.sh` put it below."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "tronie" / "gltf-validator"
    for place in (os.environ.get("TRONIE_GLTF_VALIDATOR"), cache):
        for folder in (Path(place), Path(place) / "node_modules" / "gltf-validator") if place else ():
            if folder.name == "gltf-validator" and (folder / "package.json").is_file():
                return folder
    return None
