/** What came of an old photo: before and after, what was done, the files. */
import * as api from "/page/api.js";
import { app } from "/page/app.js";
import { h, refill, say, styled } from "/page/dom.js";
import { span, t } from "/page/i18n.js";
import { Compare } from "/page/parts/compare.js";
import { icon } from "/page/parts/icons.js";
import { choices } from "/page/parts/portrait.js";
import { address } from "/page/router.js";
import { away } from "/page/views/job.js";

/** @param {HTMLElement} main @param {any} record @param {import("/page/router.js").Route} route */
export function restored(main, record, route) {
  const good = record.photos.filter((photo) => photo.files["restored.png"]);
  const shown = good.find((photo) => photo.upload === Number(route.query.get("upload"))) ?? good[0];
  const upload = record.uploads[shown.upload];
  const compare = new Compare();
  const show = (name) => {
    compare.after.src = shown.files[name];
    compare.after.alt = name === "coloured.png" ? t("The photo in invented colours") : t("The photo restored");
  };
  compare.before.src = app.picture(record, shown.upload);
  styled(compare.before, { width: "100%", height: "100%" });
  compare.after.addEventListener("load", () => styled(compare.frame, { "--ratio": compare.after.naturalWidth / (compare.after.naturalHeight || 1) }));
  const colours = shown.files["coloured.png"];
  show(colours ? "coloured.png" : "restored.png");
  compare.split();
  const file = (name, text, kind) => shown.files[name] &&
    h("li", {}, h("a", { href: api.download(shown.files[name]), download: "", "data-download": name }, icon("down", 18), h("span", {}, text), h("small", {}, kind)));
  const failed = record.photos.filter((photo) => photo.reason);
  refill(main, h("div.result.restored", {},
    h("header.result-head", {},
      h("div", {}, h("h1", {}, upload.name), h("p.faint", {}, shown.seconds ? t("made in {span}", { span: span(shown.seconds) }) : "")),
      h("div.actions", {},
        record.uploads.length > 1 && h("select", { id: "upload", "aria-label": t("Photo"), onchange: (event) => { location.hash = address("job", record.id, { upload: event.target.value }); } },
          ...good.map((photo) => h("option", { value: photo.upload, selected: photo === shown }, record.uploads[photo.upload].name))),
        h("button.button.ghost", { type: "button", id: "delete", onclick: () => away(record) }, icon("trash", 18), t("Delete")))),
    h("div.result-side", {},
      colours && choices("colours", t("Colours"), [["coloured.png", t("Invented")], ["restored.png", t("None")]], "coloured.png", show),
      h("div.facts", { id: "facts" },
        colours && h("p.warning", {}, icon("warn", 18), h("span", {}, t("The colours are invented."))),
        ...(shown.notes ?? []).map((text) => h("p.faint", { lang: "en" }, text)),
        ...failed.map((photo) => h("p.warning", { lang: "en" }, icon("warn", 18), h("span", {}, `${record.uploads[photo.upload].name}: ${photo.reason}`)))),
      h("div.files", { id: "files-of-face" },
        h("h2.small-title", {}, t("Download")),
        h("ul.downloads", { id: "downloads" },
          file("restored.png", t("The photo restored"), "PNG"),
          file("coloured.png", t("The photo in invented colours"), "PNG"),
          file("changes.png", t("Where it was changed"), "PNG"),
          file("sheet.jpg", t("Before and after"), "JPG"),
          h("li", {}, h("a", { href: api.archive(record.id, "everything"), download: "", "data-download": "everything" }, icon("down", 18), h("span", {}, t("Everything")), h("small", {}, "ZIP")))))),
    h("div.result-main", {}, h("div.portrait-stage", {}, h("div.compare-box", {}, compare.frame), compare.range))));
  say(t("Done."));
}
