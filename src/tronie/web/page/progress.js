/** What a job's events come to: which stage it is at, how far, and what has become of each face. Pure. */

export const PHOTO = [
  "read", "detect", "landmarks", "camera", "enhance", "fit", "segment", "hair", "texture", "frontal", "files",
];
/** An old photo that is restored. */
export const OLD = ["read", "damage", "tone", "detect", "landmarks", "camera", "grain", "enhance", "files"];
export const CLIP = ["follow", "heads", "talking", "overlay", "files"];
const FACES = new Set(["fit", "segment", "hair", "texture", "light", "frontal", "files", "talking"]);
/** Stages that are done once for each face. */
const INSIDE = new Set(["open", "solve", "head"]);
/** Parts of other stages, or nothing to speak of. */
const COST = {
  read: 0.2, detect: 0.4, landmarks: 0.4, camera: 0.2, enhance: 1, fit: 0.1, segment: 0.1, hair: 0.4, texture: 0.8,
  light: 0.5, frontal: 0.8, files: 0.4, damage: 3, tone: 0.2, grain: 0.3, colour: 1, follow: 6, heads: 8, talking: 4, overlay: 3,
};
/** About how long each takes, for a face where it is of faces. */

/**
 * @typedef {{name: string, state: "waiting" | "running" | "partly" | "done", done: number, total: number | null}} Stage
 * @typedef {"waiting" | "working" | "done" | "failed"} FaceState
 */

/** @param {"photo" | "old" | "clip"} kind @param {string} state of the job */
export function begin(kind, state = "queued") {
  return {
    kind,
    state,
    place: null,
    reason: null,
    /** Stage -> what is known of it. */
    seen: new Map(),
    faces: null,
    width: 0,
    height: 0,
    /** Index of a face -> its state. */
    face: new Map(),
    compiling: false,
    notes: [],
    share: 0,
  };
}

/** Takes in one event; `name` and `data` as the stream has them. */
export function take(progress, name, data) {
  if (name === "state") {
    Object.assign(progress, { state: data.state, place: data.place ?? null, reason: data.reason ?? null });
    if (data.state === "queued") restart(progress);
  } else if (name === "faces_found") {
    progress.faces = data.faces;
    progress.width = data.width;
    progress.height = data.height;
    for (const face of data.faces) if (!progress.face.has(face.index)) progress.face.set(face.index, "waiting");
  } else if (name === "stage_began") {
    // It is opened but once: a worker came to its end, and another begins anew.
    if (data.stage === "open" && progress.seen.has("open")) restart(progress);
    const stage = seen(progress, data.stage);
    stage.open += 1;
    stage.total = data.total ?? stage.total;
    if (data.face && progress.face.get(data.face) === "waiting") progress.face.set(data.face, "working");
  } else if (name === "advanced") {
    const stage = seen(progress, data.stage);
    stage.steps = data.done;
    stage.total = data.total ?? stage.total;
  } else if (name === "stage_ended") {
    const stage = seen(progress, data.stage);
    stage.open = Math.max(0, stage.open - 1);
    stage.ended += 1;
  } else if (name === "face_finished") {
    progress.face.set(data.face, data.error ? "failed" : "done");
  } else if (name === "compiling_kernels") {
    progress.compiling = true;
  } else if (name === "note" || name === "problem") {
    progress.notes.push(data.text);
  }
  progress.share = Math.max(progress.share, share(progress));
}

function restart(progress) {
  progress.seen.clear();
  progress.share = 0;
  for (const index of progress.face.keys()) progress.face.set(index, "waiting");
}

function seen(progress, name) {
  if (!progress.seen.has(name)) progress.seen.set(name, { open: 0, ended: 0, steps: 0, total: null });
  return progress.seen.get(name);
}

/** The stages in their order, those that are still to come too. @returns {Stage[]} */
export function stages(progress) {
  const order = [...(progress.kind === "clip" ? CLIP : progress.kind === "old" ? OLD : PHOTO)];
  for (const name of progress.seen.keys()) if (!order.includes(name) && !INSIDE.has(name)) order.unshift(name);
  const last = order.findLastIndex((name) => progress.seen.has(name));
  const faces = progress.faces?.length ?? 1;
  const finished = faces > 0 && progress.face.size > 0 && [...progress.face.values()].every((state) => state === "done" || state === "failed");
  return order.flatMap((name, at) => {
    const known = progress.seen.get(name);
    // Nobody tells that the files of photos are written; it comes behind the last face.
    if (name === "files" && !known && finished) return [{ name, state: "running", done: 0, total: null }];
    if (!known) return at < last ? [] : [{ name, state: "waiting", done: 0, total: null }];
    const each = FACES.has(name) && progress.kind === "photo" && faces > 1;
    const total = each ? faces : known.total;
    const done = each ? Math.min(known.ended, faces) : known.steps;
    const over = known.ended > 0 && known.open === 0 && (!each || known.ended >= faces);
    const state = over ? "done" : each && !known.open ? "partly" : "running";
    return [{ name, state, done: over && total !== null ? total : done, total }];
  });
}

function share(progress) {
  if (progress.state === "done") return 1;
  let all = 0;
  let done = 0;
  const faces = progress.faces?.length ?? 1;
  for (const stage of stages(progress)) {
    const cost = (COST[stage.name] ?? 0.2) * (FACES.has(stage.name) ? faces : 1);
    all += cost;
    if (stage.state === "done") done += cost;
    else if (stage.state !== "waiting" && stage.total) done += cost * Math.min(1, stage.done / stage.total);
  }
  if (progress.kind === "old") return all ? Math.min(0.99, done / all) : 0;
  // Before the faces are known, nobody knows how much there is to do.
  const most = progress.kind === "photo" && progress.faces === null ? 0.1 : 0.99;
  return all ? Math.min(most, done / all) : 0;
}

/** The stage that is worked on now: the last one that runs. @returns {Stage | undefined} */
export const current = (progress) =>
  stages(progress).findLast((stage) => stage.state === "running") ?? stages(progress).findLast((stage) => stage.state === "partly");
