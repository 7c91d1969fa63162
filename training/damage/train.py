"""Trains damage.onnx on photos that are damaged as it goes along.

    python -m training.damage.train --portraits FOLDER --faces FOLDER --out src/tronie/assets/damage.onnx --minutes 24

FOLDER of --portraits has portrait_000.webp to portrait_599.webp, of which the even ones are learned from; that of
--faces female_00.webp to male_99.webp, of which those up to 75. It ends after so many minutes; the step gets smaller in
the last half of them. One core, bfloat16 where the processor has it.
"""

from __future__ import annotations

import argparse
import copy
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from training.damage.material import photos, picture
from training.damage.net import DamageNet, save_onnx
from training.superres.material import portraits

CROP, BATCH, POOL, TIMES = 128, 8, 240, 3
"""Side of a crop in pixels, crops of a step, crops of which they are drawn, and how often each comes, turned and
mirrored."""
EMPTY = 0.4
"""Share that is kept of the crops without damage."""
FASTEST = 4e-3
KEPT = 0.995
"""Of the averaged weights at each step."""


def batches(images: list[np.ndarray], rng: np.random.Generator) -> Iterator[tuple[Tensor, Tensor]]:
    """(B, 3, 128, 128) uint8 and (B, 1, 128, 128) how far lost, without end."""
    seen: list[np.ndarray] = []
    lost: list[np.ndarray] = []
    while True:
        while len(seen) < POOL:
            image, mask = picture(images[rng.integers(len(images))], rng)
            for y in range(0, len(image), CROP):
                for x in range(0, len(image), CROP):
                    part = slice(y, y + CROP), slice(x, x + CROP)
                    if mask[part].max() > 0.3 or rng.random() < EMPTY:
                        seen.append(image[part].transpose(2, 0, 1))
                        lost.append(mask[part][None])
        for _ in range(TIMES):
            order = rng.permutation(len(seen))
            for rows in order[: len(order) // BATCH * BATCH].reshape(-1, BATCH):
                turn, flip = rng.integers(4), rng.random() < 0.5
                pair = (np.rot90(np.stack([x[k] for k in rows]), turn, (2, 3)) for x in (seen, lost))
                planes = [torch.from_numpy(np.ascontiguousarray(x[..., ::-1] if flip else x)) for x in pair]
                yield planes[0], planes[1]
        del seen[:], lost[:]


def loss(logits: Tensor, lost: Tensor) -> Tensor:
    """What is half covered may be called either. A false alarm costs more than a miss; Dice keeps thin lines whole."""
    target = ((lost - 0.15) / 0.3).clamp(0, 1)
    weight = torch.where((lost > 0.04) & (lost < 0.4), 0.25, 1.0)
    entropy = F.binary_cross_entropy_with_logits(logits, target, reduction="none")
    said = logits.sigmoid() * weight
    dice = 1 - (2 * (said * target).sum() + 50) / (said.sum() + (target * weight).sum() + 50)
    return (entropy * weight * (2 - target)).mean() * 4 + 0.3 * dice


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portraits", type=Path, required=True)
    parser.add_argument("--faces", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--begin", type=Path, help="a .pt of a training before, to go on from")
    parser.add_argument("--minutes", type=float, default=24, help="of the processor's time")
    parser.add_argument("--at-most", type=float, default=240, help="minutes on the clock")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    paths = [*portraits(options.portraits, range(0, 600, 2)), *portraits(options.faces, range(76))]
    material = batches(photos(paths), np.random.default_rng(options.seed))
    net = DamageNet()
    if options.begin:
        net.load_state_dict(torch.load(options.begin, weights_only=True))
    net = net.to(memory_format=torch.channels_last)
    mean = copy.deepcopy(net)
    optimizer = torch.optim.AdamW(net.parameters(), FASTEST, weight_decay=1e-3)
    began, started, step, told = time.process_time(), time.monotonic(), 0, 0.0
    while True:
        worked, passed = (time.process_time() - began) / 60, (time.monotonic() - started) / 60
        if (share := max(worked / options.minutes, passed / options.at_most)) >= 1:
            break
        for group in optimizer.param_groups:
            group["lr"] = FASTEST * min((step + 1) / 100, 1) * min(2 * (1 - share), 1)
        seen, lost = next(material)
        planes = seen.contiguous(memory_format=torch.channels_last).float() / 255
        with torch.autocast("cpu", torch.bfloat16):
            logits = net(planes)
        cost = loss(logits.float(), lost)
        optimizer.zero_grad()
        cost.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        kept = min(KEPT, step / (step + 50))
        with torch.no_grad():
            for ours, theirs in zip(mean.state_dict().values(), net.state_dict().values(), strict=True):
                ours.copy_(ours * kept + theirs * (1 - kept) if ours.is_floating_point() else theirs)
        told = 0.98 * told + 0.02 * cost.item() if step else cost.item()
        if step % 200 == 0:
            print(f"{step} {share:.3f} {told:.4f} {60 * worked:.0f} s", flush=True)
            torch.save(mean.state_dict(), options.out.with_suffix(".pt"))
        step += 1
    print(f"{step} steps", flush=True)
    torch.save(mean.state_dict(), options.out.with_suffix(".pt"))
    save_onnx(mean, options.out)


if __name__ == "__main__":
    main()
