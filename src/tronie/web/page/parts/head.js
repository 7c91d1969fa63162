/** The head in 3D and its panel, which are shared with the single page: /viewer/. Loaded only here. */
import { h, sheet } from "/page/dom.js";
import { language, t } from "/page/i18n.js";

export class HeadPane {
  #viewer = null;
  #panel = null;
  #shown = null;

  /** @param {string} name of pictures that are saved @param {AbortSignal} signal */
  constructor(name, signal) {
    this.name = name;
    this.stage = h("div.head-stage", { id: "head-stage" });
    this.panel = h("div.head-controls", { id: "head-controls" });
    this.note = h("p.head-note", { hidden: true, role: "status" });
    this.element = h("div.head", {}, h("div.stage-box", {}, this.stage, this.note), this.panel);
    signal.addEventListener("abort", () => this.#end());
    this.signal = signal;
  }

  /** @param {any} face */
  async show(face) {
    if (this.#shown === face.index) return;
    this.#shown = face.index;
    const left = () => this.signal.aborted || this.#shown !== face.index;
    const glb = face.files["head.glb"];
    this.stage.hidden = this.panel.hidden = !glb;
    this.element.classList.toggle("without", !glb);
    if (!glb) return this.#say(face.error ? t("This face could not be finished.") : t("No head was made."));
    if (!this.#viewer && !draws()) return this.#say(t("This browser cannot draw in 3D."));
    this.#say(t("Preparing the head …"));
    try {
      const [{ HeadViewer }, { HeadPanel }, { words }] = await Promise.all([
        import("/viewer/viewer.js"), import("/viewer/panel.js"), import("/viewer/words.js"), sheet("/viewer/viewer.css"),
      ]);
      if (left()) return;
      const says = words(language());
      // One view for all faces: light, mode and parts stay as they were chosen.
      this.#viewer ??= new HeadViewer(this.stage, { words: says });
      this.#panel ??= new HeadPanel(this.panel, this.#viewer, { words: says, name: () => `${this.name}-${this.#shown}` });
      await this.#viewer.load(glb, { provenance: face.files["provenance.png"] ?? null });
      if (!left()) this.#say("");
    } catch (error) {
      if (!left()) this.#say(t("The head cannot be shown here: {reason}", { reason: String(error.message ?? error) }));
    }
  }

  /** Something else is looked at. */
  rest() {
    this.#viewer?.pause?.();
  }

  #say(text) {
    this.note.hidden = !text;
    this.note.textContent = text;
  }

  #end() {
    this.#panel?.dispose();
    this.#viewer?.dispose();
    this.#viewer = this.#panel = null;
  }
}

/** Whether there is WebGL 2 here; three.js only throws where there is none. */
function draws() {
  const context = document.createElement("canvas").getContext("webgl2");
  context?.getExtension("WEBGL_lose_context")?.loseContext();
  return context !== null;
}
