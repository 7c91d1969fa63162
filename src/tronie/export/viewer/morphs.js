// Faces that move, on the processor: only the vertices that a unit moves are touched, and normals follow the surface,
// so that a smile is shaded as one. A file need not hold normals for each of 52 morph targets, nor a phone's GPU all of them.

/** @typedef {import("three").Mesh} Mesh */

export class Morphs {
  /** @param {Mesh[]} meshes those with morph targets; the first few are the head's, which share a surface */
  constructor(meshes) {
    this.units = meshes.length ? meshes[0].userData.targetNames ?? [] : [];
    this.pieces = meshes.map((mesh) => new Piece(mesh));
    weld(this.pieces.filter(({ turns }) => turns));
  }

  /** @param {number[]} weights one for each unit */
  pose(weights) {
    for (const piece of this.pieces) piece.move(weights);
    const turning = this.pieces.filter(({ turns }) => turns);
    if (!turning.length) return;
    const normals = this.#sums(turning);
    for (const piece of turning) piece.turn(normals, this.still);
  }

  /** The sum of the triangles' normals at each welded vertex; at rest once, of length 1. */
  #sums(pieces) {
    const count = 3 * Math.max(...pieces.map(({ most }) => most));
    if (!this.still) {
      this.still = new Float32Array(count);
      for (const piece of pieces) piece.gather(piece.rest, this.still);
      unit(this.still);
      this.sums = new Float32Array(count);
    }
    this.sums.fill(0);
    for (const piece of pieces) piece.gather(piece.points.array, this.sums);
    return this.sums;
  }
}

class Piece {
  constructor(mesh) {
    const { geometry } = mesh;
    this.points = geometry.attributes.position;
    this.normals = geometry.attributes.normal;
    this.rest = this.points.array.slice();
    this.upright = this.normals.array.slice();
    this.index = geometry.index.array;
    /** A hair of the lids is too thin to be shaded anew. */
    this.turns = !mesh.userData.shell;
    this.moves = (geometry.morphAttributes.position ?? []).map(sparse);
    // The renderer would move them once more.
    geometry.morphAttributes = {};
  }

  move(weights) {
    const now = this.points.array;
    now.set(this.rest);
    weights.forEach((weight, unit) => {
      const move = this.moves[unit];
      if (!weight || !move) return;
      const { rows, by } = move;
      for (let k = 0; k < rows.length; k++) {
        const row = 3 * rows[k];
        now[row] += weight * by[3 * k];
        now[row + 1] += weight * by[3 * k + 1];
        now[row + 2] += weight * by[3 * k + 2];
      }
    });
    this.points.needsUpdate = true;
  }

  gather(points, sums) {
    const { index, welded } = this;
    for (let t = 0; t < index.length; t += 3) {
      const a = 3 * index[t], b = 3 * index[t + 1], c = 3 * index[t + 2];
      const ux = points[b] - points[a], uy = points[b + 1] - points[a + 1], uz = points[b + 2] - points[a + 2];
      const vx = points[c] - points[a], vy = points[c + 1] - points[a + 1], vz = points[c + 2] - points[a + 2];
      const nx = uy * vz - uz * vy, ny = uz * vx - ux * vz, nz = ux * vy - uy * vx;
      const i = 3 * welded[index[t]], j = 3 * welded[index[t + 1]], k = 3 * welded[index[t + 2]];
      sums[i] += nx, sums[i + 1] += ny, sums[i + 2] += nz;
      sums[j] += nx, sums[j + 1] += ny, sums[j + 2] += nz;
      sums[k] += nx, sums[k + 1] += ny, sums[k + 2] += nz;
    }
  }

  /** The file's normals, turned by as much as the surface is. */
  turn(sums, still) {
    const { welded, upright } = this, out = this.normals.array;
    for (let v = 0; v < welded.length; v++) {
      const row = 3 * welded[v], at = 3 * v;
      const a = sums[row], b = sums[row + 1], c = sums[row + 2];
      const s = 1 / (Math.sqrt(a * a + b * b + c * c) || 1);
      const x = upright[at] + s * a - still[row];
      const y = upright[at + 1] + s * b - still[row + 1];
      const z = upright[at + 2] + s * c - still[row + 2];
      const r = 1 / (Math.sqrt(x * x + y * y + z * z) || 1);
      out[at] = r * x;
      out[at + 1] = r * y;
      out[at + 2] = r * z;
    }
    this.normals.needsUpdate = true;
  }
}

/** Rows of three, made of length 1. */
function unit(rows) {
  for (let k = 0; k < rows.length; k += 3) {
    const r = 1 / (Math.sqrt(rows[k] ** 2 + rows[k + 1] ** 2 + rows[k + 2] ** 2) || 1);
    for (let i = 0; i < 3; i++) rows[k + i] *= r;
  }
}

/** The rows of a morph target that are not zero. */
function sparse(attribute) {
  const { array } = attribute, rows = [];
  for (let k = 0; k < attribute.count; k++) if (array[3 * k] || array[3 * k + 1] || array[3 * k + 2]) rows.push(k);
  const by = new Float32Array(3 * rows.length);
  rows.forEach((row, k) => by.set(array.subarray(3 * row, 3 * row + 3), 3 * k));
  return { rows: Uint32Array.from(rows), by };
}

/** Vertices that are one on the surface, and apart only for their place in the texture or their material. */
function weld(pieces) {
  const known = new Map();
  for (const piece of pieces) {
    piece.welded = new Uint32Array(piece.points.count);
    const p = piece.rest, n = piece.upright;
    for (let v = 0; v < piece.welded.length; v++) {
      const k = 3 * v;
      const key = `${p[k]},${p[k + 1]},${p[k + 2]},${n[k]},${n[k + 1]},${n[k + 2]}`;
      let found = known.get(key);
      if (found === undefined) known.set(key, found = known.size);
      piece.welded[v] = found;
    }
  }
  for (const piece of pieces) piece.most = known.size;
}
