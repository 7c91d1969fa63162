/** The start: drop, pick, paste or take a photo. */
import { app, refresh, send } from "/page/app.js";
import { h, refill } from "/page/dom.js";
import { span, t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";
import { stateText } from "/page/parts/tray.js";
import { address, go } from "/page/router.js";

/** @param {HTMLElement} main @param {unknown} _route @param {AbortSignal} signal */
export function start(main, _route, signal) {
  document.title = "tronie";
  const input = h("input.unseen", { type: "file", id: "files", multiple: true, accept: "image/*,video/*", tabindex: "-1", "aria-hidden": "true",
    onchange: () => { begin([...input.files]); input.value = ""; } });
  const privacy = h("p.privacy", { id: "privacy" });
  const recent = h("section.recent", { "aria-labelledby": "recent-title", hidden: true });
  const drop = h("div.drop", { id: "drop" },
    h("div.drop-art", { "aria-hidden": "true" }, icon("upload", 34)),
    h("h1", {}, t("Turn faces into heads in 3D")),
    h("p.lead", {}, t("Drop photos or clips anywhere here, or paste a picture.")),
    h("div.drop-actions", {},
      h("button.button.primary.large", { type: "button", id: "choose", onclick: () => input.click() }, t("Choose files")),
      h("button.button.large", { type: "button", id: "webcam-open", onclick: webcam }, icon("camera"), t("Use the camera"))),
    input);
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
    draw(recent, app.jobs?.slice(0, 6) ?? []);
  };
  app.watch(update, signal);
  update();
  if (app.jobs) refresh().catch(() => {});
  listen(drop, signal);
}

function draw(recent, jobs) {
  recent.hidden = !jobs.length;
  const now = jobs.map((job) => job.id + job.state + job.place).join();
  if (recent.dataset.drawn === now) return;
  recent.dataset.drawn = now;
  refill(recent,
    h("div.recent-head", {}, h("h2", { id: "recent-title" }, t("Recent")), h("a", { href: address("jobs") }, t("All results"))),
    h("ul.strip", {}, ...jobs.map((job) => h("li", {},
      h("a", { href: address("job", job.id) },
        h("img", { src: app.pictures.get(job.id) ?? job.uploads[0]?.preview ?? "", alt: "", loading: "lazy", onerror: (event) => { event.target.style.visibility = "hidden"; } }),
        h("b", {}, job.uploads[0]?.name ?? ""), h("span", {}, stateText(job)))))));
}

/** Sends them, and shows what becomes of it. @param {File[]} files */
export function begin(files) {
  if (!files.length) return;
  const sending = send(files);
  go(sending.length === 1 ? address("job", sending[0].key) : address("jobs"));
}

async function webcam() {
  const { webcam: open } = await import("/page/parts/webcam.js");
  open((file) => begin([file]));
}

async function settings() {
  const { settings: open } = await import("/page/parts/settings.js");
  open();
}

/** Files may be dropped anywhere in the window, and pasted. */
function listen(drop, signal) {
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const on = (name, act) => document.addEventListener(name, act, { signal });
  const light = (yes) => drop.classList.toggle("over", yes);
  on("dragenter", (event) => { if (carries(event)) { depth += 1; light(true); event.preventDefault(); } });
  on("dragover", (event) => { if (carries(event)) { event.preventDefault(); event.dataTransfer.dropEffect = "copy"; } });
  on("dragleave", (event) => { if (carries(event)) { depth = Math.max(0, depth - 1); light(depth > 0); } });
  on("drop", (event) => { if (!carries(event)) return; event.preventDefault(); depth = 0; light(false); begin([...event.dataTransfer.files]); });
  on("paste", (event) => { const files = [...(event.clipboardData?.files ?? [])]; if (files.length) { event.preventDefault(); begin(files.map(named)); } });
}

/** Pasted pictures are all called image.png. */
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  return new File([file], `${t("pasted")}-${new Date().toISOString().slice(11, 19).replaceAll(":", "")}.png`, { type: file.type });
}
