/** A photo with its faces boxed and numbered; where they can be picked, one radio group. */
import { h, refill, styled } from "/page/dom.js";
import { t } from "/page/i18n.js";

export class Photo {
  /** @param {{alt: string, pick?: (index: number) => void}} options pick: faces can be chosen */
  constructor({ alt, pick }) {
    this.pick = pick;
    this.image = h("img", { alt, draggable: "false" });
    this.boxes = h("div.boxes", pick ? { role: "radiogroup", "aria-label": t("Faces in the photo"), id: "faces" } : { "aria-hidden": "true" });
    this.element = h("div.photo", {}, this.image, this.boxes);
    this.image.addEventListener("error", () => this.element.classList.add("absent"));
    this.image.addEventListener("load", () => {
      this.element.classList.remove("absent");
      if (!this.sized) styled(this.element, { "--ratio": this.image.naturalWidth / this.image.naturalHeight });
    });
    this.boxes.addEventListener("keydown", (event) => this.#key(event));
  }

  /** @param {string} source @param {number} width @param {number} height of the photo, where they are known */
  show(source, width = 0, height = 0) {
    if (width && height) {
      this.sized = true;
      styled(this.element, { "--ratio": width / height });
    }
    if (source && this.image.getAttribute("src") !== source) this.image.src = source;
  }

  /**
   * @param {{index: number, box: number[] | null}[]} faces
   * @param {number} width @param {number} height what boxes are in
   */
  put(faces, width, height) {
    this.faces = faces.filter((face) => face.box);
    this.buttons = new Map();
    refill(this.boxes, ...this.faces.map((face) => {
      const [left, top, right, bottom] = face.box;
      const box = h(this.pick ? "button.box" : "span.box",
        this.pick
          ? { type: "button", role: "radio", "aria-checked": "false", tabindex: "-1", "data-face": face.index,
              "aria-label": face.error ? t("Face {n}, not finished", { n: face.index }) : t("Face {n}", { n: face.index }),
              onclick: () => this.choose(face.index, true) }
          : { "data-face": face.index },
        h("span.number", { "aria-hidden": "true" }, face.index));
      styled(box, { left: `${(100 * left) / width}%`, top: `${(100 * top) / height}%`,
        width: `${(100 * (right - left)) / width}%`, height: `${(100 * (bottom - top)) / height}%` });
      if (face.error) box.dataset.state = "failed";
      if (top / height < 0.04) box.classList.add("high");
      this.buttons.set(face.index, box);
      return box;
    }));
  }

  /** @param {Map<number, string>} states */
  mark(states) {
    for (const [index, state] of states) {
      const box = this.buttons?.get(index);
      if (box) box.dataset.state = state;
    }
  }

  /** @param {number} index @param {boolean} told whether whoever listens is told */
  choose(index, told = false) {
    for (const [other, box] of this.buttons ?? []) {
      box.setAttribute("aria-checked", String(other === index));
      box.setAttribute("tabindex", other === index ? "0" : "-1");
    }
    if (told) this.pick?.(index);
  }

  #key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    const all = [...(this.buttons?.keys() ?? [])];
    if (!all.length || (!step && event.key !== "Home" && event.key !== "End")) return;
    event.preventDefault();
    const now = all.findIndex((index) => this.buttons.get(index) === document.activeElement);
    const to = event.key === "Home" ? 0 : event.key === "End" ? all.length - 1 : (now + step + all.length) % all.length;
    this.buttons.get(all[to]).focus();
    this.choose(all[to], true);
  }
}
