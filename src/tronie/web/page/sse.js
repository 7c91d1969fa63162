/** Server-sent events over fetch: unlike EventSource it says why a stream ended, and resumes where it was. */

/** @typedef {{event: string, data: any, id: string | null}} Sent */

/** Makes events of the text of a stream, in whatever pieces it comes. */
export class Parser {
  #rest = "";
  #data = [];
  #event = "";
  #id = null;

  /** @param {string} text @returns {Sent[]} */
  push(text) {
    const sent = [];
    // A carriage return at the very end may be half of a line's end.
    const all = this.#rest + text;
    const whole = all.endsWith("\r") ? all.slice(0, -1) : all;
    const lines = whole.split(/\r\n|\n|\r/);
    this.#rest = lines.pop() + all.slice(whole.length);
    for (const line of lines) {
      if (line === "") {
        if (this.#data.length) {
          sent.push({ event: this.#event || "message", data: read(this.#data.join("\n")), id: this.#id });
        }
        this.#data = [];
        this.#event = "";
        this.#id = null;
        continue;
      }
      if (line.startsWith(":")) continue;
      const colon = line.indexOf(":");
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") this.#data.push(value);
      else if (field === "event") this.#event = value;
      else if (field === "id" && !value.includes("\0")) this.#id = value;
    }
    return sent;
  }
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** Seconds to wait before the try with this number, from 0: longer each time, never quite alike. */
export function wait(tries, random = Math.random()) {
  return Math.min(15, 0.5 * 2 ** tries) * (0.75 + 0.5 * random);
}

export const pause = (seconds, signal) =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => (clearTimeout(timer), resolve()), { once: true });
  });

/** Reads what is left, so that the server ends the connection and nobody breaks it off. */
async function drain(reader) {
  const timer = setTimeout(() => reader.cancel().catch(() => {}), 3000);
  try {
    while (!(await reader.read()).done);
  } catch {
    // Broken off: nothing more was to come.
  }
  clearTimeout(timer);
}

/**
 * Follows a stream until `told` returns true, the signal aborts, or the server refuses; a broken one is taken up again.
 * @param {string} url
 * @param {(sent: Sent) => boolean | void} told true: this was the last
 * @param {{signal: AbortSignal, refused?: (status: number) => void, lost?: () => void, found?: () => void}} options
 */
export async function follow(url, told, { signal, refused, lost, found }) {
  let last = null;
  let tries = 0;
  while (!signal.aborted) {
    try {
      const headers = { Accept: "text/event-stream" };
      if (last !== null) headers["Last-Event-ID"] = last;
      const response = await fetch(url, { headers, signal, cache: "no-store" });
      if (response.status >= 400 && response.status < 500 && response.status !== 429) {
        refused?.(response.status);
        return;
      }
      if (!response.ok || !response.body) throw new Error(String(response.status));
      found?.();
      const parser = new Parser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        for (const sent of parser.push(value)) {
          tries = 0;
          if (sent.id !== null) last = sent.id;
          if (told(sent)) return void drain(reader);
        }
      }
    } catch {
      if (signal.aborted) return;
      lost?.();
    }
    await pause(wait(tries++), signal);
  }
}
