/** The photo of a job again, for one output with other settings. What was made is kept while the page is open. */
import * as api from "/page/api.js";
import { ended } from "/page/app.js";
import { t } from "/page/i18n.js";
import { begin, take } from "/page/progress.js";
import { follow } from "/page/sse.js";

/** @type {Map<string, Promise<any>>} */
const asked = new Map();
/** @type {Map<string, any>} */
const made = new Map();

const key = (record, output, changes) => JSON.stringify([record.id, output, changes]);

/** The job that has it already; undefined where it would have to be made. */
export const there = (record, output, changes = {}) => made.get(key(record, output, changes));

/**
 * @param {any} record @param {string} output @param {Record<string, any>} changes of the job's settings
 * @param {(share: number | null) => void} told how far it is; null while it waits
 * @returns {Promise<any>} the job that has it
 */
export function anew(record, output, changes, told) {
  const name = key(record, output, changes);
  if (!asked.has(name)) {
    const making = make(record, output, changes, told);
    asked.set(name, making);
    making.then((job) => made.set(name, job), () => asked.delete(name));
  }
  return asked.get(name);
}

async function make(record, output, changes, told) {
  const only = output === "portrait" ? { only: "portrait" } : {};
  const job = await api.again(record.id, { ...record.settings, ...changes, ...only, outputs: [output] });
  const progress = begin(record.uploads[0]?.kind ?? "photo", job.state);
  await follow(api.events(job.id), ({ event, data }) => {
    take(progress, event, data);
    told(progress.state === "running" ? progress.share : null);
    return ended(progress);
  }, { signal: new AbortController().signal });
  const done = await api.get(job.id);
  if (done.state !== "done") throw new Error(done.reason ?? t("It could not be done"));
  return done;
}

/** The files of the same face in another job. */
export function files(job, upload, index) {
  const photo = job?.photos.find((one) => one.upload === upload);
  return photo?.faces.find((face) => face.index === index)?.files ?? {};
}
