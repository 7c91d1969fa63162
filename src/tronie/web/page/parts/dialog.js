/** Dialogs: <dialog> keeps the focus inside and gives it back. */
import { fresh, h } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";

/**
 * Opens a dialog that goes when it is closed.
 * @param {string} title
 * @param {(Node | string)[]} body
 * @param {{id: string, actions?: Node[], closed?: (value: string) => void, kind?: string}} options
 */
export function open(title, body, { id, actions = [], closed, kind = "" }) {
  const head = fresh("title");
  const dialog = h(`dialog.dialog${kind ? `.${kind}` : ""}`, { id, "aria-labelledby": head },
    h("div.dialog-head", {},
      h("h2", { id: head }, title),
      h("button.tool.bare", { type: "button", class: "tool bare close", "aria-label": t("Close"), onclick: () => dialog.close() }, icon("close"))),
    h("div.dialog-body", {}, ...body),
    actions.length ? h("div.dialog-foot", {}, ...actions) : null);
  dialog.addEventListener("close", () => {
    closed?.(dialog.returnValue);
    dialog.remove();
  });
  dialog.addEventListener("pointerdown", (event) => {
    if (event.target === dialog) dialog.close();
  });
  document.body.append(dialog);
  dialog.showModal();
  return dialog;
}

/** Asks before something that cannot be undone. @returns {Promise<boolean>} */
export function confirm(title, text, yes) {
  return new Promise((resolve) => {
    const dialog = open(title, [h("p", {}, text)], {
      id: "confirm",
      kind: "small",
      actions: [
        h("button.button", { type: "button", id: "confirm-no", autofocus: true, onclick: () => dialog.close("no") }, t("Cancel")),
        h("button.button.danger", { type: "button", id: "confirm-yes", onclick: () => dialog.close("yes") }, yes),
      ],
      closed: (value) => resolve(value === "yes"),
    });
  });
}
