// What the page's own logic must hold; run by test_page.py with the program node, on a copy of the page's modules.
import assert from "node:assert/strict";
import test from "node:test";
import { Parser, wait } from "./page/sse.js";
import { address, parse } from "./page/router.js";
import { begin, current, stages, take } from "./page/progress.js";

const STREAM =
  ": hello\n\nid: 1\nevent: note\ndata: {\"text\": \"é 한\"}\n\nevent: state\r\ndata: {\"state\":\r\ndata: \"done\"}\r\n\r\nid: 2\rdata: plain\r\r";

test("events are the same in whatever pieces the stream comes", () => {
  const whole = new Parser().push(STREAM);
  assert.deepEqual(whole, [
    { event: "note", data: { text: "é 한" }, id: "1" },
    { event: "state", data: { state: "done" }, id: null },
  ]);
  for (let size = 1; size < 12; size += 1) {
    const parser = new Parser();
    const sent = [];
    for (let at = 0; at < STREAM.length; at += size) sent.push(...parser.push(STREAM.slice(at, at + size)));
    // A carriage return at the very end might be half of an end of line: it counts when more comes.
    assert.deepEqual(sent.slice(0, 2), whole);
    assert.deepEqual(parser.push("\n"), [{ event: "message", data: "plain", id: "2" }].slice(0, sent.length === 3 ? 0 : 1));
  }
});

test("waits grow, end, and never are the same for all", () => {
  for (let tries = 0; tries < 12; tries += 1) {
    assert.ok(wait(tries, 0) >= 0.3 && wait(tries, 1) <= 19);
    assert.ok(wait(tries + 1, 0.5) >= wait(tries, 0.5));
    assert.ok(wait(tries, 0) < wait(tries, 1));
  }
});

test("an address means what it was made of", () => {
  for (const [name, id, query] of [["start", null, {}], ["jobs", null, {}], ["job", "a/b?c#d", { face: "3", show: "portrait" }]]) {
    const route = parse(address(name, id, query));
    assert.equal(route.name, name);
    assert.equal(route.id, id);
    assert.deepEqual(Object.fromEntries(route.query), query);
  }
});

const photo = (faces) => [
  ...["read", "detect"].flatMap((stage) => [["stage_began", { stage }], ["stage_ended", { stage, seconds: 1 }]]),
  ["faces_found", { width: 9, height: 9, faces: faces.map((index) => ({ index, box: [0, 0, 1, 1] })) }],
  ...["landmarks", "camera", "enhance"].flatMap((stage) => [["stage_began", { stage }], ["stage_ended", { stage }]]),
  ...faces.flatMap((face) => [
    ...["fit", "segment", "hair", "texture", "frontal"].flatMap((stage) => [
      ["stage_began", { stage, face }],
      ["stage_ended", { stage, face }],
    ]),
    ["face_finished", { face, error: face === 2 ? "no" : null }],
  ]),
];

test("progress only grows, up to the end", () => {
  const progress = begin("photo", "running");
  let before = 0;
  for (const [name, data] of photo([1, 2, 3])) {
    take(progress, name, data);
    assert.ok(progress.share >= before && progress.share < 1);
    before = progress.share;
  }
  assert.ok(before > 0.8);
  assert.deepEqual([...progress.face.values()], ["done", "failed", "done"]);
  assert.equal(current(progress).name, "files");
  assert.ok(stages(progress).every((stage) => stage.state === "done" || stage.name === "files"));
  take(progress, "state", { state: "done" });
  assert.equal(progress.share, 1);
});

test("a stage of faces is done when all faces are", () => {
  const progress = begin("photo", "running");
  const events = photo([1, 2]);
  for (const [name, data] of events.slice(0, events.findIndex(([, data]) => data.face === 2) + 1)) take(progress, name, data);
  const fit = stages(progress).find((stage) => stage.name === "fit");
  assert.deepEqual([fit.state, fit.done, fit.total], ["running", 1, 2]);
  assert.equal(stages(progress).find((stage) => stage.name === "hair").state, "partly");
  assert.deepEqual(current(progress), fit);
});

test("a job that is begun again begins from nothing", () => {
  const progress = begin("photo", "running");
  const events = [["stage_began", { stage: "open" }], ["stage_ended", { stage: "open" }], ...photo([1, 2])];
  for (const [name, data] of events) take(progress, name, data);
  const before = progress.share;
  take(progress, ...events[0]);
  assert.ok(progress.share < before / 2);
  assert.deepEqual([...progress.face.values()], ["waiting", "waiting"]);
  for (const [name, data] of events.slice(1)) take(progress, name, data);
  assert.equal(progress.share, before);
});

test("stages that nobody knows are shown, and do no harm", () => {
  const progress = begin("clip", "running");
  take(progress, "stage_began", { stage: "follow", total: 10 });
  take(progress, "advanced", { stage: "follow", done: 4, total: 10 });
  take(progress, "stage_began", { stage: "unheard", face: 7 });
  take(progress, "unheard_of", {});
  const names = stages(progress).map((stage) => stage.name);
  assert.ok(names.includes("unheard") && names.includes("follow"));
  assert.equal(stages(progress).find((stage) => stage.name === "follow").done, 4);
});
