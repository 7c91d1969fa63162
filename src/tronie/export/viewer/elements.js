// Elements made in one line.

/**
 * @param {string} tag @param {Record<string, any> | null} own properties; `class`, `for`, `aria-…`, `data-…` and `role` are
 *   attributes, `on…` listeners @param {...(Node | string | null)} inside
 */
export function make(tag, own = null, ...inside) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(own ?? {})) {
    if (value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (/^(class|for|role|aria-|data-)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...inside.filter((child) => child !== null));
  return element;
}

const SVG = "http://www.w3.org/2000/svg";

/** A drawing of 24 by 24 in the text's colour. @param {string} path */
export function icon(path) {
  const svg = document.createElementNS(SVG, "svg");
  for (const [name, value] of Object.entries({ viewBox: "0 0 24 24", "aria-hidden": "true", class: "icon" })) svg.setAttribute(name, value);
  const line = document.createElementNS(SVG, "path");
  line.setAttribute("d", path);
  svg.append(line);
  return svg;
}

export const ICONS = {
  front: "M4 9V4h5M20 9V4h-5M4 15v5h5M20 15v5h-5M12 9.5a2.5 2.5 0 1 0 0 5 2.5 2.5 0 0 0 0-5",
  turn: "M20 11a8 8 0 0 0-14.6-3.6M5 3.5v4.2h4.2M4 13a8 8 0 0 0 14.6 3.6M19 20.5v-4.2h-4.2",
  picture: "M4 8h3l2-3h6l2 3h3v11H4zM12 10a3.5 3.5 0 1 0 0 7 3.5 3.5 0 0 0 0-7",
  play: "M8 5v14l11-7z",
  pause: "M8 5v14M16 5v14",
};

let count = 0;

/** A name for an element that no other has. */
export const unique = (name) => `tronie-${name}-${++count}`;
