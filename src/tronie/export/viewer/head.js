// A head as it stands in a .glb: its surfaces, what can be left off, the face that moves.

import {
  Box3, BufferAttribute, Group, LineBasicMaterial, LineSegments, Mesh, Vector3,
} from "three";
import { looks, withFacts } from "./looks.js";
import { Morphs } from "./morphs.js";
import { motions } from "./motion.js";

/** Shells that go on below the head: a bust takes its neck along. */
const BELOW = ["neck", "bust"];
/** Seen from so far behind, eyes and mouth are left out: an open neck would show them. */
const BEHIND = -0.2;
const WIRE = "#1e405c";

export class ShownHead {
  /** @param {import("./vendor/loaders/GLTFLoader.js").GLTF} gltf @param {object} uniforms those of `Lamps` @param {import("three").Material} map */
  constructor(gltf, uniforms, map) {
    this.motions = motions(gltf.animations);
    this.map = map;
    /** Turned and moved by a clip, about the eyes. */
    this.root = new Group();
    this.root.add(gltf.scene);
    this.name = gltf.parser.json.nodes?.[0]?.name ?? "";
    this.surfaces = [];
    /** What its vertices tell of themselves: `_provenance`, `_sigma_mm`. @type {Set<string>} */
    this.facts = new Set();
    const meshes = [];
    gltf.scene.traverse((node) => node.isMesh && meshes.push(node));
    for (const mesh of meshes) this.surfaces.push(this.#surface(unskinned(mesh, this.root), uniforms));
    if (!this.surfaces.length) throw new Error("There is no mesh in this file.");
    if (this.motions.length) still(gltf);
    const moving = this.surfaces.filter(({ mesh }) => mesh.geometry.morphAttributes.position);
    const named = moving.find(({ mesh }) => mesh.userData.targetNames);
    /** @type {string[]} */
    this.units = named?.mesh.userData.targetNames ?? [];
    /** The file's own weights: the photo's expression. @type {number[]} */
    this.own = this.units.map((_, k) => named.mesh.morphTargetInfluences?.[k] ?? 0);
    this.weights = this.own.slice();
    this.morphs = new Morphs(moving.filter(({ mesh }) => mesh.geometry.index).map(({ mesh }) => mesh));
    this.hidden = new Set();
    /** Whether the weights have changed since the surface was moved. */
    this.moved = true;
  }

  #surface(mesh, uniforms) {
    const shell = mesh.userData.shell ?? null;
    mesh.frustumCulled = false;
    mesh.castShadow = mesh.receiveShadow = true;
    for (const fact of withFacts(mesh.geometry)) this.facts.add(fact);
    if (shell === "bust") this.bust = true;
    return { mesh, shell, name: mesh.material.name, looks: looks(mesh.material, shell !== null, uniforms), wire: null };
  }

  /** Names of what can be left off. */
  get parts() {
    const found = this.surfaces.map(({ shell }) => shell).filter((name) => name !== null);
    return [...new Set(found.map((name) => this.#part(name)))];
  }

  #part(name) {
    return this.bust && BELOW.includes(name) ? "bust" : name;
  }

  /** @param {string} mode */
  show(mode) {
    this.mode = mode;
    const map = mode === "provenance" || mode === "uncertainty";
    for (const surface of this.surfaces) {
      const { mesh, shell, looks: own } = surface;
      const part = this.#part(shell);
      mesh.visible = shell === null || (!map && !this.hidden.has(part));
      mesh.material = map ? this.map : own[mode];
      if (mode === "wireframe") surface.wire ??= this.#wire(mesh);
      if (surface.wire) surface.wire.visible = mode === "wireframe" && shell === null;
    }
  }

  #wire(mesh) {
    const lines = new LineSegments(mesh.geometry.clone(), new LineBasicMaterial({ color: WIRE, transparent: true, opacity: 0.5 }));
    // The same points, so that they move with the face.
    lines.geometry.setAttribute("position", mesh.geometry.attributes.position);
    lines.geometry.setIndex(new BufferAttribute(edges(mesh.geometry.index.array), 1));
    lines.frustumCulled = false;
    mesh.add(lines);
    return lines;
  }

  /** What may not be seen from where the camera is. @param {Vector3} eye */
  seenFrom(eye) {
    const toward = this.root.worldToLocal(eye.clone()).sub(this.middle);
    const behind = toward.z < BEHIND * toward.length();
    for (const { mesh, shell, name } of this.surfaces)
      if (shell === null && (name === "eyes" || name === "mouth")) mesh.visible = !behind;
  }

  /** From the next picture on. @param {number[]} weights */
  pose(weights) {
    this.weights = weights;
    this.moved = true;
  }

  /** Move the surface where the weights want it. */
  settle() {
    if (this.moved) this.morphs.pose(this.weights);
    this.moved = false;
  }

  /** Around all that is shown at rest. */
  get box() {
    this.root.updateWorldMatrix(true, true);
    const box = new Box3();
    for (const { mesh } of this.surfaces) {
      mesh.geometry.computeBoundingBox();
      box.union(mesh.geometry.boundingBox.clone().applyMatrix4(mesh.matrixWorld));
    }
    this.middle = box.getCenter(new Vector3());
    return box;
  }

  dispose() {
    for (const { mesh, looks: own, wire } of this.surfaces) {
      mesh.geometry.dispose();
      wire?.geometry.dispose();
      wire?.material.dispose();
      for (const material of new Set(Object.values(own))) {
        for (const value of Object.values(material)) if (value?.isTexture) dispose(value);
        material.dispose();
      }
    }
    this.root.removeFromParent();
  }
}

/** Joints stay as they are in here: a mesh that follows them lies where it lies. */
function unskinned(mesh, root) {
  if (!mesh.isSkinnedMesh) return mesh;
  const plain = new Mesh(mesh.geometry, mesh.material);
  Object.assign(plain, { name: mesh.name, userData: mesh.userData });
  if (mesh.morphTargetInfluences) plain.morphTargetInfluences = mesh.morphTargetInfluences.slice();
  mesh.removeFromParent();
  root.add(plain);
  return plain;
}

function dispose(texture) {
  texture.source?.data?.close?.();
  texture.dispose();
}

/** A clip's head stands in its camera's room: bring it home, where `ShownHead.root` moves it. */
function still(gltf) {
  for (const channel of gltf.parser.json.animations[0].channels) {
    if (channel.target.path !== "translation") continue;
    for (const [object, place] of gltf.parser.associations)
      if (place.nodes === channel.target.node && object.isObject3D) {
        object.position.set(0, 0, 0);
        object.quaternion.identity();
        object.updateMatrix();
      }
  }
}

/** The sides of the quads that triangles are halves of: two that follow each other, without what they share. */
function edges(index) {
  const lines = [], seen = new Set();
  const add = (a, b) => {
    const key = a < b ? a * 65536 + b : b * 65536 + a;
    if (!seen.has(key)) seen.add(key), lines.push(a, b);
  };
  for (let t = 0; t < index.length; t += 3) {
    const own = [index[t], index[t + 1], index[t + 2]];
    const next = [index[t + 3], index[t + 4], index[t + 5]];
    const shared = own.filter((corner) => next.includes(corner));
    const sides = (corners) => corners.map((corner, k) => [corner, corners[(k + 1) % 3]]);
    const kept = ([a, b]) => shared.length !== 2 || !shared.includes(a) || !shared.includes(b);
    for (const [a, b] of sides(own)) if (kept([a, b])) add(a, b);
    if (shared.length !== 2) continue;
    for (const [a, b] of sides(next)) if (kept([a, b])) add(a, b);
    t += 3;
  }
  return Uint32Array.from(lines);
}
