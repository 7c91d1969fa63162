/** One job: on its way, waiting, in work, done or failed. */
import * as api from "/page/api.js";
import { app, drop, ended } from "/page/app.js";
import { h, land, refill, say, styled } from "/page/dom.js";
import { count, percent, stageText, t } from "/page/i18n.js";
import { icon } from "/page/parts/icons.js";
import { Photo } from "/page/parts/photo.js";
import { begin, current, stages, take } from "/page/progress.js";
import { address, go, quietly } from "/page/router.js";
import { follow } from "/page/sse.js";

/** @param {HTMLElement} main @param {import("/page/router.js").Route} route @param {AbortSignal} signal */
export async function job(main, route, signal) {
  let id = route.id ?? "";
  const sending = app.sending.find((one) => one.key === id);
  if (sending) {
    const sent = await sendingView(main, sending, signal);
    if (!sent || signal.aborted) return;
  }
  if (app.sent.has(id)) {
    id = app.sent.get(id);
    quietly(address("job", id));
  }
  app.shown = id;
  let record = app.jobs?.find((one) => one.id === id && !ended(one)) ?? null;
  try {
    record ??= await api.get(id, signal);
  } catch (error) {
    if (signal.aborted) return;
    if (error instanceof api.Unreachable) {
      // The banner tells of it; as soon as the server is there again, so is the job.
      app.watch(() => app.online && !signal.aborted && go(location.hash), signal);
      return;
    }
    return gone(main);
  }
  if (signal.aborted) return;
  app.learn(record);
  if (!ended(record)) {
    record = await running(main, record, signal);
    if (!record || signal.aborted) return;
    app.learn(record);
  }
  document.title = `${record.uploads[0]?.name ?? ""} - tronie`;
  main.replaceChildren();
  if (record.state === "done" && record.photos.some((photo) => photo.files["restored.png"])) {
    const { restored } = await import("/page/views/restored.js");
    if (!signal.aborted) restored(main, record, route);
  } else if (record.state === "done" && record.photos.some((photo) => photo.faces.length)) {
    const { result } = await import("/page/views/result.js");
    if (!signal.aborted) await result(main, record, route, signal);
  } else {
    over(main, record);
  }
  if (!signal.aborted) land(main);
}

/** A wide picture, and beside it what goes on. */
function frame(main, name) {
  document.title = `${name} - tronie`;
  const photo = new Photo({ alt: name });
  const card = h("div.card.progress-card");
  refill(main, h("div.work", {}, h("div.work-photo", {}, photo.element), card));
  return { photo, card };
}

/** Until the file has arrived. @returns {Promise<any>} the job; null: given up */
function sendingView(main, one, signal) {
  const { photo, card } = frame(main, one.file.name);
  photo.show(one.picture ?? "");
  if (!one.picture) photo.element.classList.add("absent");
  const bar = h("progress", { max: 1, value: 0, "aria-label": t("Sending") });
  const words = h("p.faint");
  const actions = h("div.actions");
  refill(card, h("h1", {}, one.file.name), words, bar, actions);
  return new Promise((resolve) => {
    const done = (job) => (listening.abort(), resolve(job));
    const listening = new AbortController();
    signal.addEventListener("abort", () => done(null));
    app.addEventListener("sent", (event) => event.detail.key === one.key && done(event.detail.job), { signal: listening.signal });
    const stop = () => (drop(one), done(null), go(address("start")));
    const update = () => {
      const failed = one.error !== null;
      card.dataset.state = failed ? "failed" : "";
      words.textContent = failed ? one.error || t("It could not be sent.") : t("Sending: {share}", { share: percent(one.share) });
      bar.hidden = failed;
      bar.value = one.share;
      if (actions.dataset.failed === String(failed)) return;
      actions.dataset.failed = String(failed);
      refill(actions, failed
        ? h("button.button.primary", { type: "button", id: "back", onclick: stop }, t("Choose another file"))
        : h("button.button", { type: "button", id: "cancel", onclick: stop }, t("Cancel")));
      if (failed) {
        words.setAttribute("role", "alert");
        words.classList.remove("faint");
      }
    };
    app.watch(update, listening.signal);
    update();
  });
}

/** While it waits and runs. @returns {Promise<any>} the job as it ended; null: somebody left */
async function running(main, record, signal) {
  const upload = record.uploads[0];
  const { photo, card } = frame(main, upload?.name ?? "");
  photo.show(app.picture(record), upload?.width, upload?.height);
  const restores = record.settings.job === "restore";
  const progress = begin(restores ? "old" : (upload?.kind ?? "photo"), record.state);
  progress.place = record.place;
  const title = h("h1", { id: "state" });
  const words = h("p.faint", { id: "state-words" });
  const bar = h("progress.overall", { max: 1, value: 0, id: "overall", "aria-label": t("All together") });
  const list = h("ol.stages", { id: "stages" });
  const hint = h("p.hint", { hidden: true, id: "compiling" }, t("Preparing for this machine: the first photo takes a minute or two, later ones only seconds."));
  const stop = h("button.button", { type: "button", id: "cancel", onclick: async () => {
    stop.disabled = true;
    await api.cancel(record.id).catch(() => {});
  } }, t("Cancel"));
  refill(card, title, words, bar, list, hint, h("div.actions", {}, stop));

  let heard = "";
  let asked = false;
  const draw = () => {
    asked = false;
    const now = current(progress);
    const faces = progress.faces;
    const finished = [...progress.face.values()].filter((state) => state === "done" || state === "failed").length;
    const waits = progress.state === "queued";
    title.textContent = waits ? t("Waiting") : faces?.length && !restores && now?.name !== "files" ? t("Making the heads") : now ? stageText(now.name) : t("Beginning");
    words.textContent = waits
      ? progress.place ? count(progress.place, "1 job comes before this one.", "{n} jobs come before this one.") : t("This one is next.")
      : faces === null ? ""
      : faces.length > 1 && finished ? t("{n} faces, {done} of them finished", { n: faces.length, done: finished })
      : count(faces.length, "1 face", "{n} faces");
    if (progress.state === "queued") bar.removeAttribute("value");
    else bar.value = progress.share;
    hint.hidden = !progress.compiling;
    drawStages(list, stages(progress), waits);
    photo.mark(progress.face);
    document.title = `${waits ? "" : `${percent(progress.share)} `}${upload?.name ?? ""} - tronie`;
    // Not every step is read out: the stage, and that a face is finished.
    const news = `${title.textContent}${words.textContent ? `. ${words.textContent}` : ""}`;
    if (news !== heard) say(news);
    heard = news;
  };
  draw();
  land(main);

  await new Promise((resolve) => {
    signal.addEventListener("abort", resolve);
    follow(api.events(record.id), ({ event, data }) => {
      if (data.upload) return false;
      take(progress, event, data);
      if (event === "faces_found" && !restores) prepare();
      if (event === "faces_found" && progress.faces) photo.put(progress.faces, progress.width, progress.height);
      if (!asked) {
        asked = true;
        requestAnimationFrame(draw);
      }
      return ended(progress);
    }, {
      signal,
      lost: () => api.connection.dispatchEvent(new Event("lost")),
      found: () => api.connection.dispatchEvent(new Event("found")),
      refused: (status) => {
        if (status === 401) api.connection.dispatchEvent(new Event("stranger"));
        resolve();
      },
    }).then(resolve);
  });
  if (signal.aborted) return null;
  try {
    return await api.get(record.id, signal);
  } catch {
    if (!signal.aborted) gone(main);
    return null;
  }
}

/** While the heads are made there is time to load what shows them. */
function prepare() {
  for (const module of ["/viewer/viewer.js", "/viewer/panel.js", "/page/views/result.js"]) import(module).catch(() => {});
}

function drawStages(list, all, waits) {
  refill(list, ...all.map((stage) => {
    const bar = h("i");
    const item = h("li", { "data-state": stage.state, "data-stage": stage.name },
      stage.state === "done" ? icon("check", 16) : h("span.dot"),
      h("span", {}, stageText(stage.name)),
      ...(stage.state !== "waiting" && stage.total > 1
        ? [h("span.meter", { "aria-hidden": "true" }, bar), h("span.count", {}, t("{done} of {total}", { done: stage.done, total: stage.total }))]
        : []));
    styled(bar, { width: `${(100 * stage.done) / (stage.total || 1)}%` });
    return item;
  }));
  list.classList.toggle("waits", waits);
}

/** Failed, cancelled, or no face in it. */
function over(main, record) {
  const name = record.uploads[0]?.name ?? "";
  const { photo, card } = frame(main, name);
  photo.show(app.picture(record), record.uploads[0]?.width, record.uploads[0]?.height);
  const reasons = [record.reason, ...record.photos.map((one) => one.reason)].filter(Boolean);
  const [title, text] = {
    failed: [t("It could not be done"), t("Try it again, or try another photo.")],
    cancelled: [t("Cancelled"), t("Nothing was kept of it but the photo itself.")],
    done: [t("No face was found"), t("Try a photo in which a face is larger, turned to the camera and not covered.")],
  }[record.state];
  card.dataset.state = record.state === "failed" ? "failed" : "";
  refill(card,
    h("h1", { id: "state" }, title),
    ...reasons.map((reason) => h("p", { lang: "en" }, reason)),
    h("p.faint", {}, text),
    h("div.actions", {},
      h("button.button.primary", { type: "button", id: "retry", onclick: async (event) => {
        event.target.disabled = true;
        const made = await retry(record).catch(() => null);
        if (made) go(address("job", made.id));
        else event.target.disabled = false;
      }, hidden: record.state === "done" }, t("Try again")),
      h("a.button", { href: address("start") }, t("Another photo")),
      h("button.button", { type: "button", id: "delete", onclick: () => away(record) }, icon("trash", 18), t("Delete"))));
}

/** The same photo again. */
async function retry(record) {
  const made = await api.again(record.id, record.settings);
  return made;
}

/** Asks, deletes and goes to the other results. */
export async function away(record) {
  const { confirm } = await import("/page/parts/dialog.js");
  const name = record.uploads[0]?.name ?? "";
  const yes = await confirm(t("Delete {name}?", { name }), t("The photo and all that was made of it go from the server at once. This cannot be undone."), t("Delete"));
  if (!yes) return;
  try {
    await api.remove(record.id);
  } catch (error) {
    // It is gone already, or the banner tells that the server is.
    if (error.status !== 404) return say(error.message);
  }
  app.forget(record.id);
  say(t("Deleted."));
  go(address("jobs"));
}

function gone(main) {
  document.title = "tronie";
  refill(main, h("div.empty", {}, icon("face", 40), h("h1", {}, t("This job is no longer here")),
    h("p.faint", {}, t("Jobs and their files are deleted after a while, or when somebody deletes them.")),
    h("div.actions", {}, h("a.button.primary", { href: address("start") }, t("New photo")), h("a.button", { href: address("jobs") }, t("Results")))));
  land(main);
}
