"""Learn src/tronie/assets/segment.onnx from composites.

    python -m training.segment.train OUT --selfie selfie_segmentation.tflite --plan 160:20,256:10 [--from OUT/net.pt]

Reads `OUT/shards` (new ones join in as they come), writes `OUT/NAME.pt` every minute, from which the same command goes
on, and at the end `OUT/NAME.onnx`. The plan says how many minutes at which side in pixels. Needs PyTorch.
"""

from __future__ import annotations

import argparse
import math
import multiprocessing
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import distributed
from torch.nn import functional as F

from training.segment.augment import Planes, looked_at
from training.segment.labels import BACKGROUND, BODY, CLOTHES, COVERING, FACE, FACIAL_HAIR, GLASSES, HAIR, OTHER
from training.segment.net import SegmentNet, save_onnx
from tronie.shells import SEGMENTS

RATE, RATE_TRUNK = 3e-3, 6e-4
WEIGHTS = {
    BACKGROUND: 1.0,
    HAIR: 1.2,
    FACIAL_HAIR: 1.3,
    FACE: 1.1,
    BODY: 1.0,
    CLOTHES: 1.0,
    COVERING: 1.2,
    GLASSES: 1.3,
    OTHER: 1.1,
}
"""Of each segment's pixels in the loss."""


class Pictures:
    """Shards, mapped rather than read: as many samples as there are by now."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.shards, self.known = folder, [], set()
        self.look()

    def look(self) -> None:
        """Take new shards in, and let go of those that were removed."""
        gone = {path for path in self.known if not path.exists()}
        if gone:
            self.shards, self.known = [], set()
        for path in sorted(self.folder.glob("*.npz")):
            if path in self.known or time.time() - path.stat().st_mtime < 5:
                continue
            with np.load(path) as data:
                self.shards.append({name: data[name] for name in ("image", "hair", "rest", "weight")})
            self.known.add(path)

    def __len__(self) -> int:
        return sum(len(shard["image"]) for shard in self.shards)

    def pick(self, rng: np.random.Generator) -> Planes:
        shard = self.shards[rng.integers(len(self.shards))]
        k = int(rng.integers(len(shard["image"])))
        return shard["image"][k], shard["hair"][k], shard["rest"][k], shard["weight"][k]


def batch_of(pictures: Pictures, count: int, side: int, rng: np.random.Generator) -> tuple[torch.Tensor, ...]:
    rows = [looked_at(pictures.pick(rng), side, rng) for _ in range(count)]
    image, hair, rest, weight = (np.stack(column) for column in zip(*rows, strict=True))
    target = F.one_hot(torch.from_numpy(rest.astype(np.int64)), len(SEGMENTS)).permute(0, 3, 1, 2).float()
    share = torch.from_numpy(hair).float()[:, None] / 255
    target = target * (1 - share)
    target[:, HAIR] += share[:, 0]
    return torch.from_numpy(image).permute(0, 3, 1, 2).float() / 255, target, torch.from_numpy(weight).float() / 255


def loss_of(logits: torch.Tensor, target: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Cross entropy, and one less the Dice coefficient of each segment over the batch."""
    scale = torch.tensor([float(WEIGHTS[k]) for k in range(len(SEGMENTS))])
    log = logits.log_softmax(1)
    each = -(target * log * scale[:, None, None]).sum(1)
    entropy = (each * weight).sum() / (weight.sum() + 1)
    shares = log.exp() * weight[:, None]
    wanted = target * weight[:, None]
    both, total = (shares * wanted).sum((0, 2, 3)), (shares + wanted).sum((0, 2, 3))
    dice = (2 * both + 50) / (total + 50)
    there = wanted.sum((0, 2, 3)) > 20
    return entropy + 0.5 * (1 - dice)[there].mean()


class Together:
    """Some processes that learn one net: each looks at pictures of its own, and their gradients are averaged. On a busy
    machine that beats threads, which wait for each other in every layer."""

    def __init__(self, rank: int, count: int, store: Path) -> None:
        self.rank, self.count = rank, count
        if count > 1:
            distributed.init_process_group("gloo", f"file://{store}", rank=rank, world_size=count)

    def averaged(self, net: torch.nn.Module) -> None:
        if self.count > 1:
            grads = [p.grad for p in net.parameters() if p.grad is not None]
            flat = torch.cat([g.flatten() for g in grads])
            distributed.all_reduce(flat)
            flat /= self.count
            for grad, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
                grad.copy_(part.view_as(grad))

    def agreed(self, value: float) -> float:
        """The first one's."""
        if self.count < 2:
            return value
        tensor = torch.tensor([value], dtype=torch.float64)
        distributed.broadcast(tensor, 0)
        return float(tensor)


def learn(
    out: Path,
    name: str,
    selfie: Path | None,
    plan: list[tuple[int, float]],
    start: Path | None,
    batch: int,
    together: Together,
) -> None:
    torch.manual_seed(0)
    net = SegmentNet(selfie).to(memory_format=torch.channels_last)
    trunk = list(net.trunk.parameters())
    others = [p for k, p in net.named_parameters() if not k.startswith("trunk.")]
    optimiser = torch.optim.AdamW([{"params": others}, {"params": trunk}], RATE, weight_decay=0.01)
    goal, done, step = out / f"{name}.pt", 0.0, 0
    average: dict[str, torch.Tensor] = {}
    if goal.exists():
        state = torch.load(goal)
        net.load_state_dict(state["net"])
        optimiser.load_state_dict(state["optimiser"])
        done, step, average = state["done"], state["step"], state["average"]
    elif start is not None:
        known, own = torch.load(start)["average"], net.state_dict()
        net.load_state_dict({k: known[k] if k in known and known[k].shape == v.shape else v for k, v in own.items()})
    rng = np.random.default_rng([7, step, together.rank])
    pictures = Pictures(out / "shards")
    total = sum(minutes for _, minutes in plan) * 60
    began, saved, shown, recent = time.monotonic() - done, time.monotonic(), time.monotonic(), []
    while (spent := together.agreed(time.monotonic() - began)) < total:
        side, left = plan[-1][0], spent
        for size, minutes in plan:
            if left < minutes * 60:
                side = size
                break
            left -= minutes * 60
        share = spent / total
        pace = min(1.0, (step + 1) / 200) * (0.5 + 0.5 * math.cos(math.pi * share)) + 0.004
        for group, rate in zip(optimiser.param_groups, (RATE, RATE_TRUNK), strict=True):
            group["lr"] = rate * pace
        net.train()
        image, target, weight = batch_of(pictures, batch, side, rng)
        image = image.contiguous(memory_format=torch.channels_last)
        loss = loss_of(net(image), target, weight)
        optimiser.zero_grad()
        loss.backward()
        together.averaged(net)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
        optimiser.step()
        step += 1
        keep = min(0.995, 1 - 1 / (step / 8 + 1))
        with torch.no_grad():
            for key, value in net.state_dict().items():
                if key not in average or not value.dtype.is_floating_point:
                    average[key] = value.clone()
                else:
                    average[key].lerp_(value, 1 - keep)
        recent.append(float(loss.detach()))
        if time.monotonic() - shown > 30 and together.rank == 0:
            print(
                f"{spent / 60:.1f} min, step {step}, {side} px, {len(pictures)} pictures: {np.mean(recent):.4f}",
                flush=True,
            )
            shown, recent = time.monotonic(), []
        if time.monotonic() - saved > 60:
            if together.rank == 0:
                save(goal, net, optimiser, average, time.monotonic() - began, step)
            pictures.look()
            saved = time.monotonic()
    if together.rank == 0:
        save(goal, net, optimiser, average, total, step)
        net.load_state_dict(average)
        save_onnx(net, out / f"{name}.onnx")


def save(
    goal: Path,
    net: SegmentNet,
    optimiser: torch.optim.Optimizer,
    average: dict[str, torch.Tensor],
    done: float,
    step: int,
) -> None:
    part = goal.with_suffix(".part")
    torch.save(
        {"net": net.state_dict(), "optimiser": optimiser.state_dict(), "average": average, "done": done, "step": step},
        part,
    )
    part.replace(goal)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path)
    parser.add_argument("--name", default="net")
    parser.add_argument("--selfie", type=Path, help="selfie_segmentation.tflite, where the trunk begins")
    parser.add_argument("--plan", default="160:20,192:15,256:10")
    parser.add_argument("--from", dest="start", type=Path, help="a checkpoint whose weights it begins with")
    parser.add_argument("--batch", type=int, default=12)
    parser.add_argument("--processes", type=int, default=1, help="that learn together")
    options = parser.parse_args()
    plan = [(int(size), float(minutes)) for size, minutes in (part.split(":") for part in options.plan.split(","))]
    work = (options.out, options.name, options.selfie, plan, options.start, options.batch)
    with tempfile.TemporaryDirectory() as folder:
        count, store = options.processes, Path(folder) / "store"
        others = [
            multiprocessing.get_context("spawn").Process(target=one_of, args=(rank, count, store, *work))
            for rank in range(1, count)
        ]
        for other in others:
            other.start()
        one_of(0, count, store, *work)
        for other in others:
            other.join()


def one_of(
    rank: int,
    count: int,
    store: Path,
    out: Path,
    name: str,
    selfie: Path | None,
    plan: list[tuple[int, float]],
    start: Path | None,
    batch: int,
) -> None:
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    learn(out, name, selfie, plan, start, batch, Together(rank, count, store))


if __name__ == "__main__":
    main()
