/** Past jobs: open, delete one or several. */
import * as api from "/page/api.js";
import { app, drop, ended, further, refresh } from "/page/app.js";
import { h, refill, say } from "/page/dom.js";
import { ago, count, percent, t } from "/page/i18n.js";
import { confirm } from "/page/parts/dialog.js";
import { icon } from "/page/parts/icons.js";
import { stateText } from "/page/parts/tray.js";
import { address } from "/page/router.js";

/** @param {HTMLElement} main @param {unknown} _route @param {AbortSignal} signal */
export function gallery(main, _route, signal) {
  document.title = `${t("Results")} - tronie`;
  const chosen = new Set();
  const cards = h("ul.cards", { id: "jobs" });
  const bar = h("div.chosen", { hidden: true, role: "region", "aria-label": t("Chosen results") });
  const more = h("button.button", { type: "button", id: "more", hidden: true, onclick: older }, t("Older ones"));
  main.append(h("div.gallery", {}, h("header.result-head", {}, h("h1", {}, t("Results")), bar), cards, h("div.middle", {}, more)));

  async function older() {
    more.disabled = true;
    await further().catch(() => {});
    more.disabled = false;
  }

  let drawn = null;
  const update = () => {
    if (app.jobs === null) return;
    more.hidden = !app.older;
    const now = JSON.stringify([app.sending.map((one) => [one.key, one.error, one.share.toFixed(1)]), app.jobs.map((job) => [job.id, job.state, job.place])]);
    if (now === drawn) return;
    drawn = now;
    const focused = cards.contains(document.activeElement) ? document.activeElement.dataset.key : null;
    for (const id of [...chosen]) if (!app.jobs.some((job) => job.id === id)) chosen.delete(id);
    refill(cards, ...app.sending.map(sendingCard), ...app.jobs.map((job) => card(job, chosen, choose)));
    cards.hidden = !cards.children.length;
    main.querySelector(".empty")?.remove();
    if (cards.hidden) main.querySelector(".gallery").append(empty());
    if (focused) cards.querySelector(`[data-key="${focused}"]`)?.focus();
    choose();
  };

  function choose() {
    bar.hidden = !chosen.size;
    refill(bar, h("span", { "aria-live": "polite" }, count(chosen.size, "1 chosen", "{n} chosen")),
      h("button.button", { type: "button", id: "choose-none", onclick: () => { chosen.clear(); cards.querySelectorAll("input").forEach((input) => { input.checked = false; }); choose(); } }, t("None")),
      h("button.button.danger", { type: "button", id: "delete-chosen", onclick: erase }, icon("trash", 18), t("Delete")));
  }

  async function erase() {
    const ids = [...chosen];
    const yes = await confirm(count(ids.length, "Delete 1 result?", "Delete {n} results?"), t("The photos and all that was made of them go from the server at once. This cannot be undone."), t("Delete"));
    if (!yes) return;
    for (const id of ids) {
      try {
        await api.remove(id);
      } catch (error) {
        if (error.status !== 404) continue;
      }
      chosen.delete(id);
      app.forget(id);
    }
    say(t("Deleted."));
    main.querySelector("h1")?.focus();
  }

  app.watch(update, signal);
  update();
  refresh().catch(() => {});
}

function card(job, chosen, choose) {
  const upload = job.uploads[0];
  const name = job.uploads.length > 1 ? t("{name} and {n} more", { name: upload.name, n: job.uploads.length - 1 }) : upload?.name ?? "";
  const picture = app.picture(job);
  return h("li.job-card", { "data-state": job.state, "data-job": job.id },
    h("a", { href: address("job", job.id), "data-key": `open-${job.id}` },
      h("div.picture", {}, picture && h("img", { src: picture, alt: "", loading: "lazy", onerror: (event) => event.target.remove() }),
        upload?.kind === "clip" && h("span.badge", {}, icon("clip", 16), h("span.unseen", {}, t("Clip"))),
        !ended(job) && h("span.badge.live", {}, h("span.spin"))),
      h("b", {}, name),
      h("span.state", {}, stateText(job), " · ", ago(job.created)),
      job.expires && h("span.faint", {}, t("will be deleted {when}", { when: ago(job.expires) }))),
    h("label.pick", {}, h("input", { type: "checkbox", "data-key": `pick-${job.id}`, checked: chosen.has(job.id), "aria-label": t("Choose {name}", { name }),
      onchange: (event) => { if (event.target.checked) chosen.add(job.id); else chosen.delete(job.id); choose(); } })));
}

function sendingCard(one) {
  return h("li.job-card", { "data-state": one.error === null ? "sending" : "failed" },
    h("div.inner", {},
      h("div.picture", {}, one.picture ? h("img", { src: one.picture, alt: "" }) : icon("clip", 32), one.error === null && h("span.badge.live", {}, h("span.spin"))),
      h("b", {}, one.file.name),
      h("span.state", { role: one.error ? "alert" : null }, one.error === null ? t("Sending: {share}", { share: percent(one.share) }) : one.error || t("It could not be sent."))),
    h("button.tool.bare.drop-card", { type: "button", "aria-label": t("Give up {name}", { name: one.file.name }), onclick: () => drop(one) }, icon("close", 18)));
}

function empty() {
  return h("div.empty", {}, icon("face", 44), h("h2", {}, t("Nothing here yet")),
    h("p.faint", {}, t("What you make appears here until it is deleted.")),
    h("div.actions", {}, h("a.button.primary", { href: address("start") }, t("Choose a photo"))));
}
