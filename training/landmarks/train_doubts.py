"""Learn src/tronie/assets/face_doubts.onnx: what covers mouth and eyes, and what is no photograph.

    python -m training.landmarks.train_doubts bases PORTRAITS... OUT        # faces to paint on, renders of turned heads
    python -m training.landmarks.train_doubts paint OUT --count 10000 --seed 1  # pictures of them; other seeds add more
    python -m training.landmarks.train_doubts learn OUT [--epochs 12]
    python -m training.landmarks.train_doubts score OUT                     # the card's figures, on people held out

PORTRAITS are folders of photos of one person each. Of names that end in a number of two digits 80 to 99 are held out,
of others every second. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import re
import time
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import torch

from training.landmarks.canvas import EYE_LEFT, EYE_RIGHT, Canvas, blurred
from training.landmarks.doubt_net import MIRRORED, OUTPUTS, DoubtNet, save_onnx
from training.landmarks.occluders import COVERS, DECOYS
from training.landmarks.stylize import STYLES, smoothed
from tronie.head.model import default_head
from tronie.io.images import read_photo
from tronie.pipelines.calibration.skins import painted_skins
from tronie.pipelines.calibration.synthetic import Own, draw, units_of
from tronie.pipelines.calibration.wear import degraded
from tronie.runtime import weights
from tronie.runtime.inference import Session
from tronie.settings import Settings
from tronie.stages.detect import make_detector
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.net import NET_SIDE, LandmarkNet, square_from_landmarks
from tronie.stages.landmarks.squares import cut, sized, square

ASSETS = Path(__file__).parents[2] / "src/tronie/assets"
CANVAS, AROUND = 256, 1.35
"""Side of the pictures that are painted on, pixels, and by what it is larger than the net's crop."""
RENDERS, CARVED = 1200, 160
COVERED, FREE = 0.6, 0.15
"""Shares of a region from and up to which it counts as covered and as free; between them it teaches nothing."""
RENDERED, CARVEN, DRAWN, WORN = 0.2, 0.02, 0.16, 0.3
"""Shares of pictures."""
HIDDEN_EYE = 0.4
"""An eye that is so much narrower than the other is turned away, and teaches nothing."""
LIMITS = 0.5, 0.6, 0.6, 0.75
"""Of the net's own answers, from which on a warning is due; the file says 0.5 there."""
SHARD, SHOTS = 500, 3
"""Samples in a file, and how many photos are taken of one painted picture."""
JITTER = 0.05, 0.025, 0.05
"""Of the crop: logarithm of its side, its place by its side, its roll in radians."""


@dataclass(frozen=True)
class Base:
    image: np.ndarray
    """(CANVAS, CANVAS, 3)."""
    points: np.ndarray
    """(478, 2) pixels of it."""
    kind: str
    """`photo`, `render` or `carved`."""


def framed(image: np.ndarray, points: np.ndarray, kind: str) -> Base:
    unit = square_from_landmarks(points)
    middle = unit.apply(np.array([[0.5, 0.5]]))[0]
    to_photo = sized(square(middle, unit.scale * AROUND, float(np.arctan2(unit.b, unit.a))), CANVAS)
    return Base(cut(image, to_photo, CANVAS), to_photo.inverse().apply(points[:, :2]), kind)


def matter(rng: np.random.Generator) -> np.ndarray:
    """A texture of one colour: stone, clay, bronze, plastic."""
    grey, tint = rng.uniform(70, 235), rng.normal(0, 1, 3)
    colour = grey * (1 + rng.choice([0.03, 0.15]) * tint)
    veins = blurred(rng.standard_normal((256, 256), np.float32), 3.0) * rng.uniform(0, 40)
    return np.asarray(colour + veins[..., None]).clip(0, 255).astype(np.uint8)


def held_out(paths: list[Path]) -> list[bool]:
    """Of files in the order of their names."""
    numbers = [re.search(r"(?<!\d)(\d\d)$", path.stem) for path in paths]
    return [int(m[1]) >= 80 if m else k % 2 == 1 for k, m in enumerate(numbers)]


def make_bases(folders: list[Path], out: Path) -> None:
    detector, net, settings = make_detector("centerface"), LandmarkNet(), Settings().detect
    kept: dict[bool, list[Base]] = {False: [], True: []}
    for folder in folders:
        paths = sorted(p for p in folder.iterdir() if p.suffix in (".webp", ".jpg", ".png"))
        for path, held in zip(paths, held_out(paths), strict=True):
            image = read_photo(path).image
            if found := detect_faces(image, settings, detector)[:1]:
                kept[held].append(framed(image, net.detect(image, found)[0][1].points, "photo"))
    model, rng = default_head(), np.random.default_rng(5)
    skins = {"render": painted_skins(model, 60), "carved": [matter(rng) for _ in range(60)]}
    for kind, count in (("render", RENDERS), ("carved", CARVED)):
        for k in range(count + count // 4):
            picture = draw(Own(model), skins[kind], units_of(model), rng)
            kept[k >= count].append(framed(picture.image, picture.points, kind))
    for held, bases in kept.items():
        np.savez(
            out / f"bases-{'held' if held else 'learn'}.npz",
            image=np.stack([b.image for b in bases]),
            points=np.stack([b.points for b in bases]),
            kind=np.array([b.kind for b in bases]),
        )


def load_bases(out: Path, which: str) -> list[Base]:
    data = np.load(out / f"bases-{which}.npz")
    return [Base(*row) for row in zip(data["image"], data["points"], data["kind"].tolist(), strict=True)]


@dataclass(frozen=True)
class Made:
    image: np.ndarray
    points: np.ndarray
    label: np.ndarray
    """(4,) 0 or 1, or NaN where the picture does not tell."""
    kinds: tuple[str, ...]


def make(bases: list[Base], rng: np.random.Generator, only: str | None = None) -> Made:
    """One picture; `only` asks for one kind, by name (`clean`: nothing, `plain`: nothing that hides anything)."""
    photos = [b for b in bases if b.kind == "photo"]
    wanted = "carved" if only == "carved" else "photo"
    if only is None:
        wanted = str(rng.choice(["photo", "render", "carved"], p=[1 - RENDERED - CARVEN, RENDERED, CARVEN]))
    pool = [b for b in bases if b.kind == wanted]
    base = pool[rng.integers(len(pool))]
    scraps = [photos[k].image for k in rng.integers(0, len(photos), 4)]
    canvas = Canvas(base.image.astype(np.float32), base.points, rng, scraps)
    kinds: list[str] = []
    drawn = only in STYLES or (only is None and rng.random() < DRAWN)
    if only in COVERS or only in DECOYS:
        kinds = [str(only)]
    elif only in (None, "plain"):
        if rng.random() < 0.35:
            kinds.append(str(rng.choice(list(DECOYS))))
        share = np.array([often for _, often in COVERS.values()])
        for chance in () if only else (0.2, 0.05) if drawn else (0.6, 0.15):
            if rng.random() < chance:
                kinds.append(str(rng.choice(list(COVERS), p=share / share.sum())))
    for kind in kinds:
        (COVERS[kind][0] if kind in COVERS else DECOYS[kind])(canvas)
    image = canvas.image.clip(0, 255).astype(np.uint8)
    if drawn:
        kinds.append(only if only in STYLES else str(rng.choice(list(STYLES))))
        image = STYLES[kinds[-1]](image, rng)
    elif rng.random() < 0.2:
        image = smoothed(image, rng)
    share = canvas.covered()
    label = np.where(share >= COVERED, 1.0, np.where(share <= FREE, 0.0, np.nan))
    width = [float(np.ptp(base.points[list(eye)] @ canvas.across)) for eye in (EYE_LEFT, EYE_RIGHT)]
    for k in (0, 1):
        if width[k] < HIDDEN_EYE * width[1 - k]:
            label[1 + k] = np.nan
    drawing = 1.0 if drawn or base.kind == "carved" else 0.0 if base.kind == "photo" else np.nan
    return Made(image, base.points, np.append(label, drawing), tuple(kinds))


def worn(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """An old print, or a bad snapshot: grain at a coarse resolution, faded or burnt, toned or in a wrong light."""
    small = int(rng.integers(45, 170))
    x = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA).astype(np.float32)
    if rng.random() < 0.6:
        grey = cv2.cvtColor(x, cv2.COLOR_RGB2GRAY)[..., None]
        x = grey * (np.array([1, 1, 1]) if rng.random() < 0.4 else rng.uniform([0.95, 0.85, 0.65], [1.1, 1.0, 0.9]))
    else:
        x = x * np.exp(rng.normal(0, 0.2, 3))
    x = (
        (x - 110) * rng.uniform(0.45, 1.7)
        + 110
        + rng.normal(10, 40)
        + rng.uniform(0, 18) * rng.normal(0, 1, (small, small, 1))
    )
    x = np.asarray(x, np.float32).clip(0, 255)
    large = cv2.resize(x, (CANVAS, CANVAS), interpolation=int(rng.integers(1, 3)))
    return np.asarray(large.clip(0, 255).astype(np.uint8))


def photographed(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Exposure and colour, then what `degraded` does; a few are very small."""
    if rng.random() < WORN:
        return degraded(worn(image, rng), rng)
    if rng.random() < 0.5:
        x = (image.astype(np.float32) / 255) ** rng.uniform(0.6, 1.7) * rng.uniform(0.35, 1.25)
        image = (x * (1 + rng.normal(0, 0.06, 3).astype(np.float32)) * 255).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.2:
        grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
        tone = np.array([1, 1, 1]) if rng.random() < 0.7 else np.array([1.06, 0.98, 0.82])
        image = (grey * tone).clip(0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        small = int(rng.integers(36, 110))
        tiny = cv2.resize(image, (small, small), interpolation=cv2.INTER_AREA)
        image = np.asarray(cv2.resize(tiny, (CANVAS, CANVAS), interpolation=int(rng.integers(1, 3))))
    return degraded(image, rng)


class Looker:
    """The landmark net's activations of a crop, placed about as the pipeline does: never quite."""

    def __init__(self) -> None:
        self.session = Session(weights.path("face_landmarks"))

    def look(self, image: np.ndarray, points: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """(32, 32, 32) and (128, 8, 8)."""
        unit, (size, place, roll) = square_from_landmarks(points), JITTER
        middle = unit.apply(np.array([[0.5, 0.5]]))[0] + rng.normal(0, place * unit.scale, 2)
        turn = float(np.arctan2(unit.b, unit.a) + rng.normal(0, roll))
        unit = square(middle, float(unit.scale * np.exp(rng.normal(0, size))), turn)
        crop = cut(image, sized(unit, NET_SIDE), NET_SIDE)
        out = self.session.run({"image": crop.transpose(2, 0, 1)[None].astype(np.float32) / 255})
        return out["early"][0].astype(np.float16), out["late"][0].astype(np.float16)


def flipped(made: Made) -> Made:
    points = made.points * [-1, 1] + [CANVAS, 0]
    points[[33, 263]] = points[[263, 33]]
    label = made.label[list(MIRRORED)]
    return Made(np.ascontiguousarray(made.image[:, ::-1]), points, label, made.kinds)


def paint(out: Path, count: int, seed: int, only: str | None) -> None:
    bases, rng, looker = load_bases(out, "learn"), np.random.default_rng(seed), Looker()
    began = time.monotonic()
    for number in range(-(-count // SHARD)):
        rows = []
        while len(rows) < SHARD:
            made = make(bases, rng, only)
            for _ in range(SHOTS):
                shot = flipped(made) if rng.random() < 0.5 else made
                seen = looker.look(photographed(shot.image, rng), shot.points, rng)
                rows.append((*seen, shot.label))
        early, late, label = (np.stack(x) for x in zip(*rows, strict=True))
        label = label.astype(np.float32)
        np.savez(out / f"shard-{seed}-{number}.npz", early=early, late=late, label=label)
        print(f"{(number + 1) * SHARD} pictures, {time.monotonic() - began:.0f} s", flush=True)


def load_shards(out: Path) -> tuple[np.ndarray, ...]:
    parts: list[list[np.ndarray]] = [[], [], []]
    for path in sorted(out.glob("shard-*.npz")):
        with np.load(path) as shard:
            for part, name in zip(parts, ("early", "late", "label"), strict=True):
                part.append(shard[name])
    return tuple(np.concatenate(part) for part in parts)


def learn(out: Path, epochs: int, batch: int = 128, rate: float = 2e-3) -> None:
    torch.manual_seed(0)
    early, late, label = (torch.from_numpy(x) for x in load_shards(out))
    weight = (~label.isnan()).float()
    label = label.nan_to_num()
    net = DoubtNet()
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=0.05)
    steps = epochs * (len(label) // batch)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, rate, total_steps=steps + 1)
    order = np.random.default_rng(0)
    for epoch in range(epochs):
        net.train()
        total, began = 0.0, time.monotonic()
        rows = order.permutation(len(label))
        for k in range(len(rows) // batch):
            pick = torch.from_numpy(np.sort(rows[k * batch : (k + 1) * batch]))
            said = net(early[pick].float(), late[pick].float())
            # No answer need be surer than 0.98: what is painted is not quite what there is.
            each = nn_bce(said, label[pick] * 0.96 + 0.02)
            loss = (each * weight[pick]).sum() / weight[pick].sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss)
        print(f"epoch {epoch + 1}: {total / max(k + 1, 1):.4f}, {time.monotonic() - began:.0f} s", flush=True)
    net.eval()
    torch.save(net.state_dict(), out / "doubts.pt")
    limits = np.array(LIMITS)
    save_onnx(net, out / "face_doubts.onnx", np.log(1 / limits - 1))


nn_bce = torch.nn.BCEWithLogitsLoss(reduction="none")


def score(out: Path, net: Path, count: int, seed: int = 99) -> None:
    """Of people held out: the share of each kind that is told, and of free regions that are taken for covered."""
    bases, looker, session = load_bases(out, "held"), Looker(), Session(net)
    for kind in ("clean", *DECOYS, *COVERS, *STYLES, "carved"):
        rng = np.random.default_rng(seed)
        said, true = [], []
        for _ in range(count):
            made = make(bases, rng, kind)
            made = replace(made, image=photographed(made.image, rng))
            answers = []
            for twin in (made, flipped(made)):
                early, late = looker.look(twin.image, twin.points, rng)
                answers.append(session.run({"early": early[None], "late": late[None]})["doubts"][0])
            said.append((answers[0] + answers[1][list(MIRRORED)]) / 2)
            true.append(made.label)
        told, label = np.stack(said) > 0.5, np.stack(true)
        parts = []
        for k, name in enumerate(OUTPUTS):
            hit, free = label[:, k] == 1, label[:, k] == 0
            recall = f"{100 * told[hit, k].mean():.0f} % of {hit.sum()}" if hit.any() else "-"
            parts.append(f"{name} {recall}, false {int(told[free, k].sum())} of {free.sum()}")
        print(f"{kind}: " + "; ".join(parts), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["bases", "paint", "learn", "score"])
    parser.add_argument("folders", type=Path, nargs="+", help="portraits (for `bases`), and last the folder of samples")
    parser.add_argument("--count", type=int, default=10000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="paint one kind, such as `plain`")
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--net", type=Path, default=ASSETS / "face_doubts.onnx")
    options = parser.parse_args()
    *portraits, out = options.folders
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    if options.step == "bases":
        make_bases(portraits, out)
    elif options.step == "paint":
        paint(out, options.count, options.seed, options.only)
    elif options.step == "learn":
        learn(out, options.epochs)
    else:
        score(out, options.net, options.count)


if __name__ == "__main__":
    main()
