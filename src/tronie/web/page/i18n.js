/** What the page says, in the user's language. English is the key; what is missing elsewhere stays English. */
import { memory } from "/page/dom.js";

export const LANGUAGES = { en: "English", ko: "한국어" };

let table = {};

/** "en" or "ko". */
export const language = () => document.documentElement.lang;

/** Loads the words of the language that the document has. */
export async function load() {
  table = language() === "ko" ? (await import("/page/korean.js")).KOREAN : {};
}

/** @param {string} name */
export async function speak(name) {
  document.documentElement.lang = name;
  memory.set("language", name);
  await load();
}

/** The text in the user's language, with {names} filled in. @param {string} text @param {Record<string, any>} values */
export function t(text, values = {}) {
  return (table[text] ?? text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** @param {number} n @param {string} one @param {string} many */
export const count = (n, one, many) => t(n === 1 ? one : many, { n });

export const number = (value, digits = 0) =>
  new Intl.NumberFormat(language(), { maximumFractionDigits: digits }).format(value);

/** 0.919 -> 92 % */
export const percent = (share) => new Intl.NumberFormat(language(), { style: "percent" }).format(share);

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1e3) return `${bytes} B`;
  const [unit, by] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${number(bytes / by, bytes / by < 10 ? 1 : 0)} ${unit}`;
}

/** The largest unit that fits, and how many of it. @param {number} seconds */
export function largest(seconds) {
  const most = Math.abs(seconds);
  if (most < 90) return ["second", seconds];
  if (most < 90 * 60) return ["minute", seconds / 60];
  if (most < 36 * 3600) return ["hour", seconds / 3600];
  return ["day", seconds / 86400];
}

/** "2 hours": a length of time in words. @param {number} seconds */
export function span(seconds) {
  const [unit, n] = largest(seconds);
  const digits = unit === "second" && n < 10 ? 1 : 0;
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long", maximumFractionDigits: digits })
    .format(n);
}

/** "3 minutes ago", "in 2 hours". @param {string} iso */
export function ago(iso, now = Date.now()) {
  const seconds = (Date.parse(iso) - now) / 1000;
  if (Math.abs(seconds) < 10) return t("just now");
  const [unit, n] = largest(seconds);
  return new Intl.RelativeTimeFormat(language(), { numeric: "always" }).format(Math.round(n), unit);
}

/** What a stage does, in words. @param {string} name */
export function stageText(name) {
  const known = {
    read: t("Reading the photo"),
    load: t("Loading the models"),
    damage: t("Finding damage"),
    tone: t("Taking fading back"),
    grain: t("Lightening the grain"),
    colour: t("Inventing colours"),
    detect: t("Finding faces"),
    landmarks: t("Finding eyes, nose and mouth"),
    camera: t("Guessing the camera"),
    enhance: t("Enhancing small faces"),
    fit: t("Fitting the head"),
    segment: t("Telling hair from skin"),
    texture: t("Painting the texture"),
    hair: t("Building the hair"),
    light: t("Taking the light out"),
    frontal: t("Making the portrait"),
    follow: t("Following the faces"),
    solve: t("Finding out who is who"),
    heads: t("Making the heads"),
    head: t("Making the heads"),
    talking: t("Drawing the head from the front"),
    overlay: t("Drawing the heads over the clip"),
    files: t("Writing the files"),
  };
  return known[name] ?? name;
}
