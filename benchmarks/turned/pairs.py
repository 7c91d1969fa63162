"""Pairs of photos of the same and of different people: LFW and CFP-FP as they are published, from folders of yours."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Pair:
    one: Path
    other: Path
    same: bool
    fold: int


def lfw(folder: Path) -> list[Pair]:
    """`pairs.txt` (10 folds of 300 + 300) beside or in the folder with NAME/NAME_0001.jpg (Huang et al. 2007)."""
    folder = Path(folder)
    listing = next((p for p in (folder / "pairs.txt", folder.parent / "pairs.txt") if p.exists()), None)
    if listing is None:
        raise FileNotFoundError(f"pairs.txt is neither in {folder} nor beside it")
    nested = sorted(p for p in folder.iterdir() if p.is_dir() and p.name.startswith("lfw"))
    images = nested[0] if nested and not any(folder.glob("*/*_0001.*")) else folder
    rows = [
        line.split("\t") if "\t" in line else line.split() for line in listing.read_text().splitlines() if line.strip()
    ]
    folds = int(rows[0][0]) if len(rows[0]) <= 2 else 10
    body = rows[1:] if len(rows[0]) <= 2 else rows

    def photo(name: str, number: str) -> Path:
        return images / name / f"{name}_{int(number):04d}.jpg"

    pairs = []
    for k, row in enumerate(body):
        fold = k * folds // len(body)
        if len(row) == 3:
            pairs.append(Pair(photo(row[0], row[1]), photo(row[0], row[2]), True, fold))
        else:
            pairs.append(Pair(photo(row[0], row[1]), photo(row[2], row[3]), False, fold))
    return pairs


def cfp_fp(folder: Path) -> list[Pair]:
    """`Protocol/Split/FP/01..10/{same,diff}.txt` and `Protocol/Pair_list_{F,P}.txt` (Sengupta et al. 2016): frontal
    against profile."""
    protocol = Path(folder) / "Protocol"
    if not protocol.exists():
        raise FileNotFoundError(f"{protocol} does not exist")
    lists = []
    for kind in "FP":
        rows = (line.split() for line in (protocol / f"Pair_list_{kind}.txt").read_text().splitlines() if line.strip())
        lists.append({int(number): (protocol / path).resolve() for number, path in rows})
    pairs = []
    for fold, split in enumerate(sorted((protocol / "Split" / "FP").iterdir())):
        for name, same in (("same", True), ("diff", False)):
            for line in (split / f"{name}.txt").read_text().split():
                one, other = (int(n) for n in line.split(","))
                pairs.append(Pair(lists[0][one], lists[1][other], same, fold))
    return pairs


def accuracy(distances: NDArray[np.float64], same: NDArray[np.bool_], fold: NDArray[np.int64]) -> tuple[float, float]:
    """Mean and spread over the folds of the share of pairs told apart by the threshold that is best on the others."""
    scores = []
    for k in np.unique(fold):
        others = fold != k if (fold != k).any() else fold == k
        d, s = distances[others], same[others]
        order = np.argsort(d)
        # With the threshold after the n-th smallest: same pairs up to there and different ones beyond it are right.
        right = np.concatenate([[0], np.cumsum(s[order])]) + (~s).sum() - np.concatenate([[0], np.cumsum(~s[order])])
        best = int(right.argmax())
        edges = np.concatenate([[-np.inf], d[order], [np.inf]])
        threshold = (edges[best] + edges[best + 1]) / 2 if np.isfinite(edges[best : best + 2]).all() else edges[best]
        scores.append(((distances[fold == k] <= threshold) == same[fold == k]).mean())
    return float(np.mean(scores)), float(np.std(scores))
