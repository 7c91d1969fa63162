/** What the whole page knows: the server, the jobs, the files that are on their way to it. */
import * as api from "/page/api.js";
import { memory } from "/page/dom.js";
import { size, t } from "/page/i18n.js";
import { pause, wait } from "/page/sse.js";

const ENDED = new Set(["done", "failed", "cancelled"]);
/** @param {{state: string}} job */
export const ended = (job) => ENDED.has(job.state);

/** What was made anew, one output with other settings, belongs to the result that it is of. */
const shows = (job) => !(job.parent && job.settings.outputs?.length === 1);

/** @typedef {{key: string, file: File, picture: string | null, share: number, error: string | null, stop: AbortController}} Sending */

class App extends EventTarget {
  /** What /v1/info says; null until it is known. */
  info = null;
  online = true;
  /** The server wants a token that we have not. */
  stranger = false;
  /** Newest first; null until they were asked for. @type {any[] | null} */
  jobs = null;
  /** Where still older ones are asked for. @type {string | null} */
  older = null;
  /** @type {Sending[]} */
  sending = [];
  /** Key of a file that was sent -> its job. @type {Map<string, string>} */
  sent = new Map();
  /** Job -> a picture of its file that need not be fetched. @type {Map<string, string>} */
  pictures = new Map();
  /** The job that is looked at: its own stream tells of it. @type {string | null} */
  shown = null;
  /** @type {Record<string, Record<string, any>>} */
  settings = JSON.parse(memory.get("settings") ?? "{}");

  changed() {
    this.dispatchEvent(new Event("change"));
  }

  /** @param {() => void} listen @param {AbortSignal} signal */
  watch(listen, signal) {
    this.addEventListener("change", listen, { signal });
  }

  /** A picture of what was sent: the file itself, where it was sent from here, or the server's preview. */
  picture(job, upload = 0) {
    const here = job.uploads.length === 1 ? this.pictures.get(job.id) : undefined;
    return here ?? job.uploads[upload]?.preview ?? "";
  }

  /** @param {Record<string, Record<string, any>>} settings */
  choose(settings) {
    this.settings = settings;
    memory.set("settings", JSON.stringify(settings));
  }

  /** A job as it is now. */
  learn(job) {
    if (!shows(job)) return;
    this.jobs = [job, ...(this.jobs ?? []).filter((other) => other.id !== job.id)];
    this.jobs.sort((a, b) => Date.parse(b.created) - Date.parse(a.created));
    this.changed();
  }

  forget(id) {
    this.jobs = this.jobs?.filter((job) => job.id !== id && job.parent !== id) ?? null;
    const picture = this.pictures.get(id);
    if (picture) URL.revokeObjectURL(picture);
    this.pictures.delete(id);
    this.changed();
  }
}

export const app = new App();

api.connection.addEventListener("lost", () => {
  if (!app.online) return;
  app.online = false;
  app.changed();
  probe();
});
api.connection.addEventListener("found", () => {
  if (app.online) return;
  app.online = true;
  app.changed();
});
api.connection.addEventListener("stranger", () => {
  if (app.stranger) return;
  app.stranger = true;
  app.dispatchEvent(new Event("stranger"));
  app.changed();
});

async function probe() {
  for (let tries = 0; !app.online; tries += 1) {
    await pause(wait(tries));
    try {
      app.info = await api.info();
      app.changed();
    } catch {
      // Still gone, or another sentence for later.
    }
  }
}

/** Asks again until it is there, and until a worker is ready. */
export async function meet() {
  for (let tries = 0; ; tries += 1) {
    try {
      app.info = await api.info();
      app.changed();
      if (app.info.token_needed) return api.connection.dispatchEvent(new Event("stranger"));
      if (app.info.ready) return;
    } catch (error) {
      if (error instanceof api.Refused && error.status === 401) return;
    }
    await pause(Math.min(3, wait(tries)));
  }
}

/** The list of jobs anew: its newest part. */
export async function refresh() {
  const { jobs, next: rest } = await api.recent();
  const last = jobs.at(-1)?.created ?? "";
  const older = rest ? (app.jobs ?? []).filter((job) => Date.parse(job.created) < Date.parse(last)) : [];
  if (!older.length) app.older = rest;
  app.jobs = [...jobs.filter(shows), ...older];
  app.changed();
}

/** The list, further back. */
export async function further() {
  const { jobs, next: rest } = await api.recent(app.older);
  app.older = rest;
  app.jobs = [...app.jobs, ...jobs.filter(shows)];
  app.changed();
}

/** Looks after jobs that no stream tells of; streams are few, for browsers allow six connections to a server. */
export async function look() {
  for (;;) {
    await pause(2.5);
    const waiting = app.jobs?.some((job) => !ended(job) && job.id !== app.shown);
    if (!waiting || !app.online || app.stranger || document.hidden) continue;
    await refresh().catch(() => {});
  }
}

/** Types that every browser shows; for others there is the server's preview. */
const SHOWN = /^image\/(jpeg|png|webp|gif|bmp)$/;

/** Why it need not even be sent. @param {File} file */
function tooLarge(file) {
  const most = app.info?.limits?.bytes;
  return most && file.size > most ? t("It is larger than {size}, the most that this server takes.", { size: size(most) }) : null;
}

/** Sends files, two at a time, each as a job. @param {File[]} files @returns {Sending[]} */
export function send(files) {
  const added = files.map((file) => ({
    key: api.key(),
    file,
    picture: SHOWN.test(file.type) ? URL.createObjectURL(file) : null,
    share: 0,
    error: tooLarge(file),
    started: false,
    stop: new AbortController(),
  }));
  app.sending = [...app.sending, ...added];
  app.changed();
  next();
  return added;
}

function next() {
  const under = app.sending.filter((one) => one.started && !one.error).length;
  const waiting = app.sending.filter((one) => !one.started && !one.error);
  for (const one of waiting.slice(0, Math.max(0, 2 - under))) {
    one.started = true;
    deliver(one);
  }
}

async function deliver(one) {
  for (let tries = 0; ; tries += 1) {
    try {
      const job = await api.upload(one.file, app.settings, {
        idempotency: one.key,
        signal: one.stop.signal,
        sent: (share) => {
          one.share = share;
          app.changed();
        },
      });
      if (one.picture) app.pictures.set(job.id, one.picture);
      app.sent.set(one.key, job.id);
      app.sending = app.sending.filter((other) => other !== one);
      app.learn(job);
      app.dispatchEvent(new CustomEvent("sent", { detail: { key: one.key, job } }));
      break;
    } catch (error) {
      if (error.name === "AbortError") break;
      const later = error instanceof api.Refused && error.status === 429 && error.after !== null && error.after <= 60;
      if (later || (error instanceof api.Unreachable && tries < 5)) {
        await pause(later ? error.after : wait(tries), one.stop.signal);
        if (one.stop.signal.aborted) break;
        continue;
      }
      one.error = error instanceof api.Refused ? error.message : "";
      one.status = error.status ?? 0;
      app.changed();
      next();
      return;
    }
  }
  app.sending = app.sending.filter((other) => other !== one);
  app.changed();
  next();
}

/** Gives up sending it, or takes the failure away. @param {Sending} one */
export function drop(one) {
  one.stop.abort();
  if (one.picture) URL.revokeObjectURL(one.picture);
  app.sending = app.sending.filter((other) => other !== one);
  app.changed();
}
