/** The start: drop, pick, paste or take a photo. */
import { app, refresh } from "/page/app.js";
import { h, memory, refill } from "/page/dom.js";
import { span, t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";
import { choices } from "/page/parts/portrait.js";
import { begin } from "/page/parts/receive.js";
import { stateText } from "/page/parts/tray.js";
import { address } from "/page/router.js";

/** @param {HTMLElement} main @param {unknown} _route @param {AbortSignal} signal */
export function start(main, _route, signal) {
  document.title = "tronie";
  const input = h("input.unseen", { type: "file", id: "files", multiple: true, accept: "image/*,video/*", tabindex: "-1", "aria-hidden": "true",
    onchange: () => { begin([...input.files]); input.value = ""; } });
  const privacy = h("p.privacy", { id: "privacy" });
  const recent = h("section.recent", { "aria-labelledby": "recent-title", hidden: !memory.get("recent") });
  const drop = h("div.drop", { id: "drop" },
    h("div.drop-art", { "aria-hidden": "true" }, icon("upload", 34)),
    h("h1", {}, t("Turn faces into heads in 3D")),
    h("p.lead", {}, t("Drop photos or clips anywhere here, or paste a picture.")),
    h("div.drop-actions", {},
      h("button.button.primary.large", { type: "button", id: "choose", onclick: () => input.click() }, t("Choose files")),
      h("button.button.large", { type: "button", id: "webcam-open", onclick: webcam }, icon("camera"), t("Use the camera"))),
    what(), input);
  main.append(
    h("div.start", {}, drop,
      h("div.start-foot", {}, privacy,
        h("button.tool", { type: "button", id: "settings-open", onclick: settings }, icon("sliders"), h("span", {}, t("Settings"))))),
    recent);

  const update = () => {
    if (app.info) {
      refill(privacy, icon("lock", 18), h("span", {},
        t("Your photos stay on this server and are deleted {span} after they are done, or at once when you delete them.", { span: span(app.info.retention_seconds) })));
    }
    if (app.jobs) draw(recent, app.jobs.slice(0, 6));
  };
  app.watch(update, signal);
  update();
  if (app.jobs) refresh().catch(() => {});
}

/** What is made of the next photos: heads, or old photos restored, on request in colours. */
function what() {
  const now = app.settings.job === "restore" ? (app.settings.restore?.colour ? "colour" : "restore") : "heads";
  return choices("job", t("What to make"), [["heads", t("Heads")], ["restore", t("Old photo restored")], ["colour", t("And in invented colours")]], now, (chosen) => {
    const { job: _job, restore: { colour: _colour, ...restore } = {}, ...rest } = app.settings;
    const colour = chosen === "colour" ? { colour: true } : {};
    app.choose(chosen === "heads" ? rest : { ...rest, job: "restore", restore: { ...restore, ...colour } });
  });
}

function draw(recent, jobs) {
  // Next time its place is kept free from the beginning, so that nothing moves.
  memory.set("recent", jobs.length ? "yes" : null);
  recent.hidden = !jobs.length;
  const now = jobs.map((job) => job.id + job.state + job.place).join();
  if (recent.dataset.drawn === now) return;
  recent.dataset.drawn = now;
  refill(recent,
    h("div.recent-head", {}, h("h2", { id: "recent-title" }, t("Recent")), h("a", { href: address("jobs") }, t("All results"))),
    h("ul.strip", {}, ...jobs.map((job) => h("li", {},
      h("a", { href: address("job", job.id) },
        h("img", { src: app.picture(job), alt: "", loading: "lazy", onerror: (event) => { event.target.style.visibility = "hidden"; } }),
        h("b", {}, job.uploads[0]?.name ?? ""), h("span", {}, stateText(job)))))));
}

async function webcam() {
  const { webcam: open } = await import("/page/parts/webcam.js");
  open((file) => begin([file]));
}

async function settings() {
  const { settings: open } = await import("/page/parts/settings.js");
  open();
}
