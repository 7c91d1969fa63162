/** The strip at the top: the server is gone, or not yet ready. */
import { app } from "/page/app.js";
import { h, refill } from "/page/dom.js";
import { t } from "/page/i18n.js";

/** @param {HTMLElement} element */
export function banner(element) {
  let shown = null;
  const update = () => {
    const now = !app.online ? "lost" : app.info && !app.info.ready ? "warming" : null;
    if (now === shown) return;
    shown = now;
    element.dataset.state = now ?? "";
    const words = {
      lost: t("The server does not answer. This page goes on by itself as soon as it does."),
      warming: t("The server is getting ready. You can begin already: what you send waits its turn."),
    };
    refill(element, now && h("p", {}, h("span.dot"), words[now]));
  };
  app.addEventListener("change", update);
  update();
}
