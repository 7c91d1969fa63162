/** A photo with the camera of the device: a look, the shutter, another try. */
import { h, refill } from "/page/dom.js";
import { t } from "/page/i18n.js";
import { open } from "/page/parts/dialog.js";
import { icon } from "/page/parts/icons.js";

/** @param {(file: File) => void} taken */
export async function webcam(taken) {
  const video = h("video.webcam", { autoplay: true, playsinline: true, muted: true, "aria-label": t("What the camera sees") });
  const stage = h("div.webcam-stage", {}, h("p.faint", { role: "status" }, t("Waiting for the camera …")));
  const foot = h("div.actions.middle");
  let stream = null;
  const end = () => stream?.getTracks().forEach((track) => track.stop());
  const dialog = open(t("Take a photo"), [stage, foot], { id: "webcam", closed: end });

  const refuse = (text) => refill(stage, h("p.refused", { role: "alert" }, icon("camera", 28), h("span", {}, text)));
  if (!navigator.mediaDevices?.getUserMedia) {
    return refuse(t("The browser lends its camera only to pages over HTTPS or on this computer itself. A photo file works everywhere."));
  }
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1920 }, height: { ideal: 1080 }, facingMode: "user" }, audio: false });
  } catch (error) {
    const absent = error.name === "NotFoundError" || error.name === "OverconstrainedError";
    return refuse(absent ? t("No camera was found on this device.") : error.name === "NotAllowedError"
      ? t("The camera was not allowed. Allow it for this page in the browser's address bar and try again.")
      : t("The camera cannot be opened; perhaps another program uses it."));
  }
  if (!dialog.open) return end();
  video.srcObject = stream;
  video.muted = true;

  const preview = () => {
    refill(stage, video);
    const shutter = h("button.shutter", { type: "button", id: "shutter", "aria-label": t("Take the photo"), onclick: shoot });
    refill(foot, shutter);
    shutter.focus();
    video.play().catch(() => {});
  };
  const shoot = async () => {
    const canvas = h("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.95));
    const url = URL.createObjectURL(blob);
    refill(stage, h("img.webcam", { src: url, alt: t("The photo that was taken") }));
    const use = h("button.button.primary.large", { type: "button", id: "use-photo", onclick: () => {
      dialog.close();
      taken(new File([blob], `${t("camera")}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.jpg`, { type: "image/jpeg" }));
    } }, t("Use this photo"));
    refill(foot, h("button.button.large", { type: "button", id: "retake", onclick: () => (URL.revokeObjectURL(url), preview()) }, t("Take another")), use);
    use.focus();
  };
  preview();
}
