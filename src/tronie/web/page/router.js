/** Which view is shown, by the part of the address after #. */

/** @typedef {{name: string, id: string | null, query: URLSearchParams}} Route */

/** @param {string} hash @returns {Route} */
export function parse(hash) {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  const [name = "", id = null] = path.split("/");
  return { name: name || "start", id: id ? decodeURIComponent(id) : null, query: new URLSearchParams(query) };
}

/** @param {string} name @param {string | null} id @param {Record<string, string | number>} query */
export function address(name, id = null, query = {}) {
  const path = name === "start" ? "" : name + (id === null ? "" : `/${encodeURIComponent(id)}`);
  const search = new URLSearchParams(Object.entries(query).map(([key, value]) => [key, String(value)])).toString();
  return `#/${path}${search ? `?${search}` : ""}`;
}

/** @param {string} where */
export function go(where) {
  if (location.hash === where) dispatchEvent(new HashChangeEvent("hashchange"));
  else location.hash = where;
}

/** Changes the address without showing anything else. @param {string} where */
export function quietly(where) {
  history.replaceState(history.state, "", where);
}
