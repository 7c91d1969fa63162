// Expressions by the units of ARKit: groups for people to find them in, presets as `tronie render` has them, gaze.

/** @type {Record<string, Record<string, number>>} */
export const PRESETS = {
  smile: {
    mouthSmileLeft: 0.85, mouthSmileRight: 0.85, cheekSquintLeft: 0.5, cheekSquintRight: 0.5, eyeSquintLeft: 0.35,
    eyeSquintRight: 0.35, mouthUpperUpLeft: 0.25, mouthUpperUpRight: 0.25, jawOpen: 0.06,
  },
  wink: {
    eyeBlinkLeft: 1.0, eyeSquintLeft: 0.5, cheekSquintLeft: 0.6, mouthSmileLeft: 0.55, mouthSmileRight: 0.2,
    browDownLeft: 0.3,
  },
  "jaw open": { jawOpen: 0.8 },
};

const GROUPS = [["Brows", /^brow/], ["Eyes", /^eye/], ["Jaw", /^jaw/], ["Mouth", /^mouth/], ["Cheeks, nose, tongue", /./]];

/** Names of units by group, each group in the order given. @param {string[]} units */
export function grouped(units) {
  const left = new Set(units);
  return GROUPS.map(([name, pattern]) => {
    const own = [...left].filter((unit) => pattern.test(unit));
    for (const unit of own) left.delete(unit);
    return { name, units: own };
  }).filter((group) => group.units.length);
}

/** `mouthSmileLeft` -> `Mouth smile left`. @param {string} name */
export function spoken(name) {
  const text = name.replace(/(?<=[a-z0-9])(?=[A-Z])/g, " ").replaceAll("_", " ").toLowerCase();
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Weights of the units that turn both eyes. @param {number} across -1 to 1, to the viewer's right @param {number} up -1 to 1 */
export function gaze(across, up) {
  // The viewer's right is the subject's left.
  const right = Math.max(across, 0), left = Math.max(-across, 0), high = Math.max(up, 0), low = Math.max(-up, 0);
  return {
    eyeLookOutLeft: right, eyeLookInRight: right, eyeLookInLeft: left, eyeLookOutRight: left,
    eyeLookUpLeft: high, eyeLookUpRight: high, eyeLookDownLeft: low, eyeLookDownRight: low,
  };
}
