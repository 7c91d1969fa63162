/** Files come in: dropped anywhere in the window, pasted, picked, taken. */
import { app, send } from "/page/app.js";
import { t } from "/page/i18n.js";
import { address, go } from "/page/router.js";

/** Sends them, and shows what becomes of it. @param {File[]} files */
export function begin(files) {
  if (!files.length) return;
  const sending = send(files);
  go(sending.length === 1 ? address("job", sending[0].key) : address("jobs"));
}

/** Listens for as long as the page is there: a file that is dropped beside would replace the page. */
export function receive() {
  let depth = 0;
  const carries = (event) => event.dataTransfer?.types.includes("Files");
  const on = (name, act) => document.addEventListener(name, act);
  const light = (yes) => document.body.classList.toggle("dropping", yes);
  on("dragenter", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth += 1;
    light(!app.stranger);
  });
  on("dragover", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = app.stranger ? "none" : "copy";
  });
  on("dragleave", (event) => {
    if (!carries(event)) return;
    depth = Math.max(0, depth - 1);
    if (!depth) light(false);
  });
  on("drop", (event) => {
    if (!carries(event)) return;
    event.preventDefault();
    depth = 0;
    light(false);
    if (!app.stranger) begin([...event.dataTransfer.files]);
  });
  on("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length || app.stranger) return;
    event.preventDefault();
    begin(files.map(named));
  });
}

/** Pasted pictures are all called image.png. */
function named(file) {
  if (file.name && file.name !== "image.png") return file;
  const time = new Date().toTimeString().slice(0, 8).replaceAll(":", "");
  return new File([file], `${t("pasted")}-${time}.png`, { type: file.type });
}
