// One file that shows the heads it holds: nothing is fetched, everything stands in the page.

import { make, unique } from "./elements.js";
import { HeadPanel } from "./panel.js";
import { HeadViewer } from "./viewer.js";
import { words as wordsOf } from "./words.js";

/** @typedef {{name: string, head: number, rest: number, provenance?: number, portrait?: number}} Face  numbers of blocks */

const words = wordsOf();
const told = JSON.parse(document.getElementById("faces").textContent);
document.documentElement.lang = words.language;

/** What a block of the page holds. @param {number} number @returns {Promise<Uint8Array>} */
async function block(number) {
  const text = atob(document.getElementById(`data-${number}`).textContent);
  const packed = Uint8Array.from(text, (letter) => letter.charCodeAt(0));
  const plain = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(plain).arrayBuffer());
}

const shared = block(told.shared);

/** @param {Face} face @returns {Promise<ArrayBuffer>} */
async function glb(face) {
  const parts = await Promise.all([block(face.head), shared, block(face.rest)]);
  return new Blob(parts).arrayBuffer();
}

const addresses = new Map();

/** A picture in the page, as an address. @param {number | undefined} number @param {string} type */
async function address(number, type) {
  if (number === undefined) return null;
  if (!addresses.has(number)) addresses.set(number, URL.createObjectURL(new Blob([await block(number)], { type })));
  return addresses.get(number);
}

const said = make("p", { class: "single-said", role: "status" }, words("Loading …"));
const stage = make("div", { class: "head-stage" }, said);
const picture = make("img", { alt: words("The portrait from the front") });
const portrait = make("button", {
  type: "button", class: "single-portrait", hidden: true, "aria-pressed": "false", title: words("The portrait from the front"),
  onclick: () => portrait.setAttribute("aria-pressed", String(portrait.getAttribute("aria-pressed") !== "true")),
}, picture);
const controls = make("section", { "aria-label": words("Controls") });
const title = make("h1", null, told.name);
const bar = make("header", null, title, told.faces.length > 1 ? picker() : null);
document.body.prepend(bar, make("main", { class: "head" }, make("div", { class: "single-pair" }, portrait, stage), controls));

function picker() {
  const group = unique("face");
  return make("fieldset", { class: "single-faces" }, make("legend", { class: "unseen" }, words("Choose a face")),
    ...told.faces.map((face, k) => {
      const small = make("img", { alt: "" });
      address(face.portrait, "image/jpeg").then((found) => (found ? (small.src = found) : small.remove()));
      const text = words("Face {n}", { n: k + 1 });
      return make("label", { class: "single-face", title: text },
        make("input", { type: "radio", name: group, checked: k === 0, "aria-label": text, onchange: () => show(face) }),
        make("span", { class: "single-thumb" }, small, make("b", { "aria-hidden": "true" }, String(k + 1))));
    }));
}

let viewer = null;
try {
  viewer = new HeadViewer(stage, { words });
} catch {
  said.textContent = words("This browser cannot draw in 3D.");
}
if (viewer) {
  new HeadPanel(controls, viewer, { words });
  if (told.faces.length) await show(told.faces[0]);
}
document.body.dataset.ready = "";

/** @param {Face} face */
async function show(face) {
  said.textContent = words("Loading …");
  said.hidden = false;
  const front = await address(face.portrait, "image/jpeg");
  portrait.hidden = !front;
  if (front) picture.src = front;
  try {
    const shown = await viewer.load(await glb(face), { provenance: await address(face.provenance, "image/png") });
    if (shown) said.hidden = true;
  } catch (error) {
    console.warn(error);
    said.textContent = words("This head cannot be shown.");
  }
}
