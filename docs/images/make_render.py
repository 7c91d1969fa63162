"""The strip of docs/render.md: python docs/images/make_render.py PHOTO"""

import sys
from pathlib import Path

import numpy as np

import tronie
from tronie.io.encode import jpeg
from tronie.outputs import USUAL
from tronie.render.figure import figure_of
from tronie.render.film import EXPRESSIONS, graded, orbit
from tronie.render.lights import Lighting, preset, surrounding
from tronie.render.renderer import Look, Scene, render

SIDE = 256
LIGHT, DARK = graded((SIDE, SIDE), dither=False), graded((SIDE, SIDE), 58, 40, dither=False)


def sky() -> np.ndarray:
    """A made-up evening: a low sun to the right, blue above, warm ground."""
    y, x = np.mgrid[:64, :128] / np.array([64, 128])[:, None, None]
    up = np.clip(1 - 2 * y, -1, 1)[..., None]
    out = np.where(up > 0, 0.35 + up * np.array([0.0, 0.15, 0.45]), np.array([0.22, 0.15, 0.1]))
    sun = np.exp(-(((x - 0.9) / 0.035) ** 2) - ((y - 0.4) / 0.06) ** 2)[..., None]
    return out + 40 * sun * np.array([1.0, 0.62, 0.3])


def main(photo: str) -> None:
    settings = tronie.Settings(only="texture", outputs=(*USUAL, "albedo"))
    figure = figure_of(tronie.reconstruct(photo, settings).faces[0])

    def shot(yaw=0.0, light="photo", mode="textured", weights=None, background=LIGHT):
        camera, pose = orbit(figure, (SIDE, SIDE), yaw)
        lighting = light if isinstance(light, Lighting) else preset(light)
        weights = figure.weights if weights is None else weights
        return render(Scene(figure, camera, pose, Look(mode, lighting, background, 4), weights))

    evening = Lighting(surrounding=surrounding(sky()))
    rows = [
        [shot(yaw) for yaw in (0, 45, 90, 180, -90, -45)],
        [shot(20, weights=EXPRESSIONS[name]) for name in EXPRESSIONS]
        + [shot(20, weights={name: 1.0}) for name in ("cheekPuff", "mouthFunnel", "browInnerUp")],
        [shot(25, name, background=DARK if name == "rim" else LIGHT) for name in ("photo", "studio", "rim", "soft")]
        + [shot(25, evening), shot(25, "studio", "clay")],
        [shot(-25, "clay", "clay"), shot(-25, "clay", "wireframe")]
        + [shot(yaw, "map", mode) for mode in ("provenance", "uncertainty") for yaw in (-25, -110)],
    ]
    picture = np.concatenate([np.concatenate(row, axis=1) for row in rows])
    Path(__file__).with_name("render.jpg").write_bytes(jpeg(picture, 86))


if __name__ == "__main__":
    main(sys.argv[1])
