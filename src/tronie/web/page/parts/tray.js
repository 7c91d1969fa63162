/** The tray at the foot: work that goes on while something else is looked at. */
import * as api from "/page/api.js";
import { app, drop, ended } from "/page/app.js";
import { h, memory, refill } from "/page/dom.js";
import { count, percent, t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";
import { address, parse } from "/page/router.js";

/** @param {HTMLElement} element */
export function tray(element) {
  /** Jobs that ran while this page was open, and that have not been looked at since. */
  const fresh = new Set();
  // On a phone it would hide what is looked at.
  let open = memory.get("tray") !== "closed" && matchMedia("(min-width: 761px)").matches;
  let drawn = "";
  const update = () => {
    const route = parse(location.hash);
    for (const job of app.jobs ?? []) if (!ended(job)) fresh.add(job.id);
    if (route.name === "job") fresh.delete(route.id);
    // The list of results shows all of it anyway, and the start what is finished.
    const idle = route.name === "jobs" || app.stranger;
    const jobs = idle ? [] : (app.jobs ?? []).filter((job) => fresh.has(job.id) && job.id !== route.id && !(route.name === "start" && ended(job)));
    const sending = idle ? [] : app.sending.filter((one) => route.id !== one.key);
    const now = JSON.stringify([open, document.documentElement.lang, jobs.map((j) => [j.id, j.state, j.place]),
      sending.map((s) => [s.key, s.share.toFixed(2), s.error])]);
    if (now === drawn) return;
    drawn = now;
    element.hidden = !jobs.length && !sending.length;
    if (element.hidden) return void element.replaceChildren();
    const busy = sending.filter((one) => one.error === null).length + jobs.filter((job) => !ended(job)).length;
    const focused = element.contains(document.activeElement) ? document.activeElement?.dataset.key : null;
    refill(element,
      h("section.tray", { "aria-label": t("In work") },
        h("button.tray-head", { type: "button", "data-key": "head", "aria-expanded": String(open),
          onclick: () => { open = !open; memory.set("tray", open ? null : "closed"); update(); } },
          busy ? h("span.spin") : icon(sending.length ? "warn" : "check"),
          h("span", {}, busy ? count(busy, "1 in work", "{n} in work") : sending.length ? t("Failed") : t("All done")),
          h("span.chevron", {}, icon("right", 18))),
        open && h("ul", {}, ...sending.map(sendingRow), ...jobs.map((job) => jobRow(job, fresh, update)))));
    if (focused) element.querySelector(`[data-key="${focused}"]`)?.focus();
  };
  app.addEventListener("change", update);
  addEventListener("hashchange", update);
  update();
}

function sendingRow(one) {
  const words = one.error === null ? t("Sending: {share}", { share: percent(one.share) }) : one.error || t("It could not be sent.");
  return h("li", {},
    thumb(one.picture),
    h("div.tray-text", {}, h("b", {}, one.file.name), h("span", {}, words),
      one.error === null && h("progress", { max: 1, value: one.share, "aria-label": t("Sending") })),
    h("button.tool.bare", { type: "button", "data-key": `drop-${one.key}`, "aria-label": t("Give up {name}", { name: one.file.name }), onclick: () => drop(one) }, icon("close", 18)));
}

function jobRow(job, fresh, update) {
  const name = job.uploads[0]?.name ?? "";
  return h("li", {},
    thumb(app.picture(job)),
    h("a.tray-text", { href: address("job", job.id), "data-key": `open-${job.id}` }, h("b", {}, name), h("span", {}, stateText(job)),
      job.state === "running" && h("progress", { "aria-label": name })),
    ended(job)
      ? h("button.tool.bare", { type: "button", "data-key": `away-${job.id}`, "aria-label": t("Take {name} away from here", { name }), onclick: () => { fresh.delete(job.id); update(); } }, icon("close", 18))
      : h("button.tool.bare", { type: "button", "data-key": `stop-${job.id}`, "aria-label": t("Cancel {name}", { name }), onclick: () => api.cancel(job.id).then(() => api.get(job.id)).then((now) => app.learn(now)).catch(() => {}) }, icon("close", 18)));
}

const thumb = (src) => (src ? h("img.thumb", { src, alt: "", width: 40, height: 40, onerror: (event) => event.target.remove() }) : h("span.thumb"));

/** Where a job stands, in a few words. */
export function stateText(job) {
  if (job.state === "queued") return job.place ? count(job.place, "Waits: 1 comes before it", "Waits: {n} come before it") : t("Is next");
  if (job.state === "running") return t("In work");
  if (job.state === "failed") return t("Failed");
  if (job.state === "cancelled") return t("Cancelled");
  const faces = (job.photos ?? []).reduce((sum, photo) => sum + photo.faces.length, 0);
  const clip = job.uploads.every((upload) => upload.kind === "clip");
  if (!faces) return t("No face");
  return clip ? count(faces, "1 person", "{n} people") : count(faces, "1 face", "{n} faces");
}
