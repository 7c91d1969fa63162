/** What came of a job: whose face, the head, the portrait, films, files. */
import { app } from "/page/app.js";
import { h, refill, say } from "/page/dom.js";
import { ago, count, percent, span, t } from "/page/i18n.js";
import { downloads } from "/page/parts/downloads.js";
import { HeadPane } from "/page/parts/head.js";
import { icon } from "/page/parts/icons.js";
import { Photo } from "/page/parts/photo.js";
import { PortraitPane } from "/page/parts/portrait.js";
import { tabs } from "/page/parts/tabs.js";
import { address, quietly } from "/page/router.js";
import { away } from "/page/views/job.js";

/** @param {HTMLElement} main @param {any} record @param {import("/page/router.js").Route} route @param {AbortSignal} signal */
export async function result(main, record, route, signal) {
  const shown = record.photos.find((photo) => photo.upload === Number(route.query.get("upload"))) ?? record.photos.find((photo) => photo.faces.length);
  const upload = record.uploads[shown.upload];
  const clip = upload.kind === "clip";
  const good = shown.faces.filter((face) => !face.error && Object.keys(face.files).length);
  let face = shown.faces.find((one) => one.index === Number(route.query.get("face"))) ?? good[0] ?? shown.faces[0];
  let tab = route.query.get("show") ?? "head";

  const picker = clip ? new People(shown.faces, choose) : picked(shown, upload, record, choose);
  const name = h("h2.face-name", { id: "face-name", "aria-live": "polite" });
  const step = (by) => {
    const at = shown.faces.indexOf(face);
    choose(shown.faces[(at + by + shown.faces.length) % shown.faces.length].index);
  };
  const facts = h("div.facts", { id: "facts" });
  const files = h("div.files", { id: "files-of-face" });
  const head = new HeadPane(upload.name.replace(/\.[^.]*$/, "") || "head", signal);
  const portrait = new PortraitPane(record, shown, upload, signal);
  const films = h("div.films", { id: "films" });
  const bar = tabs([
    { id: "head", text: t("Head"), pane: head.element },
    { id: "portrait", text: t("Portrait"), pane: portrait.element },
    ...(clip ? [{ id: "films", text: t("Films"), pane: films }] : []),
  ], tab, (now) => {
    tab = now;
    settle();
    display();
  });

  refill(main, h("div.result", {},
    h("header.result-head", {},
      h("div", {}, h("h1", {}, upload.name), h("p.faint", {}, meta(record, shown, clip))),
      h("div.actions", {},
        record.uploads.length > 1 && others(record, shown),
        h("button.button.ghost", { type: "button", id: "delete", onclick: () => away(record) }, icon("trash", 18), t("Delete")))),
    h("div.result-side", {},
      picker.element,
      h("div.face-head", {}, name,
        shown.faces.length > 1 && h("div.steps", {},
          h("button.tool.bare", { type: "button", id: "face-previous", "aria-label": clip ? t("Previous person") : t("Previous face"), onclick: () => step(-1) }, icon("left")),
          h("button.tool.bare", { type: "button", id: "face-next", "aria-label": clip ? t("Next person") : t("Next face"), onclick: () => step(1) }, icon("right")))),
      facts, files),
    h("div.result-main", {}, bar.element)));

  function settle() {
    quietly(address("job", record.id, {
      ...(record.photos.length > 1 ? { upload: shown.upload } : {}),
      ...(shown.faces.length > 1 ? { face: face.index } : {}),
      ...(tab !== "head" ? { show: tab } : {}),
    }));
  }
  function display() {
    if (tab === "head") head.show(face);
    else head.rest();
    if (tab === "portrait") portrait.show(face);
    if (tab === "films") drawFilms(films, shown, face);
  }
  function choose(index) {
    face = shown.faces.find((one) => one.index === index) ?? face;
    picker.choose(face.index);
    name.textContent = clip ? t("Person {n}", { n: face.index }) : t("Face {n}", { n: face.index });
    refill(facts, ...sure(face, shown));
    refill(files, downloads(record, shown, face, clip));
    settle();
    display();
  }
  choose(face.index);
  say(t("Done."));
}

function meta(record, shown, clip) {
  const n = shown.faces.length;
  return [
    clip ? count(n, "1 person", "{n} people") : count(n, "1 face", "{n} faces"),
    shown.seconds ? t("made in {span}", { span: span(shown.seconds) }) : null,
    record.expires ? t("will be deleted {when}", { when: ago(record.expires) }) : null,
  ].filter(Boolean).join(" · ");
}

function others(record, shown) {
  const select = h("select", { id: "upload", "aria-label": t("Photo"), onchange: () => { location.hash = address("job", record.id, { upload: select.value }); } },
    ...record.photos.map((photo) => h("option", { value: photo.upload, selected: photo === shown }, record.uploads[photo.upload].name)));
  return select;
}

function picked(shown, upload, record, pick) {
  const photo = new Photo({ alt: t("The photo {name}", { name: upload.name }), pick });
  photo.show(app.picture(record, shown.upload), shown.width || upload.width, shown.height || upload.height);
  photo.put(shown.faces, shown.width || upload.width, shown.height || upload.height);
  return photo;
}

/** The people of a clip, by their portraits. */
class People {
  constructor(faces, pick) {
    this.buttons = new Map(faces.map((face) => {
      const picture = face.files["frontal_neutral.png"] ?? face.files["frontal.png"];
      return [face.index, h("button.person", { type: "button", role: "radio", "data-face": face.index, "aria-label": t("Person {n}", { n: face.index }), onclick: () => pick(face.index) },
        picture ? h("img", { src: picture, alt: "" }) : icon("face", 28), h("span", { "aria-hidden": "true" }, face.index))];
    }));
    this.element = h("div.people", { role: "radiogroup", "aria-label": t("People in the clip"), id: "faces" }, ...this.buttons.values());
    this.element.addEventListener("keydown", (event) => {
      const by = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
      if (!by) return;
      event.preventDefault();
      const all = [...this.buttons.keys()];
      const at = all.findIndex((index) => this.buttons.get(index) === document.activeElement);
      const to = all[(at + by + all.length) % all.length];
      this.buttons.get(to).focus();
      pick(to);
    });
  }

  choose(index) {
    for (const [other, button] of this.buttons) {
      button.setAttribute("aria-checked", String(other === index));
      button.setAttribute("tabindex", other === index ? "0" : "-1");
    }
  }
}

/** How sure it is, in words. */
function sure(face, shown) {
  if (face.error) return [h("p.warning", { lang: "en" }, icon("warn", 18), h("span", {}, face.error))];
  const lines = face.warnings.map((text) => h("p.warning", { lang: "en" }, icon("warn", 18), h("span", {}, text)));
  const notes = (shown.notes ?? []).map((text) => h("p.faint", { lang: "en" }, text));
  return [
    face.score !== null && face.score !== undefined &&
      h("p.sure", {}, t("That this is a face is {share} certain.", { share: percent(face.score) })),
    ...(lines.length ? lines : [h("p.sure", {}, t("Nothing about it is doubtful."))]),
    ...notes,
  ].filter(Boolean);
}

function drawFilms(films, shown, face) {
  const film = (url, text) => url && h("figure", {},
    h("video", { src: url, controls: true, playsinline: true, preload: "metadata", onerror: (event) => event.target.replaceWith(
      h("p.faint", {}, t("This browser cannot play this film; it can be downloaded."))) }),
    h("figcaption", {}, text));
  refill(films,
    film(shown.files["overlay.mp4"], t("The heads drawn over the clip")),
    film(face.files["frontal.mp4"], t("The head from the front")),
    !shown.files["overlay.mp4"] && !face.files["frontal.mp4"] && h("p.faint", {}, t("No films were made.")));
}
