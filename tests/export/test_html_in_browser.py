"""A page with heads, opened from disk in Chromium."""

from __future__ import annotations

import itertools
import json
import subprocess
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from node_tools import BROWSER, wants_browser
from samples import make_result, make_shell

from tronie.export.html import head_page, page_faces
from tronie.export.writer import save
from tronie.head.model import HeadModel

LOOK = """
const { createRequire } = require("module");
const { chromium } = createRequire(process.argv[2] + "/")("playwright-core");
(async () => {
  const browser = await chromium.launch({ executablePath: process.argv[3],
    args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
  const page = await browser.newPage({ viewport: { width: 900, height: 600 }, reducedMotion: "reduce" });
  const told = { asked: [], said: [], seen: {} };
  page.on("request", (request) => told.asked.push(request.url()));
  page.on("console", (message) => ["error", "warning"].includes(message.type()) && told.said.push(message.text()));
  page.on("pageerror", (error) => told.said.push(String(error)));
  await page.goto("file://" + process.argv[4]);
  const shown = () => page.waitForFunction(() =>
    "ready" in document.body.dataset && document.querySelector(".single-said").hidden);
  await shown();
  const look = async (name) => {
    await page.mouse.move(0, 0);
    await page.evaluate(() => document.activeElement.blur());
    await page.waitForTimeout(150);
    told.seen[name] = (await page.locator("canvas").screenshot()).toString("base64").slice(0, 200000);
  };
  const choose = (text) => page.getByLabel(text, { exact: true }).check({ force: true });
  await look("first");
  await look("again");
  const slider = page.locator('[data-unit="jawOpen"]');
  await page.getByLabel("Find a movement").fill("jaw open");
  await slider.fill("1");
  told.jaw = await page.locator(".head-unit:visible output").allTextContents();
  await look("jaw");
  await page.getByRole("button", { name: "At rest" }).click();
  await look("rest");
  await page.getByLabel("Hair", { exact: true }).uncheck({ force: true });
  await look("bald");
  for (const mode of ["Clay", "Wireframe", "Provenance", "Uncertainty", "Textured"]) {
    await choose(mode);
    await look(mode);
  }
  await choose("Studio");
  await look("studio");
  await page.locator("canvas").focus();
  await page.keyboard.press("ArrowLeft");
  await look("turned");
  await page.locator("canvas").focus();
  await page.keyboard.press("+");
  await look("nearer");
  await page.locator("canvas").focus();
  await page.keyboard.press("0");
  await look("front");
  await page.getByRole("button", { name: "Turn the head round" }).click();
  await look("going round");
  await page.getByRole("button", { name: "front again" }).click();
  await page.locator("canvas").focus();
  await page.keyboard.press("Shift+ArrowLeft");
  await look("aside");
  await page.getByRole("button", { name: "front again" }).click();
  const saved = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save a picture" }).click();
  const download = await saved;
  told.picture = download.suggestedFilename();
  await look("after the picture");
  await page.getByLabel("Face 2").check({ force: true });
  await shown();
  await look("second");
  told.focusable = await page.evaluate(() => [...document.querySelectorAll("button, input, summary, canvas")]
    .filter((one) => one.checkVisibility()).map((one) => {
      const { width, height } = (one.closest("label") ?? one).getBoundingClientRect();
      return [one.outerHTML.slice(0, 80), width, height];
    }));
  const axe = require("fs").readFileSync(process.argv[2] + "/node_modules/axe-core/axe.min.js", "utf8");
  await page.evaluate(axe);
  told.faults = [];
  for (const colorScheme of ["light", "dark"]) {
    await page.emulateMedia({ colorScheme });
    for (const mode of ["Provenance", "Textured"]) {
      await choose(mode);
      const { violations } = await page.evaluate(() => axe.run());
      told.faults.push(...violations.map(({ id, nodes }) => [colorScheme, mode, id, nodes[0].html]));
    }
  }
  await page.setViewportSize({ width: 360, height: 640 });
  told.wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  console.log(JSON.stringify(told));
  await browser.close();
})();
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory, tiny_head: HeadModel) -> Any:
    assert BROWSER is not None
    out = tmp_path_factory.mktemp("page")
    result = make_result(tiny_head, faces=2)
    sigma = np.linspace(0, 6, len(tiny_head.mean))
    faces = [
        replace(face, shells=(make_shell(),), fit=replace(face.fit, sigma_mm=sigma))
        for face in result.faces
        if face.fit is not None
    ]
    name, shown = page_faces(save(replace(result, faces=tuple(faces)), out, outputs=("glb", "provenance", "portrait")))
    (out / "page.html").write_bytes(head_page(shown, name))
    (out / "look.cjs").write_text(LOOK, encoding="utf-8")
    done = subprocess.run(
        [BROWSER.node, out / "look.cjs", BROWSER.tools, BROWSER.chromium, out / "page.html"],
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return {**json.loads(done.stdout), "page": (out / "page.html").as_uri()}


@wants_browser
@pytest.mark.slow
def test_nothing_is_asked_for_and_nothing_goes_wrong(told: Any) -> None:
    assert [address for address in told["asked"] if not address.startswith(("data:", "blob:"))] == [told["page"]]
    assert told["said"] == []


@wants_browser
@pytest.mark.slow
def test_controls_change_what_is_seen(told: Any) -> None:
    seen = told["seen"]
    assert seen["first"] == seen["again"], "nothing moves by itself"
    order = ["first", "jaw", "rest", "bald", "Clay", "Wireframe", "Provenance", "Uncertainty", "Textured", "studio"]
    for before, after in itertools.pairwise(order):
        assert seen[before] != seen[after], after
    assert seen["bald"] == seen["Textured"]
    assert len({seen[name] for name in ("studio", "turned", "nearer", "going round", "aside")}) == 5
    assert seen["front"] == seen["studio"] == seen["after the picture"]
    assert seen["second"] != seen["front"]
    assert told["jaw"] == ["100"]
    assert told["picture"].endswith(".png")


@wants_browser
@pytest.mark.slow
def test_everybody_can_use_it(told: Any) -> None:
    assert told["focusable"]
    assert told["faults"] == []
    assert [one for one in told["focusable"] if min(one[1:]) < 40] == []
    assert told["wider"] <= 0
