/** Tabs: one is shown, arrow keys move between them. */
import { h } from "/page/dom.js";

/**
 * @param {{id: string, text: string, pane: HTMLElement}[]} all
 * @param {string} first id of the one that is shown
 * @param {(id: string) => void} chosen
 */
export function tabs(all, first, chosen) {
  const buttons = all.map(({ id, text, pane }) => {
    pane.id = `pane-${id}`;
    pane.setAttribute("role", "tabpanel");
    pane.setAttribute("aria-labelledby", `tab-${id}`);
    return h("button.tab", { type: "button", role: "tab", id: `tab-${id}`, "aria-controls": pane.id, onclick: () => select(id) }, text);
  });
  const select = (id, told = true) => {
    all.forEach((tab, at) => {
      const yes = tab.id === id;
      tab.pane.hidden = !yes;
      buttons[at].setAttribute("aria-selected", String(yes));
      buttons[at].setAttribute("tabindex", yes ? "0" : "-1");
    });
    if (told) chosen(id);
  };
  const list = h("div.tabs", { role: "tablist", onkeydown: (event) => {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const to = (buttons.indexOf(document.activeElement) + by + all.length) % all.length;
    buttons[to].focus();
    select(all[to].id);
  } }, ...buttons);
  select(all.some((tab) => tab.id === first) ? first : all[0].id, false);
  return { element: h("div.tabbed", {}, list, ...all.map((tab) => tab.pane)), select };
}
