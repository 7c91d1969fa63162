// A slider for each movement of a face, in groups, with presets, gaze and a box to find one.

import { make, unique } from "./elements.js";
import { gaze, grouped, spoken } from "./expressions.js";

/** Where all groups closed would leave the column empty. */
const ROOMY = matchMedia("(min-width: 761px)");

export class ExpressionControls {
  /** @param {import("./viewer.js").HeadViewer} viewer @param {import("./words.js").Words} words */
  constructor(viewer, words) {
    this.viewer = viewer;
    this.words = words;
    /** @type {Map<string, {row: HTMLElement, slider: HTMLInputElement, value: HTMLOutputElement, said: string}>} */
    this.rows = new Map();
    const title = unique("title");
    const presets = [
      [words("Photo's"), () => viewer.own()], [words("At rest"), () => ({})],
      ...Object.entries(viewer.presets()).map(([name, weights]) => [words(spoken(name)), () => weights]),
    ].map(([text, weights]) => make("button", { type: "button", class: "chip-button", onclick: () => this.#set(weights()) }, text));
    this.filter = make("input", {
      type: "search", class: "head-filter", placeholder: words("Find a movement: jaw, brow …"),
      "aria-label": words("Find a movement: jaw, brow …"), autocomplete: "off", spellcheck: false, oninput: () => this.#sift(),
    });
    this.nothing = make("p", { class: "quiet", role: "status" });
    this.groups = grouped(viewer.units().map(({ name }) => name)).map((group) => this.#group(group));
    this.element = make("section", { class: "head-face", "aria-labelledby": title },
      make("p", { class: "head-title", id: title }, words("Expression")), make("div", { class: "chips" }, ...presets), this.filter, this.nothing, ...this.groups);
    this.follow();
  }

  #group({ name, units }) {
    const { words } = this;
    const rows = units.map((unit) => this.#row(unit));
    if (name === "Eyes" && units.includes("eyeLookOutLeft")) rows.unshift(this.#gaze());
    const open = ROOMY.matches && (name === "Eyes" || name === "Mouth");
    return make("details", { open }, make("summary", null, words(name)), ...rows);
  }

  #row(unit) {
    const id = unique("unit"), text = this.words(spoken(unit));
    const value = make("output", { for: id });
    const slider = make("input", {
      type: "range", id, min: 0, max: 1, step: 0.01, title: unit, "data-unit": unit,
      oninput: () => this.#move({ [unit]: Number(slider.value) }),
    });
    const row = make("div", { class: "head-unit" }, make("label", { for: id }, text), slider, value);
    this.rows.set(unit, { row, slider, value, said: `${unit} ${spoken(unit)} ${text}`.toLowerCase() });
    return row;
  }

  /** Both eyes at once. */
  #gaze() {
    const look = () => this.#move(gaze(Number(this.across.value), Number(this.up.value)));
    const slider = (text) => {
      const id = unique("gaze");
      const input = make("input", { type: "range", id, min: -1, max: 1, step: 0.02, value: 0, oninput: look });
      return [input, make("div", { class: "head-unit" }, make("label", { for: id }, `${this.words("Gaze")}: ${this.words(text)}`), input, make("output"))];
    };
    const [across, first] = slider("Left, right"), [up, second] = slider("Down, up");
    Object.assign(this, { across, up });
    return make("div", { class: "head-gaze" }, first, second);
  }

  /** Some of them; a clip that plays would take them back at once. */
  #move(weights) {
    this.viewer.pause();
    this.viewer.setExpression(weights, true);
  }

  #set(weights) {
    this.viewer.stop();
    this.viewer.setExpression(weights);
  }

  /** The sliders as the face is now. */
  follow() {
    const now = new Map(this.viewer.units().map(({ name, value }) => [name, value]));
    for (const [unit, { slider, value }] of this.rows) {
      const weight = now.get(unit) ?? 0;
      const text = String(Math.round(100 * weight));
      if (value.value !== text) value.value = text;
      if (Number(slider.value) !== weight) slider.value = String(weight);
    }
    if (!this.across || document.activeElement === this.across || document.activeElement === this.up) return;
    const of = (unit) => now.get(unit) ?? 0;
    this.across.value = String((of("eyeLookOutLeft") + of("eyeLookInRight") - of("eyeLookInLeft") - of("eyeLookOutRight")) / 2);
    this.up.value = String((of("eyeLookUpLeft") + of("eyeLookUpRight") - of("eyeLookDownLeft") - of("eyeLookDownRight")) / 2);
  }

  /** Only the sliders whose names hold every word. */
  #sift() {
    const wanted = this.filter.value.toLowerCase().split(/\s+/).filter(Boolean);
    let found = 0;
    for (const { row, said } of this.rows.values()) {
      row.hidden = !wanted.every((word) => said.includes(word));
      found += row.hidden ? 0 : 1;
    }
    for (const group of this.groups) {
      const rows = [...group.querySelectorAll(":scope > .head-unit")];
      group.hidden = wanted.length > 0 && rows.every((row) => row.hidden);
      if (wanted.length) group.open = true;
    }
    const pair = this.element.querySelector(".head-gaze");
    if (pair) pair.hidden = wanted.length > 0;
    this.nothing.textContent = found ? "" : this.words("No movement has such a name.");
  }
}
