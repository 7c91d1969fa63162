/** The HTTP API, as the page uses it. */

/** An answer that is not what was asked for: one sentence by the server, and the status. */
export class Refused extends Error {
  /** @param {number} status @param {string} text @param {number | null} after seconds to wait */
  constructor(status, text, after = null) {
    super(text);
    this.status = status;
    this.after = after;
  }
}

/** No answer at all. */
export class Unreachable extends Error {}

/** Tells "lost" and "found" of the server, and "stranger" where it wants a token. */
export const connection = new EventTarget();

const tell = (name) => connection.dispatchEvent(new Event(name));

async function call(path, options = {}) {
  let response;
  try {
    response = await fetch(path, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    tell("lost");
    throw new Unreachable(String(error.message ?? error));
  }
  if ([502, 503, 504].includes(response.status) && !path.startsWith("/readyz")) {
    const refused = await refusal(response);
    if (!refused.message) {
      tell("lost");
      throw new Unreachable(String(response.status));
    }
    throw refused;
  }
  tell("found");
  if (response.ok) return response;
  if (response.status === 401) tell("stranger");
  throw await refusal(response);
}

async function refusal(response) {
  let text = "";
  try {
    text = (await response.json()).error ?? "";
  } catch {
    // A proxy's page, perhaps.
  }
  return new Refused(response.status, text, seconds(response.headers.get("Retry-After")));
}

const seconds = (header) => (header && /^\d+$/.test(header) ? Number(header) : null);
const json = async (response) => response.json();
const job = (id) => `/v1/jobs/${encodeURIComponent(id)}`;

export const events = (id) => `${job(id)}/events`;
export const info = () => call("/v1/info").then(json);
export const get = (id, signal) => call(job(id), { signal }).then(json);
export const remove = (id) => call(job(id), { method: "DELETE" });
export const cancel = (id) => call(`${job(id)}/cancel`, { method: "POST" });
export const leave = () => call("/v1/session", { method: "DELETE" });

/**
 * The newest jobs, and where the older ones are asked for.
 * @param {string | null} next as the last answer had it @returns {Promise<{jobs: any[], next: string | null}>}
 */
export const recent = (next = null) => call(next ?? "/v1/jobs?limit=50&children=true").then(json);

/** @param {string} token */
export const enter = (token) =>
  call("/v1/session", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });

/** @param {string} id of a job @param {string} what @param {Record<string, number>} which */
export function archive(id, what, which = {}) {
  const query = new URLSearchParams({ what });
  for (const [key, value] of Object.entries(which)) query.set(key, String(value));
  return `${job(id)}/archive?${query}`;
}

/** An address with which the browser saves the file. @param {string} url */
export const download = (url) => `${url}${url.includes("?") ? "&" : "?"}download=1`;

/** A key that no other request has. Pages that did not come over HTTPS have no randomUUID. */
export function key() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Uses the uploads of a job again, with other settings. */
export async function again(id, settings, idempotency = key()) {
  const body = new FormData();
  body.set("again", id);
  body.set("settings", JSON.stringify(settings));
  return call("/v1/jobs", { method: "POST", body, headers: { "Idempotency-Key": idempotency } }).then(json);
}

/**
 * Sends a file; tells how much of it has gone, which fetch cannot.
 * @param {File} file @param {object} settings
 * @param {{idempotency: string, signal: AbortSignal, sent: (share: number) => void}} options
 * @returns {Promise<any>} the job
 */
export function upload(file, settings, { idempotency, signal, sent }) {
  const body = new FormData();
  body.append("files", file, file.name);
  body.set("settings", JSON.stringify(settings));
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open("POST", "/v1/jobs");
    request.setRequestHeader("Idempotency-Key", idempotency);
    request.responseType = "json";
    request.upload.onprogress = (event) => event.lengthComputable && sent(event.loaded / event.total);
    request.onload = () => {
      tell("found");
      if (request.status < 300) return resolve(request.response);
      if (request.status === 401) tell("stranger");
      const after = seconds(request.getResponseHeader("Retry-After"));
      reject(new Refused(request.status, request.response?.error ?? "", after));
    };
    request.onerror = () => reject(new Unreachable("the upload broke off"));
    request.onabort = () => reject(new DOMException("given up", "AbortError"));
    signal.addEventListener("abort", () => request.abort());
    request.send(body);
  });
}
