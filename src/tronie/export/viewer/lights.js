// Light on the head: the lamps and the surrounding of `tronie.render.lights`, by the same names and numbers.

import { DirectionalLight, Color, HemisphereLight, Vector3 } from "three";

/**
 * @typedef {{toward: number[], color: number[], shadow?: boolean}} Lamp  towards the lamp, in the camera's axes (x right,
 *   y up, z to the viewer); linear colour that it adds to a white surface facing it
 * @typedef {{lamps: Lamp[], ambient: number, sky: number, gloss: number, wrap: number, soft: number, plain?: boolean,
 *   dark?: boolean}} Light  `wrap`: 0 is Lambert, above it light reaches round; `soft`: how much it creeps under skin;
 *   `plain`: colours come out as they are; `dark`: it is seen before a dark ground
 */

/** @type {(value: number, warmth?: number) => number[]} */
const grey = (value, warmth = 0) => [value * (1 + warmth), value, value * (1 - 1.3 * warmth)];

/** @type {Record<string, Light>} */
export const LIGHTS = {
  photo: {
    lamps: [{ toward: [-0.5, 0.6, 0.8], color: grey(0.3) }, { toward: [0.7, 0.2, 0.7], color: grey(0.15) }],
    ambient: 0.56, sky: 0.12, gloss: 0.15, wrap: 0.5, soft: 1,
  },
  soft: {
    lamps: [{ toward: [-0.25, 0.55, 0.85], color: grey(0.5), shadow: true }],
    ambient: 0.34, sky: 0.26, gloss: 0.7, wrap: 0.6, soft: 1,
  },
  studio: {
    lamps: [
      { toward: [-0.62, 0.55, 0.75], color: grey(0.86, 0.03), shadow: true },
      { toward: [0.85, 0.1, 0.6], color: grey(0.2, -0.02) },
      { toward: [0.55, 0.45, -0.75], color: grey(0.45) },
    ],
    ambient: 0.16, sky: 0.1, gloss: 0.9, wrap: 0.22, soft: 1,
  },
  rim: {
    lamps: [
      { toward: [-0.9, 0.35, -0.5], color: grey(2.3, -0.08), shadow: true },
      { toward: [0.9, 0.3, -0.55], color: grey(1.9, 0.1) },
      { toward: [-0.2, 0.5, 0.9], color: grey(0.24) },
    ],
    ambient: 0.05, sky: 0.03, gloss: 1, wrap: 0.15, soft: 1, dark: true,
  },
  clay: {
    lamps: [
      { toward: [-0.55, 0.6, 0.75], color: grey(0.8), shadow: true },
      { toward: [0.8, 0.15, 0.45], color: grey(0.22) },
      { toward: [0.3, 0.5, -0.8], color: grey(0.25) },
    ],
    ambient: 0.12, sky: 0.14, gloss: 0.5, wrap: 0.3, soft: 0,
  },
  map: {
    lamps: [{ toward: [-0.3, 0.5, 0.85], color: grey(0.5) }],
    ambient: 0.48, sky: 0.1, gloss: 0, wrap: 0.5, soft: 0, plain: true,
  },
};

/** Those that a textured head may be seen in. */
export const CHOICES = ["photo", "soft", "studio", "rim"];

const MOST = 3;
const SHADOW_SIDE = 512;

/** The light that a mode is seen in: the chosen one where there is a texture. */
export function lightOf(mode, chosen) {
  return mode === "textured" ? chosen : mode === "clay" || mode === "wireframe" ? "clay" : "map";
}

/** The lamps of a scene. They stay with the viewer, as a photographer's do, while the head is turned. */
export class Lamps {
  /** What the shaders of `looks.js` share. */
  uniforms = {
    lightWrap: { value: 0 }, lightGloss: { value: 1 }, lightSoft: { value: 0 }, lightPlain: { value: 0 },
    lightAmbient: { value: 0 }, lightSky: { value: 0 },
  };

  /** @param {import("three").Scene} scene */
  constructor(scene) {
    this.around = new HemisphereLight();
    scene.add(this.around);
    this.lamps = Array.from({ length: MOST }, () => {
      const lamp = new DirectionalLight();
      scene.add(lamp, lamp.target);
      return lamp;
    });
    // One casts a shadow, the first: whether it does changes with the light, where it comes from with the view.
    const [key] = this.lamps;
    key.shadow.mapSize.set(SHADOW_SIDE, SHADOW_SIDE);
    key.shadow.bias = -0.0006;
    key.shadow.normalBias = 0.002;
    key.shadow.radius = 5;
  }

  /** @param {string} name */
  set(name) {
    const light = LIGHTS[name];
    this.light = light;
    this.around.groundColor.copy(new Color().setScalar(light.ambient));
    this.around.color.copy(new Color().setScalar(light.ambient + light.sky));
    this.around.intensity = Math.PI;
    this.lamps.forEach((lamp, k) => {
      const given = light.lamps[k];
      lamp.visible = given !== undefined;
      if (!given) return;
      lamp.color.setRGB(...given.color);
      lamp.intensity = Math.PI;
      lamp.castShadow = given.shadow === true;
    });
    const shared = this.uniforms;
    shared.lightWrap.value = light.wrap;
    shared.lightGloss.value = light.gloss;
    shared.lightSoft.value = light.soft;
    shared.lightPlain.value = light.plain ? 1 : 0;
    shared.lightAmbient.value = light.ambient;
    shared.lightSky.value = light.sky;
  }

  /**
   * Put the lamps where they are for a camera; what they light lies within `radius` of `middle`.
   * @param {import("three").Camera} camera @param {Vector3} middle @param {number} radius
   */
  follow(camera, middle, radius) {
    const toward = new Vector3();
    this.light.lamps.forEach((given, k) => {
      toward.fromArray(given.toward).normalize().applyQuaternion(camera.quaternion);
      this.lamps[k].target.position.copy(middle);
      this.lamps[k].position.copy(middle).addScaledVector(toward, 2 * radius);
    });
    const seen = this.lamps[0].shadow.camera;
    if (seen.right !== radius) {
      Object.assign(seen, { left: -radius, right: radius, top: radius, bottom: -radius, near: radius / 2, far: 4 * radius });
      seen.updateProjectionMatrix();
    }
  }

  dispose() {
    for (const lamp of this.lamps) lamp.dispose();
  }
}
