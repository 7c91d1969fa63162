// A head in 3D, to be looked at from all sides. Draws only when something has changed.

import {
  Color, DataTexture, LinearFilter, NoToneMapping, PCFShadowMap, PerspectiveCamera, Scene, SRGBColorSpace, TextureLoader,
  Vector3, WebGLRenderer,
} from "three";
import { Background } from "./background.js";
import { PRESETS } from "./expressions.js";
import { ShownHead } from "./head.js";
import { Lamps, lightOf } from "./lights.js";
import { HEAT, asMap, mapLook } from "./looks.js";
import { Player } from "./motion.js";
import { View } from "./view.js";
import { GLTFLoader } from "./vendor/loaders/GLTFLoader.js";
import { words as wordsOf } from "./words.js";

export const MODES = ["textured", "clay", "wireframe", "provenance", "uncertainty"];
const MOST_PIXEL_RATIO = 2;
/** Vertical field of view, degrees. A head fills it from about 1.15 m, as portraits are taken. */
const LENS = 20;
/** Of a picture that is taken, pixels of the longer side. */
const PICTURE_SIDE = 2048;

/**
 * Events: `ready` (another head is shown), `frame` (a picture of an animation was drawn: {time, seconds, playing}),
 * `expression` (weights have changed), `look` (mode, light, parts or whether it turns have), `lost` and `restored` (the graphics context).
 */
export class HeadViewer extends EventTarget {
  #frame = 0;
  #mode = "textured";
  #light = "photo";
  #player = new Player();

  /** @param {HTMLElement} element where the picture goes: it fills it @param {{words?: import("./words.js").Words}} options */
  constructor(element, { words = wordsOf() } = {}) {
    super();
    this.element = element;
    this.renderer = new WebGLRenderer({ antialias: true, powerPreference: "default" });
    this.canvas = this.renderer.domElement;
    this.canvas.className = "head-canvas";
    this.speak(words);
    element.append(this.canvas);
    Object.assign(this.renderer, { outputColorSpace: SRGBColorSpace, toneMapping: NoToneMapping, autoClear: true });
    Object.assign(this.renderer.shadowMap, { enabled: true, type: PCFShadowMap });
    this.scene = new Scene();
    this.background = new Background();
    this.scene.add(this.background.mesh);
    this.camera = new PerspectiveCamera(LENS, 1, 0.05, 20);
    this.lamps = new Lamps(this.scene);
    this.lamps.set(this.#light);
    this.map = mapLook(heat());
    this.view = new View(this.camera, this.canvas, () => this.invalidate());
    /** @type {ShownHead | null} */
    this.head = null;
    this.canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      if (!this.disposed) this.#tell("lost");
    });
    this.canvas.addEventListener("webglcontextrestored", () => {
      this.#tell("restored");
      this.invalidate();
    });
    this.sizes = new ResizeObserver(() => this.#resize());
    this.sizes.observe(element);
    this.themes = matchMedia("(prefers-color-scheme: dark)");
    this.recolor = () => (this.#ground(), this.invalidate());
    this.themes.addEventListener("change", this.recolor);
    this.themed = new MutationObserver(this.recolor);
    this.themed.observe(document.documentElement, { attributes: true, attributeFilter: ["data-theme"] });
    this.#resize();
    this.#ground();
  }

  /** The canvas in another language. @param {import("./words.js").Words} words */
  speak(words) {
    this.words = words;
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "application");
    this.canvas.setAttribute("aria-roledescription", words("3D view"));
    this.canvas.setAttribute("aria-label", words("The head in 3D. Arrow keys turn it, plus and minus bring it nearer, 0 looks from the front."));
  }

  /**
   * Show a head in place of the one before. A later call overtakes an earlier one, which then gives false.
   * @param {ArrayBuffer | string} glb its bytes or an address
   * @param {{provenance?: string | null, keep?: boolean}} maps addresses of pictures over the
   *   texture; `keep`: the view stays as it is
   */
  async load(glb, { provenance = null, keep = false } = {}) {
    const turn = (this.loading = {});
    const data = typeof glb === "string" ? await bytes(glb) : glb;
    const gltf = await new GLTFLoader().parseAsync(data, "");
    const picture = provenance ? await new TextureLoader().loadAsync(provenance).then(asMap, () => null) : null;
    if (turn !== this.loading) return false;
    this.head?.dispose();
    this.#player.stop();
    this.head = new ShownHead(gltf, this.lamps.uniforms, this.map);
    this.map.uniforms.picture.value?.dispose();
    this.map.uniforms.picture.value = picture;
    this.scene.add(this.head.root);
    const { box } = this.head;
    this.view.frame(box, { bust: this.head.parts.includes("bust"), moves: this.head.motions.length > 0, keep });
    this.middle = box.getCenter(new Vector3());
    this.radius = box.getSize(new Vector3()).length() / 2;
    this.setMode(this.modes().includes(this.#mode) ? this.#mode : "textured");
    this.#tell("ready");
    return true;
  }

  /** Those of MODES that this head has something to show in. */
  modes() {
    const { facts } = this.head ?? { facts: new Set() };
    const there = {
      provenance: facts.has("_provenance") || this.map.uniforms.picture.value !== null, uncertainty: facts.has("_sigma_mm"),
    };
    return MODES.filter((mode) => there[mode] ?? true);
  }

  get mode() { return this.#mode; }
  get light() { return this.#light; }

  setMode(mode) {
    if (!MODES.includes(mode)) throw new Error(`There is no mode ${mode}.`);
    this.#mode = mode;
    this.head?.show(mode);
    const { shows, picture } = this.map.uniforms;
    shows.value = mode === "uncertainty" ? 2 : picture.value ? 1 : 0;
    this.lamps.set(lightOf(mode, this.#light));
    this.#ground();
    this.#tell("look");
    this.invalidate();
  }

  setLight(name) {
    this.#light = name;
    this.setMode(this.#mode);
  }

  /** What can be moved, and how far it is. */
  units() {
    return this.head ? this.head.units.map((name, k) => ({ name, value: this.head.weights[k] })) : [];
  }

  /** The photo's own expression. */
  own() {
    return this.head ? Object.fromEntries(this.head.units.map((name, k) => [name, this.head.own[k]])) : {};
  }

  /** @param {Record<string, number>} weights by unit; what is missing is 0 @param {boolean} only: what is missing stays */
  setExpression(weights, only = false) {
    if (!this.head) return;
    const { units, weights: now } = this.head;
    this.#pose(units.map((name, k) => (name in weights ? Math.min(Math.max(weights[name], 0), 1) : only ? now[k] : 0)));
  }

  /** Those that this head can show. */
  presets() {
    const units = new Set(this.head?.units);
    return Object.fromEntries(Object.entries(PRESETS).filter(([, own]) => Object.keys(own).every((unit) => units.has(unit))));
  }

  parts() {
    return this.head ? this.head.parts.map((name) => ({ name, shown: !this.head.hidden.has(name) })) : [];
  }

  showPart(name, shown) {
    if (!this.head) return;
    this.head.hidden[shown ? "delete" : "add"](name);
    this.head.show(this.#mode);
    this.#tell("look");
    this.invalidate();
  }

  animations() {
    return this.head ? this.head.motions.map(({ name, seconds }) => ({ name, seconds })) : [];
  }

  get playing() { return this.#player.playing; }
  get time() { return this.#player.time; }

  /** From where it was, round and round. @param {string} [name] the first without */
  play(name) {
    if (this.#player.play(this.head?.motions ?? [], name)) this.invalidate();
  }

  pause() {
    if (!this.playing) return;
    this.#player.pause();
    this.#said();
  }

  /** @param {number} seconds */
  seek(seconds) {
    if (!this.#player.seek(this.head?.motions ?? [], seconds)) return;
    this.#follow();
    this.invalidate();
  }

  /** Leave the animation: the head looks straight ahead. */
  stop() {
    this.#player.stop();
    this.head?.root.quaternion.identity();
    this.head?.root.position.set(0, 0, 0);
    this.#said();
    this.invalidate();
  }

  resetView() {
    this.turnRound(false);
    this.view.reset();
  }

  get turning() { return this.view.spinning; }

  /** Turn the head round and round, or no longer. @param {boolean} on */
  turnRound(on) {
    if (on === this.turning) return;
    this.view.spin(on);
    this.#tell("look");
  }

  /** As it is seen now. @returns {Promise<Blob>} */
  async picture(side = PICTURE_SIDE) {
    const { width, height } = this.canvas, scale = side / Math.max(width, height);
    this.renderer.setPixelRatio(1);
    this.renderer.setSize(Math.round(width * scale), Math.round(height * scale), false);
    this.#draw();
    const done = new Promise((resolve, reject) =>
      this.canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("No picture was made."))), "image/png"));
    this.#resize();
    this.#draw();
    return done;
  }

  /** Draw soon. */
  invalidate() {
    if (!this.#frame && !this.disposed) this.#frame = requestAnimationFrame((now) => this.#step(now));
  }

  dispose() {
    this.disposed = true;
    cancelAnimationFrame(this.#frame);
    this.sizes.disconnect();
    this.themed.disconnect();
    this.themes.removeEventListener("change", this.recolor);
    this.view.dispose();
    this.head?.dispose();
    this.lamps.dispose();
    this.background.dispose();
    this.map.dispose();
    this.renderer.dispose();
    // Browsers keep a few contexts only, and let go of a canvas when they please.
    this.renderer.forceContextLoss();
    this.canvas.remove();
  }

  #step(now) {
    this.#frame = 0;
    if (this.#player.step(now)) this.#follow();
    const moving = this.view.update();
    this.#draw();
    if (moving || this.playing) this.invalidate();
  }

  #draw() {
    if (this.head) {
      this.head.settle();
      this.lamps.follow(this.camera, this.middle, this.radius);
      this.head.seenFrom(this.camera.position);
    }
    this.renderer.render(this.scene, this.camera);
  }

  #follow() {
    const { weights, turn, shift } = this.#player.now();
    this.head.root.quaternion.copy(turn);
    this.head.root.position.copy(shift);
    if (weights && weights.length === this.head.units.length) this.#pose(weights);
    this.#said();
  }

  #said() {
    const { time, seconds, playing } = this.#player;
    this.#tell("frame", { time, seconds, playing });
  }

  #pose(weights) {
    this.head.pose(weights);
    this.#tell("expression");
    this.invalidate();
  }

  #resize() {
    const { clientWidth, clientHeight } = this.element;
    if (!clientWidth || !clientHeight) return;
    this.renderer.setPixelRatio(Math.min(devicePixelRatio || 1, MOST_PIXEL_RATIO));
    this.renderer.setSize(clientWidth, clientHeight, false);
    this.background.uniforms.aspect.value = clientWidth / clientHeight;
    this.view.resize(clientWidth / clientHeight);
    this.invalidate();
  }

  #ground() {
    const style = getComputedStyle(this.element);
    const dark = this.lamps.light.dark ? "-dark" : "";
    this.background.set(style.getPropertyValue(`--stage${dark}`).trim(), style.getPropertyValue(`--stage${dark}-edge`).trim());
    this.element.toggleAttribute("data-dark-stage", Boolean(dark));
  }

  #tell(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}

async function bytes(address) {
  const answer = await fetch(address);
  if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
  return answer.arrayBuffer();
}

/** The scale of colours of uncertainty, as a texture. */
function heat() {
  const data = new Uint8Array(HEAT.flatMap((text) => {
    const { r, g, b } = new Color(text).convertLinearToSRGB();
    return [r, g, b, 1].map((x) => Math.round(255 * x));
  }));
  const texture = new DataTexture(data, HEAT.length, 1);
  Object.assign(texture, { colorSpace: SRGBColorSpace, minFilter: LinearFilter, magFilter: LinearFilter, needsUpdate: true });
  return texture;
}
