/** The server wants a token. */
import * as api from "/page/api.js";
import { app } from "/page/app.js";
import { h } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";

/** @param {HTMLElement} main */
export function signin(main) {
  document.title = `${t("Sign in")} - tronie`;
  const input = h("input.text", { type: "password", id: "token", autocomplete: "current-password", required: true, "aria-describedby": "signin-words signin-error" });
  const error = h("p.refused-line", { id: "signin-error", role: "alert" });
  const button = h("button.button.primary", { type: "submit", id: "sign-in" }, t("Sign in"));
  const form = h("form.card.signin", { onsubmit: async (event) => {
    event.preventDefault();
    button.disabled = true;
    error.textContent = "";
    try {
      await api.enter(input.value.trim());
      app.dispatchEvent(new Event("welcome"));
    } catch (problem) {
      error.textContent = problem.status === 401 || problem.status === 403 ? t("This token is not known here.") : problem.message || t("The server does not answer.");
      button.disabled = false;
      input.select();
    }
  } },
    icon("lock", 30), h("h1", {}, t("Sign in")),
    h("p.faint", { id: "signin-words" }, t("This server asks for a token. Whoever runs it can give you one.")),
    h("label", { for: "token" }, t("Token")), input, error, button);
  main.append(h("div.center", {}, form));
  input.focus();
}
