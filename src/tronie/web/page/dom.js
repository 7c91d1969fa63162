/** Makes elements. What comes from elsewhere only ever becomes text or an attribute, never markup. */

/** @typedef {Node | string | number | null | undefined | false} Child */

/**
 * @param {string} name tag and classes: "button.quiet.small"
 * @param {Record<string, any>} props on… are listeners, `style` holds CSS properties, all others are attributes
 * @param {...(Child | Child[])} children
 */
export function h(name, props = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [key, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (key === "style") styled(element, value);
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Sets CSS properties; the policy of the page allows that to scripts, and no style attributes. */
export function styled(element, properties) {
  for (const [key, value] of Object.entries(properties)) element.style.setProperty(key, value);
}

/** Appends, leaving out what is not there. */
export function fill(element, ...children) {
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    element.append(typeof child === "number" ? String(child) : child);
  }
  return element;
}

/** Puts these in place of what is in it. */
export function refill(element, ...children) {
  element.replaceChildren();
  return fill(element, ...children);
}

/** Puts the focus on the headline of what is new, where it was on something that has gone. @param {HTMLElement} main */
export function land(main) {
  if (document.activeElement && document.activeElement !== document.body && document.activeElement !== main) return;
  const head = main.querySelector("h1");
  head?.setAttribute("tabindex", "-1");
  head?.focus({ preventScroll: true });
}

/** Loads style sheets that are not there yet. @param {...string} addresses */
export async function sheet(...addresses) {
  const loads = addresses.filter((href) => !document.querySelector(`link[href="${href}"]`)).map((href) =>
    new Promise((resolve) => document.head.append(h("link", { rel: "stylesheet", href, onload: resolve, onerror: resolve }))));
  await Promise.all(loads);
}

let said = 0;

/** Has a screen reader say it, without showing it. */
export function say(text) {
  const live = document.getElementById("live");
  if (!live || !text) return;
  // The same words twice would not be said again.
  live.textContent = text + (said++ % 2 ? "\u00a0" : "");
}

let ids = 0;

/** An id that is not yet in the page. */
export function fresh(prefix) {
  ids += 1;
  return `${prefix}-${ids}`;
}

/** Remembers something on this device, where that is allowed. */
export const memory = {
  get(key) {
    try {
      return localStorage.getItem(`tronie.${key}`);
    } catch {
      return null;
    }
  },
  set(key, value) {
    try {
      if (value === null) localStorage.removeItem(`tronie.${key}`);
      else localStorage.setItem(`tronie.${key}`, value);
    } catch {
      // Then it is forgotten.
    }
  },
};
