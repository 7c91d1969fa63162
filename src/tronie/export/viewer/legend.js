// What the colours of a mode mean, in words.

import { make } from "./elements.js";
import { HEAT, MOST_MM, PROVENANCE } from "./looks.js";
import { spoken } from "./expressions.js";

const MEANS = {
  seen: "seen in the photo", mirrored: "mirrored from the other side", filled: "filled in smoothly, or with hair",
  synthetic: "the library's own: eyes, teeth, tongue", enhanced: "seen, with detail added", statistical: "the likeliest skin",
};

/** @param {string} mode @param {import("./words.js").Words} words @returns {Node[]} none where there is nothing to tell */
export function legend(mode, words) {
  if (mode === "provenance") {
    const rows = Object.entries(PROVENANCE).map(([name, color]) => {
      const swatch = make("span", { class: "swatch", "aria-hidden": "true" });
      swatch.style.backgroundColor = color;
      return make("li", null, swatch, make("span", null, make("b", null, words(spoken(name))), ` ${words(MEANS[name])}`));
    });
    return [make("p", { class: "head-title" }, words("Where the colours come from")), make("ul", null, ...rows)];
  }
  if (mode === "uncertainty") {
    const bar = make("div", { class: "scale", "aria-hidden": "true" });
    bar.style.backgroundImage = `linear-gradient(to right, ${HEAT.join(", ")})`;
    return [
      make("p", { class: "head-title" }, words("How unsure the surface is")), bar,
      make("div", { class: "ends" }, make("span", null, `0 mm, ${words("sure")}`), make("span", null, `${MOST_MM} mm, ${words("unsure")}`)),
      make("p", null, words("0 to {mm} mm of standard deviation", { mm: MOST_MM })),
    ];
  }
  return [];
}
