// What surfaces look like in each mode. Light falls on them as in tronie's own pictures (`tronie/render/shader.py`):
// lamps reach round the terminator, further for red light in skin; hollows are hidden from lamps as well; what is bright
// is bent down below white. The picture of a head holds its photo's colours, and shows them so.

import {
  BufferAttribute, Color, CustomBlending, LinearFilter, MeshPhysicalMaterial, OneFactor, ShaderChunk,
  ShaderMaterial, SRGBColorSpace, ZeroFactor,
} from "three";

/** As in provenance.png: outside, seen, mirrored, filled, synthetic, enhanced, statistical. */
export const PROVENANCE = {
  seen: "#4caf50", mirrored: "#4285f4", filled: "#fb8c00", synthetic: "#ab47bc", enhanced: "#00bcd4",
  statistical: "#ffd54f",
};
const OUTSIDE = "#787878";
/** Viridis, from sure to unsure. */
export const HEAT = [
  "#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e", "#26828e", "#21918c",
  "#1f9f88", "#27ad81", "#3dbc74", "#5cc863", "#81d34d", "#aadc32", "#d5e21a", "#fde725",
];
/** Millimetres of standard deviation that have the last colour. */
export const MOST_MM = 6;

const CLAY = { skin: "#cdc4bc", eyes: "#ebebeb", mouth: "#a87a74" };
/** How much light creeps through: of skin all, of cloth and hair none. */
const TRANSLUCENT = { skin: 1, neck: 1, mouth: 0.7, eyes: 0.3 };
/** Eyes mirror a lamp as a glint of some degrees, not as a point. */
const EYES_ROUGHNESS = 0.24;
/** Of what surrounds them eyes mirror less: rooms are darker than their lamps. */
const EYES_ROOM = 0.25;

const DECLARED = `
uniform float lightWrap, lightGloss, lightSoft, lightPlain, lightAmbient, lightSky;
uniform float translucent, mirrorsLamps, mirrorsRoom;
vec3 reachingRound( float cosine ) {
  vec3 w = lightWrap + lightSoft * translucent * vec3( 0.22, 0.08, 0.03 );
  vec3 s = max( ( cosine + w ) / ( 1.0 + w ), 0.0 );
  return s * sqrt( s );
}
float shadowed( float cosine, float share ) {
  return 1.0 + clamp( 3.0 * ( cosine + 0.1 ), 0.0, 1.0 ) * ( share - 1.0 );
}
`;
// Along the terminator the surface's own bend takes the light away already: there a shadow would be a hard line.
const SHADOW = /directLight\.color \*= (\( directLight\.visible && receiveShadow \) \? getShadow\( directionalShadowMap[^;]*);/;
const DIFFUSE = "reflectedLight.directDiffuse += irradiance * BRDF_Lambert( material.diffuseColor );";
const ROUND = `reflectedLight.directDiffuse += reachingRound( dot( geometryNormal, directLight.direction ) )
  * directLight.color * BRDF_Lambert( material.diffuseColor );`;
// Near black is hair, wherever it hangs: an even gloss would lie over it like fog.
const GLOSS = `
#ifdef HEAD_SKIN
float duller = clamp( max( diffuseColor.r, diffuseColor.g ) * 25.0, 0.15, 1.0 );
material.specularColor *= duller;
material.specularF90 *= duller;
#endif
`;
const AROUND = `
#if defined( RE_IndirectSpecular )
radiance += mirrorsRoom * ( lightAmbient + 0.5 * lightSky
  * ( 1.0 + inverseTransformDirection( reflect( - geometryViewDir, geometryNormal ), viewMatrix ).y ) );
#endif
`;
const HOLLOWS = `
#ifdef USE_AOMAP
float open = texture2D( aoMap, vAoMapUv ).r;
reflectedLight.directDiffuse *= 0.35 + 0.65 * min( open * 1.6, 1.0 );
reflectedLight.indirectDiffuse *= open * ( 1.0 + ( 1.0 - open ) * diffuseColor.rgb );
float hidden = min( 2.0 * open * open, 1.0 );
#else
float hidden = 1.0;
#endif
reflectedLight.directSpecular *= hidden * mirrorsLamps;
reflectedLight.indirectSpecular *= hidden;
`;
const SHOULDER = `
if ( lightPlain < 0.5 ) {
  vec3 over = max( gl_FragColor.rgb - 0.72, 0.0 );
  gl_FragColor.rgb = min( gl_FragColor.rgb, 0.72 ) + 0.28 * ( 1.0 - exp( - over / 0.28 ) );
}
`;

/** Edges of a cut-out as soft as the outline: alpha says how many of a pixel's samples it covers, and nothing more. */
function covered(material) {
  Object.assign(material, {
    alphaToCoverage: true, blending: CustomBlending, blendSrc: OneFactor, blendDst: ZeroFactor, blendSrcAlpha: ZeroFactor,
    blendDstAlpha: OneFactor,
  });
}

/** The shader of a material that light falls on as in our own pictures. */
function ours(material, uniforms, own) {
  material.onBeforeCompile = (shader) => {
    Object.assign(shader.uniforms, uniforms, own);
    const chunk = (name, change) => {
      const text = `#include <${name}>`;
      shader.fragmentShader = shader.fragmentShader.replace(text, () => change(ShaderChunk[name], text));
    };
    chunk("lights_physical_pars_fragment", (text) => DECLARED + text.replace(DIFFUSE, ROUND));
    chunk("lights_physical_fragment", (_, include) => include + GLOSS);
    chunk("lights_fragment_begin", (text) =>
      text.replace(SHADOW, "directLight.color *= shadowed( dot( geometryNormal, directLight.direction ), $1 );"));
    chunk("lights_fragment_maps", () => AROUND);
    chunk("aomap_fragment", () => HOLLOWS);
    chunk("tonemapping_fragment", () => SHOULDER);
    if (material.userData.clay) chunk("map_fragment", (_, include) => `${include}\ndiffuseColor.rgb = diffuse;`);
  };
  material.customProgramCacheKey = () => (material.userData.clay ? "clay" : "textured");
  return material;
}

/**
 * The materials of a surface, by mode; `given` is that of the file.
 * @param {import("three").Material} given @param {boolean} shell @param {object} uniforms those of `Lamps`
 */
export function looks(given, shell, uniforms) {
  const name = given.name, eyes = name === "eyes";
  const gloss = { get value() { return eyes ? 1 : uniforms.lightGloss.value; } };
  const own = {
    translucent: { value: TRANSLUCENT[name] ?? 0 },
    mirrorsLamps: gloss,
    mirrorsRoom: { get value() { return eyes ? EYES_ROOM : gloss.value; } },
  };
  const textured = new MeshPhysicalMaterial();
  if (given.isMeshPhysicalMaterial) textured.copy(given);
  else if (given.isMeshStandardMaterial) {
    for (const key of ["color", "map", "roughness", "roughnessMap", "normalMap", "aoMap", "side", "alphaTest", "name"])
      textured[key] = given[key];
  }
  textured.metalness = 0;
  textured.clearcoat = 0;
  if (eyes) textured.roughness = EYES_ROUGHNESS;
  if (name === "skin") textured.defines.HEAD_SKIN = "";
  if (textured.alphaTest > 0) covered(textured);
  const clay = textured.clone();
  clay.defines = { ...textured.defines };
  clay.color = new Color(CLAY[name] ?? CLAY.skin);
  Object.assign(clay, { normalMap: null, roughnessMap: null, roughness: 0.6, polygonOffset: true });
  Object.assign(clay, { polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
  clay.userData = { ...clay.userData, clay: true };
  delete clay.defines.HEAD_SKIN;
  if (!shell) clay.map = null;
  ours(textured, uniforms, own);
  ours(clay, uniforms, own);
  return { textured, clay, wireframe: clay };
}

const MAP_VERTEX = `
attribute float _provenance, _sigma_mm;
varying vec3 n;
varying vec2 at;
flat varying float kind;
varying float sigma;
void main() {
  n = normalMatrix * normal;
  gl_Position = projectionMatrix * modelViewMatrix * vec4( position, 1.0 );
  at = uv;
  kind = _provenance;
  sigma = _sigma_mm;
}`;
const MAP_FRAGMENT = `
uniform sampler2D picture, heat;
uniform vec3 kinds[ 7 ];
uniform float most;
uniform int shows;
varying vec3 n;
varying vec2 at;
flat varying float kind;
varying float sigma;
vec3 texel( ivec2 at ) {
  return texelFetch( picture, clamp( at, ivec2( 0 ), textureSize( picture, 0 ) - 1 ), 0 ).rgb;
}
bool known( vec3 color ) {
  return max( color.r, max( color.g, color.b ) ) > 0.02;
}
// Between texels, but for those outside a chart, which are black: they would draw lines along its rim.
vec3 there( vec2 place ) {
  vec2 p = place * vec2( textureSize( picture, 0 ) ) - 0.5, part = fract( p );
  ivec2 corner = ivec2( floor( p ) );
  vec4 sum = vec4( 0.0 );
  for ( int k = 0; k < 4; k ++ ) {
    ivec2 by = ivec2( k % 2, k / 2 );
    vec2 share = mix( 1.0 - part, part, vec2( by ) );
    vec3 color = texel( corner + by );
    if ( known( color ) ) sum += share.x * share.y * vec4( color, 1.0 );
  }
  if ( sum.a > 0.001 ) return sum.rgb / sum.a;
  for ( int k = 0; k < 36; k ++ ) {
    vec3 beside = texel( corner + ivec2( k % 6 - 2, k / 6 - 2 ) );
    if ( known( beside ) ) return beside;
  }
  return kinds[ 0 ];
}
void main() {
  vec3 base = kinds[ clamp( int( kind + 0.5 ), 0, 6 ) ];
  if ( shows == 1 ) base = there( at );
  if ( shows == 2 ) base = texture2D( heat, vec2( clamp( sigma / most, 0.004, 0.996 ), 0.5 ) ).rgb;
  vec3 m = normalize( gl_FrontFacing ? n : - n );
  float s = max( ( dot( m, vec3( - 0.291, 0.485, 0.825 ) ) + 0.5 ) / 1.5, 0.0 );
  gl_FragColor = vec4( base * ( 0.53 + 0.05 * m.y + 0.5 * s * sqrt( s ) ), 1.0 );
  #include <colorspace_fragment>
}`;

/**
 * The material of the modes `provenance` and `uncertainty`: colours from a picture over the texture, or from vertices.
 * @param {import("three").Texture} heat
 */
export function mapLook(heat) {
  const kinds = [OUTSIDE, ...Object.values(PROVENANCE)].map((color) => new Color(color));
  return new ShaderMaterial({
    vertexShader: MAP_VERTEX,
    fragmentShader: MAP_FRAGMENT,
    uniforms: {
      picture: { value: null }, heat: { value: heat }, kinds: { value: kinds }, most: { value: MOST_MM }, shows: { value: 0 },
    },
  });
}

/**
 * Attributes that `mapLook` reads, where a file lacks them.
 * @param {import("three").BufferGeometry} geometry @returns {string[]} those that it has
 */
export function withFacts(geometry) {
  const count = geometry.attributes.position.count;
  const names = ["_provenance", "_sigma_mm"], there = names.filter((name) => geometry.attributes[name]);
  for (const name of names)
    if (!geometry.attributes[name]) geometry.setAttribute(name, new BufferAttribute(new Float32Array(count), 1));
  return there;
}

/** A picture of provenance as `mapLook` takes it. @param {import("three").Texture} texture */
export function asMap(texture) {
  texture.colorSpace = SRGBColorSpace;
  texture.flipY = false;
  texture.minFilter = LinearFilter;
  texture.generateMipmaps = false;
  texture.needsUpdate = true;
  return texture;
}
