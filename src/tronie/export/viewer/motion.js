// How the head of a clip moves: its weights, its turn and its place at every time, from the animations of a file.

import { Quaternion, Vector3 } from "three";

/** Metres beyond which a head's way through the room is drawn in: it should stay in sight. */
const REACH = 0.02;

/**
 * @typedef {{name: string, seconds: number, at: (time: number) => {weights: number[] | null, turn: Quaternion, shift: Vector3}}} Motion
 * @param {import("three").AnimationClip[]} clips
 * @returns {Motion[]}
 */
export function motions(clips) {
  return clips.map((clip) => {
    const place = clip.tracks.find(({ name }) => name.endsWith(".position"));
    const node = place?.name.slice(0, -".position".length);
    const turns = clip.tracks.find(({ name }) => name === `${node}.quaternion`);
    const weights = clip.tracks.find(({ name }) => name.endsWith(".morphTargetInfluences"));
    const [weighed, turned, placed] = [weights, turns, place].map((track) => track?.createInterpolant());
    const middle = place ? mean(place.values) : new Vector3();
    return {
      name: clip.name,
      seconds: clip.duration,
      at(time) {
        const shift = placed ? new Vector3().fromArray(placed.evaluate(time)).sub(middle) : new Vector3();
        return {
          weights: weighed ? Array.from(weighed.evaluate(time)) : null,
          turn: turned ? new Quaternion().fromArray(turned.evaluate(time)).normalize() : new Quaternion(),
          shift: shift.multiplyScalar(1 / (1 + shift.length() / REACH)),
        };
      },
    };
  });
}

function mean(values) {
  const sum = new Vector3(), one = new Vector3();
  for (let k = 0; k < values.length; k += 3) sum.add(one.fromArray(values, k));
  return sum.multiplyScalar(3 / values.length);
}

/** Which motion is played, and how far it is. */
export class Player {
  /** @type {Motion | null} */
  #motion = null;
  /** The moment at which it would have begun to be where it is now; null while it stands. @type {number | null} */
  #began = null;
  time = 0;

  get playing() { return this.#began !== null; }
  get seconds() { return this.#motion?.seconds ?? 0; }

  /** Whether there is one of that name; without a name, the first. @param {Motion[]} motions @param {string} [name] */
  play(motions, name) {
    const motion = motions.find((one) => name === undefined || one.name === name);
    if (!motion) return false;
    if (this.#motion !== motion) this.time = 0;
    this.#motion = motion;
    this.#began = performance.now() - 1000 * this.time;
    return true;
  }

  pause() {
    this.#began = null;
  }

  stop() {
    this.#began = this.#motion = null;
    this.time = 0;
  }

  /** @param {Motion[]} motions @param {number} seconds */
  seek(motions, seconds) {
    const motion = (this.#motion ??= motions[0] ?? null);
    if (!motion) return false;
    this.time = Math.min(Math.max(seconds, 0), motion.seconds);
    if (this.playing) this.#began = performance.now() - 1000 * this.time;
    return true;
  }

  /** Go on to a moment; false where nothing is played. @param {number} now */
  step(now) {
    if (this.#began === null || !this.#motion) return false;
    const { seconds } = this.#motion;
    this.time = seconds ? ((((now - this.#began) / 1000) % seconds) + seconds) % seconds : 0;
    return true;
  }

  /** What the head does at its time. */
  now() {
    return this.#motion.at(this.time);
  }
}
