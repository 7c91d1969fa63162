/** Two pictures, one over the other, and a border between them that can be dragged. */
import { h, styled } from "/page/dom.js";
import { t } from "/page/i18n.js";

export class Compare {
  constructor() {
    this.before = h("img", { alt: "" });
    this.after = h("img.after", { alt: "" });
    this.range = h("input.split", { type: "range", min: 0, max: 100, value: 50, step: 1, id: "compare", "aria-label": t("Before and after"), oninput: () => this.split() });
    this.frame = h("div.compare", { id: "compare-frame" },
      h("div.before", {}, this.before), this.after, h("span.tag.tag-before", { "aria-hidden": "true" }, t("Before")), h("span.tag.tag-after", { "aria-hidden": "true" }, t("After")), h("span.handle", { "aria-hidden": "true" }));
    const to = (event) => {
      const { left, width } = this.frame.getBoundingClientRect();
      this.range.value = (100 * (event.clientX - left)) / width;
      this.split();
    };
    this.frame.addEventListener("pointerdown", (event) => {
      if (this.range.hidden) return;
      this.frame.setPointerCapture(event.pointerId);
      to(event);
    });
    this.frame.addEventListener("pointermove", (event) => this.frame.hasPointerCapture(event.pointerId) && to(event));
  }

  split() {
    styled(this.frame, { "--split": `${this.range.value}%` });
    this.range.setAttribute("aria-valuetext", t("{n} % of the photo", { n: this.range.value }));
  }
}
