/** The page: its frame, and which view stands in it. */
import * as api from "/page/api.js";
import { app, look, meet, refresh } from "/page/app.js";
import { h, land, memory, refill, say, sheet } from "/page/dom.js";
import { LANGUAGES, language, load, speak, t } from "/page/i18n.js";
import { banner } from "/page/parts/banner.js";
import { icon } from "/page/parts/icons.js";
import { receive } from "/page/parts/receive.js";
import { tray } from "/page/parts/tray.js";
import { address, parse, quietly } from "/page/router.js";
import { start } from "/page/views/start.js";

/** Views beside the start are loaded when they are asked for. */
const VIEWS = {
  start: async () => start,
  jobs: async () => (await Promise.all([import("/page/views/gallery.js"), sheet("/page/result.css", "/page/gallery.css")]))[0].gallery,
  job: async () => (await Promise.all([import("/page/views/job.js"), sheet(...RESULT)]))[0].job,
};
/** In this order: the last has the rules for narrow windows. */
const RESULT = ["job", "side", "portrait", "result"].map((name) => `/page/${name}.css`);
const THEMES = ["system", "light", "dark"];
const at = (id) => document.getElementById(id);
let leaving = new AbortController();
let first = true;

async function show() {
  leaving.abort();
  leaving = new AbortController();
  const { signal } = leaving;
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  const route = parse(location.hash);
  const main = at("main");
  const view = app.stranger ? (await import("/page/views/signin.js")).signin : await (VIEWS[route.name] ?? VIEWS.start)();
  if (signal.aborted) return;
  app.shown = null;
  main.replaceChildren();
  main.className = `view-${app.stranger ? "signin" : (VIEWS[route.name] ? route.name : "start")}`;
  frame(route.name);
  view(main, route, signal);
  if (!first) {
    scrollTo(0, 0);
    if (!main.contains(document.activeElement)) main.focus({ preventScroll: true });
    land(main);
  }
  first = false;
}

/** What stands around the view, in the language of now. */
function frame(name) {
  at("skip").textContent = t("Skip to the content");
  at("home").setAttribute("aria-label", t("tronie, to the start"));
  const link = (to, words, picture) =>
    h("a.tool", { href: address(to), "aria-current": name === to ? "page" : null, id: `nav-${to}` }, icon(picture), h("span", {}, words));
  at("nav").setAttribute("aria-label", t("Main"));
  refill(at("nav"), ...(app.stranger ? [] : [link("start", t("New"), "plus"), link("jobs", t("Results"), "grid")]));
  const theme = memory.get("theme") ?? "system";
  const words = { system: t("Colours: as the system"), light: t("Colours: light"), dark: t("Colours: dark") };
  const other = language() === "ko" ? "en" : "ko";
  refill(
    at("tools"),
    h("button.tool", { type: "button", id: "language", lang: other, title: LANGUAGES[other],
      onclick: async () => { await speak(other); await show(); at("language").focus(); } },
      icon("language"), h("span", {}, LANGUAGES[other])),
    h("button.tool.bare", { type: "button", id: "theme", "aria-label": words[theme], title: words[theme],
      onclick: () => paint(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]) },
      icon({ system: "auto", light: "sun", dark: "moon" }[theme])),
    app.info?.signed_in && !app.stranger &&
      h("button.tool.bare", { type: "button", id: "sign-out", "aria-label": t("Sign out"), title: t("Sign out"), onclick: leave }, icon("out")),
  );
}

function paint(theme) {
  memory.set("theme", theme === "system" ? null : theme);
  if (theme === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  frame(parse(location.hash).name);
  at("theme").focus();
  say(at("theme").getAttribute("aria-label"));
}

async function leave() {
  await api.leave().catch(() => {});
  app.jobs = null;
  app.stranger = true;
  await show();
}

/** A link with #token=... signs in; the token goes out of the address at once. */
async function admit() {
  const token = /^#token=(.+)$/.exec(location.hash)?.[1];
  if (!token) return;
  quietly("#/");
  await api.enter(decodeURIComponent(token)).catch(() => {});
}

async function run() {
  await Promise.all([load(), admit()]);
  addEventListener("hashchange", async () => {
    await admit();
    await show();
  });
  app.addEventListener("stranger", show);
  app.addEventListener("welcome", async () => {
    app.stranger = false;
    await show();
    await Promise.all([meet(), refresh().catch(() => {})]);
  });
  let known = null;
  app.addEventListener("change", () => {
    if (!app.info || known === app.info.signed_in) return;
    if (known === null && !app.info.token_needed) refresh().catch(() => {});
    known = app.info.signed_in;
    frame(parse(location.hash).name);
  });
  at("skip").addEventListener("click", (event) => {
    event.preventDefault();
    at("main").focus();
  });
  addEventListener("beforeunload", (event) => {
    // What is on its way would be lost.
    if (app.sending.some((one) => one.error === null)) event.preventDefault();
  });
  banner(at("banner"));
  tray(at("tray"));
  receive();
  await show();
  meet();
  look();
}

run();
