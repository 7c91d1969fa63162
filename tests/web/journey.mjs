// A user's whole way through the page, in a real Chromium: what test_journey.py starts and judges.
//     node journey.mjs TOOLS '{"url": ..., "photo": ..., "clip": ..., "shots": folder, "width": 1440, ...}'
// TOOLS is a folder with playwright-core and axe-core in its node_modules. Prints one line of JSON.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [tools, given] = process.argv.slice(2);
const asked = JSON.parse(given);
const require = createRequire(join(tools, "x.js"));
const { chromium } = require("playwright-core");
const AXE = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const PATIENCE = 300_000;
mkdirSync(asked.shots, { recursive: true });

const found = { steps: [], errors: [], foreign: [], axe: [], seconds: {}, glb: null };
const own = new URL(asked.url).origin;

const browser = await chromium.launch({
  executablePath: asked.chromium,
  args: ["--no-sandbox", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream"],
});
const context = await browser.newContext({
  viewport: { width: asked.width, height: asked.height },
  colorScheme: asked.theme,
  reducedMotion: "reduce", // fewer pictures, each of which costs where there is no GPU
  hasTouch: asked.width < 600,
  isMobile: asked.width < 600,
  locale: asked.locale ?? "en",
  acceptDownloads: true,
});
const page = await context.newPage();
page.setDefaultTimeout(PATIENCE);
page.on("console", (message) => message.type() === "error" && found.errors.push(message.text()));
page.on("pageerror", (error) => found.errors.push(String(error)));
page.on("request", (request) => {
  const { protocol, origin } = new URL(request.url());
  if (protocol.startsWith("http") && origin !== own) found.foreign.push(request.url());
});

/** Steps are told in order, so that a failure says how far it went. */
async function step(name, work) {
  const began = performance.now();
  try {
    await work();
  } catch (error) {
    await page.screenshot({ path: join(asked.shots, "failed.png") }).catch(() => {});
    found.failed = `${name}: ${error.message}`;
    throw error;
  }
  found.steps.push(name);
  found.seconds[name] = Math.round(performance.now() - began) / 1000;
}

/** A picture of the page as it is, and what axe-core has against it. */
async function look(name, { axe = true } = {}) {
  await page.waitForTimeout(350);
  await page.screenshot({ path: join(asked.shots, `${name}.png`) });
  if (!axe) return;
  await page.evaluate(AXE); // not as a script of the page, which its policy would rightly refuse
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  for (const { id, impact, nodes } of violations) {
    found.axe.push({ at: name, id, impact, where: nodes.slice(0, 3).map((node) => node.target.join(" ")) });
  }
}

/** The 3D view's picture as one long text: it changes when anything in it does. */
const view = async () => {
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.waitForTimeout(150);
  return (await page.locator("#head-stage canvas").screenshot()).toString("base64");
};
const differs = async (before, what) => {
  for (let tries = 0; tries < 20; tries++) {
    if ((await view()) !== before) return;
    await page.waitForTimeout(150);
  }
  throw new Error(`${what} changed nothing in the view`);
};
const headShown = () => page.waitForFunction(() => document.querySelectorAll("#head-controls input[data-unit]").length > 40);
const tab = (name) => page.locator(`[role=tab][aria-controls*="${name}"], [role=tab][id*="${name}"]`).first();
const unfold = async () => {
  for (const fold of await page.locator("details.fold:not([open]) > summary").all()) await fold.click();
};

try {
  await step("the page opens", async () => {
    await page.goto(asked.url);
    await page.locator("#drop").waitFor();
    found.firstPaint = await page.evaluate(() => new Promise((done) => {
      new PerformanceObserver((list) => {
        const paint = list.getEntriesByName("first-contentful-paint")[0];
        if (paint) done(Math.round(paint.startTime));
      }).observe({ type: "paint", buffered: true });
      setTimeout(() => done(null), 5000);
    }));
    found.bytes = await page.evaluate(() =>
      performance.getEntriesByType("resource").reduce((sum, one) => sum + one.encodedBodySize, 0) +
      performance.getEntriesByType("navigation")[0].encodedBodySize);
    await look("1-start");
  });
  await step("a group photo is dropped", async () => {
    const bytes = readFileSync(asked.photo).toString("base64");
    const data = await page.evaluateHandle(async ({ bytes, name }) => {
      const blob = new Blob([Uint8Array.from(atob(bytes), (sign) => sign.charCodeAt(0))], { type: "image/jpeg" });
      const transfer = new DataTransfer();
      transfer.items.add(new File([blob], name, { type: "image/jpeg" }));
      return transfer;
    }, { bytes, name: "group.jpg" });
    for (const kind of ["dragenter", "dragover", "drop"]) await page.dispatchEvent("#drop", kind, { dataTransfer: data });
    await page.locator("#stages, #head-stage").first().waitFor();
    await page.locator("[data-face]").first().waitFor();
    await look("2-running", { axe: false });
  });
  await step("its head stands there", async () => {
    await page.locator("#head-stage canvas").waitFor();
    await headShown();
    await view();
    await look("3-result");
  });
  await step("another face is picked", async () => {
    const before = await view();
    await page.locator('#faces [data-face="2"]').first().click();
    await page.waitForFunction(() => document.querySelector("#face-name")?.textContent.includes("2"));
    await headShown();
    await differs(before, "another face");
    await look("3-another-face", { axe: false });
  });
  await step("it is turned and zoomed", async () => {
    const canvas = page.locator("#head-stage canvas");
    let before = await view();
    const box = await canvas.boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width / 2 + 120, box.y + box.height / 2, { steps: 3 });
    await page.mouse.up();
    await differs(before, "dragging");
    before = await view();
    await canvas.focus();
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("+");
    await differs(before, "the keyboard");
    await page.keyboard.press("0");
  });
  await step("a slider moves the face", async () => {
    await unfold();
    const before = await view();
    const jaw = page.locator('#head-controls input[data-unit="jawOpen"]');
    await jaw.evaluate((input) => {
      for (let at = input.closest("details"); at; at = at.parentElement.closest("details")) at.open = true;
      input.value = "1";
      input.dispatchEvent(new Event("input", { bubbles: true }));
    });
    await differs(before, "jawOpen");
    await look("4-jaw-open", { axe: false });
  });
  await step("hair comes off and on again", async () => {
    const hair = page.locator('#head-controls input[type=checkbox][value=hair]');
    const before = await view();
    await hair.evaluate((input) => input.click());
    await differs(before, "taking the hair off");
    await look("5-no-hair", { axe: false });
    const bald = await view();
    await hair.evaluate((input) => input.click());
    await differs(bald, "putting the hair on");
  });
  for (const mode of ["clay", "wireframe", "provenance", "uncertainty"]) {
    await step(`it is shown as ${mode}`, async () => {
      const before = await view();
      await page.locator(`#head-controls input[type=radio][value=${mode}]`).evaluate((input) => input.click());
      await differs(before, mode);
      await look(`6-${mode}`, { axe: mode === "provenance" });
    });
  }
  await step("the portrait is compared", async () => {
    await page.locator('#head-controls input[type=radio][value=textured]').evaluate((input) => input.click());
    await tab("portrait").click();
    const range = page.locator("#compare");
    await range.waitFor();
    const frame = page.locator("#compare-frame");
    await page.waitForFunction(() => [...document.querySelectorAll("#compare-frame img")].every((image) => image.complete && image.naturalWidth));
    const shot = async () => (await frame.screenshot()).toString("base64");
    const before = await shot();
    await range.focus();
    for (let press = 0; press < 20; press++) await page.keyboard.press("ArrowRight");
    await page.waitForTimeout(200);
    if ((await shot()) === before) throw new Error("the slider shows nothing else");
    await look("7-portrait");
  });
  await step("another background is chosen", async () => {
    const image = () => page.locator("#save-portrait").getAttribute("href");
    const before = await image();
    await page.locator('[data-choice="background"] input[value="plain"]').evaluate((input) => input.click());
    await page.waitForFunction((old) => document.querySelector("#save-portrait").getAttribute("href") !== old, before);
    await page.waitForFunction(() => [...document.querySelectorAll("#compare-frame img")].every((one) => one.complete && one.naturalWidth));
    await look("8-plain-portrait", { axe: false });
  });
  await step("head.glb is downloaded", async () => {
    await unfold();
    const [download] = await Promise.all([page.waitForEvent("download"), page.locator('[data-download="head.glb"]').first().click()]);
    found.glb = join(asked.shots, "head.glb");
    await download.saveAs(found.glb);
  });
  await step("a clip's head moves", async () => {
    await page.locator("#home").click();
    await page.locator("#files").setInputFiles(asked.clip);
    await page.locator("#stages").waitFor();
    await page.locator("#head-stage canvas").waitFor();
    await headShown();
    const play = page.locator(".head-motion button").first();
    await play.evaluate((button) => ["Play", "재생"].includes(button.getAttribute("aria-label")) && button.click());
    const before = await view();
    await page.waitForTimeout(600);
    await differs(before, "the animation");
    await look("9-clip");
  });
  await step("the gallery has both", async () => {
    await page.locator("#nav a").last().click();
    await page.locator("#jobs li.job-card").nth(1).waitFor();
    await look("10-gallery");
  });
  await step("a job is deleted", async () => {
    const cards = page.locator("#jobs li.job-card");
    const before = await cards.count();
    const name = await cards.first().getAttribute("data-job");
    await cards.first().locator("input[type=checkbox]").check();
    await page.locator("#delete-chosen").click();
    await look("11-confirm");
    await page.locator("#confirm-yes").click();
    await page.waitForFunction((count) => document.querySelectorAll("#jobs li.job-card").length < count, before);
    found.deleted = name;
  });
  await step("the camera takes a photo", async () => {
    await page.locator("#home").click();
    await page.locator("#webcam-open").click();
    await page.locator("#shutter").waitFor();
    await page.waitForTimeout(800);
    await look("12-camera");
    await page.locator("#shutter").click();
    await page.locator("#use-photo").waitFor();
    await page.keyboard.press("Escape");
  });
} catch (error) {
  found.failed ??= String(error);
} finally {
  await browser.close();
}
writeFileSync(join(asked.shots, "found.json"), JSON.stringify(found, null, 1));
process.stdout.write(`${JSON.stringify(found)}\n`);
