"""How well is damage of photographs found and filled? Against a classical way, on damage of another make than the
net learned from.

    python -m benchmarks.damage                              # held-out portraits
    python -m benchmarks.damage --lpips FOLDER --grid damage.jpg --count 20

Held out are the odd of 600 official portraits and the faces 80 to 99 of each sex of 200 CC0 portraits. Damage is drawn
with Pillow as polygons: bent scratches that taper, creases and webs of cracks by midpoint displacement (Fournier,
Fussell and Carpenter, Computer Rendering of Stochastic Models, 1982), torn corners, blots, dust. What is torn off is
counted by itself. The other way is a top-hat of both signs, a threshold, what is large enough of it, and the filling
of Telea (An Image Inpainting Technique Based on the Fast Marching Method, 2004). Precision allows for a pixel around
the damage, recall around what was found.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from benchmarks.enhance.figures import psnr
from tronie.io.images import read_photo
from tronie.pipelines.photo import Pipeline
from tronie.stages.detect.search import detect_faces
from tronie.stages.enhance.damage import DamageNet, fill, find
from tronie.stages.landmarks.lines import OVAL
from tronie.stages.segment import SegmentNet
from tronie.types import Landmarks

SHARED = Path(__file__).resolve().parents[2] / "shared"
FINE = 3
"""Damage is drawn so many times larger."""
Point = np.ndarray
State = Callable[[Image.Image], Image.Image]


def displaced(a: Point, b: Point, rng: np.random.Generator, rough: float = 0.16, least: float = 4.0) -> list[Point]:
    """Points of a ragged line from `a` to `b`, without the last."""
    long = float(np.linalg.norm(b - a))
    if long < least:
        return [a]
    middle = (a + b) / 2 + rng.normal(0, rough * long, 2) * 0.5
    return [*displaced(a, middle, rng, rough, least), *displaced(middle, b, rng, rough, least)]


def strip(draw: ImageDraw.ImageDraw, line: list[Point], widths: np.ndarray, grey: int) -> None:
    """A band along a line, of another width at each of its points."""
    points = np.array(line)
    along = np.gradient(points, axis=0)
    normal = along[:, ::-1] * [1, -1] / np.maximum(np.linalg.norm(along, axis=1, keepdims=True), 1e-6)
    outline = np.vstack([points + normal * widths[:, None] / 2, (points - normal * widths[:, None] / 2)[::-1]])
    draw.polygon([tuple(p) for p in outline], fill=grey)


class Wear:
    """What is drawn over one picture, kind by kind."""

    def __init__(self, image: Image.Image, rng: np.random.Generator) -> None:
        self.image, self.rng = image, rng
        self.size = np.array(image.size) * FINE
        self.unit = FINE * min(image.size) / 250
        self.lost, self.gone = (np.zeros((image.height, image.width), np.float32) for _ in range(2))

    def lay(self, paint: Callable[[ImageDraw.ImageDraw], None], colour: tuple[int, ...], strength: float) -> np.ndarray:
        """(h, w): how far each pixel is lost by it."""
        mask = Image.new("L", tuple(self.size))
        paint(ImageDraw.Draw(mask))
        small = mask.resize(self.image.size, Image.Resampling.BOX)
        cover = small.point([round(level * strength) for level in range(256)])
        before = np.asarray(self.image, dtype=np.float32)
        self.image = Image.composite(Image.new("RGB", self.image.size, colour), self.image, cover)
        seen = np.abs(np.asarray(self.image, dtype=np.float32) - before).max(axis=2) >= 12
        share = seen * np.asarray(small, dtype=np.float32) / 255
        self.lost = np.maximum(self.lost, share)
        return np.asarray(share)

    def paper(self) -> tuple[int, ...]:
        level = self.rng.integers(195, 252)
        return int(level), int(level - self.rng.integers(0, 12)), int(level - self.rng.integers(0, 50))

    def anywhere(self) -> Point:
        return self.rng.uniform(0, 1, 2) * self.size

    def scratch(self) -> None:
        a, b = self.anywhere(), self.anywhere()
        c = (a + b) / 2 + self.rng.normal(0, 0.15, 2) * self.size
        t = np.linspace(0, 1, 40)[:, None]
        line = (1 - t) ** 2 * a + 2 * t * (1 - t) * c + t**2 * b
        widths = self.unit * self.rng.uniform(0.6, 1.8) * np.sin(np.pi * np.clip(t[:, 0], 0.03, 0.97)) ** 0.5
        dark = self.rng.random() < 0.25
        colour = (30, 28, 25) if dark else self.paper()
        self.lay(lambda draw: strip(draw, list(line), widths, 255), colour, self.rng.uniform(0.6, 1))

    def crease(self) -> None:
        side = self.rng.integers(2)
        a, b = self.anywhere(), self.anywhere()
        a[side], b[side] = 0, self.size[side]
        line = displaced(a, b, self.rng, 0.05, 5 * FINE)
        wide = self.unit * self.rng.uniform(0.8, 4)
        widths = wide * np.exp(self.rng.normal(0, 0.5, len(line)))
        if self.rng.random() < 0.5:
            shifted = [p + wide * 0.6 for p in line]
            self.lay(lambda draw: strip(draw, shifted, widths, 255), (40, 34, 30), self.rng.uniform(0.2, 0.5))
        self.lay(lambda draw: strip(draw, line, widths, 255), self.paper(), self.rng.uniform(0.8, 1))

    def web(self) -> None:
        lines, ends = [], [self.anywhere()]
        for _ in range(int(self.rng.integers(4, 14))):
            a = ends[self.rng.integers(len(ends))]
            b = a + self.rng.normal(0, 0.16, 2) * self.size
            lines.append(displaced(a, b, self.rng, 0.2, 3 * FINE))
            ends += [b, lines[-1][len(lines[-1]) // 2]]
        wide = self.unit * self.rng.uniform(0.5, 2)

        def paint(draw: ImageDraw.ImageDraw) -> None:
            for line in lines:
                if len(line) > 1:
                    strip(draw, line, wide * np.exp(self.rng.normal(0, 0.4, len(line))), 255)

        self.lay(paint, self.paper(), self.rng.uniform(0.7, 1))

    def dust(self) -> None:
        def paint(draw: ImageDraw.ImageDraw) -> None:
            for _ in range(int(self.rng.integers(8, 70))):
                radius = self.unit * self.rng.uniform(0.4, 1.6)
                angles = np.sort(self.rng.uniform(0, 2 * np.pi, 7))
                reach = radius * self.rng.uniform(0.6, 1.3, 7)
                at = self.anywhere()
                draw.polygon(
                    [tuple(at + r * np.array([np.cos(t), np.sin(t)])) for t, r in zip(angles, reach, strict=True)], 255
                )

        self.lay(paint, (25, 22, 20) if self.rng.random() < 0.3 else self.paper(), self.rng.uniform(0.7, 1))

    def blot(self) -> None:
        def paint(draw: ImageDraw.ImageDraw) -> None:
            at, radius = self.anywhere(), self.unit * self.rng.uniform(3, 12)
            for _ in range(6):
                x, y = at + self.rng.normal(0, 0.5 * radius, 2)
                r = radius * self.rng.uniform(0.4, 0.9)
                draw.ellipse([x - r, y - r, x + r, y + r], 255)

        self.lay(paint, self.paper() if self.rng.random() < 0.6 else (60, 45, 30), self.rng.uniform(0.85, 1))

    def torn(self) -> None:
        corner = self.rng.integers(0, 2, 2) * self.size
        reach = self.rng.uniform(0.08, 0.22, 2) * self.size * np.where(corner > 0, -1, 1)
        a, b = corner + reach * [1, 0], corner + reach * [0, 1]
        edge = [*displaced(a, b, self.rng, 0.12, 4 * FINE), b]
        behind = (250, 250, 250) if self.rng.random() < 0.6 else (15, 15, 15)
        share = self.lay(lambda draw: draw.polygon([tuple(p) for p in [corner, *edge]], 255), behind, 1.0)
        self.gone = np.maximum(self.gone, share)


def worn(image: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """An RGB photo -> the same in the state of an old one; with damage; (h, w) bool where it is; and (h, w) bool of
    what is torn off."""
    x = Image.fromarray(image)
    kind = rng.integers(3)
    if kind:
        grey = np.asarray(x.convert("L"), dtype=np.float32)[..., None]
        x = Image.fromarray(
            np.clip(grey * ([1, 0.9, 0.72] if kind == 2 else [1, 1, 1]) * 0.85 + 15, 0, 255).astype(np.uint8)
        )
    x = x.filter(ImageFilter.GaussianBlur(rng.uniform(0, 0.9)))
    grain = rng.normal(0, rng.uniform(1, 6), (x.height, x.width, 1))
    whole = Image.fromarray(np.clip(np.asarray(x) + grain, 0, 255).astype(np.uint8))
    wear = Wear(whole, rng)
    kinds = [wear.scratch, wear.scratch, wear.crease, wear.web, wear.dust, wear.blot, wear.torn]
    for k in rng.choice(len(kinds), rng.integers(2, 5), replace=False):
        kinds[k]()
    stream, soft = io.BytesIO(), wear.image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.6)))
    soft.save(stream, "JPEG", quality=int(rng.integers(75, 96)))
    return np.asarray(whole), np.asarray(Image.open(stream).convert("RGB")), wear.lost >= 0.4, wear.gone >= 0.4


def classical(photo: np.ndarray) -> np.ndarray:
    """(h, w) bool: top-hats of both signs of nine pixels, what stands out by 28 grey levels, twelve pixels and more."""
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    square = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (9, 9))
    hats = [cv2.morphologyEx(grey, kind, square) for kind in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT)]
    _, label, facts, _ = cv2.connectedComponentsWithStats((np.maximum(*hats) > 28).astype(np.uint8))
    return ((facts[:, cv2.CC_STAT_AREA] >= 12) & (np.arange(len(facts)) > 0))[label]


def near(mask: np.ndarray) -> np.ndarray:
    return cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0


def counted(found: np.ndarray, truth: np.ndarray, torn: np.ndarray) -> np.ndarray:
    """Found, of them right; damaged but not torn off, of them found; torn off, of them found."""
    lost, wide = truth & ~torn, near(found)
    sums = (found, found & near(truth), lost, lost & wide, torn, torn & wide)
    return np.array([x.sum() for x in sums])


class Faces:
    """What the pipeline knows of a photo's faces before anything is mended."""

    def __init__(self) -> None:
        self.pipeline, self.segmenter = Pipeline(threads=1), SegmentNet(1)

    def of(self, photo: np.ndarray) -> list[Landmarks]:
        found = detect_faces(photo, self.pipeline.settings.detect, self.pipeline.detector)
        return [marks for _, marks in self.pipeline.net.detect(photo, found) if marks.presence > 0.3]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, default=SHARED / "portraits_pd")
    parser.add_argument("--faces", type=Path, default=SHARED / "faces_cc0")
    parser.add_argument("--count", type=int, default=30, help="of damaged pictures of each folder")
    parser.add_argument("--whole", type=int, default=100, help="of undamaged portraits")
    parser.add_argument("--lpips", type=Path, metavar="FOLDER", help="where the weights of LPIPS lie")
    parser.add_argument("--grid", type=Path, metavar="FILE", help="write a picture of some")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    odd = [options.portraits / f"portrait_{k:03d}.webp" for k in range(1, 600, 2)]
    kept = [options.faces / f"{sex}_{k}.webp" for k in range(80, 100) for sex in ("female", "male")]
    known, net = Faces(), DamageNet()
    _false_alarms(odd[: options.whole], known, net)
    _damage([*odd[-options.count :], *kept[: options.count]], known, net, options)


def _false_alarms(paths: list[Path], known: Faces, net: DamageNet) -> None:
    shares, faces, old = [], 0, []
    for path in paths:
        photo = read_photo(path).image
        marks = known.of(photo)
        mask = find(photo, marks, known.segmenter.segment(photo, marks), net) > 0
        shares.append(mask.mean())
        old.append(classical(photo).mean())
        oval = np.zeros(mask.shape, np.uint8)
        for one in marks:
            cv2.fillPoly(oval, [np.rint(one.points[list(OVAL), :2]).astype(np.int32)], 1)
        faces += bool((mask & (oval > 0)).any())
    print(
        f"{len(paths)} undamaged: {100 * np.mean(shares):.3f} % of pixels found; classical {100 * np.mean(old):.2f} %"
    )
    print(f"  {np.mean(np.array(shares) > 0):.0%} with anything at all, {faces} with anything on the face", flush=True)


def _damage(paths: list[Path], known: Faces, net: DamageNet, options: argparse.Namespace) -> None:
    judge = None
    if options.lpips:
        import torch

        from training.superres.lpips import Lpips

        torch.set_num_threads(1)
        lpips = Lpips("alex", options.lpips)

        def judge(a: np.ndarray, b: np.ndarray) -> float:
            planes = [torch.from_numpy(x.transpose(2, 0, 1).copy())[None].float() / 127.5 - 1 for x in (a, b)]
            with torch.no_grad():
                return float(lpips(*planes))

    counts = {name: np.zeros(6) for name in ("classical", "net", "net, faces given")}
    figures: dict[str, list[list[float]]] = {}
    rows = []
    for k, path in enumerate(paths):
        image = read_photo(path).image
        if max(image.shape) > 600:
            image = cv2.resize(image, None, fx=0.7, fy=0.7, interpolation=cv2.INTER_AREA)
        whole, photo, truth, torn = worn(image, np.random.default_rng([7, k]))
        marks = known.of(photo)
        began = time.process_time()
        strict = find(photo, marks, known.segmenter.segment(photo, marks), net)
        seconds = time.process_time() - began
        masks = {"classical": classical(photo), "net": find(photo, net=net) >= 0.5, "net, faces given": strict >= 0.5}
        for name, mask in masks.items():
            counts[name] += counted(mask, truth, torn)
        wider = near(near(truth & ~torn)).astype(np.float32)
        results = {
            "as it is": photo,
            "classical, Telea": cv2.inpaint(photo, near(masks["classical"]).astype(np.uint8), 3, cv2.INPAINT_TELEA),
            "net, Telea": cv2.inpaint(photo, (strict > 0).astype(np.uint8), 3, cv2.INPAINT_TELEA),
            "net, ours": fill(photo, strict),
            "true mask, Telea": cv2.inpaint(photo, wider.astype(np.uint8), 3, cv2.INPAINT_TELEA),
            "true mask, Navier-Stokes": cv2.inpaint(photo, wider.astype(np.uint8), 3, cv2.INPAINT_NS),
            "true mask, ours": fill(photo, wider),
        }
        for name, result in results.items():
            lost = near(truth & ~torn)
            error = ((result.astype(float) - whole) ** 2)[lost].mean()
            there = 10 * np.log10(255**2 / max(float(error), 1e-3))
            figures.setdefault(name, []).append(
                [psnr(result, whole), there, judge(result, whole) if judge else np.nan, seconds]
            )
        if k % max(len(paths) // 8, 1) == 0:
            shown = [photo, np.repeat((strict * 255).astype(np.uint8)[..., None], 3, 2), results["net, ours"], whole]
            rows.append(np.hstack([cv2.resize(x, (360, 440), interpolation=cv2.INTER_AREA) for x in shown]))
    print(f"\n{len(paths)} damaged photos\n\n| mask | precision | recall | of what is torn off |\n|---|---|---|---|")
    for name, (found, right, lost, caught, gone, seen) in counts.items():
        print(f"| {name} | {right / max(found, 1):.3f} | {caught / max(lost, 1):.3f} | {seen / max(gone, 1):.3f} |")
    print("\n| filled | PSNR, whole | PSNR, where lost | LPIPS |\n|---|---|---|---|")
    for name, values in figures.items():
        whole_db, lost_db, distance, _ = np.mean(values, axis=0)
        print(f"| {name} | {whole_db:.2f} | {lost_db:.2f} | {distance:.4f} |")
    print(f"\n{np.mean([v[3] for v in figures['as it is']]):.2f} s of one core a photo to find")
    if options.grid:
        Image.fromarray(np.vstack(rows)).save(options.grid, quality=88)


if __name__ == "__main__":
    main()
