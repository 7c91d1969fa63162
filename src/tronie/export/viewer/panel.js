// The controls of a head: what its surface shows, the light, its parts, its face, its motion.

import { make, icon, ICONS, unique } from "./elements.js";
import { ExpressionControls } from "./face_controls.js";
import { legend } from "./legend.js";
import { CHOICES } from "./lights.js";
import { MODES } from "./viewer.js";
import { spoken } from "./expressions.js";
import { words as wordsOf } from "./words.js";

export class HeadPanel {
  /**
   * @param {HTMLElement} element where the controls go @param {import("./viewer.js").HeadViewer} viewer
   * @param {{words?: import("./words.js").Words, name?: () => string, keep?: (blob: Blob, name: string) => void}} options
   *   `name`: of the file of a picture, without its ending
   */
  constructor(element, viewer, { words = wordsOf(), name = () => viewer.head?.name || "head" } = {}) {
    Object.assign(this, { element, viewer, words, name });
    element.classList.add("head-controls");
    this.listeners = {
      ready: () => this.#build(),
      look: () => this.#look(),
      expression: () => this.face?.follow(),
      frame: ({ detail }) => this.#moved(detail),
    };
    for (const [event, listener] of Object.entries(this.listeners)) viewer.addEventListener(event, listener);
    this.#build();
  }

  /** The controls, and the view's own, in another language. @param {import("./words.js").Words} words */
  speak(words) {
    this.words = words;
    this.viewer.speak(words);
    this.#build();
  }

  dispose() {
    for (const [event, listener] of Object.entries(this.listeners)) this.viewer.removeEventListener(event, listener);
    this.element.replaceChildren();
    this.tools?.remove();
  }

  #build() {
    const { words, viewer } = this, there = viewer.head !== null;
    this.modes = this.#choice(words("Show"), there ? viewer.modes() : MODES, viewer.mode, (mode) => viewer.setMode(mode));
    this.lights = this.#choice(words("Light"), CHOICES, viewer.light, (light) => viewer.setLight(light));
    this.legend = make("div", { class: "head-legend", "aria-live": "polite" });
    this.parts = make("fieldset", { class: "head-choice" }, make("legend", null, words("Parts")), this.#parts());
    this.motion = this.#motion();
    this.face = there && viewer.units().length ? new ExpressionControls(viewer, words) : null;
    this.element.replaceChildren(
      ...[this.motion, this.modes, this.lights, this.legend, this.parts, this.face?.element].filter(Boolean),
    );
    this.element.toggleAttribute("inert", !there);
    this.#tools();
    this.#look();
  }

  /** One of several, as a group of radio buttons. */
  #choice(title, names, now, chosen) {
    const group = unique("choice");
    const options = names.map((name) => make("label", { class: "chip" },
      make("input", { type: "radio", name: group, value: name, checked: name === now, onchange: () => chosen(name) }),
      make("span", null, this.words(spoken(name)))));
    return make("fieldset", { class: "head-choice" }, make("legend", null, title), make("div", { class: "chips" }, ...options));
  }

  #parts() {
    return make("div", { class: "chips" }, ...this.viewer.parts().map(({ name, shown }) => make("label", { class: "chip" },
      make("input", { type: "checkbox", value: name, checked: shown, onchange: ({ target }) => this.viewer.showPart(name, target.checked) }),
      make("span", null, this.words(spoken(name))))));
  }

  #motion() {
    const [first] = this.viewer.animations();
    this.time = null;
    if (!first) return null;
    const { words, viewer } = this;
    this.playing = make("button", { type: "button", class: "round", onclick: () => (viewer.playing ? viewer.pause() : viewer.play()) });
    this.time = make("input", {
      type: "range", min: 0, max: first.seconds, step: 0.01, value: viewer.time, "aria-label": words("Time"),
      oninput: ({ target }) => viewer.seek(Number(target.value)),
    });
    this.clock = make("output", { class: "clock" });
    const bar = make("div", { class: "head-motion", role: "group", "aria-label": words("Animation") }, this.playing, this.time, this.clock);
    this.#moved({ time: viewer.time, seconds: first.seconds, playing: viewer.playing });
    return bar;
  }

  #moved({ time, seconds, playing }) {
    if (!this.time) return;
    const { words } = this;
    const label = words(playing ? "Pause" : "Play");
    if (this.playing.getAttribute("aria-label") !== label) {
      this.playing.setAttribute("aria-label", label);
      this.playing.replaceChildren(icon(playing ? ICONS.pause : ICONS.play));
    }
    this.time.value = String(time);
    const all = (seconds || Number(this.time.max)).toFixed(1);
    this.time.setAttribute("aria-valuetext", words("{time} of {all} s", { time: time.toFixed(1), all }));
    this.clock.value = `${time.toFixed(1)} / ${all} s`;
  }

  /** Buttons in the corner of the view. */
  #tools() {
    const { words, viewer } = this;
    this.tools?.remove();
    const button = (path, title, chosen) => make("button", { type: "button", class: "round", title, "aria-label": title, onclick: chosen }, icon(path));
    this.turning = button(ICONS.turn, words("Turn the head round"), () => viewer.turnRound(!viewer.turning));
    this.tools = make("div", { class: "head-tools", role: "group", "aria-label": words("3D view") },
      button(ICONS.front, words("Look from the front again"), () => viewer.resetView()),
      this.turning,
      button(ICONS.picture, words("Save a picture of this view"), () => this.#picture()));
    viewer.element.append(this.tools);
  }

  async #picture() {
    const blob = await this.viewer.picture();
    const address = URL.createObjectURL(blob);
    make("a", { href: address, download: `${this.name()}.png` }).click();
    setTimeout(() => URL.revokeObjectURL(address), 60_000);
  }

  #look() {
    const { viewer } = this, { mode } = viewer;
    const check = (group, value) => {
      for (const input of group.querySelectorAll("input")) input.checked = input.value === value;
    };
    check(this.modes, mode);
    check(this.lights, viewer.light);
    this.turning.setAttribute("aria-pressed", String(viewer.turning));
    this.lights.hidden = mode !== "textured";
    const parts = viewer.parts();
    this.parts.hidden = !parts.length || mode === "provenance" || mode === "uncertainty";
    for (const input of this.parts.querySelectorAll("input")) input.checked = parts.find(({ name }) => name === input.value)?.shown ?? false;
    if (this.shown !== mode || !this.legend.firstChild) this.legend.replaceChildren(...legend(mode, this.words));
    this.shown = mode;
  }
}
