"""Make docs/images/materials.jpg: the same heads in the same light, drawn by tronie, three.js and model-viewer.

    npm install --legacy-peer-deps three @google/model-viewer puppeteer-core
    python docs/images/make_materials.py FOLDER OFFICIAL NODE_MODULES [CHROMIUM]

FOLDER has the CC0 portraits of people who do not exist, OFFICIAL official portraits in the public domain. Each row is a
person: from the front and from the side in the light of `preset("photo")`, which browsers get as a panorama; then from
behind in the light that model-viewer has by itself.
"""

from __future__ import annotations

import base64
import json
import math
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

import tronie
from tronie.head.harmonics import directions
from tronie.io.encode import hdr
from tronie.outputs import USUAL
from tronie.render.figure import Figure, figure_of
from tronie.render.film import orbit
from tronie.render.lights import Lighting, preset
from tronie.render.renderer import Look, Scene, render

PEOPLE = ("official:obama", "male_30", "male_12")
CELL, YAWS, ZOOM, BACK = 232, (0, 55), 1.1, 160
PAPER = (236, 236, 238)

PAGE = """<body style="margin:0"><script type="importmap">{"imports": {
"three": "/node_modules/three/build/three.module.js", "three/addons/": "/node_modules/three/examples/jsm/"}}</script>
<model-viewer id="v" interaction-prompt="none" interpolation-decay="1" loading="eager"
 style="width:SIDEpx;height:SIDEpx;display:block"></model-viewer>
<script type="module" src="/node_modules/@google/model-viewer/dist/model-viewer.min.js"></script>
<script type="module">
import * as THREE from "three";
import { GLTFLoader } from "three/addons/loaders/GLTFLoader.js";
import { HDRLoader } from "three/addons/loaders/HDRLoader.js";
const renderer = new THREE.WebGLRenderer({ antialias: true, alpha: true, preserveDrawingBuffer: true });
renderer.setSize(SIDE, SIDE);
renderer.setClearColor(0, 0);
const heads = new Map();
window.three = async (file, light, fov, target, distance, angle) => {
  if (!heads.has(file)) heads.set(file, (await new GLTFLoader().loadAsync(file)).scene);
  const scene = new THREE.Scene(), sky = await new HDRLoader().loadAsync(light);
  sky.mapping = THREE.EquirectangularReflectionMapping;
  scene.environment = sky;
  scene.add(heads.get(file));
  const camera = new THREE.PerspectiveCamera(fov, 1, 0.05, 10), [x, y, z] = target;
  camera.position.set(x + distance * Math.sin(angle), y, z + distance * Math.cos(angle));
  camera.lookAt(x, y, z);
  renderer.render(scene, camera);
  return renderer.domElement.toDataURL("image/png");
};
await customElements.whenDefined("model-viewer");
const viewer = document.getElementById("v"), frame = () => new Promise(requestAnimationFrame);
const change = (set) => new Promise((done, failed) => {
  viewer.addEventListener("load", done, { once: true });
  viewer.addEventListener("error", failed, { once: true });
  set();
});
window.viewed = async (file, light, fov, target, distance, angle) => {
  if (viewer.dataset.file !== file) await change(() => { viewer.src = viewer.dataset.file = file; });
  if ((viewer.environmentImage ?? null) !== light) {
    const lit = new Promise((done) => viewer.addEventListener("environment-change", done, { once: true }));
    viewer.environmentImage = light;
    await lit;
  }
  viewer.minFieldOfView = "1deg";
  viewer.minCameraOrbit = viewer.maxCameraOrbit = "auto auto auto";
  viewer.cameraTarget = target.map((n) => `${n}m`).join(" ");
  viewer.cameraOrbit = `${angle}rad 90deg ${distance}m`;
  viewer.fieldOfView = `${fov}deg`;
  await viewer.updateComplete;
  viewer.jumpCameraToGoal();
  for (let k = 0; k < 4; k++) await frame();
  return viewer.toDataURL("image/png");
};
window.ready = true;
</script></body>"""

DRIVE = """import { createServer } from "node:http";
import { readFileSync, existsSync } from "node:fs";
import { extname, join } from "node:path";
import puppeteer from "puppeteer-core";
const [folder, modules, browser] = process.argv.slice(2);
const kinds = { ".html": "text/html", ".js": "text/javascript", ".glb": "model/gltf-binary" };
const server = createServer((asked, answer) => {
  const path = decodeURIComponent(asked.url.split("?")[0]).replace(/^\\/node_modules/, "");
  const file = join(asked.url.startsWith("/node_modules") ? modules : folder, path);
  if (!existsSync(file)) return answer.writeHead(404).end();
  answer.writeHead(200, { "content-type": kinds[extname(file)] ?? "application/octet-stream" }).end(readFileSync(file));
}).listen(0, "127.0.0.1");
const chrome = await puppeteer.launch({ executablePath: browser, headless: true, protocolTimeout: 600000,
  args: ["--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader"] });
const page = await chrome.newPage(), shots = [];
page.on("pageerror", (error) => console.error(error.message));
await page.setViewport({ width: 800, height: 800 });
await page.goto(`http://127.0.0.1:${server.address().port}/page.html`);
await page.waitForFunction("window.ready", { timeout: 120000 });
const views = JSON.parse(readFileSync(join(folder, "views.json")));
// model-viewer's very first picture is one of its own choice.
await page.evaluate((view) => window.viewed(...view), views.find(([name]) => name === "viewed").slice(1));
for (const [name, ...view] of views)
  shots.push(await page.evaluate((name, view) => window[name](...view), name, view));
await chrome.close();
server.close();
console.log(JSON.stringify(shots));
"""


def main(folder: Path, official: Path, modules: Path, browser: str = "/usr/bin/chromium") -> None:
    settings = tronie.Settings.model_validate({"only": "texture", "outputs": USUAL})
    pipeline, photo = tronie.Pipeline(settings), preset("photo")
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        rows, views = [], []
        for number, who in enumerate(PEOPLE):
            kind, _, which = who.partition(":")
            path = official / f"{which}.jpg" if which else folder / f"{kind}.webp"
            face = pipeline.run(path)
            tronie.save(face, place, name=str(number))
            (place / f"{number}.glb").write_bytes((place / str(number) / "face-1" / "head.glb").read_bytes())
            figure = figure_of(face.faces[0])
            row = []
            for yaw in (*YAWS, BACK):
                camera, pose = orbit(figure, (CELL, CELL), yaw, 0, ZOOM)
                (place / f"{yaw}.hdr").write_bytes(hdr(panorama(photo, pose[:3, :3])))
                row.append(render(Scene(figure, camera, pose, Look("textured", photo, PAPER, 4), figure.weights)))
                seen = view(figure, camera.focal, pose)
                for program in ("three", "viewed"):
                    light = None if yaw == BACK and program == "viewed" else f"/{yaw}.hdr"
                    views.append((program, f"/{number}.glb", light, *seen))
            rows.append(row)
        (place / "page.html").write_text(PAGE.replace("SIDE", str(CELL)))
        (place / "views.json").write_text(json.dumps(views))
        (place / "drive.mjs").write_text(DRIVE)
        (place / "node_modules").symlink_to(modules.resolve())
        said = subprocess.run(
            ["node", place / "drive.mjs", place, modules.resolve(), browser],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    shots = iter([over_paper(shot) for shot in json.loads(said.stdout)])
    lines = [[picture for own in row for picture in (own, next(shots), next(shots))] for row in rows]
    heads = Image.fromarray(np.concatenate([np.concatenate(line, axis=1) for line in lines]))
    out = Image.new("RGB", (heads.width, heads.height + 22), PAPER)
    out.paste(heads, (0, 22))
    draw, font = ImageDraw.Draw(out), ImageFont.load_default(13)
    for k in range(9):
        draw.text((k * CELL + 8, 4), ("tronie", "three.js", "model-viewer")[k % 3], (70, 74, 80), font)
    out.save(Path(__file__).with_name("materials.jpg"), quality=84, optimize=True, progressive=True)


def panorama(lighting: Lighting, to_camera: np.ndarray) -> np.ndarray:
    """(64, 128, 3) the light around a head that is turned so, laid out for a file that looks straight ahead."""
    v = directions(64, 128)[0] @ to_camera.T
    out = np.zeros(v.shape) + lighting.ambient + 0.5 * np.asarray(lighting.sky) * (1 - v[..., 1:2])
    for lamp in lighting.lamps:
        s = 2 / math.radians(lamp.width) ** 2
        toward = np.asarray(lamp.direction) / np.linalg.norm(lamp.direction)
        out += s / 2 * np.exp(s * (v @ toward - 1))[..., None] * lamp.color
    return out


def view(figure: Figure, focal: float, pose: np.ndarray) -> tuple[float, list[float], float, float]:
    """Degrees the picture is high, what the camera looks at, how far it is from there (metres), and its angle."""
    eye, ahead = -pose[:3, :3].T @ pose[:3, 3], pose[:3, :3].T @ [0, 0, 1]
    distance = float((figure.middle - eye) @ ahead)
    target = (eye + distance * ahead) / 1000
    fov = math.degrees(2 * math.atan(CELL / 2 / focal))
    return fov, target.tolist(), distance / 1000, math.atan2(-ahead[0], -ahead[2])


def over_paper(shot: str) -> np.ndarray:
    data = np.frombuffer(base64.b64decode(shot.partition(",")[2]), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    alpha = image[..., 3:] / 255
    mixed = image[..., 2::-1] * alpha + (1 - alpha) * PAPER
    return cv2.resize(np.round(mixed).astype(np.uint8), (CELL, CELL), interpolation=cv2.INTER_AREA)


if __name__ == "__main__":
    main(*(Path(a) for a in sys.argv[1:4]), *sys.argv[4:])
