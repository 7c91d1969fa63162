/** What can be taken home. */
import * as api from "/page/api.js";
import { h } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";

/** @param {any} record @param {any} photo @param {any} face @param {boolean} clip */
export function downloads(record, photo, face, clip) {
  const which = { upload: photo.upload, face: face.index };
  const file = (name, text, kind) => face.files[name] && link(api.download(face.files[name]), text, kind, name);
  const first = [
    file("head.glb", t("Head"), "GLB"),
    face.files["head.obj"] && link(api.archive(record.id, "obj", which), t("Head with texture"), "OBJ, ZIP", "obj"),
    file("head.usdz", t("Head for AR"), "USDZ"),
    file("head.html", t("Page to send"), "HTML"),
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

const link = (href, text, kind, name) =>
  h("a", { href, download: "", "data-download": name }, icon("down", 18), h("span", {}, text), h("small", {}, kind));
