/** The portrait from the front, beside the photo; made anew with another cut or background. */
import * as api from "/page/api.js";
import { app } from "/page/app.js";
import { fresh, h, refill, say, styled } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { anew, files, there } from "/page/parts/anew.js";
import { Compare } from "/page/parts/compare.js";
import { icon } from "/page/parts/icons.js";

/** How a portrait's cut lies around the box of the face: its height by the box's, and where the box's middle is. */
const CUTS = { square: [1.81, 0.504, 0.535], passport: [1.85, 0.5, 0.563], head: [1.3, 0.512, 0.57] };

export class PortraitPane {
  /** @param {any} record @param {any} photo @param {any} upload @param {AbortSignal} signal */
  constructor(record, photo, upload, signal) {
    Object.assign(this, { record, photo, upload, signal });
    const settings = record.settings.portrait ?? {};
    this.first = { crop: settings.crop ?? "square", background: settings.background ?? "keep" };
    this.choice = { ...this.first };
    this.expression = "keep";
    this.compare = new Compare();
    Object.assign(this, { before: this.compare.before, after: this.compare.after, range: this.compare.range, frame: this.compare.frame });
    this.busy = h("div.busy", { hidden: true, role: "status" });
    this.note = h("p.faint", { hidden: true });
    this.save = h("a.button.primary", { download: "", id: "save-portrait" }, icon("down", 18), t("Save portrait"));
    this.element = h("div.portrait-pane", {},
      h("div.portrait-stage", {}, h("div.compare-box", {}, this.frame, this.busy), this.range, this.note),
      h("div.portrait-panel", {},
        choices("expression", t("Expression"), [["keep", t("Photo's")], ["neutral", t("At rest")]], this.expression, (value) => { this.expression = value; this.#draw(); }),
        choices("crop", t("Crop"), [["square", t("Square")], ["passport", t("Passport")], ["head", t("Head")]], this.choice.crop, (value) => this.#want({ crop: value })),
        choices("background", t("Background"), [["keep", t("Keep")], ["blur", t("Blur")], ["plain", t("Plain")], ["none", t("None")]], this.choice.background, (value) => this.#want({ background: value })),
        this.save));
    this.after.addEventListener("load", () => this.#place());
  }

  show(face) {
    this.face = face;
    this.#draw();
  }

  /** The portrait's settings as they are chosen now, where they are not those of the job itself. */
  get #changes() {
    const same = this.choice.crop === this.first.crop && this.choice.background === this.first.background;
    return same ? null : { portrait: { ...this.record.settings.portrait, ...this.choice } };
  }

  get #files() {
    const changes = this.#changes;
    return changes ? files(there(this.record, "portrait", changes), this.photo.upload, this.face.index) : this.face.files;
  }

  #draw() {
    const files = this.#files;
    const url = this.expression === "neutral" ? (files["frontal_neutral.png"] ?? files["frontal.png"]) : (files["frontal.png"] ?? files["frontal_neutral.png"]);
    const there = Boolean(url);
    this.frame.hidden = this.range.hidden = !there;
    this.save.hidden = !there;
    this.note.hidden = there || !this.busy.hidden;
    this.note.textContent = t("There is no portrait of this face.");
    if (!there) return;
    const box = this.face.box;
    this.frame.classList.toggle("alone", !box);
    this.range.hidden = !box;
    const source = app.picture(this.record, this.photo.upload);
    if (box && this.before.getAttribute("src") !== source) this.before.src = source;
    if (this.after.getAttribute("src") !== url) this.after.src = url;
    this.after.alt = this.expression === "neutral" ? t("Portrait of face {n} from the front, at rest", { n: this.face.index }) : t("Portrait of face {n} from the front", { n: this.face.index });
    this.save.href = api.download(url);
    this.#place();
    this.compare.split();
  }

  /** Lays the photo under the portrait so that the face is about where the portrait has it. */
  #place() {
    const { naturalWidth: width, naturalHeight: height } = this.after;
    if (!width) return;
    styled(this.frame, { "--ratio": width / height });
    const box = this.face?.box;
    if (!box) return;
    const [tall, x, y] = CUTS[this.choice.crop];
    const high = tall * (box[3] - box[1]);
    const wide = (high * width) / height;
    const left = (box[0] + box[2]) / 2 - x * wide;
    const top = (box[1] + box[3]) / 2 - y * high;
    const [w, k] = [this.photo.width || this.upload.width, this.photo.height || this.upload.height];
    styled(this.before, { width: `${(100 * w) / wide}%`, height: `${(100 * k) / high}%`, left: `${(-100 * left) / wide}%`, top: `${(-100 * top) / high}%` });
  }

  async #want(change) {
    Object.assign(this.choice, change);
    const changes = this.#changes;
    const wanted = JSON.stringify(changes);
    const left = () => JSON.stringify(this.#changes) !== wanted || this.signal.aborted;
    this.busy.hidden = true;
    if (!changes || there(this.record, "portrait", changes)) return this.#draw();
    const bar = h("progress", { max: 1, "aria-label": t("Making the portrait") });
    refill(this.busy, h("span", {}, t("Making the portrait …")), bar);
    this.busy.hidden = false;
    try {
      await anew(this.record, "portrait", changes, (share) => { if (share !== null) bar.value = share; });
      if (left()) return;
      this.busy.hidden = true;
      say(t("The portrait is ready."));
      this.#draw();
    } catch (error) {
      if (left()) return;
      refill(this.busy, h("span", {}, error.message || t("The portrait could not be made.")),
        h("button.button", { type: "button", onclick: () => this.#want({}) }, t("Try again")));
    }
  }
}

/** One of a few, as a row of radio buttons. */
export function choices(name, title, options, chosen, told) {
  const group = fresh(name);
  return h("fieldset.choices", { "data-choice": name },
    h("legend", {}, title),
    h("div.segments", {}, ...options.map(([value, text]) => h("label", {},
      h("input", { type: "radio", name: group, value, checked: value === chosen, onchange: () => told(value) }), h("span", {}, text)))));
}
