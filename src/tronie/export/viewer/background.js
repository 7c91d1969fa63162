// What is behind a head: a soft gradient between two colours, drawn with the head so that hair's edges mix with it.

import { Color, Mesh, PlaneGeometry, ShaderMaterial } from "three";

export class Background {
  constructor() {
    const material = new ShaderMaterial({
      vertexShader: "varying vec2 at; void main() { at = position.xy; gl_Position = vec4( position.xy, 1.0, 1.0 ); }",
      fragmentShader: `
        uniform vec3 middle, edge;
        uniform float aspect;
        varying vec2 at;
        void main() {
          vec2 p = at * ( aspect > 1.0 ? vec2( 1.0, 1.0 / aspect ) : vec2( aspect, 1.0 ) ) - vec2( 0.0, 0.1 );
          vec3 color = mix( middle, edge, pow( clamp( length( p ) / 1.4, 0.0, 1.0 ), 1.6 ) );
          float noise = fract( sin( dot( gl_FragCoord.xy, vec2( 12.9898, 78.233 ) ) ) * 43758.5453 ) - 0.5;
          gl_FragColor = vec4( color + noise / 255.0, 1.0 );
        }`,
      uniforms: { middle: { value: new Color() }, edge: { value: new Color() }, aspect: { value: 1 } },
      depthTest: false, depthWrite: false,
    });
    this.mesh = new Mesh(new PlaneGeometry(2, 2), material);
    this.mesh.frustumCulled = false;
    this.mesh.renderOrder = -1;
    this.uniforms = material.uniforms;
  }

  /** @param {string} middle @param {string} edge CSS colours */
  set(middle, edge) {
    // Shown as they are: numbers in sRGB, which nothing converts.
    for (const [name, text] of Object.entries({ middle, edge })) {
      const { value } = this.uniforms[name];
      value.set(text || "#e8e8ea").convertLinearToSRGB();
    }
  }

  dispose() {
    this.mesh.geometry.dispose();
    this.mesh.material.dispose();
  }
}
