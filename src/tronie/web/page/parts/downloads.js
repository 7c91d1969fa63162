/** What can be taken home. */
import * as api from "/page/api.js";
import { app } from "/page/app.js";
import { h, refill, say } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { anew, files, there } from "/page/parts/anew.js";
import { icon } from "/page/parts/icons.js";

/** @param {any} record @param {any} photo @param {any} face @param {boolean} clip */
export function downloads(record, photo, face, clip) {
  const which = { upload: photo.upload, face: face.index };
  const file = (name, text, kind) => face.files[name] && link(api.download(face.files[name]), text, kind, name);
  const first = [
    file("head.glb", t("Head"), "GLB"),
    face.files["head.obj"] && link(api.archive(record.id, "obj", which), t("Head with texture"), "OBJ, ZIP", "obj"),
    later(record, photo, face, "usd", "head.usdz", t("Head for AR"), "USDZ"),
    later(record, photo, face, "html", "head.html", t("Page to send"), "HTML"),
    file("frontal.png", t("Portrait"), "PNG"),
    file("frontal_neutral.png", t("Portrait, at rest"), "PNG"),
    ...(clip
      ? [file("livelink.csv", t("Motion"), "CSV"), file("head.bvh", t("Motion of the skeleton"), "BVH"), file("frontal.mp4", t("Film from the front"), "MP4"),
          photo.files["overlay.mp4"] && link(api.download(photo.files["overlay.mp4"]), t("Film over the clip"), "MP4", "overlay.mp4")]
      : []),
    link(api.archive(record.id, "everything"), t("Everything"), "ZIP", "everything"),
  ].filter(Boolean);
  // Beside the head it is open; on a narrow window it would push the head away.
  const folded = h("details.fold", { id: "downloads-fold", open: matchMedia("(min-width: 1061px)").matches },
    h("summary", {}, h("h2.small-title", {}, t("Download"))),
    h("ul.downloads", { id: "downloads" }, ...first.map((one) => h("li", {}, one))));
  return folded;
}

/** What takes time and is seldom wanted is made when it is asked for. */
function later(record, photo, face, output, name, text, kind) {
  if (face.error || (!face.files[name] && !app.info?.outputs.some((one) => one.name === output && one.available !== false))) return null;
  const place = h("span.later");
  const show = (url) => refill(place, link(api.download(url), text, kind, name));
  const found = () => face.files[name] ?? files(there(record, output), photo.upload, face.index)[name];
  const offer = () => refill(place, h("button", { type: "button", "data-download": name, onclick: make }, icon("down", 18), h("span", {}, text), h("small", {}, kind)));
  const make = async () => {
    const bar = h("progress", { max: 1, "aria-label": text });
    refill(place, h("span.row", {}, h("span.spin"), h("span", {}, text), bar));
    try {
      await anew(record, output, {}, (share) => { if (share !== null) bar.value = share; });
      const url = found();
      if (!url) throw new Error(t("It could not be done"));
      show(url);
      say(t("{name} is ready.", { name: text }));
      place.querySelector("a").click();
    } catch (error) {
      offer();
      place.append(h("small.refused-line", { role: "alert" }, error.message || t("It could not be done")));
    }
  };
  if (found()) show(found());
  else offer();
  return place;
}

const link = (href, text, kind, name) =>
  h("a", { href, download: "", "data-download": name }, icon("down", 18), h("span", {}, text), h("small", {}, kind));
