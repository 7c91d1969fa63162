/** The head in 3D and its panel, which are shared with the single page: /viewer/. Loaded only here. */
import { h, refill, sheet } from "/page/dom.js";
import { language, t } from "/page/i18n.js";

export class HeadPane {
  #viewer = null;
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
    const glb = face.files["head.glb"];
    this.#end();
    refill(this.stage);
    refill(this.panel);
    if (!glb) return this.#say(face.error ? t("This face could not be finished.") : t("No head was made."));
    this.#say(t("Preparing the head …"));
    try {
      const [{ HeadViewer }, { HeadPanel }, { words }] = await Promise.all([
        import("/viewer/viewer.js"), import("/viewer/panel.js"), import("/viewer/words.js"), sheet("/viewer/viewer.css"),
      ]);
      if (this.signal.aborted || this.#shown !== face.index) return;
      const viewer = new HeadViewer(this.stage, { words: words(language()) });
      this.#viewer = viewer;
      await viewer.load(glb, { provenance: face.files["provenance.png"] ?? null, sigma: face.files["sigma.png"] ?? null });
      if (this.signal.aborted || this.#viewer !== viewer) return viewer.dispose();
      this.panelOf = new HeadPanel(this.panel, viewer, { words: words(language()), name: () => `${this.name}-${face.index}` });
      this.#say("");
    } catch (error) {
      if (this.signal.aborted || this.#shown !== face.index) return;
      this.#say(t("The head cannot be shown here: {reason}", { reason: String(error.message ?? error) }));
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
    this.panelOf?.dispose?.();
    this.#viewer?.dispose();
    this.#viewer = this.panelOf = null;
  }
}
