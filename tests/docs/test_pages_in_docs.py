"""The web pages and the JavaScript that docs/ shows, opened in Chromium."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pytest
from node_tools import BROWSER, wants_browser
from places import DOCS
from samples import make_result

from tronie.export.writer import save
from tronie.head.model import HeadModel

PAGES = {"view.md": "html", "engines.md": "js"}
"""Page -> language of its block."""
LOOK = """
const { createRequire } = require("module");
const { chromium } = createRequire(process.argv[2] + "/")("playwright-core");
(async () => {
  const browser = await chromium.launch({ executablePath: process.argv[3],
    args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
  const page = await browser.newPage({ viewport: { width: 900, height: 600 } });
  const told = { said: [] };
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && told.said.push(message.text()));
  page.on("pageerror", (error) => told.said.push(String(error)));
  await page.goto(process.argv[4]);
  await page.waitForFunction(() => "done" in document.body.dataset);
  told.done = await page.evaluate(() => document.body.dataset.done);
  told.sliders = await page.locator("[data-unit]").count();
  told.smile = await page.locator('[data-unit="mouthSmileLeft"]').evaluateAll((all) => all.map((one) => one.value));
  console.log(JSON.stringify(told));
  await browser.close();
})();
"""
LOADER = """
const mesh = (names) => ({ morphTargetDictionary: names, morphTargetInfluences: names && [0, 0] });
const all = [mesh({ eyeBlinkLeft: 0, jawOpen: 1 }), mesh({ jawOpen: 0 }), mesh(undefined), {}];
export class GLTFLoader {
  async loadAsync(file) { window.asked = file; return { scene: { all, traverse: (visit) => all.forEach(visit) } }; }
}
"""
"""What three.js brings, as far as the block goes."""


def block(page: str) -> str:
    (text,) = re.findall(
        rf"^```{PAGES[page]}\n(.*?)^```", (DOCS / page).read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return str(text)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None: ...


@pytest.fixture
def site(tmp_path: Path, tiny_head: HeadModel) -> Iterator[tuple[Path, str]]:
    """A folder with a head and the viewer, and its address."""
    with as_file(files("tronie.export").joinpath("viewer")) as viewer:
        shutil.copytree(viewer, tmp_path / "viewer")
    place = save(make_result(tiny_head), tmp_path / "made", outputs=("glb", "provenance"))
    for name in ("head.glb", "provenance.png"):
        shutil.copy(next(Path(place).rglob(name)), tmp_path / name)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield tmp_path, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def opened(site: tuple[Path, str], page: str) -> Any:
    folder, address = site
    (folder / "page.html").write_text(f'<!doctype html><link rel="icon" href="data:,"><body>{page}', encoding="utf-8")
    (folder / "look.cjs").write_text(LOOK, encoding="utf-8")
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER.node, folder / "look.cjs", BROWSER.tools, BROWSER.chromium, f"{address}/page.html"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@wants_browser
@pytest.mark.slow
def test_the_viewer_stands_in_a_page_of_ones_own(site: tuple[Path, str]) -> None:
    page, rest = block("view.md").rsplit("</script>", 1)
    told = opened(site, f"{page}document.body.dataset.done = viewer.units().length;</script>{rest}")
    assert told["said"] == []
    assert int(told["done"]) == told["sliders"] > 0
    assert {float(value) for value in told["smile"]} == {0.8}


@wants_browser
@pytest.mark.slow
def test_three_opens_the_jaw(site: tuple[Path, str]) -> None:
    folder, _ = site
    (folder / "loader.js").write_text(LOADER, encoding="utf-8")
    maps = json.dumps({"imports": {"three/addons/loaders/GLTFLoader.js": "/loader.js"}})
    then = "document.body.dataset.done = JSON.stringify([window.asked, head.all.map((m) => m.morphTargetInfluences)]);"
    told = opened(
        site, f'<script type="importmap">{maps}</script><script type="module">{block("engines.md")}{then}</script>'
    )
    assert told["said"] == []
    assert json.loads(told["done"]) == ["head.glb", [[0, 0.5], [0.5, 0], None, None]]
