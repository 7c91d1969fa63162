"""The pictures of docs/service.md: the page in a browser, on the example photos. docs/images/make_service.py [FOLDER]

Wants what tests/web/test_journey.py wants. FOLDER: screenshots of an earlier walk, in place of a new one.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests"), str(ROOT / "tests" / "web")]


def walk(folder: Path) -> None:
    """Walk through the page, large and light, small and dark, and keep what is seen."""
    from node_tools import BROWSER
    from running_service import running
    from test_journey import sway

    assert BROWSER is not None, "wants node, Chromium and what tests/tools/install_browser_tools.sh installs"
    with running(folder) as address:
        for name, size in {"large": (1280, 800, "light"), "small": (390, 844, "dark")}.items():
            asked = {
                "url": address,
                "photo": str(ROOT / "examples" / "group.jpg"),
                "clip": str(sway(folder / "sway.mp4")),
                "shots": str(folder / name),
                **dict(zip(("width", "height", "theme"), size, strict=True)),
                "chromium": BROWSER.chromium,
            }
            script = ROOT / "tests" / "web" / "journey.mjs"
            subprocess.run([BROWSER.node, script, BROWSER.tools, json.dumps(asked)], check=True)


def picture(folder: Path, name: str) -> np.ndarray:
    return np.asarray(Image.open(folder / f"{name}.png").convert("RGB"))


def beside(pictures: list[np.ndarray], height: int, gap: int = 24) -> Image.Image:
    """In a row on quiet grey, all of one height."""
    scaled = [
        cv2.resize(one, (round(one.shape[1] * height / one.shape[0]), height), interpolation=cv2.INTER_AREA)
        for one in pictures
    ]
    width = sum(one.shape[1] for one in scaled) + gap * (len(scaled) + 1)
    sheet = np.full((height + 2 * gap, width, 3), 214, np.uint8)
    left = gap
    for one in scaled:
        sheet[gap : gap + height, left : left + one.shape[1]] = one
        left += one.shape[1] + gap
    return Image.fromarray(sheet)


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(scratch)
        if len(sys.argv) < 2:
            walk(folder)
        large, small = folder / "large", folder / "small"
        here = Path(__file__).parent
        beside([picture(large, "3-another-face")], 800).save(here / "service-head.jpg", quality=88)
        row = [picture(large, "2-running"), picture(large, "7-portrait")]
        beside(row, 460).save(here / "service-steps.jpg", quality=88)
        row = [picture(small, name) for name in ("1-start", "3-another-face", "7-portrait", "10-gallery")]
        beside(row, 720).save(here / "service-phone.jpg", quality=88)


if __name__ == "__main__":
    main()
