// From where a head is looked at: framing, turning by mouse, touch and keys.

import { Spherical, Vector3 } from "three";
import { OrbitControls } from "./vendor/controls/OrbitControls.js";

const STEP = Math.PI / 18;
const NEARER = 1.15;
/** Room around what is shown. */
const MARGIN = 1.08;
/** More of it around a head that moves. */
const MOVING = 1.12;
/** With a bust below it, what is shown of it: so much below the eyes, as a share of the head's height above its chin. */
const BUST_SHOWN = 0.26;
const CLOSE_ENOUGH = 1e-3;
/** Radians a second by which a head turns round. */
const PACE = 0.5;
/** Of the distance, by which a key moves what is looked at. */
const ASIDE = 0.03;

export class View {
  /** @param {import("three").PerspectiveCamera} camera @param {HTMLCanvasElement} canvas @param {() => void} changed */
  constructor(camera, canvas, changed) {
    this.camera = camera;
    this.canvas = canvas;
    this.changed = changed;
    this.quiet = matchMedia("(prefers-reduced-motion: reduce)");
    this.controls = new OrbitControls(camera, canvas);
    Object.assign(this.controls, { enableDamping: true, dampingFactor: 0.12, rotateSpeed: 0.9, zoomSpeed: 0.8, minPolarAngle: 0.15, maxPolarAngle: Math.PI - 0.15 });
    this.controls.addEventListener("change", changed);
    this.controls.addEventListener("start", () => (this.goal = null));
    this.pressed = (event) => this.#pressed(event);
    this.twice = () => this.reset();
    canvas.addEventListener("keydown", this.pressed);
    canvas.addEventListener("dblclick", this.twice);
    this.home = null;
    /** Where the keys are turning it to. @type {Spherical | null} */
    this.goal = null;
    this.spinning = false;
  }

  /**
   * Show what is in a box.
   * @param {import("three").Box3} box @param {{bust: boolean, moves: boolean, keep: boolean}} how  whether it goes on below
   *   the neck, whether it moves by itself, whether the view stays as it is
   */
  frame(box, { bust, moves, keep }) {
    const size = box.getSize(new Vector3()), middle = box.getCenter(new Vector3());
    let low = box.min.y;
    const half = { width: Math.max(size.x, size.z) / 2, height: size.y / 2, depth: size.z / 2 };
    if (bust) {
      // A head on wide shoulders would be small: they may pass the picture's border.
      low = Math.max(low, -BUST_SHOWN);
      half.width = Math.min(half.width, 0.17);
      half.depth = Math.min(half.depth, 0.13);
    }
    half.height = (box.max.y - low) / 2;
    middle.set(0, (box.max.y + low) / 2, Math.min(middle.z, 0));
    this.box = { middle, half, margin: moves ? MARGIN * MOVING : MARGIN };
    if (keep && this.home) return;
    this.#settle();
    this.#jump();
  }

  #settle() {
    if (!this.box) return;
    const { middle, half, margin } = this.box;
    const slope = Math.tan((this.camera.fov * Math.PI) / 360);
    const away = margin * Math.max(half.height / slope, half.width / (slope * this.camera.aspect)) + 0.45 * half.depth;
    this.home = { middle, away };
    Object.assign(this.controls, { minDistance: away * 0.25, maxDistance: away * 3 });
    Object.assign(this.camera, { near: away * 0.05, far: away * 6 });
    this.camera.updateProjectionMatrix();
  }

  #jump() {
    const { middle, away } = this.home;
    this.goal = null;
    this.controls.target.copy(middle);
    this.camera.position.copy(middle).add(new Vector3(0, 0, away));
    this.controls.update();
    this.changed();
  }

  /** From the front again, as near as at first. */
  reset() {
    if (!this.home) return;
    if (this.quiet.matches) return this.#jump();
    this.goal = new Spherical(this.home.away, Math.PI / 2, 0);
    this.changed();
  }

  /** @param {number} aspect */
  resize(aspect) {
    this.camera.aspect = aspect;
    const share = this.home ? this.camera.position.distanceTo(this.controls.target) / this.home.away : 1;
    this.#settle();
    if (this.home) {
      const { target } = this.controls;
      this.camera.position.sub(target).setLength(share * this.home.away).add(target);
    }
    this.camera.updateProjectionMatrix();
  }

  /** @param {number} across @param {number} up radians @param {number} nearer */
  turn(across, up, nearer = 1) {
    const now = this.goal ?? this.#now();
    const { minPolarAngle, maxPolarAngle, minDistance, maxDistance } = this.controls;
    this.goal = new Spherical(
      Math.min(Math.max(now.radius / nearer, minDistance), maxDistance),
      Math.min(Math.max(now.phi + up, minPolarAngle), maxPolarAngle),
      now.theta + across,
    );
    this.changed();
  }

  #now() {
    return new Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
  }

  /** Turn round and round, or no longer. @param {boolean} on */
  spin(on) {
    this.spinning = on;
    this.goal = null;
    this.before = performance.now();
    this.changed();
  }

  /** Move what is looked at. @param {number} right @param {number} up in steps */
  pan(right, up) {
    const step = ASIDE * this.camera.position.distanceTo(this.controls.target);
    const by = new Vector3(right * step, up * step, 0).applyQuaternion(this.camera.quaternion);
    this.goal = null;
    this.controls.target.add(by);
    this.camera.position.add(by);
    this.changed();
  }

  /** One step of what still moves; whether something does. */
  update() {
    if (this.spinning) this.#spin();
    else if (this.goal) this.#approach();
    return this.controls.update() || this.goal !== null || this.spinning;
  }

  #spin() {
    const now = performance.now(), place = this.#now();
    place.theta += (PACE * Math.min(now - this.before, 100)) / 1000;
    this.before = now;
    this.camera.position.setFromSpherical(place).add(this.controls.target);
  }

  #approach() {
    const now = this.#now(), { goal } = this, { target } = this.controls;
    const share = this.quiet.matches ? 1 : 0.25;
    const turn = ((goal.theta - now.theta + 3 * Math.PI) % (2 * Math.PI)) - Math.PI;
    const next = new Spherical(now.radius + share * (goal.radius - now.radius), now.phi + share * (goal.phi - now.phi), now.theta + share * turn);
    const home = goal.theta === 0 && this.home ? this.home.middle : target;
    target.lerp(home, share);
    this.camera.position.setFromSpherical(next).add(target);
    const left = Math.abs(turn) + Math.abs(goal.phi - now.phi) + Math.abs(goal.radius / now.radius - 1);
    if (left < CLOSE_ENOUGH || share === 1) this.goal = null;
  }

  #pressed(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const aside = { ArrowLeft: [1, 0], ArrowRight: [-1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
    if (event.shiftKey && event.key in aside) {
      event.preventDefault();
      return this.pan(...aside[event.key]);
    }
    const steps = {
      ArrowLeft: () => this.turn(STEP, 0), ArrowRight: () => this.turn(-STEP, 0),
      ArrowUp: () => this.turn(0, STEP), ArrowDown: () => this.turn(0, -STEP),
      "+": () => this.turn(0, 0, NEARER), "=": () => this.turn(0, 0, NEARER), "-": () => this.turn(0, 0, 1 / NEARER),
      0: () => this.reset(), Home: () => this.reset(),
    };
    const step = steps[event.key];
    if (!step) return;
    event.preventDefault();
    step();
  }

  dispose() {
    this.controls.dispose();
    this.canvas.removeEventListener("keydown", this.pressed);
    this.canvas.removeEventListener("dblclick", this.twice);
  }
}
